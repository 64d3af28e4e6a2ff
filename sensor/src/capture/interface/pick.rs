//! Which interfaces to capture from where nobody has named any: a mirror port is a card that is up and
//! has no address. Where there is none, the cards that have one show at least what this host sees, and
//! what is mirrored to its address.

use super::{Link, addresses, file, is_ethernet, is_loopback, is_usual, names};

/// What was picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// Cards without an address, as mirror ports are.
    Mirrors(Vec<String>),
    /// Cards with an address, as no other is up.
    Own(Vec<String>),
    /// No card is up.
    None,
}

impl Pick {
    /// The names.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Mirrors(names) | Self::Own(names) => names,
            Self::None => &[],
        }
    }
}

/// One interface, as far as this asks.
#[derive(Debug, Clone)]
struct Candidate {
    name: String,
    /// Whether a device is behind it, and it speaks Ethernet by cable: no bridge, tunnel or container.
    is_card: bool,
    up: bool,
    addressed: bool,
}

/// Picks among the interfaces that are there now.
pub fn pick() -> Pick {
    let candidate = |name: String| Candidate {
        is_card: is_card(&name),
        up: Link::of(&name).is_some_and(|link| link.up),
        addressed: !addresses(&name).iter().all(is_usual),
        name,
    };
    among(names().into_iter().map(candidate).collect())
}

fn among(all: Vec<Candidate>) -> Pick {
    let cards = all.into_iter().filter(|one| one.is_card && one.up);
    let (own, mirrors): (Vec<_>, Vec<_>) = cards.partition(|one| one.addressed);
    let names = |list: Vec<Candidate>| list.into_iter().map(|one| one.name).collect();
    match (mirrors.is_empty(), own.is_empty()) {
        (false, _) => Pick::Mirrors(names(mirrors)),
        (true, false) => Pick::Own(names(own)),
        (true, true) => Pick::None,
    }
}

/// Whether a card is behind it, by which traffic of others may come.
pub fn is_card(name: &str) -> bool {
    let has = |what: &str| file(name, what).exists();
    is_ethernet(name) && !is_loopback(name) && has("device") && !has("phy80211") && !has("master")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, is_card: bool, up: bool, addressed: bool) -> Candidate {
        Candidate { name: name.to_owned(), is_card, up, addressed }
    }

    /// Fails when the sensor, left alone, would read a management interface beside a mirror port, a
    /// container's, or one that is down.
    #[test]
    fn a_card_that_is_up_and_has_no_address_is_a_mirror_port() {
        let mut all = vec![
            candidate("lo", false, true, true),
            candidate("eth0", true, true, true),
            candidate("eth1", true, true, false),
            candidate("eth2", true, false, false),
            candidate("eth3", true, true, false),
            candidate("veth0", false, true, false),
        ];
        assert_eq!(among(all.clone()), Pick::Mirrors(vec!["eth1".into(), "eth3".into()]));
        all.retain(|one| one.addressed || !one.is_card || !one.up);
        assert_eq!(among(all.clone()), Pick::Own(vec!["eth0".into()]));
        all.retain(|one| !one.is_card || !one.up);
        assert_eq!(among(all), Pick::None);
    }

    #[test]
    fn loopback_is_never_picked() {
        assert!(!is_card("lo"));
        assert!(!pick().names().contains(&"lo".to_owned()));
    }
}
