//! The bytes of a capture, piece by piece through a buffer.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::error::CaptureError;
use super::stream::Stream;
use super::unpack::{Counted, Packing, Unpacker};
use crate::text::file_name;

/// Where a capture's bytes come from.
#[derive(Debug)]
pub(super) enum Input {
    Stream(Stream),
    /// Not open yet, or no longer.
    Closed(Closed),
}

/// What an input that is not open leaves behind.
#[derive(Debug, Default)]
pub(super) struct Closed {
    base: u64,
    bytes_read: u64,
    bytes_total: Option<u64>,
}

impl Input {
    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    /// When it cannot be opened, is a directory or empty.
    pub(super) fn open(path: &Path) -> Result<Self, CaptureError> {
        let name = name(path);
        let failed = |source| CaptureError::Open { name: name.clone(), source };
        let stdin = path == Path::new("-");
        let mut file = if stdin {
            File::from(io::stdin().as_fd().try_clone_to_owned().map_err(failed)?)
        } else {
            File::open(path).map_err(failed)?
        };
        let about = file.metadata().map_err(failed)?;
        if about.is_dir() {
            return Err(CaptureError::Directory { name });
        }
        // Standard input may stand anywhere in its file.
        let whole = about.is_file() && !stdin;
        let mut start = [0; 4];
        let seen = if whole {
            file.read_at(&mut start, 0).map_err(failed)?
        } else {
            read_up_to(&mut file, &mut start).map_err(failed)?
        };
        let start = start.get(..seen).unwrap_or_default();
        if start.is_empty() {
            return Err(CaptureError::Empty { name, unpacked: String::new() });
        }
        let packing = Packing::of(start);
        let (before, total) =
            if whole { (Vec::new(), Some(about.len())) } else { (start.to_vec(), None) };
        let unpacker = Unpacker::new(packing, Counted::new(before, file));
        Ok(Self::Stream(Stream::new(unpacker.map_err(failed)?, total)))
    }

    /// Lets go of a file that was only looked into: each holds a descriptor, a buffer and, packed,
    /// up to megabytes of its decoder, and a day of captures is a thousand files.
    pub(super) fn park(&mut self) {
        if let Self::Stream(stream) = self
            && let Some(total) = stream.bytes_total()
        {
            *self = Self::Closed(Closed { bytes_total: Some(total), ..Closed::default() });
        }
    }

    /// Lets go of a file that was read to its end.
    pub(super) fn close(&mut self) {
        *self = Self::Closed(Closed {
            base: self.base(),
            bytes_read: self.bytes_read(),
            bytes_total: self.bytes_total(),
        });
    }

    /// Whether there is nothing to read from without opening it again.
    pub(super) const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// The bytes at hand.
    #[inline]
    pub(super) fn window(&self) -> &[u8] {
        match self {
            Self::Stream(stream) => stream.window(),
            Self::Closed(_) => &[],
        }
    }

    /// How many bytes of the capture come before the window.
    pub(super) const fn base(&self) -> u64 {
        match self {
            Self::Stream(stream) => stream.base(),
            Self::Closed(closed) => closed.base,
        }
    }

    /// Puts more bytes into the window and drops those before `at` from it, which then moves.
    /// `false` when there are no more.
    ///
    /// # Errors
    /// When reading or unpacking fails.
    pub(super) fn more(&mut self, at: &mut usize) -> io::Result<bool> {
        match self {
            Self::Closed(_) => Ok(false),
            Self::Stream(stream) => stream.more(at),
        }
    }

    /// What the bytes are packed in.
    pub(super) const fn packing(&self) -> Packing {
        match self {
            Self::Closed(_) => Packing::None,
            Self::Stream(stream) => stream.packing(),
        }
    }

    /// Bytes of the file read, packed as they are.
    pub(super) fn bytes_read(&self) -> u64 {
        match self {
            Self::Stream(stream) => stream.bytes_read(),
            Self::Closed(closed) => closed.bytes_read,
        }
    }

    /// Bytes there are in the file.
    pub(super) fn bytes_total(&self) -> Option<u64> {
        match self {
            Self::Stream(stream) => stream.bytes_total(),
            Self::Closed(closed) => closed.bytes_total,
        }
    }
}

/// What a path is called in messages.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { file_name(path) }
}

/// Reads until `buffer` is full or there is no more; a pipe may give a byte at a time.
fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut seen = 0;
    while let Some(free) = buffer.get_mut(seen..).filter(|free| !free.is_empty()) {
        match file.read(free) {
            Ok(0) => break,
            Ok(read) => seen += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(seen)
}
