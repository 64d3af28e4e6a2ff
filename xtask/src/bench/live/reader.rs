//! The programs that read from the cable, each told from outside what it took.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use egret_tests::process::Process;
use egret_tests::sensor::{Installation, Sensor};
use rustix::process::Signal;
use tempfile::TempDir;

use super::cable::Cable;
use super::schedule::{self, Account};

const PATIENCE: Duration = Duration::from_secs(20);

/// What reads.
pub(crate) enum Program {
    /// `egret run` with these workers and `capture.backend`, whose data is in a temporary folder.
    Egret { binary: PathBuf, workers: usize, backend: &'static str, name: &'static str },
    /// `tcpdump -w /dev/null`, which writes what it captures and looks at nothing.
    Tcpdump,
}

impl Program {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Egret { name, .. } => (*name).to_owned(),
            Self::Tcpdump => "tcpdump".to_owned(),
        }
    }
}

/// What a reader says that it did.
#[derive(Clone, Copy, Default)]
pub(crate) struct Said {
    /// Frames that it counted, in whatever way.
    pub(crate) read: u64,
    /// Frames that arrived and that it had no room for. (What found no room on the cable never did.)
    pub(crate) lost: u64,
    /// Those of the first that the kernel counted for it, and did not give it.
    pub(crate) in_kernel: u64,
    /// Slots of the kernel's table that gave way to other conversations.
    pub(crate) evicted: u64,
}

impl Said {
    /// What of it came after `before`.
    pub(crate) const fn since(self, before: Self) -> Self {
        Self {
            read: self.read - before.read,
            lost: self.lost - before.lost,
            in_kernel: self.in_kernel - before.in_kernel,
            evicted: self.evicted - before.evicted,
        }
    }
}

/// One that runs.
pub(crate) enum Reader {
    Egret(Box<Sensor>),
    Tcpdump(Process, TempDir),
}

impl Reader {
    /// Starts it and keeps it on processor 1, where the kernel's half is.
    pub(crate) fn start(program: &Program, cable: &Cable) -> anyhow::Result<Self> {
        let reader = match program {
            Program::Egret { binary, workers, backend, .. } => {
                let config = format!("[capture]\nworkers = {workers}\nbackend = \"{backend}\"\n");
                let binary = binary.to_str().context("the binary's path is no text")?;
                let arguments = format!("-i {}", cable.interface());
                let installation = Installation::new(binary, &config);
                Self::Egret(Box::new(installation.start(&cable.receiver, &arguments)))
            }
            Program::Tcpdump => {
                let folder = tempfile::tempdir()?;
                let mut command = cable.receiver.command("tcpdump");
                command.args(["-n", "-i", cable.interface(), "-w", "/dev/null"]);
                let log = folder.path().join("log");
                let mut process = Process::start("tcpdump", command, log.clone());
                let has_begun = || {
                    let said = std::fs::read_to_string(&log).unwrap_or_default();
                    said.contains("listening on").then_some(())
                };
                process.until("not listening", PATIENCE, has_begun);
                Self::Tcpdump(process, folder)
            }
        };
        schedule::pin(reader.id(), 1)?;
        Ok(reader)
    }

    fn id(&self) -> u32 {
        match self {
            Self::Egret(sensor) => sensor.id(),
            Self::Tcpdump(process, _) => process.id(),
        }
    }

    /// Processor time so far, in the program and in the kernel for it.
    pub(crate) fn time(&self) -> anyhow::Result<Duration> {
        Ok(schedule::total(&self.accounts()?))
    }

    /// The like of each thread.
    pub(crate) fn accounts(&self) -> anyhow::Result<Vec<Account>> {
        schedule::accounts(self.id())
    }

    /// What it has done so far; nothing, when it says that only at its end.
    pub(crate) fn said(&self) -> anyhow::Result<Said> {
        match self {
            Self::Egret(sensor) => said(sensor),
            Self::Tcpdump(..) => Ok(Said::default()),
        }
    }

    /// Ends it.
    pub(crate) fn end(self) -> anyhow::Result<Said> {
        match self {
            Self::Egret(mut sensor) => {
                let said = said(&sensor)?;
                sensor.stop(PATIENCE);
                Ok(said)
            }
            Self::Tcpdump(mut process, _folder) => {
                process.signal(Signal::INT);
                process.wait(PATIENCE);
                let said = process.said();
                let count = |what: &str| {
                    said.lines()
                        .find_map(|line| line.split_once(what)?.0.trim().parse::<u64>().ok())
                        .with_context(|| format!("tcpdump did not say {what:?}: {said}"))
                };
                Ok(Said {
                    read: count(" packets captured")?,
                    lost: count(" packets dropped by kernel")?,
                    ..Said::default()
                })
            }
        }
    }
}

fn said(sensor: &Sensor) -> anyhow::Result<Said> {
    let metrics = sensor.metrics();
    let count = |what: &str, labels| metrics.count(&format!("egret_capture_{what}_total"), labels);
    let copies = count("duplicate_packets", &[]);
    ensure!(copies == 0, "{copies} frames were taken for copies: too few are different");
    Ok(Said {
        read: count("packets", &[]),
        lost: count("dropped_packets", &[("reason", "ring")]),
        in_kernel: count("kernel_counted_packets", &[]),
        evicted: count("kernel_evicted_flows", &[]),
    })
}
