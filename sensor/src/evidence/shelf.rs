//! The folder of alerts' packets: `evidence/ID.pcapng` in the data directory, readable by its owner alone.
//!
//! All files together are bounded, each counted as the 4 KiB blocks that it takes; the oldest gives way.
//! A file is written beside its place and renamed: there is never half of one. One process writes;
//! whoever asks may be another.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::case::{Case, Conversation, Subject};
use super::pcapng;
use crate::text::{file_name, reason};

/// The folder's name in the data directory.
pub const FOLDER: &str = "evidence";

const EXTENSION: &str = "pcapng";
/// Of a file that is not whole yet.
const UNFINISHED: &str = "new";
/// Which alerts' packets gave way: an id a line, the latest last.
const GAVE_WAY: &str = "gave-way";
/// The list begins anew with its later half when it is longer than this, in bytes.
const LONGEST_LIST: u64 = 256 << 10;
/// What a file takes at least, and in steps of which.
const BLOCK: u64 = 4096;
/// No file is larger than this; one that is was put there by somebody else.
const LARGEST: u64 = 1 << 20;

/// Why packets cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}: packets of alerts cannot be kept: {}; check the folder's owner and the free space",
    file_name(path),
    reason(source)
)]
pub struct ShelfError {
    path: PathBuf,
    source: io::Error,
}

/// Why there are no packets of an alert.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// None were found, or looked for.
    #[error(
        "no packets are kept of it: only logs or flow records tell of it, its conversation began \
         before what memory holds ([evidence] memory), or [evidence] was off"
    )]
    Never,
    /// There were some.
    #[error("its packets gave way to those of later alerts ([evidence] disk)")]
    GaveWay,
    /// They cannot be read.
    #[error("{}: cannot be read: {}", file_name(path), reason(source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What keeping came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Whether a file was written.
    pub written: bool,
    /// How many alerts' packets gave way for it.
    pub gave_way: usize,
}

/// The folder, for its one writer.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
    limit: u64,
    /// What each file takes, the oldest first.
    files: BTreeMap<u64, (Uuid, u64)>,
    /// Where each is among them.
    order: HashMap<Uuid, u64>,
    next: u64,
    total: u64,
    /// Of the interfaces in the config.
    names: Vec<String>,
}

impl Shelf {
    /// Opens the folder in `data_dir` for at most so many bytes, and makes it where it is missing. What
    /// is there beyond that gives way. `names` are those of the interfaces in the config.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub fn open(data_dir: &Path, limit: u64, names: Vec<String>) -> Result<Self, ShelfError> {
        let mut shelf = Self {
            folder: data_dir.join(FOLDER),
            limit,
            files: BTreeMap::new(),
            order: HashMap::new(),
            next: 0,
            total: 0,
            names,
        };
        shelf.look().map_err(|source| shelf.error(source))?;
        shelf.make_room(0).map_err(|source| shelf.error(source))?;
        Ok(shelf)
    }

    /// Keeps the beginnings of conversations of an alert, besides what is kept of it.
    ///
    /// # Errors
    /// When that cannot be written; what was kept before stays.
    pub fn add(&mut self, subject: &Subject, found: Vec<Conversation>) -> Result<Kept, ShelfError> {
        let path = self.folder.join(name(subject.id));
        let known = load(&path).ok().and_then(|file| pcapng::read(&file, &self.names));
        let mut case: Case = known.unwrap_or_default();
        let mut is_more = false;
        for conversation in found {
            is_more |= case.add(conversation);
        }
        if !is_more {
            return Ok(Kept::default());
        }
        let file = pcapng::write(subject, &case, &self.names);
        let kept = self.put(subject.id, &file);
        if kept.is_err() {
            // What could not be replaced is still there.
            let _ = self.look();
        }
        kept.map_err(|source| self.error(source))
    }

    fn put(&mut self, id: Uuid, file: &[u8]) -> io::Result<Kept> {
        if !self.folder.is_dir() {
            self.look()?;
        }
        let size = taken(file.len() as u64);
        self.forget(id);
        let gave_way = self.make_room(size)?;
        let written = size <= self.limit;
        if written {
            replace(&self.folder.join(name(id)), file)?;
            self.note(id, size);
        }
        Ok(Kept { written, gave_way })
    }

    /// Removes the packets of alerts that are kept no more.
    pub fn remove(&mut self, ids: &[Uuid]) {
        for id in ids {
            self.forget(*id);
            // There need not be any.
            let _ = fs::remove_file(self.folder.join(name(*id)));
        }
    }

    /// How many files there are, and what they take.
    pub fn totals(&self) -> (usize, u64) {
        (self.files.len(), self.total)
    }

    /// Learns what is in the folder, and takes away what was not finished.
    fn look(&mut self) -> io::Result<()> {
        (self.files, self.order, self.total) = (BTreeMap::new(), HashMap::new(), 0);
        match DirBuilder::new().mode(0o700).create(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        let mut there = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == UNFINISHED) {
                fs::remove_file(&path)?;
            } else if let Some(id) = id(&path)
                && let Ok(metadata) = entry.metadata()
            {
                there.push((metadata.modified().ok(), id, metadata.len()));
            }
        }
        there.sort_unstable();
        there.into_iter().for_each(|(_, id, size)| self.note(id, taken(size)));
        Ok(())
    }

    /// Takes the oldest files away until there is room for so much; how many.
    fn make_room(&mut self, size: u64) -> io::Result<usize> {
        let mut gone = Vec::new();
        while self.total + size > self.limit
            && let Some((&oldest, &(id, _))) = self.files.first_key_value()
        {
            match fs::remove_file(self.folder.join(name(id))) {
                // Somebody was tidy.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => gone.push(id),
            }
            if let Some((_, size)) = self.files.remove(&oldest) {
                self.total -= size;
            }
            self.order.remove(&id);
        }
        if !gone.is_empty() {
            self.list(&gone)?;
        }
        Ok(gone.len())
    }

    /// Lists alerts whose packets gave way.
    fn list(&self, gone: &[Uuid]) -> io::Result<()> {
        let path = self.folder.join(GAVE_WAY);
        if fs::metadata(&path).is_ok_and(|list| list.len() > LONGEST_LIST) {
            let list = fs::read(&path)?;
            let later = list.get(list.len() / 2..).unwrap_or_default();
            replace(&path, later)?;
        }
        let lines: String = gone.iter().map(|id| format!("{id}\n")).collect();
        let mut list = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        list.write_all(lines.as_bytes())
    }

    fn note(&mut self, id: Uuid, size: u64) {
        self.files.insert(self.next, (id, size));
        self.order.insert(id, self.next);
        self.next += 1;
        self.total += size;
    }

    fn forget(&mut self, id: Uuid) {
        let known = self.order.remove(&id).and_then(|order| self.files.remove(&order));
        self.total -= known.map_or(0, |(_, size)| size);
    }

    fn error(&self, source: io::Error) -> ShelfError {
        ShelfError { path: self.folder.clone(), source }
    }
}

/// The packets of an alert, in the folder in `data_dir`: a pcapng file.
///
/// # Errors
/// Why there are none.
pub fn read(data_dir: &Path, id: Uuid) -> Result<Vec<u8>, Missing> {
    let path = data_dir.join(FOLDER).join(name(id));
    load(&path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound if gave_way(data_dir, id) => Missing::GaveWay,
        io::ErrorKind::NotFound => Missing::Never,
        _ => Missing::Unreadable { path, source },
    })
}

/// The alerts with packets in `data_dir` whose ids begin so, at most so many.
pub fn ids(data_dir: &Path, prefix: &str, limit: usize) -> Vec<Uuid> {
    let Ok(entries) = fs::read_dir(data_dir.join(FOLDER)) else { return Vec::new() };
    let prefix = prefix.to_ascii_lowercase();
    let ids = entries.flatten().filter_map(|entry| id(&entry.path()));
    let mut ids: Vec<_> = ids.filter(|id| id.to_string().starts_with(&prefix)).collect();
    ids.sort_unstable();
    ids.truncate(limit);
    ids
}

/// Whether there are packets of an alert in `data_dir`.
pub fn is_there(data_dir: &Path, id: Uuid) -> bool {
    data_dir.join(FOLDER).join(name(id)).is_file()
}

fn load(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    fs::read(path)
}

fn gave_way(data_dir: &Path, id: Uuid) -> bool {
    let list = fs::read_to_string(data_dir.join(FOLDER).join(GAVE_WAY)).unwrap_or_default();
    list.lines().any(|line| line.parse() == Ok(id))
}

/// Puts a file into its place, whole.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(UNFINISHED);
    let _ = fs::remove_file(&beside);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn name(id: Uuid) -> String {
    format!("{id}.{EXTENSION}")
}

/// Whose file it is, if it is one of these.
fn id(path: &Path) -> Option<Uuid> {
    let id: Uuid = path.file_stem()?.to_str()?.parse().ok()?;
    (path.file_name()?.to_str()? == name(id)).then_some(id)
}

/// What a file of this size takes.
const fn taken(size: u64) -> u64 {
    size.next_multiple_of(BLOCK)
}

#[cfg(test)]
mod tests;
