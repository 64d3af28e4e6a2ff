//! The `stats` event: of a live sensor once a minute, of a reading at its end.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Time, write_line};
use crate::mirror::Report;
use crate::time::Timestamp;

/// What was refused: layer, reason, count; in order, so that output is.
pub type Refused = BTreeMap<&'static str, BTreeMap<&'static str, u64>>;

/// What was done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Seconds since the start of a live sensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime: Option<u64>,
    /// What became of frames before they were read, where capture is live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
    /// What became of those that were read.
    pub decoder: Decoder,
}

/// Frames by what became of them on their way into the sensor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Capture {
    /// All that came, those that were lost included.
    pub kernel_packets: u64,
    /// Those that were lost.
    pub kernel_drops: u64,
}

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Decoder {
    /// All frames read: decoded ones and refused ones.
    pub pkts: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Frames refused.
    pub invalid: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: Time,
    event_type: &'static str,
    stats: &'a Stats,
    egret: Own<'a>,
}

#[derive(Serialize)]
struct Own<'a> {
    refused: &'a Refused,
    #[serde(skip_serializing_if = "<[Report]>::is_empty")]
    mirror: &'a [Report],
}

/// Appends what was read by `time`, what was refused and why, and what the mirror did to it.
pub fn write_stats(
    time: Timestamp,
    stats: &Stats,
    refused: &Refused,
    mirror: &[Report],
    out: &mut Vec<u8>,
) {
    let own = Own { refused, mirror };
    write_line(&Line { timestamp: Time(time), event_type: "stats", stats, egret: own }, out);
}
