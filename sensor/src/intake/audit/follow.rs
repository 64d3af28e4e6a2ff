//! Follows files of audit records: those there are, those that come, and what is added to them.
//!
//! A file is read from its start and on as it grows. One that is packed is read once it stands still, and
//! anew when it changes. One that is replaced or removed is read to its end first, as long as it is open;
//! one that is cut short is read from its start. Records that thereby come again are told once.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Reader;
use crate::event::Report;
use crate::text::{file_name, reason};
use crate::time::Timestamp;
use file::{Followed, Stamp};
use patterns::Paths;
pub use patterns::{PatternError, Patterns};

mod file;
mod patterns;

/// Bytes read by one poll, about: parsed within some 20 ms.
const BUDGET: usize = 1 << 20;
/// Paths looked at by one poll.
const LOOKS: usize = 2048;
/// Files that are followed: half a year of one region's from CloudTrail, one every five minutes.
const MAX_FILES: usize = 1 << 16;
/// Files that are kept open, those read last: what is added to them before they are replaced is not lost.
const MAX_OPEN: usize = 64;
/// Paths that trouble is told of.
const MAX_TOLD: usize = 1 << 10;

/// The files that some patterns name.
#[derive(Debug, Default)]
pub struct Follow {
    patterns: Patterns,
    /// The rest of a round over all of them.
    paths: Option<Paths>,
    /// Which round that is.
    round: u64,
    files: HashMap<PathBuf, Followed>,
    /// Files with something to read.
    waiting: VecDeque<PathBuf>,
    /// Files that are not there any more, and not yet read to their end.
    leaving: VecDeque<Followed>,
    /// Files that are open, though read as far as they go.
    open: VecDeque<PathBuf>,
    /// What trouble was told of.
    told: HashSet<PathBuf>,
    /// Whether it was told that there are too many.
    is_full: bool,
}

/// Where records go.
struct Desk<'a> {
    reader: &'a mut Reader,
    now: Timestamp,
    tell: &'a mut dyn FnMut(Report),
    budget: usize,
}

impl Follow {
    /// Follows what the patterns name.
    pub fn new(patterns: Patterns) -> Self {
        Self { patterns, ..Self::default() }
    }

    /// How many files are followed.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Follows what these name from now on; what both name goes on where it is.
    pub fn apply(&mut self, patterns: Patterns) {
        (self.patterns, self.paths) = (patterns, None);
    }

    /// Looks what is new, reads some of it, and tells what it says; to be called each second, and again
    /// at once when it says that there is more.
    pub fn poll(
        &mut self,
        now: Timestamp,
        reader: &mut Reader,
        tell: &mut dyn FnMut(Report),
    ) -> bool {
        let mut desk = Desk { reader, now, tell, budget: BUDGET };
        self.look(&mut desk);
        self.read(&mut desk);
        !self.waiting.is_empty() || !self.leaving.is_empty()
    }

    /// Looks at the next files of a round.
    fn look(&mut self, desk: &mut Desk<'_>) {
        let mut paths = self.paths.take().unwrap_or_else(|| {
            self.round += 1;
            self.patterns.paths()
        });
        for _ in 0..LOOKS {
            match paths.next() {
                Some(Ok(path)) => self.look_at(path, desk),
                Some(Err(error)) => self.trouble(error.path(), error.error()),
                None => return self.part_with_missing(desk),
            }
        }
        self.paths = Some(paths);
    }

    fn look_at(&mut self, path: PathBuf, desk: &mut Desk<'_>) {
        let stamp = match fs::metadata(&path) {
            Ok(about) if about.is_file() => Stamp::of(&about),
            Ok(_) => return,
            Err(error) => return self.trouble(&path, &error),
        };
        let Some(file) = self.files.get_mut(&path) else {
            if self.files.len() < MAX_FILES {
                self.waiting.push_back(path.clone());
                self.files.insert(path, Followed::new(stamp, self.round));
            } else if !std::mem::replace(&mut self.is_full, true) {
                let name = file_name(&path);
                tracing::warn!(
                    "{name}: not followed: there are {MAX_FILES} others; remove old files"
                );
            }
            return;
        };
        file.round = self.round;
        if !file.stamp.is_same_file(&stamp) {
            let gone = std::mem::replace(file, Followed::new(stamp, self.round));
            self.waiting.push_back(path);
            return self.part_with(gone, desk);
        }
        if file.look(stamp, desk) && !std::mem::replace(&mut file.is_waiting, true) {
            self.waiting.push_back(path);
        }
    }

    /// A round has ended: what it did not come by is not there any more.
    fn part_with_missing(&mut self, desk: &mut Desk<'_>) {
        let round = self.round;
        let gone: Vec<_> = self.files.extract_if(|_, file| file.round != round).collect();
        for (_, file) in gone {
            self.part_with(file, desk);
        }
    }

    fn part_with(&mut self, mut file: Followed, desk: &mut Desk<'_>) {
        if file.is_open() {
            self.leaving.push_back(file);
        } else {
            file.end(desk);
        }
    }

    fn read(&mut self, desk: &mut Desk<'_>) {
        while desk.budget > 0
            && let Some(file) = self.leaving.front_mut()
        {
            if !matches!(file.read(None, desk), Ok(true)) {
                file.end(desk);
                self.leaving.pop_front();
            }
        }
        while desk.budget > 0
            && let Some(path) = self.waiting.front()
        {
            let read = match self.files.get_mut(path) {
                Some(file) => file.read(Some(path), desk),
                None => Ok(false),
            };
            if matches!(read, Ok(true)) {
                continue;
            }
            let Some(path) = self.waiting.pop_front() else { return };
            if let Some(file) = self.files.get_mut(&path) {
                file.is_waiting = false;
            }
            match read {
                Ok(_) => self.keep_open(path),
                Err(error) => self.trouble(&path, &error),
            }
        }
    }

    /// Keeps a file open that was read as far as it goes, and closes the one that was so first.
    fn keep_open(&mut self, path: PathBuf) {
        self.told.remove(&path);
        self.open.retain(|open| *open != path);
        self.open.push_back(path);
        if self.open.len() > MAX_OPEN
            && let Some(path) = self.open.pop_front()
            && let Some(file) = self.files.get_mut(&path)
        {
            file.close();
        }
    }

    /// Tells what is wrong with a path, once until it is well.
    fn trouble(&mut self, path: &Path, error: &io::Error) {
        // It has gone since it was named.
        if error.kind() == io::ErrorKind::NotFound {
            return;
        }
        if self.told.len() < MAX_TOLD && self.told.insert(path.to_owned()) {
            let name = file_name(path);
            tracing::warn!(
                "{name}: cannot be read: {}; check it and its permissions",
                reason(error)
            );
        }
    }
}

#[cfg(test)]
mod tests;
