use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::event::Said;

const NOW: Timestamp = Timestamp::from_parts(1_795_183_391, 0);

/// A record of CloudTrail with this id, of something that was removed so many seconds after [`NOW`].
fn removed(id: u64, second: i64) -> Value {
    let time = match u64::try_from(second) {
        Ok(second) => NOW.plus(Duration::from_secs(second)),
        Err(_) => NOW.minus(Duration::from_secs(second.unsigned_abs())),
    };
    json!({
        "eventID": id.to_string(), "eventTime": time,
        "eventSource": "ec2.amazonaws.com", "eventName": "DeleteTrafficMirrorSession",
    })
}

fn record(id: u64) -> Value {
    removed(id, 0)
}

/// The reports of one body, by their ids.
fn told(reader: &mut Reader, arrival: Option<Timestamp>, body: &[u8]) -> Vec<(String, Timestamp)> {
    let mut told = Vec::new();
    let mut tell = |report: Report| match report.said {
        Said::MirrorChanged(change) => {
            told.push((change.record.unwrap().to_string(), report.time));
        }
        Said::Exported(_) => {}
        other => panic!("{other:?}"),
    };
    let mut at = Body::default();
    reader.take(&mut at, body, arrival, &mut tell);
    reader.end(&mut at, arrival, &mut tell);
    told
}

fn ids(body: &[u8]) -> (Vec<String>, Counts) {
    let mut reader = Reader::default();
    let told = told(&mut reader, Some(NOW), body);
    (told.into_iter().map(|(id, _)| id).collect(), reader.counts())
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut gzip, content).unwrap();
    gzip.finish().unwrap()
}

/// Fails when a way that records come by is not understood.
#[test]
fn records_come_in_envelopes() {
    let event = json!({ "version": "0", "detail-type": "x", "detail": record(1) });
    let topic = json!({ "Type": "Notification", "Message": event.to_string() });
    let queue = json!({ "Messages": [{ "MessageId": "1", "Body": topic.to_string() }] });
    let lines = [record(1), record(2)]
        .map(|record| json!({ "id": "x", "timestamp": 1, "message": record.to_string() }));
    let log = json!({ "messageType": "DATA_MESSAGE", "logEvents": lines }).to_string();
    let firehose = json!({ "records": [{ "data": STANDARD.encode(gzip(log.as_bytes())) }] });
    let push = json!({ "message": { "data": STANDARD.encode(record(1).to_string()) } });
    for (body, expected) in [
        (event, vec!["1"]),
        (topic, vec!["1"]),
        (queue, vec!["1"]),
        (firehose, vec!["1", "2"]),
        (push, vec!["1"]),
        (json!({ "Records": [record(1), [record(2)], {}] }), vec!["1", "2"]),
    ] {
        let (ids, counts) = ids(body.to_string().as_bytes());
        assert_eq!(
            (ids, counts.refused()),
            (expected.iter().map(ToString::to_string).collect(), 0),
            "{body}"
        );
    }
}

/// Fails when envelopes in each other, or what they unpack to, know no end.
#[test]
fn envelopes_are_bounded() {
    let mut body = record(1).to_string();
    for _ in 0..MAX_ENVELOPES {
        body = json!({ "message": body }).to_string();
    }
    assert_eq!(ids(body.as_bytes()).0, ["1"]);
    let body = json!({ "message": body }).to_string();
    let (ids_found, counts) = ids(body.as_bytes());
    assert_eq!((ids_found.len(), counts.refused_for(Refusal::TooDeep)), (0, 1));

    // Each unpacks to less than it may; together they do not.
    let half = STANDARD.encode(gzip(&vec![b'\n'; MAX_UNPACKED / 2 + 1]));
    let both = json!([{ "data": half }, { "data": half }]).to_string();
    let both = json!({ "timestamp": 1, "message": both }).to_string();
    assert_eq!(ids(both.as_bytes()).1.refused_for(Refusal::TooLarge), 1);
    let one = json!({ "records": [{ "data": half }, { "data": half }] });
    assert_eq!(ids(one.to_string().as_bytes()).1.refused(), 0, "a record each");
}

/// Fails when a repeated record is told twice, or another one not at all.
#[test]
fn what_has_an_id_is_told_once() {
    let mut reader = Reader::default();
    let body = json!([record(1), record(2), record(1)]).to_string();
    assert_eq!(told(&mut reader, Some(NOW), body.as_bytes()).len(), 2);
    assert_eq!(told(&mut reader, None, body.as_bytes()).len(), 0);
    let counts = reader.counts();
    assert_eq!((counts.understood, counts.repeated, counts.total()), (2, 4, 6));
}

/// Fails when a report has another time than its event's, or one from the future.
#[test]
fn a_report_has_the_time_of_its_event() {
    let timeless = json!({
        "eventID": "4", "eventSource": "ec2.amazonaws.com", "eventName": "DeleteTrafficMirrorFilter",
    });
    let body = json!([removed(1, -900), removed(2, 200), removed(3, 301), timeless]).to_string();
    let times = |arrival| told(&mut Reader::default(), arrival, body.as_bytes());
    let after = |second| NOW.plus(Duration::from_secs(second));
    let before = NOW.minus(Duration::from_secs(900));
    let expected = [("1", before), ("2", after(200)), ("3", NOW), ("4", NOW)];
    assert_eq!(times(Some(NOW)), expected.map(|(id, time)| (id.to_owned(), time)));
    // Of a file nobody knows when it came: what has no time is in no order.
    let expected = [("1", before), ("2", after(200)), ("3", after(301))];
    assert_eq!(times(None), expected.map(|(id, time)| (id.to_owned(), time)));
}

/// Fails when lines of flow logs are taken for noise, or noise is counted line by line.
#[test]
fn lines_are_of_flow_logs_or_noise() {
    let line = "2 111122223333 eni-0a 10.0.0.1 10.0.0.2 443 49152 6 10 840 1 2 ACCEPT OK\n";
    let custom = "srcaddr dstaddr bytes\n10.0.0.1 10.0.0.2 840\n10.0.0.1 10.0.0.2 840\n";
    let counts = ids([line, line].concat().as_bytes()).1;
    assert_eq!((counts.understood, counts.refused()), (2, 0));
    let nothing = "2 111122223333 eni-0a - - - - - - - 1 2 - NODATA\n";
    let counts = ids([nothing, &nothing.replace("NO", "SKIP")].concat().as_bytes()).1;
    assert_eq!((counts.irrelevant, counts.skipped, counts.total()), (1, 1, 2));
    let counts = ids(custom.as_bytes()).1;
    assert_eq!((counts.irrelevant, counts.refused()), (2, 0));
    let noise = "some words\nmore words\n";
    let json = record(1).to_string() + "\n";
    let mixed = [noise, &json, noise, line, noise, "{\"a\n", noise, "\u{1}\n"].concat();
    let (found, counts) = ids(mixed.as_bytes());
    assert_eq!((found.len(), counts.understood), (1, 2));
    assert_eq!((counts.refused_for(Refusal::Malformed), counts.refused()), (4, 4));
    assert_eq!(ids(b"\xff\xfe{\0\n\xff\n").1.refused_for(Refusal::NotUtf8), 1);
}

/// Fails when a file of one line needs memory for all of it, or a record of it is lost: 20 MB, or the 200 MB of
/// a day when everything is to be tried.
#[test]
fn a_long_line_is_read_in_bounds() {
    let total: u64 =
        if std::env::var_os("EGRET_EXHAUSTIVE").is_some() { 200 << 20 } else { 20 << 20 };
    let mut reader = Reader::default();
    let (mut body, mut told, mut sent, mut piece) = (Body::default(), 0, 0, Vec::new());
    let padding = "x\\\"{[".repeat(2_000);
    piece.extend_from_slice(b"{\"Records\":[{}");
    let mut id = 0;
    while sent < total {
        while piece.len() < 1 << 16 {
            id += 1;
            let record = record(id).to_string();
            let record = record.strip_suffix('}').unwrap();
            let record = format!(",{record},\"user\":{{\"agent\":\"{padding}\"}}}}");
            piece.extend_from_slice(record.as_bytes());
        }
        sent += piece.len() as u64;
        reader.take(&mut body, &piece, Some(NOW), &mut |_| told += 1);
        piece.clear();
    }
    reader.take(&mut body, b"]}", Some(NOW), &mut |_| told += 1);
    reader.end(&mut body, Some(NOW), &mut |_| told += 1);
    let counts = reader.counts();
    assert_eq!((told, counts.total(), counts.irrelevant), (id, id + 1, 1));
}

/// Fails when a real record is refused. Without `EGRET_CORPUS` there are none.
#[test]
fn real_records_are_read() {
    let Some(folder) = std::env::var_os("EGRET_CORPUS").map(PathBuf::from) else {
        return eprintln!("SKIPPED: EGRET_CORPUS names no directory of logs");
    };
    let mut records = 0;
    for entry in std::fs::read_dir(folder.join("logs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let of = if name.ends_with(".jsonl") { "lines" } else { "whole" };
        if !name.contains(".json") || name == "expected.json" || name == "manifest.json" {
            continue;
        }
        let content = std::fs::read(&path).unwrap();
        let counts = ids(&content).1;
        let lines = content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
        let expected = if of == "lines" { lines as u64 } else { 1 };
        assert_eq!((counts.total(), counts.refused()), (expected, 0), "{name}");
        records += counts.total();
    }
    assert!(records > 0, "there are no records in EGRET_CORPUS");
}

proptest! {
    /// Fails when anything that comes is not counted once, or when it matters how it is cut.
    #[test]
    fn any_bytes_are_survived(
        parts in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..9),
            "(\\{\"eventSource\":\"ec2\\.amazonaws\\.com\",\"eventName\":\"DeleteTrafficMirrorTarget\",\"eventID\":\"[0-9]\"\\}|\"records\":\\[|\\{\"message\":\"|[\\[\\]{}\"\\\\,: \n])".prop_map(String::into_bytes),
        ], 0..30),
        size in 1usize..20,
    ) {
        let bytes = parts.concat();
        let (whole, counts) = ids(&bytes);
        let (mut reader, mut body, mut told) = (Reader::default(), Body::default(), 0);
        for piece in bytes.chunks(size) {
            reader.take(&mut body, piece, Some(NOW), &mut |_| told += 1);
        }
        reader.end(&mut body, Some(NOW), &mut |_| told += 1);
        prop_assert_eq!((told, reader.counts()), (whole.len(), counts));
    }
}
