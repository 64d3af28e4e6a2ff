//! One account's guest operations from the first that stood out until some hours without one, and its alert.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Look;
use super::story::Story;
use super::weigh::{Finding, Found, PRIOR, severity};
use crate::alert::{Alert, Severity};
use crate::detect::estate::Estate;
use crate::detect::operations::{Counts, Kind};
use crate::event::{Basis, Report};
use crate::time::Timestamp;

/// After so long without anything that stands out a case is over: one that was told, and another.
const EPISODE: Duration = Duration::from_secs(4 * 3600);
const UNTOLD: Duration = Duration::from_secs(3600);
/// Names that are told apart in one case.
const MAX_VMS: usize = 1024;
const MAX_NAMES: usize = 16;

/// A case.
#[derive(Debug)]
pub(super) struct Case {
    /// As the log spells it; none: no log names it.
    pub(super) account: Option<Arc<str>>,
    /// The least sure way in which that was known.
    pub(super) basis: Option<Basis>,
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
    /// When something stood out last.
    evident: Timestamp,
    pub(super) found: BTreeMap<Finding, Found>,
    pub(super) counts: Counts,
    pub(super) count: u64,
    pub(super) scripts: u64,
    pub(super) pulls: u64,
    pub(super) vms: BTreeMap<Arc<str>, u64>,
    pub(super) clients: BTreeMap<IpAddr, u64>,
    pub(super) hosts: BTreeMap<Arc<str>, u64>,
    pub(super) sources: BTreeSet<&'static str>,
    raised: Option<Raised>,
}

/// What was told of it.
#[derive(Debug)]
struct Raised {
    /// Stays when names change.
    id: uuid::Uuid,
    severity: Severity,
    /// Operations told last.
    told: u64,
    count: u64,
}

impl Case {
    pub(super) fn new(time: Timestamp) -> Self {
        Self {
            account: None,
            basis: None,
            first_seen: time,
            last_seen: time,
            evident: time,
            found: BTreeMap::new(),
            counts: Counts::default(),
            count: 0,
            scripts: 0,
            pulls: 0,
            vms: BTreeMap::new(),
            clients: BTreeMap::new(),
            hosts: BTreeMap::new(),
            sources: BTreeSet::new(),
            raised: None,
        }
    }

    /// Whether an alert is open.
    pub(super) const fn is_raised(&self) -> bool {
        self.raised.is_some()
    }

    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        if self.is_raised() {
            now.since(self.evident) > EPISODE
        } else {
            now.since(self.first_seen) > UNTOLD
        }
    }

    /// Takes an operation into the account, whether it stands out or not.
    pub(super) fn add(&mut self, report: &Report, look: &Look<'_>) {
        let operation = look.operation;
        self.first_seen = self.first_seen.min(report.time);
        self.last_seen = self.last_seen.max(report.time);
        self.count += 1;
        self.scripts += u64::from(look.step.is_new);
        self.pulls += u64::from(look.kind == Kind::Pull);
        self.counts.add(&operation.operation);
        if let Some(vm) = &operation.vm {
            bump(&mut self.vms, vm, MAX_VMS);
        }
        if let Some(client) = operation.client {
            bump(&mut self.clients, &client, MAX_NAMES);
        }
        if let Some(host) = &report.reporter.host {
            bump(&mut self.hosts, host, MAX_NAMES);
        }
        self.sources.insert(report.reporter.service.name());
        self.sources.extend(operation.also.iter().map(|service| service.name()));
        if let Some(claim) = look.claim {
            self.basis = self.basis.max(Some(claim.basis));
            self.account.get_or_insert_with(|| Arc::clone(&claim.account));
        }
    }

    /// Something stands out, and weighs `level` by itself.
    pub(super) fn note(
        &mut self,
        finding: Finding,
        time: Timestamp,
        level: f64,
        more: impl FnOnce(&mut Found),
    ) {
        self.evident = self.evident.max(time);
        let first = || Found { first: time, ..Found::default() };
        let found = self.found.entry(finding).or_insert_with(first);
        found.level = found.level.max(level);
        more(found);
    }

    /// Each finding with what it weighs.
    pub(super) fn weights(&self) -> impl Iterator<Item = (Finding, &Found, f64)> {
        self.found.iter().map(|(finding, found)| (*finding, found, found.weight(*finding)))
    }

    /// How far this is from usual: 0 not at all, 1 an alert.
    pub(super) fn strangeness(&self) -> f64 {
        let sum: f64 = self.weights().map(|(.., weight)| weight).sum();
        (sum / -PRIOR).clamp(0.0, 1.0)
    }

    /// Tells when it is worse than what was told; whether an alert was raised that was not there.
    pub(super) fn judge(
        &mut self,
        estate: &Estate,
        key: &str,
        hours: &str,
        now: Timestamp,
        alerts: &mut Vec<Alert>,
    ) -> bool {
        let (sum, severity) = severity(self.weights().map(|(.., weight)| weight));
        let Some(severity) = severity else { return false };
        let is_new = match &mut self.raised {
            Some(raised)
                if raised.severity >= severity && !estate.budget.admits(raised.id, sum) =>
            {
                return false;
            }
            Some(raised) => {
                raised.severity = severity.max(raised.severity);
                false
            }
            none => {
                let id = estate.alert_id(&["AN0646", key, &self.first_seen.to_string()]);
                *none = Some(Raised { id, severity, told: 0, count: 0 });
                true
            }
        };
        self.tell(estate, hours, now, alerts);
        is_new
    }

    /// The case is over: tells its final state, if that says more than what was told.
    pub(super) fn close(&mut self, estate: &Estate, hours: &str, alerts: &mut Vec<Alert>) {
        if self.raised.as_ref().is_some_and(|raised| self.count > raised.told) {
            self.tell(estate, hours, self.last_seen, alerts);
        }
    }

    fn tell(&mut self, estate: &Estate, hours: &str, now: Timestamp, alerts: &mut Vec<Alert>) {
        let Some(raised) = &mut self.raised else { return };
        raised.count += 1;
        raised.told = self.count;
        let (id, worst, count) = (raised.id, raised.severity, raised.count);
        let (sum, _) = severity(self.weights().map(|(.., weight)| weight));
        let story = Story { case: self, estate, hours };
        alerts.push(Alert { id, time: now, severity: worst, count, ..story.alert(sum) });
    }
}

/// One more of `key`, while there is room.
fn bump<K: Ord + Clone>(counts: &mut BTreeMap<K, u64>, key: &K, most: usize) {
    if let Some(count) = counts.get_mut(key) {
        *count += 1;
    } else if counts.len() < most {
        counts.insert(key.clone(), 1);
    }
}
