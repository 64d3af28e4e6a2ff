//! What speaks for an alert, as log-odds in nats.
//!
//! One strong reason is an alert of medium severity, two are high. Weak ones, of which a site that
//! changes has some every day, never are enough together.
//!
//! | finding | nats |
//! | --- | --- |
//! | prior | -3 |
//! | account not expected by the config | 4 (3.2 where it is only taken from the one session there was) |
//! | account never seen before, where the config names none | 3.2 on its first day, then fading within a week |
//! | outside business hours | 3.5 (1 at an hour that is usual for the account) |
//! | an hour that is less than 1 % of the account's own, where the config has no business hours | 3.2 |
//! | VM not authorised | 4 and more for several |
//! | VM never used before | 0.5 to 1.5 |
//! | client never used before | 1.5 (0.5 where others use it) |
//! | frequency, p < 1e-4 of the own history | 3.2 to 6 |
//! | hard limit | 3.2 (1.5 in learning, 0.3 for what was learned) |
//! | credentials refused, three or more in ten minutes | 1.6 to 4.5, and 1.2 if one worked then |
//! | files pulled by an account that only asked until now | 3.5 to 6.5 |
//! | guest alias changed | 5 (0.5 for an account that does so) |

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::alert::{Compared, Severity};
use crate::detect::statistics;
use crate::time::Timestamp;

/// Most of what is done in guests is harmless.
pub(super) const PRIOR: f64 = -3.0;
/// A finding that weighs so much is a reason by itself.
const STRONG: f64 = 3.0;
/// Below this probability a count is not the account's habit.
pub(super) const RARE: f64 = 1e-4;
/// Virtual machines that are told apart in one finding.
const MAX_VMS: usize = 64;

/// A kind of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Finding {
    UnexpectedAccount,
    FirstSeenAccount,
    OutsideBusinessHours,
    OddHour,
    VmNotAuthorised,
    FirstSeenVm,
    FirstSeenClient,
    Frequency,
    Threshold,
    RefusedCredentials,
    FilesPulled,
    GuestAlias,
}

impl Finding {
    /// Its name in evidence.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::UnexpectedAccount => "unexpected_account",
            Self::FirstSeenAccount => "first_seen_account",
            Self::OutsideBusinessHours => "outside_business_hours",
            Self::OddHour => "odd_hour",
            Self::VmNotAuthorised => "vm_not_authorised",
            Self::FirstSeenVm => "first_seen_vm",
            Self::FirstSeenClient => "first_seen_client",
            Self::Frequency => "frequency",
            Self::Threshold => "threshold",
            Self::RefusedCredentials => "refused_credentials",
            Self::FilesPulled => "files_pulled",
            Self::GuestAlias => "guest_alias",
        }
    }
}

/// What was found of one kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) first: Timestamp,
    /// What it weighs when it is there once.
    pub(super) level: f64,
    pub(super) count: u64,
    pub(super) scripts: u64,
    /// When the latest script on each virtual machine began.
    pub(super) vms: BTreeMap<Arc<str>, Timestamp>,
    pub(super) client: Option<IpAddr>,
    pub(super) compared: Option<Compared>,
}

impl Found {
    /// It is part of the script that began then; without a guest's name, of one and the same.
    pub(super) fn script(&mut self, vm: Option<&Arc<str>>, began: Timestamp) {
        let Some(vm) = vm else {
            self.scripts = self.scripts.max(1);
            return;
        };
        if let Some(latest) = self.vms.get_mut(vm) {
            self.scripts += u64::from(*latest != began);
            *latest = began;
        } else if self.vms.len() < MAX_VMS {
            self.vms.insert(Arc::clone(vm), began);
            self.scripts += 1;
        }
    }

    pub(super) fn weight(&self, finding: Finding) -> f64 {
        let more = |count: usize| (count.max(1) as f64).ln();
        match finding {
            Finding::VmNotAuthorised => self.level + more(self.vms.len()).min(1.5) * 0.5,
            Finding::FirstSeenVm => self.level * (1.0 + more(self.vms.len())).min(3.0),
            Finding::RefusedCredentials => {
                self.level + 1.5 * more(usize::try_from(self.count).unwrap_or(20)).min(3.0)
            }
            Finding::FilesPulled => {
                let files = usize::try_from(self.count).unwrap_or(usize::MAX);
                self.level + 0.6 * more(files).min(5.0)
            }
            Finding::Frequency => {
                let chance = self.compared.and_then(|compared| compared.probability);
                self.level + ((RARE / chance.unwrap_or(RARE).max(1e-300)).ln() / 5.0).min(2.8)
            }
            _ => self.level,
        }
    }
}

/// How bad a sum is; `None` below an alert. Critical takes two reasons that would do by themselves.
pub(super) fn severity(weights: impl Iterator<Item = f64>) -> (f64, Option<Severity>) {
    let (mut sum, mut strong) = (PRIOR, 0);
    for weight in weights {
        sum += weight;
        strong += usize::from(weight >= STRONG);
    }
    (sum, statistics::severity(sum, strong > 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reason_is_medium_two_are_high_and_weak_ones_are_none() {
        let of = |weights: &[f64]| severity(weights.iter().copied()).1;
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[1.5, 1.4]), None, "a new client and new VMs");
        assert_eq!(of(&[4.0]), Some(Severity::Medium));
        assert_eq!(of(&[3.2]), Some(Severity::Medium));
        assert_eq!(of(&[4.0, 3.5]), Some(Severity::High));
        assert_eq!(of(&[4.0, 3.5, 3.2]), Some(Severity::Critical));
        assert_eq!(of(&[9.5]), Some(Severity::High), "one reason is never critical");
    }

    #[test]
    fn a_few_refusals_are_none_and_many_are_one() {
        let weight =
            |count| Found { count, ..Found::default() }.weight(Finding::RefusedCredentials);
        assert!(weight(3) < 1.7 && weight(10) > 3.2 && weight(1_000_000) <= 4.5);
    }
}
