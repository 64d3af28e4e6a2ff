//! Connections that ended, as connection tracking counted them (`nf_conntrack_acct`):
//! `[DESTROY] ORIG: SRC=10.0.0.1 DST=203.0.113.9 PROTO=TCP SPT=50000 DPT=443 PKTS=9 BYTES=900 , REPLY: …` of
//! `ulogd`, `[DESTROY] tcp 6 src=10.0.0.1 dst=203.0.113.9 sport=50000 dport=443 packets=9 bytes=900 src=…` of
//! `conntrack -E`.
//!
//! The ends are those of who opened it: before its addresses were translated.

use std::time::Duration;

use super::{MAX_WORDS, packet, protocol};
use crate::event::{FlowRecord, Traffic};

/// A connection lasts a month at most.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);

/// What a line says. One of a connection that begins, or goes on, has nothing that counts.
pub(super) fn read(body: &str) -> Option<FlowRecord> {
    let (_, rest) = body.split_once("[DESTROY]")?;
    // Each of the two tuples has the same keys.
    let values = |key: &'static str| {
        let words = rest.split_ascii_whitespace().take(MAX_WORDS);
        words.filter_map(move |word| {
            let (name, value) = word.split_once('=')?;
            name.eq_ignore_ascii_case(key).then_some(value)
        })
    };
    let either = |one, other| values(one).chain(values(other));
    let port = |one, other| either(one, other).next().map_or(Some(0), |port| port.parse().ok());
    let from = (values("src").next()?.parse().ok()?, port("spt", "sport")?);
    let to = (values("dst").next()?.parse().ok()?, port("dpt", "dport")?);
    let named = values("proto").next().or_else(|| rest.split_ascii_whitespace().next());
    let mut packets = either("pkts", "packets").map(str::parse);
    let mut bytes = values("bytes").map(str::parse);
    let mut traffic =
        || Some(Traffic { packets: packets.next()?.ok()?, bytes: bytes.next()?.ok()? });
    let (sent, received) = (traffic()?, traffic()?);
    let lasted = values("delta-time").next().and_then(|seconds| seconds.parse().ok());
    let lasted = lasted.map_or(Duration::ZERO, Duration::from_secs).min(LONGEST);
    let record = packet(from, to, protocol(named?)?, 0);
    let last = record.first.plus(lasted);
    Some(FlowRecord { last, sent, received: Some(received), is_forward: Some(true), ..record })
}
