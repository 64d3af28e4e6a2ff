//! From a guest's upload to the SOC: every part real, in the order in which it happens.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use egret_tests::net::{Host, Lab, Mirrored, run};
use egret_tests::process::Process;
use egret_tests::receiver::{Received, Receiver};
use egret_tests::sensor::{Installation, Samples, Sensor};
use egret_tests::services::{
    Alertmanager, Authority, Dnsmasq, FileServer, Prometheus, UploadServer,
};
use egret_tests::wait;

use super::accounting::unseen;
use super::{SOON, dropped, installation, packets, turn};

/// What the guest downloads, and then uploads.
const SIZE: u64 = 300_000_000;
/// The name it uploads to, which nobody has asked for before.
const NAME: &str = "drop.example.net";
/// How long after the upload's start the SOC has the alert.
const TOLD: Duration = Duration::from_secs(5);

/// The sensor's config: the guest is known, and no longer learned.
fn configure(installation: &Installation, authority: &Authority) {
    let secret = installation.file("secret", Receiver::SECRET);
    let ca = authority.write(secret.parent().unwrap());
    installation.configure(&format!(
        r#"
[[asset]]
name = "app-01"
role = "guest"
address = ["{guest}"]

[baseline]
learning = "1s"

[[deliver.webhook]]
url = "https://127.0.0.1:8443/soc"
secret_file = "{secret}"
ca_file = "{ca}"

[[deliver.webhook]]
url = "{alertmanager}"
format = "alertmanager"
"#,
        guest = Host::GUEST.address,
        secret = secret.display(),
        ca = ca.display(),
        alertmanager = Alertmanager::URL,
    ));
}

/// The guest's curl.
pub(super) fn curl(lab: &Lab, arguments: &[&str]) -> Command {
    let mut curl = lab.host(Host::GUEST).command("curl");
    curl.args(["--silent", "--show-error", "--fail"]).args(arguments);
    curl
}

/// Downloads from the file server.
fn download(lab: &Lab, files: &FileServer, to: &Path) {
    run(curl(lab, &["--limit-rate", "100M", "--output"]).arg(to).arg(&files.url));
    assert_eq!(to.metadata().unwrap().len(), SIZE);
}

/// Starts to upload, at a rate that leaves time to be noticed before the end.
fn begin_upload(lab: &Lab, from: &Path, ca: &Path) -> Process {
    let mut command = curl(lab, &["--limit-rate", "30M", "--upload-file"]);
    command.arg(from).arg("--cacert").arg(ca).arg(format!("https://{NAME}/archive.bin"));
    Process::start("curl", command, from.with_extension("log"))
}

/// The first alert that the SOC got about the upload.
fn first_alert(soc: &Receiver) -> Received {
    let about_it = |request: &Received| request.json()["destination"]["sni"] == NAME;
    let arrived = || soc.received().into_iter().find(about_it);
    wait::until("an alert at the SOC", SOON, arrived)
}

/// Fails when anything between a guest's upload and the SOC does not work, or is too slow.
#[test]
fn an_upload_is_at_the_soc_within_five_seconds() {
    let programs = ["nginx", "curl", "dnsmasq", "prometheus", "prometheus-alertmanager", "openssl"];
    let Some(_turn) = turn(&programs) else { return };
    let lab = Lab::new(Mirrored::GuestPort);
    let authority = Authority::new("Test CA");
    let installation = installation("");
    configure(&installation, &authority);
    let folder = tempfile::tempdir().unwrap();
    let (archive, ca) = (folder.path().join("archive.bin"), authority.write(folder.path()));

    let files = FileServer::start(lab.host(Host::FILES), Host::FILES, SIZE);
    let _dns = Dnsmasq::start(lab.host(Host::FILES), Host::FILES, &[(NAME, Host::WEB.ip())]);
    let certificate = authority.certify(&[NAME]);
    let _web = UploadServer::start(lab.host(Host::WEB), Host::WEB, &certificate);
    lab.host(Host::GUEST).resolve_at(Host::FILES.ip());
    let soc = Receiver::https(&lab.sensor, "127.0.0.1:8443", &authority);
    let alertmanager = Alertmanager::start(&lab.sensor);
    let prometheus = Prometheus::start(&lab.sensor, "127.0.0.1:9477".parse().unwrap());

    let mut sensor = installation.start(&lab.sensor, "-i eth1");
    let before = unseen(&lab, &sensor);
    download(&lab, &files, &archive);
    assert!(soc.received().is_empty(), "a download inside is none of the SOC's business");
    let start = Instant::now();
    let mut upload = begin_upload(&lab, &archive, &ca);

    let alert = first_alert(&soc);
    let took = alert.at - start;
    eprintln!("at the SOC {took:?} after the upload's start");
    assert!(upload.ended().is_none(), "it is told before the upload is over");
    assert!(took < TOLD, "{took:?} after the upload's start");
    alertmanager_has(&lab, &alertmanager, &alert);
    let took = start.elapsed();
    assert!(took < TOLD, "Alertmanager {took:?} after the upload's start");
    the_alert_says_it_all(&alert);
    assert!(upload.wait(Duration::from_secs(60)).success());
    numbers_agree(&lab, &sensor, &prometheus, before);
    assert!(sensor.stop(SOON).success());
}

fn the_alert_says_it_all(request: &Received) {
    assert_eq!(request.signature, Ok(()), "{request:?}");
    let alert = request.json();
    assert_eq!(alert["schema"], "egret.alert/1");
    assert_eq!(alert["analytic"], "AN1416");
    assert_eq!(alert["asset"]["name"], "app-01");
    assert_eq!(alert["destination"]["address"], Host::WEB.address);
    assert_eq!(alert["destination"]["port"], 443);
    let evidence = alert["evidence"].as_array().unwrap();
    assert!(evidence.iter().any(|one| one["kind"] == "volume_spike"), "{alert:#}");
}

fn alertmanager_has(lab: &Lab, alertmanager: &Alertmanager, request: &Received) {
    let id = request.json()["id"].clone();
    let has = || {
        let alerts = alertmanager.alerts(&lab.sensor);
        alerts.into_iter().find(|alert| alert["labels"]["alert_id"] == id)
    };
    let alert = wait::until("Alertmanager has it", SOON, has);
    assert_eq!(alert["labels"]["analytic"], "AN1416");
    assert_eq!(alert["labels"]["asset"], "app-01");
    assert_eq!(alert["status"]["state"], "active");
}

/// What Prometheus has scraped is what the kernel counted at the sensor's interface.
fn numbers_agree(lab: &Lab, sensor: &Sensor, prometheus: &Prometheus, before: u64) {
    let arrived = || lab.sensor.counters(lab.captured()).rx_packets - before;
    let arrived = wait::settled("frames", Duration::from_secs(1), SOON, arrived);
    let sent = lab.switch.counters(lab.mirror_port()).tx_packets - before;
    assert_eq!(sent, arrived, "what the mirror port sent");
    let samples = sensor.until_metrics(&format!("{arrived} frames"), SOON, |samples| {
        packets(samples) + dropped(samples) >= arrived
    });
    assert_eq!(packets(&samples) + dropped(&samples), arrived, "{samples}");
    let scraped = |expression: &str| prometheus.value(&lab.sensor, expression);
    wait::until("Prometheus has all packets", SOON, || {
        let all = "sum(egret_capture_packets_total) \
                   + sum(egret_capture_dropped_packets_total or vector(0))";
        (scraped(all) == Some(arrived as f64)).then_some(())
    });
    let alerts = scraped("sum(egret_alerts_total{analytic=\"AN1416\"})");
    assert!(alerts.is_some_and(|alerts| alerts >= 1.0), "{alerts:?}");
    for direction in ["in", "out"] {
        let labels = [("asset", "app-01"), ("direction", direction)];
        let times = |samples: &Samples| {
            samples.count("egret_asset_bytes_total", &labels) as f64 / SIZE as f64
        };
        // The last of it is counted when the conversation has ended.
        sensor.until_metrics("volumes are counted", SOON, |samples| times(samples) > 1.02);
        // Headers and acknowledgments come on top; frames larger than the MTU count as on a wire.
        let times = times(&sensor.metrics());
        assert!(times < 1.10, "{direction}: {times} times the file");
    }
}
