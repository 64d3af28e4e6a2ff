//! The `stats` event that ends a run.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Time;
use crate::mirror::Report;
use crate::time::Timestamp;

/// What was refused: layer, reason, count; in order, so that output is.
pub type Refused = BTreeMap<&'static str, BTreeMap<&'static str, u64>>;

/// What a run read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// All frames read: decoded ones and refused ones.
    pub pkts: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Frames refused.
    pub invalid: u64,
}

#[derive(Serialize)]
pub(super) struct Line<'a> {
    timestamp: Time,
    event_type: &'static str,
    stats: Decoder<'a>,
    egret: Own<'a>,
}

#[derive(Serialize)]
struct Decoder<'a> {
    decoder: &'a Stats,
}

#[derive(Serialize)]
struct Own<'a> {
    refused: &'a Refused,
    #[serde(skip_serializing_if = "<[Report]>::is_empty")]
    mirror: &'a [Report],
}

impl<'a> Line<'a> {
    pub(super) const fn new(
        time: Timestamp,
        decoder: &'a Stats,
        refused: &'a Refused,
        mirror: &'a [Report],
    ) -> Self {
        Self {
            timestamp: Time(time),
            event_type: "stats",
            stats: Decoder { decoder },
            egret: Own { refused, mirror },
        }
    }
}
