//! Names that an attacker chose: every line stays one line of JSON, and nothing acts on a terminal.

use std::fs;

use egret_tests::dns::{self, Data, Record, rcode, rtype};
use egret_tests::scenario::SECOND;
use egret_tests::traffic::{HOSTILE, START, Traffic, end, is_harmless, path, put_in, stand_in};

use super::accounting::{events, of_type};
use super::captures::{datagrams, question};
use super::{directory, egret};

/// Every hostile name as the server name of a session, as the question and the alias of a DNS
/// response and as a text in it.
fn capture() -> Vec<u8> {
    let mut traffic = Traffic::default();
    for (number, name) in HOSTILE.into_iter().enumerate() {
        let at = START + number as u64 * SECOND;
        let port = 40_000 + number as u16;
        let asked = stand_in(name);
        let hello = traffic.client_hello(name);
        let to = path(end("10.20.0.11", port), end("203.0.113.5", 443));
        traffic.tcp(at, to).send(true, &hello);

        let record = |data| Record { name: asked.clone(), ttl: 60, data };
        let answers = [record(Data::Cname(asked.clone())), record(Data::Txt(asked.clone()))];
        let response = dns::response(1, &asked, rtype::TXT, rcode::NO_ERROR, &answers);
        let back = question("10.20.0.11", port).back();
        traffic.datagram(at, &back, &put_in(&response, name));
    }
    traffic.pcap()
}

/// Fails when a name ends its line early, breaks out of its string, or makes the JSON invalid.
#[test]
fn events_stay_json_lines() {
    let events = events(&capture());
    let sessions = of_type(events.clone(), "tls");
    let responses = of_type(events.clone(), "dns");
    assert_eq!((sessions.len(), responses.len()), (HOSTILE.len(), HOSTILE.len()));
    assert_eq!(events.len(), 4 * HOSTILE.len() + 1, "two flows each, and the stats at the end");
    assert_eq!(of_type(events, "alert").len(), 0);
    // The exact bytes can be told from the text: another name gives another.
    let names = |of: &dyn Fn(usize) -> String| {
        let mut names: Vec<String> = (0..HOSTILE.len()).map(of).collect();
        names.sort();
        names.dedup();
        names
    };
    let sni = |at: usize| sessions[at]["tls"]["sni"].as_str().unwrap().to_owned();
    let alias =
        |at: usize| responses[at]["dns"]["answers"][0]["rdata"].as_str().unwrap().to_owned();
    let text = |at: usize| responses[at]["dns"]["answers"][1]["rdata"].as_str().unwrap().to_owned();
    for names in [names(&sni), names(&alias), names(&text)] {
        assert_eq!(names.len(), HOSTILE.len(), "{names:?}");
        assert!(names.iter().all(|name| name.chars().all(is_harmless)), "{names:?}");
    }
}

/// Fails when what is printed for people passes such a name on as it is.
#[test]
fn people_are_shown_printable_text() {
    let directory = directory("hostile.pcap", capture());
    let ran = egret().within(&directory).read("hostile.pcap").arg("-vv").run().done();
    let harmless = |text: &str| text.lines().all(|line| line.chars().all(is_harmless));
    assert!(harmless(&ran.stdout) && harmless(&ran.stderr), "{ran:?}");

    // The file's name, too, may be another's choice.
    let name = "a\nalerts   none\x1b[31m\u{202e}.pcap";
    fs::write(directory.path().join(name), &datagrams(2)[..110]).unwrap();
    let ran = egret().within(&directory).read(name).run().done();
    assert!(harmless(&ran.stdout), "{:?}", ran.stdout);
    let note = r"a\nalerts   none\x1b[31m\u{202e}.pcap: ends early at byte 100: ";
    assert!(ran.summary("note")[0].starts_with(note), "{:?}", ran.summary("note"));
    assert_eq!(ran.summary("alerts").len(), 1);
}
