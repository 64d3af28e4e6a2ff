//! `cargo xtask evaluate`: how much of what is planted the binary finds, how soon, and what it
//! raises beside.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use egret_tests::rng::Rng;
use egret_tests::scenario::{Logs, Packets, Plan};

use judge::{Subject, Verdict};
use usual::{Detector, Volumes};

mod bars;
mod document;
mod judge;
mod measures;
mod report;
mod statistics;
mod text;
mod usual;

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
    /// Hosts of the estates of which there are only logs
    #[arg(long, default_value_t = 50)]
    log_hosts: usize,
    /// Days of automation that have to stay quiet there; 0 leaves those estates out
    #[arg(long, default_value_t = 14)]
    log_days: u64,
    /// The binary; built with `cargo build --release` unless given
    #[arg(long, value_name = "PATH")]
    egret: Option<PathBuf>,
    /// Keeps captures, configs, truth and alerts here
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
            "cargo xtask evaluate --report --guests {} --days {} --learn {}h --seeds {} --seed {} --log-hosts {} \
             --log-days {}",
            self.guests,
            self.days,
            self.learn.0,
            self.seeds,
            self.seed,
            self.log_hosts,
            self.log_days
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
        let (hours, learn) = (arguments.days * 24, arguments.learn.0);
        let plan = Plan::evaluation(seed, arguments.guests, hours, learn);
        verdicts.extend(estate(arguments, &egret, folder, &plan)?);
    }
    if arguments.log_days > 0 {
        // Two working days, so that no hour of the judged ones is the first of its kind.
        let (learn, hosts) = (48, arguments.log_hosts);
        let quiet = Plan::quiet(first, hosts, learn + arguments.log_days * 24, learn);
        verdicts.extend(estate(arguments, &egret, folder, &quiet)?);
        let hosts_only = Plan::hosts_only(first + 1, hosts.min(4), learn + 48, learn);
        verdicts.extend(estate(arguments, &egret, folder, &hosts_only)?);
        let mirrors = Plan::mirrors(first + 2, arguments.log_days, learn);
        verdicts.extend(estate(arguments, &egret, folder, &mirrors)?);
    }
    if arguments.write_only {
        return Ok(());
    }
    report::print(&verdicts);
    if let Some(path) = &arguments.report {
        let run = document::Run { command: arguments.command(), version: version(&egret)? };
        document::write(path, &run, &verdicts)?;
    }
    let below = bars::below(&verdicts);
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
    plan: &Plan,
) -> anyhow::Result<Option<Verdict>> {
    let name = match (plan.packets, plan.logs) {
        (Packets::Everyday, _) => format!("estate-{}", plan.seed),
        (Packets::Mirrors, _) => format!("mirrors-{}", plan.seed),
        (Packets::None, Logs::Hosts) => format!("hosts-only-{}", plan.seed),
        (Packets::None, _) => format!("quiet-{}", plan.seed),
    };
    let files = Files { folder, name };
    let begun = Instant::now();
    let mut scenario = plan.play();
    if plan.packets != Packets::None {
        scenario.write_capture(create(&files.capture())?)?;
    }
    scenario.journal.write(create(&files.log())?)?;
    fs::write(files.trail(), scenario.trail.file())?;
    fs::write(files.events(), scenario.trail.lines())?;
    fs::write(files.config(), &scenario.config)?;
    fs::write(files.truth(), serde_json::to_vec_pretty(&scenario.truth)?)?;
    println!(
        "{}: {} frames, {} log entries, {} audit records, {:?}, IPv6 {:.0} %, written in {:.1} s",
        files.name,
        scenario.recording.frames(),
        scenario.journal.len(),
        scenario.trail.len(),
        plan.tagging,
        plan.ipv6_share * 100.0,
        begun.elapsed().as_secs_f64(),
    );
    if arguments.write_only {
        return Ok(None);
    }
    let took = read(egret, &files, plan)?;
    println!("{}: read in {:.1} s", files.name, took.as_secs_f64());
    let alerts = judge::alerts(&fs::read_to_string(files.alerts())?)?;
    let is_everyday = plan.packets == Packets::Everyday;
    let mut usual = Vec::new();
    if arguments.report.is_some() && is_everyday {
        let mut volumes = Volumes::new(plan);
        io::copy(&mut File::open(files.capture())?, &mut volumes)?;
        usual.extend(Detector::ALL.map(|it| usual::judge(it, &volumes, &scenario.truth)));
    }
    if arguments.keep.is_none() {
        files.remove_large(plan)?;
    }
    let subject = Subject { name: files.name, is_everyday, usual };
    Ok(Some(judge::judge(subject, scenario.truth, &alerts)))
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let created =
        File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    Ok(BufWriter::with_capacity(1 << 20, created))
}

/// The files of one estate.
struct Files<'a> {
    folder: &'a Path,
    name: String,
}

impl Files<'_> {
    fn of(&self, suffix: &str) -> PathBuf {
        self.folder.join(format!("{}.{suffix}", self.name))
    }

    fn capture(&self) -> PathBuf {
        self.of("pcap")
    }

    fn log(&self) -> PathBuf {
        self.of("log")
    }

    /// Calls in a cloud.
    fn trail(&self) -> PathBuf {
        self.of("cloudtrail.json")
    }

    /// Events of the vCenter.
    fn events(&self) -> PathBuf {
        self.of("vcenter.json")
    }

    fn config(&self) -> PathBuf {
        self.of("toml")
    }

    fn truth(&self) -> PathBuf {
        self.of("truth.json")
    }

    fn alerts(&self) -> PathBuf {
        self.of("alerts.json")
    }

    fn remove_large(&self, plan: &Plan) -> std::io::Result<()> {
        if plan.packets != Packets::None {
            fs::remove_file(self.capture())?;
        }
        fs::remove_file(self.log())
    }
}

/// Runs the binary over an estate's capture and log.
fn read(egret: &Path, files: &Files<'_>, plan: &Plan) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let mut command = Command::new(egret);
    command.arg("read");
    if plan.packets != Packets::None {
        command.arg(files.capture());
    }
    let output = command
        .arg("--syslog")
        .arg(files.log())
        .arg("--audit")
        .arg(files.trail())
        .arg("--audit")
        .arg(files.events())
        .arg("--config")
        .arg(files.config())
        .args(["--learn", &format!("{}h", plan.learning_hours), "--quiet", "--alerts"])
        .arg(files.alerts())
        .output()
        .with_context(|| format!("cannot run {}", egret.display()))?;
    ensure!(
        output.status.success(),
        "{} read {}: {}\n{}",
        egret.display(),
        files.name,
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(begun.elapsed())
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
