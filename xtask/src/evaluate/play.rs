//! Plays an estate's days through the binary: frames go through a pipe as they are made.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use egret_tests::scenario::{Logs, Packets, Plan, Play, Truth};

use super::judge::{self, Days, Subject, Verdict};
use super::usual::{self, Volumes};

/// How estates are played.
pub(super) struct Playing<'a> {
    /// The binary; without, only files are written.
    pub(super) egret: Option<&'a Path>,
    /// Where files go.
    pub(super) folder: &'a Path,
    /// Whether logs stay there.
    pub(super) keeps_logs: bool,
    /// Whether the usual detectors get everyday traffic, too.
    pub(super) asks_usual: bool,
}

impl Playing<'_> {
    /// Plays one estate's days and has them judged.
    pub(super) fn estate(&self, plan: &Plan) -> anyhow::Result<Option<Verdict>> {
        let files = Files { folder: self.folder, name: name(plan) };
        let begun = Instant::now();
        let mut play = plan.begin();
        let entries = play.journal().len();
        play.journal().write(create(&files.log())?)?;
        fs::write(files.trail(), play.trail().file())?;
        fs::write(files.events(), play.trail().lines())?;
        fs::write(files.config(), play.config())?;
        let records = play.trail().len();
        let days = match plan.packets {
            Packets::Everyday => Days::Everyday,
            Packets::Openings => Days::OddPorts,
            Packets::None | Packets::Mirrors => Days::Quiet,
        };
        let asks_usual = self.asks_usual && days == Days::Everyday;
        let mut volumes = asks_usual.then(|| Volumes::new(plan));
        let (frames, truth) = match (self.egret, plan.packets) {
            (None, Packets::None) => play.write_capture(io::sink())?,
            (None, _) => play.write_capture(create(&files.capture())?)?,
            (Some(egret), _) => self.read(egret, &files, plan, (play, volumes.as_mut()))?,
        };
        fs::write(files.truth(), serde_json::to_vec_pretty(&truth)?)?;
        println!(
            "{}: {frames} frames, {entries} log entries, {records} audit records, {:?}, IPv6 {:.0} %, in {:.1} s",
            files.name,
            plan.tagging,
            plan.ipv6_share * 100.0,
            begun.elapsed().as_secs_f64(),
        );
        if self.egret.is_none() {
            return Ok(None);
        }
        let alerts = judge::alerts(&fs::read_to_string(files.alerts())?)?;
        if !self.keeps_logs {
            fs::remove_file(files.log())?;
        }
        let usual = volumes.map_or_else(Vec::new, |volumes| usual::judge(&volumes, &truth));
        let held = judge::held(&fs::read_to_string(files.printed())?)?;
        Ok(Some(judge::judge(Subject { name: files.name, days, usual, held }, truth, &alerts)))
    }

    /// Runs the binary over the days while they are made.
    fn read(
        &self,
        egret: &Path,
        files: &Files<'_>,
        plan: &Plan,
        (play, volumes): (Play<'_>, Option<&mut Volumes>),
    ) -> anyhow::Result<(usize, Truth)> {
        let mut child = start(egret, files, plan)?;
        let written = match child.stdin.take() {
            Some(pipe) => {
                let readers = Readers { pipe, volumes };
                play.write_capture(BufWriter::with_capacity(1 << 20, readers))
            }
            None => play.write_capture(io::sink()),
        };
        let output = child.wait_with_output()?;
        ensure!(
            output.status.success(),
            "{} read {}: {}\n{}",
            egret.display(),
            files.name,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        written.context("cannot hand over the capture")
    }
}

fn start(egret: &Path, files: &Files<'_>, plan: &Plan) -> anyhow::Result<Child> {
    let mut command = Command::new(egret);
    command.arg("read");
    if plan.packets != Packets::None {
        command.arg("-");
    }
    command
        .arg("--syslog")
        .arg(files.log())
        .arg("--audit")
        .arg(files.trail())
        .arg("--audit")
        .arg(files.events())
        .arg("--config")
        .arg(files.config())
        .args(["--learn", &format!("{}h", plan.learning_hours), "--json", "--alerts"])
        .arg(files.alerts())
        .stdin(if plan.packets == Packets::None { Stdio::null() } else { Stdio::piped() })
        .stdout(create_file(&files.printed())?)
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", egret.display()))
}

fn name(plan: &Plan) -> String {
    let kind = match (plan.packets, plan.logs) {
        (Packets::Everyday, _) => "estate",
        (Packets::Openings, _) => "odd-ports",
        (Packets::Mirrors, _) => "mirrors",
        (Packets::None, Logs::Hosts) => "hosts-only",
        (Packets::None, _) => "quiet",
    };
    format!("{kind}-{}", plan.seed)
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(1 << 20, create_file(path)?))
}

fn create_file(path: &Path) -> anyhow::Result<File> {
    File::create(path).with_context(|| format!("cannot create {}", path.display()))
}

/// The binary's standard input, and the usual detectors where they are asked.
struct Readers<'a> {
    pipe: ChildStdin,
    volumes: Option<&'a mut Volumes>,
}

impl Write for Readers<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pipe.write_all(bytes)?;
        if let Some(volumes) = &mut self.volumes {
            volumes.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pipe.flush()
    }
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

    /// What the binary prints: alerts, and a summary.
    fn printed(&self) -> PathBuf {
        self.of("printed.json")
    }
}
