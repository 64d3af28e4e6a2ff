//! The packet path: frames in, events out, run to completion on one thread.

use arrayvec::ArrayVec;

use crate::capture::{BURST, Burst};
use crate::decode::{self, Packet, Refusals};
use crate::flow::Table;
use crate::observe::{Reader, Sink, Wanted};
use crate::time::Timestamp;

/// How many flows are held at a time: 300 MB when all are used.
const MAX_FLOWS: usize = 1 << 20;

/// Decoder, flow table and reader with what they counted.
pub(super) struct Path {
    pub(super) table: Table,
    pub(super) reader: Reader,
    pub(super) refusals: Refusals,
    /// Frames given.
    pub(super) frames: u64,
    /// Their bytes on the wire.
    pub(super) wire_bytes: u64,
    /// The earliest and the latest frame's time.
    pub(super) span: Option<(Timestamp, Timestamp)>,
}

impl Path {
    /// A path that makes the events that are wanted.
    pub(super) fn new(wanted: Wanted) -> std::io::Result<Self> {
        Ok(Self {
            table: Table::new(MAX_FLOWS)?,
            reader: Reader::new(wanted),
            refusals: Refusals::default(),
            frames: 0,
            wire_bytes: 0,
            span: None,
        })
    }

    /// Takes a burst of frames through the whole path.
    pub(super) fn burst(&mut self, burst: &Burst<'_>, sink: &mut impl Sink) {
        let mut packets: ArrayVec<Packet<'_>, BURST> = ArrayVec::new();
        for frame in burst {
            self.frames += 1;
            self.wire_bytes += u64::from(frame.wire_len);
            let (first, last) = self.span.get_or_insert((frame.time, frame.time));
            (*first, *last) = ((*first).min(frame.time), (*last).max(frame.time));
            match decode::packet(frame) {
                Ok(packet) => packets.push(packet),
                Err(refusal) => self.refusals.add(refusal),
            }
        }
        self.table.burst(&packets, &mut self.reader.observing(sink));
        if let Some((_, now)) = self.span {
            self.reader.expire(now, sink);
        }
    }

    /// Ends all flows: the capture is over.
    pub(super) fn finish(&mut self, sink: &mut impl Sink) {
        self.table.finish(&mut self.reader.observing(sink));
    }
}
