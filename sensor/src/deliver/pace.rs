//! When to try again: for one alert, and for a receiver that takes nothing.

use std::time::Duration;

use tokio::time::Instant;

use super::failure::Outlook;

/// The shortest pause after a failure.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);

/// The longest pause, unless the receiver asks for a longer one.
pub(super) const LONGEST: Duration = Duration::from_secs(5 * 60);

/// The longest pause a receiver is granted.
pub(super) const MOST_GRANTED: Duration = Duration::from_secs(24 * 3600);

/// So many failures in a row, and the receiver gets time to recover.
const PATIENCE: u32 = 5;

/// Throws of dice from a seed (SplitMix64): sensors that failed together do not come back together.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// Dice of `target`: its own, the same for the same seed.
    pub(super) fn new(seed: u64, target: &str) -> Self {
        let mix = |dice: u64, byte: u8| (dice ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(target.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, mix))
    }

    /// Between 0 and 1.
    fn throw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The pause after `failures` of them: anything up to a bound that doubles (full jitter).
pub(super) fn pause(failures: u32, dice: &mut Dice) -> Duration {
    let bound = SHORTEST.saturating_mul(2u32.saturating_pow(failures)).min(LONGEST);
    bound.mul_f64(dice.throw()).max(SHORTEST)
}

/// The pause after a failure that only a person ends, or that one alert has: close to the longest.
fn long_pause(dice: &mut Dice) -> Duration {
    LONGEST.mul_f64(0.75 + 0.25 * dice.throw())
}

/// Whether a receiver is asked, and since when it takes nothing.
#[derive(Debug)]
pub(super) struct Circuit {
    dice: Dice,
    /// Failures of the receiver in a row, not those of single alerts.
    failures: u32,
    failing_since: Option<Instant>,
    held_until: Option<Instant>,
    /// Whether the receiver itself asked for the pause.
    is_granted: bool,
}

impl Circuit {
    pub(super) const fn new(dice: Dice) -> Self {
        Self { dice, failures: 0, failing_since: None, held_until: None, is_granted: false }
    }

    /// How long nothing is sent; `None`: now is fine.
    pub(super) fn held(&self, now: Instant) -> Option<Duration> {
        self.held_until?.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// Whether the receiver is given time: also while a single attempt looks how it is.
    pub(super) const fn is_open(&self) -> bool {
        self.held_until.is_some()
    }

    /// Whether nothing was taken since the last failure.
    pub(super) const fn is_failing(&self) -> bool {
        self.failing_since.is_some()
    }

    /// After a failure: the pause for this alert, which had failed `attempts` times before.
    pub(super) fn failed(&mut self, outlook: Outlook, attempts: u32, now: Instant) -> Duration {
        if outlook == Outlook::ThisAlert {
            // It has answered: what is wrong is wrong with this alert.
            self.failures = 0;
            self.held_until = None;
            return long_pause(&mut self.dice);
        }
        self.failures = self.failures.saturating_add(1);
        self.failing_since.get_or_insert(now);
        self.is_granted = matches!(outlook, Outlook::Later(_));
        match outlook {
            Outlook::Later(wait) => self.hold(wait.clamp(SHORTEST, MOST_GRANTED), now),
            Outlook::Standing => {
                let wait = long_pause(&mut self.dice);
                self.hold(wait, now)
            }
            _ if self.failures >= PATIENCE => {
                let wait = pause(self.failures - PATIENCE + 1, &mut self.dice);
                self.hold(wait, now)
            }
            _ => {
                self.held_until = None;
                pause(attempts.saturating_add(1), &mut self.dice)
            }
        }
    }

    /// After a success: for how long nothing was taken, if that was so.
    pub(super) fn succeeded(&mut self, now: Instant) -> Option<Duration> {
        self.failures = 0;
        self.held_until = None;
        self.failing_since.take().map(|since| now.duration_since(since))
    }

    /// A person may have mended what was wrong: whether the pause ends, which it does unless the
    /// receiver has asked for it.
    pub(super) const fn try_again(&mut self) -> bool {
        let ends = self.is_failing() && !self.is_granted;
        if ends {
            self.held_until = None;
        }
        ends
    }

    fn hold(&mut self, wait: Duration, now: Instant) -> Duration {
        self.held_until = Some(now + wait);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_minutes_and_differ() {
        let mut dice = Dice::new(1, "a");
        for failures in 0..40 {
            let bound = SHORTEST.saturating_mul(2u32.saturating_pow(failures)).min(LONGEST);
            let pauses: Vec<_> = (0..200).map(|_| pause(failures, &mut dice)).collect();
            assert!(pauses.iter().all(|pause| (SHORTEST..=bound).contains(pause)));
            let longest = pauses.iter().max().unwrap();
            assert!(*longest >= bound.mul_f64(0.9), "{failures}: {longest:?} of {bound:?}");
        }
    }

    #[test]
    fn dice_are_the_targets_own_and_the_seeds() {
        let throws = |seed, target| {
            let mut dice = Dice::new(seed, target);
            std::array::from_fn::<_, 3, _>(|_| pause(9, &mut dice))
        };
        assert_eq!(throws(1, "a"), throws(1, "a"));
        assert_ne!(throws(1, "a"), throws(2, "a"));
        assert_ne!(throws(1, "a"), throws(1, "b"));
    }

    #[tokio::test(start_paused = true)]
    async fn five_failures_open_the_circuit_and_one_success_closes_it() {
        let mut circuit = Circuit::new(Dice::new(1, "a"));
        let start = Instant::now();
        for attempts in 0..4 {
            circuit.failed(Outlook::Passing, attempts, start);
            assert_eq!((circuit.held(start), circuit.is_open()), (None, false));
        }
        let wait = circuit.failed(Outlook::Passing, 0, start);
        assert_eq!(circuit.held(start), Some(wait));
        // The single attempt after the pause.
        let later = start + wait;
        assert_eq!((circuit.held(later), circuit.is_open()), (None, true));
        assert!(circuit.failed(Outlook::Passing, 0, later) >= SHORTEST);
        assert!(circuit.held(later).is_some());
        assert_eq!(circuit.succeeded(later), Some(wait));
        assert_eq!((circuit.held(later), circuit.is_open()), (None, false));
        assert_eq!(circuit.succeeded(later), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_receiver_asks_for_is_granted_for_a_day_at_most() {
        let mut circuit = Circuit::new(Dice::new(1, "a"));
        let now = Instant::now();
        for (asked, granted) in [(0, 1), (7_200, 7_200), (9_999_999, 86_400)] {
            let wait = circuit.failed(Outlook::Later(Duration::from_secs(asked)), 0, now);
            assert_eq!(wait, Duration::from_secs(granted));
            assert_eq!(circuit.held(now), Some(wait));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_alert_that_is_refused_holds_no_other() {
        let mut circuit = Circuit::new(Dice::new(1, "a"));
        for attempts in 0..100 {
            let wait = circuit.failed(Outlook::ThisAlert, attempts, Instant::now());
            assert!(wait >= LONGEST / 2 && wait <= LONGEST);
            assert!(!circuit.is_open() && !circuit.is_failing());
        }
    }
}
