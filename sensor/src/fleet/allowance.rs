//! How much each sensor may send: one that floods is refused, and the others are not.

use std::collections::BTreeMap;

use super::Place;
use crate::time::Timestamp;

/// Messages that a sensor may send at once: all that it owed while the servers were away.
const BURST: f64 = 2_000.0;
/// Messages a second that it may send for ever.
const RATE: f64 = 20.0;
/// Sensors that are told apart; more share one allowance.
const MOST: usize = 2_000;

/// What each has left.
#[derive(Debug, Default)]
pub(super) struct Allowances {
    each: BTreeMap<Place, Left>,
    others: Left,
}

#[derive(Debug, Clone, Copy)]
struct Left {
    messages: f64,
    at: Timestamp,
}

impl Default for Left {
    fn default() -> Self {
        Self { messages: BURST, at: Timestamp::default() }
    }
}

impl Allowances {
    /// Takes one message of `sender`; whether it may send it.
    pub(super) fn take(&mut self, sender: &Place, now: Timestamp) -> bool {
        if !self.each.contains_key(sender) {
            if self.each.len() >= MOST {
                self.each.retain(|_, left| left.after(now) < BURST);
            }
            if self.each.len() >= MOST {
                return self.others.take(now);
            }
        }
        self.each.entry(sender.clone()).or_default().take(now)
    }
}

impl Left {
    /// What it has by `now`.
    fn after(&self, now: Timestamp) -> f64 {
        (self.messages + now.since(self.at).as_secs_f64() * RATE).min(BURST)
    }

    fn take(&mut self, now: Timestamp) -> bool {
        let left = self.after(now);
        let may = left >= 1.0;
        *self = Self { messages: if may { left - 1.0 } else { left }, at: now };
        may
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn place(number: usize) -> Place {
        Place { site: "dc1".to_owned(), sensor: format!("rack-{number}") }
    }

    const NOW: Timestamp = Timestamp::from_parts(1_795_184_000, 0);

    #[test]
    fn whoever_floods_is_refused_and_nobody_else() {
        let mut all = Allowances::default();
        let taken = (0..10_000).filter(|_| all.take(&place(1), NOW)).count();
        assert_eq!(taken, 2_000);
        assert!(all.take(&place(2), NOW));
        let later = NOW.plus(Duration::from_secs(10));
        let taken = (0..10_000).filter(|_| all.take(&place(1), later)).count();
        assert_eq!(taken, 200);
        // A clock that is set back gives nothing.
        assert!(!all.take(&place(1), NOW));
    }

    #[test]
    fn names_that_are_made_up_share_one_allowance() {
        let mut all = Allowances::default();
        let taken = (0..10_000).filter(|number| all.take(&place(*number), NOW)).count();
        assert_eq!(taken, MOST + 2_000);
        assert!(all.each.len() <= MOST);
        let later = NOW.plus(Duration::from_secs(3600));
        assert!(all.take(&place(10_001), later), "they are forgotten when they are calm");
        assert_eq!(all.each.len(), 1);
    }
}
