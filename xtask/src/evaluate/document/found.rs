//! What was found: by kind, against size and duration, how soon; what evades, and what was missed.

use std::collections::BTreeMap;

use egret_tests::scenario::truth::Attack;

use super::super::judge::{Found, Missed, Verdict};
use super::super::measures::{Outcome, Sized, delays, outcomes};
use super::super::text::{self, Table};
use super::plain::{Group, of_group, plain};

/// All sections about attacks.
pub(super) fn sections(verdicts: &[Verdict], folder: &str) -> String {
    let mut text = by_kind(verdicts);
    text += &by_extent(verdicts, folder);
    text += &evasions(verdicts);
    text += &missed(verdicts);
    text
}

fn by_kind(verdicts: &[Verdict]) -> String {
    let mut kinds: BTreeMap<(&str, &str), Vec<&Result<Found, Missed>>> = BTreeMap::new();
    for (_, attack, outcome) in outcomes(verdicts) {
        kinds.entry((&attack.analytic, &attack.kind)).or_default().push(outcome);
    }
    let mut table = Table::new(&[
        "analytic",
        "attack",
        "found",
        "delay: median",
        "95 %",
        "connections until then",
        "duplicates",
    ]);
    for ((analytic, kind), outcomes) in kinds {
        let found: Vec<&Found> =
            outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
        let delays = delays(found.iter().map(|found| found.delay));
        let connections = found.iter().map(|found| found.connections).max();
        let duplicates: usize = found.iter().map(|found| found.alerts - 1).sum();
        table.row(&[
            analytic,
            kind,
            &text::share(found.len(), outcomes.len()),
            &delays.map_or("".into(), |delays| text::seconds(delays.median)),
            &delays.map_or("".into(), |delays| text::seconds(delays.late)),
            &connections.map_or("".into(), |most| format!("at most {most}")),
            &duplicates.to_string(),
        ]);
    }
    format!("## Found, by kind\n\n{}", table.finish())
}

fn by_extent(verdicts: &[Verdict], folder: &str) -> String {
    let mut section = format!(
        "## Exfiltration, by size and duration\n\n\
         Uploads to a place that is new to the asset, without anything that hides them, after what is sent was pulled \
         together inside, and without that; sizes near 1, 2, 5, 10 and so on are together.\n\n\
         ![Share found against bytes sent]({folder}/found.svg)\n\n"
    );
    let plain = plain(verdicts);
    let mut table = Table::new(&["spread over", "sent", "found", "delay: median", "95 %"]);
    for group in Group::ALL {
        for Sized { bytes, planted, found } in of_group(&plain, group) {
            let delays = delays(found.iter().copied());
            table.row(&[
                group.name(),
                &text::bytes(bytes),
                &text::share(found.len(), planted),
                &delays.map_or("".into(), |delays| text::seconds(delays.median)),
                &delays.map_or("".into(), |delays| text::seconds(delays.late)),
            ]);
        }
    }
    section += &table.finish();
    section
}

/// What each evasion does, and why it may pass.
const EVASIONS: [(&str, &str, &str); 8] = [
    (
        "backup_shaped",
        "as much as the nightly backup, for as long, without staging, at another hour to another place",
        "what is new there is the place: where the asset meets new places with uploads every week, one more says little",
    ),
    (
        "decoy_ports",
        "connections to ports that follow from nothing, between those that do",
        "every one that fits no formula counts against it, so that enough of them buy time",
    ),
    (
        "drip",
        "some hundred kilobytes now and then, for days, without staging",
        "below the bytes that a harmless new place takes in a day; sums over a week and a month see it when it goes on",
    ),
    (
        "habitual_cloud",
        "to the cloud that the asset backs up to every night",
        "below three times the largest earlier day it is what it does every day, and an approved place is approved",
    ),
    (
        "preseeded",
        "small sessions to the place on the days before",
        "what was seen on several days is half known; bytes beyond its habit there outweigh that from some size on",
    ),
    (
        "slow_growth",
        "a little more every day",
        "each day is within three times of the one before, and the first one is as small as a harmless visit",
    ),
    (
        "spoofed_answers",
        "answers that nobody asked for, which give a usual name a new address or hide the pairs that count",
        "an answer is believed when its question was seen; one that wins the race against the resolver's is not told from it",
    ),
    (
        "usual_sni",
        "a usual name in the hello, to an address that is not its",
        "a name is believed when DNS gave the address for it; an asset whose answers nobody sees cannot be checked",
    ),
];

fn evasions(verdicts: &[Verdict]) -> String {
    let mut kinds: BTreeMap<(&str, &str), Vec<Outcome<'_>>> = BTreeMap::new();
    for outcome in outcomes(verdicts) {
        let attack = outcome.1;
        if let Some(evasion) = &attack.evasion {
            kinds.entry((evasion, &attack.kind)).or_default().push(outcome);
        }
    }
    if kinds.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["evasion", "attack", "what it does", "found", "missed because"]);
    for ((evasion, kind), outcomes) in kinds {
        let found = outcomes.iter().filter(|(.., outcome)| outcome.is_ok()).count();
        let about = EVASIONS.iter().find(|(name, ..)| *name == evasion);
        let why = about.filter(|_| found < outcomes.len()).map_or("", |(.., why)| why);
        table.row(&[
            &evasion.replace('_', " "),
            kind,
            about.map_or("", |(_, does, _)| does),
            &text::share(found, outcomes.len()),
            why,
        ]);
    }
    format!("## Evasions\n\nWhat is done in order not to be found.\n\n{}", table.finish())
}

/// Below this, what is sent to a new place says little by itself.
const SMALL: u64 = 25_000_000;
/// Harmless first uploads come to so many bytes: a larger one stands out without anything before it.
const UNSTAGED: u64 = 136_000_000;

/// Why an attack was missed, as far as that is known.
fn reason(attack: &Attack) -> &'static str {
    match attack {
        _ if attack.evasion.is_some() => "evades: see above",
        _ if attack.kind == "guest_operations.then_egress" && !attack.required => {
            "the config does not say which address the machine of the log has"
        }
        _ if attack.analytic == "AN1416" && sent(attack) <= SMALL => {
            "small: harmless software sends as much to places that are new to it"
        }
        Attack { exfiltration: Some(extent), .. }
            if extent.staged == 0 && extent.size <= UNSTAGED =>
        {
            "nothing led up to it, and harmless first uploads are as large"
        }
        _ => "not known",
    }
}

/// Bytes of content where that is known, else of frames.
fn sent(attack: &Attack) -> u64 {
    attack.exfiltration.as_ref().map_or(attack.bytes_out, |extent| extent.size)
}

fn missed(verdicts: &[Verdict]) -> String {
    type Planted<'a> = (&'a Verdict, &'a Attack);
    let mut kinds: BTreeMap<(&str, String, &str), Vec<Planted<'_>>> = BTreeMap::new();
    for (verdict, attack, outcome) in outcomes(verdicts) {
        if let Err(missed) = outcome {
            let kind = (attack.kind.as_str(), missed.to_string(), reason(attack));
            kinds.entry(kind).or_default().push((verdict, attack));
        }
    }
    if kinds.is_empty() {
        return "## Missed\n\nNothing.\n\n".into();
    }
    let mut table = Table::new(&[
        "attack",
        "missed",
        "what there was",
        "sent",
        "why, as far as is known",
        "for instance",
    ]);
    for ((kind, what, why), attacks) in &kinds {
        let instance = attacks.first().map_or_else(String::new, |(verdict, attack)| {
            let time = attack.first.to_string();
            format!("{} of {} at {time:.19}Z", attack.asset.name, verdict.name)
        });
        let sizes = range(attacks.iter().map(|(_, attack)| sent(attack)));
        table.row(&[kind, &attacks.len().to_string(), what, &sizes, why, &instance]);
    }
    format!("## Missed\n\n{}", table.finish())
}

/// From the least to the most bytes, where there are some.
fn range(bytes: impl Iterator<Item = u64> + Clone) -> String {
    let written = |bytes: u64| text::bytes(bytes as f64);
    match (bytes.clone().min(), bytes.max()) {
        (Some(least), Some(most)) if least == most && most > 0 => written(most),
        (Some(least), Some(most)) if least > 0 => {
            format!("{} to {}", written(least), written(most))
        }
        _ => String::new(),
    }
}
