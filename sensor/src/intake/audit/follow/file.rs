//! One file that is followed.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::SystemTime;

use super::Desk;
use crate::capture::file::{is_packed, unpacked};
use crate::intake::audit::Body;

/// Bytes read at once.
const PIECE: usize = 64 << 10;
/// Bytes that tell whether a file is packed. No record is shorter.
const START: usize = 4;

/// Which file it is, and how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Where it is. A number is given anew when its file is removed, so when it was made belongs to it.
    identity: (u64, u64, Option<SystemTime>),
    size: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    pub(super) fn of(about: &Metadata) -> Self {
        Self {
            identity: (about.dev(), about.ino(), about.created().ok()),
            size: about.len(),
            modified: about.modified().ok(),
        }
    }

    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        self.identity == other.identity
    }
}

/// How far a file is read.
pub(super) struct Followed {
    /// How it was when it was last looked at.
    pub(super) stamp: Stamp,
    /// When that was.
    pub(super) round: u64,
    /// Whether it is known that there is something to read.
    pub(super) is_waiting: bool,
    form: Form,
    input: Option<Box<dyn Read + Send>>,
    body: Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Not looked into.
    Unknown,
    /// Read so far.
    Plain(u64),
    /// Read whole when it was so.
    Packed(Option<Stamp>),
}

impl Followed {
    pub(super) fn new(stamp: Stamp, round: u64) -> Self {
        Self {
            stamp,
            round,
            is_waiting: true,
            form: Form::Unknown,
            input: None,
            body: Body::default(),
        }
    }

    /// Takes how it is now; whether there is something to read.
    pub(super) fn look(&mut self, stamp: Stamp, desk: &mut Desk<'_>) -> bool {
        let is_still = self.stamp == stamp;
        self.stamp = stamp;
        match self.form {
            Form::Plain(read) if stamp.size < read => {
                self.end(desk);
                self.form = Form::Unknown;
                true
            }
            Form::Plain(read) => stamp.size > read,
            Form::Packed(whole) => is_still && self.input.is_none() && whole != Some(stamp),
            Form::Unknown => stamp.size >= START as u64,
        }
    }

    /// Reads on, from what is open or, if that is nothing, from what is at `path`; whether there may be more.
    pub(super) fn read(&mut self, path: Option<&Path>, desk: &mut Desk<'_>) -> io::Result<bool> {
        if self.input.is_none()
            && let Some(path) = path
        {
            self.open(path)?;
        }
        let Some(input) = &mut self.input else { return Ok(false) };
        let mut piece = Vec::new();
        let read = input.take(desk.budget.min(PIECE) as u64).read_to_end(&mut piece);
        desk.budget = desk.budget.saturating_sub(piece.len());
        desk.reader.take(&mut self.body, &piece, Some(desk.now), desk.tell);
        match &mut self.form {
            Form::Plain(read) => *read += piece.len() as u64,
            // Read whole, or as far as that goes.
            Form::Packed(_) if !matches!(read, Ok(1..)) => self.end(desk),
            Form::Packed(_) | Form::Unknown => {}
        }
        read.map(|read| read > 0)
    }

    fn open(&mut self, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        // Another one by now: it is found when it is looked at again.
        if !Stamp::of(&file.metadata()?).is_same_file(&self.stamp) {
            return Ok(());
        }
        if self.form == Form::Unknown {
            let mut start = [0; START];
            match file.read_at(&mut start, 0)? {
                START if is_packed(&start) => self.form = Form::Packed(None),
                START => self.form = Form::Plain(0),
                _ => return Ok(()),
            }
            // It may still be written.
            if self.form == Form::Packed(None) {
                return Ok(());
            }
        }
        self.input = Some(match &mut self.form {
            Form::Plain(read) => {
                file.seek(SeekFrom::Start(*read))?;
                Box::new(file)
            }
            Form::Packed(whole) => {
                *whole = Some(self.stamp);
                unpacked(file)?
            }
            Form::Unknown => return Ok(()),
        });
        Ok(())
    }

    pub(super) const fn is_open(&self) -> bool {
        self.input.is_some()
    }

    /// Closes it, to go on later.
    pub(super) fn close(&mut self) {
        self.input = None;
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self, desk: &mut Desk<'_>) {
        desk.reader.end(&mut self.body, Some(desk.now), desk.tell);
        self.input = None;
    }
}

impl std::fmt::Debug for Followed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Followed").field("stamp", &self.stamp).finish_non_exhaustive()
    }
}
