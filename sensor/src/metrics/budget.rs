//! The families of the site's budget of alerts.

use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Opts};

use super::{Register, labels};
use crate::alert::{Analytic, Severity, Verdict};
use crate::detect::Spending;

/// Severities a budget is for: of this and above.
const LEVELS: [Severity; 2] = [Severity::Medium, Severity::High];

/// Families of the budget, and of what was told against it.
#[derive(Debug, Clone)]
pub struct Budget {
    suppressed: IntCounterVec,
    allowed: GaugeVec,
    told: IntGaugeVec,
    rate: GaugeVec,
    judged: IntGaugeVec,
    lift: GaugeVec,
}

impl Budget {
    pub(super) fn new(register: &Register<'_>) -> Result<Self, prometheus::Error> {
        let what = "Alerts held back, by why.";
        let suppressed = IntCounterVec::new(
            Opts::new("egret_alerts_suppressed_total", what),
            &["analytic", "reason"],
        )?;
        for analytic in labels::ANALYTICS {
            suppressed.with_label_values(&[analytic, labels::BUDGET]);
        }
        let families = Self {
            suppressed: register.add(suppressed)?,
            allowed: gauges(
                register,
                "egret_alert_budget_per_week",
                "Alerts a week that the site's budget allows, of a severity and above.",
                "severity",
            )?,
            told: register.gauges(
                "egret_alerts_last_week",
                "Alerts told within the last 7 days, of a severity and above.",
                "severity",
            )?,
            rate: gauges(
                register,
                "egret_alerts_last_week_per_100_assets",
                "The same for each 100 assets that were seen.",
                "severity",
            )?,
            judged: register.gauges(
                "egret_alerts_last_week_judged",
                "Of these, of medium severity and above, those that a person judged.",
                "verdict",
            )?,
            lift: gauges(
                register,
                "egret_alert_budget_lift_nats",
                "Evidence that alerts need beyond the usual because the budget is spent.",
                "analytic",
            )?,
        };
        families.tell(&Spending::default());
        Ok(families)
    }

    /// An alert was held back.
    pub fn suppressed(&self, analytic: Analytic) {
        self.suppressed.with_label_values(&[analytic.name(), labels::BUDGET]).inc();
    }

    /// Says how the budget stands.
    pub fn tell(&self, spending: &Spending) {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let hundreds = spending.assets as f64 / 100.0;
        for ((level, allowed), told) in LEVELS.iter().zip(spending.allowed).zip(spending.told) {
            self.allowed.with_label_values(&[level.name()]).set(allowed);
            self.told.with_label_values(&[level.name()]).set(count(told));
            let rate = if told == 0 { 0.0 } else { told as f64 / hundreds.max(0.01) };
            self.rate.with_label_values(&[level.name()]).set(rate);
        }
        for (verdict, judged) in spending.judged {
            self.judged.with_label_values(&[Verdict::name(verdict)]).set(count(judged));
        }
        for (analytic, lift) in spending.lifts {
            self.lift.with_label_values(&[analytic.name()]).set(lift);
        }
    }
}

fn gauges(
    register: &Register<'_>,
    name: &str,
    help: &str,
    label: &str,
) -> Result<GaugeVec, prometheus::Error> {
    register.add(GaugeVec::new(Opts::new(name, help), &[label])?)
}
