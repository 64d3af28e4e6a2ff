//! What becomes of records, counted.

use std::iter::Sum;

/// Why something is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It is neither JSON nor a line of a flow log.
    Malformed,
    /// Its brackets, or the envelopes that it is in, are nested too deep.
    TooDeep,
    /// It is longer than is read, packed or unpacked.
    TooLarge,
    /// An object of it has a key twice.
    DuplicateKey,
    /// It is not UTF-8.
    NotUtf8,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Malformed, Self::TooDeep, Self::TooLarge, Self::DuplicateKey, Self::NotUtf8];

    /// Its name in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
            Self::DuplicateKey => "duplicate_key",
            Self::NotUtf8 => "not_utf8",
        }
    }
}

/// What became of audit records: each is in one of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// They said something that is understood.
    pub understood: u64,
    /// They say nothing that is asked for.
    pub irrelevant: u64,
    /// They came before.
    pub repeated: u64,
    /// They say that a flow log lacks what moved meanwhile.
    pub skipped: u64,
    /// They are not read, by why, in the order of [`Refusal::ALL`].
    pub refused: [u64; Refusal::ALL.len()],
}

impl Counts {
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        if let Some(count) = self.refused.get_mut(refusal as usize) {
            *count += 1;
        }
    }

    /// Those that are not read, for that reason.
    pub fn refused_for(&self, refusal: Refusal) -> u64 {
        self.refused.get(refusal as usize).copied().unwrap_or_default()
    }

    /// Those that are not read.
    pub fn refused(&self) -> u64 {
        self.refused.iter().sum()
    }

    /// All of them, by what became of them.
    pub fn by_result(&self) -> [(&'static str, u64); 9] {
        let refused = |refusal: Refusal| (refusal.name(), self.refused_for(refusal));
        let [malformed, deep, large, duplicate, not_utf8] = Refusal::ALL.map(refused);
        [
            ("understood", self.understood),
            ("irrelevant", self.irrelevant),
            ("repeated", self.repeated),
            ("skipped", self.skipped),
            malformed,
            deep,
            large,
            duplicate,
            not_utf8,
        ]
    }

    /// What has come on top since there were `before`.
    pub fn since(&self, before: &Self) -> Self {
        let mut refused = self.refused;
        for (now, before) in refused.iter_mut().zip(before.refused) {
            *now = now.saturating_sub(before);
        }
        Self {
            understood: self.understood.saturating_sub(before.understood),
            irrelevant: self.irrelevant.saturating_sub(before.irrelevant),
            repeated: self.repeated.saturating_sub(before.repeated),
            skipped: self.skipped.saturating_sub(before.skipped),
            refused,
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_result().iter().map(|(_, count)| count).sum()
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, more| {
            let mut refused = sum.refused;
            for (sum, more) in refused.iter_mut().zip(more.refused) {
                *sum += more;
            }
            Self {
                understood: sum.understood + more.understood,
                irrelevant: sum.irrelevant + more.irrelevant,
                repeated: sum.repeated + more.repeated,
                skipped: sum.skipped + more.skipped,
                refused,
            }
        })
    }
}
