//! The kernel's side, for tests: a ring written as the kernel writes it, and a program that counts in
//! slots as the real one does.

use std::collections::HashMap;
use std::io;
use std::mem::offset_of;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::fence;

use egret_ebpf::{Count, Evicted, Handed, Key4, Slot, TAKEN, WAYS, kind};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

use super::clock;
use super::mapping::Mapping;
use super::parts::{Attached, Parts, Shape};

/// Memory that can be mapped more than once.
pub(super) fn memory(bytes: usize) -> OwnedFd {
    let memory = memfd_create("egret-test", MemfdFlags::CLOEXEC).unwrap();
    ftruncate(&memory, bytes as u64).unwrap();
    memory
}

/// A real map, where that is permitted.
pub(super) fn map(
    kind: u32,
    key: usize,
    value: usize,
    entries: usize,
    flags: u32,
) -> io::Result<OwnedFd> {
    let attributes = [kind, key as u32, value as u32, entries as u32, flags];
    let map = bpf(MAP_CREATE, &attributes)?;
    #[expect(unsafe_code, reason = "the descriptor is new")]
    // SAFETY: nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(map) })
}

/// bpf(2), with a part of `union bpf_attr`.
pub(super) fn bpf<T>(command: libc::c_long, attributes: &T) -> io::Result<i32> {
    #[expect(unsafe_code, reason = "aya makes maps out of objects only")]
    // SAFETY: the kernel reads so many bytes, and what they point to in these tests lives.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, command, &raw const *attributes, size_of::<T>()) };
    i32::try_from(result).ok().filter(|result| *result >= 0).ok_or_else(io::Error::last_os_error)
}

/// The bytes of a struct without padding.
pub(super) fn bytes_of<T: Copy>(value: &T) -> &[u8] {
    #[expect(unsafe_code, reason = "the structs of the kernel are of a crate without dependencies")]
    // SAFETY: called with structs that have no padding.
    unsafe {
        std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>())
    }
}

const MAP_CREATE: libc::c_long = 0;

pub(super) const BUSY: u32 = 1 << 31;
const PAGE: usize = 4096;

/// The writing end of a ring. What is mapped twice by the kernel is written twice here.
pub(super) struct Writer {
    memory: OwnedFd,
    map: Mapping,
    bytes: u64,
    producer: u64,
}

impl Writer {
    /// A ring whose positions are `start`, to have it wrap where a test wants it.
    pub(super) fn new(bytes: usize, start: u64) -> Self {
        let size = 2 * PAGE + 2 * bytes;
        let memory = memory(size);
        let map = Mapping::new(&memory, size).unwrap();
        map.word64(0).unwrap().store(start, Relaxed);
        map.word64(PAGE).unwrap().store(start, Relaxed);
        Self { memory, map, bytes: bytes as u64, producer: start }
    }

    pub(super) fn descriptor(&self) -> OwnedFd {
        self.memory.try_clone().unwrap()
    }

    /// A record of so many bytes, still busy; where it is.
    pub(super) fn reserve(&mut self, length: usize) -> Option<u64> {
        let (at, step) = (self.producer, (8 + length as u64).next_multiple_of(8));
        let used = at + step - self.map.word64(0).unwrap().load(Acquire);
        if used >= self.bytes {
            return None;
        }
        self.header(at, length as u32 | BUSY);
        self.producer = at + step;
        self.map.word64(PAGE).unwrap().store(self.producer, Release);
        Some(at)
    }

    pub(super) fn submit(&self, at: u64, record: &[u8]) {
        for (number, chunk) in record.chunks(4).enumerate() {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(at + 8 + 4 * number as u64, u32::from_ne_bytes(word));
        }
        self.header(at, record.len() as u32);
    }

    pub(super) fn header(&self, at: u64, header: u32) {
        fence(Release);
        self.word(at, header);
    }

    fn word(&self, at: u64, word: u32) {
        let at = at % self.bytes;
        for copy in [at, at + self.bytes] {
            self.map.word32(2 * PAGE + copy as usize).unwrap().store(word, Release);
        }
    }

    pub(super) fn push(&mut self, record: &[u8]) -> bool {
        let Some(at) = self.reserve(record.len()) else { return false };
        self.submit(at, record);
        true
    }
}

/// A program that nobody has to take off.
#[derive(Debug)]
pub(super) struct Nothing;

impl Attached for Nothing {
    fn detach(&self) {}

    fn is_gone(&self) -> bool {
        false
    }
}

/// Ring number of the model, of two.
const RING: usize = 1;

/// Flows from so many on arrive at the second processor.
pub(super) const CPU: u8 = 32;

/// How the model's tables are cut.
pub(super) const SHAPE: Shape = Shape { cpus: 2, rings: 2, sets4: 2, sets6: 1 };

/// The program, on all processors; flows are told apart by a number.
pub(super) struct Kernel {
    pub(super) ring: Writer,
    slots4: OwnedFd,
    slots: Mapping,
    /// A takeover that stopped in the middle, and how far it came.
    half: Option<Takeover>,
    /// Packets and bytes of each flow.
    pub(super) sent: HashMap<u8, (u64, u64)>,
    /// Of them, those that found no slot and no room for a record.
    pub(super) overflow: HashMap<u8, (u64, u64)>,
    /// Packets of each flow that were counted in slots.
    counted: HashMap<u8, u64>,
}

struct Takeover {
    index: usize,
    flow: u8,
    sequence: u32,
    odd: bool,
}

/// Where a takeover stops until the kernel's next step.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    Submitted,
    Odd,
    Never,
}

pub(super) fn add(sums: &mut HashMap<u8, (u64, u64)>, flow: u8, packets: u64, bytes: u64) {
    let sum = sums.entry(flow).or_default();
    *sum = (sum.0 + packets, sum.1 + bytes);
}

impl Kernel {
    /// With a ring of `bytes`, and slots whose sequences are `sequence`.
    pub(super) fn new(bytes: usize, sequence: u32) -> Self {
        let count = SHAPE.cpus * SHAPE.rings * SHAPE.sets4 * WAYS as usize;
        let size = count * size_of::<Slot<Key4>>();
        let slots4 = memory(size);
        let slots = Mapping::new(&slots4, size).unwrap();
        let kernel = Self {
            ring: Writer::new(bytes, 0_u64.wrapping_sub(bytes as u64 / 2) >> 1),
            slots4,
            slots,
            half: None,
            sent: HashMap::new(),
            overflow: HashMap::new(),
            counted: HashMap::new(),
        };
        for index in 0..count {
            kernel.set32(index, offset_of!(Slot<Key4>, sequence), sequence);
        }
        kernel
    }

    pub(super) fn parts(&self) -> Parts {
        let count = SHAPE.cpus * SHAPE.rings * SHAPE.sets4 * WAYS as usize;
        let map = |descriptor, size| Arc::new(Mapping::new(descriptor, size).unwrap());
        let [touched4, touched6, control] = [0, 1, 2].map(|_| memory(1 << 12));
        Parts {
            ring: self.ring.descriptor(),
            ring_bytes: self.ring.bytes as usize,
            ring_number: RING,
            slots4: map(&self.slots4, count * size_of::<Slot<Key4>>()),
            slots6: map(&memory(1 << 16), 1 << 16),
            touched: [&touched4, &touched6].map(|memory| map(memory, 1 << 12)),
            control: map(&control, 1 << 12),
            shape: SHAPE,
            snaplen: 65_535,
            last: Arc::default(),
            attached: Arc::new(Nothing),
            whole: None,
        }
    }

    /// A packet of a flow, whose number says where it arrives; a SYN opens its connection anew.
    pub(super) fn packet(&mut self, flow: u8, length: u32, syn: bool, stop: Stop) {
        self.finish();
        add(&mut self.sent, flow, 1, length.into());
        let set = RING * SHAPE.sets4 + usize::from(flow) % SHAPE.sets4;
        let set = usize::from(flow / CPU) * SHAPE.rings * SHAPE.sets4 + set;
        let ways: [usize; WAYS as usize] = std::array::from_fn(|way| set * WAYS as usize + way);
        let own = ways.into_iter().find(|index| self.flow(*index) == flow);
        let quiet = ways.into_iter().min_by_key(|index| self.count_of(*index).last);
        let index = own.or(quiet).unwrap();
        let reopened = own.is_some();
        // Only what this slot has counted is told for sure before the SYN, and all that was before.
        let before = match self.count_of(index).packets {
            0 => 0,
            _ => self.counted.get(&flow).copied().unwrap_or(0),
        };
        if reopened && !syn {
            self.count(index, flow, length);
        } else if self.take(index, flow, reopened, stop) {
            self.hand_up(index, flow, length, if reopened { before } else { 0 });
        } else if reopened {
            self.count(index, flow, length);
        } else {
            add(&mut self.overflow, flow, 1, length.into());
        }
    }

    /// Ends a takeover that stopped in the middle.
    pub(super) fn finish(&mut self) {
        let Some(Takeover { index, flow, sequence, odd }) = self.half.take() else { return };
        if !odd {
            self.set32(index, offset_of!(Slot<Key4>, sequence), sequence.wrapping_add(1));
            fence(Release);
        }
        self.set32(index, offset_of!(Slot<Key4>, key), u32::from_ne_bytes([10, 0, 0, flow]));
        for field in
            [offset_of!(Count, packets), offset_of!(Count, bytes), offset_of!(Count, first)]
        {
            self.set64(index, field, 0);
        }
        let at = index * size_of::<Slot<Key4>>() + offset_of!(Slot<Key4>, sequence);
        self.slots.word32(at).unwrap().store(sequence.wrapping_add(TAKEN), Release);
    }

    /// Takes a slot, whose counts go up first; not without room for them.
    fn take(&mut self, index: usize, flow: u8, reopened: bool, stop: Stop) -> bool {
        let sequence = self.sequence(index);
        let count = self.count_of(index);
        if count.packets > 0 {
            let key = Key4 { source: [10, 0, 0, self.flow(index)], ..Key4::default() };
            let record = Evicted {
                kind: kind::EVICTED_4,
                index: index as u32,
                reopened: reopened.into(),
                sequence,
                key,
                count,
            };
            if !self.ring.push(bytes_of(&record)) {
                return false;
            }
        }
        self.half = Some(Takeover { index, flow, sequence, odd: false });
        match stop {
            Stop::Submitted => {}
            Stop::Odd => {
                self.set32(index, offset_of!(Slot<Key4>, sequence), sequence.wrapping_add(1));
                fence(Release);
                self.set32(
                    index,
                    offset_of!(Slot<Key4>, key),
                    u32::from_ne_bytes([10, 0, 0, flow]),
                );
                self.half.as_mut().unwrap().odd = true;
            }
            Stop::Never => self.finish(),
        }
        true
    }

    /// A record of the packet, which says of which flow it is, and how many of its packets are to have
    /// been told before; without room for that it is counted.
    fn hand_up(&mut self, index: usize, flow: u8, length: u32, before: u64) {
        let sequence = self
            .half
            .as_ref()
            .map_or_else(|| self.sequence(index), |half| half.sequence.wrapping_add(TAKEN));
        let head = Handed {
            kind: kind::PACKET,
            captured: 9,
            wire_len: length,
            time: clock::monotonic(),
            slot: index as u32,
            sequence,
            version: 4,
            ..Handed::default()
        };
        let mut record = bytes_of(&head).to_vec();
        record.push(flow);
        record.extend(before.to_ne_bytes());
        record.resize(128, 0);
        if !self.ring.push(&record) {
            self.finish();
            self.count(index, flow, length);
        }
    }

    fn count(&mut self, index: usize, flow: u8, length: u32) {
        *self.counted.entry(flow).or_default() += 1;
        let Count { packets, bytes, first, .. } = self.count_of(index);
        let now = clock::monotonic();
        if first == 0 {
            self.set64(index, offset_of!(Count, first), now);
        }
        self.set64(index, offset_of!(Count, last), now);
        self.set64(index, offset_of!(Count, bytes), bytes + u64::from(length));
        self.set64(index, offset_of!(Count, packets), packets + 1);
    }

    fn flow(&self, index: usize) -> u8 {
        let at = index * size_of::<Slot<Key4>>() + offset_of!(Slot<Key4>, key);
        self.slots.word32(at).unwrap().load(Relaxed).to_ne_bytes()[3]
    }

    pub(super) fn sequence(&self, index: usize) -> u32 {
        let at = index * size_of::<Slot<Key4>>() + offset_of!(Slot<Key4>, sequence);
        self.slots.word32(at).unwrap().load(Relaxed)
    }

    fn count_of(&self, index: usize) -> Count {
        let at = index * size_of::<Slot<Key4>>() + offset_of!(Slot<Key4>, count);
        let word = |field| self.slots.word64(at + field).unwrap().load(Relaxed);
        Count {
            packets: word(offset_of!(Count, packets)),
            bytes: word(offset_of!(Count, bytes)),
            first: word(offset_of!(Count, first)),
            last: word(offset_of!(Count, last)),
            ..Count::default()
        }
    }

    fn set32(&self, index: usize, field: usize, value: u32) {
        self.slots.word32(index * size_of::<Slot<Key4>>() + field).unwrap().store(value, Relaxed);
    }

    fn set64(&self, index: usize, field: usize, value: u64) {
        let at = index * size_of::<Slot<Key4>>() + offset_of!(Slot<Key4>, count) + field;
        self.slots.word64(at).unwrap().store(value, Relaxed);
    }
}
