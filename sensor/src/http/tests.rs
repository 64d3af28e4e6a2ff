//! A server in this process, asked by real clients over real sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use server::{Server, TOKEN, bind, certificate, config, curl, is_missing, open};

use super::*;
use crate::status::{Asset, Interface, Status};

mod alerts;
mod approvals;
mod audit;
mod console;
mod server;

/// A sensor that does its work.
fn working() -> Status {
    let interface =
        Interface { name: "eth1".to_owned(), state: "up".to_owned(), ..Interface::default() };
    let asset = |i: u32| Asset {
        name: format!("vm-{i}"),
        role: "guest",
        host: None,
        configured: false,
        first_seen: None,
        learning: true,
        bytes_out: 1,
        bytes_in: 2,
        moved: crate::status::Moved::default(),
    };
    Status {
        sensor: "dc1".to_owned(),
        now: server::NOW,
        workers_alive: true,
        interfaces: vec![interface],
        assets: Arc::new((0..150).map(asset).collect()),
        ..Status::default()
    }
}

#[test]
fn this_machine_may_look_at_everything() {
    if is_missing("curl") {
        return;
    }
    let server = Server::start(&config(), working());
    let ask = |path: &str| curl(&[&server.url("http", path)]);

    let metrics = ask("/metrics");
    assert_eq!(metrics.status, 200, "{metrics:?}");
    assert!(metrics.head.contains("content-type: text/plain; version=0.0.4"), "{metrics:?}");
    assert!(metrics.body.contains("\negret_capture_packets_total 0\n"));

    assert_eq!(ask("/healthz").json()["alive"], true);
    assert_eq!(ask("/readyz").json()["ready"], true);
    let status = ask("/api/status");
    assert_eq!((&status.json()["sensor"], &status.json()["assets"]), (&"dc1".into(), &150.into()));
    assert!(status.head.contains("x-content-type-options: nosniff"), "{status:?}");
    assert!(status.head.contains("cache-control: no-store"), "{status:?}");
    let page = ask("/api/assets?text=VM-1&offset=1&limit=2").json();
    assert_eq!((&page["total"], &page["assets"][0]["name"]), (&61.into(), &"vm-10".into()));
    assert_eq!(page["assets"].as_array().unwrap().len(), 2);
    let alerts = ask("/api/alerts?min_severity=low&status=open&limit=1000").json();
    assert_eq!(alerts, serde_json::json!({ "alerts": [], "more": false }));
}

#[test]
fn what_is_wrong_is_told_as_json() {
    if is_missing("curl") {
        return;
    }
    let server = Server::start(&config(), working());
    let id = "/api/alerts/6fa459ea-ee8a-5ca4-894e-db77e160355e";
    let cases = [
        ("GET", "/nothing", 404, "/api/alerts"),
        ("GET", "/console/..%2fstatus", 404, "no such file"),
        ("GET", "/api/approvals/1", 405, "GET is not answered"),
        ("GET", "/api/volumes?names=x", 400, "a JSON list"),
        ("GET", "/api/assets/nobody", 404, "no asset is called nobody"),
        ("GET", "/api/assets/vm-1", 503, "ask again"),
        ("GET", "/metrics/../api", 404, "nothing is here"),
        ("DELETE", "/metrics", 403, "http.token_file"),
        ("GET", "/api/alerts?severity=low", 400, "min_severity"),
        ("GET", "/api/alerts?limit=1001", 400, "from 1 to 1000"),
        ("GET", "/api/alerts?limit=-1", 400, "limit"),
        ("GET", "/api/assets?role=esx", 400, "esxi, vcenter"),
        ("GET", "/api/alerts/1", 400, "id of an alert"),
        ("GET", id, 404, "no alert 6fa459ea"),
        ("GET", &format!("{id}/ack"), 405, "GET is not answered"),
    ];
    for (method, path, status, said) in cases {
        let answer = curl(&["--path-as-is", "-X", method, &server.url("http", path)]);
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(said), "{method} {path}: {error}");
    }
}

#[test]
fn health_follows_the_status() {
    if is_missing("curl") {
        return;
    }
    let server = Server::start(&config(), working());
    let ask = |path: &str| {
        let answer = curl(&[&server.url("http", path)]);
        (answer.status, answer.json()["reasons"].to_string())
    };
    server.status.write().unwrap().store_error = Some("disk full".to_owned());
    assert_eq!(ask("/healthz").0, 200);
    let (status, reasons) = ask("/readyz");
    assert!(status == 503 && reasons.contains("disk full"), "{status} {reasons}");
    server.status.write().unwrap().workers_alive = false;
    assert_eq!(ask("/healthz").0, 503);
}

#[test]
fn a_strangers_name_reads_nothing() {
    if is_missing("curl") {
        return;
    }
    let server = Server::start(&config(), working());
    for path in ["/api/status", "/metrics", "/healthz"] {
        let answer = curl(&["-H", "Host: rebound.example", &server.url("http", path)]);
        assert_eq!(answer.status, 421, "{answer:?}");
        assert!(answer.json()["error"].as_str().unwrap().contains("Host: localhost"));
    }
    assert_eq!(curl(&["-H", "Host;", &server.url("http", "/healthz")]).status, 421);
    assert_eq!(curl(&["-H", "Host: LOCALHOST", &server.url("http", "/healthz")]).status, 200);
}

#[test]
fn what_changes_something_needs_the_token_here_too() {
    if is_missing("curl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut http = config();
    http.token_file = Some(server::token(folder.path(), TOKEN));
    let server = Server::start(&http, working());
    let path = "/api/alerts/6fa459ea-ee8a-5ca4-894e-db77e160355e/ack";
    let url = server.url("http", path);
    let acknowledge =
        |extra: &[&str]| curl(&[extra, &["-d", "{\"note\":\"known\"}", &url]].concat());

    let none = acknowledge(&[]);
    assert!(none.status == 401 && none.head.contains("www-authenticate: Bearer"), "{none:?}");
    assert_eq!(acknowledge(&["-H", "Authorization: Bearer 0123456789abcdee"]).status, 401);
    let right = format!("Authorization: Bearer {TOKEN}");
    // Past the door, and there is no such alert.
    assert_eq!(acknowledge(&["-H", &right]).status, 404);
    let wrong = curl(&["-H", &right, "-d", "{\"nose\":1}", &url]);
    assert!(wrong.status == 400 && wrong.body.contains("note"), "{wrong:?}");
    let long = "x".repeat(40_000);
    let large = curl(&["-H", &right, "-d", &long, &url]);
    assert!(large.status == 413 && large.json()["error"].is_string(), "{large:?}");
    assert_eq!(curl(&[&server.url("http", "/api/status")]).status, 200);
    // What people sent is for whoever has the token.
    let packets = server.url("http", "/api/alerts/6fa459ea-ee8a-5ca4-894e-db77e160355e/pcap");
    assert_eq!(curl(&[&packets]).status, 401);
    assert_eq!(curl(&["-H", &right, &packets]).status, 404);
}

#[test]
fn other_machines_come_by_tls_and_with_the_token() {
    if is_missing("curl") || is_missing("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&open(folder.path(), "first"), working());
    let ca = folder.path().join("first.crt");
    let ca = ["--cacert", ca.to_str().unwrap()];
    let right = format!("Authorization: Bearer {TOKEN}");
    for path in ["/metrics", "/readyz", "/api/status", "/api/assets", "/api/alerts", "/nothing"] {
        let url = server.url("https", path);
        let status = |extra: &[&str]| curl(&[&ca, extra, &[&url]].concat()).status;
        assert_eq!(status(&[]), 401, "{path}");
        assert_eq!(status(&["-H", "Authorization: Bearer 0123456789abcdeX"]), 401, "{path}");
        assert_eq!(status(&["-H", "Authorization: Basic 0123456789abcdef"]), 401, "{path}");
        let expected = if path == "/nothing" { 404 } else { 200 };
        assert_eq!(status(&["-H", &right]), expected, "{path}");
        assert_eq!(status(&["-H", &right, "-H", "Host: sensor.example"]), expected, "{path}");
    }
    assert_eq!(curl(&[&ca[..], &[&server.url("https", "/healthz")]].concat()).status, 200);
    let plain = curl(&["-H", &right, &server.url("http", "/metrics")]);
    assert_eq!(plain.status, 0, "{plain:?}");
    let old = ["--tls-max", "1.1", &server.url("https", "/healthz")];
    assert_eq!(curl(&[&ca[..], &old].concat()).status, 0);
}

#[test]
fn a_reload_brings_new_keys_and_a_bad_one_changes_nothing() {
    if is_missing("curl") || is_missing("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let http = open(folder.path(), "first");
    let server = Server::start(&http, working());
    let status = |ca: &str, token: &str| {
        let ca = folder.path().join(ca);
        let right = format!("Authorization: Bearer {token}");
        let url = server.url("https", "/metrics");
        curl(&["--cacert", ca.to_str().unwrap(), "-H", &right, &url]).status
    };
    assert_eq!(status("first.crt", TOKEN), 200);

    let mut broken = http.clone();
    let tls = broken.tls.as_mut().unwrap();
    (tls.cert, _) = certificate(folder.path(), "other");
    let error = server.access.prepare(&broken, &config::Audit::default()).unwrap_err().to_string();
    assert!(error.contains("other.crt") && error.contains("first.key"), "{error}");
    assert_eq!(status("first.crt", TOKEN), 200);

    let other = "fedcba9876543210";
    let mut renewed = open(folder.path(), "second");
    server::token(folder.path(), other);
    server.access.apply(server.access.prepare(&renewed, &config::Audit::default()).unwrap());
    assert_eq!(status("second.crt", other), 200);
    assert_eq!(status("second.crt", TOKEN), 401);
    assert_eq!(status("first.crt", other), 0);

    renewed.listen.set_port(1);
    let error = server.access.prepare(&renewed, &config::Audit::default()).unwrap_err().to_string();
    assert!(error.contains("0.0.0.0:0") && error.contains("restart"), "{error}");
}

#[test]
fn a_head_that_is_too_large_or_no_http_is_refused() {
    if is_missing("curl") {
        return;
    }
    let server = Server::start(&config(), working());
    let url = server.url("http", "/healthz");
    let large = format!("X-Large: {}", "x".repeat(20_000));
    assert_eq!(curl(&["-H", &large, &url]).status, 431);
    let many: Vec<String> = (0..200).map(|i| format!("-HX-{i}: 1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).chain([url.as_str()]).collect();
    assert_eq!(curl(&many).status, 431);

    for bytes in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"GET\r\n\r\n", b"\0\0\0\0\r\n\r\n"] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
    }
    assert_eq!(curl(&[&url]).status, 200);
}

/// Sends a byte now and then for as long as the server lets it.
fn drip(server: SocketAddr) -> Duration {
    let start = Instant::now();
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut bytes = b"GET /healthz HTTP/1.1\r\nX: ".iter().chain(std::iter::repeat(&b'a'));
    loop {
        let sent = stream.write_all(&[*bytes.next().unwrap()]);
        let read = stream.read(&mut [0; 1]);
        let is_over = sent.is_err()
            || matches!(read, Ok(0))
            || read.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset);
        if is_over || start.elapsed() > Duration::from_secs(20) {
            return start.elapsed();
        }
    }
}

#[test]
fn a_slow_head_ends_after_five_seconds() {
    let server = Server::start(&config(), working());
    let took = drip(server.address);
    assert!((4..20).contains(&took.as_secs()), "{took:?}");
}

#[test]
fn a_slow_body_is_told_after_ten_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let mut http = config();
    http.token_file = Some(server::token(folder.path(), TOKEN));
    let server = Server::start(&http, working());
    let mut stream = TcpStream::connect(server.address).unwrap();
    let path = "/api/alerts/6fa459ea-ee8a-5ca4-894e-db77e160355e/ack";
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Length: 100\r\n\r\n"
    );
    let start = Instant::now();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("10 seconds"), "{answer}");
    assert!(start.elapsed().as_secs() >= 9, "{:?}", start.elapsed());
}

#[test]
fn handshakes_that_hang_hold_nobody_up() {
    if is_missing("curl") || is_missing("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&open(folder.path(), "first"), working());
    let hanging: Vec<_> = (1..MAX_CONNECTIONS)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            stream.write_all(b"\x16\x03\x01\x02\x00\x01").unwrap();
            stream
        })
        .collect();
    let start = Instant::now();
    assert_eq!(curl(&["-k", &server.url("https", "/healthz")]).status, 200);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    drop(hanging);
}

#[test]
fn more_than_sixty_four_wait_their_turn() {
    if is_missing("curl") {
        return;
    }
    let server = Server::start(&config(), working());
    let mut idle: Vec<_> =
        (0..MAX_CONNECTIONS).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(300));
    let url = server.url("http", "/healthz");
    assert_eq!(curl(&["--max-time", "1", &url]).status, 0);
    idle.pop();
    assert_eq!(curl(&["--max-time", "3", &url]).status, 200);
}

#[test]
fn a_port_that_is_taken_says_by_whom() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut http = config();
    http.listen = taken.local_addr().unwrap();
    let error = bind(&http).unwrap_err().to_string();
    let process = format!("(process {}) listens there already", std::process::id());
    assert!(error.contains(&process), "{error}");

    http.listen = "192.0.2.1:9477".parse().unwrap();
    let error = bind(&http).unwrap_err().to_string();
    assert!(error.contains("http.tls and http.token_file"), "{error}");
    http.listen = "127.0.0.1:0".parse().unwrap();
    http.token_file = Some("/nonexistent/token".into());
    let error = bind(&http).unwrap_err().to_string();
    assert!(error.starts_with("http.token_file = \"/nonexistent/token\": cannot read"), "{error}");
}

#[test]
fn files_that_are_not_what_they_should_be_are_named() {
    if is_missing("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let good = open(folder.path(), "first");
    assert!(bind(&good).is_ok());
    for token in ["", "short", "two words of a token", "0123456789abcdé-"] {
        server::token(folder.path(), token);
        let error = bind(&good).unwrap_err().to_string();
        assert!(error.contains("openssl rand"), "{token}: {error}");
    }
    server::token(folder.path(), TOKEN);

    let mut swapped = good.clone();
    let tls = swapped.tls.as_mut().unwrap();
    std::mem::swap(&mut tls.cert, &mut tls.key);
    let error = bind(&swapped).unwrap_err().to_string();
    assert!(error.starts_with("http.tls.cert = ") && error.contains("in PEM"), "{error}");
    let mut elsewhere = good;
    elsewhere.listen = "192.0.2.1:9477".parse().unwrap();
    let error = bind(&elsewhere).unwrap_err().to_string();
    assert!(error.contains("no interface here has this address"), "{error}");
}

#[test]
fn the_server_stops_when_told_and_gives_the_port_back() {
    let server = Server::start(&config(), working());
    let address = server.address;
    let idle = TcpStream::connect(address).unwrap();
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(TcpStream::connect(address).is_err());
    drop(idle);
}
