//! What a mirror port does to the traffic it shows, in numbers: it may give packets twice, show one
//! side of conversations only, show one packet in so many, cut packets, and lose them. Whoever
//! captures counts; alerts say it while it matters.

use serde::{Deserialize, Serialize};

use crate::time::ByteSize;

mod recently;
mod report;
mod sequences;
mod source;

pub use recently::Recently;
pub use report::Report;
pub use sequences::{Missing, Sequences};
pub use source::{MAX_SOURCES, Source, SourceFacts};

/// Shares from which people should know.
const DUPLICATES: f64 = 0.01;
const ONE_SIDED: f64 = 0.2;
const TRUNCATED: f64 = 0.01;
const DROPPED: f64 = 0.001;
/// Of fewer packets or conversations a share says nothing.
const LEAST_PACKETS: u64 = 1000;
const LEAST_CONVERSATIONS: u64 = 20;

/// Counts over some time: of a whole run, or the last minutes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MirrorFacts {
    /// Packets received, second copies included.
    pub packets: u64,
    /// Of them, second copies.
    pub duplicates: u64,
    /// Of them, those of which only a part was captured.
    pub truncated: u64,
    /// Packets lost on the way to the sensor, besides those received.
    pub dropped: u64,
    /// TCP conversations that ended and tell how many sides were seen.
    pub conversations: u64,
    /// Of them, those of which one side only was seen.
    pub one_sided: u64,
    /// Bytes of conversations, second copies left out and what was cut off put back.
    #[serde(default)]
    pub bytes: u64,
    /// What the sequence numbers of some conversations tell.
    #[serde(default)]
    pub sequences: Sequences,
    /// The mirror shows one packet in so many, where it does not show all: volumes are those seen,
    /// times this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_in: Option<f64>,
}

impl MirrorFacts {
    /// Share of packets that are second copies.
    pub fn duplicate_share(&self) -> f64 {
        share(self.duplicates, self.packets)
    }

    /// Share of packets of which only a part was captured.
    pub fn truncated_share(&self) -> f64 {
        share(self.truncated, self.packets)
    }

    /// Share of packets that were lost.
    pub fn dropped_share(&self) -> f64 {
        share(self.dropped, self.packets.saturating_add(self.dropped))
    }

    /// Share of conversations of which one side only was seen.
    pub fn one_sided_share(&self) -> f64 {
        share(self.one_sided, self.conversations)
    }

    /// What the mirror does not show of the traffic, and nobody here has lost.
    pub fn missing(&self) -> Option<Missing> {
        self.sequences.missing(self.dropped_share())
    }

    /// The same with the rate of sampling that follows from its counts.
    #[must_use]
    pub fn rated(self) -> Self {
        let one_in = match self.missing() {
            Some(Missing::Sampled(one_in)) => Some(one_in),
            _ => None,
        };
        Self { one_in, ..self }
    }

    /// How many bytes there were, as far as known.
    pub fn estimated_bytes(&self) -> u64 {
        (self.bytes as f64 * self.one_in.unwrap_or(1.0)) as u64
    }

    /// The state as it should be known; `None` where all is well.
    pub fn notable(&self) -> Option<Notable> {
        let packets = self.packets >= LEAST_PACKETS;
        let conversations = self.conversations >= LEAST_CONVERSATIONS;
        let missing = self.missing();
        let is_sampled = matches!(missing, Some(Missing::Sampled(_)));
        let above =
            |counts: bool, share: f64, least: f64| (counts && share > least).then_some(share);
        let notable = Notable {
            duplicates: above(packets, self.duplicate_share(), DUPLICATES),
            // Of a short conversation that is sampled, one side can be left out by chance.
            one_sided: above(conversations && !is_sampled, self.one_sided_share(), ONE_SIDED),
            truncated: above(packets, self.truncated_share(), TRUNCATED),
            dropped: above(packets, self.dropped_share(), DROPPED),
            missing,
        };
        (notable != Notable::default()).then_some(notable)
    }

    /// What the mirror does, and what that means for what is told.
    pub fn sentence(&self) -> String {
        format!("the mirror {}", self.predicate())
    }

    /// The same without whom it is said of.
    pub fn predicate(&self) -> String {
        let notable = self.notable().unwrap_or_default();
        let said = [
            notable
                .duplicates
                .map(|of| format!("gives {} of packets twice (counted once)", percent(of))),
            notable
                .one_sided
                .map(|of| format!("shows {} of conversations from one side", percent(of))),
            notable.truncated.map(|of| format!("cuts {} of packets", percent(of))),
            notable.dropped.map(|of| format!("lost {} of packets", percent(of))),
            notable.missing.map(|missing| match missing {
                Missing::Sampled(one_in) => format!(
                    "samples 1 in {0} packets (volumes are those seen, times {0})",
                    times(one_in)
                ),
                Missing::Lost(of) => format!("lacks {} of bytes on its way here", percent(of)),
            }),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        let is_short = notable.one_sided.or(notable.dropped).is_some()
            || matches!(notable.missing, Some(Missing::Lost(_)));
        let lacks_names = notable.truncated.is_some() || notable.missing.is_some();
        let effect = match (is_short, lacks_names) {
            (true, _) => ": volumes may be short",
            (false, true) => ": names may be missing",
            (false, false) => "",
        };
        match said.split_last() {
            None => "is well".to_owned(),
            Some((only, [])) => format!("{only}{effect}"),
            Some((last, others)) => format!("{} and {last}{effect}", others.join(", ")),
        }
    }

    /// Takes what was counted elsewhere.
    pub const fn add(&mut self, more: &Self) {
        self.packets = self.packets.saturating_add(more.packets);
        self.duplicates = self.duplicates.saturating_add(more.duplicates);
        self.truncated = self.truncated.saturating_add(more.truncated);
        self.dropped = self.dropped.saturating_add(more.dropped);
        self.conversations = self.conversations.saturating_add(more.conversations);
        self.one_sided = self.one_sided.saturating_add(more.one_sided);
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.sequences.add(&more.sequences);
    }

    /// Of each kind of count that is large enough to say something, half: what is old counts less.
    pub(crate) const fn fade(&mut self) {
        const PACKETS: u64 = 4096;
        const CONVERSATIONS: u64 = 256;
        const SEGMENTS: u64 = 4096;
        if self.packets >= PACKETS {
            self.packets /= 2;
            self.duplicates /= 2;
            self.truncated /= 2;
            self.dropped /= 2;
            self.bytes /= 2;
        }
        if self.conversations >= CONVERSATIONS {
            self.conversations /= 2;
            self.one_sided /= 2;
        }
        if self.sequences.segments >= SEGMENTS {
            self.sequences = self.sequences.half();
        }
    }

    const fn since(&self, before: &Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(before.packets),
            duplicates: self.duplicates.saturating_sub(before.duplicates),
            truncated: self.truncated.saturating_sub(before.truncated),
            dropped: self.dropped.saturating_sub(before.dropped),
            conversations: self.conversations.saturating_sub(before.conversations),
            one_sided: self.one_sided.saturating_sub(before.one_sided),
            bytes: self.bytes.saturating_sub(before.bytes),
            sequences: self.sequences.since(&before.sequences),
            one_in: None,
        }
    }
}

/// The shares that people should know; the others are `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Notable {
    /// See [`MirrorFacts::duplicate_share`].
    pub duplicates: Option<f64>,
    /// See [`MirrorFacts::one_sided_share`].
    pub one_sided: Option<f64>,
    /// See [`MirrorFacts::truncated_share`].
    pub truncated: Option<f64>,
    /// See [`MirrorFacts::dropped_share`].
    pub dropped: Option<f64>,
    /// See [`MirrorFacts::missing`].
    pub missing: Option<Missing>,
}

impl Notable {
    /// Whether people should know the same things, whatever the numbers.
    pub fn is_like(&self, other: &Self) -> bool {
        let kinds = |of: &Self| {
            let shares = [of.duplicates, of.one_sided, of.truncated, of.dropped];
            let missing = match of.missing {
                // An estimate that wavers is no news, another rate is.
                Some(Missing::Sampled(one_in)) => Some(one_in.log2().round() as u64),
                Some(Missing::Lost(_)) => Some(0),
                None => None,
            };
            (shares.map(|share| share.is_some()), missing)
        };
        kinds(self) == kinds(other)
    }
}

fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

fn percent(share: f64) -> String {
    format!("{:.*} %", usize::from(share < 0.1), share * 100.0)
}

/// How an estimate was made of what was seen, in words.
pub fn corrected(bytes: u64, one_in: f64) -> String {
    let seen = ByteSize((bytes as f64 / one_in) as u64);
    format!("{seen} seen, 1 in {} sampled", times(one_in))
}

/// A rate as people say it: 10, but 2.5.
pub fn times(one_in: f64) -> String {
    format!("{:.*}", usize::from(one_in.fract() != 0.0), one_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_matters_from_its_bound_on_and_of_enough() {
        let well = MirrorFacts {
            packets: 100_000,
            duplicates: 1000,
            truncated: 1000,
            dropped: 100,
            conversations: 100,
            one_sided: 20,
            ..MirrorFacts::default()
        };
        assert_eq!(well.notable(), None);
        let bad = MirrorFacts { duplicates: 1001, dropped: 2000, ..well };
        let notable = bad.notable().unwrap();
        assert!(notable.duplicates.is_some() && notable.dropped.is_some());
        assert_eq!((notable.one_sided, notable.truncated), (None, None));
        let one_sided = MirrorFacts { one_sided: 21, ..well };
        assert!(one_sided.notable().unwrap().one_sided.is_some());
        let few =
            MirrorFacts { packets: 999, duplicates: 999, conversations: 19, one_sided: 19, ..bad };
        assert_eq!(few.notable(), None);
    }

    #[test]
    fn sampling_is_said_with_what_it_does_to_volumes() {
        let sequences = Sequences {
            segments: 500,
            seen_bytes: 1000,
            sent_bytes: 9900,
            directions: 10,
            gapped: 10,
        };
        let sampled =
            MirrorFacts { packets: 10, bytes: 1_200_000, sequences, ..MirrorFacts::default() }
                .rated();
        assert_eq!(
            sampled.sentence(),
            "the mirror samples 1 in 10 packets (volumes are those seen, times 10): names may be missing"
        );
        assert_eq!(sampled.estimated_bytes(), 12_000_000);
        let lossy = Sequences { sent_bytes: 1050, gapped: 1, ..sequences };
        let lossy = MirrorFacts { sequences: lossy, ..sampled }.rated();
        assert_eq!(
            lossy.sentence(),
            "the mirror lacks 4.8 % of bytes on its way here: volumes may be short"
        );
        assert_eq!(lossy.estimated_bytes(), 1_200_000);
        assert!(!lossy.notable().unwrap().is_like(&sampled.notable().unwrap()));
    }
}
