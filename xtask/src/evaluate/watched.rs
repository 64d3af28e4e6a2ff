//! Estates that are looked at together, for how long they were watched, and what was raised about nothing.

use super::judge::{Days, Judged, Verdict};
use super::measures::false_alerts;
use super::statistics::{Estimate, expected};

/// Some of the estates.
pub(super) struct Watched<'a> {
    verdicts: Vec<&'a Verdict>,
    pub(super) estate_days: f64,
    pub(super) asset_days: f64,
}

impl<'a> Watched<'a> {
    /// Those that are asked for.
    pub(super) fn of(verdicts: &'a [Verdict], is_of: impl Fn(&Verdict) -> bool) -> Self {
        let verdicts: Vec<&Verdict> = verdicts.iter().filter(|verdict| is_of(verdict)).collect();
        let mut watched = Self { verdicts, estate_days: 0.0, asset_days: 0.0 };
        for verdict in &watched.verdicts {
            watched.estate_days += verdict.length;
            watched.asset_days += verdict.length * verdict.truth.assets as f64;
        }
        watched
    }

    /// Those with everyday traffic.
    pub(super) fn everyday(verdicts: &'a [Verdict]) -> Self {
        Self::of(verdicts, |verdict| verdict.days == Days::Everyday)
    }

    /// Those of them without an attack, where none takes from the budget that alerts about nothing have.
    pub(super) fn peaceful(verdicts: &'a [Verdict]) -> Self {
        Self::of(verdicts, |verdict| {
            verdict.days == Days::Everyday && verdict.truth.attacks.is_empty()
        })
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.verdicts.is_empty()
    }

    /// Their false alerts that are counted.
    pub(super) fn count(&self, is_counted: impl Fn(&Judged) -> bool) -> usize {
        let alerts = self.verdicts.iter().flat_map(|it| false_alerts(std::slice::from_ref(*it)));
        alerts.filter(|(_, alert)| is_counted(alert)).count()
    }

    /// So many alerts, for 100 assets and a week.
    pub(super) fn for_100_assets_a_week(&self, count: usize) -> Estimate {
        expected(count).scaled(700.0 / self.asset_days)
    }

    /// So many alerts, for a site and a week.
    pub(super) fn for_a_site_a_week(&self, count: usize) -> Estimate {
        expected(count).scaled(7.0 / self.estate_days)
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge::Severity;
    use super::super::made;
    use super::*;

    #[test]
    fn rates_are_for_100_assets_and_a_week() {
        let mut verdicts = [made::verdict(500, 70.0), made::verdict(500, 70.0)];
        let attack = made::exfiltration("exfiltration.sized", 1, 1);
        verdicts[0].truth.attacks.push(attack);
        for severity in [Severity::Low, Severity::Medium] {
            verdicts[1].alerts.push(made::false_alert("AN1416", severity));
        }
        let all = Watched::everyday(&verdicts);
        assert!((all.for_100_assets_a_week(100).value - 1.0).abs() < 1e-9);
        assert!((all.for_a_site_a_week(20).value - 1.0).abs() < 1e-9);
        let peaceful = Watched::peaceful(&verdicts);
        assert_eq!(peaceful.estate_days, 70.0);
        assert_eq!(peaceful.count(|alert| alert.severity >= Severity::Medium), 1);
    }
}
