//! Where threads run, and for how long they have.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

/// A thread's account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    /// Processor time.
    pub(crate) time: Duration,
    /// How often it was given a processor.
    pub(crate) turns: u64,
}

/// Keeps a process, all threads of it, on a processor.
pub(crate) fn pin(process: u32, processor: usize) -> anyhow::Result<()> {
    let output = Command::new("taskset")
        .args(["--all-tasks", "--pid", "--cpu-list", &processor.to_string()])
        .arg(process.to_string())
        .output()
        .context("cannot run taskset")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cannot pin {process} to processor {processor}: {said}");
    Ok(())
}

/// The accounts of a process's threads, in the order of their ids.
pub(crate) fn accounts(process: u32) -> anyhow::Result<Vec<Account>> {
    let folder = format!("/proc/{process}/task");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))?;
    let mut threads: Vec<u32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()))
        .collect();
    threads.sort_unstable();
    threads.iter().map(|thread| account(&format!("{folder}/{thread}"))).collect()
}

fn account(folder: &str) -> anyhow::Result<Account> {
    let name = fs::read_to_string(format!("{folder}/comm"))?.trim().to_owned();
    // Nanoseconds run, nanoseconds waited, times run (`Documentation/scheduler/sched-stats.rst`).
    let text = fs::read_to_string(format!("{folder}/schedstat"))
        .context("this kernel keeps no schedule statistics")?;
    let mut numbers = text.split_whitespace().map(str::parse::<u64>);
    let (Some(Ok(time)), _, Some(Ok(turns))) = (numbers.next(), numbers.next(), numbers.next())
    else {
        anyhow::bail!("{folder}/schedstat should hold three numbers, not {text:?}")
    };
    Ok(Account { name, time: Duration::from_nanos(time), turns })
}

/// The sum of processor times.
pub(crate) fn total(accounts: &[Account]) -> Duration {
    accounts.iter().map(|account| account.time).sum()
}
