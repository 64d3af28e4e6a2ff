//! The overflow maps: packets whose flow found no slot, while the ring had no room for the record
//! that makes one free.
//!
//! The program writes one of two hash maps, with a value for each processor. User space has it
//! write the other, waits until no program of before runs, and then takes everything out of
//! the first: nobody writes there any more, so nothing is lost between reading and deleting.

use std::collections::VecDeque;
use std::io;
use std::mem::offset_of;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use egret_ebpf::{Control, Count, Key6};

use super::grace;
use super::key::{Either, Told};
use super::mapping::Mapping;

/// `BPF_MAP_LOOKUP_AND_DELETE_BATCH`.
const TAKE_BATCH: libc::c_long = 25;

/// Entries asked for at a time, at first: the kernel gives whole buckets of its table only.
const BATCH: usize = 256;

/// Both maps.
#[derive(Debug)]
pub(super) struct Overflow {
    maps: [OwnedFd; 2],
    control: Arc<Mapping>,
    cpus: usize,
    /// Packets that had come to the maps when one was last emptied.
    seen: u64,
    /// The map that is emptied.
    taking: Option<Taking>,
    ready: VecDeque<Told<Either>>,
    /// Why a map could not be emptied.
    failure: Option<io::Error>,
}

/// How far a map was emptied.
#[derive(Debug)]
struct Taking {
    map: usize,
    /// What the kernel knows its place by; it fits in here.
    place: Option<u64>,
    entries: usize,
}

/// `union bpf_attr`, its `batch` part.
#[derive(Default)]
#[repr(C)]
struct Attributes {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map: u32,
    element_flags: u64,
    flags: u64,
}

impl Overflow {
    /// `cpus` is how many processors there may ever be, see [`super::parts::Shape::cpus`].
    pub(super) const fn new(maps: [OwnedFd; 2], control: Arc<Mapping>, cpus: usize) -> Self {
        Self { maps, control, cpus, seen: 0, taking: None, ready: VecDeque::new(), failure: None }
    }

    /// Begins to take out what has come, where `packets` have come in all.
    pub(super) fn scan(&mut self, packets: u64) {
        if packets == self.seen || self.taking.is_some() {
            return;
        }
        let Some(epoch) = self.control.word32(offset_of!(Control, epoch)) else { return };
        let map = epoch.load(Relaxed) & 1;
        epoch.store(1 - map, SeqCst);
        grace::wait();
        // What came after `packets` was read is taken too, and looked for once more next time.
        self.seen = packets;
        self.taking = Some(Taking { map: map as usize, place: None, entries: BATCH });
    }

    /// What was counted of the next flow, until all was taken.
    pub(super) fn next(&mut self) -> Option<Told<Either>> {
        loop {
            if let Some(told) = self.ready.pop_front() {
                return Some(told);
            }
            let taking = self.taking.as_mut()?;
            let map = self.maps.get(taking.map)?;
            match taking.batch(map, self.cpus, &mut self.ready) {
                Ok(true) => {}
                Ok(false) => self.taking = None,
                Err(failure) => {
                    self.failure = Some(failure);
                    self.taking = None;
                }
            }
        }
    }

    /// Why some of what was counted could not be had.
    pub(super) const fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }
}

impl Taking {
    /// Takes out some entries; whether there may be more.
    fn batch(
        &mut self,
        map: &OwnedFd,
        cpus: usize,
        ready: &mut VecDeque<Told<Either>>,
    ) -> io::Result<bool> {
        let mut keys = vec![Either(Key6::default()); self.entries];
        let mut values = vec![Count::default(); self.entries * cpus];
        let mut next = 0_u64;
        let mut attributes = Attributes {
            in_batch: self.place.as_ref().map_or(0, |place| (&raw const *place).addr() as u64),
            out_batch: (&raw mut next).expose_provenance() as u64,
            keys: keys.as_mut_ptr().expose_provenance() as u64,
            values: values.as_mut_ptr().expose_provenance() as u64,
            count: self.entries as u32,
            map: map.as_raw_fd() as u32,
            ..Attributes::default()
        };
        let size = size_of::<Attributes>();
        #[expect(unsafe_code, reason = "aya does not have batches")]
        // SAFETY: `keys` has room for as many keys as `count` says, `values` for a value of each
        // processor with each, `place` and `next` for a number of a bucket, which has four bytes. Any bytes
        // make a key or a value.
        let result = unsafe { libc::syscall(libc::SYS_bpf, TAKE_BATCH, &raw mut attributes, size) };
        let error = (result != 0).then(io::Error::last_os_error);
        match error.as_ref().and_then(io::Error::raw_os_error) {
            // A bucket that has more entries.
            Some(libc::ENOSPC) => {
                self.entries *= 2;
                return Ok(true);
            }
            None | Some(libc::ENOENT) => {}
            Some(_) => return error.map_or(Ok(false), Err),
        }
        let flows = keys.iter().zip(values.chunks_exact(cpus.max(1)));
        ready.extend(flows.take(attributes.count as usize).map(|(key, values)| sum(*key, values)));
        self.place = Some(next);
        Ok(error.is_none())
    }
}

/// What all processors have counted of a flow.
fn sum(key: Either, values: &[Count]) -> Told<Either> {
    let mut sum = Count { first: u64::MAX, ..Count::default() };
    for count in values.iter().filter(|count| count.packets > 0) {
        sum.packets += count.packets;
        sum.bytes += count.bytes;
        sum.first = sum.first.min(count.first);
        sum.last = sum.last.max(count.last);
        sum.tcp_flags |= count.tcp_flags;
    }
    Told { key, count: sum }
}

#[cfg(test)]
mod tests;
