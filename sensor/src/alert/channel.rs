//! What a channel of Network Traffic Flow showed, as a piece of evidence.

use serde::{Deserialize, Serialize};

use super::Text;

/// A count, a share or a sum that stood out, and from when on it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// The detector's name: `port_scan`.
    pub channel: Text,
    /// Community ID of the conversation that shows it, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<String>,
    /// What was counted, in words: `ports refused or unanswered`.
    pub counted: Text,
    /// How much there was of it.
    pub observed: f64,
    /// From how much on it is told.
    pub bound: f64,
    /// How much is usual for this asset, where that is learned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<f64>,
    /// In how many seconds, from the evidence's time on.
    pub seconds: u64,
    /// Some of what was counted: ports, names, addresses; at most eight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}
