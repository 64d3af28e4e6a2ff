//! What the sensor costs a host in the path of its own traffic: what one TCP connection carries
//! through tc's two hooks beside what it carries without, by iperf3, taking turns. A cable in memory
//! is the hardest case: nothing else holds the sender up.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use egret_tests::net::{Namespace, veth};
use egret_tests::process::Process;
use egret_tests::sensor::{Installation, Sensor};
use egret_tests::services;
use serde_json::Value;

use super::Spread;
use super::schedule;

/// How long a turn sends.
const SECONDS: &str = "3";
/// What is to be left of the throughput at least.
const BAR: f64 = 0.95;
const PATIENCE: Duration = Duration::from_secs(20);

/// The host's interface, and the address of whom it talks to.
const INTERFACE: &str = "eth0";
const FAR: &str = "10.0.0.2";

pub(crate) fn report(rounds: usize) -> anyhow::Result<()> {
    if let Some(missing) = services::missing(&["iperf3"]) {
        bail!("the path is measured by iperf3: {missing}");
    }
    let (near, far) = (Namespace::new("near"), Namespace::new("far"));
    veth((&near, INTERFACE), (&far, INTERFACE));
    near.address(INTERFACE, "10.0.0.1/24");
    far.address(INTERFACE, &format!("{FAR}/24"));
    let folder = tempfile::tempdir()?;
    let _server = serve(&far, &folder)?;
    throughput(&near).context("the first try, which nothing is measured by")?;

    let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds.max(1) {
        // Whoever comes second must not gain or lose by it over all rounds.
        let (free, counted) = if round % 2 == 0 {
            let free = throughput(&near)?;
            (free, through_sensor(&near)?)
        } else {
            let counted = through_sensor(&near)?;
            (throughput(&near)?, counted)
        };
        without.push(free / 1e9);
        with.push(counted / 1e9);
        ratios.push(counted / free);
    }
    println!("\none TCP connection of {SECONDS} s through a host in the path, Gbit/s");
    for (name, each) in [("without", without), ("egret by tc", with)] {
        let spread = Spread::of(each.into_iter()).context("no round was run")?;
        println!("  {name:<14} {spread:>20.2}");
    }
    let ratio = Spread::of(ratios.into_iter()).context("no round was run")?;
    let verdict = if ratio.median >= BAR { "at least" } else { "BELOW" };
    println!("  {ratio:.3} of it is left: {verdict} {BAR}");
    Ok(())
}

fn serve(far: &Namespace, folder: &tempfile::TempDir) -> anyhow::Result<Process> {
    let log = folder.path().join("log");
    let mut command = far.command("iperf3");
    command.args(["--server", "--forceflush"]);
    let mut server = Process::start("iperf3", command, log.clone());
    let listens = || {
        let said = std::fs::read_to_string(log.with_extension("out")).unwrap_or_default();
        said.contains("listening").then_some(())
    };
    server.until("not listening", PATIENCE, listens);
    schedule::pin(server.id(), 1)?;
    Ok(server)
}

/// A sensor that counts at tc, on the server's processor.
fn sensor(near: &Namespace) -> anyhow::Result<Sensor> {
    let binary = crate::bench::egret()?;
    let binary = binary.to_str().context("the binary's path is no text")?;
    let installation = Installation::new(binary, "[capture]\nworkers = 1\n");
    let sensor = installation.start(near, &format!("-i {INTERFACE} --backend tc"));
    schedule::pin(sensor.id(), 1)?;
    let labels = [("backend", "tc")];
    let by_tc = sensor.metrics().count("egret_capture_backend", &labels) == 1;
    ensure!(by_tc, "the sensor does not capture by tc: {}", sensor.said());
    Ok(sensor)
}

/// The like while a sensor counts it.
fn through_sensor(near: &Namespace) -> anyhow::Result<f64> {
    let mut sensor = sensor(near)?;
    let bits = throughput(near)?;
    sensor.stop(PATIENCE);
    Ok(bits)
}

/// Bits a second that arrive, of what this host sends for a while.
fn throughput(near: &Namespace) -> anyhow::Result<f64> {
    let mut command: Command = near.command("iperf3");
    let output = command.args(["--client", FAR, "--time", SECONDS, "--json"]).output()?;
    let result: Value = serde_json::from_slice(&output.stdout)?;
    let received = result.pointer("/end/sum_received/bits_per_second").and_then(Value::as_f64);
    received.with_context(|| format!("iperf3 did not measure: {:?}", result.get("error")))
}
