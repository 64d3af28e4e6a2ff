//! Reads real captures with the binary and compares its events with what tshark saw in them.
//!
//! `EGRET_CORPUS` names a folder with `pcaps/GROUP/*`, `truth/GROUP.jsonl` (by `t`: `file`, `tls_ch`,
//! `quic_ch`, `dns_resp`) and `truth/flows_GROUP.jsonl`. Tunnelled captures are left out. Where Egret knowingly
//! differs from tshark, `docs/differences.md` says why; the bars leave room for that.

#![expect(clippy::unwrap_used, reason = "what cannot be read should stop the test")]
#![expect(clippy::indexing_slicing, reason = "of JSON: what is not there is null")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const GROUPS: [&str; 7] = ["tls", "quic", "dns", "formats", "malformed", "encap", "other"];

const BAR: f64 = 99.5; // percent

#[test]
fn real_captures_read_as_tshark_reads_them() {
    let Some(corpus) = std::env::var_os("EGRET_CORPUS").map(PathBuf::from) else {
        // Not by `eprintln`: the test harness keeps that to itself.
        let skipped = "SKIPPED: set EGRET_CORPUS to a folder of captures with their truth";
        return writeln!(std::io::stderr(), "{skipped}").unwrap();
    };
    let mut scores = Scores::default();
    for group in GROUPS {
        let truth = Truth::of(&corpus, group);
        assert!(!truth.files.is_empty(), "no captures of group {group} in {}", corpus.display());
        for file in &truth.files {
            compare(file, &truth, &corpus, &mut scores);
        }
    }
    for (measure, score) in &scores.0 {
        let (right, of, percent) = (score.right, score.of, score.percent());
        eprintln!("{measure:8} {right:5} of {of:5}  {percent:7.3} %");
        score.missed.iter().for_each(|missed| eprintln!("         {missed}"));
    }
    for measure in ["packets", "sni", "ja4", "quic sni", "quic ja4", "dns", "flows"] {
        let bar = if measure == "packets" { 100.0 } else { BAR };
        let percent = scores.0.get(measure).map_or(0.0, Score::percent);
        assert!(percent >= bar, "{measure}: {percent:.3} % is below {bar} %");
    }
}

fn compare(file: &Value, truth: &Truth, corpus: &Path, scores: &mut Scores) {
    let (id, name) = (text(&file["id"]), text(&file["file"]));
    let events = read(&corpus.join("pcaps").join(name));
    let seen = Seen::in_events(&events);
    let both_agree = file["packets"] == file["packets_own_reader"];
    scores.count(
        "packets",
        name,
        seen.accounted && (!both_agree || Some(seen.packets) == file["packets"].as_u64()),
        &"read, but neither in a flow nor refused",
    );
    if file["tunnels"].as_object().is_some_and(|tunnels| !tunnels.is_empty()) {
        return;
    }
    for (kind, [sni_of, ja4_of]) in HELLOS {
        for hello in truth.of_file(kind, id).filter(|hello| {
            hello["malformed"] == false
                && hello["first_hello_of_tuple"] == true
                && hello["n_hello_in_frame"] == 1
        }) {
            let ends = (side(hello, "src", "sport"), side(hello, "dst", "dport"));
            for sni in names(hello) {
                let sent = (ends, sni);
                scores.count(sni_of, name, seen.names.contains(&sent), &sent);
            }
            if let Some(ja4) = ja4(hello) {
                let sent = (ends, ja4.to_owned());
                scores.count(ja4_of, name, seen.prints.contains(&sent), &sent);
            }
        }
    }
    for response in truth.of_file("dns_resp", id).filter(|response| {
        response["malformed"] == false && response["in_icmp"] == false && !is_empty(response)
    }) {
        let (key, answers) = told(response);
        let known = seen.responses.get(&key);
        let is_there = known.is_some_and(|seen| answers.is_subset(seen));
        scores.count("dns", name, is_there, &(key, answers));
    }
    let is_plain = both_agree && file["malformed_frames"] == 0 && file["max_vlan_tags"] == 0;
    if is_plain {
        for (key, sent) in truth.flows(id) {
            let counted = seen.sent.get(&key).copied().unwrap_or_default();
            scores.count("flows", name, counted == sent, &(key, counted, sent));
        }
    }
}

/// The events of a capture; the binary must end well on any.
fn read(capture: &Path) -> Vec<Value> {
    let events = tempfile::NamedTempFile::new().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_egret"))
        .args(["read", "--quiet", "--events"])
        .args([events.path(), capture])
        .output()
        .unwrap();
    // A damaged header is a failure that is told, and no crash.
    assert!(matches!(run.status.code(), Some(0 | 1)), "{}: {run:?}", capture.display());
    lines(events.path())
}

fn lines(path: &Path) -> Vec<Value> {
    let content = std::fs::read_to_string(path).unwrap();
    content.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

type Side = (Option<IpAddr>, u64); // address, port
type Asked = (u64, String); // id and name of the first question
type Answer = (&'static str, String); // type, value
type Way = (String, Side, Side); // protocol, sender, receiver
type Ends = (Side, Side); // client, server

/// What the events of a capture say.
#[derive(Default)]
struct Seen {
    packets: u64,
    /// Whether every packet is in a flow or refused.
    accounted: bool,
    /// Server names.
    names: BTreeSet<(Ends, String)>,
    /// JA4.
    prints: BTreeSet<(Ends, String)>,
    responses: BTreeMap<Asked, BTreeSet<Answer>>,
    /// Packets and bytes.
    sent: BTreeMap<Way, (u64, u64)>,
}

impl Seen {
    fn in_events(events: &[Value]) -> Self {
        let mut seen = Self { accounted: true, ..Self::default() };
        for event in events {
            let client = side(event, "src_ip", "src_port");
            let server = side(event, "dest_ip", "dest_port");
            match text(&event["event_type"]) {
                kind @ ("tls" | "quic") => {
                    let (ends, hello) = ((client, server), &event[kind]);
                    seen.names.insert((ends, host(text(&hello["sni"]))));
                    seen.prints.insert((ends, text(&hello["ja4"]).to_owned()));
                }
                "dns" if event["dns"]["type"] == "response" => seen.response(&event["dns"]),
                "flow" => {
                    let protocol = text(&event["proto"]).to_lowercase();
                    let flow = &event["flow"];
                    for (from, to, way) in
                        [(client, server, "toserver"), (server, client, "toclient")]
                    {
                        let sent = seen.sent.entry((protocol.clone(), from, to)).or_default();
                        sent.0 += number(&flow[format!("pkts_{way}")]);
                        sent.1 += number(&flow[format!("bytes_{way}")]);
                    }
                }
                "stats" => {
                    seen.packets = number(&event["stats"]["decoder"]["pkts"]);
                    let refused = event["egret"]["refused"].as_object().into_iter().flatten();
                    let refused: u64 = refused
                        .filter_map(|(_, reasons)| reasons.as_object())
                        .flat_map(|reasons| reasons.values().map(number))
                        .sum();
                    let in_flows: u64 = seen.sent.values().map(|(packets, _)| packets).sum();
                    seen.accounted = in_flows + refused == seen.packets;
                }
                _ => {}
            }
        }
        seen
    }

    fn response(&mut self, dns: &Value) {
        let key = (number(&dns["id"]), host(text(&dns["queries"][0]["rrname"])));
        let answers = self.responses.entry(key).or_default();
        answers.extend(list(&dns["answers"]).filter_map(|answer| {
            let value = text(&answer["rdata"]);
            KEPT.into_iter()
                .find(|(_, name, _)| answer["rrtype"] == *name)
                .map(|(_, name, _)| (name, host(value)))
        }));
    }
}

/// Kinds of ClientHellos, and the measures of their server names and of their JA4.
const HELLOS: [(&str, [&str; 2]); 2] =
    [("tls_ch", ["sni", "ja4"]), ("quic_ch", ["quic sni", "quic ja4"])];

/// The server names of a hello: as the reference of JA4 reads them, where it did.
fn names(hello: &Value) -> Vec<String> {
    match hello["sni_foxio"].as_str().filter(|name| !name.is_empty()) {
        Some(name) => vec![host(name)],
        None => list(&hello["sni"]).map(|name| host(text(name))).collect(),
    }
}

/// The JA4 of a hello: the reference's where it has one, else by tshark's fields.
fn ja4(hello: &Value) -> Option<&str> {
    ["ja4_foxio", "ja4_computed"].into_iter().find_map(|known| {
        let known = &hello[known];
        let first = list(known).next().unwrap_or(known);
        first.as_str().filter(|ja4| !ja4.is_empty())
    })
}

/// Record types that are compared: number, name, where tshark has the value.
const KEPT: [(&str, &str, &str); 4] = [
    ("1", "A", "a"),
    ("28", "AAAA", "aaaa"),
    ("5", "CNAME", "cname"),
    ("12", "PTR", "ptr.domain_name"),
];

/// What tshark tells of a response.
fn told(response: &Value) -> (Asked, BTreeSet<Answer>) {
    let id = u64::from_str_radix(text(&response["txid"]).trim_start_matches("0x"), 16).unwrap();
    let answers = list(&response["answers"]).filter_map(|answer| {
        let (_, name, field) = KEPT.into_iter().find(|(kind, _, _)| answer["type"] == *kind)?;
        Some((name, host(answer[field].as_str()?)))
    });
    ((id, host(text(&response["q"][0][0]))), answers.collect())
}

fn is_empty(response: &Value) -> bool {
    list(&response["q"]).chain(list(&response["answers"])).next().is_none()
}

/// What tshark saw in a group of captures.
struct Truth {
    files: Vec<Value>,
    messages: Vec<Value>,
    flows: Vec<Value>,
}

impl Truth {
    fn of(corpus: &Path, group: &str) -> Self {
        let folder = corpus.join("truth");
        let (files, messages): (Vec<Value>, Vec<Value>) =
            lines(&folder.join(format!("{group}.jsonl")))
                .into_iter()
                .partition(|line| line["t"] == "file");
        let pcaps = corpus.join("pcaps");
        let files = files.into_iter().filter(|file| pcaps.join(text(&file["file"])).exists());
        let flows = lines(&folder.join(format!("flows_{group}.jsonl")));
        Self { files: files.collect(), messages, flows }
    }

    fn of_file(&self, kind: &'static str, id: &str) -> impl Iterator<Item = &Value> {
        self.messages.iter().filter(move |line| line["t"] == kind && line["id"] == id)
    }

    /// What each side sent: packets and bytes.
    fn flows(&self, id: &str) -> BTreeMap<Way, (u64, u64)> {
        let mut sent: BTreeMap<Way, (u64, u64)> = BTreeMap::new();
        for flow in self.flows.iter().filter(|flow| flow["id"] == id) {
            let (a, b) = (side(flow, "a", "aport"), side(flow, "b", "bport"));
            for (from, to, way) in [(a, b, "ab"), (b, a, "ba")] {
                let sent = sent.entry((text(&flow["tp"]).to_owned(), from, to)).or_default();
                sent.0 += number(&flow[format!("{way}_pkts")]);
                sent.1 += number(&flow[format!("{way}_bytes")]);
            }
        }
        sent.retain(|_, sent| *sent != (0, 0));
        sent
    }
}

/// How many of what tshark saw the events say, by measure.
#[derive(Default)]
struct Scores(BTreeMap<&'static str, Score>);

#[derive(Default)]
struct Score {
    right: u64,
    of: u64,
    missed: Vec<String>,
}

impl Scores {
    fn count(
        &mut self,
        measure: &'static str,
        file: &str,
        is_right: bool,
        what: &impl std::fmt::Debug,
    ) {
        let score = self.0.entry(measure).or_default();
        score.of += 1;
        if is_right {
            score.right += 1;
        } else {
            score.missed.push(format!("{file}: {what:?}"));
        }
    }
}

impl Score {
    fn percent(&self) -> f64 {
        100.0 * self.right as f64 / self.of.max(1) as f64
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A number, or its digits.
fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| text(value).parse().ok()).unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A name or an address, in one form.
fn host(name: &str) -> String {
    match name.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => name.trim_end_matches('.').to_lowercase(),
    }
}

fn side(value: &Value, address: &str, port: &str) -> Side {
    let address = text(&value[address]).parse::<IpAddr>().ok();
    (address.map(|address| address.to_canonical()), number(&value[port]))
}
