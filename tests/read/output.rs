//! What goes where: text, JSON, nothing; to stdout, stderr, a pipe that closes, a terminal.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use egret_tests::egret::json_lines;
use egret_tests::scenario::SECOND;
use egret_tests::traffic::{START, Traffic};

use super::captures::{datagrams, office, question};
use super::{directory, egret};

/// Fails when text for people gets among the JSON, or the summary is not its last line.
#[test]
fn json_is_all_json() {
    let directory = directory("a.pcap", office());
    let ran = egret().within(&directory).read("a.pcap").arg("--json").run().done();
    let lines = ran.json();
    assert_eq!(lines.last().unwrap()["event_type"], "summary");
    assert_eq!(ran.stderr, "");
}

/// Fails when quiet runs still print the summary, its notes or a warning.
#[test]
fn quiet_says_nothing_where_nothing_is_wrong() {
    let directory = directory("cut.pcap", &datagrams(3)[..150]);
    for flags in ["-q", "--quiet --json"] {
        let ran = egret().within(&directory).read("cut.pcap").args(flags).run().done();
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{flags}");
    }
    let ran = egret().within(&directory).read("none.pcap").arg("-q").run();
    assert!(ran.code == 1 && ran.stderr.starts_with("egret: none.pcap: "), "{ran:?}");
}

/// Fails when events and text for people share a stream.
#[test]
fn where_events_take_stdout_people_read_stderr() {
    let directory = directory("a.pcap", datagrams(3));
    for flag in ["--events", "--alerts"] {
        let ran = egret().within(&directory).read("a.pcap").arg(flag).arg("-").run().done();
        let _ = ran.json();
        assert!(ran.stderr.starts_with("alerts   none\ncapture  2026-11-20 "), "{}", ran.stderr);
    }
    let ran = egret().within(&directory).read("a.pcap").args("--events - --json").run().done();
    assert_eq!(ran.json().last().unwrap()["event_type"], "stats");
    assert_eq!(json_lines(&ran.stderr)[0]["event_type"], "summary");
}

/// Fails when the progress line or colour goes to files and pipes.
#[test]
fn without_a_terminal_stderr_stays_empty_and_nothing_is_coloured() {
    let directory = directory("a.pcap", office());
    let ran = egret().within(&directory).read("a.pcap").run().done();
    assert_eq!(ran.stderr, "");
    assert!(!ran.stdout.contains(['\x1b', '\r']), "{:?}", ran.stdout);
    let ran = egret().within(&directory).read("a.pcap").arg("--bogus").run();
    assert!(!ran.stderr.contains('\x1b'), "{:?}", ran.stderr);
}

/// Fails when `egret read --events - | head -1` ends with a complaint, or goes on for nobody.
#[test]
fn a_reader_that_has_seen_enough() {
    let mut traffic = Traffic::default();
    for port in 20_000..22_000 {
        let at = START + u64::from(port) * SECOND;
        traffic.lookup(at, &question("10.20.0.11", port), "www.example.com", &[]);
    }
    let directory = directory("a.pcap", traffic.pcap());
    let mut command = egret().within(&directory).read("a.pcap").args("--events -").command();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("{\"timestamp\":"), "{first}");
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

/// Fails when a reader that left before the summary makes the run a failure or a panic.
#[test]
fn a_reader_that_never_came() {
    let directory = directory("a.pcap", datagrams(3));
    for arguments in ["read a.pcap", "read none.pcap", "read a.pcap --events -", "read", "--help"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = egret().within(&directory).args(arguments).command();
        let stderr = writer.try_clone().unwrap();
        let code = command.stdout(writer).stderr(stderr).status().unwrap().code();
        let expected = match arguments {
            "read none.pcap" => 1,
            "read" => 2,
            _ => 0,
        };
        assert_eq!(code, Some(expected), "{arguments}");
    }
}

/// Fails when a terminal is not told from a pipe, or `NO_COLOR` is not heard.
#[test]
fn colour_is_for_terminals_without_no_color() {
    let on_a_terminal = |no_color: Option<&str>| {
        let mut command = Command::new("script");
        let run = format!("{} read --bogus", env!("CARGO_BIN_EXE_egret"));
        command.args(["--quiet", "--command", &run, "/dev/null"]).env_remove("NO_COLOR");
        command.env("TERM", "xterm-256color").envs(no_color.map(|value| ("NO_COLOR", value)));
        command.stdin(Stdio::null()).output()
    };
    let Ok(plain) = on_a_terminal(Some("1")) else {
        egret_tests::skip("without script(1) of util-linux there is no terminal to try");
        return;
    };
    let coloured = on_a_terminal(None).unwrap();
    let has_colour = |output: &[u8]| output.contains(&b'\x1b');
    assert!(has_colour(&coloured.stdout), "{coloured:?}");
    assert!(!has_colour(&plain.stdout), "{plain:?}");
    assert!(plain.stdout.starts_with(b"error: "), "{plain:?}");
}

/// Fails when `--fail-on` fails a run in which nothing was raised.
#[test]
fn fail_on_without_alerts() {
    let directory = directory("a.pcap", datagrams(3));
    let ran = egret().within(&directory).read("a.pcap").args("--fail-on informational").run();
    assert_eq!(ran.code, 0);
}
