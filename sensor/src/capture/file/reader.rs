//! One capture file: its format, where in it we are, and how it ended.

use std::io;
use std::path::{Path, PathBuf};
use std::slice;

use super::error::CaptureError;
use super::input::{self, Input};
use super::pcap::{self, NotPcap, Pcap};
use super::pcapng::{self, Pcapng};
use super::unpack::Packing;
use super::walk::{self, Stop, Walk};
use crate::capture::{Burst, LinkType};
use crate::time::Timestamp;

/// A walk over one file. Its bytes are beside it, not in it, so that frames can borrow them while
/// the walk goes on.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    format: Format,
    /// How much of the window has been walked over.
    at: usize,
    frames: u64,
    end: Option<End>,
}

#[derive(Debug)]
enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

#[derive(Debug)]
enum End {
    /// After the last record.
    Whole,
    /// Before, for this reason.
    Early(String),
}

impl Reader {
    /// Opens a file and reads its header; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be opened or is no capture, or its header is cut or damaged.
    pub(super) fn open(path: &Path) -> Result<(Self, Input), CaptureError> {
        let mut input = Input::open(path)?;
        let name = input::name(path);
        // Enough for either format's magic numbers.
        while input.window().len() < pcap::FILE_HEADER {
            if !input.more(&mut 0).map_err(|source| unreadable(name.clone(), &input, source))? {
                break;
            }
        }
        let window = input.window();
        let (format, at) = match Pcap::new(window) {
            Ok(pcap) => (Format::Pcap(pcap), pcap::FILE_HEADER),
            Err(NotPcap::Other) if window.first_chunk().is_some_and(Pcapng::recognises) => {
                (Format::Pcapng(Pcapng::new()), 0)
            }
            Err(reason) => return Err(unrecognised(name, &input, reason)),
        };
        let mut reader = Self { path: path.to_owned(), format, at, frames: 0, end: None };
        reader.head(&mut input)?;
        match reader.end {
            Some(End::Early(reason)) if reader.at == 0 && input.base() == 0 => {
                Err(CaptureError::Header { name, format: "pcapng", reason })
            }
            _ => Ok((reader, input)),
        }
    }

    /// The time of the next frame, having read and unpacked more if need be; `None` at the end.
    ///
    /// # Errors
    /// When the system cannot read on. Data that cannot be unpacked only end the file early.
    pub(super) fn head(&mut self, input: &mut Input) -> Result<Option<Timestamp>, CaptureError> {
        while self.end.is_none() {
            let window = input.window();
            let mut rest = window.get(self.at..).unwrap_or_default();
            let record = match &mut self.format {
                Format::Pcap(pcap) => pcap.record(&mut rest),
                Format::Pcapng(pcapng) => pcapng.record(&mut rest),
            };
            let found = record.map(|(frame, _)| frame.time);
            let left = rest.len();
            self.at = window.len() - left;
            match found {
                Ok(time) => return Ok(Some(time)),
                Err(Stop::Damaged(damage)) => self.end = Some(End::Early(damage.to_string())),
                Err(Stop::Short(what)) => self.end = self.more(input, what, left)?,
            }
        }
        Ok(None)
    }

    /// Gets more bytes when the `left` ones are less than `what`; the end when there are none.
    fn more(
        &mut self,
        input: &mut Input,
        what: &str,
        left: usize,
    ) -> Result<Option<End>, CaptureError> {
        match input.more(&mut self.at) {
            Ok(true) => Ok(None),
            Ok(false) if left == 0 => Ok(Some(End::Whole)),
            Ok(false) => Ok(Some(End::Early(format!("{what} is cut after {left} bytes")))),
            Err(error) if error.raw_os_error().is_some() => {
                Err(unreadable(input::name(&self.path), input, error))
            }
            Err(error) => {
                let packing = input.packing().name();
                Ok(Some(End::Early(format!("the {packing} data break off: {error}"))))
            }
        }
    }

    /// Moves frames up to `limit` from the window to `burst`. Returns the time of the next one if
    /// that is later; else the burst is full or the window used up, and `head` knows more.
    #[inline]
    pub(super) fn run<'a>(
        &mut self,
        window: &'a [u8],
        limit: Timestamp,
        burst: &mut Burst<'a>,
    ) -> Option<Timestamp> {
        let before = burst.len();
        let mut rest = window.get(self.at..).unwrap_or_default();
        let later = match &mut self.format {
            Format::Pcap(pcap) => walk::run(pcap, &mut rest, limit, burst),
            Format::Pcapng(pcapng) => walk::run(pcapng, &mut rest, limit, burst),
        };
        self.at = window.len() - rest.len();
        self.frames += (burst.len() - before) as u64;
        later
    }

    /// The file, as it was given.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The link type of a pcap file, or of the first interface of a pcapng file.
    pub(super) fn link(&self) -> Option<LinkType> {
        match &self.format {
            Format::Pcap(pcap) => Some(*pcap.link()),
            Format::Pcapng(pcapng) => pcapng.link(),
        }
    }

    /// Frames moved to bursts.
    pub(super) const fn frames(&self) -> u64 {
        self.frames
    }

    /// Packets that could not be read though what is around them could.
    pub(super) const fn invalid(&self) -> u64 {
        match &self.format {
            Format::Pcap(_) => 0,
            Format::Pcapng(pcapng) => pcapng.invalid(),
        }
    }

    /// Packets that the file says its writer lost.
    pub(super) fn dropped(&self) -> u64 {
        match &self.format {
            Format::Pcap(_) => 0,
            Format::Pcapng(pcapng) => pcapng.dropped(),
        }
    }

    /// What people should know about this file, whose bytes are `input`'s.
    pub(super) fn notes(&self, input: &Input) -> Vec<String> {
        let (name, frames) = (input::name(&self.path), self.frames);
        let mut notes = Vec::new();
        if let Some(End::Early(reason)) = &self.end {
            let offset = input.base() + self.at as u64;
            let read = match frames {
                0 => "no packet was read".to_owned(),
                1 => "the packet before it was read".to_owned(),
                _ => format!("the {frames} packets before it were read"),
            };
            notes.push(format!("{name}: ends early at byte {offset}: {reason}; {read}"));
        }
        let unsupported = match &self.format {
            Format::Pcap(pcap) if pcap.link().is_supported() => &[],
            Format::Pcap(pcap) => slice::from_ref(pcap.link()),
            Format::Pcapng(pcapng) => pcapng.unsupported(),
        };
        for LinkType(link) in unsupported {
            notes.push(format!(
                "{name}: link type {link} is not decoded, its packets are refused; capture on Ethernet, raw IP, Linux cooked (SLL, SLL2) or BSD loopback"
            ));
        }
        notes
    }
}

/// The error for an input that cannot be read before or within its capture.
fn unreadable(name: String, input: &Input, source: io::Error) -> CaptureError {
    if source.raw_os_error().is_some() {
        let offset = input.base() + input.window().len() as u64;
        CaptureError::Read { name, offset, source }
    } else {
        CaptureError::Unpack { name, packing: input.packing().name(), source }
    }
}

/// The error for content that is no capture, or too little of one.
fn unrecognised(name: String, input: &Input, not_pcap: NotPcap) -> CaptureError {
    let window = input.window();
    let found = window.len();
    let unpacked = match input.packing() {
        Packing::None => String::new(),
        packing => format!(" once unpacked from {}", packing.name()),
    };
    let (format, reason) = match not_pcap {
        NotPcap::Version(seen) => ("pcap", format!("it is of version {seen}, expected 2")),
        NotPcap::Short => ("pcap", format!("expected {} bytes, found {found}", pcap::FILE_HEADER)),
        NotPcap::Other if found == 0 => return CaptureError::Empty { name, unpacked },
        NotPcap::Other if found < 12 && window.starts_with(&pcapng::SECTION.to_be_bytes()) => {
            ("pcapng", format!("expected 28 bytes or more, found {found}"))
        }
        NotPcap::Other => {
            let start = window.get(..found.min(16)).unwrap_or_default();
            let seen = start.escape_ascii().to_string();
            return CaptureError::Unrecognised { name, seen, unpacked };
        }
    };
    CaptureError::Header { name, format, reason }
}
