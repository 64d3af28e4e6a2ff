//! Floods: conversations by the minute that come to nothing, and many that come to something at once.
//!
//! Bounds an asset: a counter for each detector, and [`REFLECTORS`] hosts.

use arrayvec::ArrayVec;

use super::finding::{Finding, Look, crosses, hashed};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::time::Timestamp;

/// Handshakes with an asset that are never completed.
pub(super) const HALF_OPEN_FLOOD: Detector = Detector {
    name: "half_open_flood",
    title: "Flood of connections that are never completed",
    detects: "an asset is sent TCP connections by the hundred of which no handshake is completed",
    techniques: &["T1498.001", "T1499.001"],
    most: Severity::Medium,
    prior: (-1.5, "a scan of all ports, or a service that is down, looks like it for minutes"),
    reads: &[Reads::Flows],
    bound: "600 in a minute",
    learns: Learns::Usual,
};

/// Conversations of one packet that an asset sends.
pub(super) const SINGLE_PACKET_FLOOD: Detector = Detector {
    name: "single_packet_flood",
    title: "Burst of single packets",
    detects: "an asset opens conversations by the hundred of which each is one packet without an answer",
    techniques: &["T1498.001", "T1046"],
    most: Severity::Medium,
    prior: (-1.5, "scanners of the estate's own and exporters of logs send single packets, too"),
    reads: &[Reads::Flows],
    bound: "1000 in a minute",
    learns: Learns::Usual,
};

/// Answers to connections that were never opened.
pub(super) const SYN_ACK_FLOOD: Detector = Detector {
    name: "syn_ack_flood",
    title: "Flood of answers that nobody asked for",
    detects: "an asset is sent SYN/ACKs of connections that it did not open: it is flooded by way of \
              others, or its address is used to flood them",
    techniques: &["T1498.002"],
    most: Severity::Low,
    prior: (-1.0, "a mirror that shows one direction for a while looks like it"),
    reads: &[Reads::Flows],
    bound: "300 in a minute, with no packet of the asset",
    learns: Learns::Usual,
};

/// UDP to many hosts of services that answer with more than they are asked.
pub(super) const UDP_REFLECTION: Detector = Detector {
    name: "udp_reflection",
    title: "UDP to many reflectors outside",
    detects: "an asset sends UDP to many hosts outside on ports of services that answer with more than \
              they are asked (DNS, NTP, SNMP, CLDAP, SSDP, memcached and the like)",
    techniques: &["T1498.002"],
    most: Severity::Medium,
    prior: (-0.5, "a resolver asks many name servers"),
    reads: &[Reads::Flows],
    bound: "64 hosts in a minute",
    learns: Learns::Usual,
};

/// Conversations with a web server.
pub(super) const WEB_SPIKE: Detector = Detector {
    name: "web_spike",
    title: "Spike of connections to a web service",
    detects: "an asset's web ports get far more connections than they ever did",
    techniques: &["T1499.002", "T1190"],
    most: Severity::Low,
    prior: (-1.5, "campaigns, load tests and monitors that went wrong do the same"),
    reads: &[Reads::Flows],
    bound: "600 in a minute, and 8 times the most that was seen in an hour of watching before",
    learns: Learns::Nothing,
};

const HALF_OPEN: u32 = 600;
const SINGLE: u32 = 1000;
const ANSWERS: u32 = 300;
const HOSTS: u32 = 64;
const SPIKE: u32 = 600;
/// Times the most seen.
const OVER_PEAK: u32 = 8;
/// A peak is known after so many minutes with traffic.
const KNOWN: u32 = 60;
const REFLECTORS: usize = 256;

/// How many in this minute.
#[derive(Debug, Default, Clone, Copy)]
struct Minute {
    minute: u32,
    count: u32,
}

impl Minute {
    /// One more; how many by now.
    const fn add(&mut self, time: Timestamp) -> u32 {
        let minute = (time.as_secs() / 60) as u32;
        if minute > self.minute {
            *self = Self { minute, count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count
    }

    fn since(self) -> Timestamp {
        Timestamp::from_parts(u64::from(self.minute) * 60, 0)
    }
}

/// What is counted of one asset.
#[derive(Debug, Default)]
pub(super) struct Floods {
    half_open: Minute,
    single: Minute,
    answers: Minute,
    web: Minute,
    /// The most of a minute, and how many minutes there were.
    peak: (u32, u32),
    reflectors: Option<Box<Reflectors>>,
}

#[derive(Debug, Default)]
struct Reflectors {
    minute: u32,
    hosts: ArrayVec<u32, REFLECTORS>,
}

impl Floods {
    /// A connection to the asset whose handshake was not completed.
    pub(super) fn half_open(&mut self, look: &Look<'_>) -> Option<Finding> {
        let count = self.half_open.add(look.flow.opened);
        let what = || {
            let port = look.flow.server.port;
            format!(
                "was sent {count} connections in a minute that came to nothing, last to port {port}"
            )
        };
        let counted = ("connections without a handshake", count, HALF_OPEN);
        Some(
            per_minute(&HALF_OPEN_FLOOD, look.ends.server?, self.half_open, counted, what)?
                .of_server(),
        )
    }

    /// A conversation of the asset that is one packet and no answer.
    pub(super) fn single(&mut self, look: &Look<'_>) -> Option<Finding> {
        let count = self.single.add(look.flow.opened);
        let what = || {
            let to = look.flow.server;
            format!(
                "sent {count} single packets in a minute, last to {} port {}",
                to.address, to.port
            )
        };
        let counted = ("conversations of one packet", count, SINGLE);
        per_minute(&SINGLE_PACKET_FLOOD, look.ends.client?, self.single, counted, what)
    }

    /// An answer to the asset that it did not ask for.
    pub(super) fn answer(&mut self, look: &Look<'_>) -> Option<Finding> {
        let count = self.answers.add(look.flow.opened);
        let what = || {
            let from = look.flow.server.address;
            format!(
                "was sent {count} SYN/ACKs in a minute that it had not asked for, last by {from}"
            )
        };
        let counted = ("SYN/ACKs without a SYN", count, ANSWERS);
        per_minute(&SYN_ACK_FLOOD, look.ends.client?, self.answers, counted, what)
    }

    /// A conversation with a web port of the asset.
    pub(super) fn web(&mut self, look: &Look<'_>) -> Option<Finding> {
        let before = self.web;
        let count = self.web.add(look.flow.opened);
        if self.web.minute != before.minute {
            self.peak = (self.peak.0.max(before.count), self.peak.1.saturating_add(1));
        }
        let (peak, minutes) = self.peak;
        let bound = SPIKE.max(peak.saturating_mul(OVER_PEAK));
        if minutes < KNOWN {
            return None;
        }
        let what = || {
            format!("got {count} connections to its web ports in a minute, before {peak} at most")
        };
        let counted = ("connections to web ports", count, bound);
        let found = per_minute(&WEB_SPIKE, look.ends.server?, self.web, counted, what)?;
        Some(Finding { usual: Some(f64::from(peak)), ..found }.of_server())
    }

    /// UDP of the asset to a reflector's port outside.
    pub(super) fn reflector(&mut self, look: &Look<'_>) -> Option<Finding> {
        let to = &look.flow.server;
        let known = self.reflectors.get_or_insert_default();
        let minute = (look.flow.opened.as_secs() / 60) as u32;
        if minute > known.minute {
            known.hosts.clear();
            known.minute = minute;
        }
        let host = hashed(to.address) as u32;
        if known.hosts.contains(&host) || known.hosts.try_push(host).is_err() {
            return None;
        }
        let count = known.hosts.len() as u32;
        let what = || format!("sent UDP to port {} of {count} hosts outside in a minute", to.port);
        let counted = ("hosts with a reflector's port", count, HOSTS);
        let span = Minute { minute, count };
        per_minute(&UDP_REFLECTION, look.ends.client?, span, counted, what)
    }
}

fn per_minute(
    of: &'static Detector,
    asset: crate::inventory::AssetId,
    minute: Minute,
    (counted, count, bound): (&'static str, u32, u32),
    what: impl FnOnce() -> String,
) -> Option<Finding> {
    if !crosses(count, bound) {
        return None;
    }
    let counted = (counted, f64::from(count), f64::from(bound));
    Some(Finding::new(of, asset, minute.since(), counted).about("", what()))
}

/// Whether a UDP service answers with much more than it is asked, as floods use it.
pub(super) const fn is_reflector(port: u16) -> bool {
    matches!(
        port,
        17 | 19 | 53 | 69 | 111 | 123 | 137 | 161 | 389 | 520 | 1900 | 3702 | 5683 | 10001 | 11211
    )
}

/// Whether web services have this port.
pub(super) const fn is_web(port: u16) -> bool {
    matches!(port, 80 | 443 | 8080 | 8443)
}

#[cfg(test)]
mod tests;
