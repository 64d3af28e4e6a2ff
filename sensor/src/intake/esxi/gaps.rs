//! Events of hosts that never came: hostd numbers them, so that a gap is lost messages.

use std::collections::HashMap;

use crate::intake::syslog::Message;

use super::hostd::{EVENTS, numbered};
use super::originator;

/// Hosts that are followed at most; of others nothing is known.
const MAX_HOSTS: usize = 4096;
/// How far back a number may be to be late rather than of a hostd that was started anew; as many as a
/// mask has bits.
const LATE: u64 = 64;
/// The largest gap that is believed: beyond, numbers were started anew.
const MAX_GAP: u64 = 10_000;

/// Follows the numbers of events.
#[derive(Debug, Default)]
pub struct Gaps {
    hosts: HashMap<Box<str>, Numbers>,
    missing: u64,
}

/// The numbers of one host.
#[derive(Debug)]
struct Numbers {
    /// The highest so far.
    last: u64,
    /// Which of those before it have come: the lowest bit is the one just before.
    seen: u64,
}

impl Gaps {
    /// Takes a message.
    pub fn note(&mut self, message: &Message<'_>) {
        if !message.program.eq_ignore_ascii_case("hostd") {
            return;
        }
        let Some((head, text)) = originator::split(message.body) else { return };
        let (Some(host), true) = (message.host, head.sub == EVENTS) else { return };
        let Some((number, _)) = numbered(text) else { return };
        if let Some(numbers) = self.hosts.get_mut(host) {
            self.missing = self.missing.saturating_add(numbers.take(number));
        } else if self.hosts.len() < MAX_HOSTS {
            self.hosts.insert(host.into(), Numbers { last: number, seen: u64::MAX });
        }
    }

    /// Events that are missing so far: 64 later ones have come.
    pub const fn missing(&self) -> u64 {
        self.missing
    }
}

impl Numbers {
    /// Takes a number: how many before it are too far back now to come late.
    const fn take(&mut self, number: u64) -> u64 {
        let ahead = number.saturating_sub(self.last);
        let behind = self.last.saturating_sub(number);
        if ahead > MAX_GAP || behind > LATE {
            *self = Self { last: number, seen: u64::MAX };
            return 0;
        }
        if ahead == 0 {
            // The last is before none; the one before it has the lowest bit.
            self.seen |= ((1u128 << behind) >> 1) as u64;
            return 0;
        }
        let ahead_bits = ahead as u32;
        let leaving = (!self.seen).unbounded_shr(u64::BITS.saturating_sub(ahead_bits));
        let unseen = ahead.saturating_sub(LATE).saturating_sub(1);
        self.seen =
            self.seen.unbounded_shl(ahead_bits) | 1u64.unbounded_shl(ahead_bits.saturating_sub(1));
        self.last = number;
        unseen.saturating_add(leaving.count_ones() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How many are missing when many more have come.
    fn missing(numbers: impl IntoIterator<Item = u64>) -> u64 {
        let mut gaps = Gaps::default();
        let mut last = 0;
        let mut take = |number: u64| {
            let body = format!("[Originator@6876 sub=Vimsvc.ha-eventmgr] Event {number} : x");
            gaps.note(&super::super::tests::message("Hostd", &body));
        };
        for number in numbers {
            last = number;
            take(number);
        }
        (1..=2 * LATE).for_each(|more| take(last.saturating_add(more)));
        gaps.missing()
    }

    #[test]
    fn a_gap_is_lost_messages() {
        assert_eq!(missing([245, 246, 249, 250]), 2);
        assert_eq!(missing([245, 246, 246]), 0, "the same twice");
        assert_eq!(missing([245, 248, 246, 247, 249]), 0, "late, not lost");
        assert_eq!(missing([245, 309, 246, 310]), 62, "as late as can be");
        assert_eq!(missing([5000, 1, 2]), 0, "started anew");
        assert_eq!(missing([1, u64::MAX, 1, 3]), 1, "no believable gap");
        assert_eq!(missing([1, 1000, 999, 1001]), 997, "late behind a long gap");
        for gap in [63, 64, 65, 66, 67, 130] {
            assert_eq!(missing([1, 1 + gap]), gap - 1);
        }
    }

    #[test]
    fn messages_of_others_have_no_numbers() {
        let mut gaps = Gaps::default();
        for (program, body) in [
            ("Hostd", "[Originator@6876 sub=Vimsvc.ha-eventmgr] Event 1 : x"),
            ("Hostd", "[Originator@6876 sub=Vimsvc] Event 100 : x"),
            ("Vpxa", "[Originator@6876 sub=Vimsvc.ha-eventmgr] Event 200 : x"),
            ("Hostd", "Event 300 : x"),
            ("Hostd", "[Originator@6876 sub=Vimsvc.ha-eventmgr] Event 2 : x"),
        ] {
            gaps.note(&super::super::tests::message(program, body));
        }
        assert_eq!(gaps.hosts["esx1"].last, 2);
    }

    proptest! {
        #[test]
        fn what_is_missing_is_counted(present in prop::collection::vec(any::<bool>(), 1..300)) {
            let first = present.iter().position(|there| *there).unwrap_or(present.len());
            let last = present.iter().rposition(|there| *there).unwrap_or(0);
            let expected = present.iter().take(last).skip(first).filter(|there| !**there).count();
            let numbers = present.iter().zip(1u64..).filter(|(there, _)| **there).map(|(_, n)| n);
            prop_assume!(first < present.len());
            prop_assert_eq!(missing(numbers), expected as u64);
        }

        #[test]
        fn any_numbers_are_taken(numbers: Vec<u64>) {
            missing(numbers);
        }
    }
}
