//! A packet's way through the program.

use aya_ebpf::helpers::generated::bpf_ktime_get_coarse_ns;
use egret_ebpf::{Control, Key4, Key6, Totals};

use crate::context::Context;
use crate::cursor::Cursor;
use crate::{duplicates, flow, hand_up, ip, link, maps};

/// What the program understands of a packet: of the innermost one, in a tunnel.
///
/// It lies in a map and not on the stack: the verifier follows values on the stack, and would go
/// through everything behind the headers once for each way to read them.
pub(crate) struct Packet {
    /// Whose it is, over IPv4.
    pub(crate) key4: Key4,
    /// The like over IPv6.
    pub(crate) key6: Key6,
    /// Where what counts to the flow begins: at the frame's start, or in a tunnel at the inner one's.
    pub(crate) begin: u32,
    /// Where it ends.
    pub(crate) end: u32,
    /// Where the headers end that each segment has.
    pub(crate) headers: u32,
    /// Bytes above the last header.
    pub(crate) payload: u32,
    /// Ports, for protocols with ports.
    pub(crate) ports: [u16; 2],
    /// The first byte of what UDP carries, and the word behind it: a version, if that is QUIC.
    pub(crate) first: u8,
    pub(crate) version: u32,
    /// TCP's flags.
    pub(crate) tcp_flags: u8,
    /// IP protocol number.
    pub(crate) protocol: u8,
    /// Whether it was longer than what is there of it, by its own word: a mirror cuts packets.
    pub(crate) is_cut: bool,
}

impl Packet {
    /// Makes it ready for the next packet. Keys are written before they are read.
    #[inline(always)]
    fn clear(&mut self) {
        self.begin = 0;
        self.headers = 0;
        self.payload = 0;
        self.ports = [0; 2];
        self.first = 0;
        self.tcp_flags = 0;
        self.protocol = 0;
        self.is_cut = false;
    }
}

/// How far a packet was understood.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Understood {
    /// To its flow over IPv4, in `key4`.
    Flow4,
    /// To its flow over IPv6, in `key6`.
    Flow6,
    /// It is whole no more, or of a kind that only user space reads.
    Part,
    /// Not at all.
    Nothing,
}

/// Counts a packet, to its flow as far as it can be told.
#[inline(always)]
pub(crate) fn count(context: &impl Context, control: &Control) {
    let Some(totals) = maps::totals() else { return };
    let Some(packet) = maps::packet() else { return };
    packet.clear();
    let mut cursor = Cursor::new(context);
    let version = link::skip(&mut cursor);
    let length = context.length();
    packet.end = length;
    // SAFETY: the helper has no conditions. A tick is exact enough for counting, and costs a third.
    let now = unsafe { bpf_ktime_get_coarse_ns() };
    // Before anything else: no pointer into the packet is left when its flow is looked up, and the
    // verifier need not follow each way to read headers through all that comes then.
    if control.copies != 0
        && let Some(version) = version
        && duplicates::is_copy(cursor, length.saturating_sub(cursor.offset), version, now)
    {
        totals.packets += 1;
        totals.bytes += u64::from(length);
        totals.duplicates += 1;
        return;
    }
    let understood = match version {
        Some(version) => ip::read(context, packet, cursor, version, totals),
        None => Understood::Nothing,
    };
    let wire_len = wire_len(context, 0, length, packet.headers);
    totals.packets += 1;
    totals.bytes += u64::from(wire_len);
    match understood {
        Understood::Flow4 => flow::count(context, packet, &packet.key4, (wire_len, now), totals),
        Understood::Flow6 => flow::count(context, packet, &packet.key6, (wire_len, now), totals),
        Understood::Part => whole(context, wire_len, totals),
        Understood::Nothing => {
            totals.unparsed += 1;
            whole(context, wire_len, totals);
        }
    }
}

/// Bytes on the wire of what lies from `begin` to `end` in a packet. Segments that go through the
/// stack as one have one header there, and one each on the wire.
#[inline(always)]
pub(crate) fn wire_len(context: &impl Context, begin: u32, end: u32, headers: u32) -> u32 {
    const TAG: u32 = 4;
    let segments = context.segments(end.saturating_sub(headers));
    let tag = if context.vlan() != 0 && begin == 0 { TAG } else { 0 };
    end - begin + (segments - 1) * (headers - begin) + segments * tag
}

/// Hands up a packet that has no slot.
#[inline(always)]
fn whole(context: &impl Context, wire_len: u32, totals: &mut Totals) {
    if hand_up::packet(context, 0, wire_len, &hand_up::NOWHERE, totals) {
        totals.handed += 1;
        totals.handed_bytes += u64::from(wire_len);
    } else {
        totals.ring_full += 1;
        totals.unattributed += 1;
        totals.unattributed_bytes += u64::from(wire_len);
    }
}
