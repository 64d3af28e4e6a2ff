//! The report's figures.

use super::super::bars::MEDIUM_OF_100_ASSETS;
use super::super::judge::{Severity, Verdict};
use super::super::measures::{Sized, Watched, by_size, calibration, count_false, everyday};
use super::super::statistics::{Estimate, share};
use super::super::usual::Detector;
use super::chart::{Axis, Chart, Look, Point, Series};
use super::found::is_plain;

/// Durations that are told apart: a name, and the most seconds.
pub(super) const LENGTHS: [(&str, f64); 3] =
    [("up to 15 min", 900.0), ("up to 6 h", 22_500.0), ("up to 48 h", f64::INFINITY)];

/// Which of them one is of.
pub(super) fn length(seconds: f64) -> usize {
    LENGTHS.iter().position(|(_, most)| seconds <= *most).unwrap_or_default()
}

/// Names and contents.
pub(super) fn all(verdicts: &[Verdict]) -> [(&'static str, String); 4] {
    [
        ("found.svg", found(verdicts)),
        ("false-alerts.svg", false_alerts(verdicts)),
        ("usual.svg", usual(verdicts)),
        ("confidence.svg", confidence(verdicts)),
    ]
}

/// An exfiltration that does nothing in order not to be found.
pub(super) struct Plain {
    bytes: u64,
    seconds: f64,
    /// After how many seconds Egret and each of the usual detectors found it.
    delays: Vec<Option<f64>>,
}

/// All of them.
pub(super) fn plain(verdicts: &[Verdict]) -> Vec<Plain> {
    let mut plain = Vec::new();
    for verdict in everyday(verdicts) {
        let attacks = verdict.truth.attacks.iter().zip(&verdict.outcomes).enumerate();
        for (number, (attack, outcome)) in attacks.filter(|(_, (attack, _))| is_plain(attack)) {
            let Some(extent) = &attack.exfiltration else { continue };
            let usual = verdict.usual.iter();
            let usual = usual.map(|usual| usual.delays.get(number).copied().flatten());
            let egret = outcome.as_ref().ok().map(|found| found.delay);
            plain.push(Plain {
                bytes: extent.size,
                seconds: extent.duration as f64,
                delays: [egret].into_iter().chain(usual).collect(),
            });
        }
    }
    plain
}

/// Those of about a duration by size, and when Egret found them.
pub(super) fn of_length(plain: &[Plain], number: usize) -> Vec<Sized> {
    let of_length = plain.iter().filter(|one| length(one.seconds) == number);
    by_size(of_length.map(|one| (one.bytes, one.delays.first().copied().flatten())))
}

fn found(verdicts: &[Verdict]) -> String {
    let plain = plain(verdicts);
    let series = LENGTHS.iter().enumerate().map(|(number, (name, _))| Series {
        name,
        look: Look::Joined,
        points: points(&of_length(&plain, number), number),
    });
    Chart {
        title: "Exfiltration found, by bytes sent and by how long that takes",
        description: "Share of planted exfiltrations that Egret found, with 95 % intervals",
        x: bytes_axis(),
        y: share_axis("found, %"),
        series: series.collect(),
    }
    .svg()
}

fn usual(verdicts: &[Verdict]) -> String {
    let plain = plain(verdicts);
    let names: Vec<String> =
        ["Egret".to_owned()].into_iter().chain(Detector::ALL.map(Detector::name)).collect();
    let series = names.iter().enumerate().map(|(number, name)| {
        let of_all = plain.iter();
        let sized =
            by_size(of_all.map(|one| (one.bytes, one.delays.get(number).copied().flatten())));
        Series { name, look: Look::Joined, points: points(&sized, number) }
    });
    Chart {
        title: "Exfiltration found, beside the usual detectors",
        description: "Share of planted exfiltrations that each detector found, with 95 % intervals",
        x: bytes_axis(),
        y: share_axis("found, %"),
        series: series.collect(),
    }
    .svg()
}

/// A little beside each other, so that intervals can be told apart.
fn points(sized: &[Sized], number: usize) -> Vec<Point> {
    let beside = 1.08f64.powi(number as i32 - 1);
    sized
        .iter()
        .filter_map(|size| {
            Some(percents(size.bytes * beside, share(size.found.len(), size.planted)?))
        })
        .collect()
}

fn percents(x: f64, share: Estimate) -> Point {
    let share = share.scaled(100.0);
    Point { x, y: share.value, low: share.low, high: share.high }
}

fn false_alerts(verdicts: &[Verdict]) -> String {
    let watched = Watched::of(verdicts);
    let mut bars = vec![
        ("Egret, high", count_false(verdicts, |alert| alert.severity >= Severity::High)),
        ("Egret, medium", count_false(verdicts, |alert| alert.severity >= Severity::Medium)),
    ];
    let names = Detector::ALL.map(Detector::name);
    for (number, name) in names.iter().enumerate() {
        let usual = everyday(verdicts).filter_map(|verdict| verdict.usual.get(number));
        bars.push((name, usual.map(|usual| usual.false_alerts).sum()));
    }
    let ends = bars.len() as f64 + 0.5;
    let mut ticks = vec![(0.5, String::new())];
    let mut series = [Vec::new(), Vec::new()];
    for (number, (name, count)) in (1..).zip(bars) {
        let rate = watched.for_100_assets_a_week(count);
        let x = f64::from(number);
        ticks.push((x, name.to_owned()));
        if let Some(points) = series.get_mut(usize::from(number > 2)) {
            points.push(Point { x, y: rate.value, low: rate.low, high: rate.high });
        }
    }
    ticks.push((ends, String::new()));
    let [egret, usual] = series;
    // A logarithm has no place for none: it is at the foot.
    let rates =
        [(0.001, "0"), (0.01, "0.01"), (0.1, "0.1"), (1.0, "1"), (10.0, "10"), (100.0, "100")];
    let rates = [&rates[..], &[(1000.0, "1000")]].concat();
    let rates = rates.into_iter().map(|(rate, name)| (rate, name.to_owned()));
    let bar = |x| Point { x, y: MEDIUM_OF_100_ASSETS, low: 0.0, high: 0.0 };
    Chart {
        title: "Alerts about nothing, at this severity or above",
        description: "False alerts for 100 assets a week, with 95 % intervals; none is at the foot",
        x: Axis { label: "detector", is_logarithmic: false, ticks },
        y: Axis { label: "for 100 assets a week", is_logarithmic: true, ticks: rates.collect() },
        series: vec![
            Series { name: "Egret, all analytics", look: Look::Points, points: egret },
            Series { name: "usual, bytes out", look: Look::Points, points: usual },
            Series {
                name: "the bar at medium",
                look: Look::Reference,
                points: vec![bar(0.5), bar(ends)],
            },
        ],
    }
    .svg()
}

fn confidence(verdicts: &[Verdict]) -> String {
    let of = |analytic| {
        let bins = calibration(verdicts, analytic).into_iter();
        let points = bins.filter_map(|bin| Some(percents(bin.stated * 100.0, bin.share()?)));
        Series { name: analytic, look: Look::Points, points: points.collect() }
    };
    let diagonal = [0.0, 100.0].map(|at| Point { x: at, y: at, low: at, high: at });
    Chart {
        title: "How sure alerts say they are, and how often they are right",
        description: "Share of alerts about an attack against their stated confidence, with 95 % intervals",
        x: share_axis("stated confidence, %"),
        y: share_axis("about an attack, %"),
        series: vec![
            of("AN1416"),
            of("AN0731"),
            Series { name: "as stated", look: Look::Reference, points: diagonal.to_vec() },
        ],
    }
    .svg()
}

fn share_axis(label: &str) -> Axis<'_> {
    let ticks = [0.0, 20.0, 40.0, 60.0, 80.0, 100.0].map(|share| (share, share.to_string()));
    Axis { label, is_logarithmic: false, ticks: ticks.to_vec() }
}

fn bytes_axis() -> Axis<'static> {
    let ticks = [
        (5e5, ""),
        (1e6, "1 MB"),
        (1e7, "10 MB"),
        (1e8, "100 MB"),
        (1e9, "1 GB"),
        (1e10, "10 GB"),
        (1e11, "100 GB"),
    ];
    Axis {
        label: "sent, bytes of content",
        is_logarithmic: true,
        ticks: ticks.map(|(bytes, name)| (bytes, name.to_owned())).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_that_were_planned_alike_are_alike() {
        let lengths = [60.0, 610.0, 3600.0, 21_700.0, 86_400.0, 172_800.0].map(length);
        assert_eq!(lengths, [0, 0, 1, 1, 2, 2]);
    }
}
