//! Captures of every form, whole, cut and damaged.

mod corpus;
mod damage;
mod formats;
mod merge;
mod write;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use tempfile::TempDir;
use write::Packet;

use super::{CaptureError, Files, open};
use crate::capture::{Burst, LinkType, Progress, Source, Stats};

/// Files in a directory that lives as long as they are read.
struct Captures {
    paths: Vec<PathBuf>,
    _directory: TempDir,
}

impl Captures {
    fn new(contents: &[Vec<u8>]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let write = |(n, bytes): (usize, &Vec<u8>)| {
            let path = directory.path().join(format!("{n}.pcap"));
            fs::write(&path, bytes).unwrap();
            path
        };
        Self { paths: contents.iter().enumerate().map(write).collect(), _directory: directory }
    }

    /// Reads the first file with another content.
    fn read_as(&self, content: &[u8]) -> Result<Seen, CaptureError> {
        // In place: to empty a file and write it again waits for the disk.
        let mut file = fs::File::options().write(true).open(&self.paths[0]).unwrap();
        file.write_all(content).unwrap();
        file.set_len(content.len() as u64).unwrap();
        drain(self.open()?)
    }

    fn open(&self) -> Result<Files, CaptureError> {
        open(&self.paths)
    }
}

/// What was read: each frame with its link type, and the figures.
type Seen = (Vec<(LinkType, Packet)>, Stats);

/// Reads to the end, of which asking again must not get beyond.
fn drain(mut source: impl Source<Error = CaptureError>) -> Result<Seen, CaptureError> {
    let mut seen = Vec::new();
    while next(&mut source, &mut seen)? == Progress::More {}
    assert_eq!(next(&mut source, &mut seen)?, Progress::End);
    let stats = source.stats();
    Ok((seen, stats))
}

/// Reads a burst.
fn next(
    source: &mut impl Source<Error = CaptureError>,
    seen: &mut Vec<(LinkType, Packet)>,
) -> Result<Progress, CaptureError> {
    let mut burst = Burst::new();
    let progress = source.burst(&mut burst)?;
    assert_eq!(progress == Progress::End, burst.is_empty());
    seen.extend(burst.iter().map(|frame| {
        let (nanos, wire_len) = (frame.time.as_nanos(), frame.wire_len);
        (frame.link, Packet { nanos, wire_len, bytes: frame.bytes.to_vec() })
    }));
    Ok(progress)
}

/// Reads files of these contents as one.
fn read(contents: &[Vec<u8>]) -> Result<Seen, CaptureError> {
    let captures = Captures::new(contents);
    drain(captures.open()?)
}

/// Reads one file that nothing is wrong with, and gives its packets.
fn packets_of(content: Vec<u8>) -> Vec<Packet> {
    let (seen, stats) = read(&[content]).unwrap();
    assert_eq!((stats.notes, stats.invalid), (Vec::<String>::new(), 0));
    seen.into_iter().map(|(_, packet)| packet).collect()
}

/// The one note about a file.
fn note(stats: &Stats) -> &str {
    let [note] = &stats.notes[..] else { panic!("expected one note: {:?}", stats.notes) };
    assert!(!note.contains('\n'), "{note}");
    note
}
