//! Log messages over UDP, TCP and TLS: what is sent is counted, and by connections none is lost.

use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use egret_tests::frames::Frames;
use egret_tests::net::Namespace;
use egret_tests::sensor::{Installation, Samples, Sensor};
use egret_tests::services::Authority;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use super::accounting::{accounted, cable};
use super::{SOON, installation, turn};

const UDP: &str = "127.0.0.1:5514";
const TCP: &str = "127.0.0.1:5514";
const TLS: &str = "127.0.0.1:6514";
/// What most messages are about: nothing.
const NOISE: &str = "<166>2026-11-20T14:03:11.123Z esxi-01.example Hostd[2099494]: [Originator@6876 sub=Vimsvc.TaskManager opID=11111111-22 sid=52f0e556 user=vpxuser] Task Completed : haTask-ha-host-vim.HostSystem.acquireCimServicesTicket-1234567 Status success";
/// Of so many messages, one is of a guest operation.
const ONE_IN: usize = 1000;
/// A debug build on a machine that has much else to do.
const LONG: Duration = Duration::from_secs(120);

fn listeners(more: &str) -> String {
    format!("[intake.syslog]\nudp = \"{UDP}\"\ntcp = \"{TCP}\"\nallow = [\"127.0.0.0/8\"]\n{more}")
}

fn operation(number: usize) -> String {
    format!(
        "<166>2026-11-20T14:03:11.123Z esxi-01.example Hostd[2099494]: [Originator@6876 sub=Vimsvc.ha-eventmgr] Event {number} : Guest operation Start Program performed on Virtual machine app-01."
    )
}

/// So many messages in lines.
fn lines(messages: usize) -> Vec<u8> {
    let mut text = String::new();
    for number in 0..messages {
        text += &if number % ONE_IN == 0 { operation(number) } else { NOISE.to_owned() };
        text.push('\n');
    }
    text.into_bytes()
}

fn received(samples: &Samples, transport: &str) -> u64 {
    samples.count("egret_syslog_received_messages_total", &[("transport", transport)])
}

fn result(samples: &Samples, result: &str) -> u64 {
    samples.count("egret_syslog_messages_total", &[("result", result)])
}

/// The metrics once so many messages have come by a transport.
fn arrived(sensor: &Sensor, transport: &str, messages: usize) -> Samples {
    let what = format!("{messages} messages by {transport}");
    sensor.until_metrics(&what, LONG, |samples| received(samples, transport) >= messages as u64)
}

/// Guest operations in the event file, once the sensor has ended.
fn operations(installation: &Installation) -> usize {
    let events = installation.config().with_file_name("eve.json");
    let text = std::fs::read_to_string(events).unwrap();
    let lines = egret_tests::egret::json_lines(&text);
    lines.iter().filter(|line| line["event_type"] == "guest_operation").count()
}

fn start(installation: &Installation, machine: &Namespace) -> Sensor {
    let events = installation.config().with_file_name("eve.json");
    installation.start(machine, &format!("-i eth1 --events {}", events.display()))
}

/// Fails when a message by TCP or TLS is lost at full speed, or packets are while messages come.
#[test]
fn connections_at_full_speed_lose_nothing_and_cost_no_packet() {
    const EACH: usize = 50_000;
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let authority = Authority::new("logs");
    let server = authority.certify(&["localhost"]);
    let installation = installation("");
    let folder = installation.config().with_file_name("");
    let [cert, key] = server.write(&folder);
    let ca = authority.write(&folder);
    installation.configure(&listeners(&format!(
        "tls = {{ listen = \"{TLS}\", cert = \"{}\", key = \"{}\", client_ca = \"{}\" }}\n",
        cert.display(),
        key.display(),
        ca.display()
    )));
    let mut sensor = start(&installation, &machine);
    let frames = Frames::datagrams(10_000, 200, 100);
    let own = authority.certify(&["esxi-01"]);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            machine.enter(|| TcpStream::connect(TCP).unwrap().write_all(&lines(EACH)).unwrap());
        });
        scope.spawn(|| {
            machine.enter(|| {
                let mut roots = rustls::RootCertStore::empty();
                let trusted = CertificateDer::pem_file_iter(&ca).unwrap();
                roots.add_parsable_certificates(trusted.map(Result::unwrap));
                let chain = CertificateDer::pem_slice_iter(own.certificate.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
                let provider = Arc::new(rustls::crypto::ring::default_provider());
                let config = rustls::ClientConfig::builder_with_provider(provider)
                    .with_safe_default_protocol_versions()
                    .unwrap()
                    .with_root_certificates(roots)
                    .with_client_auth_cert(chain.map(Result::unwrap).collect(), key)
                    .unwrap();
                let name = ServerName::try_from("localhost").unwrap();
                let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
                let stream = TcpStream::connect(TLS).unwrap();
                let mut stream = rustls::StreamOwned::new(client, stream);
                stream.write_all(&lines(EACH)).unwrap();
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            });
        });
        frames.send(&switch, "m0", 20_000, Some(10_000));
    });
    arrived(&sensor, "tcp", EACH);
    let samples = arrived(&sensor, "tls", EACH);
    let understood = 2 * EACH / ONE_IN;
    assert_eq!(result(&samples, "understood"), understood as u64, "{samples}");
    assert_eq!(result(&samples, "irrelevant"), (2 * EACH - understood) as u64, "{samples}");
    for nothing in ["unreadable", "dropped", "refused"] {
        assert_eq!(result(&samples, nothing), 0, "{nothing}");
    }
    accounted(&sensor, 20_000);
    // What it keeps of its rights, it keeps with listeners, too.
    assert_eq!(u64::from_str_radix(&sensor.proc_status("CapEff"), 16).unwrap(), 1 << 13);
    assert!(sensor.stop(SOON).success(), "{}", sensor.said());
    assert!(operations(&installation) > 0);
}

/// Fails when a datagram is lost without being counted, by the sensor or by the kernel.
#[test]
fn a_flood_of_datagrams_is_read_or_counted_as_dropped() {
    const FLOOD: usize = 100_000;
    let Some(_turn) = turn(&[]) else { return };
    let [_switch, machine] = cable();
    let mut sensor = installation(&listeners("")).start(&machine, "-i eth1");
    machine.enter(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..FLOOD {
            socket.send_to(NOISE.as_bytes(), UDP).unwrap();
        }
    });
    let samples = arrived(&sensor, "udp", FLOOD);
    let sum = result(&samples, "irrelevant") + result(&samples, "dropped");
    assert_eq!((received(&samples, "udp"), sum), (FLOOD as u64, FLOOD as u64), "{samples}");
    eprintln!("{} of {FLOOD} dropped", result(&samples, "dropped"));
    assert!(sensor.stop(SOON).success());
}

/// Fails when a message of a real program is not understood in any of its forms.
#[test]
fn real_loggers_are_understood() {
    let Some(_turn) = turn(&["logger", "rsyslogd"]) else { return };
    let [_switch, machine] = cable();
    let installation = installation(&listeners(""));
    let mut sensor = start(&installation, &machine);
    let said = operation(1);
    let (_, said) = said.split_once("]: ").unwrap();
    let mut sent = 0;
    let mut log = |arguments: &str| {
        let mut logger = machine.command("logger");
        logger.args(arguments.split_whitespace()).args(["-t", "Hostd", "--", said]);
        assert!(logger.status().unwrap().success(), "{arguments}");
        sent += 1;
    };
    for form in ["--rfc3164", "--rfc5424", "--rfc5424=notime,nohost"] {
        for way in ["-d", "-T", "-T --octet-count"] {
            log(&format!("-n 127.0.0.1 -P 5514 {way} {form}"));
        }
    }
    // And through a relay, which sends lengths and its own structured data.
    let config = installation.file(
        "rsyslog.conf",
        r#"
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="10514")
action(type="omfwd" target="127.0.0.1" port="5514" protocol="tcp" TCP_Framing="octet-counted"
       template="RSYSLOG_SyslogProtocol23Format")
"#,
    );
    let pid = config.with_file_name("rsyslog.pid");
    let mut relay = machine.command("rsyslogd");
    relay.arg("-n").arg("-f").arg(&config).arg("-i").arg(&pid);
    let mut relay = relay.spawn().unwrap();
    egret_tests::wait::until("the relay listens", SOON, || {
        machine.enter(|| TcpStream::connect("127.0.0.1:10514").is_ok()).then_some(())
    });
    for form in ["--rfc3164", "--rfc5424"] {
        log(&format!("-n 127.0.0.1 -P 10514 -T --octet-count {form}"));
    }
    let what = format!("{sent} messages understood");
    let samples =
        sensor.until_metrics(&what, SOON, |samples| result(samples, "understood") >= sent);
    assert_eq!(result(&samples, "understood"), sent, "{samples}");
    assert_eq!(result(&samples, "unreadable"), 0, "{samples}");
    relay.kill().unwrap();
    relay.wait().unwrap();
    assert!(sensor.stop(SOON).success());
}

/// Fails when a sender that is not allowed is read, or a reload does not change who is.
#[test]
fn senders_are_those_that_the_config_allows_now() {
    let Some(_turn) = turn(&[]) else { return };
    let [_switch, machine] = cable();
    let installation = installation(&listeners("").replace("127.0.0.0/8", "192.0.2.0/24"));
    let mut sensor = installation.start(&machine, "-i eth1");
    let send = || {
        machine.enter(|| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.send_to(NOISE.as_bytes(), UDP).unwrap();
        });
    };
    send();
    sensor.until_metrics("refused", SOON, |samples| result(samples, "refused") == 1);
    installation.configure(&listeners("").replace(TCP, "127.0.0.1:5515"));
    sensor.signal(rustix::process::Signal::HUP);
    let said = || sensor.said().contains("the config was read again").then_some(());
    egret_tests::wait::until("read again", SOON, said);
    assert!(sensor.said().contains("intake.syslog differs"), "{}", sensor.said());
    send();
    let samples = sensor.until_metrics("read", SOON, |samples| result(samples, "irrelevant") == 1);
    assert_eq!(result(&samples, "refused"), 1);
    assert!(sensor.stop(SOON).success());
}
