//! Mirrors that lie: both ports of a path, or one direction only.

use std::time::Duration;

use egret_tests::net::{Host, Lab, Mirrored, run};
use egret_tests::sensor::{Samples, Sensor};
use egret_tests::services::FileServer;

use super::accounting::unseen;
use super::{SOON, installation, packets, turn};

const GUEST: &str = r#"
[[asset]]
name = "app-01"
role = "guest"
address = ["10.20.0.21"]
mac = ["00:50:56:80:00:21"]
"#;

const SIZE: u64 = 20_000_000;

/// A guest downloads [`SIZE`] bytes, in several connections.
fn download(lab: &Lab) {
    for host in [Host::GUEST, Host::FILES] {
        lab.host(host).no_offloads("eth0");
    }
    let files = FileServer::start(lab.host(Host::FILES), Host::FILES, SIZE / 20);
    for _ in 0..20 {
        let mut curl = lab.host(Host::GUEST).command("curl");
        // A mirror has an end: a debug build reads this much.
        run(curl.args(["-sSf", "--limit-rate", "20M", "-o", "/dev/null", &files.url]));
    }
}

/// The metrics once the guest's conversations have ended; `before` frames came before the sensor.
fn ended(lab: &Lab, sensor: &Sensor, before: u64) -> Samples {
    let arrived = lab.sensor.counters(lab.captured()).rx_packets - before;
    sensor.until_metrics("all frames are read", SOON, |samples| packets(samples) >= arrived);
    assert_eq!(packets(&sensor.metrics()), arrived, "no more than came");
    // A conversation counts as over some seconds after its last packet.
    sensor.until_metrics("conversations have ended", Duration::from_secs(30), |samples| {
        samples.count("egret_flows_ended_total", &[]) >= 20
            && samples.count("egret_asset_bytes_total", &[("asset", "app-01")]) > SIZE
    })
}

fn bytes(samples: &Samples) -> u64 {
    samples.count("egret_asset_bytes_total", &[("asset", "app-01")])
}

/// Fails when a frame that is mirrored twice counts twice, or nobody is told.
#[test]
fn a_path_mirrored_at_both_ports_counts_once() {
    let Some(_turn) = turn(&["nginx", "curl"]) else { return };
    let lab = Lab::new(Mirrored::BothPorts);
    let mut sensor = installation(GUEST).start(&lab.sensor, "-i eth1");
    let before = unseen(&lab, &sensor);
    download(&lab);
    let samples = ended(&lab, &sensor, before);
    let duplicates = samples.count("egret_capture_duplicate_packets_total", &[]);
    let share = duplicates as f64 / packets(&samples) as f64;
    // Half of them, and the few that their sender itself repeats within moments: resets, and
    // acknowledgments of connections that are over, which Linux sends without an identification.
    assert!((0.45..0.505).contains(&share), "{share} of {}", packets(&samples));
    // Headers and acknowledgments come on top of the content, a second copy does not.
    let times = bytes(&samples) as f64 / SIZE as f64;
    assert!((1.0..1.2).contains(&times), "{times} times what was downloaded");
    let status = sensor.get("/api/status").json();
    assert!(status["mirror"]["duplicates"].as_f64().unwrap() > 0.4, "{status}");
    assert!(sensor.stop(SOON).success());
}

/// Fails when frames that are no copies are taken for such.
#[test]
fn a_path_mirrored_at_one_port_has_no_duplicates() {
    let Some(_turn) = turn(&["nginx", "curl"]) else { return };
    let lab = Lab::new(Mirrored::GuestPort);
    let mut sensor = installation(GUEST).start(&lab.sensor, "-i eth1");
    let before = unseen(&lab, &sensor);
    download(&lab);
    let samples = ended(&lab, &sensor, before);
    // What a sender repeats within moments counts as a copy (see the other test): next to nothing.
    let duplicates = samples.count("egret_capture_duplicate_packets_total", &[]);
    assert!(duplicates * 200 < packets(&samples), "{duplicates} of {}", packets(&samples));
    assert!(samples.count("egret_flows_ended_total", &[("sides", "both")]) >= 20);
    assert_eq!(samples.count("egret_flows_ended_total", &[("sides", "one")]), 0);
    let times = bytes(&samples) as f64 / SIZE as f64;
    assert!((1.0..1.2).contains(&times), "{times} times what was downloaded");
    assert!(sensor.stop(SOON).success());
}

/// Fails when a mirror that shows one direction only looks like a healthy one.
#[test]
fn a_one_sided_mirror_is_told() {
    let Some(_turn) = turn(&["nginx", "curl"]) else { return };
    let lab = Lab::new(Mirrored::GuestSends);
    let mut sensor = installation(GUEST).start(&lab.sensor, "-i eth1");
    download(&lab);
    // The end of a conversation that is seen from one side is a minute without packets.
    let samples = sensor.until_metrics("ended", Duration::from_secs(100), |samples| {
        samples.count("egret_flows_ended_total", &[("sides", "one")]) >= 20
    });
    assert_eq!(samples.count("egret_flows_ended_total", &[("sides", "both")]), 0);
    egret_tests::wait::until("the status tells", SOON, || {
        let status = sensor.get("/api/status").json();
        (status["mirror"]["one_sided"].as_f64()? > 0.9).then_some(())
    });
    assert!(sensor.stop(SOON).success());
}
