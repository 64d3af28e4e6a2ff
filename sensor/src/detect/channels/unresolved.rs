//! Connections to addresses that no answer gave.

use super::finding::{Finding, Look};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::detect::domain::network;

/// An odd port of an address that was never resolved.
pub(super) const NEVER_RESOLVED: Detector = Detector {
    name: "never_resolved",
    title: "Connection to an address that no DNS answer gave",
    detects: "an asset whose DNS is seen connects to an address outside that no answer gave it, on a port \
              that is not one of the usual ones (443 and 80 are AN1416's, which notes the same)",
    techniques: &["T1071", "T1571"],
    most: Severity::Informational,
    prior: (-3.0, "addresses are written into configs, and peers tell each other"),
    reads: &[Reads::Flows, Reads::Dns],
    bound: "the first TCP conversation that is answered, by asset, network and port",
    learns: Learns::Usual,
};

/// A web server that reaches out.
pub(super) const WEB_SERVER_EGRESS: Detector = Detector {
    name: "web_server_egress",
    title: "A web server reaches an address that no DNS answer gave",
    detects: "an asset that serves the web to the outside opens a connection to an address outside that no \
              answer gave it, as an exploited service does",
    techniques: &["T1190", "T1105", "T1071"],
    most: Severity::Low,
    prior: (-2.2, "peers, proxies and callbacks of customers are reached by address, too"),
    reads: &[Reads::Flows, Reads::Dns],
    bound: "the first TCP conversation that is answered, by asset, network and port",
    learns: Learns::Usual,
};

/// Ports outside that are reached by address for good reasons, or judged elsewhere.
pub(super) const fn is_usual(port: u16) -> bool {
    matches!(port, 0 | 25 | 53 | 80 | 123 | 443 | 853)
}

/// A conversation of an asset with the outside that was answered; `serves_web`: outsiders reach its web
/// ports.
pub(super) fn reaches(look: &Look<'_>, serves_web: bool) -> Option<Finding> {
    let (asset, flow) = (look.ends.client?, look.flow);
    let (to, answers) = (&flow.server, &look.estate.answers);
    if !answers.sees(asset) || answers.name_of(asset, to.address).is_some() {
        return None;
    }
    let of = if serves_web { &WEB_SERVER_EGRESS } else { &NEVER_RESOLVED };
    let what = format!(
        "connected to {} on port {}, an address that no DNS answer gave it",
        to.address, to.port
    );
    let found = Finding::new(of, asset, flow.opened, ("conversations", 1.0, 1.0));
    Some(found.about(format!("{} {}", network(to.address), to.port), what).at(look, None))
}

#[cfg(test)]
mod tests;
