//! The same traffic by packets, and by what real exporters tell of it: the same volumes, and the same alert.

use std::path::{Path, PathBuf};

use egret_tests::egret::json_lines;
use egret_tests::net::{Host, Lab, Mirrored, Namespace, run, veth};
use egret_tests::sensor::{Installation, Sensor};
use egret_tests::services::{Authority, FileServer, UploadServer};
use egret_tests::wait;
use serde_json::Value;

use super::super::end_to_end::curl;
use super::super::{SOON, dropped, installation, packets, turn};
use super::programs::{pmacctd, shut_down, softflowd};
use super::{OTHERS, others};

/// What the guest downloads inside, and then uploads.
const SIZE: u64 = 120_000_000;
/// Every host's link is as fast: an exporter that looks at each packet keeps up.
const LINK_RATE: &str = "120mbit";
/// What of the file is in a packet.
const SEGMENT: u64 = 1448;
const NAME: &str = "drop.example.net";
/// The known guest, which is no longer learned.
const CONFIG: &str = r#"
[[asset]]
name = "app-01"
role = "guest"
address = ["10.20.0.21"]

[baseline]
learning = "0s"
"#;

/// An exporter, and a sensor that has only its records.
struct Told {
    name: &'static str,
    /// It counts one packet in so many.
    one_in: u64,
    installation: Installation,
    sensor: Sensor,
    /// Has the exporter tell the rest, and end.
    end: Box<dyn FnOnce()>,
}

/// Where a sensor writes its alerts.
fn alerts(installation: &Installation) -> PathBuf {
    installation.config().with_file_name("alerts.jsonl")
}

/// A sensor behind an exporter that `start` starts, which sends to the port it is given.
fn told(
    machine: &Namespace,
    (number, name, one_in): (u16, &'static str, u64),
    start: impl FnOnce(&Path, &str) -> Box<dyn FnOnce()>,
) -> Told {
    let collector = format!("127.0.0.1:{}", 2055 + number);
    let flows =
        format!("[intake.flows]\nudp = \"{collector}\"\nallow = [\"127.0.0.0/8\"]\n{CONFIG}");
    let installation = installation(&flows).at_port(9477 + number);
    let arguments =
        format!("-i idle0 --backend afpacket --alerts {}", alerts(&installation).display());
    let sensor = installation.start(machine, &arguments);
    let end = start(installation.config().parent().unwrap(), &collector);
    Told { name, one_in, installation, sensor, end }
}

/// Exporters of every kind beside each other, on a machine that sees what the sensor's sees.
fn exporters(machine: &Namespace) -> Vec<Told> {
    let soft = |folder: &Path, collector: &str, options: &str| -> Box<dyn FnOnce()> {
        let options = format!("-v 10 -n {collector} {options}");
        let options: Vec<_> = options.split_whitespace().collect();
        let (exporter, folder) = (softflowd(machine, folder, &options), folder.to_owned());
        Box::new(move || shut_down(&folder, exporter))
    };
    let probe = |folder: &Path, collector: &str| -> Box<dyn FnOnce()> {
        // Through the ring that is between its two processes otherwise, packets count twice when the
        // second wakes for what it has read already.
        let probe = "plugins: nfprobe\nnfprobe_version: 10\nnfprobe_timeouts: maxlife=60\n\
                     plugin_pipe_zmq: true\nplugin_pipe_zmq_hwm: 0\nplugin_buffer_size: 10240\n";
        let probe = format!("{probe}nfprobe_receiver: {collector}\n");
        Box::new(pmacctd(machine, folder, &probe))
    };
    vec![
        // All is told in the end, in one message.
        told(machine, (1, "softflowd", 1), |folder, to| soft(folder, to, "-t maxlife=60")),
        // Both directions in one record, in parts while they go on.
        told(machine, (2, "softflowd, both ways", 1), |folder, to| {
            soft(folder, to, "-b -t maxlife=2 -t expint=1")
        }),
        told(machine, (3, "softflowd, sampled", 10), |folder, to| soft(folder, to, "-s 10")),
        told(machine, (4, "pmacct", 1), probe),
    ]
}

/// The guest pulls a file together inside, and uploads it outside over TLS.
fn transfers(lab: &Lab) {
    for host in [Host::GUEST, Host::FILES, Host::WEB].map(|host| lab.host(host)) {
        // Exporters count what they capture: it has to be what is on a wire.
        host.no_offloads("eth0");
        host.tc(&format!("qdisc add dev eth0 root tbf rate {LINK_RATE} burst 16k limit 4m"));
    }
    let authority = Authority::new("Test CA");
    let folder = tempfile::tempdir().unwrap();
    let (archive, ca) = (folder.path().join("archive.bin"), authority.write(folder.path()));
    let files = FileServer::start(lab.host(Host::FILES), Host::FILES, SIZE);
    let certificate = authority.certify(&[NAME]);
    let _web = UploadServer::start(lab.host(Host::WEB), Host::WEB, &certificate);
    run(curl(lab, &["--output"]).arg(&archive).arg(&files.url));
    let at = format!("{NAME}:443:{}", Host::WEB.address);
    let mut upload = curl(lab, &["--resolve", &at, "--upload-file"]);
    run(upload.arg(&archive).arg("--cacert").arg(&ca).arg(format!("https://{NAME}/archive.bin")));
}

/// What the guest moved, in and out.
fn moved(sensor: &Sensor) -> [u64; 2] {
    let samples = sensor.metrics();
    ["in", "out"].map(|direction| {
        let labels = [("asset", "app-01"), ("direction", direction)];
        samples.count("egret_asset_bytes_total", &labels)
    })
}

/// By what share what is estimated may be off, of `packets` of which one in `one_in` was counted: four
/// standard deviations, which chance alone exceeds once in 16,000 times. (With 1.96, of which sFlow's
/// users speak, one run in ten failed.)
fn off(packets: u64, one_in: u64) -> f64 {
    if one_in == 1 { 0.0 } else { 4.0 / ((packets / one_in) as f64).sqrt() }
}

fn is_near(one: u64, other: u64, off: f64) -> bool {
    one.abs_diff(other) as f64 <= off * other as f64
}

/// The alert about the guest as it is in the end: the only one.
fn alert(installation: &Installation, sensor: &mut Sensor) -> Value {
    assert!(sensor.stop(SOON).success(), "{}", sensor.said());
    let lines = json_lines(&std::fs::read_to_string(alerts(installation)).unwrap());
    let is_egress = |alert: &Value| alert["analytic"] == "AN1416";
    let told: Vec<_> = lines.into_iter().filter(is_egress).collect();
    let last = told.last().unwrap_or_else(|| panic!("no alert: {}", sensor.said())).clone();
    assert!(told.iter().all(|alert| alert["id"] == last["id"]), "{told:#?}");
    last
}

/// The piece of evidence of this kind.
fn piece<'a>(alert: &'a Value, kind: &str) -> &'a Value {
    let mut evidence = alert["evidence"].as_array().unwrap().iter();
    let piece = evidence.find(|piece| piece["kind"] == kind);
    piece.unwrap_or_else(|| panic!("no {kind}: {alert:#}"))
}

/// Fails unless an alert by records is the one by packets but for what only packets show, and says so.
fn assert_same(by_packets: &Value, by_records: &Value, one_in: u64) {
    let about = |alert: &Value| {
        let to = &alert["destination"];
        let (what, whose) = (&alert["severity"], &alert["asset"]["name"]);
        [what, whose, &alert["techniques"], &to["address"], &to["port"]].map(Value::clone)
    };
    assert_eq!(about(by_records), about(by_packets), "{by_records:#}");
    let name = |alert: &Value| alert["destination"]["sni"].clone();
    assert_eq!([name(by_packets), name(by_records)], [NAME.into(), Value::Null]);
    let kinds = |alert: &Value| {
        let pieces = alert["evidence"].as_array().unwrap().iter();
        pieces.map(|piece| piece["kind"].clone()).collect::<Vec<_>>()
    };
    // Records have no name that could be new.
    let mut expected = kinds(by_packets);
    expected.retain(|kind| kind != "first_seen");
    assert_eq!(kinds(by_records), expected, "{by_records:#}");
    let confidence = |alert: &Value| alert["confidence"].as_f64().unwrap();
    let less = confidence(by_packets) - confidence(by_records);
    assert!((0.0..=0.03).contains(&less), "{by_records:#}");
    let off = off(SIZE / SEGMENT, one_in);
    for (kind, bytes) in [("volume_spike", "observed_bytes"), ("tls_session", "bytes_out")] {
        let bytes = |alert| piece(alert, kind)[bytes].as_u64().unwrap();
        assert!(is_near(bytes(by_records), bytes(by_packets), off), "{by_records:#}");
    }
    let source = |alert| piece(alert, "tls_session")["source"].as_str();
    assert_eq!([source(by_packets), source(by_records)], [None, Some("ipfix")], "{by_records:#}");
}

/// Fails when records of an exporter come to other volumes than the packets, to no alert or to another
/// one, or when the alert does not say who tells of it.
#[test]
fn what_exporters_tell_is_to_detection_what_packets_show() {
    let programs = ["nginx", "curl", "openssl", "softflowd", "softflowctl", "pmacctd"];
    let Some(_turn) = turn(&programs) else { return };
    let lab = Lab::new(Mirrored::GuestPort);
    let machine = lab.another();
    veth((&machine, "idle0"), (&machine, "idle1"));
    let installation = installation(CONFIG);
    let arguments = format!("-i eth1 --alerts {}", alerts(&installation).display());
    let mut sensor = installation.start(&lab.sensor, &arguments);
    let all = exporters(&machine);
    transfers(&lab);
    others().send(&lab.switch, "mirror1", OTHERS.into(), Some(2000));
    let mut by_records = Vec::new();
    for Told { name, one_in, installation, sensor: told, end } in all {
        end();
        let off = off(SIZE / SEGMENT, one_in);
        let mut last = [[0; 2]; 2];
        let agree = || {
            last = [moved(&told), moved(&sensor)];
            let [told, seen] = last;
            let is_same = [0, 1].iter().all(|way| is_near(told[*way], seen[*way], off));
            (is_same && seen.iter().all(|bytes| *bytes > SIZE)).then_some(())
        };
        let agreed = wait::within(3 * SOON, agree);
        eprintln!("{name}: {:?} bytes by records, {:?} by packets", last[0], last[1]);
        assert!(agreed.is_some(), "{name}: {last:?}\n{}", told.metrics());
        assert_eq!(packets(&told.metrics()), 0, "{name}: only records tell");
        by_records.push((installation, told, one_in));
    }
    assert_eq!(dropped(&sensor.metrics()), 0);
    let by_packets = alert(&installation, &mut sensor);
    assert_eq!(by_packets["severity"], "high", "{by_packets:#}");
    for (installation, mut sensor, one_in) in by_records {
        assert_same(&by_packets, &alert(&installation, &mut sensor), one_in);
    }
}
