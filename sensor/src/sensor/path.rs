//! The packet path: frames in, events out, run to completion on one thread.

use std::time::Duration;

use arrayvec::ArrayVec;

use crate::capture::{BURST, Burst, Counted};
use crate::decode::duplicates::Duplicates;
use crate::decode::{self, Packet, Refusals};
use crate::flow::Table;
use crate::observe::{Reader, Sink, Wanted};
use crate::time::Timestamp;
use look::Look;

mod look;

/// How many flows are held at a time by all paths together: 300 MB when all are used.
pub(super) const MAX_FLOWS: usize = 1 << 20;

/// How exactly, in capture time, the reader stops waiting.
const STEP: Duration = Duration::from_millis(100);

/// What becomes of second copies of packets, as a mirror port gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copies {
    /// They count to flows like any packet: what a capture holds is what is told. Only what detectors
    /// are told of volumes leaves them out. They are looked for in some of the packets, and in all
    /// once there are any.
    Count,
    /// They are counted apart, and go no further.
    LeaveOut,
}

/// Decoder, flow table and reader with what they counted.
pub(super) struct Path {
    pub(super) table: Table,
    pub(super) reader: Reader,
    pub(super) refusals: Refusals,
    /// Recognises and counts second copies.
    duplicates: Duplicates,
    copies: Copies,
    look: Look,
    /// Frames given.
    pub(super) frames: u64,
    /// Their bytes on the wire.
    pub(super) wire_bytes: u64,
    /// The earliest and the latest time of what was given, as a frame or as a count.
    pub(super) span: Option<(Timestamp, Timestamp)>,
    /// The latest time that the reader knows of.
    now: Timestamp,
}

impl Path {
    /// A path for so many flows at a time that makes the events that are wanted.
    pub(super) fn new(wanted: Wanted, max_flows: usize, copies: Copies) -> std::io::Result<Self> {
        Ok(Self {
            table: Table::new(max_flows)?,
            reader: Reader::new(wanted),
            refusals: Refusals::default(),
            duplicates: Duplicates::default(),
            copies,
            look: Look::default(),
            frames: 0,
            wire_bytes: 0,
            span: None,
            now: Timestamp::ZERO,
        })
    }

    /// Takes a burst of frames through the whole path.
    pub(super) fn burst(&mut self, burst: &Burst<'_>, sink: &mut impl Sink) {
        let Some(first) = burst.first() else { return };
        let begins = self.look.begins(first.time, self.duplicates.count());
        let looks = begins && self.look.is_warm();
        let leaves_out = self.copies == Copies::LeaveOut;
        let compares = begins || leaves_out;
        let mut packets: ArrayVec<Packet<'_>, BURST> = ArrayVec::new();
        for frame in burst {
            self.frames += 1;
            self.wire_bytes += u64::from(frame.wire_len);
            self.spans(frame.time, frame.time);
            let mut copy = false;
            let packet = decode::packet_unless(frame, |ip| {
                let is_copy = compares && self.duplicates.is_copy(ip, frame.time);
                copy |= is_copy;
                is_copy && leaves_out
            });
            match packet {
                Ok(Some(packet)) => {
                    packets.push(packet);
                    if compares && let Some(packet) = packets.last_mut() {
                        packet.copy = copy;
                        if looks {
                            self.table.look_at(Some(packet), copy);
                        }
                    }
                }
                Ok(None) if looks => {
                    self.table.look_at(decode::packet(frame).ok().as_ref(), true);
                }
                Ok(None) => {}
                Err(refusal) => self.refusals.add(refusal),
            }
        }
        self.packets(&packets, sink);
    }

    /// Takes packets through table and reader, a step of time after the other. Where a burst ends is
    /// chance, and must not decide what comes first: an answer, or the end of the wait for it.
    fn packets(&mut self, mut packets: &[Packet<'_>], sink: &mut impl Sink) {
        while let Some(first) = packets.first() {
            self.expire(first.time, sink);
            let end = self.now.plus(STEP);
            let of_step = packets.iter().take_while(|packet| packet.time < end).count();
            let (step, rest) = packets.split_at_checked(of_step.max(1)).unwrap_or((packets, &[]));
            self.table.burst(step, &mut self.reader.observing(sink));
            packets = rest;
        }
    }

    /// Second copies recognised so far.
    pub(super) const fn copies(&self) -> u64 {
        self.duplicates.count()
    }

    /// Takes what was counted without its packets to the flows. `frames` and `wire_bytes` do not
    /// tell of it.
    pub(super) fn counted(&mut self, counts: &[Counted], sink: &mut impl Sink) {
        for counted in counts {
            self.spans(counted.since, counted.last);
        }
        if let Some(last) = counts.iter().map(|counted| counted.last).max() {
            self.expire(last, sink);
        }
        self.table.counted(counts, &mut self.reader.observing(sink));
    }

    /// No frame came until `now`: what waited for time alone is told.
    pub(super) fn idle(&mut self, now: Timestamp, sink: &mut impl Sink) {
        if self.expire(now, sink) {
            self.table.idle(now, &mut self.reader.observing(sink));
        }
    }

    /// Ends the reader's waits that end by `time`, when that is a step of time ahead.
    fn expire(&mut self, time: Timestamp, sink: &mut impl Sink) -> bool {
        let ahead = time >= self.now.plus(STEP);
        if ahead {
            self.now = time;
            self.reader.expire(time, sink);
        }
        ahead
    }

    fn spans(&mut self, from: Timestamp, to: Timestamp) {
        let (first, last) = self.span.get_or_insert((from, to));
        (*first, *last) = ((*first).min(from), (*last).max(to));
    }

    /// Ends all flows: the capture is over.
    pub(super) fn finish(&mut self, sink: &mut impl Sink) {
        self.table.finish(&mut self.reader.observing(sink));
    }
}

#[cfg(test)]
mod tests;
