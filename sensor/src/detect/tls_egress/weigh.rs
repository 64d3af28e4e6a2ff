//! What speaks for and against an egress, as log-odds in nats. `docs/egress.md` has each part, what it
//! weighs and why.
//!
//! The weights are those of a prototype with its Monte Carlo runs, changed where estates at scale said
//! so: bytes alone must not decide about a benign first upload of up to 100 MB, so the prior is lower
//! and what went before weighs more; and what people fetch inside to send it on is small.

use crate::alert::Severity;
use crate::baseline::{Habit, Others};
use crate::detect::statistics::{self, ramp};

/// Most of what a guest does is harmless.
const PRIOR: f64 = -7.5;
/// A management component has almost no business outside.
const MANAGEMENT: f64 = 3.0;
/// The same where the config approves the name, but not at this address or port.
const DOUBTFUL: f64 = 1.0;
/// Until an asset is learned everything is new for it.
const LEARNING: f64 = -5.0;
/// Survival exponent of what a harmless new place takes (a Pareto tail), and where it begins.
const TAIL: f64 = 1.2;
const TAIL_FROM: f64 = 262_144.0;
/// The same exponent for what a trusted place takes beyond its largest day.
const HABIT: f64 = 2.2;
/// Bytes that weigh less than this are few for a management component: 17 MB.
const MANY: f64 = 5.0;
/// The least and the most that bytes add.
const BYTES: [f64; 2] = [-1.7, 10.0];
/// Bytes are summed over so many days: a sum is held against so many times what a new place may take,
/// and at a trusted place against so many of its days.
const SUMS: [Sum; 3] = [
    Sum { days: 2, new: 1.0, trusted: 1.0 },
    Sum { days: 7, new: 3.0, trusted: 7.0 },
    Sum { days: 30, new: 6.0, trusted: 30.0 },
];
/// A place known for one, three, seven hours or more weighs 2, 4, 6 less.
const KNOWN: f64 = 2.0;
const KNOWN_STEPS: f64 = 3.0;
/// What nobody else in the estate has beside what is new for the asset: the client's fingerprint, the
/// port. Where others have it, so many times less.
const RARE_CLIENT: f64 = 0.7;
const RARE_PORT: f64 = 0.5;
/// What is rare is rare together: a new tool goes to a new place.
const RARE: f64 = 1.0;
/// A slow drain that runs, where this place has half of it; from a tenth on.
const DRAIN: f64 = 2.5;
const DRAIN_SHARE: [f64; 2] = [0.1, 0.5];
/// What `n` others at the place weigh, times `ln(1 + n)`.
const PREVALENCE: f64 = 1.5;
const MAX_OTHERS: u32 = 100;
/// From and to how many times the habit a discount fades.
const FADE: [f64; 2] = [1.5, 3.0];
/// Data was pulled together inside before it left: a thousandth to a fiftieth of it at least, and more
/// where a tenth to a half left; beyond [`TOO_MUCH`] times the pulled it is other data.
const STAGING: f64 = 3.8;
const SOME: [f64; 2] = [0.001, 0.02];
const CLOSE: f64 = 2.7;
const MOST: [f64; 2] = [0.1, 0.5];
const TOO_MUCH: f64 = 3.0;
/// People fetch a file and send it on: so little pulled counts for so much of that, and half a gigabyte
/// for all of it.
const PULLED: [f64; 2] = [5e7, 5e8];
const LITTLE: f64 = 0.3;
/// A guest operation before it weighs from little to much, by how unusual it is; what only asks so
/// many times less, and before a visit to a known place less by so much for each hour it was seen in:
/// what went there before was not sent by the operation.
const LED: [f64; 2] = [0.5, 6.5];
const ONLY_ASKS: f64 = 3.0;
const LED_KNOWN: f64 = 0.5;
/// Staging that weighs so much is a reason of its own.
const STAGED: f64 = 2.0;

/// What stands out in a session besides its bytes, as bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Notes(u8);

impl Notes {
    pub(super) const NO_SNI: Self = Self(1);
    pub(super) const SNI_NOT_IN_DNS: Self = Self(2);
    pub(super) const NEVER_RESOLVED: Self = Self(4);
    pub(super) const ODD_PORT: Self = Self(8);
    pub(super) const ECH: Self = Self(16);
    pub(super) const ODD_HOUR: Self = Self(32);
    pub(super) const NEW_NETWORK: Self = Self(64);

    /// Each note with its name in evidence and its weight: weak, and never enough together.
    const ALL: [(Self, &'static str, f64); 7] = [
        (Self::NO_SNI, "no_sni", 0.5),
        (Self::SNI_NOT_IN_DNS, "sni_not_in_dns", 1.0),
        (Self::NEVER_RESOLVED, "never_resolved", 1.0),
        (Self::ODD_PORT, "odd_port", 0.5),
        (Self::ECH, "ech", 0.0),
        (Self::ODD_HOUR, "odd_hour", 1.0),
        (Self::NEW_NETWORK, "new_network", 0.3),
    ];

    pub(super) const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(super) const fn remove(&mut self, other: Self) {
        self.0 &= !other.0;
    }

    fn given(self) -> impl Iterator<Item = (&'static str, f64)> {
        let given = Self::ALL.into_iter().filter(move |(note, ..)| self.0 & note.0 != 0);
        given.map(|(_, name, weight)| (name, weight))
    }

    pub(super) fn names(self) -> Vec<&'static str> {
        self.given().map(|(name, _)| name).collect()
    }
}

/// Data pulled together inside before it left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Staged {
    /// Bytes pulled beyond what is usual.
    pub(super) pulled: u64,
    /// Bytes out to the place since.
    pub(super) out: u64,
    /// How new such a pull is, 0 to 1.
    pub(super) novelty: f64,
}

/// What is new for the asset besides the place; each with how many others in the estate have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rare {
    /// The client's fingerprint.
    pub(super) client: Option<u32>,
    /// The port.
    pub(super) port: Option<u32>,
}

impl Rare {
    /// What the client and the port weigh.
    pub(super) fn weights(self) -> [f64; 2] {
        let of =
            |most: f64, others: Option<u32>| others.map_or(0.0, |n| most / (1.0 + f64::from(n)));
        let (client, port) = (of(RARE_CLIENT, self.client), of(RARE_PORT, self.port));
        let all = client + port;
        [client, port].map(|weight| weight * (RARE / all.max(RARE)))
    }
}

/// Guest operations on the asset before the egress.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Led {
    /// How far from usual, 0 to 1.
    pub(super) strangeness: f64,
    /// Whether they do more than ask.
    pub(super) acts: bool,
}

/// All that is known about an asset and a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Findings<'a> {
    pub(super) habit: &'a Habit,
    pub(super) others: Others,
    pub(super) notes: Notes,
    pub(super) staged: Option<Staged>,
    pub(super) led: Option<Led>,
    pub(super) rare: Rare,
    /// This place's share of a slow drain that runs, if one does.
    pub(super) drained: Option<f64>,
    pub(super) management: bool,
    pub(super) doubtful: bool,
    pub(super) learning: bool,
}

/// What each part weighs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Weights {
    /// Role, prior and learning.
    pub(super) base: f64,
    /// What is known of the place.
    pub(super) novelty: f64,
    pub(super) session: f64,
    pub(super) staging: f64,
    /// Guest operations before it.
    pub(super) led: f64,
    /// Client and port.
    pub(super) rare: [f64; 2],
    pub(super) drain: f64,
}

impl Weights {
    pub(super) fn sum(&self) -> f64 {
        let [client, port] = self.rare;
        let before = self.staging + self.led + self.drain;
        self.base + self.novelty + self.session + client + port + before
    }

    /// How bad that is; `None` below an alert. Critical is a matter of policy: what is as good as
    /// certain, and is a management component's egress or follows staging.
    pub(super) fn severity(&self, found: &Findings<'_>) -> Option<Severity> {
        let severity = statistics::severity(self.sum(), found.management || self.is_led())?;
        Some(if found.learning && !found.management { Severity::Medium } else { severity })
    }

    /// Whether staging speaks for it.
    pub(super) fn is_staged(&self) -> bool {
        self.staging >= STAGED
    }

    /// Whether guest operations do.
    pub(super) fn is_orchestrated(&self) -> bool {
        self.led >= STAGED
    }

    /// Whether what led up to it speaks for it, so that others at the place do not excuse it.
    pub(super) fn is_led(&self) -> bool {
        self.is_staged() || self.is_orchestrated()
    }
}

/// Bytes out to the place that count, and what would have been usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) bytes: u64,
    pub(super) usual: u64,
    /// Over so many days.
    pub(super) days: usize,
}

impl Amount {
    pub(super) const NONE: Self = Self { bytes: 0, usual: 0, days: 2 };
}

/// See [`SUMS`].
#[derive(Debug, Clone, Copy)]
struct Sum {
    days: usize,
    new: f64,
    trusted: f64,
}

impl Findings<'_> {
    /// What counts: the most telling of the sums.
    pub(super) fn amount(&self) -> Amount {
        self.telling().0
    }

    /// The most telling of the sums, what it says, and how many times the usual it is.
    fn telling(&self) -> (Amount, f64, f64) {
        let sums = SUMS.into_iter().map(|sum| self.tells(sum));
        let first = (Amount::NONE, f64::NEG_INFINITY, 0.0);
        sums.fold(first, |most, sum| if sum.1 > most.1 { sum } else { most })
    }

    /// A trusted place is held against its own past, which says more, but it is never worse than a new
    /// one.
    fn tells(&self, Sum { days, new, trusted }: Sum) -> (Amount, f64, f64) {
        let is_trusted = self.habit.is_trusted();
        // Of a learned place the day counts by itself: the one before may have been its largest.
        let bytes = if self.habit.learned && days == SUMS[0].days {
            self.habit.today()
        } else {
            self.habit.total(days)
        };
        let sent = bytes.max(1) as f64;
        let to_new = sent / (new * TAIL_FROM);
        let weight = TAIL * to_new.ln();
        if !is_trusted {
            return (Amount { bytes, usual: 0, days }, weight, to_new);
        }
        let usual = trusted * (self.habit.usual_day() as f64);
        let times = sent / usual.max(trusted * TAIL_FROM);
        let amount = Amount { bytes, usual: usual as u64, days };
        (amount, weight.min(HABIT * times.ln()), times)
    }

    pub(super) fn weigh(&self) -> Weights {
        let (_, bytes, times) = self.telling();
        let mut bytes = bytes.clamp(BYTES[0], BYTES[1]);
        let mut base = match (self.management, self.doubtful) {
            (true, true) => DOUBTFUL,
            (true, false) => MANAGEMENT,
            (false, _) => PRIOR,
        };
        if self.management {
            // An unapproved egress stands by itself; bytes add only where they are many.
            bytes = (bytes - MANY).max(0.0);
        } else if self.learning {
            base += LEARNING;
        }
        let notes: f64 = self.notes.given().map(|(_, weight)| weight).sum();
        let share = self.drained.unwrap_or(0.0);
        Weights {
            base,
            novelty: -self.known() * (1.0 - ramp(times, FADE[0], FADE[1])) - self.prevalence(),
            session: bytes + notes,
            staging: self.staging(),
            led: self.orchestration(),
            rare: self.rare.weights(),
            drain: DRAIN * ramp(share, DRAIN_SHARE[0], DRAIN_SHARE[1]),
        }
    }

    fn orchestration(&self) -> f64 {
        let Some(Led { strangeness, acts }) = self.led else { return 0.0 };
        let weight = LED[0] + (LED[1] - LED[0]) * strangeness;
        let asks = if acts { 1.0 } else { ONLY_ASKS };
        weight / asks / (1.0 + LED_KNOWN * f64::from(self.habit.hours))
    }

    fn known(&self) -> f64 {
        KNOWN * f64::from(self.habit.hours).ln_1p().min(KNOWN_STEPS * std::f64::consts::LN_2)
            / std::f64::consts::LN_2
    }

    /// Others have the place too, and send about as much.
    fn prevalence(&self) -> f64 {
        PREVALENCE * f64::from(self.others.alike.min(MAX_OTHERS)).ln_1p()
    }

    /// What leaves must be of the order of what was pulled: a tiny visit after a backup is none.
    fn staging(&self) -> f64 {
        let Some(Staged { pulled, out, novelty }) = self.staged else { return 0.0 };
        let part = out as f64 / pulled.max(1) as f64;
        let fit = STAGING * ramp(part, SOME[0], SOME[1]) + CLOSE * ramp(part, MOST[0], MOST[1]);
        let size = LITTLE + (1.0 - LITTLE) * ramp(pulled as f64, PULLED[0], PULLED[1]);
        fit * size * novelty * (TOO_MUCH / part.max(TOO_MUCH))
    }
}

#[cfg(test)]
mod tests;
