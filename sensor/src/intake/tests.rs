use std::fs;
use std::path::PathBuf;

use super::*;

const HEADER: &str = "<166>2026-11-20T14:03:11.000Z esxi-01 Hostd[1]:";

fn arrived(seconds: u64) -> Origin {
    let arrival = Some(Timestamp::from_parts(1_795_183_391 + seconds, 0));
    Origin { arrival, peer: Some([10, 10, 0, 11].into()) }
}

fn operation(header: &str, number: u64) -> String {
    format!(
        "{header} [Originator@6876 sub=Vimsvc.ha-eventmgr] Event {number} : Guest operation Start Program performed on Virtual machine app-01."
    )
}

#[test]
fn each_message_is_counted_once() {
    let mut reader = Reader::default();
    let messages = [
        operation(HEADER, 1),
        format!("{HEADER} [Originator@6876 sub=x] nothing that matters"),
        format!("{HEADER} --> {}", operation("", 2)),
        format!("--> {}", operation(HEADER, 3)),
        "<13>message repeated 2 times: [ x]".to_owned(),
        "what?".to_owned(),
    ];
    let reports = messages.iter().filter_map(|line| reader.read(&arrived(0), line.as_bytes()));
    assert_eq!(reports.count(), 1);
    let expected = Counts {
        understood: 1,
        irrelevant: 1,
        continuation: 2,
        repetition: 1,
        unreadable: 1,
        cut: 0,
        missing: 0,
    };
    assert_eq!((reader.counts(), reader.counts().total()), (expected, messages.len() as u64));
}

#[test]
fn bytes_that_are_no_text_lose_no_message() {
    let mut reader = Reader::default();
    let mut line = operation(HEADER, 1).into_bytes();
    let at = line.windows(6).position(|bytes| bytes == b"app-01").unwrap();
    line[at..at + 3].copy_from_slice(&[0xff, 0x00, 0x0b]);
    assert!(reader.read(&arrived(0), &line).is_some());
}

#[test]
fn the_time_is_that_of_the_message_by_this_sensors_clock() {
    let mut reader = Reader::default();
    let read = |reader: &mut Reader, seconds, line: &str| {
        let report = reader.read(&arrived(seconds), line.as_bytes()).unwrap();
        (report.time.as_secs() - 1_795_183_391, report.stated.map(|time| time.to_string()))
    };
    for number in 0..20 {
        // All say the same second: only the arrivals go on, and those are late.
        let (time, stated) = read(&mut reader, 3600 + number, &operation(HEADER, number));
        assert_eq!(stated.unwrap(), "2026-11-20T14:03:11.000000Z");
        assert!(time >= 3600 && time <= 3600 + number, "{time}");
    }
    assert!(reader.largest_skew() >= Duration::from_secs(3600));
    let (time, stated) = read(&mut reader, 5000, &operation("<166>NoneZ esxi-01 Hostd[1]:", 1));
    assert_eq!((time, stated), (5000, None), "without its own, that of its arrival");
}

#[test]
fn of_a_file_the_time_is_what_lines_say() {
    let written = "2026-03-01T00:00:00Z".parse().ok();
    let mut reader = Reader::of_file(written);
    let origin = Origin { arrival: None, peer: None };
    for (header, time) in [
        ("2024-06-04T21:58:00.975Z In(166) Hostd[1]:", "2024-06-04T21:58:00.975000Z"),
        ("Dec 24 18:00:00 esxi-01 Hostd[1]:", "2025-12-24T18:00:00.000000Z"),
    ] {
        let report = reader.read(&origin, operation(header, 1).as_bytes()).unwrap();
        assert_eq!(report.time.to_string(), time);
    }
    assert!(reader.read(&origin, operation("NoneZ esxi-01 Hostd[1]:", 1).as_bytes()).is_none());
    assert_eq!(reader.counts().irrelevant, 1, "nobody can say when it was");
}

/// Real lines, where a machine has them: none is lost, and none misread.
#[test]
fn real_lines_are_read() {
    let Some(folder) = std::env::var_os("EGRET_CORPUS").map(PathBuf::from) else {
        return eprintln!("SKIPPED: EGRET_CORPUS names no directory of logs");
    };
    let logs = folder.join("logs");
    let Ok(stored) = fs::read_to_string(logs.join("artefacts_esxi8_ondisk.log")) else {
        return eprintln!("SKIPPED: there are no logs in EGRET_CORPUS");
    };
    let mut reader = Reader::of_file(None);
    let origin = Origin { arrival: None, peer: None };
    let mut operations = 0;
    for line in stored.lines() {
        let said = reader.read(&origin, line.as_bytes()).map(|report| report.said);
        operations += u32::from(matches!(said, Some(crate::event::Said::GuestOperation(_))));
    }
    assert_eq!((operations, reader.counts().unreadable), (6, 0), "{:?}", reader.counts());

    let sent = fs::read_to_string(logs.join("sc4s_vmware.log")).unwrap();
    let mut reader = Reader::default();
    for line in sent.lines() {
        // The priority, the times, the host and the process id of the templates.
        let line = line
            .replace("{{ mark }}", "<166>")
            .replace("{{ iso_header }}", "2026-11-20T14:03:11.000")
            .replace("{{ iso }}", "2026-11-20T14:03:11.000")
            .replace("{{ bsd }}", "Nov 20 14:03:11")
            .replace("{{ host }}", "esxi-01")
            .replace("{{ pid }}", "12");
        let message = syslog::parse(&line, Form::Wire, arrived(0).arrival);
        if line.starts_with('<') {
            let message = message.unwrap_or_else(|| panic!("{line}"));
            assert!(message.time.is_some() && message.host.is_some(), "{line}: {message:?}");
            assert!(!message.program.is_empty(), "{line}: {message:?}");
        }
        reader.read(&arrived(0), line.as_bytes());
    }
    assert_eq!(reader.counts().total(), sent.lines().count() as u64);
}
