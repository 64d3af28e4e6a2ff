//! The site's budget of alerts in `egret run`.

use std::net::UdpSocket;
use std::time::SystemTime;

use egret_tests::esxi::{Host, Journal, Login, Operation, Release, Teller, Vcenter, What};
use egret_tests::receiver::Receiver;
use egret_tests::wait;

use super::accounting::cable;
use super::hello::{ASSET, Hellos};
use super::{SOON, installation, turn};

const LISTEN: &str = "127.0.0.1:5514";
const CONFIG: &str = r#"
[baseline]
learning = "0s"

[intake.syslog]
udp = "127.0.0.1:5514"
allow = ["127.0.0.0/8"]

[detect.site_budget]
alerts = 0.001
"#;
const SECOND: u64 = 1_000_000_000;

/// Somebody who was never seen before looks into a guest, seconds ago.
fn lines() -> Vec<String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let address = "127.0.0.1".parse().unwrap();
    let (name, release) = ("esxi-01".into(), Release::Seven);
    let host = Host { name, address, release, ahead: 0 };
    let vcenter =
        Vcenter { name: "vcenter-01".into(), address, offset: 1, datacenter: "DC0".into() };
    let mut journal = Journal::new(vec![host], vcenter);
    let login = Login {
        account: "CORP\\j.doe".into(),
        client: "10.10.9.66".parse().unwrap(),
        agent: "PowerCLI/13.2.1.22851661".into(),
        session: 1,
    };
    journal.add(now - 2 * SECOND, Teller::Vcenter, What::Login(login.into()));
    let (vm, account) = ("db-03".into(), "CORP\\j.doe".into());
    let operation = Operation::ListProcesses;
    let what = What::Operation { operation, vm, account, is_refused: false };
    journal.add(now - SECOND, Teller::Host(0), what.clone());
    journal.add(now - SECOND + SECOND / 20, Teller::Vcenter, what);
    journal.lines().into_iter().map(|line| line.text).collect()
}

/// Fails when what is held back is sent, counts as told or is listed nowhere; or when a spent budget
/// keeps a management component's egress from being told.
#[test]
fn a_spent_budget_holds_back_what_is_weak_and_says_so() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let soc = Receiver::http(&machine, "127.0.0.1:8081");
    let installation = installation("");
    let secret = installation.file("secret", Receiver::SECRET);
    installation.configure(&format!(
        "{ASSET}{CONFIG}\n[[deliver.webhook]]\nurl = \"http://127.0.0.1:8081/soc\"\n\
         secret_file = \"{}\"\nmin_severity = \"low\"\n",
        secret.display()
    ));
    let mut sensor = installation.start(&machine, "-i eth1");
    machine.enter(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for line in lines() {
            assert_eq!(socket.send_to(line.as_bytes(), LISTEN).unwrap(), line.len());
        }
    });
    sensor.until_metrics("one is held back", SOON, |samples| {
        samples.count("egret_alerts_suppressed_total", &[("analytic", "AN0646")]) == 1
    });
    assert_eq!(sensor.metrics().count("egret_alerts_total", &[]), 0);
    Hellos::new().to(0..1).send_once(&switch, "m0");
    let told = || soc.received().into_iter().find(|request| request.json()["analytic"] == "AN1416");
    wait::until("the ESXi host's egress is told", SOON, told);
    assert!(soc.received().iter().all(|request| request.json()["analytic"] == "AN1416"));

    let listed = |arguments: &str| installation.egret(arguments).done();
    let open = listed("alerts list --json").json();
    assert_eq!((open.len(), &open[0]["asset"]["name"]), (1, &"esxi-01".into()));
    let held = listed("alerts list --status suppressed --json").json();
    assert_eq!((held.len(), &held[0]["analytic"]), (1, &"AN0646".into()));
    assert!(held[0]["evidence"].to_string().contains("detect.site_budget.alerts"), "{}", held[0]);
    assert!(listed("alerts").stdout.contains("Held back beyond the site's budget: 1 weak alert;"));
    let accounts = || {
        let known = installation.egret("baseline list --json");
        (known.code == 0 && known.stdout.contains("corp\\\\j.doe")).then_some(())
    };
    let id = open[0]["id"].as_str().unwrap();
    let _ = listed(&format!("alerts ack {id} --as incident"));
    assert!(sensor.stop(SOON).success());
    wait::until("the account is listed", SOON, accounts);
}
