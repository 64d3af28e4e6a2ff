//! Mining: pools by their names, and the ports that they use.

use super::finding::{Finding, Look};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::detect::domain::network;

/// A pool by name.
pub(super) const MINING_POOL: Detector = Detector {
    name: "mining_pool",
    title: "Session with a mining pool",
    detects: "an asset opens a session with a known mining pool",
    techniques: &["T1496.001"],
    most: Severity::Medium,
    prior: (0.5, "nobody goes to a mining pool by accident; some do on purpose"),
    reads: &[Reads::Hellos, Reads::Dns],
    bound: "one session, or one answer for its name",
    learns: Learns::Nothing,
};

/// A pool's port.
pub(super) const MINING_PORT: Detector = Detector {
    name: "mining_port",
    title: "Long conversation on a mining pool's port",
    detects: "an asset keeps a TCP conversation open with an address outside on a port that mining pools \
              use, and little moves in it",
    techniques: &["T1496.001", "T1571"],
    most: Severity::Low,
    prior: (-1.0, "other services have these ports, too"),
    reads: &[Reads::Flows],
    bound: "10 min on port 3333, 4444, 5555, 7777, 14433, 14444 or 45700",
    learns: Learns::Usual,
};

const LONG: u64 = 600;
/// A job and a share are some hundred bytes, a few times a minute.
const LITTLE: u64 = 64 * 1024;

pub(super) const fn is_port(port: u16) -> bool {
    matches!(port, 3333 | 4444 | 5555 | 7777 | 14433 | 14444 | 45700)
}

/// A conversation on such a port goes on, and moved so much just now.
pub(super) fn goes_on(look: &Look<'_>, bytes: u64) -> Option<Finding> {
    let (asset, flow) = (look.ends.client?, look.flow);
    let age = look.now.since(flow.opened).as_secs();
    if age < LONG || bytes > LITTLE {
        return None;
    }
    let to = &flow.server;
    let what = format!(
        "kept a conversation with {} on port {} open, a port of mining pools",
        to.address, to.port
    );
    let counted = ("seconds", age as f64, LONG as f64);
    let mut found = Finding::new(&MINING_PORT, asset, flow.opened, counted);
    // How long says little more than that it is long.
    found.weight = 0.0;
    Some(found.about(network(to.address).to_string(), what).at(look, None))
}

#[cfg(test)]
mod tests;
