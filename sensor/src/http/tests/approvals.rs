//! Approvals over the API, and what assets moved, as detection answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use super::server::{Answer, NOW, Server, TOKEN, config, curl, is_missing, token};
use super::working;
use crate::config::{Asset, Config, Role};
use crate::detect::Engine;

fn with_token() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut http = config();
    http.token_file = Some(token(folder.path(), TOKEN));
    (Server::start(&http, working()), folder)
}

fn tell(server: &Server, method: &str, path: &str, body: &str) -> Answer {
    let right = format!("Authorization: Bearer {TOKEN}");
    curl(&["-H", &right, "-X", method, "-d", body, &server.url("http", path)])
}

#[test]
fn an_approval_is_kept_listed_and_taken_back() {
    if is_missing("curl") {
        return;
    }
    let (server, _folder) = with_token();
    let body =
        json!({ "asset": ["web-01"], "sni": ["cdn.example"], "port": [443], "note": "ticket" });
    let path = "/api/approvals";
    let none = curl(&["-d", &body.to_string(), &server.url("http", path)]);
    assert_eq!(none.status, 401, "{none:?}");
    let given = tell(&server, "POST", path, &body.to_string());
    assert_eq!(given.status, 201, "{given:?}");
    let given = given.json();
    assert_eq!(given["sentence"], "web-01 may reach cdn.example on port 443");
    assert_eq!((&given["by"], &given["given"]), (&json!("api"), &json!(NOW.to_string())));
    let listed = curl(&[&server.url("http", path)]).json();
    assert_eq!(listed["approvals"], json!([given]));
    let kept = server.keeper.ask_blocking(|store| store.approvals()).unwrap();
    let address = "198.51.100.7".parse().unwrap();
    assert!(kept[0].covers("web-01", Role::Guest, address, 443, Some("cdn.example")));
    assert!(!kept[0].covers("web-02", Role::Guest, address, 443, Some("cdn.example")));

    let one = format!("{path}/{}", given["number"]);
    let nobody = curl(&["-X", "DELETE", &server.url("http", &one)]);
    assert_eq!(nobody.status, 401);
    assert_eq!(tell(&server, "DELETE", &one, "").status, 204);
    assert_eq!(tell(&server, "DELETE", &one, "").status, 404);
    assert_eq!(curl(&[&server.url("http", path)]).json(), json!({ "approvals": [] }));
}

/// Fails when something that approves everything, or nothing that is meant, is taken.
#[test]
fn what_is_no_approval_is_refused() {
    if is_missing("curl") {
        return;
    }
    let (server, _folder) = with_token();
    let many: Vec<String> = (0..101).map(|i| format!("vm-{i}")).collect();
    let long = "x".repeat(2001);
    let cases = [
        ("", "expected"),
        ("[]", "expected"),
        ("{}", "for whom"),
        (r#"{"asset":["web-01"]}"#, "where to"),
        (r#"{"sni":["cdn.example"]}"#, "for whom"),
        (r#"{"asset":"web-01","port":[443]}"#, "expected"),
        (r#"{"asset":["web-01"],"port":[70000]}"#, "expected"),
        (r#"{"asset":["web-01"],"port":[443],"approve":true}"#, "unknown field"),
        (r#"{"role":["admin"],"port":[443]}"#, "esxi"),
        (r#"{"asset":["web-01"],"destination":["everywhere"]}"#, "everywhere"),
        (&json!({ "asset": many, "port": [443] }).to_string(), "more than 100"),
        (&json!({ "asset": ["a"], "port": [443], "note": long }).to_string(), "longer than"),
    ];
    for (body, said) in cases {
        let answer = tell(&server, "POST", "/api/approvals", body);
        assert_eq!(answer.status, 400, "{body:.80}: {answer:?}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(said), "{body:.80}: {error}");
    }
    assert_eq!(tell(&server, "DELETE", "/api/approvals/first", "").status, 400);
    assert!(server.keeper.ask_blocking(|store| store.approvals()).unwrap().is_empty());
}

/// Fails when a name in a body becomes more than a name.
#[test]
fn a_hostile_name_approves_itself_only() {
    if is_missing("curl") {
        return;
    }
    let (server, _folder) = with_token();
    let name = "x\"]\nsni = [\"*.com\"]\n\u{202e}\\";
    let body = json!({ "asset": [name], "sni": ["cdn.example"], "note": "\"]\n[[approve]]" });
    let given = tell(&server, "POST", "/api/approvals", &body.to_string());
    let kept = server.keeper.ask_blocking(|store| store.approvals()).unwrap();
    if given.status == 201 {
        assert_eq!((kept.len(), &kept[0].assets[..]), (1, &[name.to_owned()][..]));
        assert_eq!((kept[0].sni.len(), kept[0].roles.len()), (1, 0));
        assert!(!given.json()["sentence"].as_str().unwrap().contains(['\n', '\u{202e}']));
    } else {
        assert!(given.status == 400 && kept.is_empty(), "{given:?}");
    }
}

#[test]
fn an_asset_is_told_with_what_it_moved() {
    if is_missing("curl") {
        return;
    }
    let mut server = Server::start(&config(), working());
    let asset = Asset {
        name: "vm-7".into(),
        role: Role::Guest,
        addresses: vec!["10.0.0.7/32".parse().unwrap()],
        macs: Vec::new(),
        host: None,
    };
    let approve = crate::config::Approve { ports: vec![443], ..Default::default() };
    let config = Config { assets: vec![asset], approve: vec![approve], ..Config::default() };
    let mut questions = server.questions.take().unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&is_over);
    let detection = std::thread::spawn(move || {
        let engine = Engine::new(&config, None, None);
        while !until.load(Ordering::Relaxed) {
            questions.answer(&engine, || NOW);
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let told = curl(&[&server.url("http", "/api/assets/vm-7")]);
    assert_eq!(told.status, 200, "{told:?}");
    let told = told.json();
    assert_eq!((&told["name"], &told["destinations"]), (&json!("vm-7"), &json!([])));
    assert_eq!(told["approved"], json!(["everyone may reach any place on port 443"]));
    let names = "/api/volumes?names=%5B%22vm-7%22%2C%22nobody%22%5D";
    let volumes = curl(&[&server.url("http", names)]).json();
    assert!(volumes["assets"]["vm-7"]["series"].is_object(), "{volumes}");
    assert!(volumes["assets"]["nobody"].is_null());
    is_over.store(true, Ordering::Relaxed);
    detection.join().unwrap();
}
