//! An ESXi host opens a TLS session to a place outside that nobody approved.

use std::fs;
use std::process::{Command, Stdio};

use egret_tests::egret::{Egret, Ran};
use egret_tests::scenario::SECOND;
use egret_tests::traffic::{HOSTILE, START, Traffic, end, is_harmless, path};
use tempfile::TempDir;

use super::egret;
use super::schema::assert_alert;

const CONFIG: &str = r#"
[sensor]
name = "dc1-rack7"
[[asset]]
name = "esxi-01"
role = "esxi"
address = ["10.10.0.11"]
"#;

const APPROVED: &str = r#"
[[approve]]
asset = ["esxi-01"]
sni = ["cdn.example.net"]
"#;

/// A directory with the egress as `a.pcap`, and two configs.
fn estate() -> TempDir {
    let mut traffic = Traffic::default();
    let to = path(end("10.10.0.11", 50_000), end("203.0.113.99", 443));
    traffic.tls(START, to, "cdn.example.net", [5_000_000, 20_000], 8 * SECOND);
    estate_with(&traffic.pcap())
}

fn estate_with(capture: &[u8]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name, content: &[u8]| fs::write(directory.path().join(name), content).unwrap();
    write("a.pcap", capture);
    write("egret.toml", CONFIG.as_bytes());
    write("approved.toml", format!("{CONFIG}{APPROVED}").as_bytes());
    directory
}

fn read(directory: &TempDir) -> Egret {
    egret().within(directory).read("a.pcap").args("--config egret.toml")
}

fn run(arguments: &str) -> Ran {
    read(&estate()).args(arguments).run()
}

/// Fails when a management component's egress needs anything beside it to be told.
#[test]
fn it_is_one_high_alert() {
    let ran = run("--json").done();
    let lines = ran.json();
    let [alert, summary] = lines.as_slice() else { panic!("{lines:?}") };
    assert_alert(alert);
    assert_eq!((&alert["analytic"], &alert["severity"]), (&"AN1416".into(), &"high".into()));
    assert_eq!(alert["sensor"], "dc1-rack7");
    assert_eq!(
        (&alert["asset"]["name"], &alert["asset"]["role"]),
        (&"esxi-01".into(), &"esxi".into())
    );
    assert_eq!(alert["destination"]["address"], "203.0.113.99");
    assert_eq!(alert["destination"]["sni"], "cdn.example.net");
    assert_eq!(summary["alerts"]["high"], 1);
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
}

/// Fails when who, where, how much or the severity is not in what people read.
#[test]
fn people_read_who_where_and_how_much() {
    let ran = run("").done();
    let heading = ran.stdout.lines().next().unwrap();
    assert!(heading.starts_with("HIGH  ") && heading.contains("AN1416, T1048.002"), "{heading}");
    let line = |label: &str| {
        let line = ran.stdout.lines().find(|line| line.starts_with(label));
        line.unwrap_or_else(|| panic!("{label:?} is not in:\n{}", ran.stdout))
    };
    assert!(line("  who ").contains("esxi-01, 10.10.0.11, esxi"));
    assert!(line("  where ").contains("cdn.example.net, 203.0.113.99:443"));
    assert!(line("  how much ").contains("5.0 MB out"), "{}", line("  how much "));
    assert!(line("  since ").contains("2026-11-20 14:00:0"));
    assert_eq!(ran.summary("alerts"), ["1 high"]);
}

/// Fails when the exit code does not follow from the severest alert, or is given unasked.
#[test]
fn fail_on_compares_severities() {
    for (arguments, code) in [
        ("", 0),
        ("--fail-on informational", 3),
        ("--fail-on high", 3),
        ("--fail-on critical", 0),
        ("--fail-on high --quiet", 3),
        ("--fail-on high --json", 3),
        ("--fail-on high --alerts -", 3),
    ] {
        assert_eq!(run(arguments).code, code, "{arguments}");
    }
}

/// Fails when what was approved is told nevertheless.
#[test]
fn an_approved_place_is_no_alert() {
    let directory = estate();
    let run = egret().within(&directory).read("a.pcap").args("--config approved.toml");
    let ran = run.args("--fail-on informational").run();
    assert_eq!((ran.code, ran.summary("alerts")), (0, vec!["none"]));
}

/// Fails when quiet runs hide alerts, or show anything else.
#[test]
fn quiet_runs_still_print_alerts() {
    let loud = run("").done();
    let quiet = run("--quiet").done();
    let alerts = loud.stdout.find("\nalerts   ").map(|end| &loud.stdout[..=end]);
    assert_eq!(Some(quiet.stdout.as_str()), alerts);
    assert_eq!(quiet.stderr, "");
    let lines = run("--quiet --json").done().json();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_alert(&lines[0]);
}

/// Fails when a script's `egret read --fail-on high | head -1` forgets the alert.
#[test]
fn a_reader_that_left_does_not_hide_the_alert() {
    let directory = estate();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = read(&directory).args("--fail-on high").command();
    assert_eq!(command.stdout(writer).status().unwrap().code(), Some(3));
}

/// Fails when `--alerts` says anything but what `--json` says, or not every state of an alert.
#[test]
fn the_alert_file_ends_with_what_is_printed() {
    let directory = estate();
    let printed = read(&directory).args("--json --alerts alerts.json").run().done().json();
    let file = fs::read_to_string(directory.path().join("alerts.json")).unwrap();
    let file = egret_tests::egret::json_lines(&file);
    file.iter().for_each(assert_alert);
    assert_eq!(file.last(), Some(&printed[0]));
    let counts: Vec<u64> = file.iter().map(|alert| alert["count"].as_u64().unwrap()).collect();
    assert!(
        counts.is_sorted() && file.iter().all(|alert| alert["id"] == file[0]["id"]),
        "{counts:?}"
    );
}

/// Fails when an attacker's server name fakes a line, acts on the terminal, or breaks the JSON.
#[test]
fn hostile_server_names_are_only_shown() {
    for name in HOSTILE {
        let mut traffic = Traffic::default();
        let hello = traffic.client_hello(name);
        let to = path(end("10.10.0.11", 50_000), end("203.0.113.99", 443));
        let mut tcp = traffic.tcp(START, to);
        tcp.send(true, &hello);
        tcp.bulk(true, 5_000_000, SECOND);
        let directory = estate_with(&traffic.pcap());
        let lines = read(&directory).arg("--json").run().done().json();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_alert(&lines[0]);
        assert!(lines[0]["destination"]["sni"].as_str().unwrap().chars().all(is_harmless));
        let text = read(&directory).run().done().stdout;
        assert!(text.lines().all(|line| line.chars().all(is_harmless)), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("alerts ")).count(), 1, "{text}");
    }
}

/// Fails when alerts are coloured for pipes, or not for people, or other than by colour.
#[test]
fn colour_is_all_that_a_terminal_adds() {
    let directory = estate();
    let piped = read(&directory).arg("--quiet").run().done().stdout;
    let on_a_terminal = |no_color: Option<&str>| {
        let binary = env!("CARGO_BIN_EXE_egret");
        let run = format!("{binary} read a.pcap --quiet --config egret.toml");
        let mut command = Command::new("script");
        command.args(["--quiet", "--command", &run, "/dev/null"]).current_dir(&directory);
        command.env_remove("NO_COLOR").envs(no_color.map(|value| ("NO_COLOR", value)));
        let output = command.stdin(Stdio::null()).output()?;
        std::io::Result::Ok(String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n"))
    };
    let Ok(plain) = on_a_terminal(Some("1")) else {
        egret_tests::skip("without script(1) of util-linux there is no terminal to try");
        return;
    };
    assert_eq!(plain, piped);
    let coloured = on_a_terminal(None).unwrap();
    assert_ne!(coloured, piped);
    assert_eq!(without_colour(&coloured), piped);
    assert_eq!(on_a_terminal(Some("")).unwrap(), coloured, "empty is as if it were not set");
}

/// `text` without `ESC [ … m`.
fn without_colour(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').unwrap().1)
}
