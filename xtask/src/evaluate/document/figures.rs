//! The report's figures.

use super::super::bars::MEDIUM_OF_100_ASSETS;
use super::super::judge::{Severity, Verdict};
use super::super::measures::{Sized, calibration};
use super::super::statistics::{Estimate, share};
use super::super::usual::{Average, Detector};
use super::super::watched::Watched;
use super::chart::{Axis, Chart, Look, Point, Series};
use super::plain::{Group, Plain, of_group, plain, sized};
use super::usual::{false_alerts as false_alerts_of, quiet};

/// Names and contents.
pub(super) fn all(verdicts: &[Verdict]) -> [(&'static str, String); 4] {
    [
        ("found.svg", found(verdicts)),
        ("false-alerts.svg", false_alerts(verdicts)),
        ("usual.svg", usual(verdicts)),
        ("confidence.svg", confidence(verdicts)),
    ]
}

fn found(verdicts: &[Verdict]) -> String {
    let plain = plain(verdicts);
    let series = Group::ALL.into_iter().enumerate().map(|(number, group)| Series {
        name: group.name(),
        look: Look::Joined,
        points: points(&of_group(&plain, group), number),
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
    let quiet = [Average::Mean, Average::Ewma].into_iter().filter_map(|it| quiet(verdicts, it));
    let sensitive = Detector { average: Average::Mean, limit: 3 };
    let detectors: Vec<(String, Detector)> =
        [sensitive].into_iter().chain(quiet).map(|detector| (detector.name(), detector)).collect();
    let mut series = vec![Series {
        name: "Egret",
        look: Look::Joined,
        points: points(&sized(&plain, Plain::by_egret), 0),
    }];
    series.extend((1..).zip(&detectors).map(|(number, (name, detector))| Series {
        name,
        look: Look::Joined,
        points: points(&sized(&plain, |one| one.by(*detector)), number),
    }));
    Chart {
        title: "Exfiltration found, beside the usual detectors",
        description: "Share of planted exfiltrations that each detector found, with 95 % intervals",
        x: bytes_axis(),
        y: share_axis("found, %"),
        series,
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
    let watched = Watched::everyday(verdicts);
    let mut bars = vec![
        ("Egret, high", watched.count(|alert| alert.severity >= Severity::High)),
        ("Egret, medium", watched.count(|alert| alert.severity >= Severity::Medium)),
    ];
    let detectors =
        [(Average::Mean, 3), (Average::Mean, 6), (Average::Ewma, 3), (Average::Ewma, 6)];
    let detectors = detectors.map(|(average, limit)| Detector { average, limit });
    let names = detectors.map(Detector::name);
    for (detector, name) in detectors.into_iter().zip(&names) {
        bars.push((name, false_alerts_of(verdicts, detector)));
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
