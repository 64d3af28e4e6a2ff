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
    lost: u64,
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
            let (missing, late) = numbers.take(number);
            self.lost = self.lost.saturating_add(missing).saturating_sub(late);
        } else if self.hosts.len() < MAX_HOSTS {
            self.hosts.insert(host.into(), Numbers { last: number, seen: u64::MAX });
        }
    }

    /// Events that are missing so far.
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}

impl Numbers {
    /// Takes a number: how many are missing before it, and how many that were missing have come.
    const fn take(&mut self, number: u64) -> (u64, u64) {
        let ahead = number.saturating_sub(self.last);
        if ahead > 0 && ahead <= MAX_GAP {
            // The last itself has come.
            self.seen = match ahead {
                LATE.. => 0,
                _ => self.seen.unbounded_shl(ahead as u32) | 1u64.unbounded_shl(ahead as u32 - 1),
            };
            self.last = number;
            return (ahead - 1, 0);
        }
        let behind = self.last.saturating_sub(number);
        if ahead == 0 && behind <= LATE {
            let bit = match behind {
                0 => 0,
                _ => 1 << (behind - 1),
            };
            let is_new = bit & !self.seen != 0;
            self.seen |= bit;
            return (0, is_new as u64);
        }
        self.last = number;
        self.seen = u64::MAX;
        (0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lost(numbers: impl IntoIterator<Item = u64>) -> u64 {
        let mut gaps = Gaps::default();
        for number in numbers {
            let body = format!("[Originator@6876 sub=Vimsvc.ha-eventmgr] Event {number} : x");
            gaps.note(&super::super::tests::message("Hostd", &body));
        }
        gaps.lost()
    }

    #[test]
    fn a_gap_is_lost_messages() {
        assert_eq!(lost([245, 246, 249, 250]), 2);
        assert_eq!(lost([245, 246, 246]), 0, "the same twice");
        assert_eq!(lost([245, 248, 246, 247, 249]), 0, "late, not lost");
        assert_eq!(lost([5000, 1, 2]), 0, "started anew");
        assert_eq!(lost([1, u64::MAX, 0, 2]), 1, "no believable gap");
        assert_eq!(lost([1, 1000, 999, 1001]), 997, "late behind a long gap");
    }

    proptest! {
        #[test]
        fn what_is_missing_is_counted(present in prop::collection::vec(any::<bool>(), 1..300)) {
            let first = present.iter().position(|there| *there).unwrap_or(present.len());
            let last = present.iter().rposition(|there| *there).unwrap_or(0);
            let missing = present.iter().take(last).skip(first).filter(|there| !**there).count();
            let numbers = present.iter().zip(1u64..).filter(|(there, _)| **there).map(|(_, n)| n);
            prop_assert_eq!(lost(numbers), missing as u64);
        }

        #[test]
        fn any_numbers_are_taken(numbers: Vec<u64>) {
            lost(numbers);
        }
    }
}
