//! Writes the report of an evaluation: Markdown, and figures beside it. The same verdicts give the same bytes.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::Context;

use super::bars;
use super::judge::Verdict;
use super::measures::outcomes;
use super::text::Table;
use super::watched::Watched;

pub(super) mod channels;
mod chart;
mod figures;
mod found;
mod plain;
mod quiet;
mod usual;

/// What is said of the run itself.
pub(super) struct Run {
    /// What does the same again.
    pub(super) command: String,
    /// What the binary says of itself.
    pub(super) version: String,
}

/// Writes the report to `path`, and its figures into the folder of the same name.
pub(super) fn write(path: &Path, run: &Run, verdicts: &[Verdict]) -> anyhow::Result<()> {
    let folder = path.with_extension("");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for (name, svg) in figures::all(verdicts) {
        fs::write(folder.join(name), svg)?;
    }
    let name = folder.file_name().and_then(|name| name.to_str()).context("no file name")?;
    let mut report = head(run, verdicts);
    report += &bars(verdicts);
    report += &found::sections(verdicts, name);
    report += &quiet::sections(verdicts, name);
    report += &channels::section(verdicts);
    report += METHOD;
    fs::write(path, report).with_context(|| path.display().to_string())
}

fn head(run: &Run, verdicts: &[Verdict]) -> String {
    let watched = Watched::everyday(verdicts);
    let mut head = format!(
        "# What Egret finds, and what it raises beside\n\n\
         Written by `{}` with {}; the same seeds and binary give the same bytes. Attacks are planted in days of \
         seeded estates among everyday traffic and harmless things that look like attacks; the binary reads them \
         as it would from files, and its alerts are compared with what was planted. Estates that somebody made up \
         say which detector is better, not what a site of yours will see.\n\n",
        run.command, run.version,
    );
    let mut table = Table::new(&[
        "estate",
        "assets",
        "days judged",
        "attacks",
        "harmless look-alikes",
        "harsh",
    ]);
    for verdict in verdicts {
        let truth = &verdict.truth;
        table.row(&[
            &verdict.name,
            &truth.assets.to_string(),
            &format!("{:.0}", verdict.length),
            &truth.attacks.len().to_string(),
            &(truth.hard_negatives.len() as u64 + truth.changes).to_string(),
            &truth.harsh.join(", ").replace('_', " "),
        ]);
    }
    head += &table.finish();
    let _ = writeln!(
        head,
        "Estates have their seeds in their names. Those with everyday traffic were judged for {:.0} days together, \
         {:.0} days of an asset, and {} attacks were planted in all. Intervals are in brackets: they hold the true \
         value in 95 of 100 cases (shares: Wilson's; counts: exact bounds of Poisson's distribution).\n",
        watched.estate_days,
        watched.asset_days,
        outcomes(verdicts).count(),
    );
    head
}

fn bars(verdicts: &[Verdict]) -> String {
    let mut section = String::from("## The bars\n\n");
    if !bars::is_at_scale(verdicts) {
        section += "They are stated for 10 seeds of 500 guests, 14 days behind the time of learning and harsh \
                    variants. **This run is smaller**: what it says of them is a hint.\n\n";
    }
    let mut table = Table::new(&["asked", "measured", "met"]);
    for bar in bars::bars(verdicts) {
        let met = match bar.is_met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "not tried",
        };
        table.row(&[&bar.asked, &bar.measured, met]);
    }
    section + &table.finish()
}

const METHOD: &str = "\
## How it is judged

- An attack is found by an alert of its own analytic at medium or above, on its asset, to its destination or with its
  operations or records as evidence, from its beginning until an hour after its end. All but one alert about it are
  duplicates. What another analytic says of it is neither a find nor false.
- An alert that belongs to no attack is false, at the highest severity it ever had, also when it was lowered later:
  somebody was called. It is one alert however often it was updated.
- Of a beacon, connections count whose DNS answer was on the mirror: for half a day, some guests are mirrored in one
  direction only.
- Delays count from the first byte that leaves, of other attacks from the first packet. Sizes are bytes of content.
- Causes are what was noted when the harmless thing was made; what has no note is everyday traffic.
- Intervals take alerts and attacks to be independent, which those of one estate are not quite.
";

#[cfg(test)]
mod tests {
    use super::super::judge::{Missed, Severity};
    use super::super::made;
    use super::*;

    #[test]
    fn the_report_links_its_figures_and_says_what_is_missed_and_why() {
        let mut verdict = made::verdict(20, 2.0);
        let mut drip = made::exfiltration("exfiltration.drip", 3_000_000, 100_000);
        drip.evasion = Some("drip".into());
        let plain = made::exfiltration("exfiltration.sized", 500_000_000, 60);
        verdict.truth.attacks.extend([drip, plain]);
        verdict.outcomes.extend([Err(Missed::TooLow(Severity::Low)), Ok(made::found(4.0))]);
        verdict.alerts.push(made::false_alert("AN1416", Severity::Medium));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("told.md");
        let run = Run { command: "cargo xtask evaluate".into(), version: "egret 0.1.0".into() };
        write(&path, &run, &[verdict]).unwrap();
        let report = fs::read_to_string(&path).unwrap();
        for (_, link) in report.match_indices("](").map(|(at, _)| report.split_at(at + 2)) {
            let file = link.split(')').next().unwrap();
            assert!(fs::read_to_string(folder.path().join(file)).unwrap().ends_with("</svg>\n"));
        }
        for said in [
            "| drip | exfiltration.drip | some hundred kilobytes now and then",
            "| exfiltration.drip | 1 | only an alert at low | 3 MB | evades: see above | app-02 of",
            "| up to 15 min | 500 MB | 1 of 1, 100 % (21 to 100) | 4.0 s |",
            "| medium or above | 1 | 17.5 (0.44 to 97.5) | 3.50 (0.089 to 19.5) |",
            "**This run is smaller**",
        ] {
            assert!(report.contains(said), "{said}\n{report}");
        }
        assert!(!report.contains("NaN") && !report.contains(" inf "), "{report}");
    }
}
