//! Real programs talk, and two sensors at mirror ports see it: the fast path says the same.

use std::process::{Command, Stdio};
use std::time::Duration;

use egret_tests::net::{Host, Lab, Mirrored, run};
use egret_tests::sensor::Samples;
use egret_tests::services::{Authority, Dnsmasq, FileServer, UploadServer};
use egret_tests::wait;

use super::pair::{COUNTS, READS, Side};
use super::said::Said;
use super::{SOON, lost, packets, turn};

/// Names that the guest talks to, all of them at one server.
const NAMES: [&str; 3] = ["drop.example.net", "www.example.org", "cdn.example.com"];

/// The guest is known, and whatever it opens to the outside is new.
const GUEST: &str = r#"
[[asset]]
name = "esxi-01"
role = "esxi"
address = ["10.20.0.21"]

[baseline]
learning = "1s"
"#;

/// A guest, its resolver and a server outside, with two sensors that see all the guest's packets.
pub(crate) struct Scene {
    pub(crate) lab: Lab,
    pub(crate) sides: [Side; 2],
    authority: Authority,
    _servers: (Dnsmasq, UploadServer),
    folder: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let lab = Lab::new(Mirrored::GuestPort);
        for host in [Host::GUEST, Host::FILES, Host::WEB] {
            lab.host(host).no_offloads("eth0");
        }
        let authority = Authority::new("Test CA");
        let names: Vec<_> = NAMES.iter().map(|name| (*name, Host::WEB.ip())).collect();
        let dns = Dnsmasq::start(lab.host(Host::FILES), Host::FILES, &names);
        let certificate = authority.certify(&NAMES);
        let web = UploadServer::start(lab.host(Host::WEB), Host::WEB, &certificate);
        lab.host(Host::GUEST).resolve_at(Host::FILES.ip());
        let another = lab.another();
        let sides = [
            Side::start(&lab.sensor, lab.captured(), READS, GUEST),
            Side::start(&another, lab.captured(), COUNTS, GUEST),
        ];
        let folder = tempfile::tempdir().unwrap();
        Self { lab, sides, authority, _servers: (dns, web), folder }
    }

    /// The guest uploads so many bytes to one of the names over TLS, at most so many a second.
    pub(crate) fn upload(&self, name: &str, bytes: u64, rate: &str) {
        let file = self.folder.path().join("archive");
        std::fs::File::create(&file).unwrap().set_len(bytes).unwrap();
        let mut curl = self.lab.host(Host::GUEST).command("curl");
        curl.args(["-sSf", "--limit-rate", rate, "-T"]).arg(&file);
        curl.arg("--cacert").arg(self.authority.write(self.folder.path()));
        run(curl.arg(format!("https://{name}/archive")));
    }

    /// The guest opens a session of this version, and ends it.
    fn greet(&self, name: &str, version: &str) {
        let mut openssl: Command = self.lab.host(Host::GUEST).command("openssl");
        openssl.args(["s_client", version, "-servername", name, "-connect"]);
        openssl.arg(format!("{}:443", Host::WEB.address)).stdin(Stdio::null());
        run(&mut openssl);
    }

    /// The metrics of both once nothing more comes.
    pub(crate) fn settled(&self) -> [Samples; 2] {
        let count = |side: &Side| packets(&side.sensor.metrics());
        wait::settled("packets", Duration::from_secs(2), SOON, || self.sides.each_ref().map(count));
        let samples = self.sides.each_ref().map(|side| side.sensor.metrics());
        assert_eq!(samples.each_ref().map(lost), [0, 0], "there is nothing to compare");
        samples
    }

    /// What both said.
    pub(crate) fn end(self) -> [Said; 2] {
        self.sides.map(Side::end)
    }
}

/// Fails when what is handed up of live conversations is not all that there is to read, or a packet
/// is counted twice or not at all.
#[test]
fn live_tls_and_dns_say_the_same() {
    let Some(_turn) = turn(&["nginx", "openssl", "curl", "dnsmasq"]) else { return };
    let scene = Scene::new();
    for name in NAMES {
        scene.upload(name, 3_000_000, "20M");
        scene.greet(name, "-tls1_2");
        scene.greet(name, "-tls1_3");
    }
    scene.settled();
    let [reads, counts] = scene.end();
    let told = |kind: &str| {
        let of_kind = reads.messages.keys().filter(|event| event.contains(kind));
        of_kind.count()
    };
    assert!(told(r#""event_type":"tls""#) >= 9, "{:#?}", reads.messages);
    assert!(told(r#""event_type":"dns""#) >= 6, "{:#?}", reads.messages);
    assert_eq!(told(r#""version":"TLS 1.2""#), 3, "{:#?}", reads.messages);
    assert!(!reads.alerts.is_empty());
    let differences = reads.differences(&counts);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Fails when bulk reaches user space although nothing in it is left to be read, or its bytes are
/// counted otherwise in the kernel.
#[test]
fn bulk_stays_in_the_kernel() {
    const SIZE: u64 = 200_000_000;
    let Some(_turn) = turn(&["nginx", "openssl", "curl", "dnsmasq"]) else { return };
    let scene = Scene::new();
    scene.upload(NAMES[0], SIZE, "30M");
    let [_, samples] = scene.settled();
    let handed = samples.count("egret_capture_handed_up_packets_total", &[]);
    let counted = samples.count("egret_capture_kernel_counted_packets_total", &[]);
    assert_eq!(handed + counted, packets(&samples), "each packet is one or the other");
    let share = counted as f64 / packets(&samples) as f64;
    let bytes = |what: &str| samples.count(&format!("egret_capture_{what}bytes_total"), &[]) as f64;
    let of_bytes = bytes("kernel_counted_") / bytes("");
    eprintln!("{:.2} % of packets, {:.2} % of bytes stayed below", share * 1e2, of_bytes * 1e2);
    assert!(share >= 0.95, "{share} of packets");
    assert!(of_bytes >= 0.98, "{of_bytes} of bytes");
    let [reads, counts] = scene.end();
    assert!(reads.sent().1 > SIZE);
    let differences = reads.differences(&counts);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Fails when the headers between segments that the hosts handle as one are not counted: the mirror
/// shows them as they are on the wire, or says what they are made of.
#[test]
fn a_download_counts_as_on_the_wire() {
    const SIZE: u64 = 50_000_000;
    let Some(_turn) = turn(&["nginx", "curl"]) else { return };
    let lab = Lab::new(Mirrored::GuestPort);
    let another = lab.another();
    let files = FileServer::start(lab.host(Host::FILES), Host::FILES, SIZE);
    let sides = [
        Side::start(&lab.sensor, lab.captured(), READS, GUEST),
        Side::start(&another, lab.captured(), COUNTS, GUEST),
    ];
    let mut curl = lab.host(Host::GUEST).command("curl");
    run(curl.args(["-sSf", "--limit-rate", "20M", "-o", "/dev/null", &files.url]));
    let count = |side: &Side| packets(&side.sensor.metrics());
    wait::settled("packets", Duration::from_secs(2), SOON, || sides.each_ref().map(count));
    eprintln!("{:?}", [&lab.sensor, &another].map(|machine| machine.counters("eth1")));
    let [reads, counts] = sides.map(Side::end);
    assert!(reads.sent().1 > SIZE);
    let differences = reads.differences_but_packets(&counts);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
