//! Real lines, and what is expected of them: `logs/` below the folder that `EGRET_CORPUS` names.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::operation::named;
use crate::event::{Report, Said};
use crate::intake::{Origin, Reader};

/// The folder of log lines, or that there is none.
fn logs() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("EGRET_CORPUS") else {
        eprintln!("SKIPPED: set EGRET_CORPUS to a folder with logs/ in it to read real log lines");
        return None;
    };
    Some(Path::new(&folder).join("logs"))
}

/// The lines of a file, the templates filled; what each told, and what was expected of the file.
fn told(name: &str) -> Option<(Vec<Option<Report>>, Value, Reader)> {
    let logs = logs()?;
    let expected = std::fs::read_to_string(logs.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let mut reader = Reader::of_file(None);
    let text = std::fs::read_to_string(logs.join(name)).unwrap();
    let told = text.lines().map(|line| {
        let filled = filled(line);
        reader.read(&Origin { arrival: None, peer: None }, filled.as_bytes())
    });
    let told = told.collect();
    Some((told, expected[name].clone(), reader))
}

fn filled(line: &str) -> String {
    let mut line = line.replace("\\n", "");
    for (mark, text) in [
        ("mark", "<14>"),
        ("iso_header", "2026-11-20T14:03:11.123"),
        ("iso", "2026-11-20T14:03:11.123"),
        ("bsd", "Nov 20 14:03:11"),
        ("host", "esx1"),
        ("pid", "4711"),
    ] {
        line = line.replace(&format!("{{{{ {mark} }}}}"), text);
    }
    // One that was captured without its header.
    if line.starts_with("vpxd ") { format!("<14>1 2019-05-23T09:03:36Z vc1 {line}") } else { line }
}

#[test]
fn guest_operations_are_those_that_were_expected() {
    let Some((told, expected, reader)) = told("artefacts_esxi8_ondisk.log") else { return };
    let mut expected = expected["guest_operations"].as_array().unwrap().iter();
    for (line, report) in (1u64..).zip(told) {
        let Some(Report { stated, said: Said::GuestOperation(said), .. }) = report else {
            continue;
        };
        let expected = expected.next().unwrap();
        assert_eq!(line, expected["line"].as_u64().unwrap());
        assert_eq!(said.operation, named(expected["operation"].as_str().unwrap()), "{line}");
        assert_eq!(said.vm.as_deref(), expected["vm"].as_str(), "{line}");
        assert_eq!(said.event, expected["event"].as_u64(), "{line}");
        assert_eq!(said.account, None, "{line}");
        assert_eq!(stated, expected["time"].as_str().unwrap().parse().ok(), "{line}");
    }
    assert_eq!(expected.next(), None);
    assert_eq!(reader.counts().unreadable, 0);
    // Three logins at the API and over SSH, one that is told twice, and one logout.
    assert_eq!(reader.counts().understood, 6 + 5, "{:?}", reader.counts());
}

#[test]
fn lines_of_a_relay_are_logins_and_flows_or_nothing() {
    let Some((told, expected, _)) = told("sc4s_vmware.log") else { return };
    let mut logins = Vec::new();
    let mut ended = 0;
    for (line, report) in (1u64..).zip(told) {
        match report.map(|report| report.said) {
            Some(Said::Session(said)) => logins.push((line, said)),
            Some(Said::Exported(_)) => ended += 1,
            Some(Said::Conversation(_)) => {}
            Some(other) => panic!("{line}: {other:?}"),
            None => {}
        }
    }
    for login in expected["logins"].as_array().unwrap() {
        let line = login["line"].as_u64().unwrap();
        let (_, said) = logins.iter().find(|(at, _)| *at == line).unwrap();
        assert_eq!(&*said.account, login["account"].as_str().unwrap());
        assert_eq!(said.client, login["address"].as_str().unwrap().parse().ok());
    }
    // The captured ones, and the templates that were made of them.
    assert_eq!((logins.len(), ended), (2, 2));
}
