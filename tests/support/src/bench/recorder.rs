//! Writes what is said into a capture file and counts it.

use std::io::{self, Write};

use super::conversation::{Content, Packet};
use super::{Truth, VERSION};
use crate::rng::Rng;
use crate::wire::{Capture, Frame, Payload, Resolution};

/// Content of no meaning is cut from a pool of random bytes, at another place each time.
const POOL: usize = 1 << 20;

/// A capture that is being written, and its clock.
pub(super) struct Recorder<W> {
    capture: Capture<W>,
    frame: Frame,
    /// Nanoseconds since the epoch.
    time: u64,
    pool: Vec<u8>,
    pool_at: usize,
    pub(super) truth: Truth,
}

impl<W: Write> Recorder<W> {
    pub(super) fn new(out: W, rng: &mut Rng) -> io::Result<Self> {
        let mut pool = vec![0; POOL];
        rng.fill(&mut pool);
        Ok(Self {
            capture: Capture::new(out, Resolution::Micros)?,
            frame: Frame::new(1),
            time: 1_750_000_000_000_000_000,
            pool,
            pool_at: 0,
            truth: Truth { version: VERSION, ..Truth::default() },
        })
    }

    /// Lets this many nanoseconds pass.
    pub(super) const fn wait(&mut self, nanos: u64) {
        self.time += nanos;
    }

    pub(super) fn record(&mut self, packet: &Packet) -> io::Result<()> {
        let content = match &packet.content {
            Content::Filler(len) => {
                self.pool_at = (self.pool_at + 4093) % (POOL - usize::from(u16::MAX));
                &self.pool[self.pool_at..self.pool_at + len]
            }
            Content::Bytes(bytes) => bytes,
        };
        let content = Payload::whole(content);
        match packet.segment {
            Some(segment) => self.frame.tcp(&packet.path, segment, content),
            None => self.frame.udp(&packet.path, content),
        };
        self.truth.packets += 1;
        self.truth.wire_bytes += u64::from(self.frame.wire_len());
        self.capture.frame(self.time, &self.frame)
    }

    pub(super) fn finish(self) -> io::Result<Truth> {
        self.capture.finish()?;
        Ok(self.truth)
    }
}
