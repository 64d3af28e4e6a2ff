//! The packets of alerts from a live sensor: by the API, by the command beside it, and linked in what is sent.

use std::fs;
use std::path::Path;

use egret_tests::net::Namespace;
use egret_tests::pcapng;
use egret_tests::receiver::{Received, Receiver};
use egret_tests::sensor::{Installation, Sensor};
use egret_tests::wait;
use serde_json::Value;

use super::accounting::cable;
use super::hello::{ASSET, Hellos, name};
use super::{SOON, installation, turn};

/// The frames of a conversation that are kept: the first eight, of these the first 3,072 bytes. The third only
/// acknowledges.
fn beginning(place: u32) -> Vec<Vec<u8>> {
    let mut room = 3072;
    let mut frames = Hellos::new().conversation(place);
    frames.remove(2);
    let frames = frames.into_iter().take(8).map(|mut frame| {
        frame.truncate(room);
        room -= frame.len();
        frame
    });
    frames.filter(|frame| !frame.is_empty()).collect()
}

fn alerts(sensor: &Sensor, number: usize) -> Vec<Value> {
    wait::until("all are raised", SOON, || {
        let page = sensor.get("/api/alerts").json();
        let alerts = page["alerts"].as_array().unwrap().clone();
        (alerts.len() == number).then_some(alerts)
    })
}

fn id(alert: &Value) -> &str {
    alert["id"].as_str().unwrap()
}

/// What the API gives of an alert, once all that came of its conversation is there.
fn packets(machine: &Namespace, folder: &Path, id: &str, number: usize) -> Vec<pcapng::Packet> {
    let file = folder.join(format!("{id}.pcapng"));
    let url = format!("http://127.0.0.1:9477/api/alerts/{id}/pcap");
    let curl = || {
        let mut curl = machine.command("curl");
        curl.args(["--silent", "--fail", "--output"]).arg(&file).arg(&url);
        curl.status().unwrap().success()
    };
    wait::until("the packets", SOON, || {
        let packets = curl().then(|| pcapng::read(&fs::read(&file).unwrap()).1)?;
        (packets.len() >= number).then_some(packets)
    })
}

/// Fails when a way of capture loses the packets that an alert is about, or makes others of them.
#[test]
fn the_first_packets_come_by_the_api_whatever_captured_them() {
    let Some(_turn) = turn(&["curl"]) else { return };
    for backend in ["auto", "afpacket", "pcap"] {
        let [switch, machine] = cable();
        let installation = installation(ASSET);
        let folder = tempfile::tempdir().unwrap();
        let mut sensor = installation.start(&machine, &format!("-i eth1 --backend {backend}"));
        Hellos::new().to(0..3).send_once(&switch, "m0");
        for alert in alerts(&sensor, 3) {
            let sni = alert["destination"]["sni"].as_str().unwrap();
            let place = (0..3).find(|place| name(*place) == sni).unwrap();
            let sent = beginning(place);
            // What is handed up may end where enough was read.
            let least = if backend == "auto" { 4 } else { sent.len() };
            let packets = packets(&machine, folder.path(), id(&alert), least);
            let lens: Vec<_> = packets.iter().map(|packet| packet.bytes.len()).collect();
            let places =
                packets.iter().map(|packet| sent.iter().position(|one| *one == packet.bytes));
            let places: Vec<_> = places.collect();
            let all: Vec<_> = (0..packets.len()).map(Some).collect();
            assert_eq!(places, all, "{backend}: {sni}: {lens:?}");
            assert!(packets.is_sorted_by_key(|packet| packet.time));
            assert_eq!(packets[0].interface.as_deref(), Some("eth1"), "{backend}");
            let file = folder.path().join("shown.pcapng");
            let show = format!("alerts show {} --pcap {}", &id(&alert)[..8], file.display());
            let _ = installation.egret(&show).done();
            assert_eq!(pcapng::read(&fs::read(file).unwrap()).1.len(), packets.len());
        }
        let samples = sensor.metrics();
        assert_eq!(samples.count("egret_evidence_alerts", &[]), 3, "{backend}: {samples}");
        assert!(samples.count("egret_evidence_lookups_total", &[("result", "kept")]) >= 3);
        assert_eq!(sensor.get("/api/alerts/..%2Fegret.db/pcap").status, 400);
        assert!(sensor.stop(SOON).success());
    }
}

/// Fails when a link leads nowhere, or what is raised last is lost when the sensor ends.
#[test]
fn links_lead_to_packets_that_are_there() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let soc = Receiver::http(&machine, "127.0.0.1:8081");
    let installation = installation(&format!(
        "{ASSET}\n[http]\nurl = \"https://egret.example/sensor\"\n\
         [[deliver.webhook]]\nurl = \"http://127.0.0.1:8081/soc\"\n"
    ));
    let mut sensor = installation.start(&machine, "-i eth1");
    Hellos::new().to(0..5).send_once(&switch, "m0");
    let told = wait::until("all are told", SOON, || {
        let taken = soc.taken();
        (taken.len() >= 5).then_some(taken)
    });
    for alert in told.iter().map(Received::json) {
        let links = &alert["links"];
        let base = "https://egret.example/sensor";
        assert_eq!(links["console"], format!("{base}/#alert={}", id(&alert)));
        assert_eq!(links["pcap"], format!("{base}/api/alerts/{}/pcap", id(&alert)), "{alert:#}");
        assert_eq!(sensor.get(&format!("/api/alerts/{}/pcap", id(&alert))).status, 200);
    }
    assert!(sensor.get("/api/alerts").json()["alerts"][0].get("links").is_none());
    Hellos::new().to(5..6).send_once(&switch, "m0");
    alerts(&sensor, 6);
    assert!(sensor.stop(SOON).success());
    assert_eq!(whole(&installation), 6);
}

/// How many alerts' packets are there, each of them whole.
pub(super) fn whole(installation: &Installation) -> usize {
    let folder = installation.config().with_file_name("data").join("evidence");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let packets = files.map(|path| {
        assert_eq!(path.extension().unwrap(), "pcapng", "{path:?} is half a file");
        pcapng::read(&fs::read(path).unwrap()).1.len()
    });
    packets.inspect(|packets| assert!(*packets > 0)).count()
}

/// Fails when evidence that is off leaves anything behind, or stands in the way of alerts.
#[test]
fn nothing_is_kept_where_it_is_off() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let installation = installation(&format!("{ASSET}\n[evidence]\nenabled = false\n"));
    let mut sensor = installation.start(&machine, "-i eth1");
    Hellos::new().to(0..1).send_once(&switch, "m0");
    let alerts = alerts(&sensor, 1);
    let answer = sensor.get(&format!("/api/alerts/{}/pcap", id(&alerts[0])));
    assert_eq!(answer.status, 404);
    assert!(answer.json()["error"].as_str().unwrap().contains("[evidence] was off"));
    assert!(sensor.stop(SOON).success());
    assert!(!installation.config().with_file_name("data").join("evidence").exists());
}
