//! Guest operations beside packets: one timeline, and one alert that tells of both.

use std::fs;

use egret_tests::egret::json_lines;
use egret_tests::esxi::{Host, Journal, Login, Operation, Release, Teller, Vcenter, What};
use egret_tests::scenario::SECOND;
use egret_tests::traffic::{START, Traffic, end, path};
use serde_json::Value;

use super::schema::assert_alert;
use super::{egret, pieces};

const CONFIG: &str = r#"
[[asset]]
name = "app-01"
role = "guest"
address = ["10.20.0.21"]

[[asset]]
name = "esxi-01"
role = "esxi"
address = ["10.10.0.11"]

[detect.guest_operations]
accounts = ["CORP\\svc-automation"]
"#;

const INTRUDER: &str = "CORP\\j.doe";

/// Somebody runs a script in the guest at the start.
fn script() -> Journal {
    let host = Host {
        name: "esxi-01.corp.example".into(),
        address: "10.10.0.11".parse().unwrap(),
        release: Release::Eight,
        ahead: 0,
    };
    let vcenter = Vcenter {
        name: "vcenter-01.corp.example".into(),
        address: "10.10.0.10".parse().unwrap(),
        offset: 0,
        datacenter: "DC0".into(),
    };
    let mut journal = Journal::new(vec![host], vcenter);
    let login = Login {
        account: INTRUDER.into(),
        client: "10.10.9.66".parse().unwrap(),
        agent: "PowerCLI/13.2.1.22851661".into(),
        session: 7,
    };
    journal.add(START, Teller::Vcenter, What::Login(login.into()));
    let script = [
        Operation::FileToGuest,
        Operation::CreateTemporaryFile,
        Operation::StartProgram,
        Operation::ListProcesses,
        Operation::DeleteFile,
    ];
    for (number, operation) in (1..).zip(script) {
        let (vm, account) = ("app-01".into(), INTRUDER.into());
        let what = What::Operation { operation, vm, account, is_refused: false };
        let time = START + number * 3 * SECOND;
        journal.add(time, Teller::Host(0), what.clone());
        journal.add(time + SECOND / 5, Teller::Vcenter, what);
    }
    journal
}

/// Alerts and events of reading the guest's upload, beside that log or without it.
fn read(with_log: bool) -> [Vec<Value>; 2] {
    let mut traffic = Traffic::default();
    traffic.lookup(
        START,
        &path(end("10.20.0.21", 40_000), end("10.0.0.53", 53)),
        "drop.example.net",
        &[],
    );
    let to = path(end("10.20.0.21", 50_000), end("203.0.113.99", 443));
    traffic.tls(START + 240 * SECOND, to, "drop.example.net", [20_000_000, 20_000], 8 * SECOND);
    let directory = tempfile::tempdir().unwrap();
    let file = |name| directory.path().join(name);
    fs::write(file("a.pcap"), traffic.pcap()).unwrap();
    fs::write(file("egret.toml"), CONFIG).unwrap();
    script().write(fs::File::create(file("esxi.log")).unwrap()).unwrap();
    let mut run = egret().within(&directory).read("a.pcap").args("--config egret.toml --learn 1s");
    if with_log {
        run = run.args("--syslog esxi.log");
    }
    let _ = run.args("--alerts alerts.json --events eve.json").run().done();
    ["alerts.json", "eve.json"].map(|name| json_lines(&fs::read_to_string(file(name)).unwrap()))
}

/// The last states of the alerts of one analytic.
fn of(alerts: &[Value], analytic: &str) -> Vec<Value> {
    let mut last: Vec<Value> = Vec::new();
    for alert in alerts.iter().filter(|alert| alert["analytic"] == analytic) {
        last.retain(|known| known["id"] != alert["id"]);
        last.push(alert.clone());
    }
    last
}

/// Fails when logs and packets do not meet on one timeline, or an egress does not say what was done in the
/// guest before, and by whom.
#[test]
fn an_egress_tells_of_the_operations_before_it() {
    let [alerts, events] = read(true);
    alerts.iter().for_each(assert_alert);
    let egress = of(&alerts, "AN1416");
    let [alert] = &egress[..] else { panic!("{alerts:#?}") };
    assert_eq!(alert["asset"]["name"], "app-01");
    let told = pieces(alert, "finding", "before_egress");
    let [piece] = told[..] else { panic!("{alert:#}") };
    assert!(piece["account"].as_str().unwrap().eq_ignore_ascii_case(INTRUDER), "{piece}");
    assert!(alert["destination"]["sni"] == "drop.example.net");

    let kinds: Vec<&str> =
        events.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    let first =
        |kind| kinds.iter().position(|one| *one == kind).unwrap_or_else(|| panic!("{kind}"));
    assert!(first("guest_operation") < first("tls"), "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "guest_operation").count(), 5);
    let [without, _] = read(false);
    let worth = |alerts: &[Value]| {
        of(alerts, "AN1416").iter().filter_map(|one| one["confidence"].as_f64()).sum::<f64>()
    };
    assert!(worth(&alerts) > worth(&without), "the operations weigh nothing");
}

/// Fails when an account that nobody expects does not stand out, or stands out twice.
#[test]
fn an_unexpected_account_is_one_alert() {
    let [alerts, _] = read(true);
    let of_operations = of(&alerts, "AN0646");
    let [alert] = &of_operations[..] else { panic!("{alerts:#?}") };
    assert_eq!(alert["techniques"], serde_json::json!(["T1675"]));
    assert_eq!(alert["asset"]["name"], "app-01");
    let told = pieces(alert, "finding", "unexpected_account");
    let [piece] = told[..] else { panic!("{alert:#}") };
    assert!(piece["account"].as_str().unwrap().eq_ignore_ascii_case(INTRUDER), "{piece}");
    assert_eq!(pieces(alert, "finding", "operations")[0]["client"], "10.10.9.66", "{alert:#}");
}
