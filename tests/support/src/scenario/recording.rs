//! Frames in memory, made in any order and written in order of time.

use std::io::{self, Write};

use crate::wire::{Capture, Frame, MAX_PAYLOAD, Resolution};

/// Frames that were recorded.
#[derive(Debug)]
pub struct Recording {
    /// The largest payload that segmentation offload hands up at once.
    pub(super) largest: usize,
    /// Whether TCP conversations are opened and nothing is sent on them.
    pub(super) only_openings: bool,
    bytes: Vec<u8>,
    index: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    time: u64,
    wire_len: u32,
    at: usize,
    length: usize,
}

impl Default for Recording {
    fn default() -> Self {
        Self::new(MAX_PAYLOAD, false)
    }
}

impl Recording {
    /// Without frames.
    pub(super) const fn new(largest: usize, only_openings: bool) -> Self {
        Self { largest, only_openings, bytes: Vec::new(), index: Vec::new() }
    }

    /// Frames recorded.
    pub fn frames(&self) -> usize {
        self.index.len()
    }

    /// Adds a frame seen `time` nanoseconds after the epoch.
    pub fn add(&mut self, time: u64, frame: &Frame) {
        let (at, length) = (self.bytes.len(), frame.bytes().len());
        self.bytes.extend_from_slice(frame.bytes());
        self.index.push(Entry { time, wire_len: frame.wire_len(), at, length });
    }

    /// Adds a frame that is captured whole.
    pub(super) fn add_whole(&mut self, time: u64, frame: &[u8]) {
        let (at, length) = (self.bytes.len(), frame.len());
        self.bytes.extend_from_slice(frame);
        self.index.push(Entry { time, wire_len: length as u32, at, length });
    }

    /// Leaves out what lies outside of `from..to`.
    pub(super) fn trim(&mut self, from: u64, to: u64) {
        self.index.retain(|entry| (from..to).contains(&entry.time));
    }

    /// Gives time, captured bytes and length on the wire of each frame in `from..to`, in order.
    pub(crate) fn each(&mut self, from: u64, to: u64, mut take: impl FnMut(u64, &[u8], usize)) {
        self.index.sort_by_key(|entry| entry.time);
        for entry in self.index.iter().filter(|entry| (from..to).contains(&entry.time)) {
            let bytes = &self.bytes[entry.at..entry.at + entry.length];
            take(entry.time, bytes, entry.wire_len as usize);
        }
    }

    /// Writes what was recorded of the time before `until`, in order, and forgets it; gives how many frames
    /// those were. `seen` says how often a mirror hands up a frame: none, one or more copies.
    ///
    /// # Errors
    /// When `capture` cannot be written.
    pub(super) fn drain(
        &mut self,
        until: u64,
        capture: &mut Capture<impl Write>,
        mut seen: impl FnMut(u64, &[u8]) -> u8,
    ) -> io::Result<usize> {
        self.index.sort_by_key(|entry| entry.time);
        let after = self.index.split_off(self.index.partition_point(|entry| entry.time < until));
        let mut written = 0;
        for entry in &self.index {
            let bytes = &self.bytes[entry.at..entry.at + entry.length];
            for _ in 0..seen(entry.time, bytes) {
                capture.record(entry.time, bytes, entry.wire_len)?;
                written += 1;
            }
        }
        let all = std::mem::take(&mut self.bytes);
        self.index.clear();
        for entry in after {
            let at = self.bytes.len();
            self.bytes.extend_from_slice(&all[entry.at..entry.at + entry.length]);
            self.index.push(Entry { at, ..entry });
        }
        Ok(written)
    }

    /// Writes a capture file; frames of the same time keep the order they were made in.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&mut self, out: impl Write) -> io::Result<()> {
        self.index.sort_by_key(|entry| entry.time);
        let mut capture = Capture::new(out, Resolution::Micros)?;
        for entry in &self.index {
            let bytes = &self.bytes[entry.at..entry.at + entry.length];
            capture.record(entry.time, bytes, entry.wire_len)?;
        }
        capture.finish().map(drop)
    }
}
