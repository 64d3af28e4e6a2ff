//! How much moved, as few bits as will do.

/// Less than this is idle: it says nothing about how much is usual when something moves.
pub(crate) const WORTH: u64 = 1_000_000;
/// Steps of a nat.
const STEPS: f64 = 14.0;

/// What is known of an hour or a day: nothing, that it was idle, how much moved, in fourteenths of a
/// nat above [`WORTH`]: within 4 % of what it was, up to 60 TB; or that an alert speaks against it. In
/// this order: of what two sensors know the larger counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Size(pub(super) u8);

/// The largest sums over 1 min, 10 min and 1 h that an hour saw.
pub(super) type Hour = [Size; 3];

impl Size {
    pub(super) const UNKNOWN: Self = Self(0);
    pub(super) const IDLE: Self = Self(1);
    /// An alert was open: it is not to be learned, whatever others saw in it.
    pub(super) const SPOILED: Self = Self(u8::MAX);
    /// The smallest that is not idle.
    const LEAST: u8 = 2;

    pub(super) fn of(bytes: u64) -> Self {
        if bytes < WORTH {
            return Self::IDLE;
        }
        let steps = (bytes as f64 / WORTH as f64).ln() * STEPS;
        Self(Self::LEAST + steps.round().min(252.0) as u8)
    }

    /// Whether it is known what moved, if only that nothing did.
    pub(super) fn is_known(self) -> bool {
        self != Self::UNKNOWN && self != Self::SPOILED
    }

    /// The logarithm of what moved, if anything is known to have.
    pub(super) fn logarithm(self) -> Option<f64> {
        if self == Self::SPOILED {
            return None;
        }
        let steps = self.0.checked_sub(Self::LEAST)?;
        Some((WORTH as f64).ln() + f64::from(steps) / STEPS)
    }

    pub(super) fn bytes(self) -> u64 {
        self.logarithm().map_or(0, |logarithm| logarithm.exp() as u64)
    }
}

/// Steps that a shorter window may be below the next longer one, by half a byte. A transfer of a
/// minute is not below; of a steady flow 10 min are 25 steps below an hour, and 1 min 32 below those.
const STEPS_BELOW: [u8; 15] = [0, 1, 2, 4, 6, 8, 10, 13, 16, 19, 22, 25, 28, 32, 44];
/// The shorter window was idle.
const NONE: u8 = 15;

/// The sums over 10 min and 1 min, each in half a byte against that over the next longer window:
/// within two steps of what they were, 15 %, as far as a steady flow. What is further below is taken for
/// more than it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shorter(pub(super) u8);

impl Shorter {
    pub(super) fn of([minute, ten_minutes, hour]: Hour) -> Self {
        let upper = closest(hour, ten_minutes);
        let lower = closest(below(hour, upper), minute);
        Self(upper << 4 | lower)
    }

    /// All three sums of an hour that moved so much.
    pub(super) fn hour(self, hour: Size) -> Hour {
        let ten_minutes = below(hour, self.0 >> 4);
        [below(ten_minutes, self.0 & 0xf), ten_minutes, hour]
    }
}

/// What is half a byte below a longer window.
fn below(longer: Size, half: u8) -> Size {
    if longer.0 < Size::LEAST {
        return longer;
    }
    let steps = STEPS_BELOW.get(usize::from(half));
    steps.map_or(Size::IDLE, |steps| Size(longer.0.saturating_sub(*steps).max(Size::LEAST)))
}

/// The half byte that comes closest.
fn closest(longer: Size, shorter: Size) -> u8 {
    match () {
        () if longer.0 < Size::LEAST => 0,
        () if shorter.0 < Size::LEAST => NONE,
        () => (0..NONE).min_by_key(|half| below(longer, *half).0.abs_diff(shorter.0)).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_within_4_percent() {
        for bytes in [WORTH, 7_654_321, 1 << 33, 20_000_000_000_000] {
            let read = Size::of(bytes).bytes();
            assert!(read.abs_diff(bytes) * 25 <= bytes, "{bytes}: {read}");
        }
    }

    /// Fails when a burst or a steady flow is read as another, or when reading twice drifts.
    #[test]
    fn shorter_sums_are_within_two_steps_and_do_not_change_when_kept_again() {
        for [minute, ten_minutes] in [[1, 1], [10, 1], [60, 6], [40, 8], [3, 2], [9, 1]] {
            let told = [minute, ten_minutes, 1].map(|part| Size::of(90_000_000_000 / part));
            let read = Shorter::of(told).hour(told[2]);
            let apart = told.iter().zip(read).map(|(told, read)| told.0.abs_diff(read.0));
            assert!(apart.max() <= Some(2), "{told:?}: {read:?}");
        }
        for hour in 0..=60 {
            for ten_minutes in 0..=hour {
                for minute in 0..=ten_minutes {
                    let told = [minute, ten_minutes, hour].map(Size);
                    let read = Shorter::of(told).hour(told[2]);
                    assert_eq!(Shorter::of(read).hour(read[2]), read, "{told:?}");
                }
            }
        }
        let idle = Shorter::of([Size::IDLE, Size::of(2 * WORTH), Size::of(9 * WORTH)]);
        assert_eq!(idle.hour(Size::of(9 * WORTH))[0], Size::IDLE);
        assert_eq!(Shorter::default().hour(Size::UNKNOWN), Hour::default());
    }
}
