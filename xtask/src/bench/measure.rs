//! Runs a program to its end and says what it took.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use wait4::Wait4;

/// What a finished program took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Processor time of all threads, in the program and in the kernel for it.
    pub(crate) cpu: Duration,
    /// The most memory it held, pages of mapped files included, in bytes.
    pub(crate) peak: u64,
}

/// Where the measured programs run.
pub(crate) struct Core(Option<usize>);

impl Core {
    /// The core asked for, else the last one, which least often serves interrupts.
    /// Without `taskset` the programs run anywhere, and this says so.
    pub(crate) fn choose(asked: Option<usize>) -> Self {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        let core = asked.unwrap_or(count - 1);
        let pinned = pinned(core, "true").status().is_ok_and(|status| status.success());
        if pinned {
            println!("on core {core} of {count}");
        } else {
            println!("on any of {count} cores: taskset cannot pin to core {core}");
        }
        Self(pinned.then_some(core))
    }

    /// Runs the program without its output.
    pub(crate) fn run<S: AsRef<OsStr>>(
        &self,
        program: &OsStr,
        arguments: &[S],
    ) -> anyhow::Result<Usage> {
        let mut command =
            self.0.map_or_else(|| Command::new(program), |core| pinned(core, program));
        let name = program.display();
        let result = command
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .and_then(Wait4::wait4)
            .with_context(|| format!("cannot run {name}"))?;
        ensure!(result.status.success(), "{name} ended with {}", result.status);
        let usage = result.rusage;
        Ok(Usage { cpu: usage.utime + usage.stime, peak: usage.maxrss })
    }
}

fn pinned(core: usize, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(program);
    command
}
