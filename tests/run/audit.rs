//! Audit records that a running sensor takes: posted, and from files that are followed.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::{Duration, Instant};

use egret_tests::audit::{Call, Caller, Session, Trail};
use egret_tests::egret::json_lines;
use egret_tests::frames::Frames;
use egret_tests::receiver::{Received, Receiver};
use egret_tests::sensor::{Installation, Samples, Sensor};
use egret_tests::wait;
use egret_tests::wire::tunnel::{self as wrap, ENDS};
use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::accounting::cable;
use super::hello::Hellos;
use super::{SOON, installation, turn};

const TOKEN: &str = "0123456789abcdef";
const PATH: &str = "/intake/audit";

/// Calls of Amazon EC2 now, by somebody who may not.
fn called(calls: &[Call<'_>]) -> Trail {
    let eve = Caller { account: "111122223333", role: "eve", from: "203.0.113.5" };
    let now = jiff::Timestamp::now().as_nanosecond().try_into().unwrap();
    let mut trail = Trail::default();
    for call in calls {
        trail.call(now, 0, &eve, *call);
    }
    trail
}

/// A mirror to `eni-0evil` is made, as EventBridge passes it on.
fn made() -> Vec<u8> {
    let target = "tmt-0evil";
    let session = Session { id: "tms-0evil", source: "eni-0web", target, network: wrap::NETWORK };
    let of = Call::Target { id: target, interface: "eni-0evil" };
    let passed = |record: &Value| {
        let kind = "AWS API Call via CloudTrail";
        json!({"detail-type": kind, "source": "aws.ec2", "detail": record}).to_string() + "\n"
    };
    let mut trail = called(&[of, Call::Create(session)]);
    trail.records().into_iter().map(passed).collect::<String>().into_bytes()
}

/// Mirrors that were removed, each a line that tells of one event.
fn removed<const COUNT: usize>() -> [String; COUNT] {
    let session = Session { id: "tms-0a01", source: "eni-0web", target: "tmt-0a50c", network: 1 };
    let mut trail = called(&[Call::Delete(session); COUNT]);
    let lines: Vec<_> = trail.records().iter().map(|record| format!("{record}\n")).collect();
    lines.try_into().unwrap()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn result(samples: &Samples, result: &str) -> u64 {
    samples.count("egret_audit_events_total", &[("result", result)])
}

fn until_understood(sensor: &Sensor, records: u64) -> Samples {
    let what = format!("{records} records understood");
    sensor.until_metrics(&what, SOON, |samples| result(samples, "understood") >= records)
}

/// Takes records with [`TOKEN`] by HTTP, beside this config.
fn posted_to(more: &str) -> Installation {
    let installation = installation("");
    let token = installation.file("audit.token", TOKEN);
    let token = token.display();
    installation
        .configure(&format!("[intake.audit]\nhttp = true\ntoken_file = \"{token}\"\n{more}"));
    installation
}

/// What the SOC was told of the mirror.
fn about_it(soc: &Receiver) -> Vec<Received> {
    let mut received = soc.received();
    received.retain(|request| request.json()["analytic"] == "AN1131");
    received
}

/// Fails when a change and the packets that follow are not one critical alert at the SOC, whichever of
/// them the sensor hears of first.
#[test]
fn a_mirror_and_its_record_are_one_critical_alert() {
    let Some(_turn) = turn(&[]) else { return };
    let [_, evil] = ENDS[0];
    for is_told_first in [true, false] {
        let [switch, machine] = cable();
        let soc = Receiver::http(&machine, "127.0.0.1:8081");
        let installation = installation("");
        let secret = installation.file("secret", Receiver::SECRET);
        let token = installation.file("audit.token", TOKEN);
        installation.configure(&format!(
            "[baseline]\nlearning = \"1s\"\n\n[detect.mirror_policy]\ndestinations = [\"10.30.0.9\"]\n\
             addresses = {{ \"eni-0evil\" = \"{evil}\" }}\n\n[intake.audit]\nhttp = true\n\
             token_file = \"{}\"\n\n[[deliver.webhook]]\nurl = \"http://127.0.0.1:8081/soc\"\n\
             secret_file = \"{}\"\n",
            token.display(),
            secret.display(),
        ));
        let mut sensor = installation.start(&machine, "-i eth1");
        // What is seen before is learned.
        std::thread::sleep(Duration::from_secs(2));
        let tell = || {
            let answer = sensor.post(PATH, TOKEN, &made());
            assert_eq!(
                (answer.status, &answer.json()["understood"]),
                (202, &json!(2)),
                "{answer:?}"
            );
        };
        let frames = Hellos::new().conversation(1);
        let frames = frames.iter().map(|frame| wrap::outer(false, &wrap::vxlan(frame))).collect();
        let frames = Frames::of(frames);
        if is_told_first {
            tell();
        } else {
            frames.send_once(&switch, "m0");
        }
        let first = wait::until("a first alert", SOON, || about_it(&soc).pop()).json();
        let severity = if is_told_first { "medium" } else { "high" };
        assert_eq!(first["severity"], severity, "{first:#}");
        let later = Instant::now();
        if is_told_first {
            frames.send_once(&switch, "m0");
        } else {
            tell();
        }
        let critical = wait::until("a critical alert", SOON, || {
            about_it(&soc).into_iter().find(|request| request.json()["severity"] == "critical")
        });
        eprintln!("critical {:?} after the later of the two", critical.at - later);
        let alert = critical.json();
        assert_eq!(alert["destination"]["address"], evil, "{alert:#}");
        let evidence = alert["evidence"].as_array().unwrap();
        for kind in ["audit_event", "mirrored_traffic"] {
            assert!(evidence.iter().any(|piece| piece["kind"] == kind), "no {kind}: {alert:#}");
        }
        assert!(sensor.stop(SOON).success());
        for request in about_it(&soc) {
            assert_eq!(request.json()["id"], first["id"], "{}", request.body);
        }
    }
}

/// Fails when a record in a file is lost or told twice while files grow, are rotated and come packed, or a
/// reload does not say which are followed.
#[test]
fn files_are_followed_through_rotation_and_reload() {
    let Some(_turn) = turn(&[]) else { return };
    let [_switch, machine] = cable();
    let installation = installation("");
    let folder = installation.config().with_file_name("trail");
    let file = |name: &str| folder.join(name);
    fs::create_dir(&folder).unwrap();
    let follow = |pattern: &str| {
        let path = file(pattern);
        installation.configure(&format!("[intake.audit]\nfiles = [\"{}\"]\n", path.display()));
    };
    follow("a.*");
    let add = |name: &str, text: &str| {
        let file = OpenOptions::new().append(true).create(true).open(file(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    };
    let [one, two, three, four, five, six] = removed();
    add("a.json", &one);
    let events = installation.config().with_file_name("eve.json");
    let mut sensor =
        installation.start(&machine, &format!("-i eth1 --events {}", events.display()));
    until_understood(&sensor, 1);
    let (begin, end) = two.split_at(60);
    add("a.json", begin);
    add("a.json", &format!("{end}{one}noise\n"));
    let samples = until_understood(&sensor, 2);
    assert_eq!((result(&samples, "repeated"), result(&samples, "malformed")), (1, 1), "{samples}");
    // Rotated to a name that nothing follows; whoever writes goes on there for a moment.
    fs::rename(file("a.json"), file("old")).unwrap();
    add("old", &three);
    add("a.json", &four);
    until_understood(&sensor, 4);
    fs::write(file("a.json.gz"), packed(five.as_bytes())).unwrap();
    until_understood(&sensor, 5);
    add("b.json", &six);
    follow("b.*");
    sensor.signal(Signal::HUP);
    let samples = until_understood(&sensor, 6);
    assert_eq!(result(&samples, "repeated"), 1, "{samples}");
    assert!(sensor.stop(SOON).success());
    let events = json_lines(&fs::read_to_string(&events).unwrap());
    let told = events.iter().filter(|event| event["event_type"] == "audit");
    assert_eq!(told.count(), 6);
}

/// Fails when anybody can post, what is hostile is taken or not counted, or it harms what comes after.
#[test]
fn what_is_posted_is_checked() {
    let Some(_turn) = turn(&[]) else { return };
    let [_switch, machine] = cable();
    let installation = posted_to("");
    let mut sensor = installation.start(&machine, "-i eth1");
    let [one, two, three] = removed();
    for wrong in ["0123456789abcdee", ""] {
        assert_eq!(sensor.post(PATH, wrong, one.as_bytes()).status, 401);
    }
    let bomb = packed(&vec![b' '; (16 << 20) + 1]);
    assert_eq!(sensor.post(PATH, TOKEN, &bomb).status, 413);
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(2 << 20));
    for (reason, body) in [
        ("duplicate_key", br#"{"Records":[{"eventID":"a","eventID":"b"}]}"#.to_vec()),
        ("too_deep", deep.into_bytes()),
        ("too_large", long.into_bytes()),
        ("not_utf8", b"{\"a\":\"\xff\"}".to_vec()),
        ("malformed", b"{\"a\":\n".to_vec()),
    ] {
        let answer = sensor.post(PATH, TOKEN, &body);
        let said = answer.json()["error"].to_string();
        assert_eq!(answer.status, 400, "{reason}: {answer:?}");
        assert!(said.contains(&reason.replace('_', " ")), "{reason}: {said}");
        sensor.until_metrics(reason, SOON, |samples| result(samples, reason) > 0);
    }
    assert_eq!(sensor.post(PATH, TOKEN, &packed(one.as_bytes())).status, 202);
    let samples = until_understood(&sensor, 1);
    let requests = |result| samples.count("egret_audit_requests_total", &[("result", result)]);
    assert_eq!(["unauthorized", "refused", "accepted", "busy"].map(requests), [2, 6, 1, 0]);

    installation.file("audit.token", "fedcba9876543210");
    sensor.signal(Signal::HUP);
    wait::until("the new token is asked for", SOON, || {
        (sensor.post(PATH, TOKEN, two.as_bytes()).status == 401).then_some(())
    });
    assert_eq!(sensor.post(PATH, "fedcba9876543210", three.as_bytes()).status, 202);
    assert!(sensor.stop(SOON).success());
}
