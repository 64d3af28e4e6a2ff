//! gzip, zstd and lz4, told by content and read through all their members or frames.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;

/// What a capture is packed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    Zstd,
    Lz4,
}

impl Packing {
    /// By the first bytes of a file.
    pub(super) const fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or the skippable one that parallel zstd puts first.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            // A frame, or one of the legacy form.
            [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Self::Lz4,
            _ => Self::None,
        }
    }

    /// Its name in messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }
}

/// A reader of unpacked bytes.
///
/// Memory is bounded whatever the packed data ask for: zstd by its window limit of 128 MiB, lz4 by
/// its blocks of 8 MiB at most, gzip by its window of 32 KiB.
pub(super) enum Unpacker {
    None(Packed),
    Gzip(Box<MultiGzDecoder<Packed>>),
    Zstd(zstd::Decoder<'static, Packed>),
    Lz4(Box<Lz4>),
}

type Packed = BufReader<Counted>;

impl Unpacker {
    pub(super) fn new(packing: Packing, packed: Counted) -> io::Result<Self> {
        let packed = BufReader::with_capacity(64 << 10, packed);
        Ok(match packing {
            Packing::None => Self::None(packed),
            Packing::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(packed))),
            Packing::Zstd => Self::Zstd(zstd::Decoder::with_buffer(packed)?),
            Packing::Lz4 => Self::Lz4(Box::new(Lz4::new(packed))),
        })
    }

    pub(super) const fn packing(&self) -> Packing {
        match self {
            Self::None(_) => Packing::None,
            Self::Gzip(_) => Packing::Gzip,
            Self::Zstd(_) => Packing::Zstd,
            Self::Lz4(_) => Packing::Lz4,
        }
    }

    /// Packed bytes read from the file so far.
    pub(super) fn bytes_read(&self) -> u64 {
        let packed = match self {
            Self::None(packed) => packed,
            Self::Gzip(decoder) => decoder.get_ref(),
            Self::Zstd(decoder) => decoder.get_ref(),
            Self::Lz4(decoder) => match &decoder.0 {
                Some(decoder) => &decoder.get_ref().packed,
                None => return 0,
            },
        };
        packed.get_ref().read
    }
}

impl Read for Unpacker {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::None(packed) => packed.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
            Self::Lz4(decoder) => decoder.read(buffer),
        }
    }
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacker").field("packing", &self.packing()).finish_non_exhaustive()
    }
}

/// A file, with the bytes that were already taken from its start, counting what is read.
#[derive(Debug)]
pub(super) struct Counted {
    file: io::Chain<io::Cursor<Vec<u8>>, File>,
    read: u64,
}

impl Counted {
    pub(super) fn new(taken: Vec<u8>, file: File) -> Self {
        Self { file: io::Cursor::new(taken).chain(file), read: 0 }
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}

/// Frame after frame, each by a decoder of its own as its blocks may be of another size, and an error
/// where one is cut: `FrameDecoder` says "no more" to the end of a frame and to the end of its input
/// alike. There is always a decoder but while one follows on another.
pub(super) struct Lz4(Option<FrameDecoder<Tail>>);

impl Lz4 {
    fn new(packed: Packed) -> Self {
        Self(Some(FrameDecoder::new(Tail { packed, ended: false })))
    }
}

impl Read for Lz4 {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.0 {
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let tail = decoder.get_mut();
            if tail.ended {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "cut in a frame"));
            }
            if tail.packed.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.0 = self.0.take().map(|decoder| FrameDecoder::new(decoder.into_inner()));
        }
        Ok(0)
    }
}

/// Remembers that the decoder asked for more than there was.
struct Tail {
    packed: Packed,
    ended: bool,
}

impl Read for Tail {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.packed.read(buffer)?;
        self.ended |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}
