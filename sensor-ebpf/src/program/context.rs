//! What a packet is to XDP and to tc, behind one face.

use aya_ebpf::bindings::{__sk_buff, xdp_md};
use aya_ebpf::cty::c_void;
use aya_ebpf::helpers::generated::{
    bpf_skb_load_bytes, bpf_skb_pull_data, bpf_xdp_get_buff_len, bpf_xdp_load_bytes,
};

use egret_ebpf::TAGGED;

use crate::cursor::{Cursor, Word};
use crate::ip::TCP;
use crate::link::{ETHERNET, IPV4, IPV6};
use crate::maps;

/// Headers are read within so many bytes: Ethernet with two tags, two IPv6 headers with some
/// extensions and a tunnel between them, TCP without its last options.
const HEADERS: u32 = 192;

/// A packet.
pub(crate) trait Context {
    /// Where its bytes lie: those that can be read in place, which may not be all.
    fn start(&self) -> usize;
    /// Behind the last of them.
    fn end(&self) -> usize;
    /// Its bytes.
    fn length(&self) -> u32;
    /// As how many segments it goes over the wire, with so many bytes above the headers in all of them.
    /// (The kernel's own `wire_len` does not hold at the ingress of tc.)
    fn segments(&self, payload: u32) -> u32;
    /// The VLAN tag that the kernel took out, as [`egret_ebpf::Handed::vlan`] has it.
    fn vlan(&self) -> u32;
    /// Copies its first `length` bytes.
    ///
    /// # Safety
    /// There is memory for so many at `to`.
    unsafe fn copy(&self, to: *mut c_void, length: u32) -> bool;
}

/// A frame in a driver, or what generic XDP makes look like one.
pub(crate) struct Xdp(*mut xdp_md);

impl Xdp {
    #[inline(always)]
    pub(crate) const fn new(context: *mut xdp_md) -> Self {
        Self(context)
    }

    /// Whether it is addressed to the interface itself.
    #[inline(always)]
    pub(crate) fn is_to_this_host(&self) -> bool {
        let start = self.start();
        if start + 8 > self.end() {
            return false;
        }
        // SAFETY: the eight bytes lie in the packet, as was just seen.
        let first = unsafe { u64::load(start) };
        u64::from_le(first) & 0xffff_ffff_ffff == maps::own_mac()
    }
}

impl Context for Xdp {
    #[inline(always)]
    fn start(&self) -> usize {
        // SAFETY: the kernel gave the pointer.
        unsafe { (*self.0).data as usize }
    }

    #[inline(always)]
    fn end(&self) -> usize {
        // SAFETY: the kernel gave the pointer.
        unsafe { (*self.0).data_end as usize }
    }

    #[inline(always)]
    fn length(&self) -> u32 {
        // SAFETY: the kernel gave the pointer.
        (unsafe { bpf_xdp_get_buff_len(self.0) }) as u32
    }

    #[inline(always)]
    fn segments(&self, _payload: u32) -> u32 {
        1
    }

    #[inline(always)]
    fn vlan(&self) -> u32 {
        0
    }

    #[inline(always)]
    unsafe fn copy(&self, to: *mut c_void, length: u32) -> bool {
        // SAFETY: the caller has the memory; the kernel checks the packet's end.
        (unsafe { bpf_xdp_load_bytes(self.0, 0, to, length) }) == 0
    }
}

/// A packet of the stack.
pub(crate) struct Skb(*mut __sk_buff);

impl Skb {
    /// Has its headers where they can be read in place.
    ///
    /// The kernel makes a packet writable for that: of one that is shared, as all are that TCP keeps to
    /// send them again, it copies the head, which takes longer than all of counting. So it is asked for
    /// only where headers may be missing.
    #[inline(always)]
    pub(crate) fn new(context: *mut __sk_buff) -> Self {
        let skb = Self(context);
        let length = skb.length();
        let headers = if length < HEADERS { length } else { HEADERS };
        if skb.start() + headers as usize > skb.end() && !skb.is_plain_tcp() {
            // SAFETY: the kernel gave the pointer. Where it fails, what lies there already is all that
            // is read.
            let _ = unsafe { bpf_skb_pull_data(context, headers) };
        }
        skb
    }

    /// Whether it is TCP right behind Ethernet and IP, and all three headers can be read in place.
    #[inline(always)]
    fn is_plain_tcp(&self) -> bool {
        let cursor = Cursor::new(self);
        let tcp = match cursor.short(ETHERNET - 2) {
            Some(IPV4) if cursor.peek(ETHERNET + 9) == Some(TCP) => {
                ETHERNET + usize::from(cursor.peek::<u8>(ETHERNET).unwrap_or(0) & 0x0f) * 4
            }
            Some(IPV6) if cursor.peek(ETHERNET + 6) == Some(TCP) => ETHERNET + 40,
            _ => return false,
        };
        let Some(words) = cursor.peek::<u8>(tcp + 12) else { return false };
        self.start() + tcp + usize::from(words >> 4) * 4 <= self.end()
    }

    #[inline(always)]
    const fn fields(&self) -> &__sk_buff {
        // SAFETY: the kernel gave the pointer.
        unsafe { &*self.0 }
    }
}

impl Context for Skb {
    #[inline(always)]
    fn start(&self) -> usize {
        self.fields().data as usize
    }

    #[inline(always)]
    fn end(&self) -> usize {
        self.fields().data_end as usize
    }

    #[inline(always)]
    fn length(&self) -> u32 {
        self.fields().len
    }

    #[inline(always)]
    fn segments(&self, payload: u32) -> u32 {
        let skb = self.fields();
        match (skb.gso_size, skb.gso_segs) {
            (0, _) => 1,
            // From a guest or a host of virtual machines (virtio), whose word the kernel does not take.
            (size, 0) => (payload + size - 1).checked_div(size).unwrap_or(1).max(1),
            (_, segments) => segments,
        }
    }

    #[inline(always)]
    fn vlan(&self) -> u32 {
        let skb = self.fields();
        if skb.vlan_present != 0 { skb.vlan_tci & 0xffff | TAGGED } else { 0 }
    }

    #[inline(always)]
    unsafe fn copy(&self, to: *mut c_void, length: u32) -> bool {
        // SAFETY: the caller has the memory; the kernel checks the packet's end.
        (unsafe { bpf_skb_load_bytes(self.0.cast(), 0, to, length) }) == 0
    }
}
