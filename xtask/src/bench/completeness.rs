//! A fast run that misses something is no win: what Egret's events say a capture holds, beside
//! the truth that was written with it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::capture::Capture;

/// What is counted in both.
#[derive(Default)]
struct Found {
    packets: u64,
    hellos: u64,
    names: u64,
    answers: u64,
}

/// Prints found and true counts; whether all are equal.
pub(crate) fn report(capture: &Capture) -> anyhow::Result<bool> {
    let found = read(capture)?;
    let truth = &capture.truth;
    let counts = [
        ("packets", found.packets, truth.packets),
        ("hellos", found.hellos, truth.hellos),
        ("server names", found.names, truth.server_names),
        ("DNS responses", found.answers, truth.dns_responses),
    ];
    for (what, found, truth) in counts {
        let verdict = if found == truth { "all" } else { "NOT ALL" };
        println!("  {what:<16} {found:>12} of {truth:>12}  {verdict}");
    }
    Ok(counts.iter().all(|(_, found, truth)| found == truth))
}

fn read(capture: &Capture) -> anyhow::Result<Found> {
    let mut child = Command::new(super::egret()?)
        .arg("read")
        .arg(&capture.file)
        .args(["--quiet", "--events", "-"])
        .stdout(Stdio::piped())
        .spawn()?;
    let events = child.stdout.take().context("the events go nowhere")?;
    let mut found = Found::default();
    for line in BufReader::new(events).lines() {
        found.add(&line?)?;
    }
    let status = child.wait()?;
    ensure!(status.success(), "egret ended with {status}");
    Ok(found)
}

impl Found {
    fn add(&mut self, line: &str) -> anyhow::Result<()> {
        let event: Value =
            serde_json::from_str(line).with_context(|| format!("no event: {line}"))?;
        let text = |pointer| event.pointer(pointer).and_then(Value::as_str);
        match text("/event_type") {
            Some("tls") => {
                self.hellos += 1;
                self.names += u64::from(text("/tls/sni").is_some());
            }
            Some("dns") => self.answers += u64::from(text("/dns/type") == Some("response")),
            Some("stats") => {
                let packets = event.pointer("/stats/decoder/pkts").and_then(Value::as_u64);
                self.packets = packets.context("the stats event has no packets")?;
            }
            _ => (),
        }
        Ok(())
    }
}
