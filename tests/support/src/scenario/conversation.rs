//! A TCP conversation from SYN to FIN, or to the RST that refuses it.

use super::calendar::SECOND;
use super::recording::Recording;
use crate::rng::Rng;
use crate::wire::flag::{ACK, FIN, PSH, RST, SYN};
use crate::wire::{Frame, Path, Payload, Segment};

/// How much of a bulk frame's payload is captured.
const BULK_CAPTURED: usize = 8;
/// What is sent slowly is seen at least this often, in nanoseconds.
const AT_LEAST_EVERY: u64 = 60 * SECOND;
/// One acknowledgment is seen for this many bulk frames.
const FRAMES_PER_ACK: u64 = 16;

/// A conversation that is being recorded.
pub struct Tcp<'a> {
    recording: &'a mut Recording,
    frame: Frame,
    /// From the client, and from the server.
    paths: [Path; 2],
    sequence: [u32; 2],
    /// Frame bytes on the wire from the client, and from the server.
    pub wire: [u64; 2],
    /// Time of the next frame.
    pub now: u64,
    round_trip: u64,
}

impl<'a> Tcp<'a> {
    /// Opens a conversation.
    pub fn open(
        recording: &'a mut Recording,
        path: Path,
        now: u64,
        round_trip: u64,
        rng: &mut Rng,
    ) -> Self {
        let mut tcp = Self::start(recording, path, now, round_trip, rng);
        tcp.segment(0, SYN, Payload::NONE);
        tcp.now += round_trip;
        tcp.segment(1, SYN | ACK, Payload::NONE);
        tcp.segment(0, ACK, Payload::NONE);
        tcp
    }

    /// Tries to open a conversation that the server refuses.
    pub(super) fn refused(
        recording: &'a mut Recording,
        path: Path,
        now: u64,
        round_trip: u64,
        rng: &mut Rng,
    ) -> Self {
        let mut tcp = Self::start(recording, path, now, round_trip, rng);
        tcp.segment(0, SYN, Payload::NONE);
        tcp.now += round_trip;
        tcp.sequence[1] = 0;
        tcp.segment(1, RST | ACK, Payload::NONE);
        tcp
    }

    /// Sends `bytes`, all captured, in segments as large as Ethernet takes.
    pub fn send(&mut self, from_client: bool, bytes: &[u8]) {
        const LARGEST: usize = 1440;
        if self.recording.only_openings {
            return;
        }
        let side = usize::from(!from_client);
        let mut segments = bytes.chunks(LARGEST).peekable();
        while let Some(segment) = segments.next() {
            let flags = if segments.peek().is_none() { ACK | PSH } else { ACK };
            self.segment(side, flags, Payload::whole(segment));
        }
        self.now += self.round_trip / 2;
    }

    /// Sends `length` bytes spread over `over` nanoseconds, as segmentation offload hands them up.
    pub fn bulk(&mut self, from_client: bool, length: u64, over: u64) {
        if self.recording.only_openings {
            self.now += over;
            return;
        }
        let side = usize::from(!from_client);
        let largest = self.recording.largest as u64;
        let as_few = length.div_ceil(largest).max(1);
        let each = match (over / AT_LEAST_EVERY).min(length) {
            many if many > as_few => length.div_ceil(many),
            _ => largest,
        };
        let frames = length.div_ceil(each).max(1);
        let mut left = length;
        for number in 0..frames {
            let size = left.min(each) as usize;
            left -= size as u64;
            // A TLS application data record's header, as far as anyone can see.
            let record = [0x17, 0x03, 0x03, 0x40, 0x00, number as u8, 0, 0];
            let captured = &record[..size.min(BULK_CAPTURED)];
            self.segment(side, ACK | PSH, Payload::cut(captured, size));
            if number % FRAMES_PER_ACK == FRAMES_PER_ACK - 1 {
                self.segment(1 - side, ACK, Payload::NONE);
            }
            self.now += over / frames;
        }
        self.now += self.round_trip / 2;
    }

    /// Lets time pass.
    pub fn pause(&mut self, nanos: u64) {
        self.now += nanos;
    }

    /// Both sides close; gives the time of the last frame. Where nothing was sent, the client aborts.
    pub fn close(&mut self) -> u64 {
        if self.recording.only_openings {
            self.segment(0, RST | ACK, Payload::NONE);
            return self.now;
        }
        self.segment(0, FIN | ACK, Payload::NONE);
        self.now += self.round_trip;
        self.segment(1, FIN | ACK, Payload::NONE);
        self.segment(0, ACK, Payload::NONE);
        self.now
    }

    fn start(
        recording: &'a mut Recording,
        path: Path,
        now: u64,
        round_trip: u64,
        rng: &mut Rng,
    ) -> Self {
        Self {
            recording,
            frame: Frame::new(rng.next() as u16),
            paths: [path, path.back()],
            sequence: [rng.next() as u32, rng.next() as u32],
            wire: [0; 2],
            now,
            round_trip,
        }
    }

    fn segment(&mut self, side: usize, flags: u8, payload: Payload<'_>) {
        let segment = Segment {
            flags,
            sequence: self.sequence[side],
            acknowledgment: if flags & ACK == 0 { 0 } else { self.sequence[1 - side] },
        };
        self.frame.tcp(&self.paths[side], segment, payload);
        self.recording.add(self.now, &self.frame);
        self.wire[side] += u64::from(self.frame.wire_len());
        let length = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.sequence[side] = self.sequence[side].wrapping_add(length);
        self.now += 20_000;
    }
}
