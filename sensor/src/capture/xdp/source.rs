//! One worker's source: frames out of its ring, and what was counted without them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use egret_ebpf::{Evicted, Handed, Key4, Key6, NO_SLOT, Totals, WAYS, kind};

use super::copies::Copies;
use super::key::Key;
use super::mapping::{Mapping, read};
use super::overflow::Overflow;
use super::parts::{Attached, Parts, Shape, Whole};
use super::ring::Ring;
use super::slot::View;
use super::slots::{Foreign, Table};
use super::telling::Telling;
use super::{grace, record, totals};
use crate::capture::{BURST, Burst, Counted, Counts, Frame, Kernel, Mark, Progress, Scan, Stats};
use crate::time::Timestamp;

/// How long after its time a frame may get into the ring, other processors' before it.
const HELD_BACK: Duration = Duration::from_millis(5);

/// How long to wait for frames when there just were some: the kernel wakes nobody for them, which
/// would cost more than counting them.
const SHORTEST: Duration = Duration::from_millis(1);

/// How long to wait when there were none for a while.
const LONGEST: Duration = Duration::from_millis(20);

/// One worker's source.
#[derive(Debug)]
pub(in crate::capture) struct Fast {
    ring: Ring,
    marks: Marks,
    tables: Tables,
    telling: Telling,
    /// What slots that gave way had to tell.
    pending: Counts,
    whole: Option<Interface>,
    copies: Copies,
    attached: Arc<dyn Attached>,
    snaplen: u32,
    halted: bool,
    /// Whether something may be left to tell since [`Self::scan`].
    scanning: bool,
    /// What the next scan is to tell at least.
    wanted: Scan,
    patience: Duration,
    /// Time of the last frame given.
    last: Timestamp,
    stats: Stats,
}

/// The hot tables, to say in them that enough was read.
#[derive(Debug)]
struct Marks {
    v4: Arc<Mapping>,
    v6: Arc<Mapping>,
}

/// This worker's share of them.
#[derive(Debug)]
struct Tables {
    v4: Table<Key4>,
    v6: Table<Key6>,
}

/// What is read for all sources of the interface.
#[derive(Debug)]
struct Interface {
    totals: Mapping,
    overflow: Overflow,
    shape: Shape,
}

impl Fast {
    /// A source of these parts.
    ///
    /// # Errors
    /// When the ring cannot be mapped.
    pub(in crate::capture) fn new(parts: Parts) -> io::Result<Self> {
        let Parts { shape, ring_number, slots4, slots6, control, .. } = parts;
        let [touched4, touched6] = parts.touched;
        Ok(Self {
            ring: Ring::map(parts.ring, parts.ring_bytes)?,
            marks: Marks { v4: Arc::clone(&slots4), v6: Arc::clone(&slots6) },
            tables: Tables {
                v4: Table::new(slots4, touched4, shape, shape.sets4, ring_number),
                v6: Table::new(slots6, touched6, shape, shape.sets6, ring_number),
            },
            telling: Telling::new(parts.last),
            pending: Counts::new(),
            whole: parts.whole.map(|whole| Interface::new(whole, Arc::clone(&control), shape)),
            copies: Copies::new(control),
            attached: parts.attached,
            snaplen: parts.snaplen,
            halted: false,
            scanning: false,
            wanted: Scan::Much,
            patience: SHORTEST,
            last: Timestamp::ZERO,
            stats: Stats::default(),
        })
    }

    /// As [`crate::capture::Source::burst`]; never fails. [`Self::counted`] is to be called behind
    /// each burst, which ends early where slots gave way that there is no room to tell of.
    pub(in crate::capture) fn burst<'a>(&'a mut self, burst: &mut Burst<'a>) -> Progress {
        let Self { ring, marks, tables, telling, pending, stats, .. } = self;
        let mut records = ring.records();
        let mut busy = !pending.is_empty();
        while burst.len() < BURST && !pending.is_full() {
            // What is damaged is as good as a record without a kind.
            let Some(record) = records.next().transpose() else { break };
            let record = record.unwrap_or_default();
            busy = true;
            if record::kind(record) == Some(kind::PACKET)
                && let Some((head, frame)) = record::packet(record, telling.clock)
            {
                stats.truncated += u64::from(record::is_cut(&head, self.snaplen));
                stats.bytes_read += frame.bytes.len() as u64;
                burst.push(Frame { mark: marks.of(&head), ..frame });
                continue;
            }
            match tables.evicted(record, telling) {
                Ok(gone) => {
                    pending.extend(gone.counted);
                    if gone.reopened {
                        break;
                    }
                }
                Err(Invalid) => stats.invalid += 1,
            }
        }
        stats.frames += burst.len() as u64;
        self.last = burst.last().map_or(self.last, |frame| frame.time);
        self.patience = if busy { SHORTEST } else { LONGEST.min(self.patience * 2) };
        if busy { Progress::More } else { Progress::Idle }
    }

    /// Begins to tell what was counted up to now, unless there is still something left to tell since it
    /// was called before: who has no time for everything would never come to the end. What was asked
    /// for meanwhile, the next scan tells.
    /// The sources of an interface tell of different slots, each of its own.
    pub(in crate::capture) fn scan(&mut self, scan: Scan) {
        self.wanted = self.wanted.max(scan);
        if self.scanning {
            return;
        }
        let scan = std::mem::replace(&mut self.wanted, Scan::Much);
        self.telling.begin(scan);
        self.tables.v4.scan(scan);
        self.tables.v6.scan(scan);
        if let Some(whole) = &mut self.whole {
            self.copies.judge(&whole.scan());
        }
        self.scanning = true;
    }

    /// Gives what slots that gave way had to tell, behind the frames of the last burst, and what there
    /// is to tell since [`Self::scan`]. Nothing, when all is told.
    ///
    /// A call ends when it has as much as a burst has frames. One that finds nothing looks at all
    /// slots, of which it reads one cache line each.
    pub(in crate::capture) fn counted(&mut self, counts: &mut Counts) {
        counts.clear();
        counts.extend(self.pending.drain(..));
        while self.scanning && !counts.is_full() {
            match self.next() {
                Some(counted) => counts.push(counted),
                None => {
                    self.scanning = false;
                    self.telling.end();
                }
            }
        }
    }

    fn next(&mut self) -> Option<Counted> {
        let Self { tables, whole, telling, .. } = self;
        if let Some(told) = tables.v4.next() {
            return Some(telling.counted(&told));
        }
        if let Some(told) = tables.v6.next() {
            return Some(telling.counted(&told));
        }
        let told = whole.as_mut()?.overflow.next()?;
        Some(telling.counted(&told))
    }

    /// Takes the program off the interface: when this returns, no counter changes any more. What was
    /// handed up and counted can still be read.
    pub(in crate::capture) fn halt(&mut self) {
        if !self.halted {
            self.attached.detach();
            grace::wait();
            self.halted = true;
        }
    }

    /// Second copies of packets were seen among the frames given: the kernel is to look for them.
    pub(in crate::capture) fn expect_copies(&self) {
        self.copies.expect();
    }

    /// How long to wait for frames at most: the kernel wakes nobody for them.
    pub(in crate::capture) const fn patience(&self) -> Duration {
        self.patience
    }

    /// See [`crate::capture::live::Live::is_gone`].
    pub(in crate::capture) fn is_gone(&self) -> bool {
        self.attached.is_gone()
    }

    /// See [`crate::capture::live::Live::quiet_since`].
    pub(in crate::capture) fn quiet_since(&self, now: Timestamp) -> Timestamp {
        let reached = if self.ring.is_empty() { now } else { self.last.min(now) };
        reached.minus(HELD_BACK)
    }

    /// As [`crate::capture::Source::stats`]. Packets that found the ring full are not among
    /// `dropped`: they were counted, see [`egret_ebpf::Totals::ring_full`].
    pub(in crate::capture) fn stats(&self) -> Stats {
        let mut stats = self.stats.clone();
        if let Some(whole) = &self.whole {
            stats.kernel = Some(whole.kernel(self.telling.last()));
            stats.notes.extend(whole.overflow.failure().map(|error| {
                format!("what was counted in the overflow map could not be read: {error}")
            }));
        }
        stats
    }
}

/// Readable when something lies in the ring.
impl AsFd for Fast {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ring.as_fd()
    }
}

impl Marks {
    /// Where to say that the direction which a packet belongs to was read enough.
    fn of(&self, head: &Handed) -> Option<Mark<'_>> {
        let place = match (head.slot, head.version) {
            (NO_SLOT, _) => None,
            (slot, 4) => View::<Key4>::new(&self.v4, slot as usize).map(View::read_enough),
            (slot, 6) => View::<Key6>::new(&self.v6, slot as usize).map(View::read_enough),
            _ => None,
        };
        place.map(|place| Mark::new(place, head.sequence))
    }
}

/// A record that makes no sense.
struct Invalid;

/// A slot gave way.
struct Gone {
    /// What it had to tell.
    counted: Option<Counted>,
    /// Whether what comes next belongs to another connection.
    reopened: bool,
}

impl Tables {
    fn evicted(&mut self, record: &[u8], telling: &Telling) -> Result<Gone, Invalid> {
        match record::kind(record) {
            Some(kind::EVICTED_4) => evicted(&mut self.v4, record, telling),
            Some(kind::EVICTED_6) => evicted(&mut self.v6, record, telling),
            _ => Err(Invalid),
        }
    }
}

fn evicted<K: Key>(
    table: &mut Table<K>,
    record: &[u8],
    telling: &Telling,
) -> Result<Gone, Invalid> {
    let record: Evicted<K> = read(record).ok_or(Invalid)?;
    let told = table.evicted(&record).map_err(|Foreign| Invalid)?;
    let counted = told.map(|told| telling.counted(&told));
    Ok(Gone { counted, reopened: record.reopened != 0 })
}

impl Interface {
    fn new(whole: Whole, control: Arc<Mapping>, shape: Shape) -> Self {
        let overflow = Overflow::new(whole.overflow, control, shape.cpus);
        Self { totals: whole.totals, overflow, shape }
    }

    fn scan(&mut self) -> Totals {
        let totals = totals::sum(&self.totals, self.shape.cpus);
        self.overflow.scan(totals.overflow);
        totals
    }

    fn kernel(&self, last: Option<Timestamp>) -> Kernel {
        let Shape { cpus, rings, sets4, sets6 } = self.shape;
        let slots = cpus * rings * (sets4 + sets6) * WAYS as usize;
        Kernel { totals: totals::sum(&self.totals, cpus), slots: slots as u64, last }
    }
}

#[cfg(test)]
mod tests;
