//! Egret beside the usual detectors.

use super::super::bars::MEDIUM_OF_100_ASSETS;
use super::super::judge::{Severity, Verdict};
use super::super::measures::{delays, everyday};
use super::super::text::{self, Table};
use super::super::usual::{Average, Detector};
use super::super::watched::Watched;
use super::plain::{Plain, plain};

/// False alerts of a detector.
pub(super) fn false_alerts(verdicts: &[Verdict], detector: Detector) -> usize {
    let usual = everyday(verdicts).flat_map(|verdict| &verdict.usual);
    usual.filter(|usual| usual.detector == detector).map(|usual| usual.false_alerts).sum()
}

/// The most sensitive detector of an average that is as quiet as Egret has to be.
pub(super) fn quiet(verdicts: &[Verdict], average: Average) -> Option<Detector> {
    let watched = Watched::everyday(verdicts);
    Detector::all().filter(|detector| detector.average == average).find(|detector| {
        let count = false_alerts(verdicts, *detector);
        watched.for_100_assets_a_week(count).value <= MEDIUM_OF_100_ASSETS
    })
}

/// How often an attack that lasts as long would coincide with a false alert of its asset, on average.
fn chance(plain: &[Plain<'_>], watched: &Watched<'_>, false_alerts: usize) -> f64 {
    let an_hour = false_alerts as f64 / (watched.asset_days * 24.0);
    let hits = |one: &Plain<'_>| 1.0 - (-an_hour * (one.seconds() / 3600.0 + 1.0)).exp();
    plain.iter().map(hits).sum::<f64>() / plain.len().max(1) as f64
}

/// The whole section.
pub(super) fn section(verdicts: &[Verdict], folder: &str) -> String {
    let watched = Watched::everyday(verdicts);
    let plain = plain(verdicts);
    let mut table = Table::new(&[
        "detector",
        "found",
        "of them by chance",
        "delay: median",
        "false alerts for 100 assets a week",
    ]);
    let mut row = |name: &str, chance: &str, found: &[f64], count: usize| {
        let delays = delays(found.iter().copied());
        table.row(&[
            name,
            &text::share(found.len(), plain.len()),
            chance,
            &delays.map_or(String::new(), |delays| text::seconds(delays.median)),
            &text::rate(watched.for_100_assets_a_week(count)),
        ]);
    };
    let found: Vec<f64> = plain.iter().filter_map(Plain::by_egret).collect();
    let count = watched
        .count(|alert| alert.severity >= Severity::Medium && alert.line.analytic == "AN1416");
    row("Egret, AN1416 at medium or above", "none: alerts name the place", &found, count);
    let [mean, ewma] = [Average::Mean, Average::Ewma];
    let shown = [(mean, 3), (mean, 6), (ewma, 3), (ewma, 6)];
    let shown = shown.map(|(average, limit)| Detector { average, limit });
    let quiet = [mean, ewma].map(|average| quiet(verdicts, average));
    for detector in shown.into_iter().chain(quiet.into_iter().flatten()) {
        let found: Vec<f64> = plain.iter().filter_map(|one| one.by(detector)).collect();
        let count = false_alerts(verdicts, detector);
        let chance = format!("{:.0} %", chance(&plain, &watched, count) * 100.0);
        row(&detector.name(), &chance, &found, count);
    }
    format!(
        "## Beside the usual detectors\n\n\
         Limits on the bytes that an asset sends out of the estate in an hour, counted from the frames of the same \
         captures: so many standard deviations above the mean of the last week, and above an exponentially weighted \
         mean (0.05 an hour). They are treated well: an hour that an attack only touches finds it, by whatever it \
         exceeds, and all that an asset exceeds within a day of its first false alert is one; so an attack that \
         takes days is found by chance where the asset alerts every few days anyway. The last rows are limits that \
         are high enough to raise at most {MEDIUM_OF_100_ASSETS} for 100 assets a week, where any is. Attacks are the exfiltrations above.\n\n\
         ![Alerts about nothing]({folder}/false-alerts.svg)\n\n\
         ![Share found by each]({folder}/usual.svg)\n\n{}",
        table.finish()
    )
}
