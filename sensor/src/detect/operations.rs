//! Guest operations of the last hours, by the asset they were done on: what led up to an egress.
//!
//! Bounds: one group for an asset, of the assets that were last touched.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::recent::Recent;
use crate::alert;
use crate::event::{GuestOperation, Operation, Report};
use crate::inventory::AssetId;
use crate::time::Timestamp;

/// Assets with operations that are remembered.
const MAX_ASSETS: usize = 8192;
/// How long at least: the window of an analytic may be longer than is usual, not than this.
const SPAN: Duration = Duration::from_secs(86_400);
/// Different operations that are told apart; what is named by a log has no bound.
pub(super) const MAX_KINDS: usize = 32;
/// Names shown of a list.
pub(super) const SHOWN: usize = 8;

/// What an operation is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Looks whether a program has ended, again and again.
    Poll,
    /// Only asks.
    Query,
    /// Does something in the guest.
    Act,
    /// Takes a file out of the guest. The privilege to ask is enough for it.
    Pull,
    /// Changes who may come into the guest without a password.
    Alias,
}

impl Kind {
    /// What is not known may do anything.
    pub(super) const fn of(operation: &Operation) -> Self {
        match operation {
            Operation::ListProcesses => Self::Poll,
            Operation::ReadEnvironmentVariable
            | Operation::ListFiles
            | Operation::ValidateCredentials
            | Operation::AcquireCredentials
            | Operation::ReleaseCredentials
            | Operation::ListAliases
            | Operation::ListMappedAliases
            | Operation::ListRegistryKeys
            | Operation::ListRegistryValues => Self::Query,
            Operation::FileTransferFromGuest => Self::Pull,
            Operation::AddAlias | Operation::RemoveAlias | Operation::RemoveAliasByCertificate => {
                Self::Alias
            }
            _ => Self::Act,
        }
    }
}

/// How many of each operation.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts(BTreeMap<Operation, u64>);

impl Counts {
    pub(super) fn add(&mut self, operation: &Operation) {
        if let Some(count) = self.0.get_mut(operation) {
            *count += 1;
        } else if self.0.len() < MAX_KINDS {
            self.0.insert(operation.clone(), 1);
        }
    }

    /// The names, the most frequent first.
    pub(super) fn names(&self) -> Vec<String> {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by_key(|(operation, count)| (std::cmp::Reverse(**count), *operation));
        all.into_iter().take(SHOWN).map(|(operation, _)| operation.to_string()).collect()
    }
}

/// Guest operations on one asset that follow on each other.
#[derive(Debug, Clone)]
pub(crate) struct Orchestration {
    pub(crate) first: Timestamp,
    last: Timestamp,
    vm: Arc<str>,
    count: u64,
    counts: Counts,
    /// Who did the strangest of them.
    account: Option<(Arc<str>, &'static str)>,
    client: Option<std::net::IpAddr>,
    source: &'static str,
    /// How far they are from usual: 0 not at all, 1 an alert of their own.
    pub(crate) strangeness: f64,
    /// Whether any of them does more than ask.
    pub(crate) acts: bool,
}

impl Orchestration {
    fn new(report: &Report, operation: &GuestOperation) -> Self {
        Self {
            first: report.time,
            last: report.time,
            vm: operation.vm.clone().unwrap_or_default(),
            count: 0,
            counts: Counts::default(),
            account: None,
            client: None,
            source: report.reporter.service.name(),
            strangeness: 0.0,
            acts: false,
        }
    }

    fn add(&mut self, time: Timestamp, operation: &GuestOperation, strangeness: f64) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.count += 1;
        self.counts.add(&operation.operation);
        self.acts |= !matches!(Kind::of(&operation.operation), Kind::Poll | Kind::Query);
        let claim = operation.account.as_ref();
        if self.account.is_none() || strangeness > self.strangeness {
            let named = claim.map(|claim| (Arc::clone(&claim.account), claim.basis.name()));
            self.account = named.or(self.account.take());
            self.client = operation.client.or(self.client);
        }
        self.strangeness = self.strangeness.max(strangeness);
    }

    /// Whether this is that group, and nothing came to it.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (self.first, self.count) == (other.first, other.count)
            && self.strangeness == other.strangeness
    }

    /// Who did what, for a sentence about what came after.
    pub(crate) fn words(&self, after: Timestamp) -> String {
        let who = self.account.as_ref().map_or("an account unknown", |(account, _)| account);
        let names = self.counts.names();
        let minutes = after.since(self.first).as_secs() / 60;
        format!(
            "after {who} used {} on it from {minutes} min before",
            names.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ")
        )
    }

    /// The same as evidence.
    pub(crate) fn fact(&self) -> alert::Fact {
        let account = self.account.as_ref();
        alert::Fact::GuestOperation(Box::new(alert::Operations {
            finding: "before_egress".into(),
            account: account.map(|(account, _)| account.to_string()),
            basis: account.map(|(_, basis)| (*basis).into()),
            client: self.client,
            sources: vec![self.source.into()],
            operations: self.counts.names(),
            vms: vec![self.vm.to_string()],
            vm_count: 1,
            count: self.count,
            scripts: 0,
            ..alert::Operations::default()
        }))
    }
}

/// The latest of all assets.
#[derive(Debug)]
pub(crate) struct Orchestrations {
    groups: Recent<AssetId, Orchestration>,
    /// How long before something they count as before it; so far apart they are other groups.
    window: Duration,
}

impl Orchestrations {
    pub(crate) fn new(window: Duration) -> Self {
        Self { groups: Recent::new(SPAN, MAX_ASSETS), window }
    }

    pub(crate) const fn reconfigure(&mut self, window: Duration) {
        self.window = window;
    }

    /// An operation on an asset.
    pub(crate) fn note(
        &mut self,
        asset: AssetId,
        report: &Report,
        operation: &GuestOperation,
        strangeness: f64,
    ) {
        let window = self.window;
        let known = self.groups.get_mut(asset);
        let known = known.filter(|known| report.time.since(known.last) <= window);
        if let Some(known) = known {
            known.add(report.time, operation, strangeness);
            return;
        }
        let mut group = Orchestration::new(report, operation);
        group.add(report.time, operation, strangeness);
        self.groups.insert(report.time, asset, group);
    }

    /// Those on an asset that were shortly before `time`.
    pub(crate) fn before(&self, asset: AssetId, time: Timestamp) -> Option<&Orchestration> {
        let group = self.groups.get(&asset)?;
        (group.first <= time && time.since(group.last) <= self.window).then_some(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when an operation that only asks is taken for one that acts, or the other way round.
    #[test]
    fn what_only_asks_is_known_by_its_verb() {
        const ASKS: [&str; 5] = ["List", "Read", "Validate", "Acquire", "Release"];
        for operation in Operation::ALL {
            let asks = ASKS.iter().any(|verb| operation.name().starts_with(verb));
            let kind = Kind::of(&operation);
            assert_eq!(matches!(kind, Kind::Poll | Kind::Query), asks, "{operation}: {kind:?}");
        }
        assert_eq!(Kind::of(&Operation::ListProcesses), Kind::Poll);
        assert_eq!(Kind::of(&Operation::FileTransferFromGuest), Kind::Pull);
        assert_eq!(Kind::of(&Operation::FileTransferToGuest), Kind::Act);
        assert_eq!(Kind::of(&Operation::AddAlias), Kind::Alias);
        assert_eq!(Kind::of(&Operation::Other("something new".into())), Kind::Act);
    }
}
