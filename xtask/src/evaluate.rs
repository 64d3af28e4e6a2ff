//! `cargo xtask evaluate`: how much of what is planted the binary finds, how soon, and what it
//! raises beside.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use egret_tests::rng::Rng;
use egret_tests::scenario::{HOUR, Plan};

use judge::Verdict;

mod judge;
mod report;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Guests of each estate
    #[arg(long, default_value_t = 20)]
    guests: usize,
    /// Days of each capture
    #[arg(long, default_value_t = 3)]
    days: u64,
    /// How much of each capture only teaches, as `egret read --learn` takes it: `1d`, `12h`
    #[arg(long, default_value = "1d", value_parser = parse_hours)]
    learn: Hours,
    /// How many estates
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// What the estates' seeds follow from; another one gives estates never seen in development
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The binary; built with `cargo build --release` unless given
    #[arg(long, value_name = "PATH")]
    egret: Option<PathBuf>,
    /// Keeps captures, configs, truth and alerts here
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Only writes captures, configs and truth; needs --keep
    #[arg(long, requires = "keep")]
    write_only: bool,
}

/// Whole hours, written as `6h` or `1d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hours(u64);

fn parse_hours(text: &str) -> Result<Hours, String> {
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let hours = match unit {
        "h" => 1,
        "d" => 24,
        _ => return Err("expected whole hours or days, like 6h or 1d".into()),
    };
    let number: u64 = number.parse().map_err(|_| format!("{number:?} is no whole number"))?;
    Ok(Hours(number * hours))
}

/// Runs all estates, prints what came of them, fails when that is below the bar.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!(
        arguments.days * 24 >= arguments.learn.0 + 2,
        "nothing is left to judge: --learn {}h of --days {}",
        arguments.learn.0,
        arguments.days
    );
    let egret = match &arguments.egret {
        _ if arguments.write_only => PathBuf::new(),
        Some(path) => path.clone(),
        None => crate::bench::build_egret()?,
    };
    let temporary = tempfile::tempdir()?;
    let folder = arguments.keep.as_deref().unwrap_or(temporary.path());
    fs::create_dir_all(folder)?;
    let mut verdicts = Vec::new();
    // In a row, so that the estates differ in tags, IP versions and the day they start on.
    let first = Rng::new(arguments.seed).below(1_000_000);
    for seed in first..first + arguments.seeds {
        verdicts.extend(estate(arguments, &egret, folder, seed)?);
    }
    if arguments.write_only {
        return Ok(());
    }
    report::print(&verdicts);
    let below = report::below_the_bar(&verdicts);
    if !below.is_empty() {
        bail!("below the bar:\n  {}", below.join("\n  "));
    }
    println!("\nThe bar is met.");
    Ok(())
}

/// Writes one estate's days and has them judged.
fn estate(
    arguments: &Arguments,
    egret: &Path,
    folder: &Path,
    seed: u64,
) -> anyhow::Result<Option<Verdict>> {
    let file = |suffix: &str| folder.join(format!("estate-{seed}.{suffix}"));
    let begun = Instant::now();
    let plan = Plan::evaluation(seed, arguments.guests, arguments.days * 24, arguments.learn.0);
    let mut scenario = plan.play();
    let capture = file("pcap");
    let created =
        File::create(&capture).with_context(|| format!("cannot create {}", capture.display()))?;
    scenario.write_capture(BufWriter::with_capacity(1 << 20, created))?;
    fs::write(file("toml"), &scenario.config)?;
    fs::write(file("truth.json"), serde_json::to_vec_pretty(&scenario.truth)?)?;
    println!(
        "estate {seed}: {} frames, {:.1} MB, {:?}, IPv6 {:.0} %, written in {:.1} s",
        scenario.recording.frames(),
        fs::metadata(&capture)?.len() as f64 / 1e6,
        plan.tagging,
        plan.ipv6_share * 100.0,
        begun.elapsed().as_secs_f64(),
    );
    if arguments.write_only {
        return Ok(None);
    }
    let took = read(egret, &capture, &file("toml"), arguments.learn, &file("alerts.json"))?;
    println!("estate {seed}: read in {:.1} s", took.as_secs_f64());
    let alerts = judge::alerts(&fs::read_to_string(file("alerts.json"))?)?;
    let days = (scenario.truth.end.0 - scenario.truth.learned.0) as f64 / (24 * HOUR) as f64;
    if arguments.keep.is_none() {
        fs::remove_file(&capture)?;
    }
    Ok(Some(judge::judge(scenario.truth, days, alerts)))
}

/// Runs the binary over a capture.
fn read(
    egret: &Path,
    capture: &Path,
    config: &Path,
    learn: Hours,
    alerts: &Path,
) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let output = Command::new(egret)
        .arg("read")
        .arg(capture)
        .arg("--config")
        .arg(config)
        .args(["--learn", &format!("{}h", learn.0), "--quiet", "--alerts"])
        .arg(alerts)
        .output()
        .with_context(|| format!("cannot run {}", egret.display()))?;
    ensure!(
        output.status.success(),
        "{} read {}: {}\n{}",
        egret.display(),
        capture.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(begun.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_egret_reads_them() {
        assert_eq!(parse_hours("6h"), Ok(Hours(6)));
        assert_eq!(parse_hours("2d"), Ok(Hours(48)));
        assert!(parse_hours("").is_err());
        assert!(parse_hours("1.5d").is_err());
        assert!(parse_hours("30m").is_err());
    }
}
