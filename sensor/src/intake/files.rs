//! Log messages and audit records in files: what they say, in the order of time.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::Counts;
use super::audit;
use crate::capture::file::unpacked;
use crate::event::Report;
use crate::text::{self, file_name};
use crate::time::Timestamp;
use ahead::Ahead;
use content::Content;

mod ahead;
mod content;

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
    /// Of all files with audit records: what two of them have is told once.
    audit: audit::Reader,
    /// When the next report is, and the number of its file.
    next: Option<(Timestamp, usize)>,
    /// Time never goes back.
    passed: Timestamp,
    notes: Vec<String>,
}

/// Opens files with log messages and files with audit records: plain, or in gzip, zstd or lz4.
///
/// # Errors
/// When one of them cannot be opened.
pub fn open(syslog: &[PathBuf], audit: &[PathBuf]) -> Result<Files, LogFileError> {
    let syslog = syslog.iter().map(|path| LogFile::open(path, Content::syslog));
    let audit = audit.iter().map(|path| LogFile::open(path, |_| Content::audit()));
    let files = syslog.chain(audit).collect::<Result<_, _>>()?;
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
        let mut report = self.files.get_mut(number)?.ahead.pop()?;
        self.passed = self.passed.max(report.time);
        report.time = self.passed;
        self.find_next();
        Some(report)
    }

    /// What became of the log messages so far.
    pub fn counts(&self) -> Counts {
        self.files.iter().map(|file| file.content.counts()).sum()
    }

    /// What became of the audit records so far.
    pub const fn audit_counts(&self) -> audit::Counts {
        self.audit.counts()
    }

    /// What people should know about the files.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn find_next(&mut self) {
        for file in &mut self.files {
            self.notes.extend(file.fill(&mut self.audit));
        }
        let times = self.files.iter().map(|file| file.ahead.time());
        // Of equal times the file's that was given first.
        self.next = times.zip(0..).filter_map(|(time, number)| Some((time?, number))).min();
    }
}

struct LogFile {
    path: PathBuf,
    /// None at its end.
    bytes: Option<Box<dyn Read + Send>>,
    piece: Vec<u8>,
    content: Content,
    ahead: Ahead,
}

impl std::fmt::Debug for LogFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl LogFile {
    /// `content`: made of when the file was written.
    fn open(
        path: &Path,
        content: impl Fn(Option<Timestamp>) -> Content,
    ) -> Result<Self, LogFileError> {
        let failed = |source| LogFileError { path: path.to_owned(), source };
        let about = fs::metadata(path).map_err(failed)?;
        if about.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        let written = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let content = content(written.map(|since| Timestamp::ZERO.plus(since)));
        Ok(Self {
            path: path.to_owned(),
            bytes: Some(File::open(path).and_then(unpacked).map_err(failed)?),
            piece: Vec::new(),
            ahead: Ahead::new(content.disorder()),
            content,
        })
    }

    /// Reads until there are enough reports to know the earliest; what to say when that fails.
    fn fill(&mut self, audit: &mut audit::Reader) -> Option<String> {
        while !self.ahead.is_full()
            && let Some(bytes) = &mut self.bytes
        {
            self.piece.clear();
            let read = bytes.take(PIECE).read_to_end(&mut self.piece);
            // What came before an error is there.
            self.content.take(&self.piece, audit, &mut self.ahead);
            if !matches!(read, Ok(1..)) {
                self.content.end(audit, &mut self.ahead);
                self.bytes = None;
                self.piece = Vec::new();
            }
            if let Err(error) = read {
                let name = file_name(&self.path);
                return Some(format!("{name}: not read to its end: {}", text::reason(&error)));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
