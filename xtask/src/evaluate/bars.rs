//! What Egret has to show: of estates of the size that is asked for, and of the few small ones that every change
//! is tried with.

use egret_tests::scenario::truth::{Attack, Exfiltration};

use super::judge::{Days, Found, Missed, Severity, Verdict};
use super::measures::{Outcome, delays, everyday, false_alerts, outcomes};
use super::text;
use super::watched::Watched;

/// The scale that the bars are stated for: guests, days behind the time of learning, seeds.
const GUESTS: u64 = 500;
const DAYS: f64 = 14.0;
const SEEDS: usize = 10;

/// Alerts about nothing, at medium or above, of 100 assets in a week.
pub(super) const MEDIUM_OF_100_ASSETS: f64 = 1.0;
/// Those at high or above, of a site in a week.
const HIGH_OF_A_SITE: f64 = 1.0;
/// Exfiltration after staging: from so many bytes on, such a share, so many seconds from the first byte.
const STAGED_BYTES: u64 = 500_000_000;
const STAGED_FOUND: f64 = 0.95;
const STAGED_DELAY: f64 = 60.0;
/// The same spread over two days, to a new place.
const SLOW_BYTES: std::ops::Range<u64> = 4_500_000_000..5_500_000_000;
const SLOW_SECONDS: u64 = 47 * 3600;
const SLOW_FOUND: f64 = 0.90;
/// By which connection, each with an answer and a port of its own, a beacon has to be found.
const BEACONS: [(&str, &[&str], usize); 4] = [
    ("APT12's and the other known formulas", &["known"], 3),
    ("unknown constants or moduli", &["constant", "modulus"], 6),
    ("unknown multipliers", &["affine"], 9),
    ("unknown multipliers of products", &["product"], 16),
];
/// In so many days of connections to odd ports nothing at high, and this at medium.
const PORT_DAYS: f64 = 30.0;
const PORT_MEDIUM: usize = 1;

/// In a small run: false alerts at medium of an estate in a day; above there may be none.
const SMALL_MEDIUM_A_DAY: f64 = 0.5;
/// By this connection a promised beacon has to be found there.
const SMALL_CONNECTIONS: usize = 4;

/// A bar and what is measured beside it.
pub(super) struct Bar {
    pub(super) asked: String,
    pub(super) measured: String,
    /// Unless nothing of it was planted.
    pub(super) is_met: Option<bool>,
}

/// Whether the estates are those that the bars are stated for.
pub(super) fn is_at_scale(verdicts: &[Verdict]) -> bool {
    let is_large = |verdict: &&Verdict| {
        verdict.truth.assets >= GUESTS && verdict.length >= DAYS && !verdict.truth.harsh.is_empty()
    };
    everyday(verdicts).filter(is_large).count() >= SEEDS
}

/// All bars.
pub(super) fn bars(verdicts: &[Verdict]) -> Vec<Bar> {
    let mut bars = quiet(verdicts);
    bars.extend(exfiltration(verdicts));
    let all = |what: &str, is: &dyn Fn(&Attack) -> bool| found(verdicts, what, 1.0, is);
    bars.push(all("egress of management components: all found", &|attack| {
        attack.kind.starts_with("management_egress.")
    }));
    bars.extend(BEACONS.map(|(what, families, within)| beacons(verdicts, what, families, within)));
    bars.push(all("decoy ports between beacons do not hide them: all found", &|attack| {
        attack.evasion.as_deref() == Some("decoy_ports")
    }));
    bars.push(ports(verdicts));
    bars
}

/// In all estates, and in those without an attack, where there are some.
fn quiet(verdicts: &[Verdict]) -> Vec<Bar> {
    let all = (" that is about no attack", Watched::everyday(verdicts));
    let peaceful = (", in estates without an attack", Watched::peaceful(verdicts));
    let mut bars = Vec::new();
    for (which, watched) in [all, peaceful].into_iter().filter(|(_, it)| !it.is_empty()) {
        let medium = watched.count(|alert| alert.severity >= Severity::Medium);
        let medium = watched.for_100_assets_a_week(medium);
        let high = watched.count(|alert| alert.severity >= Severity::High);
        let high = watched.for_a_site_a_week(high);
        bars.push(Bar {
            asked: format!(
                "at most {MEDIUM_OF_100_ASSETS} alert at medium or above for 100 assets a week{which}"
            ),
            measured: text::rate(medium),
            is_met: Some(medium.value <= MEDIUM_OF_100_ASSETS),
        });
        bars.push(Bar {
            asked: format!("at most {HIGH_OF_A_SITE} at high or above for a site a week{which}"),
            measured: text::rate(high),
            is_met: Some(high.value <= HIGH_OF_A_SITE),
        });
    }
    bars
}

fn exfiltration(verdicts: &[Verdict]) -> [Bar; 3] {
    let is_staged = |attack: &Attack| {
        let of = |extent: &Exfiltration| extent.staged > 0 && extent.size >= STAGED_BYTES;
        attack.evasion.is_none() && attack.exfiltration.as_ref().is_some_and(of)
    };
    let is_slow = |attack: &Attack| {
        let of = |extent: &Exfiltration| {
            SLOW_BYTES.contains(&extent.size) && extent.duration >= SLOW_SECONDS
        };
        attack.evasion.is_none() && attack.exfiltration.as_ref().is_some_and(of)
    };
    let seconds = outcomes(verdicts)
        .filter(|(_, attack, _)| is_staged(attack))
        .filter_map(|(.., outcome)| outcome.as_ref().ok())
        .map(|found| found.delay);
    let delay = delays(seconds);
    let percent = |share: f64| (share * 100.0).round();
    [
        found(
            verdicts,
            &format!(
                "exfiltration of {} or more after staging: {} % found",
                text::bytes(STAGED_BYTES as f64),
                percent(STAGED_FOUND)
            ),
            STAGED_FOUND,
            &is_staged,
        ),
        Bar {
            asked: format!(
                "the median of its delays, from the first byte, under {}",
                text::seconds(STAGED_DELAY)
            ),
            measured: delay.map_or_else(|| "nothing found".into(), |it| text::seconds(it.median)),
            is_met: delay.map(|delay| delay.median < STAGED_DELAY),
        },
        found(
            verdicts,
            &format!("5 GB spread over 48 h to a new place: {} % found", percent(SLOW_FOUND)),
            SLOW_FOUND,
            &is_slow,
        ),
    ]
}

/// How many of the attacks that it `is` about were found.
fn found(verdicts: &[Verdict], asked: &str, least: f64, is: &dyn Fn(&Attack) -> bool) -> Bar {
    let of_kind: Vec<Outcome<'_>> =
        outcomes(verdicts).filter(|(_, attack, _)| is(attack)).collect();
    let hits = of_kind.iter().filter(|(.., outcome)| outcome.is_ok()).count();
    Bar {
        asked: asked.into(),
        measured: text::share(hits, of_kind.len()),
        is_met: (!of_kind.is_empty()).then_some(hits as f64 >= least * of_kind.len() as f64),
    }
}

fn beacons(verdicts: &[Verdict], what: &str, families: &[&str], within: usize) -> Bar {
    let of_family = |attack: &Attack| {
        let is_of = attack.beacon.as_ref().is_some_and(|it| families.contains(&it.family.as_str()));
        is_of && attack.evasion.is_none()
    };
    let outcomes: Vec<Outcome<'_>> =
        outcomes(verdicts).filter(|(_, attack, _)| of_family(attack)).collect();
    let connections = |(.., outcome): &Outcome<'_>| outcome.as_ref().ok().map(|it| it.connections);
    let in_time = outcomes
        .iter()
        .filter_map(connections)
        .filter(|connections| *connections <= within)
        .count();
    let last = outcomes.iter().filter_map(connections).max();
    let last = last.map_or_else(String::new, |last| format!(", the last at connection {last}"));
    Bar {
        asked: format!("ports by {what}: all found within {within} connections"),
        measured: format!("{}{last}", text::share(in_time, outcomes.len())),
        is_met: (!outcomes.is_empty()).then_some(in_time == outcomes.len()),
    }
}

fn ports(verdicts: &[Verdict]) -> Bar {
    let watched = Watched::of(verdicts, |verdict| verdict.days == Days::OddPorts);
    let high = watched.count(|alert| alert.severity >= Severity::High);
    let medium = watched.count(|alert| alert.severity == Severity::Medium);
    let days = watched.estate_days;
    let is_enough = verdicts.iter().any(|verdict| {
        verdict.days == Days::OddPorts
            && verdict.truth.assets >= GUESTS
            && verdict.length >= PORT_DAYS
    });
    Bar {
        asked: format!(
            "{PORT_DAYS} days of {GUESTS} guests that connect to odd ports: no false alert at high, at most \
             {PORT_MEDIUM} at medium"
        ),
        measured: format!("{high} at high and {medium} at medium in {days:.0} days"),
        is_met: is_enough.then_some(high == 0 && medium <= PORT_MEDIUM),
    }
}

/// What is below the bar, one line each.
pub(super) fn below(verdicts: &[Verdict]) -> Vec<String> {
    let mut below = untold(verdicts);
    if is_at_scale(verdicts) {
        let missed = bars(verdicts).into_iter().filter(|bar| bar.is_met != Some(true));
        below.extend(missed.map(|bar| format!("{}: {}", bar.asked, bar.measured)));
        return below;
    }
    for (verdict, attack, outcome) in promised(verdicts) {
        let what = format!("{}: {} of {}", verdict.name, attack.kind, attack.asset.name);
        match outcome {
            Err(Missed::Unnoticed) => below.push(format!("{what} not found")),
            Err(missed) => below.push(format!("{what} not found: {missed}")),
            Ok(found) if attack.analytic == "AN0731" && found.connections > SMALL_CONNECTIONS => {
                below.push(format!("{what} found at connection {}", found.connections));
            }
            Ok(_) => {}
        }
    }
    let watched = Watched::everyday(verdicts);
    let high = watched.count(|alert| alert.severity >= Severity::High);
    if high > 0 {
        below.push(format!("{high} false alerts at high or above"));
    }
    let medium = watched.count(|alert| alert.severity == Severity::Medium);
    let medium = medium as f64 / watched.estate_days;
    if medium > SMALL_MEDIUM_A_DAY {
        below.push(format!("{medium:.2} false alerts at medium an estate-day"));
    }
    below
}

/// What is asked at any scale: one whole story of each promised attack that logs tell of, and nothing harmless
/// raised where there is nothing else.
fn untold(verdicts: &[Verdict]) -> Vec<String> {
    let mut below = Vec::new();
    for (verdict, attack, outcome) in promised(verdicts) {
        let what = format!("{}: {} of {}", verdict.name, attack.kind, attack.asset.name);
        let is_of_logs = attack.operations.is_some() || attack.mirror.is_some();
        match outcome {
            Ok(Found { alerts, .. }) if is_of_logs && *alerts != 1 => {
                below.push(format!("{what} raised {alerts} alerts"));
            }
            Ok(found) if !found.is_complete => below.push(format!("{what}: not all is said of it")),
            _ => {}
        }
    }
    for verdict in verdicts.iter().filter(|verdict| verdict.days == Days::Quiet) {
        let loud = false_alerts(std::slice::from_ref(verdict)).count();
        if loud > 0 {
            below.push(format!("{}: {loud} alerts about what is harmless", verdict.name));
        }
    }
    below
}

fn promised(verdicts: &[Verdict]) -> impl Iterator<Item = Outcome<'_>> {
    outcomes(verdicts).filter(|(_, attack, _)| attack.required)
}

#[cfg(test)]
mod tests {
    use super::super::made;
    use super::*;

    #[test]
    fn a_small_run_fails_on_a_promise_that_is_not_kept_and_not_on_bars_of_another_scale() {
        let mut verdict = made::verdict(20, 2.0);
        verdict.truth.attacks.push(made::exfiltration("exfiltration.one_session", 1_000_000, 60));
        verdict.outcomes.push(Err(Missed::Unnoticed));
        assert_eq!(below(&[verdict]), ["estate-1: exfiltration.one_session of app-02 not found"]);

        let mut verdict = made::verdict(20, 2.0);
        verdict.alerts.push(made::false_alert("AN1416", Severity::Medium));
        assert_eq!(below(&[verdict]), Vec::<String>::new(), "one in two days is allowed");

        let mut verdict = made::verdict(20, 2.0);
        verdict.alerts.push(made::false_alert("AN1416", Severity::High));
        assert_eq!(below(&[verdict]), ["1 false alerts at high or above"]);
    }

    /// 500 assets for ten times two weeks are 100 times what a rate is for.
    #[test]
    fn a_large_run_is_held_against_all_bars() {
        let medium = |each: usize| -> Vec<Verdict> {
            let mut verdicts: Vec<Verdict> = (0..10).map(|_| made::verdict(500, 14.0)).collect();
            for verdict in &mut verdicts {
                let alerts = (0..each).map(|_| made::false_alert("AN1416", Severity::Medium));
                verdict.alerts.extend(alerts);
            }
            verdicts
        };
        assert!(is_at_scale(&medium(0)) && !is_at_scale(&medium(0)[..9]));
        let of_rate = |verdicts: &[Verdict]| bars(verdicts).into_iter().next().unwrap().is_met;
        assert_eq!(of_rate(&medium(10)), Some(true));
        assert_eq!(of_rate(&medium(11)), Some(false));
        assert!(below(&medium(0)).iter().any(|bar| bar.ends_with("none planted")), "all are tried");
    }

    #[test]
    fn exfiltration_is_held_against_the_bar_of_its_size_and_speed() {
        let mut verdict = made::verdict(20, 2.0);
        for (bytes, seconds, delay) in [
            (499_000_000, 60, None),
            (500_000_000, 60, Some(10.0)),
            (5_000_000_000, 172_800, Some(59.0)),
            (5_000_000_000, 86_400, Some(4000.0)),
        ] {
            verdict.truth.attacks.push(made::exfiltration("exfiltration.sized", bytes, seconds));
            verdict.outcomes.push(delay.map(made::found).ok_or(Missed::Unnoticed));
        }
        let measured: Vec<(String, Option<bool>)> =
            exfiltration(&[verdict]).map(|bar| (bar.measured, bar.is_met)).into();
        assert_eq!(measured[0], (text::share(3, 3), Some(true)));
        assert_eq!(measured[1], ("59.0 s".into(), Some(true)));
        assert_eq!(measured[2], (text::share(1, 1), Some(true)));
    }
}
