//! TLS that is odd for its port, its key exchange or its name.

use super::finding::{Finding, Look};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::detect::answers::Support;
use crate::detect::names::Name;
use crate::event::{Carrier, TlsSession};

/// TLS on a port that another protocol has.
pub(super) const TLS_ODD_PORT: Detector = Detector {
    name: "tls_odd_port",
    title: "TLS on a port of another protocol",
    detects: "an asset begins TLS with its first byte on a port outside that belongs to a protocol without it",
    techniques: &["T1571", "T1573.002"],
    most: Severity::Low,
    prior: (-1.0, "services are put on ports that firewalls let through"),
    reads: &[Reads::Hellos],
    bound: "the first session by asset and port; ports 20 to 23, 25, 53, 67 to 69, 80, 110, 111, 119, 123, \
            135 to 139, 143, 161, 179, 389, 445, 514, 3389, 5900 and 6667",
    learns: Learns::Usual,
};

/// Static RSA.
pub(super) const RSA_KEY_EXCHANGE: Detector = Detector {
    name: "rsa_key_exchange",
    title: "TLS with RSA key exchange on an unexpected port",
    detects: "an asset's client offers nothing but RSA key exchange, on a port outside that is not one of TLS",
    techniques: &["T1573.002", "T1571"],
    most: Severity::Low,
    prior: (-1.0, "old devices know nothing else"),
    reads: &[Reads::Hellos],
    bound: "the first session by asset and port; ports other than 443, 465, 636, 853, 993, 995 and 8443",
    learns: Learns::Usual,
};

/// What a Tor client's links look like.
pub(super) const TOR_LIKE: Detector = Detector {
    name: "tor_like",
    title: "TLS as Tor's links have it",
    detects: "an asset opens TLS outside with a made-up name (www, 8 to 25 letters of base 32, com or net) \
              that nobody resolved, as Tor's relays are reached",
    techniques: &["T1090.003"],
    most: Severity::Medium,
    prior: (-0.5, "other programs make names up, too"),
    reads: &[Reads::Hellos, Reads::Dns],
    bound: "one session; one on port 9001, 9030 or 9150 weighs more",
    learns: Learns::Nothing,
};

const fn is_of_another(port: u16) -> bool {
    matches!(
        port,
        20..=23 | 25 | 53 | 67..=69 | 80 | 110 | 111 | 119 | 123 | 135..=139 | 143 | 161 | 179 | 389
            | 445 | 514 | 3389 | 5900 | 6667
    )
}

const fn is_of_tls(port: u16) -> bool {
    matches!(port, 443 | 465 | 636 | 853 | 993 | 995 | 8443)
}

const fn is_of_tor(port: u16) -> bool {
    matches!(port, 9001 | 9030 | 9150)
}

/// Whether a name is made up as Tor's clients do.
fn is_made_up(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("www.") else { return false };
    let Some(label) = rest.strip_suffix(".com").or_else(|| rest.strip_suffix(".net")) else {
        return false;
    };
    (8..=25).contains(&label.len())
        && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
        && label.bytes().any(|byte| byte.is_ascii_digit())
}

/// A session of an asset with the outside: what there is to say of it.
pub(super) fn begins(
    look: &Look<'_>,
    hello: &TlsSession,
    named: Option<Name>,
    into: &mut Vec<Finding>,
) {
    let Some(asset) = look.ends.client else { return };
    let to = &look.flow.server;
    let is_bare = matches!(hello.carrier, Carrier::Tcp | Carrier::Quic(_));
    let counted = ("sessions", 1.0, 1.0);
    let found = |of, what: String| {
        let found = Finding::new(of, asset, look.now, counted);
        found.about(to.port.to_string(), what).at(look, hello.sni.clone())
    };
    let odd = is_bare && is_of_another(to.port);
    into.extend(odd.then(|| {
        found(&TLS_ODD_PORT, format!("spoke TLS with {} on port {}", to.address, to.port))
    }));
    let rsa = is_bare && hello.rsa_only && !is_of_tls(to.port);
    into.extend(rsa.then(|| {
        let what =
            format!("offered {} nothing but RSA key exchange on port {}", to.address, to.port);
        found(&RSA_KEY_EXCHANGE, what)
    }));
    let name = hello.sni.as_deref().filter(|name| is_made_up(name));
    let tor = name.filter(|_| {
        let support = |named: Name| look.estate.answers.support(asset, named.domain, to.address);
        named.map(support) == Some(Support::Unknown)
    });
    into.extend(tor.map(|name| {
        let what = format!("opened TLS to {} as {name}, a name that nobody resolved", to.address);
        let mut tor = found(&TOR_LIKE, what);
        tor.subject = to.address.to_string();
        tor.weight = if is_of_tor(to.port) { 1.5 } else { 0.0 };
        tor
    }));
}

#[cfg(test)]
mod tests;
