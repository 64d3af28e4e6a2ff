use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::frames::Frames;
use crate::receiver::{Behaviour, Receiver};
use crate::services::{
    Alertmanager, Authority, Dnsmasq, FileServer, Prometheus, UploadServer, missing as lacks,
};
use crate::traffic::path;
use crate::wait;
use crate::wire::{Endpoint, Frame, Payload};

/// Whether what the test needs is here; says what is not.
fn can_run(programs: &[&str]) -> bool {
    let reason = missing().or_else(|| lacks(programs));
    if let Some(reason) = &reason {
        eprintln!("SKIPPED: {reason}");
    }
    reason.is_none()
}

/// Fails when namespaces outlive the test that made them.
#[test]
fn a_namespace_is_gone_also_after_a_panic() {
    if !can_run(&[]) {
        return;
    }
    let name = std::panic::catch_unwind(|| {
        let namespace = Namespace::new("panic");
        namespace.resolve_at([10, 0, 0, 1].into());
        std::panic::panic_any(namespace.name().to_owned());
    });
    let name = *name.unwrap_err().downcast::<String>().unwrap();
    assert!(!Path::new("/run/netns").join(&name).exists());
    assert!(!Path::new("/etc/netns").join(&name).exists());
}

/// Fails when the mirror port does not get every frame as often as its kind says.
#[test]
fn a_mirror_port_gets_what_was_sent() {
    if !can_run(&[]) {
        return;
    }
    for (mirrored, wanted) in
        [(Mirrored::GuestPort, 100), (Mirrored::BothPorts, 200), (Mirrored::GuestSends, 50)]
    {
        let lab = Lab::new(mirrored);
        let frames = |from: Host, to: Host, count: u64| {
            let mut frame = Frame::new(1);
            // To an address that the host does not have: it does not answer.
            let to = Endpoint { ip: [10, 20, 0, 99].into(), ..to.end(9000) };
            frame.udp(&path(from.end(9000), to), Payload::whole(b"something"));
            let frames = Frames::of(vec![frame.bytes().to_vec()]);
            frames.send(lab.host(from), "eth0", count, None);
        };
        // The switch learns where the hosts are; what it does not know goes to all ports.
        frames(Host::FILES, Host::GUEST, 1);
        frames(Host::GUEST, Host::FILES, 1);
        let before = lab.switch.counters(lab.mirror_port()).tx_packets;
        frames(Host::GUEST, Host::FILES, 50);
        frames(Host::FILES, Host::GUEST, 50);
        let counted = lab.switch.counters(lab.mirror_port()).tx_packets - before;
        assert_eq!(counted, wanted, "{mirrored:?}");
        let port = lab.switch.counters(lab.mirror_port());
        assert_eq!(port.tx_packets, lab.sensor.counters(lab.captured()).rx_packets);
    }
}

/// Fails when frames go that the sender does not know of.
#[test]
fn as_many_frames_arrive_as_were_sent() {
    if !can_run(&[]) {
        return;
    }
    let (left, right) = (Namespace::new("left"), Namespace::new("right"));
    veth((&left, "a"), (&right, "b"));
    let before = right.counters("b");
    let start = std::time::Instant::now();
    let sent = Frames::datagrams(10_000, 60, 100).send(&left, "a", 200_000, None);
    eprintln!("{} frames in {:?}", sent.tx_packets, start.elapsed());
    let after = right.counters("b");
    assert_eq!(sent.tx_packets, 200_000, "{sent:?}");
    assert_eq!(after.rx_packets - before.rx_packets, 200_000);
    assert_eq!(after.rx_bytes - before.rx_bytes, 60 * 200_000);
}

/// Fails when one of the real programs does not do what tests need of it.
#[test]
fn a_guest_downloads_and_uploads() {
    if !can_run(&["nginx", "dnsmasq", "curl"]) {
        return;
    }
    let lab = Lab::new(Mirrored::GuestPort);
    let authority = Authority::new("Test CA");
    let folder = tempfile::tempdir().unwrap();
    let ca = authority.write(folder.path());
    let name = "drop.example.net";
    let files = FileServer::start(lab.host(Host::FILES), Host::FILES, 10_000_000);
    let _dns = Dnsmasq::start(lab.host(Host::FILES), Host::FILES, &[(name, Host::WEB.ip())]);
    let certificate = authority.certify(&[name]);
    let _web = UploadServer::start(lab.host(Host::WEB), Host::WEB, &certificate);
    let guest = lab.host(Host::GUEST);
    guest.resolve_at(Host::FILES.ip());
    let archive = folder.path().join("archive");
    run(guest.command("curl").args(["-sSf", "-o"]).arg(&archive).arg(&files.url));
    let mut upload = guest.command("curl");
    upload.args(["-sSf", "--cacert"]).arg(&ca).arg("-T").arg(&archive);
    run(upload.arg(format!("https://{name}/archive")));
    assert!(lab.sensor.counters(lab.captured()).rx_bytes > 20_000_000);
}

/// Fails when Prometheus or Alertmanager do not start, or not answer.
#[test]
fn prometheus_and_alertmanager_answer() {
    if !can_run(&["prometheus", "prometheus-alertmanager"]) {
        return;
    }
    let namespace = Namespace::new("soc");
    let target: SocketAddr = "127.0.0.1:9093".parse().unwrap();
    let prometheus = Prometheus::start(&namespace, target);
    let alertmanager = Alertmanager::start(&namespace);
    assert!(alertmanager.alerts(&namespace).is_empty());
    wait::until("scraped", Duration::from_secs(20), || {
        (prometheus.value(&namespace, "up{job=\"egret\"}") == Some(1.0)).then_some(())
    });
    assert_eq!(prometheus.targets(&namespace)[0]["health"], "up");
}

/// Fails when the receiver does not do what it is told.
#[test]
fn a_receiver_behaves_as_told() {
    if !can_run(&["curl"]) {
        return;
    }
    let namespace = Namespace::new("soc");
    let authority = Authority::new("Test CA");
    let folder = tempfile::tempdir().unwrap();
    let ca = authority.write(folder.path());
    let receiver = Receiver::https(&namespace, "127.0.0.1:8443", &authority);
    let post = || {
        let mut curl = namespace.command("curl");
        curl.args(["-s", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", "-d", "{}"]);
        let output = curl.arg("--cacert").arg(&ca).arg("https://127.0.0.1:8443/").output().unwrap();
        let status = String::from_utf8(output.stdout).unwrap();
        format!("{} {status}", output.status.code().unwrap())
    };
    for (behaviour, told) in [
        (Behaviour::Takes, "0 200"),
        (Behaviour::Says(500), "0 500"),
        (Behaviour::Busy(3), "0 429"),
        (Behaviour::Hangs, "28 000"),
        (Behaviour::Resets, "56 000"),
        (Behaviour::Impostor, "60 000"),
        (Behaviour::Down, "7 000"),
        (Behaviour::Takes, "0 200"),
    ] {
        receiver.behave(behaviour);
        assert_eq!(post(), told, "{behaviour:?}");
    }
    let taken = receiver.taken();
    assert_eq!(taken.len(), 2);
    assert!(taken[0].signature.is_err(), "curl signs nothing");
    assert_eq!(taken[0].body, "{}");
}
