//! The packets of alerts: those of the demo capture are the first of their conversations, byte for byte.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use egret_tests::egret::{Egret, Ran};
use egret_tests::pcapng::{self, Packet};
use egret_tests::skip;
use egret_tests::wire::split;
use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use serde_json::Value;
use tempfile::TempDir;

use super::{egret, kept};

/// Of a conversation at most.
const MOST_PACKETS: usize = 8;
const MOST_BYTES: usize = 3072;
/// Of a packet at most.
const SNAP: usize = 1600;

fn demo(folder: &Path) -> Egret {
    let run = egret().within(folder).read(kept("captures/demo.pcap.gz"));
    let run =
        run.arg("--config").arg(kept("captures/demo.toml")).args("--learn 6h --json --syslog");
    run.arg(kept("captures/demo.log.gz")).args("--state state")
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The alerts, and the summary behind them.
fn told(ran: Ran) -> (Vec<Value>, Value) {
    let mut alerts = ran.done().json();
    let summary = alerts.pop().unwrap();
    (alerts, summary)
}

fn show(folder: &Path, id: &str, more: &str) -> Ran {
    let show = egret().within(folder).args("alerts show").arg(id).args(more);
    show.args("--set sensor.data_dir=state").run()
}

fn file(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("state/evidence/{id}.pcapng"))
}

/// Both ends of a frame's conversation, in the order of their bytes.
fn ends(frame: &[u8]) -> Option<[(Vec<u8>, u16); 2]> {
    let packet = LaxSlicedPacket::from_ethernet(frame).ok()?;
    let (source, destination) = match packet.net? {
        LaxNetSlice::Ipv4(ip) => {
            (ip.header().source().to_vec(), ip.header().destination().to_vec())
        }
        LaxNetSlice::Ipv6(ip) => {
            (ip.header().source().to_vec(), ip.header().destination().to_vec())
        }
        LaxNetSlice::Arp(_) => return None,
    };
    let ports = match packet.transport? {
        TransportSlice::Tcp(tcp) => [tcp.source_port(), tcp.destination_port()],
        TransportSlice::Udp(udp) => [udp.source_port(), udp.destination_port()],
        _ => return None,
    };
    let mut ends = [(source, ports[0]), (destination, ports[1])];
    ends.sort();
    Some(ends)
}

/// Whether a frame only acknowledges.
fn is_bare(frame: &[u8]) -> bool {
    let packet = LaxSlicedPacket::from_ethernet(frame).unwrap();
    let length = match packet.net {
        Some(LaxNetSlice::Ipv4(ip)) => usize::from(ip.header().payload_len().unwrap()),
        _ => 1000,
    };
    match packet.transport {
        Some(TransportSlice::Tcp(tcp)) => {
            let telling = tcp.syn() || tcp.fin() || tcp.rst();
            length == tcp.header_slice().len() && !telling
        }
        _ => false,
    }
}

/// Frames of the demo capture from a time on, of one conversation, without bare acknowledgments.
fn frames(ends_of: &[(Vec<u8>, u16); 2], since: u64) -> Vec<(u64, Vec<u8>)> {
    let mut capture = Vec::new();
    let packed = fs::File::open(kept("captures/demo.pcap.gz")).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut capture).unwrap();
    let mut frames = Vec::new();
    split(&capture, |time, bytes| {
        if time >= since && ends(bytes).as_ref() == Some(ends_of) && !is_bare(bytes) {
            frames.push((time, bytes.to_vec()));
        }
        true
    });
    frames
}

/// What is kept of a conversation by the rules of the guide.
fn beginning(frames: Vec<(u64, Vec<u8>)>) -> Vec<(u64, Vec<u8>)> {
    let mut room = MOST_BYTES;
    let mut kept = Vec::new();
    for (time, mut bytes) in frames.into_iter().take(MOST_PACKETS) {
        bytes.truncate(room.min(SNAP));
        room -= bytes.len();
        kept.push((time, bytes));
        if room == 0 {
            break;
        }
    }
    kept
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn plain(packets: &[Packet]) -> Vec<(u64, Vec<u8>)> {
    packets.iter().map(|packet| (packet.time, packet.bytes.clone())).collect()
}

/// Fails when what is kept of an alert is not what began its conversation, or something else as well.
#[test]
fn the_packets_of_the_upload_are_the_first_of_its_conversation() {
    let folder = folder();
    let (alerts, summary) = told(demo(folder.path()).run());
    let notes = summary["notes"].to_string();
    assert!(notes.contains("are in state/evidence"), "{notes}");
    let mut uploads = 0;
    for alert in alerts.iter().filter(|alert| alert["analytic"] == "AN1416") {
        let id = alert["id"].as_str().unwrap();
        let ran = show(folder.path(), &id[..8], "--pcap alert.pcapng").done();
        assert_eq!(ran.stdout, format!("{} written to alert.pcapng\n", &id[..8]));
        let (comment, packets) =
            pcapng::read(&fs::read(folder.path().join("alert.pcapng")).unwrap());
        assert!(comment.starts_with(&format!("egret alert {id}, AN1416: ")), "{comment}");
        let begins: Vec<usize> =
            (0..packets.len()).filter(|at| packets[*at].comment.is_some()).collect();
        let end = begins.get(1).copied().unwrap_or(packets.len());
        let first = &packets[..end];
        let comment = first[0].comment.as_deref().unwrap();
        assert!(comment.starts_with("flow_id "), "{comment}");
        let of = ends(&first[0].bytes).unwrap();
        let expected = beginning(frames(&of, first[0].time));
        assert!(plain(first) == expected, "{} and {} packets of {alert}", end, expected.len());

        let tcp = LaxSlicedPacket::from_ethernet(&first[0].bytes).unwrap().transport;
        let Some(TransportSlice::Tcp(tcp)) = tcp else { panic!("{alert}") };
        assert!(tcp.syn() && !tcp.ack(), "it opens with the SYN: {alert}");
        if let Some(sni) = alert["destination"]["sni"].as_str() {
            assert!(first.iter().any(|packet| holds(&packet.bytes, sni)), "{sni}: {alert}");
            uploads += 1;
        }
    }
    assert!(uploads >= 1, "{alerts:#?}");
}

/// Fails when files depend on anything but the capture.
#[test]
fn read_twice_the_files_are_the_same() {
    let files = |folder: &TempDir| -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(folder.path().join("state/evidence"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    };
    let [one, other] = [folder(), folder()];
    for folder in [&one, &other] {
        let _ = demo(folder.path()).run().done();
    }
    assert!(!files(&one).is_empty());
    assert!(files(&one) == files(&other));
    // What is found again is not added again.
    let before = files(&one);
    let _ = demo(one.path()).run().done();
    for (name, bytes) in before {
        let again = files(&one).into_iter().find(|(other, _)| *other == name).unwrap().1;
        let packets = |bytes: &[u8]| plain(&pcapng::read(bytes).1);
        assert_eq!(packets(&again), packets(&bytes), "{name}");
    }
}

/// Fails when another program finds something wrong with a file.
#[test]
fn wireshark_reads_the_files() {
    let found = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !found("tshark") || !found("capinfos") {
        return skip(format_args!("tshark or capinfos is not installed"));
    }
    let folder = folder();
    let (alerts, _) = told(demo(folder.path()).run());
    let upload = alerts.iter().find(|alert| alert["destination"]["sni"].is_string()).unwrap();
    let (id, sni) =
        (upload["id"].as_str().unwrap(), upload["destination"]["sni"].as_str().unwrap());
    let path = file(folder.path(), id);
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).arg(&path).output().unwrap();
        let (out, err) = (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned());
        assert!(output.status.success() && !err.contains("corrupt"), "{program}: {err}");
        String::from_utf8(out).unwrap()
    };
    let infos = run("capinfos", &["-M"]);
    assert!(infos.contains("pcapng") && infos.contains("nanosecond"), "{infos}");
    assert!(infos.contains(&format!("egret alert {id}")), "{infos}");
    let fields =
        run("tshark", &["-T", "fields", "-e", "tls.handshake.extensions_server_name", "-r"]);
    assert!(fields.lines().any(|line| line == sni), "{fields}");
    let flags = run("tshark", &["-T", "fields", "-e", "tcp.flags", "-r"]);
    assert_eq!(flags.lines().next(), Some("0x0002"), "{flags}");
}

/// Fails when the bound does not hold over readings, or what gave way is not what is oldest.
#[test]
fn old_packets_give_way_to_new_ones() {
    let folder = folder();
    let evidence = folder.path().join("state/evidence");
    fs::create_dir_all(&evidence).unwrap();
    let old = |number: u32| format!("00000000-0000-5000-8000-{number:012x}");
    for number in 0..300 {
        fs::write(evidence.join(format!("{}.pcapng", old(number))), vec![0; 4096]).unwrap();
    }
    let (alerts, _) = told(demo(folder.path()).args("--set evidence.disk=1MiB").run());
    let size = fs::read_dir(&evidence).unwrap().map(|entry| entry.unwrap());
    let size = size.filter(|entry| entry.path().extension().is_some_and(|one| one == "pcapng"));
    let size: u64 = size.map(|entry| entry.metadata().unwrap().len().next_multiple_of(4096)).sum();
    assert!(size <= 1 << 20, "{size}");
    let kept =
        alerts.iter().filter(|alert| file(folder.path(), alert["id"].as_str().unwrap()).exists());
    assert!(kept.count() >= 2);
    let gone = show(folder.path(), &old(0), "--pcap x.pcapng");
    assert_eq!(gone.code, 1, "{}", gone.stderr);
    let list = fs::read_to_string(evidence.join("gave-way")).unwrap();
    assert!(list.lines().count() >= 44, "{list}");
}

/// Fails when a pipe gets anything but the packets.
#[test]
fn a_pipe_gets_the_packets_and_nothing_else() {
    let folder = folder();
    let (alerts, _) = told(demo(folder.path()).run());
    let ids = alerts.iter().map(|alert| alert["id"].as_str().unwrap());
    let id = ids.clone().find(|id| file(folder.path(), id).exists()).unwrap();
    let show = egret().within(folder.path()).args("alerts show").arg(id).args("--pcap -");
    let output = show.args("--set sensor.data_dir=state").command().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout == fs::read(file(folder.path(), id)).unwrap());
}

/// Fails when a reason is not told, or a name leads out of the folder.
#[test]
fn where_there_are_no_packets_the_reason_is_told() {
    let folder = folder();
    let off = demo(folder.path()).args("--set evidence.enabled=false");
    let (alerts, summary) = told(off.run());
    assert!(!folder.path().join("state/evidence").exists());
    assert!(!summary["notes"].to_string().contains("evidence"), "{summary}");
    let unknown = show(folder.path(), alerts[0]["id"].as_str().unwrap(), "--pcap x.pcapng");
    assert_eq!(unknown.code, 1);
    assert!(unknown.stderr.contains("no stored alert"), "{}", unknown.stderr);
    for hostile in ["../../etc/passwd", "..", "a/b", "\u{202e}", "-"] {
        let ran = show(folder.path(), hostile, "--pcap x.pcapng");
        assert_ne!(ran.code, 0, "{hostile}");
        assert!(!folder.path().join("x.pcapng").exists(), "{hostile}");
    }
    let both = show(folder.path(), "ab", "--json --pcap x.pcapng");
    assert_eq!(both.code, 2, "{}", both.stderr);
}

/// Fails when a folder that cannot be used costs an alert, or nobody is told.
#[test]
fn a_folder_that_cannot_be_used_costs_no_alert() {
    let [usual, folder] = [folder(), folder()];
    fs::create_dir(folder.path().join("state")).unwrap();
    fs::write(folder.path().join("state/evidence"), "a file").unwrap();
    let ran = demo(folder.path()).run();
    let said = "packets of alerts cannot be kept";
    assert_eq!(ran.stderr.matches(said).count(), 1, "{}", ran.stderr);
    let alerts = |run: Ran| told(run).0;
    assert_eq!(alerts(ran), alerts(demo(usual.path()).run()));
}
