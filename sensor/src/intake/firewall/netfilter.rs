//! Lines of the target `LOG` and of nftables' `log`:
//! `[12.345] PREFIX IN=eth0 OUT=eth1 MAC=… SRC=10.0.0.1 DST=203.0.113.9 LEN=60 … PROTO=TCP SPT=50000
//! DPT=443 WINDOW=64240 RES=0x00 SYN URGP=0`.

use super::{MAX_WORDS, packet, protocol};
use crate::decode::tcp_flags;
use crate::event::FlowRecord;

/// Words of a prefix that say that the packet goes no further.
const BLOCKED: [&str; 12] = [
    "drop",
    "drops",
    "dropped",
    "block",
    "blocked",
    "deny",
    "denied",
    "reject",
    "rejected",
    "discard",
    "discarded",
    "blk",
];
/// Words for flags, and which they are.
const FLAGS: [(&str, u8); 5] = [
    ("SYN", tcp_flags::SYN),
    ("ACK", tcp_flags::ACK),
    ("FIN", tcp_flags::FIN),
    ("RST", tcp_flags::RST),
    ("PSH", tcp_flags::PSH),
];

/// What a line says.
pub(super) fn read(body: &str) -> Option<FlowRecord> {
    let at = start(body)?;
    let (prefix, fields) = body.split_at_checked(at)?;
    // Behind a bracket is the header of the packet that an ICMP error is about.
    let fields = fields.split_once(" [").map_or(fields, |(own, _)| own);
    let words = || fields.split_ascii_whitespace().take(MAX_WORDS);
    let get = |key: &str| words().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    let port = |key| get(key).map_or(Some(0), |port| port.parse().ok());
    let from = (get("SRC")?.parse().ok()?, port("SPT")?);
    let to = (get("DST")?.parse().ok()?, port("DPT")?);
    // The first length is the packet's; UDP's follows.
    let mut record = packet(from, to, protocol(get("PROTO")?)?, get("LEN")?.parse().ok()?);
    if get("WINDOW").is_some() {
        let named = FLAGS.iter().filter(|(name, _)| words().any(|word| word == *name));
        record.tcp_flags = Some(named.fold(0, |all, (_, flag)| all | flag));
    }
    record.is_blocked = says_blocked(prefix);
    Some(record)
}

/// Where the kernel's own part begins: behind the prefix, which may stand against it.
fn start(body: &str) -> Option<usize> {
    let at = body.find("IN=")?;
    body.get(at..).filter(|rest| rest.contains(" OUT=") && rest.contains(" SRC=")).map(|_| at)
}

fn says_blocked(prefix: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic();
    let mut words = prefix.split(|c| !is_letter(c));
    words.any(|word| BLOCKED.iter().any(|known| known.eq_ignore_ascii_case(word)))
}
