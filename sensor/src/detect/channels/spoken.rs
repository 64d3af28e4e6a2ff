//! Protocols where they do not belong: told by how a stream begins, whatever its port.

use super::finding::{Finding, Look};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::event::App;

/// A known protocol on another's port.
pub(super) const ALTERNATE_PORT: Detector = Detector {
    name: "alternate_port",
    title: "A known protocol on another port than its own",
    detects: "an asset speaks SSH, RDP or VNC's protocol on a port that is not one of it, or HTTP in the clear \
              outside on an odd one",
    techniques: &["T1571"],
    most: Severity::Low,
    prior: (-1.5, "services are moved to other ports to be out of sight of scans"),
    reads: &[Reads::Streams],
    bound: "the first bytes of a stream",
    learns: Learns::Usual,
};

/// SMB on a port of its own choice.
pub(super) const SMB_HIGH_PORT: Detector = Detector {
    name: "smb_high_port",
    title: "SMB on a port that is not its own",
    detects: "an asset speaks SMB on another port than 139 and 445",
    techniques: &["T1571", "T1021.002"],
    most: Severity::Medium,
    prior: (-0.5, "nearly nobody does this; tunnels and relays of credentials do"),
    reads: &[Reads::Streams],
    bound: "the first bytes of a stream",
    learns: Learns::Usual,
};

/// Mining, by its protocol.
pub(super) const STRATUM: Detector = Detector {
    name: "stratum",
    title: "Mining: Stratum spoken",
    detects: "an asset speaks Stratum, the protocol of miners and their pools, on any port",
    techniques: &["T1496.001"],
    most: Severity::Medium,
    prior: (0.5, "nothing else speaks it"),
    reads: &[Reads::Streams],
    bound: "the first bytes of a stream",
    learns: Learns::Nothing,
};

/// A relay, by its protocol.
pub(super) const SOCKS: Detector = Detector {
    name: "socks",
    title: "An asset is asked to relay by SOCKS",
    detects: "SOCKS version 5 is spoken with an asset, or by one with somebody outside",
    techniques: &["T1090"],
    most: Severity::Low,
    prior: (-1.5, "proxies of an estate speak it, too"),
    reads: &[Reads::Streams],
    bound: "the first bytes of a stream",
    learns: Learns::Usual,
};

/// Bytes without a form.
pub(super) const OPAQUE: Detector = Detector {
    name: "opaque_egress",
    title: "Egress that looks encrypted and is no known protocol",
    detects: "an asset sends outside, over TCP on a port of no protocol that encrypts by itself, what begins \
              with bytes as even as encryption makes them and not as TLS does",
    techniques: &["T1573.001", "T1095"],
    most: Severity::Informational,
    prior: (-3.0, "games, media and peer-to-peer programs do this all day"),
    reads: &[Reads::Streams],
    bound: "the first 128 to 256 bytes of a stream hold as many values as random bytes do",
    learns: Learns::Usual,
};

/// Ports on which HTTP in the clear is no surprise.
const HTTP: [u16; 9] = [80, 3128, 5985, 8000, 8008, 8080, 8081, 8088, 8888];

/// Whether a protocol is on a port of its own, as nearly all that is recognised is: then nobody needs
/// to know whose it is.
pub(super) fn is_usual(app: App, port: u16) -> bool {
    match app {
        App::Ssh => port == 22,
        App::Http => HTTP.contains(&port),
        App::Opaque => is_encrypted(port),
        App::Smb => matches!(port, 139 | 445),
        _ => false,
    }
}

/// A stream begins like this.
pub(super) fn begins(look: &Look<'_>, app: App) -> Option<Finding> {
    let (ends, port) = (look.ends, look.flow.server.port);
    let (of, name) = match app {
        App::Ssh if !matches!(port, 22 | 2222) => (&ALTERNATE_PORT, "SSH"),
        App::Rdp if port != 3389 => (&ALTERNATE_PORT, "RDP"),
        App::Rfb if !(5900..=5999).contains(&port) => (&ALTERNATE_PORT, "RFB"),
        App::Http if ends.outbound && !HTTP.contains(&port) => (&ALTERNATE_PORT, "HTTP"),
        App::Smb if !matches!(port, 139 | 445) => (&SMB_HIGH_PORT, "SMB"),
        App::Stratum => (&STRATUM, "Stratum"),
        App::Socks if ends.outbound || ends.server.is_some() => (&SOCKS, "SOCKS"),
        App::Opaque if ends.outbound && !is_encrypted(port) => (&OPAQUE, "no known protocol"),
        _ => return None,
    };
    let (asset, is_server) = match (ends.client, ends.server) {
        (Some(client), _) => (client, false),
        (None, server) => (server?, true),
    };
    let (who, place) = (look.flow.client.address, look.flow.server.address);
    let what = if is_server {
        format!("was spoken {name} to by {who} on port {port}")
    } else {
        format!("spoke {name} to {place} on port {port}")
    };
    let found = Finding::new(of, asset, look.now, ("streams", 1.0, 1.0));
    let found = found.about(format!("{name} {port}"), what).at(look, None);
    Some(if is_server { found.of_server() } else { found })
}

/// Ports whose protocols encrypt in ways of their own, or begin so: SSH, TLS and VPNs.
const fn is_encrypted(port: u16) -> bool {
    matches!(port, 22 | 443 | 465 | 563 | 636 | 853 | 989..=995 | 1194 | 1723 | 4500 | 5061 | 8443)
}

#[cfg(test)]
mod tests;
