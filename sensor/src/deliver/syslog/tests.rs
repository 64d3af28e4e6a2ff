use egret_tests::traffic::is_harmless;
use proptest::prelude::*;

use super::*;
use crate::alert::sample::{hostile_names, saying};
use crate::text::printable;

/// A message read as a receiver reads it: header, then CEF's header and extension.
#[derive(Debug)]
struct Read {
    priority: u8,
    header: Vec<String>,
    extension: Vec<(String, String)>,
}

fn read(message: &str) -> Read {
    let (priority, rest) = message.strip_prefix('<').unwrap().split_once('>').unwrap();
    let (syslog, rest) = rest.split_once(" [origin ").unwrap();
    assert_eq!(syslog.split(' ').count(), 6, "{syslog}");
    let cef = rest.split_once("] ").unwrap().1;
    let (mut header, mut part, mut chars) = (Vec::new(), String::new(), cef.chars());
    while header.len() < 7 {
        match chars.next().unwrap() {
            '\\' => part.push(chars.next().unwrap()),
            '|' => header.push(std::mem::take(&mut part)),
            c => part.push(c),
        }
    }
    Read { priority: priority.parse().unwrap(), header, extension: extension(chars.as_str()) }
}

/// `key=value` with blanks between and in the values: a key is the word before a bare `=`.
fn extension(text: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let (mut word, mut chars) = (String::new(), text.chars());
    let mut value = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.push(chars.next().unwrap()),
            '=' => {
                if let Some(last) = fields.last_mut() {
                    last.1 = value.trim_end_matches(' ').to_owned();
                }
                fields.push((std::mem::take(&mut word), String::new()));
                value.clear();
            }
            ' ' => {
                value.push_str(&word);
                value.push(' ');
                word.clear();
            }
            c => word.push(c),
        }
    }
    if let Some(last) = fields.last_mut() {
        last.1 = value + &word;
    }
    fields
}

/// What receivers should take, at least (RFC 5425, 4.3.1).
const LARGEST: usize = 8192;

/// The receiver reads one event, whose fields are those that were sent.
fn assert_holds(name: &str) {
    let message = message(&saying(name), None);
    assert!(message.chars().all(is_harmless), "{message:?}");
    assert!(message.len() <= LARGEST, "{} bytes", message.len());
    let read = read(&message);
    assert_eq!(read.priority, 16 * 8 + 3);
    assert_eq!(read.header[..5], ["CEF:0", "Egret", "Egret", env!("CARGO_PKG_VERSION"), "AN1416"]);
    assert_eq!(read.header[6], "8");
    let plain = self::read(&self::message(&saying("x"), None));
    let keys = |read: &Read| read.extension.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&read), keys(&plain));
    let shown = printable(name).to_string();
    for ((key, value), (_, usual)) in read.extension.iter().zip(&plain.extension) {
        match usual.as_str() {
            "x" => assert_eq!(value.trim(), shown.trim(), "{key}"),
            _ if key == "msg" => assert!(value.starts_with("esxi-01 sent 1.8 GB to ")),
            usual => assert_eq!(value, usual, "{key}"),
        }
    }
}

#[test]
fn no_name_breaks_out_of_its_field() {
    for name in hostile_names() {
        assert_holds(&name);
    }
}

proptest! {
    #[test]
    fn any_name_stays_in_its_field(sni in any::<String>()) {
        assert_holds(&sni);
    }

    #[test]
    fn pieces_of_the_syntax_stay_in_their_field(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec!["|", "\\", "=", " ", "\"", "]", "\n", "dst=", "CEF:0|", "\0"]),
            0..20,
        ),
    ) {
        assert_holds(&pieces.concat());
    }
}

#[test]
fn the_sensors_name_is_one_word_of_ascii() {
    assert_eq!(name("dc1 räck\n7"), "dc1rck7");
    assert_eq!(name("ä"), "-");
    assert_eq!(name(&"a".repeat(300)).len(), 255);
}
