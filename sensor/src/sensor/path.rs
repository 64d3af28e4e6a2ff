//! The packet path: frames in, events out, run to completion on one thread.

use std::time::Duration;

use arrayvec::ArrayVec;

use crate::capture::{BURST, Burst, Counted, Frame};
use crate::decode::duplicates::Duplicates;
use crate::decode::{self, Packet, Refusal, Refusals};
use crate::evidence::{self, Recent};
use crate::flow::{First, Table};
use crate::observe::{self, Reader, Sink, Wanted};
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
    /// The beginnings of conversations, where they are kept.
    pub(super) recent: Option<Recent>,
    /// Frames given.
    pub(super) frames: u64,
    /// Their bytes on the wire.
    pub(super) wire_bytes: u64,
    /// The earliest and the latest time of what was given, as a frame or as a count.
    pub(super) span: Option<(Timestamp, Timestamp)>,
    /// The latest time that the reader knows of.
    pub(super) now: Timestamp,
}

impl Path {
    /// A path for so many flows at a time that makes the events that are wanted. Copies are recognised
    /// alike each time where a seed is given.
    pub(super) fn new(
        wanted: Wanted,
        max_flows: usize,
        copies: Copies,
        seed: Option<u64>,
    ) -> std::io::Result<Self> {
        Ok(Self {
            table: Table::new(max_flows)?,
            reader: Reader::new(wanted),
            refusals: Refusals::default(),
            duplicates: seed.map_or_else(Duplicates::default, Duplicates::seeded),
            copies,
            look: Look::default(),
            recent: None,
            frames: 0,
            wire_bytes: 0,
            span: None,
            now: Timestamp::ZERO,
        })
    }

    /// Keeps the first packets of conversations from here on, in so many bytes of memory.
    pub(super) fn remember(&mut self, bytes: u64) {
        self.table.show_first(First { packets: evidence::MAX_PACKETS, bytes: evidence::MAX_BYTES });
        self.recent = Some(Recent::new(bytes));
    }

    /// Takes a burst of frames through the whole path.
    pub(super) fn burst(&mut self, burst: &Burst<'_>, sink: &mut impl Sink) {
        let Some(first) = burst.first() else { return };
        let begins = self.look.begins(first.time, self.duplicates.count());
        let looks = begins && self.look.is_warm();
        let compares =
            begins || self.copies == Copies::LeaveOut || self.reader.mirrors().is_active();
        let mut packets: ArrayVec<Packet<'_>, BURST> = ArrayVec::new();
        let (mut from, mut to, mut wire_bytes) = (first.time, first.time, 0);
        for (place, frame) in (0..).zip(burst) {
            (from, to) = (from.min(frame.time), to.max(frame.time));
            wire_bytes += u64::from(frame.wire_len);
            let link = match decode::link(frame) {
                Ok(link) => link,
                Err(refusal) => {
                    self.refusals.add(refusal);
                    if refusal == Refusal::NotIp {
                        observe::not_ip(frame, self.table.interface(), sink);
                    }
                    continue;
                }
            };
            let copy = compares && self.duplicates.is_copy(link.payload, frame.time);
            if copy && self.copies == Copies::LeaveOut {
                self.leave_out(frame, link.payload, looks);
                continue;
            }
            let wrapped = |packet: &Packet<'_>| {
                if !copy {
                    self.wrapped(packet, frame.wire_len);
                }
            };
            match decode::behind_link_watching(frame, link, wrapped) {
                Ok(packet) => packets.push(Packet { place, ..packet }),
                Err(refusal) => {
                    self.refusals.add(refusal);
                    continue;
                }
            }
            if compares {
                self.compared(frame, copy, looks, &mut packets);
            }
        }
        self.frames += burst.len() as u64;
        self.wire_bytes += wire_bytes;
        self.spans(from, to);
        if let Some(recent) = &mut self.recent {
            recent.set_interface(self.table.interface());
        }
        self.packets(&packets, burst, sink);
    }

    /// A packet came through a tunnel, in a frame of this length.
    #[cold]
    #[inline(never)]
    fn wrapped(&mut self, packet: &Packet<'_>, frame_len: u32) {
        let interface = self.table.interface();
        let mirrors = self.reader.mirrors_mut();
        if mirrors.wrapped(packet, frame_len, interface, &self.duplicates) {
            self.table.comes_both_ways(packet);
        }
    }

    /// The last packet was compared as a whole, and was a second copy or none. One that came through a
    /// tunnel is compared again as the packet inside alone: a mirror's two ends wrap the same packet
    /// differently.
    #[inline(never)]
    fn compared(
        &mut self,
        frame: &Frame<'_>,
        copy: bool,
        looks: bool,
        packets: &mut ArrayVec<Packet<'_>, BURST>,
    ) {
        let Some(packet) = packets.last_mut() else { return };
        if copy && packet.tunnel.is_none() {
            self.reader.mirrors_mut().bare_again(packet.ip, frame.time, &self.duplicates);
        }
        let inside = packet.tunnel.is_some() && self.duplicates.is_copy(packet.ip, frame.time);
        packet.copy = copy || inside;
        if looks {
            self.table.look_at(Some(packet), packet.copy);
        }
        if packet.copy && self.copies == Copies::LeaveOut {
            packets.pop();
        }
    }

    /// Leaves a second copy of a whole IP packet out.
    #[inline(never)]
    fn leave_out(&mut self, frame: &Frame<'_>, ip: &[u8], looks: bool) {
        let mirrors = self.reader.mirrors_mut();
        let is_proof = mirrors.bare_again(ip, frame.time, &self.duplicates);
        let packet = (looks || is_proof).then(|| decode::packet(frame).ok()).flatten();
        if looks {
            self.table.look_at(packet.as_ref(), true);
        }
        if is_proof && let Some(packet) = &packet {
            self.table.comes_both_ways(packet);
        }
    }

    /// Takes packets through table and reader, a step of time after the other. Where a burst ends is
    /// chance, and must not decide what comes first: an answer, or the end of the wait for it.
    fn packets(&mut self, mut packets: &[Packet<'_>], frames: &[Frame<'_>], sink: &mut impl Sink) {
        while let Some(first) = packets.first() {
            self.expire(first.time, sink);
            let end = self.now.plus(STEP);
            let of_step = packets.iter().take_while(|packet| packet.time < end).count();
            let (step, rest) = packets.split_at_checked(of_step.max(1)).unwrap_or((packets, &[]));
            let observing = self.reader.observing(sink).comparing(&self.duplicates);
            let mut observing = observing.keeping(self.recent.as_mut(), frames);
            self.table.burst(step, &mut observing);
            self.reader.tell_mirrored(sink);
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
        self.reader.tell_mirrored(sink);
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
        self.reader.finish(sink);
    }
}

#[cfg(test)]
mod tests;
