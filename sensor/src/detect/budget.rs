//! The site's budget of alerts, and what is held back beyond it.
//!
//! Evidence is in log-odds, and its prior stands for how many harmless things look like that much. An
//! analytic that tells `r` times what is budgeted shows its prior to be wrong for this site by `ln r`:
//! that is taken from its next alerts, [`MOST`] at most. What is left below zero is held back, what is
//! left below the bound of high is medium. Alerts that a person found to be an incident do not count,
//! and after a week none does any more.
//!
//! Never held back, and not counted: see [`is_exempt`]. Bounds: [`MAX_ALERTS`] alerts of about 100
//! bytes; the oldest give way.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::dns_port;
use super::statistics::{self, confidence, shown};
use crate::alert::{Alert, Analytic, Evidence, Fact, Severity, Status, Verdict};
use crate::baseline::{Standing, ToldAlert};
use crate::config::{Role, SiteBudget};
use crate::text::counted;
use crate::time::Timestamp;

/// What was told counts for so long, in seconds.
const WEEK: u64 = 7 * 86_400;
/// An alert without news for so long is forgotten: longer than any detector goes on with one.
const FORGOTTEN: u64 = WEEK + 2 * 86_400;
/// The most that is taken from an alert, in nats: what would be high is told in any case.
const MOST: f64 = 3.0;
/// What waits is looked at again when its evidence has grown by so much.
const STEP: f64 = 0.5;
const MAX_ALERTS: usize = 8192;
/// Findings of AN0646 that break a rule, which is not a matter of statistics.
const RULES: [&str; 4] =
    ["unexpected_account", "outside_business_hours", "vm_not_authorised", "threshold"];

/// What was told of late, and how much may be.
#[derive(Debug)]
pub(crate) struct Budget {
    settings: SiteBudget,
    alerts: BTreeMap<Uuid, ToldAlert>,
}

/// The budget against what was told.
#[derive(Debug, Clone, PartialEq)]
pub struct Spending {
    /// Assets that were seen.
    pub assets: usize,
    /// Alerts a week that are budgeted: of medium severity and above, and of high.
    pub allowed: [f64; 2],
    /// Alerts told within the last week: of medium severity and above, and of high and above.
    pub told: [usize; 2],
    /// Alerts held back within the last week.
    pub held: usize,
    /// What people found those told to be.
    pub judged: [(Verdict, usize); 2],
    /// What is taken from the next alert of each analytic, in nats.
    pub lifts: [(Analytic, f64); Analytic::ALL.len()],
}

impl Default for Spending {
    /// Before anything was seen or told.
    fn default() -> Self {
        Budget::new(SiteBudget::default()).spending(Timestamp::ZERO, 0)
    }
}

impl Budget {
    pub(super) const fn new(settings: SiteBudget) -> Self {
        Self { settings, alerts: BTreeMap::new() }
    }

    /// Takes other settings.
    pub(super) const fn reconfigure(&mut self, settings: SiteBudget) {
        self.settings = settings;
    }

    /// Takes over what lasted.
    pub(super) fn restore(&mut self, alerts: &BTreeMap<Uuid, ToldAlert>) {
        self.alerts.clone_from(alerts);
    }

    /// What lasts.
    pub(super) const fn save(&self) -> &BTreeMap<Uuid, ToldAlert> {
        &self.alerts
    }

    /// What people found alerts to be.
    pub(super) fn judge(&mut self, verdicts: &[(Uuid, Verdict)]) {
        for (id, verdict) in verdicts {
            if let Some(told) = self.alerts.get_mut(id) {
                told.verdict = Some(*verdict);
            }
        }
    }

    /// Whether more of this alert can be told now that its evidence comes to `score`.
    pub(crate) fn admits(&self, id: Uuid, score: f64) -> bool {
        let needed = self.alerts.get(&id).and_then(|told| told.needed);
        needed.is_some_and(|needed| score >= needed)
    }

    /// An alert of a site with so many assets is raised or changed: lets it pass as it is, as less, or as
    /// one that is held back.
    pub(super) fn pass(&mut self, alert: &mut Alert, assets: usize) {
        let known = self.alerts.get(&alert.id).copied();
        if known.is_none() && alert.severity < Severity::Medium {
            return;
        }
        let now = alert.time.as_secs();
        let mut told = known.unwrap_or(ToldAlert {
            analytic: alert.analytic,
            first: now,
            last: now,
            standing: Standing::Held,
            high: false,
            lift: 0.0,
            needed: None,
            verdict: None,
        });
        told.last = told.last.max(now);
        if is_exempt(alert) {
            told.standing = match told.standing {
                Standing::Held => Standing::Exempt,
                other => other,
            };
            (told.high, told.needed) = (told.high || alert.severity >= Severity::High, None);
        } else {
            self.weigh(alert, &mut told, assets);
        }
        self.keep(alert.id, told);
    }

    /// Goes on to a time: what needed more evidence for the alerts of a week ago needs less.
    pub(super) fn tick(&mut self, now: Timestamp, assets: usize) {
        let now = now.as_secs();
        self.alerts.retain(|_, told| now.saturating_sub(told.last) <= FORGOTTEN);
        for (analytic, lift) in self.lifts(now, assets) {
            let of_it = self.alerts.values_mut().filter(|told| told.analytic == analytic);
            for told in of_it.filter(|told| told.standing == Standing::Held) {
                told.needed = told.needed.map(|needed| needed.min(lift));
            }
        }
    }

    /// How it stands.
    pub(super) fn spending(&self, now: Timestamp, assets: usize) -> Spending {
        let now = now.as_secs();
        let week = || self.alerts.values().filter(move |told| is_recent(told, now));
        let told = || week().filter(|told| told.standing != Standing::Held);
        let judged = |verdict| told().filter(|told| told.verdict == Some(verdict)).count();
        Spending {
            assets,
            allowed: self.allowed(assets),
            told: [told().count(), told().filter(|told| told.high).count()],
            held: week().filter(|told| told.standing == Standing::Held).count(),
            judged: Verdict::ALL.map(|verdict| (verdict, judged(verdict))),
            lifts: self.lifts(now, assets),
        }
    }

    /// Holds an alert that is not exempt against what was told before it.
    fn weigh(&self, alert: &mut Alert, told: &mut ToldAlert, assets: usize) {
        let now = alert.time.as_secs();
        let [allowed, allowed_high] = self.allowed(assets);
        let score: f64 = alert.evidence.iter().map(|piece| piece.weight).sum();
        let count = self.count(alert.analytic, now, false);
        if told.standing == Standing::Held {
            told.lift = lift(count, allowed);
            if score < told.lift {
                told.needed = Some(told.lift.max(score + STEP));
                alert.status = Status::Suppressed;
                return explain(alert, told.lift, count, allowed, "alerts");
            }
            (told.standing, told.first, told.needed) = (Standing::Told, now, None);
        }
        let (mut taken, mut reason) = (told.lift, (count, allowed, "alerts"));
        if alert.severity >= Severity::High && !told.high {
            let count = self.count(alert.analytic, now, true);
            let high = lift(count, allowed_high);
            let bound = high_from(alert.analytic) + high.max(taken);
            told.high = score >= bound || (high == 0.0 && taken == 0.0);
            told.needed = (!told.high).then(|| bound.max(score + STEP));
            if high > taken {
                (taken, reason) = (high, (count, allowed_high, "high"));
            }
        }
        if !told.high {
            alert.severity = alert.severity.min(Severity::Medium);
        }
        if taken > 0.0 && alert.severity >= Severity::Medium {
            explain(alert, taken, reason.0, reason.1, reason.2);
        }
    }

    /// Alerts a week that are budgeted: of medium severity and above, and of high.
    fn allowed(&self, assets: usize) -> [f64; 2] {
        let hundreds = (assets as f64 / 100.0).max(1.0);
        [self.settings.alerts * hundreds, self.settings.high]
    }

    fn lifts(&self, now: u64, assets: usize) -> [(Analytic, f64); Analytic::ALL.len()] {
        let [allowed, _] = self.allowed(assets);
        Analytic::ALL.map(|analytic| (analytic, lift(self.count(analytic, now, false), allowed)))
    }

    /// How many alerts of an analytic count against the budget.
    fn count(&self, analytic: Analytic, now: u64, high: bool) -> usize {
        let counts = |told: &&ToldAlert| {
            told.analytic == analytic
                && told.standing == Standing::Told
                && told.verdict != Some(Verdict::Incident)
                && is_recent(told, now)
                && (told.high || !high)
        };
        self.alerts.values().filter(counts).count()
    }

    fn keep(&mut self, id: Uuid, told: ToldAlert) {
        if self.alerts.len() >= MAX_ALERTS && !self.alerts.contains_key(&id) {
            let oldest = self.alerts.iter().min_by_key(|(id, told)| (told.last, **id));
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                self.alerts.remove(&oldest);
            }
        }
        self.alerts.insert(id, told);
    }
}

fn is_recent(told: &ToldAlert, now: u64) -> bool {
    now.saturating_sub(told.first) <= WEEK
}

/// What is taken from an alert that comes after `count` others, where so many are `allowed`.
fn lift(count: usize, allowed: f64) -> f64 {
    ((count as f64 + 1.0) / allowed).ln().clamp(0.0, MOST)
}

/// From which evidence on an analytic's alert is high.
const fn high_from(analytic: Analytic) -> f64 {
    match analytic {
        Analytic::AN0731 => dns_port::HIGH,
        _ => statistics::HIGH,
    }
}

/// What no budget is for: what is critical; mirrors that break the policy; egress of management
/// components; guest operations that break a rule of the config.
fn is_exempt(alert: &Alert) -> bool {
    let is_management =
        [Role::Esxi, Role::Vcenter].iter().any(|role| role.name() == alert.asset.role);
    let breaks_rule = || {
        alert.evidence.iter().any(|piece| match &piece.fact {
            Fact::GuestOperation(group) => RULES.contains(&&*group.finding),
            _ => false,
        })
    };
    match alert.analytic {
        _ if alert.severity == Severity::Critical => true,
        Analytic::AN1131 => true,
        Analytic::AN1416 | Analytic::AN0731 => is_management,
        Analytic::DC0078 => false,
        Analytic::AN0646 => breaks_rule(),
    }
}

/// Says in the evidence what was taken from it, and why.
fn explain(alert: &mut Alert, taken: f64, count: usize, allowed: f64, key: &str) {
    let name = alert.analytic.name();
    let told = counted(count as u64, if key == "high" { "high alert" } else { "alert" });
    let allowed = (allowed * 100.0).round() / 100.0;
    let statement = format!(
        "{name} told {told} within a week that nobody confirmed, where {allowed} may be \
         (detect.site_budget.{key}): so much more is needed"
    );
    let score: f64 = alert.evidence.iter().map(|piece| piece.weight).sum();
    alert.confidence = alert.confidence.min(confidence(score - taken));
    alert.evidence.push(Evidence {
        time: alert.time,
        weight: shown(-taken),
        fact: Fact::Baseline { statement },
    });
}

#[cfg(test)]
mod tests;
