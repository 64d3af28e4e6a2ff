//! Alerts over the API, from the database that the sensor keeps them in.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::server::{NOW, Server, TOKEN, config, curl, is_missing, token};
use super::working;
use crate::alert::Severity;
use crate::alert::sample::numbered;

/// A server with these alerts on disk.
fn with_alerts(server: &Server, number: u64) {
    let alerts = (0..number).map(|i| {
        let mut alert = numbered(i);
        alert.time = NOW.minus(Duration::from_secs(number - i));
        alert.severity = if i.is_multiple_of(10) { Severity::High } else { Severity::Low };
        alert.asset.name = format!("vm-{}", i % 3);
        alert
    });
    server.keeper.raise(alerts.collect());
    let start = Instant::now();
    while get(server, "/api/alerts?limit=1000")["alerts"].as_array().unwrap().len()
        < number as usize
    {
        assert!(start.elapsed() < Duration::from_secs(20), "they are not stored");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn get(server: &Server, path: &str) -> Value {
    let answer = curl(&[&server.url("http", path)]);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[test]
fn the_latest_come_first_and_filters_hold() {
    if is_missing("curl") {
        return;
    }
    let server = Server::start(&config(), working());
    with_alerts(&server, 120);
    let list = |asked: &str| {
        let page = get(&server, &format!("/api/alerts?{asked}"));
        let times: Vec<String> = page["alerts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|alert| alert["time"].as_str().unwrap().to_owned())
            .collect();
        (times, page["more"].as_bool().unwrap())
    };
    let (times, more) = list("");
    assert_eq!((times.len(), more), (100, true));
    assert!(times.is_sorted_by(|a, b| a > b));
    assert_eq!(times[0], NOW.minus(Duration::from_secs(1)).to_string());
    assert_eq!(list("limit=119"), (list("limit=120").0[..119].to_vec(), true));
    assert!(!list("limit=120").1);
    assert_eq!(list("min_severity=high").0.len(), 12);
    assert_eq!(list("asset=vm-1").0.len(), 40);
    assert_eq!(list("asset=vm-1&min_severity=high").0.len(), 4);
    assert_eq!(list("status=acknowledged").0.len(), 0);
    let since = NOW.minus(Duration::from_secs(7));
    assert_eq!(list(&format!("since={since}")).0.len(), 7);
}

#[test]
fn an_acknowledgement_is_kept_with_its_note() {
    if is_missing("curl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut http = config();
    http.token_file = Some(token(folder.path(), TOKEN));
    let server = Server::start(&http, working());
    let changed = server.keeper.changed_elsewhere();
    with_alerts(&server, 2);
    let path = format!("/api/alerts/{}", numbered(1).id);
    let before = get(&server, &path);
    assert_eq!(before["runbook"], "runbooks/an1416.md");
    assert_eq!(before["approvals"][0]["asset"], json!(["vm-1"]));
    let told = before["explained"]["evidence"].as_array().unwrap();
    assert_eq!(told.len(), before["evidence"].as_array().unwrap().len());
    let brief = get(&server, "/api/alerts?brief=true&analytic=AN1416");
    assert_eq!(brief["alerts"][1]["evidence"], json!([]));
    assert_eq!((&before["schema"], &before["status"]), (&json!("egret.alert/1"), &json!("open")));
    assert_eq!((&before["note"], &before["acknowledged"]), (&Value::Null, &Value::Null));

    let right = format!("Authorization: Bearer {TOKEN}");
    let url = server.url("http", &format!("{path}/ack"));
    let said = curl(&["-H", &right, "-d", r#"{"note":"backup moved"}"#, &url]);
    assert_eq!(said.status, 200, "{said:?}");
    let after = get(&server, &path);
    assert_eq!(said.json(), after);
    assert_eq!(
        (&after["status"], &after["note"]),
        (&json!("acknowledged"), &json!("backup moved"))
    );
    assert_eq!(after["acknowledged"], json!({ "at": NOW.to_string(), "by": "api" }));

    // A verdict is one of two, and the sensor is told of it.
    let verdict = |verdict: &str| {
        let body = json!({ "verdict": verdict }).to_string();
        curl(&["-H", &right, "-d", &body, &url])
    };
    assert_eq!(verdict("benign").status, 400);
    assert_eq!(verdict("harmless").json()["verdict"], "harmless");
    let start = Instant::now();
    while !changed.has_changed().unwrap() {
        assert!(start.elapsed() < Duration::from_secs(20), "the sensor does not hear of it");
        std::thread::sleep(Duration::from_millis(50));
    }
    let counts = get(&server, "/api/alerts/counts");
    assert_eq!(counts, json!({ "open": { "high": 1 }, "acknowledged": 1, "suppressed": 0 }));

    // Again, without a body: the note stays.
    let again = curl(&["-H", &right, "-X", "POST", &url]);
    assert_eq!((again.status, &again.json()["note"]), (200, &json!("backup moved")));
    let open = get(&server, "/api/alerts?status=open");
    assert_eq!(open["alerts"].as_array().unwrap().len(), 1);
}

/// Fails when packets are told of as something else, or a name from outside becomes part of a path.
#[test]
fn packets_of_an_alert_are_a_download_or_a_reason() {
    if is_missing("curl") {
        return;
    }
    let server = Server::start(&config(), working());
    with_alerts(&server, 2);
    let id = numbered(1).id;
    let folder = server.data_dir().join(crate::evidence::FOLDER);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join(format!("{id}.pcapng")), "the packets").unwrap();
    std::fs::write(folder.join("secret.pcapng"), "nobody's").unwrap();
    let ask = |id: &str| curl(&[&server.url("http", &format!("/api/alerts/{id}/pcap"))]);
    let told = ask(&id.to_string());
    assert_eq!((told.status, told.body.as_str()), (200, "the packets"));
    assert!(told.head.contains("content-type: application/vnd.tcpdump.pcap"), "{told:?}");
    let name = format!("content-disposition: attachment; filename=\"egret-{id}.pcapng\"");
    assert!(told.head.contains(&name), "{told:?}");
    // Another way to write it is the same alert, and names the same file.
    let simple = ask(&id.simple().to_string().to_uppercase());
    assert!(simple.status == 200 && simple.head.contains(&name), "{simple:?}");

    let reason =
        |answer: super::server::Answer| answer.json()["error"].as_str().unwrap().to_owned();
    let none = ask(&numbered(0).id.to_string());
    assert_eq!(none.status, 404);
    assert!(reason(none).contains("no packets are kept of it"));
    std::fs::write(folder.join("gave-way"), format!("{}\n", numbered(0).id)).unwrap();
    assert!(reason(ask(&numbered(0).id.to_string())).contains("gave way"));
    let unknown = ask("6fa459ea-ee8a-5ca4-894e-db77e160355e");
    assert!(unknown.status == 404 && reason(unknown).contains("there is no alert"));
    for hostile in ["secret", "..%2Fsecret", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%00", "x%0d%0ay:z"]
    {
        assert_eq!(ask(hostile).status, 400, "{hostile}");
    }
}
