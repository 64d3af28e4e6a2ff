//! What each channel detector raises beside.

use egret::detect::{CHANNELS, Detector};

use super::super::judge::{Judged, Severity, Verdict};
use super::super::text::{Table, rate};
use super::super::watched::Watched;

/// The section: each detector with what it raised about nothing.
pub(super) fn section(verdicts: &[Verdict]) -> String {
    let mut text = String::from(
        "## False alerts of the channels\n\n\
         Of the detectors of docs/channels.md, by their names; those that are not here raised none. Most are \
         informational or low, and are not sent anywhere unless asked for.\n\n",
    );
    let mut table = Table::new(&[
        "detector",
        "up to",
        "false alerts",
        "medium or above",
        "for 100 assets a week",
    ]);
    for line in lines(verdicts) {
        let [count, medium] = line.counts.map(|count| count.to_string());
        let rate = Watched::everyday(verdicts).for_100_assets_a_week(line.counts[0]);
        table.row(&[line.of.name, line.of.most.name(), &count, &medium, &self::rate(rate)]);
    }
    text += &table.finish();
    text
}

/// A detector that raised something about nothing, and how often: at all, and at medium or above.
pub(in super::super) struct Line {
    pub(in super::super) of: &'static Detector,
    pub(in super::super) counts: [usize; 2],
}

/// Those of days with everyday traffic, the noisiest first.
pub(in super::super) fn lines(verdicts: &[Verdict]) -> Vec<Line> {
    let watched = Watched::everyday(verdicts);
    let of = |of: &'static Detector| {
        let is_its = |alert: &Judged| alert.line.channel() == Some(of.name);
        let counts = [
            watched.count(is_its),
            watched.count(|alert| is_its(alert) && alert.severity >= Severity::Medium),
        ];
        (counts != [0, 0]).then_some(Line { of, counts })
    };
    let mut lines: Vec<Line> = CHANNELS.into_iter().filter_map(of).collect();
    lines.sort_by_key(|line| (std::cmp::Reverse(line.counts), line.of.name));
    lines
}

#[cfg(test)]
mod tests {
    use super::super::super::made;
    use super::*;

    #[test]
    fn each_detector_has_its_own_rate() {
        let mut verdict = made::verdict(100, 7.0);
        for (name, severity) in
            [("beacon", Severity::Low), ("beacon", Severity::Low), ("port_scan", Severity::Medium)]
        {
            verdict.alerts.push(made::false_channel(name, severity));
        }
        verdict.alerts.push(made::false_alert("AN1416", Severity::Medium));
        let text = section(&[verdict]);
        assert!(text.contains("| beacon | low | 2 | 0 | 2.00 ("), "{text}");
        assert!(text.contains("| port_scan | medium | 1 | 1 | 1.00 ("), "{text}");
        assert!(!text.contains("AN1416") && !text.contains("| vnc |"), "{text}");
    }
}
