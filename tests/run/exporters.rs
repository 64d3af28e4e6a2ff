//! Flow records of real exporters, which count what the sensor captures beside them: both tell the same.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use egret_tests::frames::Frames;
use egret_tests::net::{self, Namespace};
use egret_tests::sensor::Samples;
use egret_tests::traffic::{end, path};
use egret_tests::wait;
use egret_tests::wire::{Frame, Payload};
use rustix::process::Signal;
use serde_json::Value;

use super::accounting::cable;
use super::{SOON, installation, packets, turn};
use programs::{open_vswitch, pmacctd, program, shut_down, softflowd};

mod programs;
mod same;

const COLLECTOR: &str = "127.0.0.1:2055";
/// Where another collector listens, which sends on what it has stored.
const STORE: &str = "127.0.0.1:2056";
const FRAMES: u32 = 4000;
const CONVERSATIONS: u32 = 40;
/// Frames of somebody else that follow: exporters capture in blocks, and wait until one is full.
const OTHERS: u32 = 2000;
/// Bytes of a frame in front of its IP packet.
const LINK: u64 = 14;

/// Packets and bytes that each conversation moved, by both its ends.
type Moved = BTreeMap<(String, u64, String, u64), (u64, u64)>;

/// How many records of a protocol were read.
fn read(samples: &Samples, protocol: &str) -> u64 {
    let labels = [("protocol", protocol), ("result", "read")];
    samples.count("egret_flow_records_total", &labels)
}

/// What lines of a kind say that was moved from the host that sends all frames.
fn moved(events: &[Value], kind: &str, packets: &str, bytes: &str) -> Moved {
    let mut moved = Moved::new();
    for event in events {
        if event["event_type"] != kind || event["src_ip"] != "10.20.0.21" {
            continue;
        }
        let text = |key: &str| event[key].as_str().unwrap().to_owned();
        let number = |value: &Value| value.as_u64().unwrap();
        let (from, to) = (number(&event["src_port"]), number(&event["dest_port"]));
        let ends = (text("src_ip"), from, text("dest_ip"), to);
        let of = moved.entry(ends).or_default();
        of.0 += number(&event[kind][packets]);
        of.1 += number(&event[kind][bytes]);
    }
    moved
}

/// What follows, so that exporters see what came before.
fn others() -> Frames {
    let way = path(end("10.20.0.99", 20_000), end("10.20.9.9", 9000));
    let write = |number: u32| {
        let payload = [&number.to_be_bytes()[..], &[0; 1200]].concat();
        Frame::new(1).udp(&way, Payload::whole(&payload)).bytes().to_vec()
    };
    Frames::of((0..OTHERS).map(write).collect())
}

/// What the sensor writes while what `start` exports comes, and the conversations are captured that it
/// counts. What `start` gives back ends the exporter, and may make it export the rest.
fn events<End: FnOnce()>(
    protocol: &str,
    start: impl FnOnce(&Namespace, &Path) -> End,
) -> Vec<Value> {
    let [switch, machine] = cable();
    let installation = installation(&format!(
        "[capture]\nbackend = \"afpacket\"\n\
         [intake.flows]\nudp = \"{COLLECTOR}\"\nallow = [\"127.0.0.0/8\"]\n"
    ));
    let events = installation.config().with_file_name("eve.json");
    let mut sensor =
        installation.start(&machine, &format!("-i eth1 --events {}", events.display()));
    let end = start(&machine, installation.config().parent().unwrap());
    let frames = Frames::datagrams(FRAMES, 200, CONVERSATIONS);
    frames.send(&switch, "m0", FRAMES.into(), Some(2000));
    others().send(&switch, "m0", OTHERS.into(), Some(2000));
    let all = u64::from(FRAMES + OTHERS);
    sensor.until_metrics("captured", SOON, |samples| packets(samples) >= all);
    end();
    sensor
        .until_metrics("exported", SOON, |samples| read(samples, protocol) >= CONVERSATIONS.into());
    let count = || read(&sensor.metrics(), protocol);
    wait::settled("records", Duration::from_secs(4), 3 * SOON, count);
    let samples = sensor.metrics();
    for family in ["egret_flow_refused_total", "egret_flow_lost_total", "egret_flow_restarts_total"]
    {
        assert_eq!(samples.count(family, &[]), 0, "{family}: {samples}");
    }
    eprintln!("{protocol}: {} records of {FRAMES} packets", read(&samples, protocol));
    assert!(sensor.stop(SOON).success(), "{}", sensor.said());
    egret_tests::egret::json_lines(&std::fs::read_to_string(events).unwrap())
}

/// Fails unless what `start` exports is what the sensor captures.
fn assert_same<End: FnOnce()>(protocol: &str, start: impl FnOnce(&Namespace, &Path) -> End) {
    let events = events(protocol, start);
    let captured = moved(&events, "flow", "pkts_toserver", "bytes_toserver");
    let exported = moved(&events, "netflow", "pkts", "bytes");
    assert_eq!(captured.len(), CONVERSATIONS as usize);
    let of_ip = |(packets, bytes): (u64, u64)| (packets, bytes - LINK * packets);
    let captured: Moved = captured.into_iter().map(|(ends, of)| (ends, of_ip(of))).collect();
    assert_eq!(exported, captured, "{protocol}");
}

#[test]
fn softflowd_tells_what_is_captured() {
    let Some(_turn) = turn(&["softflowd", "softflowctl"]) else { return };
    for (version, protocol) in [("5", "netflow5"), ("9", "netflow9"), ("10", "ipfix")] {
        assert_same(protocol, |machine, folder| {
            let exporter = softflowd(machine, folder, &["-v", version, "-n", COLLECTOR]);
            let folder = folder.to_owned();
            move || shut_down(&folder, exporter)
        });
    }
}

/// Fails when sampling is not read, in any form, or what follows from it is not what was captured.
#[test]
fn what_is_sampled_is_told_to_be() {
    const ONE_IN: u64 = 7;
    let Some(_turn) = turn(&["softflowd", "softflowctl"]) else { return };
    for (version, protocol) in [("5", "netflow5"), ("9", "netflow9"), ("10", "ipfix")] {
        let events = events(protocol, |machine, folder| {
            let exporter = softflowd(machine, folder, &["-v", version, "-s", "7", "-n", COLLECTOR]);
            let folder = folder.to_owned();
            move || shut_down(&folder, exporter)
        });
        let sampled = events
            .iter()
            .filter(|event| event["event_type"] == "netflow" && event["src_ip"] == "10.20.0.21");
        let sampling = |event: &Value| event["egret"]["sampling"].clone();
        let (mut count, mut bytes) = (0, 0);
        for event in sampled {
            assert_eq!(sampling(event)["one_in"], 7.0, "{event}");
            count += event["netflow"]["pkts"].as_u64().unwrap();
            bytes += sampling(event)["estimated_bytes"].as_u64().unwrap();
        }
        let (all, length) = (u64::from(FRAMES), 200 - LINK);
        // Each seventh; the host itself may say a few words in between.
        assert!(count.abs_diff(all / ONE_IN) <= 3, "{protocol}: {count}");
        assert_eq!(bytes, count * ONE_IN * length, "{protocol}");
    }
}

#[test]
fn what_nfdump_has_stored_and_sends_again_is_understood() {
    let Some(_turn) = turn(&["softflowd", "softflowctl", "nfcapd", "nfreplay"]) else { return };
    assert_same("netflow9", |machine, folder| {
        let (folder, door) = (folder.to_owned(), machine.door());
        let stored = folder.join("stored");
        std::fs::create_dir(&stored).unwrap();
        let (address, port) = STORE.split_once(':').unwrap();
        let to = stored.to_str().unwrap();
        let mut store = program(machine, &folder, "nfcapd", &["-w", to, "-b", address, "-p", port]);
        let exporter = softflowd(machine, &folder, &["-v", "9", "-n", STORE]);
        move || {
            shut_down(&folder, exporter);
            // It takes what has come, and ends when it is told to.
            std::thread::sleep(Duration::from_secs(1));
            store.signal(Signal::TERM);
            store.wait(SOON);
            let (address, port) = COLLECTOR.split_once(':').unwrap();
            door.enter(|| {
                for file in std::fs::read_dir(&stored).unwrap() {
                    let mut replay = Command::new("nfreplay");
                    replay.args(["-v", "9", "-H", address, "-p", port, "-r"]);
                    net::run(replay.arg(file.unwrap().path()));
                }
            });
        }
    });
}

#[test]
fn pmacct_tells_what_is_captured() {
    let Some(_turn) = turn(&["pmacctd"]) else { return };
    let sflow = "sfprobe_receiver: {COLLECTOR}\nsfprobe_agentip: 127.0.0.1\nsampling_rate: 1\n";
    for (protocol, probe) in [
        (
            "ipfix",
            "plugins: nfprobe\nnfprobe_version: 10\nnfprobe_receiver: {COLLECTOR}\n".to_owned(),
        ),
        (
            "netflow9",
            "plugins: nfprobe\nnfprobe_version: 9\nnfprobe_receiver: {COLLECTOR}\n".to_owned(),
        ),
        ("sflow", format!("plugins: sfprobe\n{sflow}")),
    ] {
        let probe = probe.replace("{COLLECTOR}", COLLECTOR);
        assert_same(protocol, |machine, folder| pmacctd(machine, folder, &probe));
    }
}

#[test]
fn open_vswitch_tells_what_is_captured() {
    let Some(_turn) = turn(&["ovs-vswitchd", "ovsdb-server", "ovs-vsctl"]) else { return };
    let ipfix = r#"-- --id=@i create IPFIX targets="{COLLECTOR}" obs_domain_id=7 sampling=1 cache_active_timeout=1 cache_max_flows=128 -- set Bridge br0 ipfix=@i"#;
    let sflow = r#"-- --id=@s create sFlow agent=lo target="{COLLECTOR}" header=128 sampling=1 polling=5 -- set Bridge br0 sflow=@s"#;
    for (protocol, export) in [("ipfix", ipfix), ("sflow", sflow)] {
        let export = export.replace("{COLLECTOR}", COLLECTOR);
        let export: Vec<_> = export.split(' ').collect();
        assert_same(protocol, |machine, folder| open_vswitch(machine, folder, &export));
    }
}

/// What softflowd exported once: twenty records of NetFlow 5.
const EXPORTED: &[u8] = include_bytes!("../../fuzz/corpus/flows/softflowd-netflow5");

fn send(machine: &Namespace, times: usize) {
    let datagram = &EXPORTED[2..];
    machine.enter(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..times {
            socket.send_to(datagram, COLLECTOR).unwrap();
        }
    });
}

fn datagrams(samples: &Samples, result: &str) -> u64 {
    samples.count("egret_flow_datagrams_total", &[("result", result)])
}

/// Fails when a sender that is not allowed is read, or a reload does not change who is.
#[test]
fn exporters_are_those_that_the_config_allows_now() {
    let Some(_turn) = turn(&[]) else { return };
    let [_switch, machine] = cable();
    let config = |port: u16, allow: &str| {
        format!("[intake.flows]\nudp = \"127.0.0.1:{port}\"\nallow = [\"{allow}\"]\n")
    };
    let installation = installation(&config(2055, "192.0.2.0/24"));
    let mut sensor = installation.start(&machine, "-i eth1");
    send(&machine, 1);
    sensor.until_metrics("refused", SOON, |samples| datagrams(samples, "refused") == 1);
    installation.configure(&config(2056, "127.0.0.0/8"));
    sensor.signal(Signal::HUP);
    let said = || sensor.said().contains("the config was read again").then_some(());
    wait::until("read again", SOON, said);
    assert!(sensor.said().contains("intake.flows differs"), "{}", sensor.said());
    send(&machine, 1);
    let samples = sensor.until_metrics("read", SOON, |samples| read(samples, "netflow5") == 20);
    assert_eq!((datagrams(&samples, "read"), datagrams(&samples, "refused")), (1, 1));
    assert!(sensor.stop(SOON).success());
}

/// Fails when a datagram is lost without being counted, by the sensor or by the kernel.
#[test]
fn a_flood_of_records_is_read_or_counted_as_dropped() {
    const FLOOD: usize = 20_000;
    let Some(_turn) = turn(&[]) else { return };
    let [_switch, machine] = cable();
    let config = format!("[intake.flows]\nudp = \"{COLLECTOR}\"\nallow = [\"127.0.0.0/8\"]\n");
    let mut sensor = installation(&config).start(&machine, "-i eth1");
    send(&machine, FLOOD);
    let all = |samples: &Samples| datagrams(samples, "read") + datagrams(samples, "dropped");
    let samples = sensor.until_metrics("all", 6 * SOON, |samples| all(samples) >= FLOOD as u64);
    assert_eq!(all(&samples), FLOOD as u64, "{samples}");
    let read = read(&samples, "netflow5");
    assert_eq!(read, 20 * datagrams(&samples, "read"));
    eprintln!(
        "{read} records read, {} of {FLOOD} datagrams dropped",
        datagrams(&samples, "dropped")
    );
    assert!(sensor.stop(SOON).success());
}
