//! What the appliance does at its first start.

use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use etherparse::PacketBuilder;

use super::machine::{ADDRESS, HOST_NAME, Machine};

const READY: &str = "curl --silent --max-time 5 http://127.0.0.1:9477/readyz";
const METRICS: &str = "curl --silent --fail --max-time 5 http://127.0.0.1:9477/metrics";
/// Frames that are sent.
const FRAMES: u8 = 50;

pub(super) fn run(disk: &Path) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut machine = Machine::start(disk)?;
    machine.until("true", |_| true)?;
    println!("  SSH with the key of the properties, at {ADDRESS}: {:.0?}", start.elapsed());
    machine.until(READY, |said| said.contains(r#""ready":true"#))?;
    println!("  /readyz says so: {:.0?}", start.elapsed());
    machine.until("cloud-init status --wait > /dev/null; systemctl is-system-running", |said| {
        said.trim() == "running"
    })?;
    let name = machine.run("hostname; uname -r; systemd-analyze | head -n 1")?;
    ensure!(name.starts_with(&format!("{HOST_NAME}\n")), "{name}");
    println!("  {}", name.trim().replace('\n', ", "));
    settings(&machine)?;
    captures(&mut machine)
}

/// The capture card as the package's checker wants it.
fn settings(machine: &Machine) -> anyhow::Result<()> {
    let flags = machine.run("ip -oneline link show eth1")?;
    for flag in ["NOARP", "PROMISC", "UP", "LOWER_UP"] {
        ensure!(flags.contains(flag), "no {flag}: {flags}");
    }
    ensure!(!flags.contains("MULTICAST,"), "{flags}");
    let addresses = machine.run("ip -oneline address show dev eth1")?;
    ensure!(addresses.trim().is_empty(), "{addresses}");
    let offloads = machine.run("sudo ethtool -k eth1")?;
    for off in ["generic-receive-offload: off", "large-receive-offload: off"] {
        ensure!(offloads.contains(off), "{offloads}");
    }
    let rings = machine.run("sudo ethtool -g eth1 | awk '$1 == \"RX:\" { print $2 }'")?;
    let rings: Vec<&str> = rings.lines().collect();
    ensure!(rings.len() == 2 && rings.first() == rings.last(), "{rings:?}");
    println!(
        "  eth1: no address, no ARP, promiscuous, offloads off, {} frames of ring",
        rings.first().unwrap_or(&"")
    );
    let findings =
        machine.run("sudo egret check --seconds 0 | grep -A1 -E '^(problem|note)' || true")?;
    print!("  egret check:\n{findings}");
    Ok(())
}

fn captures(machine: &mut Machine) -> anyhow::Result<()> {
    let before = packets(&machine.run(METRICS)?);
    for number in 0..FRAMES {
        machine.send(&frame(number)?)?;
    }
    let expected = before + f64::from(FRAMES);
    let metrics = machine.until(METRICS, |said| packets(said) >= expected)?;
    let counted = packets(&metrics) - before;
    ensure!(counted <= f64::from(FRAMES), "{counted} packets of {FRAMES}");
    let way = r#"egret_capture_backend{backend="xdp",interface="eth1"} 1"#;
    ensure!(metrics.contains(way), "this kernel and this card can do XDP\n{metrics}");
    println!("  {counted} of {FRAMES} frames were counted, by XDP");
    Ok(())
}

/// A conversation each, so that none is taken for another's copy.
fn frame(number: u8) -> anyhow::Result<Vec<u8>> {
    let packet = PacketBuilder::ethernet2([0, 0x50, 0x56, 0x80, 0, 1], [0, 0x50, 0x56, 0x80, 0, 2])
        .ipv4([10, 20, 0, 1], [10, 20, 1, number], 64)
        .udp(40_000, 9);
    let mut frame = Vec::new();
    packet.write(&mut frame, &[number; 64])?;
    Ok(frame)
}

fn packets(metrics: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with("egret_capture_packets_total"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
