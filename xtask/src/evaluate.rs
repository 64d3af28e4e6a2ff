//! `cargo xtask evaluate`: how much of what is planted the binary finds, how soon, and what it
//! raises beside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};

use anyhow::{anyhow, bail, ensure};
use egret_tests::rng::Rng;
use egret_tests::scenario::Plan;

use judge::Verdict;
use play::Playing;

mod bars;
mod document;
mod judge;
#[cfg(test)]
mod made;
mod measures;
mod play;
mod report;
mod statistics;
mod text;
mod usual;
mod watched;

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
    /// Makes the estates harsh: habits that shift, machines that move, content networks that rotate,
    /// rollouts, patch days, first uploads, packets lost and doubled; and plants attacks of all sizes and
    /// speeds, of all formulas, and such as evade
    #[arg(long)]
    harsh: bool,
    /// How many harsh estates with no attack there are beside: alerts about attacks take from the budget
    /// that false ones have
    #[arg(long, default_value_t = 0)]
    peaceful: u64,
    /// Days of connections to odd ports, with no attack, that have to stay quiet; 0 leaves them out
    #[arg(long, default_value_t = 0)]
    port_days: u64,
    /// Hosts of the estates of which there are only logs
    #[arg(long, default_value_t = 50)]
    log_hosts: usize,
    /// Days of automation that have to stay quiet there; 0 leaves those estates out
    #[arg(long, default_value_t = 14)]
    log_days: u64,
    /// The binary; built with `cargo build --release` unless given
    #[arg(long, value_name = "PATH")]
    egret: Option<PathBuf>,
    /// Keeps logs, configs, truth and alerts here; captures with --write-only
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Only writes captures, configs and truth; needs --keep
    #[arg(long, requires = "keep")]
    write_only: bool,
    /// Writes a report too, with what the usual detectors make of the same captures
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "docs/evaluation.md")]
    report: Option<PathBuf>,
}

impl Arguments {
    /// What gives the same report again.
    fn command(&self) -> String {
        format!(
            "cargo xtask evaluate --report{} --guests {} --days {} --learn {}h --seeds {} --seed {} --peaceful {} \
             --port-days {} \
             --log-hosts {} --log-days {}",
            if self.harsh { " --harsh" } else { "" },
            self.guests,
            self.days,
            self.learn.0,
            self.seeds,
            self.seed,
            self.peaceful,
            self.port_days,
            self.log_hosts,
            self.log_days,
        )
    }
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
        _ if arguments.write_only => None,
        Some(path) => Some(path.clone()),
        None => Some(crate::bench::build_egret()?),
    };
    let temporary = tempfile::tempdir()?;
    let folder = arguments.keep.as_deref().unwrap_or(temporary.path());
    fs::create_dir_all(folder)?;
    let play = Playing {
        egret: egret.as_deref(),
        folder,
        keeps_logs: arguments.keep.is_some(),
        asks_usual: arguments.report.is_some(),
    };
    let verdicts = all(&play, &plans(arguments))?;
    let Some(egret) = &egret else { return Ok(()) };
    report::print(&verdicts);
    if let Some(path) = &arguments.report {
        let run = document::Run { command: arguments.command(), version: version(egret)? };
        document::write(path, &run, &verdicts)?;
    }
    let below = bars::below(&verdicts);
    if !below.is_empty() {
        bail!("below the bar:\n  {}", below.join("\n  "));
    }
    println!("\nThe bar is met.");
    Ok(())
}

/// What is played. Seeds are in a row, so that the estates differ in tags, IP versions and the day they
/// start on.
fn plans(arguments: &Arguments) -> Vec<Plan> {
    let first = Rng::new(arguments.seed).below(1_000_000);
    let (guests, hours, learn) = (arguments.guests, arguments.days * 24, arguments.learn.0);
    let of_seed = |seed| match arguments.harsh {
        true => Plan::harsh(seed, guests, hours, learn),
        false => Plan::evaluation(seed, guests, hours, learn),
    };
    let mut plans: Vec<Plan> = (first..first + arguments.seeds).map(of_seed).collect();
    plans.extend((0..arguments.peaceful).map(|number| {
        let seed = first + arguments.seeds + number;
        Plan { attacks: Vec::new(), ..Plan::harsh(seed, guests, hours, learn) }
    }));
    if arguments.port_days > 0 {
        let hours = learn + arguments.port_days * 24;
        plans.push(Plan::odd_ports(first + 3, guests, hours, learn));
    }
    if arguments.log_days > 0 {
        // Two working days, so that no hour of the judged ones is the first of its kind.
        let (learn, hosts) = (48, arguments.log_hosts);
        plans.push(Plan::quiet(first, hosts, learn + arguments.log_days * 24, learn));
        plans.push(Plan::hosts_only(first + 1, hosts.min(4), learn + 48, learn));
        plans.push(Plan::mirrors(first + 2, arguments.log_days, learn));
    }
    plans
}

/// Plays as many estates at a time as there are processors, and has them judged.
fn all(play: &Playing<'_>, plans: &[Plan]) -> anyhow::Result<Vec<Verdict>> {
    let next = AtomicUsize::new(0);
    let worker = || -> anyhow::Result<Vec<(usize, Verdict)>> {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(plan) = plans.get(number) else { return Ok(done) };
            done.extend(play.estate(plan)?.map(|verdict| (number, verdict)));
        }
    };
    let workers = available_parallelism().map_or(1, usize::from).min(plans.len());
    let mut verdicts = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| anyhow!("a worker panicked"))??);
        }
        anyhow::Ok(all)
    })?;
    verdicts.sort_by_key(|(number, _)| *number);
    Ok(verdicts.into_iter().map(|(_, verdict)| verdict).collect())
}

/// What the binary says of itself.
fn version(egret: &Path) -> anyhow::Result<String> {
    let output = Command::new(egret).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
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
