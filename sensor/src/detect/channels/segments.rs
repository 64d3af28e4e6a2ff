//! Flows into segments that the config does not allow.

use super::finding::{Finding, Look};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::config::Segment;
use crate::detect::domain::network;

/// A flow that crosses.
pub(super) const SEGMENT: Detector = Detector {
    name: "segment",
    title: "Conversation into a segment that is not allowed",
    detects: "somebody opens a conversation into a segment of `[detect.channels]` that its `from` and `port` do \
              not allow, and is answered",
    techniques: &["T1599", "T1021"],
    most: Severity::Medium,
    prior: (0.0, "the config says who may come in; it may be out of date"),
    reads: &[Reads::Flows],
    bound: "the first conversation, by segment, the client's network and port",
    learns: Learns::Nothing,
};

/// A conversation that was answered, inside or from outside.
pub(super) fn crosses(segments: &[Segment], look: &Look<'_>) -> Option<Finding> {
    let (client, server) = (&look.flow.client, &look.flow.server);
    let has = |nets: &[ipnet::IpNet], address| nets.iter().any(|net| net.contains(&address));
    let segment = segments.iter().find(|segment| {
        has(&segment.networks, server.address) && !has(&segment.networks, client.address)
    })?;
    let from = segment.from.is_empty() || has(&segment.from, client.address);
    let port = segment.ports.is_empty() || segment.ports.contains(&server.port);
    if from && port && !(segment.from.is_empty() && segment.ports.is_empty()) {
        return None;
    }
    let (asset, is_server) = match (look.ends.client, look.ends.server) {
        (Some(client), _) => (client, false),
        (None, server) => (server?, true),
    };
    let name = &segment.name;
    let why = if from { "a port that is not allowed there" } else { "from where nobody may come" };
    let what = if is_server {
        format!(
            "was reached in the segment {name} on port {} by {}, {why}",
            server.port, client.address
        )
    } else {
        format!("reached {} on port {} in the segment {name}, {why}", server.address, server.port)
    };
    let found = Finding::new(&SEGMENT, asset, look.flow.opened, ("conversations", 1.0, 1.0));
    let mut found = found
        .about(format!("{name} {} {}", network(client.address), server.port), what)
        .at(look, None);
    found.is_server = is_server;
    Some(found)
}

#[cfg(test)]
mod tests;
