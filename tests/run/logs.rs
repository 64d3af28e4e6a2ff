//! Logs that hosts and a vCenter send to `egret run`.

use std::io::Write;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, SystemTime};

use egret_tests::esxi::{Host, Journal, Login, Operation, Release, Teller, Vcenter, What};
use egret_tests::net::Namespace;
use egret_tests::receiver::{Received, Receiver};
use egret_tests::sensor::{Installation, Sensor};
use egret_tests::wait;

use super::accounting::cable;
use super::{SOON, installation, turn};

/// Where the sensor takes logs.
const LISTEN: &str = "127.0.0.1:5514";
const CONFIG: &str = r#"
[intake.syslog]
udp = "127.0.0.1:5514"
tcp = "127.0.0.1:5514"
allow = ["127.0.0.0/8"]

[detect.guest_operations]
accounts = ["CORP\\svc-automation"]
"#;

/// What a journal's times count in.
const SECOND: u64 = 1_000_000_000;
const NOISE: u64 = 300;

/// A script by somebody who has no business in a guest, seconds ago, in much noise. As lines in order
/// of time; five of them are operations that a host tells, five the same of the vCenter.
fn lines() -> Vec<String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let host = Host {
        name: "esxi-01".into(),
        address: "127.0.0.1".parse().unwrap(),
        release: Release::Seven,
        ahead: 0,
    };
    let vcenter = Vcenter {
        name: "vcenter-01".into(),
        address: "127.0.0.1".parse().unwrap(),
        offset: 1,
        datacenter: "DC0".into(),
    };
    let mut journal = Journal::new(vec![host], vcenter);
    for seed in 0..NOISE {
        let teller = if seed % 2 == 0 { Teller::Host(0) } else { Teller::Vcenter };
        journal.add(now - 2 * SECOND + seed * 4_000_000, teller, What::Noise(seed));
    }
    let login = Login {
        account: "CORP\\j.doe".into(),
        client: "10.10.9.66".parse().unwrap(),
        agent: "PowerCLI/13.2.1.22851661".into(),
        session: 1,
    };
    journal.add(now - 2 * SECOND, Teller::Vcenter, What::Login(login.into()));
    let script = [
        Operation::CreateTemporaryFile,
        Operation::StartProgram,
        Operation::ListProcesses,
        Operation::FileFromGuest,
        Operation::DeleteFile,
    ];
    for (number, operation) in (0..).zip(script) {
        let (vm, account) = ("db-03".into(), "CORP\\j.doe".into());
        let what = What::Operation { operation, vm, account, is_refused: false };
        let time = now - SECOND + number * SECOND / 10;
        journal.add(time, Teller::Host(0), what.clone());
        journal.add(time + SECOND / 20, Teller::Vcenter, what);
    }
    journal.lines().into_iter().map(|line| line.text).collect()
}

/// What the sensor has made of messages, whatever that is.
fn messages(sensor: &Sensor) -> u64 {
    sensor.metrics().count("egret_syslog_messages_total", &[])
}

fn about_operations(soc: &Receiver) -> Option<Received> {
    soc.received().into_iter().find(|request| request.json()["analytic"] == "AN0646")
}

/// A sensor that takes logs, with a receiver of its alerts, and events in a file.
fn start(machine: &Namespace) -> (Installation, Receiver, Sensor) {
    let soc = Receiver::http(machine, "127.0.0.1:8081");
    let installation = installation("");
    let secret = installation.file("secret", Receiver::SECRET);
    installation.configure(&format!(
        "{CONFIG}\n[[deliver.webhook]]\nurl = \"http://127.0.0.1:8081/soc\"\nsecret_file = \"{}\"\n\
         min_severity = \"low\"\n",
        secret.display()
    ));
    let events = installation.file("eve.json", "");
    let sensor = installation.start(machine, &format!("-i eth1 --events {}", events.display()));
    (installation, soc, sensor)
}

/// The alert is at the SOC, every line is counted, and each operation is one event.
fn is_told(sent: u64, installation: &Installation, soc: &Receiver, mut sensor: Sensor) {
    let told = wait::within(SOON, || about_operations(soc));
    let events = || std::fs::read_to_string(installation.config().with_file_name("eve.json"));
    let alert =
        told.unwrap_or_else(|| panic!("no alert:\n{}\n{}", events().unwrap(), sensor.metrics()));
    let alert = alert.json();
    assert_eq!(alert["asset"]["name"], "db-03", "{alert:#}");
    assert!(alert["summary"].as_str().unwrap().to_lowercase().contains("j.doe"), "{alert:#}");
    let counted = wait::settled("messages", Duration::from_secs(1), SOON, || messages(&sensor));
    assert_eq!(counted, sent, "{}", sensor.metrics());
    assert!(sensor.stop(SOON).success());
    let events = events().unwrap();
    let operations =
        events.lines().filter(|line| line.contains(r#""event_type":"guest_operation""#));
    assert_eq!(operations.count(), 5, "{events}");
}

/// Fails when datagrams are lost, miscounted or not understood on the way to the SOC.
#[test]
fn logs_over_udp_raise_an_alert() {
    let Some(_turn) = turn(&[]) else { return };
    let [_switch, machine] = cable();
    let (installation, soc, sensor) = start(&machine);
    let lines = lines();
    machine.enter(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for line in &lines {
            assert_eq!(socket.send_to(line.as_bytes(), LISTEN).unwrap(), line.len());
        }
    });
    is_told(lines.len() as u64, &installation, &soc, sensor);
}

/// Fails when a stream's messages are cut at other places than its sender's, in either framing.
#[test]
fn logs_over_tcp_raise_an_alert_in_both_framings() {
    let Some(_turn) = turn(&[]) else { return };
    let [_switch, machine] = cable();
    for counted in [true, false] {
        let (installation, soc, sensor) = start(&machine);
        let lines = lines();
        let stream: String = if counted {
            lines.iter().map(|line| format!("{} {line}", line.len())).collect()
        } else {
            lines.iter().map(|line| format!("{line}\n")).collect()
        };
        let messages = if counted { lines.len() } else { stream.lines().count() };
        machine.enter(|| {
            let address: SocketAddr = LISTEN.parse().unwrap();
            let mut connection = TcpStream::connect(address).unwrap();
            // In pieces that end anywhere.
            for piece in stream.as_bytes().chunks(701) {
                connection.write_all(piece).unwrap();
            }
        });
        is_told(messages as u64, &installation, &soc, sensor);
    }
}
