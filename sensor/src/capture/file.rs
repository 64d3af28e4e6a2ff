//! Capture files: pcap and pcapng, plain or packed, in files or from a pipe.
//!
//! [`open`] takes any number of them and gives one [`Source`] in the order of time. Content decides
//! what a file is, never its name.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

mod error;
mod input;
mod pcap;
mod pcapng;
mod reader;
mod stream;
#[cfg(test)]
mod tests;
mod unpack;
mod walk;

pub use error::CaptureError;

use input::Input;
use reader::Reader;
use unpack::{Counted, Packing, Unpacker};

use super::{Burst, LinkType, Progress, Source, Stats};
use crate::time::Timestamp;

/// Opens capture files, `-` for standard input, to be read as one.
///
/// # Errors
/// When any of them cannot be read or is no capture.
pub fn open(paths: &[PathBuf]) -> Result<Files, CaptureError> {
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let (mut reader, mut input) = Reader::open(path)?;
        let first = reader.head(&mut input)?;
        match first {
            Some(_) => input.park(),
            None => input.close(),
        }
        files.push((first, reader, input));
    }
    // Stable: files that start together stay in the order given.
    files.sort_by_key(|(first, ..)| *first);
    let mut merged =
        Files { inputs: Vec::new(), readers: Vec::new(), heads: BinaryHeap::new(), last: None };
    for (rank, (first, reader, input)) in files.into_iter().enumerate() {
        merged.heads.extend(first.map(|time| Reverse((time, rank))));
        merged.readers.push(reader);
        merged.inputs.push(input);
    }
    Ok(merged)
}

/// Whether a file that starts with these four bytes is in gzip, zstd or lz4.
pub fn is_packed(start: &[u8]) -> bool {
    Packing::of(start) != Packing::None
}

/// What is in a file, unpacked where it is in gzip, zstd or lz4.
///
/// # Errors
/// When it cannot be read.
pub fn unpacked(mut file: File) -> io::Result<Box<dyn Read + Send>> {
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start)?;
    let packing = Packing::of(&start);
    Ok(Box::new(Unpacker::new(packing, Counted::new(start, file))?))
}

/// Capture files merged by time.
///
/// Each file keeps its own order, even where its times go back. Among files the earliest next
/// frame comes first; of equal ones that of the file whose first frame is earlier, then of the one
/// given first. So a capture reads the same when it was cut in two, whichever half is given first,
/// unless its times go back across the cut.
#[derive(Debug)]
pub struct Files {
    /// In the order of their first frames; `inputs` hold the bytes that `readers` walk over.
    inputs: Vec<Input>,
    readers: Vec<Reader>,
    /// The time of each file's next frame, earliest first, where that is known.
    heads: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// The file of which it is not: the one that gave the last frame.
    last: Option<usize>,
}

impl Files {
    /// A link type to try a filter for before reading: the first supported one that is known.
    pub fn link(&self) -> Option<LinkType> {
        self.readers.iter().filter_map(Reader::link).find(|link| link.is_supported())
    }

    /// Finds the next frame of the file that gave the last one, and opens the file whose turn it is.
    fn settle(&mut self) -> Result<(), CaptureError> {
        if let Some(rank) = self.last.take() {
            self.find_head(rank)?;
        }
        while let Some(&Reverse((_, rank))) = self.heads.peek()
            && let (Some(reader), Some(input)) =
                (self.readers.get_mut(rank), self.inputs.get_mut(rank))
            && input.is_closed()
        {
            self.heads.pop();
            (*reader, *input) = Reader::open(reader.path())?;
            self.find_head(rank)?;
        }
        Ok(())
    }

    /// Finds the next frame of a file, reading more if need be; lets go of it at its end.
    fn find_head(&mut self, rank: usize) -> Result<(), CaptureError> {
        if let (Some(reader), Some(input)) = (self.readers.get_mut(rank), self.inputs.get_mut(rank))
        {
            match reader.head(input)? {
                Some(time) => self.heads.push(Reverse((time, rank))),
                None => input.close(),
            }
        }
        Ok(())
    }
}

impl Source for Files {
    type Error = CaptureError;

    fn burst<'a>(&'a mut self, burst: &mut Burst<'a>) -> Result<Progress, CaptureError> {
        self.settle()?;
        // From here on the windows stay as they are, so that frames of all files can share a burst.
        let inputs = &self.inputs;
        while let Some(&Reverse((_, rank))) = self.heads.peek() {
            let (Some(reader), Some(input)) = (self.readers.get_mut(rank), inputs.get(rank)) else {
                break;
            };
            if input.is_closed() {
                break;
            }
            self.heads.pop();
            let limit = match self.heads.peek() {
                None => Timestamp::MAX,
                Some(&Reverse((time, other))) if rank < other => time,
                // At an equal time the other one, of lower rank, goes first.
                Some(&Reverse((time, _))) => time.minus(Duration::from_nanos(1)),
            };
            if let Some(time) = reader.run(input.window(), limit, burst) {
                self.heads.push(Reverse((time, rank)));
            } else {
                self.last = Some(rank);
                break;
            }
        }
        let ended = burst.is_empty() && self.heads.is_empty() && self.last.is_none();
        Ok(if ended { Progress::End } else { Progress::More })
    }

    fn stats(&self) -> Stats {
        let mut stats = Stats { bytes_total: Some(0), ..Stats::default() };
        for (reader, input) in self.readers.iter().zip(&self.inputs) {
            stats.frames += reader.frames();
            stats.invalid += reader.invalid();
            stats.dropped = stats.dropped.saturating_add(reader.dropped());
            stats.bytes_read += input.bytes_read();
            stats.bytes_total = stats.bytes_total.zip(input.bytes_total()).map(|(a, b)| a + b);
            stats.notes.extend(reader.notes(input));
        }
        stats
    }
}
