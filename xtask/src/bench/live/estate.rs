//! What the sensor takes of a processor beside a large estate on a working day: packets of its mirror port
//! and logs of its hosts, both at the pace at which they happen.

use std::time::Duration;

use anyhow::{Context, ensure};
use egret_tests::esxi::Line;
use egret_tests::pace::{self, Paced};
use egret_tests::scenario::{MINUTE, Plan, SECOND};
use egret_tests::sensor::Installation;

use super::cable::Cable;
use super::schedule;

const HOSTS: usize = 50;
const GUESTS: usize = 1000;
/// How long is looked.
const WATCHED: u64 = 60 * SECOND;
/// What it may take of a processor, in per cent.
const BAR: f64 = 5.0;
/// How long it may take for the last of it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where the logs go.
const LISTEN: &str = "127.0.0.1:5514";

pub(crate) fn report(cable: &Cable) -> anyhow::Result<()> {
    let mut scenario = Plan::everyday(1, HOSTS, GUESTS).play();
    // In the middle, where what began before goes on.
    let from = scenario.truth.start.0 + 60 * MINUTE;
    let to = from + WATCHED;
    let paced = Paced::of(&mut scenario.recording, from, to);
    scenario.journal.trim(from, to);
    let lines = scenario.journal.lines();

    let own = "[sensor]\nname = \"scenario\"\n";
    let config = scenario.config.replace(own, "");
    let config =
        format!("{config}\n[intake.syslog]\ntcp = \"{LISTEN}\"\nallow = [\"127.0.0.0/8\"]\n");
    let binary = crate::bench::egret()?;
    let installation = Installation::new(binary.to_str().context("no text")?, &config);
    let events = installation.file("eve.json", "");
    let arguments = format!("-i {} --events {}", cable.interface(), events.display());
    let mut sensor = installation.start(&cable.receiver, &arguments);
    schedule::pin(sensor.id(), 1)?;
    std::thread::sleep(Duration::from_secs(3));

    let before = schedule::accounts(sensor.id())?;
    let (address, receiver) = (LISTEN.parse()?, &cable.receiver);
    let load = std::thread::scope(|scope| -> anyhow::Result<_> {
        let logs = scope.spawn(|| pace::send_lines(receiver, address, &lines, from));
        let load = cable.send_paced(&paced);
        ensure!(logs.join().is_ok(), "logs could not be sent");
        Ok(load)
    })?;
    let after = schedule::accounts(sensor.id())?;
    // The last ones are on their way still.
    sensor.until_metrics("every log message", PATIENCE, |samples| {
        samples.count("egret_syslog_messages_total", &[]) >= lines.len() as u64
    });
    sensor.stop(PATIENCE);
    print(&paced, &lines, load.seconds);
    let mut share = 0.0;
    for thread in &after {
        let earlier = before.iter().find(|other| other.name == thread.name);
        let begun = earlier.map_or(Duration::ZERO, |other| other.time);
        let part = thread.time.saturating_sub(begun).as_secs_f64() / load.seconds * 100.0;
        println!("  {:<16} {part:>16.3}", thread.name);
        share += part;
    }
    let verdict = if share <= BAR { "within" } else { "OVER" };
    println!("  {:<16} {share:>16.3}  {verdict} {BAR} %", "all");
    Ok(())
}

fn print(paced: &Paced, lines: &[Line], seconds: f64) {
    println!(
        "\n{HOSTS} hosts and {GUESTS} guests on a working day, over {seconds:.0} s: {:.0} packets/s, {:.1} \
         Mbit/s, {:.0} log lines/s",
        paced.count() as f64 / seconds,
        paced.bytes() as f64 * 8e-6 / seconds,
        lines.len() as f64 / seconds,
    );
    println!("  {:<16} {:>16}", "thread", "% of a processor");
}
