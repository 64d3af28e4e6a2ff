//! Log messages in files: what they say, in the order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::syslog::Frames;
use super::{Counts, Origin, Reader};
use crate::capture::file::unpacked;
use crate::event::Report;
use crate::text::{self, file_name};
use crate::time::Timestamp;

/// Lines are nearly in the order of their times. Of so many reports of a file the earliest is its
/// next: one whose time is wild waits among them.
const AHEAD: usize = 4096;
/// Bytes read at once.
const PIECE: u64 = 64 << 10;

/// A log file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}: cannot be opened: {}; check the path and its permissions",
    file_name(path),
    text::reason(source)
)]
pub struct LogFileError {
    path: PathBuf,
    source: io::Error,
}

/// Log files read as one.
#[derive(Debug, Default)]
pub struct Files {
    files: Vec<LogFile>,
    /// When the next report is, and the number of its file.
    next: Option<(Timestamp, usize)>,
    /// Time never goes back.
    passed: Timestamp,
    notes: Vec<String>,
}

/// Opens log files: plain, or in gzip, zstd or lz4.
///
/// # Errors
/// When one of them cannot be opened.
pub fn open(paths: &[PathBuf]) -> Result<Files, LogFileError> {
    let file = |path: &PathBuf| {
        LogFile::open(path).map_err(|source| LogFileError { path: path.clone(), source })
    };
    let files = paths.iter().map(file).collect::<Result<_, _>>()?;
    let mut files = Files { files, ..Files::default() };
    files.find_next();
    Ok(files)
}

impl Files {
    /// The next report, if it is not after `until`. Asked at every event, and mostly there is none.
    #[inline]
    pub fn pop(&mut self, until: Timestamp) -> Option<Report> {
        let (time, number) = self.next?;
        if time <= until { self.pop_of(number) } else { None }
    }

    /// The next report of a file.
    #[cold]
    fn pop_of(&mut self, number: usize) -> Option<Report> {
        let mut report = self.files.get_mut(number)?.ahead.pop()?.0.report;
        self.passed = self.passed.max(report.time);
        report.time = self.passed;
        self.find_next();
        Some(report)
    }

    /// What became of the messages so far.
    pub fn counts(&self) -> Counts {
        self.files.iter().map(|file| file.reader.counts()).sum()
    }

    /// What people should know about the files.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn find_next(&mut self) {
        for file in &mut self.files {
            self.notes.extend(file.fill());
        }
        let times = self.files.iter().map(|file| file.ahead.peek().map(|next| next.0.time));
        // Of equal times the file's that was given first.
        self.next = times.zip(0..).filter_map(|(time, number)| Some((time?, number))).min();
    }
}

struct LogFile {
    path: PathBuf,
    /// None at its end.
    bytes: Option<Box<dyn Read>>,
    frames: Frames,
    reader: Reader,
    ahead: BinaryHeap<Reverse<Ahead>>,
    read: u64,
}

impl std::fmt::Debug for LogFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A report that waits for its turn; of equal times the earlier line's comes first.
struct Ahead {
    time: Timestamp,
    number: u64,
    report: Report,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        let about = fs::metadata(path)?;
        if about.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // Lines without a year are of the time when the file was written.
        let written = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let written = written.map(|since| Timestamp::ZERO.plus(since));
        Ok(Self {
            path: path.to_owned(),
            bytes: Some(unpacked(File::open(path)?)?),
            frames: Frames::default(),
            reader: Reader::of_file(written),
            ahead: BinaryHeap::new(),
            read: 0,
        })
    }

    /// Reads until there are enough reports to know the earliest; what to say when that fails.
    fn fill(&mut self) -> Option<String> {
        while self.ahead.len() < AHEAD
            && let Some(bytes) = &mut self.bytes
        {
            match bytes.take(PIECE).read_to_end(self.frames.space()) {
                Ok(0) => self.end(),
                Ok(_) => self.take(),
                Err(error) => {
                    self.end();
                    let name = file_name(&self.path);
                    return Some(format!("{name}: not read to its end: {}", text::reason(&error)));
                }
            }
        }
        None
    }

    /// Reads the lines that are complete.
    fn take(&mut self) {
        let Self { frames, reader, ahead, read, .. } = self;
        while let Some(frame) = frames.pop() {
            if frame.is_cut {
                reader.note_cut();
            }
            line(reader, frame.message, read, ahead);
        }
    }

    fn end(&mut self) {
        self.take();
        self.bytes = None;
        if let Some(frame) = self.frames.last() {
            line(&mut self.reader, frame.message, &mut self.read, &mut self.ahead);
        }
    }
}

fn line(
    reader: &mut Reader,
    line: &[u8],
    number: &mut u64,
    ahead: &mut BinaryHeap<Reverse<Ahead>>,
) {
    const ORIGIN: Origin = Origin { arrival: None, peer: None };
    *number += 1;
    if let Some(report) = reader.read(&ORIGIN, line) {
        ahead.push(Reverse(Ahead { time: report.time, number: *number, report }));
    }
}

impl Ahead {
    const fn key(&self) -> (Timestamp, u64) {
        (self.time, self.number)
    }
}

impl PartialEq for Ahead {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Ahead {}

impl PartialOrd for Ahead {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ahead {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests;
