//! The bytes of a capture: mapped where they lie plain in a file, else through a buffer.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use memmap2::{Advice, Mmap};

use super::error::CaptureError;
use super::stream::Stream;
use super::unpack::{Counted, Packing, Unpacker};

/// Where a capture's bytes come from.
#[derive(Debug)]
pub(super) enum Input {
    Map(Map),
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
        if whole && packing == Packing::None {
            return Ok(Self::Map(Map::new(path, &file).map_err(failed)?));
        }
        let (before, total) =
            if whole { (Vec::new(), Some(about.len())) } else { (start.to_vec(), None) };
        let unpacker = Unpacker::new(packing, Counted::new(before, file));
        Ok(Self::Stream(Stream::new(unpacker.map_err(failed)?, total)))
    }

    /// Lets go of a packed file that was only looked into: each holds a descriptor, a buffer and
    /// up to megabytes of its decoder, and a day of captures is a thousand files.
    pub(super) fn park(&mut self) {
        if let Self::Stream(stream) = self
            && let Some(total) = stream.bytes_total()
        {
            *self = Self::Closed(Closed { bytes_total: Some(total), ..Closed::default() });
        }
    }

    /// Lets go of a file that was read as far as `at` in the window.
    pub(super) fn close(&mut self, at: usize) {
        *self = Self::Closed(Closed {
            base: self.base(),
            bytes_read: self.bytes_read(at),
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
            Self::Map(map) => &map.bytes,
            Self::Stream(stream) => stream.window(),
            Self::Closed(_) => &[],
        }
    }

    /// How many bytes of the capture come before the window.
    pub(super) const fn base(&self) -> u64 {
        match self {
            Self::Map(_) => 0,
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
            Self::Map(_) | Self::Closed(_) => Ok(false),
            Self::Stream(stream) => stream.more(at),
        }
    }

    /// Makes sure that the window can still be read around `at`.
    ///
    /// # Errors
    /// When the file became shorter than it was.
    pub(super) fn check(&mut self, at: usize) -> io::Result<()> {
        match self {
            Self::Map(map) => map.check(at),
            Self::Stream(_) | Self::Closed(_) => Ok(()),
        }
    }

    /// What the bytes are packed in.
    pub(super) const fn packing(&self) -> Packing {
        match self {
            Self::Map(_) | Self::Closed(_) => Packing::None,
            Self::Stream(stream) => stream.packing(),
        }
    }

    /// Bytes of the file read, packed as they are, when `at` is reached in the window.
    pub(super) fn bytes_read(&self, at: usize) -> u64 {
        match self {
            Self::Map(_) => at as u64,
            Self::Stream(stream) => stream.bytes_read(),
            Self::Closed(closed) => closed.bytes_read,
        }
    }

    /// Bytes there are in the file.
    pub(super) fn bytes_total(&self) -> Option<u64> {
        match self {
            Self::Map(map) => Some(map.bytes.len() as u64),
            Self::Stream(stream) => stream.bytes_total(),
            Self::Closed(closed) => closed.bytes_total,
        }
    }
}

/// A file mapped into memory, at the length it had when it was opened: what a writer appends
/// meanwhile is not read.
#[derive(Debug)]
pub(super) struct Map {
    bytes: Mmap,
    path: PathBuf,
    /// Device and inode: another file may take the path.
    identity: (u64, u64),
    /// Where to look at the file's length next.
    checked: usize,
}

impl Map {
    /// How much is read between looks at the file's length.
    const CHECK: usize = 4 << 20;

    fn new(path: &Path, file: &File) -> io::Result<Self> {
        let about = file.metadata()?;
        #[expect(
            unsafe_code,
            reason = "a memory map is the way to read a capture without copying it"
        )]
        // SAFETY: the map is private to this process, read only, and no longer than the file is
        // now. Others may change the file meanwhile. Bytes that change are wire data all the same:
        // every length is read once, then checked, so that no access leaves the map. A file that
        // is cut leaves pages that nothing backs: touching one ends the process with SIGBUS, which
        // breaks no memory. `check` looks at the length every few MiB and ends the capture with a
        // note before that, except when it is cut in the instant between look and touch.
        let bytes = unsafe { Mmap::map(file) }?;
        // Only advice: read ahead more, forget sooner.
        let _ = bytes.advise(Advice::Sequential);
        let identity = (about.dev(), about.ino());
        Ok(Self { bytes, path: path.to_owned(), identity, checked: 0 })
    }

    fn check(&mut self, at: usize) -> io::Result<()> {
        if at < self.checked {
            return Ok(());
        }
        self.checked = at.saturating_add(Self::CHECK);
        // By its path, so that no descriptor stays open for each of many files. A file that was
        // renamed or removed is nobody's to cut.
        match fs::metadata(&self.path) {
            Ok(now)
                if (now.dev(), now.ino()) == self.identity
                    && now.len() < self.bytes.len() as u64 =>
            {
                let (was, is) = (self.bytes.len(), now.len());
                Err(io::Error::other(format!("it was cut from {was} to {is} bytes meanwhile")))
            }
            _ => Ok(()),
        }
    }
}

/// What a path is called in messages.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
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
