//! The first time that an asset goes to a place of a known kind, by the name its ClientHello gives.

use super::finding::{Finding, Look};
use super::mining;
use super::places::{Kind, kind};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::detect::domain::lower;
use crate::event::TlsSession;

const BOUND: &str = "the first session of an asset with a domain of the list";

const fn detector(
    name: &'static str,
    title: &'static str,
    detects: &'static str,
    techniques: &'static [&'static str],
    (most, prior): (Severity, (f64, &'static str)),
) -> Detector {
    Detector {
        name,
        title,
        detects,
        techniques,
        most,
        prior,
        reads: &[Reads::Hellos],
        bound: BOUND,
        learns: Learns::Usual,
    }
}

/// Package and container registries and update hosts.
pub(super) const REGISTRY: Detector = detector(
    "new_registry",
    "First egress to a package registry or update host",
    "an asset takes packages, images or updates from a public registry or update host for the first \
     time; after a guest operation (an install, a restore) that weighs more",
    &["T1195.001", "T1195.002", "T1105"],
    (Severity::Low, (-3.0, "most first uses of a registry are somebody's work")),
);
/// Paste sites.
pub(super) const PASTE_SITE: Detector = detector(
    "paste_site",
    "First egress to a paste site",
    "an asset opens a session with a site for pasted text for the first time",
    &["T1567.003", "T1102"],
    (Severity::Low, (-1.5, "people paste, too")),
);
/// Webhooks.
pub(super) const WEBHOOK: Detector = detector(
    "webhook",
    "First egress to a webhook service",
    "an asset opens a session with a service for webhooks for the first time",
    &["T1567.004", "T1102"],
    (Severity::Low, (-2.5, "monitoring and builds report by webhooks")),
);
/// Remote access by way of somebody else.
pub(super) const REMOTE_ACCESS: Detector = detector(
    "remote_access_service",
    "First egress to a remote access service",
    "an asset opens a session with a service for remote access (AnyDesk, TeamViewer and the like) for \
     the first time",
    &["T1219.002"],
    (Severity::Low, (-1.5, "support uses them, too")),
);
/// Tunnels and marketplaces of editors.
pub(super) const TUNNEL: Detector = detector(
    "tunnel_service",
    "First egress to a tunnel or an editor's marketplace",
    "an asset opens a session with a service that makes ports inside reachable, or with the marketplace \
     or tunnel of an editor, for the first time",
    &["T1572", "T1219.001"],
    (Severity::Low, (-1.5, "developers use them, too")),
);

/// A session with such a place.
pub(super) fn visits(look: &Look<'_>, hello: &TlsSession, name: &str) -> Option<Finding> {
    let name = lower(name);
    let (domain, kind) = kind(&name)?;
    let of = match kind {
        Kind::Registry => &REGISTRY,
        Kind::Paste => &PASTE_SITE,
        Kind::Webhook => &WEBHOOK,
        Kind::RemoteAccess => &REMOTE_ACCESS,
        Kind::Tunnel => &TUNNEL,
        Kind::Mining => &mining::MINING_POOL,
    };
    let found = Finding::new(of, look.ends.client?, look.now, ("sessions", 1.0, 1.0));
    let what = format!("opened TLS to {name}, a place it never went to");
    Some(found.about(domain, what).at(look, hello.sni.clone()))
}

#[cfg(test)]
mod tests;
