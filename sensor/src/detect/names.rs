//! What names stand for: found out once where a name comes again, as nearly all do.
//!
//! A name is answered for IPv4 and for IPv6 and said in a hello, for everybody who goes there; and so is
//! the name of the network that delivers for a thousand others. Bounds: [`SLOTS`] names, 32 bytes each.

use std::borrow::Cow;
use std::hash::BuildHasher;

use super::answers::may_hold_number;
use super::domain::{Kinds, domain_at};

/// Names whose meaning is kept; one takes the place of another that falls into its slot.
const SLOTS: usize = 1 << 12;

/// What names stand for. They are told apart by seeded hashes of 64 bits: of a million names that come
/// one takes another's meaning with a chance of 2e-10.
#[derive(Debug)]
pub(crate) struct Names {
    slots: Vec<Name>,
    hasher: foldhash::fast::RandomState,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Name {
    /// Its own hash, as it is written.
    hash: u64,
    /// That of its registered domain.
    pub(crate) domain: u64,
    /// Where in the name the domain begins and ends.
    at: [u32; 2],
    /// Whether it is in lower case and without a final dot.
    pub(crate) is_lower: bool,
    /// See [`super::domain::is_host_name`].
    pub(crate) is_host: bool,
    /// See [`may_hold_number`].
    pub(crate) may_hold_number: bool,
}

impl Name {
    /// The text of the domain, in the text of the name.
    pub(crate) fn text(self, name: &str) -> Cow<'_, str> {
        let [start, end] = self.at;
        let domain = name.get(start as usize..end as usize).unwrap_or(name);
        if self.is_lower { domain.into() } else { domain.to_ascii_lowercase().into() }
    }
}

impl Names {
    pub(crate) fn new() -> Self {
        let slots = vec![Name::default(); SLOTS];
        Self { slots, hasher: foldhash::fast::RandomState::default() }
    }

    /// What `name` stands for, in whatever case it is written.
    pub(crate) fn find(&mut self, name: &str) -> Name {
        let hash = self.hasher.hash_one(name);
        let slot = hash as usize % SLOTS;
        match self.slots.get(slot) {
            Some(known) if known.hash == hash => *known,
            _ => self.learn(slot, hash, name),
        }
    }

    fn learn(&mut self, slot: usize, hash: u64, name: &str) -> Name {
        let kinds = Kinds::of(name);
        let lower = kinds.lower(name);
        let at = domain_at(&lower);
        let found = Name {
            hash,
            domain: self.hasher.hash_one(lower.get(at.clone()).unwrap_or(&lower)),
            at: [at.start as u32, at.end as u32],
            is_lower: matches!(lower, Cow::Borrowed(lower) if lower.len() == name.len()),
            is_host: kinds.is_host_name(name),
            may_hold_number: kinds.has_digit() || may_hold_number(&lower),
        };
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = found;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::domain::{is_host_name, lower, registered};
    use super::*;

    /// Many more names than are kept. Fails when one takes another's meaning, or is another thing when
    /// it comes again.
    #[test]
    fn a_name_stands_for_the_same_however_often_it_comes() {
        let mut names = Names::new();
        let mut domains = std::collections::BTreeMap::new();
        let name = |number: usize| match number % 5 {
            0 => format!("www.n{number}.example.co.uk"),
            1 => format!("WWW.N{}.Example.co.uk", number - 1),
            2 => format!("a.b.n{number}.example."),
            3 => format!("192.0.2.{}", number % 200),
            _ => format!("cafe{} {number}", ".x".repeat(number % 3)),
        };
        for number in (0..3 * SLOTS).flat_map(|number| [number, number, number % 100]) {
            let name = name(number);
            let found = names.find(&name);
            let domain = registered(&lower(&name)).to_owned();
            assert_eq!(found.text(&name), *domain);
            assert_eq!(*domains.entry(domain).or_insert(found.domain), found.domain, "{name}");
            assert_eq!(found.is_host, is_host_name(&name), "{name}");
            assert_eq!(found.is_lower, lower(&name) == *name, "{name}");
        }
        let hashes: std::collections::BTreeSet<u64> = domains.values().copied().collect();
        assert_eq!(hashes.len(), domains.len());
    }
}
