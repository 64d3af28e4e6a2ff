//! Services for remote work where they should not be: reached by who never did, outward or from outside.

use std::net::IpAddr;
use std::time::Duration;

use arrayvec::ArrayVec;

use super::few;
use super::finding::{Finding, Look, crosses, hashed};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::detect::domain::network;
use crate::inventory::AssetId;
use crate::time::Timestamp;

const PRIOR: (f64, &str) = (-2.5, "most first uses of a remote service are an administrator's");
const BOUND: &str = "the first conversation that is answered, by asset, direction and the other side's \
                     network; low when one side is outside, else informational";

const fn detector(
    name: &'static str,
    title: &'static str,
    detects: &'static str,
    techniques: &'static [&'static str],
) -> Detector {
    let (most, reads) = (Severity::Low, &[Reads::Flows]);
    Detector {
        name,
        title,
        detects,
        techniques,
        most,
        prior: PRIOR,
        reads,
        bound: BOUND,
        learns: Learns::Usual,
    }
}

/// VNC.
pub(super) const VNC: Detector = detector(
    "vnc",
    "VNC where it was not used before",
    "an asset is reached by VNC (ports 5900 to 5909), or reaches outside by it, as it never was before",
    &["T1021.005"],
);
/// WinRM.
pub(super) const WINRM: Detector = detector(
    "winrm",
    "WinRM where it was not used before",
    "an asset is reached by WinRM (ports 5985 and 5986), or reaches outside by it, as it never was before",
    &["T1021.006"],
);
/// RDP.
pub(super) const RDP: Detector = detector(
    "rdp",
    "RDP where it was not used before",
    "an asset is reached by RDP (port 3389), or reaches outside by it, as it never was before",
    &["T1021.001"],
);
/// SSH.
pub(super) const SSH: Detector = detector(
    "ssh",
    "SSH where it was not used before",
    "an asset is reached by SSH (port 22), or reaches outside by it, as it never was before",
    &["T1021.004"],
);
/// Telnet.
pub(super) const TELNET: Detector = detector(
    "telnet",
    "Telnet where it was not used before",
    "an asset is reached by telnet (port 23), or reaches outside by it, as it never was before",
    &["T1021", "T1040"],
);
/// SMB across the border.
pub(super) const SMB: Detector = detector(
    "smb_outward",
    "SMB across the border of the estate",
    "an asset speaks SMB (ports 139 and 445) with an address outside",
    &["T1021.002", "T1187"],
);

/// SMB to many hosts.
pub(super) const SMB_FANOUT: Detector = Detector {
    name: "smb_fanout",
    title: "SMB to many hosts",
    detects: "an asset speaks SMB (ports 139 and 445) with many hosts within an hour",
    techniques: &["T1021.002", "T1570"],
    most: Severity::Low,
    prior: (-1.5, "backup, deployment and inventory speak SMB with many hosts"),
    reads: &[Reads::Flows],
    bound: "20 hosts in an hour",
    learns: Learns::Usual,
};

/// WebDAV after SMB, as Windows tries it: its ports are those of the web.
pub(super) const SMB_FALLBACK: Detector = Detector {
    name: "smb_fallback",
    title: "A web connection where SMB did not get through",
    detects: "a workstation that was refused by SMB outside goes on to the same host over HTTP or HTTPS, \
              as Windows does for WebDAV",
    techniques: &["T1187", "T1021.002"],
    most: Severity::Low,
    prior: (-1.0, "a name that leads to a web server may be written as a share by mistake"),
    reads: &[Reads::Flows],
    bound: "once, within 60 s after SMB to that address was refused or unanswered",
    learns: Learns::Usual,
};

/// The service that has a port, if it is one of these.
pub(super) const fn of_port(port: u16) -> Option<&'static Detector> {
    Some(match port {
        22 => &SSH,
        23 => &TELNET,
        139 | 445 => &SMB,
        3389 => &RDP,
        5900..=5909 => &VNC,
        5985 | 5986 => &WINRM,
        _ => return None,
    })
}

/// What one side outside adds: at a prior of -2.5 the alert is low.
const OUTSIDE: f64 = 1.0;

/// What a conversation that was answered on such a port is to each of its ends, where `news` says that its
/// subject is any: most are none, and nothing is written of them.
pub(super) fn used(
    of: &'static Detector,
    look: &Look<'_>,
    mut news: impl FnMut(AssetId, &dyn Fn() -> String) -> Option<String>,
) -> [Option<Finding>; 2] {
    let (flow, ends) = (look.flow, look.ends);
    let (client, server) = (&flow.client, &flow.server);
    let counted = ("conversations", 1.0, 1.0);
    let from_outside = ends.client.is_none() && !look.estate.inventory.is_internal(client.address);
    let is_smb = of.name == SMB.name;
    let inward = |asset: AssetId, subject: String| {
        let what = format!("was reached on port {} by {}", server.port, client.address);
        let found = Finding::new(of, asset, flow.opened, counted).about(subject, what);
        let mut found = found.with(vec![client.address.to_string()]).of_server();
        found.weight = if from_outside { OUTSIDE } else { 0.0 };
        found
    };
    let outward = |asset: AssetId, subject: String| {
        let what = format!("reached {} on port {}", server.address, server.port);
        let found = Finding::new(of, asset, flow.opened, counted).about(subject, what);
        let mut found = found.with(vec![server.address.to_string()]).at(look, None);
        found.weight = OUTSIDE;
        found
    };
    let from = || match from_outside {
        true => "in from outside".to_owned(),
        false => format!("in from {}", network(client.address)),
    };
    let to = || format!("out to {}", network(server.address));
    let reached = ends.server.filter(|_| from_outside || !is_smb);
    let reached = reached.and_then(|asset| Some(inward(asset, news(asset, &from)?)));
    let reaches = ends.client.filter(|_| ends.outbound);
    let reaches = reaches.and_then(|asset| Some(outward(asset, news(asset, &to)?)));
    [reached, reaches]
}

/// Hosts that an asset speaks SMB with.
#[derive(Debug, Default)]
pub(super) struct Fanout {
    hour: u64,
    /// At most [`MOST`].
    hosts: Vec<u32>,
}

const MOST: usize = 160;
const FANOUT: u32 = 20;

impl Fanout {
    pub(super) fn reaches(&mut self, look: &Look<'_>) -> Option<Finding> {
        let (asset, to) = (look.ends.client?, look.flow.server.address);
        let hour = look.flow.opened.as_secs() / 3600;
        if hour > self.hour {
            self.hour = hour;
            self.hosts.clear();
        }
        let host = hashed(to) as u32;
        if !few::add(&mut self.hosts, host, MOST) {
            return None;
        }
        let count = self.hosts.len() as u32;
        if !crosses(count, FANOUT) {
            return None;
        }
        let since = Timestamp::from_parts(hour * 3600, 0);
        let counted = ("hosts", f64::from(count), f64::from(FANOUT));
        let what = format!("spoke SMB with {count} hosts within an hour, last with {to}");
        Some(Finding::new(&SMB_FANOUT, asset, since, counted).about("", what))
    }
}

/// Addresses outside that did not take an asset's SMB, the last ones.
#[derive(Debug, Default)]
pub(super) struct Fallback(ArrayVec<(Timestamp, IpAddr), REFUSED>);

const REFUSED: usize = 8;
const WITHIN: Duration = Duration::from_secs(60);

impl Fallback {
    pub(super) fn refused(&mut self, look: &Look<'_>) {
        if self.0.is_full() {
            self.0.remove(0);
        }
        self.0.push((look.flow.opened, look.flow.server.address));
    }

    pub(super) fn follows(&mut self, look: &Look<'_>) -> Option<Finding> {
        let (asset, flow) = (look.ends.client?, look.flow);
        let to = flow.server.address;
        let is_it = |(time, address): &(Timestamp, IpAddr)| {
            *address == to && *time <= flow.opened && flow.opened.since(*time) <= WITHIN
        };
        let place = self.0.iter().position(is_it)?;
        let (since, _) = self.0.remove(place);
        let what =
            format!("went on to {to} port {} where SMB did not get through", flow.server.port);
        let counted = ("conversations", 1.0, 1.0);
        let found = Finding::new(&SMB_FALLBACK, asset, since, counted);
        Some(found.about(network(to).to_string(), what).at(look, None))
    }
}

#[cfg(test)]
mod tests;
