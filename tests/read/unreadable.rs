//! Paths that lead to no file that can be read or written.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::captures::datagrams;
use super::{directory, egret};

/// Fails when a path that cannot be used ends otherwise than with this line.
#[track_caller]
fn assert_error(arguments: &str, code: i32, message: &str) {
    let directory = directory("good.pcap", datagrams(1));
    fs::create_dir(directory.path().join("day")).unwrap();
    let ran = egret().within(&directory).arg("read").args(arguments).run();
    assert_eq!(ran.stderr, format!("egret: {message}\n"));
    assert_eq!((ran.code, ran.stdout.as_str()), (code, ""));
}

#[test]
fn a_missing_file() {
    assert_error(
        "none.pcap",
        1,
        "none.pcap: cannot be opened: No such file or directory; check the path, or give - to read \
         standard input",
    );
}

#[test]
fn a_directory() {
    assert_error("day", 1, "day: is a directory; give the capture files in it, such as day/*.pcap");
}

#[test]
fn a_name_with_line_breaks_and_escapes_keeps_to_its_line() {
    let ran = egret().read("a\nfake: all is well\x1b[2J.pcap").run();
    assert_eq!(
        ran.stderr,
        "egret: a\\nfake: all is well\\x1b[2J.pcap: cannot be opened: No such file or directory; \
         check the path, or give - to read standard input\n"
    );
}

/// As nobody, where the test itself is root, who may read everything.
#[test]
fn a_file_that_this_user_may_not_read() {
    let directory = directory("secret.pcap", datagrams(1));
    let path = |name| directory.path().join(name);
    let readable = |name, mode| fs::set_permissions(path(name), Permissions::from_mode(mode));
    readable("secret.pcap", 0o000).unwrap();
    readable("", 0o755).unwrap();
    // Where it lies nobody may not go.
    fs::copy(env!("CARGO_BIN_EXE_egret"), path("egret")).unwrap();
    let mut command = Command::new("./egret");
    if fs::read(path("secret.pcap")).is_ok() {
        command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "./egret"]);
    }
    let output = match command.args(["read", "secret.pcap"]).current_dir(&directory).output() {
        Ok(output) if !output.stderr.starts_with(b"setpriv:") => output,
        other => {
            let reason = "root may read everything, and cannot become nobody here";
            egret_tests::skip(format_args!("{reason}: {other:?}"));
            return;
        }
    };
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "egret: secret.pcap: cannot be opened: Permission denied; let this user read it, or run \
         egret as one who may read it\n"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn results_that_cannot_be_written() {
    assert_error(
        "good.pcap --events none/eve.json",
        1,
        "none/eve.json: cannot write events: No such file or directory; check the path, its \
         permissions and the free space",
    );
    assert_error(
        "good.pcap --alerts day",
        1,
        "day: cannot write alerts: Is a directory; check the path, its permissions and the free space",
    );
}

#[test]
fn what_was_learned_that_cannot_be_kept() {
    assert_error(
        "good.pcap --state good.pcap",
        1,
        "good.pcap: cannot be made a directory: File exists; give a directory that this user may \
         write",
    );
}

/// Fails when an error at the very end, as buffers are written out, is lost.
#[test]
fn a_full_disk() {
    assert_error(
        "good.pcap --events /dev/full",
        1,
        "/dev/full: cannot write events: No space left on device; check the path, its permissions \
         and the free space",
    );
    let directory = directory("good.pcap", datagrams(1));
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = egret().within(&directory).read("good.pcap").command();
    let output = command.stdout(full).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "egret: stdout: cannot write results: No space left on device; check where it leads, and \
         the free space\n"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_filter_that_does_not_compile_and_what_it_leaves_alone() {
    assert_error(
        "good.pcap --filter udp-prot",
        2,
        "filter \"udp-prot\" cannot be used on link type 1: can't parse filter expression: syntax \
         error; see pcap-filter(7)",
    );
    let directory = directory("good.pcap", datagrams(1));
    let events = directory.path().join("eve.json");
    fs::write(&events, "yesterday's").unwrap();
    let run = egret().within(&directory).read("good.pcap").args("--events eve.json --filter udp-");
    assert_eq!(run.run().code, 2);
    assert_eq!(fs::read_to_string(&events).unwrap(), "yesterday's");
}

/// Fails when a capture is emptied because it was named in two ways.
#[test]
fn a_capture_is_not_overwritten_by_what_is_read_from_it() {
    let directory = directory("good.pcap", datagrams(1));
    let ran = egret().within(&directory).read("good.pcap").args("--events ./good.pcap").run();
    let first = ran.stderr.lines().next();
    let expected = "error: good.pcap is to be read and would be overwritten; write to another file";
    assert_eq!(first, Some(expected));
    assert_eq!(ran.code, 2);
    assert_eq!(fs::read(directory.path().join("good.pcap")).unwrap(), datagrams(1));
}

/// Fails when the message of a usage error changes, or its exit code is taken for a failed run.
#[test]
fn usage_errors() {
    for (arguments, message) in [
        ("", "error: the following required arguments were not provided:"),
        (
            "a --events - --alerts -",
            "error: --events - and --alerts - cannot share stdout; give one of them a file",
        ),
        (
            "a --learn 30",
            "error: invalid value '30' for '--learn <DURATION>': \"30\" is not a duration: write a \
             number and a unit, such as 30s, 5m, 2h or 7d",
        ),
        ("a --fail-on loud", "error: invalid value 'loud' for '--fail-on <SEVERITY>'"),
        ("a --evnts x", "error: unexpected argument '--evnts' found"),
        ("- -", "error: `-` is given twice; stdin can be read once only"),
    ] {
        let ran = egret().arg("read").args(arguments).run();
        assert_eq!(ran.stderr.lines().next(), Some(message));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.ends_with("\nFor more information, try '--help'.\n"), "{}", ran.stderr);
    }
}

/// Fails when the filter is not applied, or what it drops is counted as refused.
#[test]
fn a_filter_drops_without_refusing() {
    let directory = directory("good.pcap", datagrams(3));
    let run = |filter| {
        let ran = egret().within(&directory).read("good.pcap").args("--json --filter").arg(filter);
        ran.run().done().json().swap_remove(0)
    };
    assert_eq!(run("udp")["packets"], 3);
    let none = run("tcp");
    assert_eq!((&none["packets"], &none["refused"]), (&0.into(), &serde_json::json!({})));
}
