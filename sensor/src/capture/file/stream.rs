//! A capture read piece by piece into a buffer, unpacked on the way.

use std::io::{self, Read};

use super::unpack::{Packing, Unpacker};

/// The buffer at first: small enough to stay in a core's cache, and larger than the one for packed
/// bytes, which reads of plain ones thereby pass by. It doubles while a single record or block does
/// not fit, which is at most 16 MiB long, so that it never passes 32 MiB.
const BUFFER: usize = 256 << 10;

/// A window over a stream.
#[derive(Debug)]
pub(super) struct Stream {
    unpacker: Unpacker,
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold data.
    filled: usize,
    /// Bytes of the capture before the buffer.
    base: u64,
    bytes_total: Option<u64>,
}

impl Stream {
    /// A stream of what `unpacker` gives, out of `bytes_total` packed bytes where that is known.
    pub(super) fn new(unpacker: Unpacker, bytes_total: Option<u64>) -> Self {
        Self { unpacker, buffer: vec![0; BUFFER], filled: 0, base: 0, bytes_total }
    }

    #[inline]
    pub(super) fn window(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// See [`Input::more`](super::input::Input::more).
    pub(super) fn more(&mut self, at: &mut usize) -> io::Result<bool> {
        let done = (*at).min(self.filled);
        // A long block that comes in small pieces must not be moved for each of them.
        if done > 0 {
            self.buffer.copy_within(done..self.filled, 0);
        }
        self.filled -= done;
        self.base += done as u64;
        *at = 0;
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let free = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let read = loop {
            match self.unpacker.read(free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.filled += read;
        Ok(read > 0)
    }

    pub(super) const fn base(&self) -> u64 {
        self.base
    }

    pub(super) const fn packing(&self) -> Packing {
        self.unpacker.packing()
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.unpacker.bytes_read()
    }

    pub(super) const fn bytes_total(&self) -> Option<u64> {
        self.bytes_total
    }
}
