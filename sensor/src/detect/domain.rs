//! Names as places: the registered domain of a host name, by the public suffix list.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;

/// The registered domain of a lower-case name: `a.b.example.co.uk` is `example.co.uk`. Suffixes
/// under which a provider's customers register (the list's private section) keep them apart. A
/// name that is itself a suffix is its own domain.
pub(crate) fn registered(name: &str) -> &str {
    name.get(domain_at(name)).unwrap_or(name)
}

/// Where in a lower-case name its registered domain stands.
pub(crate) fn domain_at(name: &str) -> Range<usize> {
    // It is the name's end, and need not be checked for being text again.
    let domain = psl::domain(name.as_bytes());
    let start = domain.map_or(0, |domain| name.len() - domain.as_bytes().len());
    let end = domain.map_or(name.len(), |domain| start + domain.trim().as_bytes().len());
    start..end
}

/// A name in lower case without its final dot; borrowed where it is written so already.
pub(crate) fn lower(name: &str) -> Cow<'_, str> {
    Kinds::of(name).lower(name)
}

/// Whether text from a ClientHello can be a host's name (RFC 6066 allows no addresses): letters,
/// digits, `-`, `_` in two or more labels.
pub(crate) fn is_host_name(name: &str) -> bool {
    Kinds::of(name).is_host_name(name)
}

/// The kinds of bytes that a name has, found out with one look at each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kinds(u8);

const UPPER: u8 = 1;
const DOT: u8 = 2;
const DIGIT: u8 = 4;
/// No host's name has one.
const FOREIGN: u8 = 8;

/// The kind of each byte.
#[expect(clippy::indexing_slicing, reason = "a constant: beyond the end it would not compile")]
const KINDS: [u8; 256] = {
    let mut kinds = [FOREIGN; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'A'..=b'Z' => UPPER,
            b'.' => DOT,
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'-' | b'_' => 0,
            _ => FOREIGN,
        };
        byte += 1;
    }
    kinds
};

impl Kinds {
    pub(crate) fn of(name: &str) -> Self {
        let kind = |byte: u8| KINDS.get(usize::from(byte)).copied().unwrap_or(FOREIGN);
        Self(name.bytes().fold(0, |all, byte| all | kind(byte)))
    }

    /// See [`lower`].
    pub(crate) fn lower(self, name: &str) -> Cow<'_, str> {
        let name = match name.as_bytes() {
            [.., b'.'] => name.get(..name.len() - 1).unwrap_or(name),
            _ => name,
        };
        if self.0 & UPPER != 0 { name.to_ascii_lowercase().into() } else { name.into() }
    }

    /// See [`is_host_name`].
    pub(crate) fn is_host_name(self, name: &str) -> bool {
        name.len() <= 253
            && self.0 & (DOT | FOREIGN) == DOT
            && name.as_bytes().first() != Some(&b'.')
            // Of addresses these are IPv4's alone, and no domain's last label ends like one of those.
            && !(name.ends_with(|last: char| last.is_ascii_digit())
                && name.parse::<IpAddr>().is_ok())
    }

    /// Whether the name has a digit.
    pub(crate) const fn has_digit(self) -> bool {
        self.0 & DIGIT != 0
    }
}

/// The network that stands for a place without a name: /24 of IPv4, /48 of IPv6.
pub(crate) fn network(address: IpAddr) -> IpNet {
    let length = if address.is_ipv4() { 24 } else { 48 };
    IpNet::new(address, length).map_or_else(|_| IpNet::from(address), |net| net.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_of_a_provider_are_kept_apart() {
        assert_eq!(registered("www.example.co.uk"), "example.co.uk");
        assert_eq!(registered("stash.blob.core.windows.net"), "stash.blob.core.windows.net");
        assert_eq!(registered("me.github.io"), "me.github.io");
        assert_eq!(registered("a.b.c.unknown-tld"), "c.unknown-tld");
        assert_eq!(registered("com"), "com");
    }

    #[test]
    fn what_is_no_host_name_is_no_claim() {
        assert!(is_host_name("cdn.example"));
        for name in ["203.0.113.7", "2001:db8::1", "", "a b.example", "x/24.y", "localhost"] {
            assert!(!is_host_name(name), "{name}");
        }
    }

    #[test]
    fn an_address_is_known_by_its_network() {
        assert_eq!(network("203.0.113.77".parse().unwrap()).to_string(), "203.0.113.0/24");
        assert_eq!(network("2001:db8:1:2::3".parse().unwrap()).to_string(), "2001:db8:1::/48");
    }
}
