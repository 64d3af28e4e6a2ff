//! Maps, and what user space has set before loading.

use core::ptr::read_volatile;

use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray, PerCpuHashMap, RingBuf};
use egret_ebpf::{Control, Count, Key4, Key6, Set, Totals, Touched, action};

use crate::packet::Packet;

/// User space reads and writes the map in its own memory.
const MMAPABLE: u32 = 1 << 10;

/// Flows that may be counted without a slot.
const OVERFLOW: u32 = 16_384;

/// Memory is taken when it is needed: hardly ever, and for each possible processor.
const NO_PREALLOC: u32 = 1;

#[map]
pub(crate) static SLOTS4: Array<Set<Key4>> = Array::with_max_entries(1, MMAPABLE);
#[map]
pub(crate) static SLOTS6: Array<Set<Key6>> = Array::with_max_entries(1, MMAPABLE);
#[map]
pub(crate) static TOUCHED4: Array<Touched> = Array::with_max_entries(1, MMAPABLE);
#[map]
pub(crate) static TOUCHED6: Array<Touched> = Array::with_max_entries(1, MMAPABLE);
#[map]
static TOTALS: Array<Totals> = Array::with_max_entries(1, MMAPABLE);
#[map]
static CONTROL: Array<Control> = Array::with_max_entries(1, MMAPABLE);
/// What the duplicates were last seen with: a part a processor.
#[map]
pub(crate) static SEEN: Array<u64> = Array::with_max_entries(1, 0);
#[map]
pub(crate) static OVERFLOW0: PerCpuHashMap<Key6, Count> =
    PerCpuHashMap::with_max_entries(OVERFLOW, NO_PREALLOC);
#[map]
pub(crate) static OVERFLOW1: PerCpuHashMap<Key6, Count> =
    PerCpuHashMap::with_max_entries(OVERFLOW, NO_PREALLOC);
#[map]
pub(crate) static RING0: RingBuf = RingBuf::with_byte_size(4096, 0);
#[map]
pub(crate) static RING1: RingBuf = RingBuf::with_byte_size(4096, 0);
#[map]
pub(crate) static RING2: RingBuf = RingBuf::with_byte_size(4096, 0);
#[map]
pub(crate) static RING3: RingBuf = RingBuf::with_byte_size(4096, 0);
#[map]
pub(crate) static RING4: RingBuf = RingBuf::with_byte_size(4096, 0);
#[map]
pub(crate) static RING5: RingBuf = RingBuf::with_byte_size(4096, 0);
#[map]
pub(crate) static RING6: RingBuf = RingBuf::with_byte_size(4096, 0);
#[map]
pub(crate) static RING7: RingBuf = RingBuf::with_byte_size(4096, 0);

/// Makes a constant that user space sets before it loads the program.
macro_rules! setting {
    ($(#[$doc:meta])* $name:ident, $function:ident, $kind:ty, $default:expr) => {
        #[unsafe(no_mangle)]
        static $name: $kind = $default;

        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $function() -> $kind {
            // SAFETY: it is always initialised; volatile, because the loader writes another value.
            unsafe { read_volatile(&raw const $name) }
        }
    };
}

setting!(
    /// Rings in use.
    RINGS, rings, u32, 1
);
setting!(
    /// Sets for IPv4 in one ring's share of one processor's part: an even number.
    SETS4, sets4, u32, 1
);
setting!(
    /// The like for IPv6.
    SETS6, sets6, u32, 1
);
setting!(
    /// What makes hashes differ from those of others.
    SEED, seed, u64, 0
);
setting!(
    /// More of it.
    SEED2, seed2, u64, 0
);
setting!(
    /// The interface's own address: its first byte is the lowest.
    OWN_MAC, own_mac, u64, 0
);
setting!(
    /// Bytes of a frame that go up at most.
    SNAPLEN, snaplen, u32, 65_535
);
setting!(
    /// Packets go up while no more bytes than this wait in the ring; what is above is for evictions.
    RING_ROOM, ring_room, u64, 3072
);
setting!(
    /// A reader is woken when more bytes than this wait for it.
    RING_WAKE, ring_wake, u64, 1024
);

/// The packet that this processor deals with.
#[map]
static PACKET: PerCpuArray<Packet> = PerCpuArray::with_max_entries(1, 0);

/// The processor that the program runs on; it stays there to its end.
#[inline(always)]
pub(crate) fn processor() -> u32 {
    // SAFETY: the helper has no conditions.
    unsafe { bpf_get_smp_processor_id() }
}

/// This processor's counters.
#[inline(always)]
pub(crate) fn totals() -> Option<&'static mut Totals> {
    let totals = TOTALS.get_ptr_mut(processor())?;
    // SAFETY: the pointer is to this processor's own item, which only this program writes, and which
    // lasts as long as the map. User space reads it word by word.
    Some(unsafe { &mut *totals })
}

/// Where to write down what is read of the packet.
#[inline(always)]
pub(crate) fn packet() -> Option<&'static mut Packet> {
    let packet = PACKET.get_ptr_mut(0)?;
    // SAFETY: the pointer is to this processor's own item, and the program runs to its end before it
    // runs again on the same processor.
    Some(unsafe { &mut *packet })
}

/// What user space has to say now.
#[inline(always)]
pub(crate) fn control() -> Control {
    const NOTHING: Control = Control { action: action::PASS, epoch: 0, copies: 0, unused: 0 };
    let Some(control) = CONTROL.get_ptr(0) else { return NOTHING };
    // SAFETY: the pointer is to the map's only item; user space writes it word by word.
    unsafe { read_volatile(control) }
}
