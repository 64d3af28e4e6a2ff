use proptest::prelude::*;

use super::super::format::tests::sample;
use super::*;
use crate::alert::Destination;
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

fn with_sni(sni: &str) -> Alert {
    let mut alert = sample();
    let to = alert.destination.as_mut().unwrap();
    *to = Destination { sni: Some(sni.to_owned()), ..to.clone() };
    alert.title = format!("Upload to {sni}");
    alert.summary = format!("esxi-01 sent 1.7 GB to {sni}.");
    alert
}

/// The receiver reads one event, whose fields are those that were sent.
fn assert_holds(sni: &str) {
    let alert = with_sni(sni);
    let message = message(&alert);
    assert!(!message.chars().any(char::is_control), "{message:?}");
    assert!(!message.contains(['\u{202e}', '\u{2066}', '\u{2028}']), "{message:?}");
    let read = read(&message);
    assert_eq!(read.priority, 16 * 8 + 3);
    assert_eq!(read.header[..5], ["CEF:0", "Egret", "Egret", env!("CARGO_PKG_VERSION"), "AN1416"]);
    assert_eq!(read.header[6], "8");
    let keys: Vec<&str> = read.extension.iter().map(|(key, _)| key.as_str()).collect();
    let plain = self::read(&self::message(&with_sni("x")));
    assert_eq!(keys, plain.extension.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>());
    let (_, host) = read.extension.iter().find(|(key, _)| key == "dhost").unwrap();
    assert_eq!(host.trim(), printable(sni).to_string().trim());
}

#[test]
fn no_name_breaks_out_of_its_field() {
    for sni in [
        "x\r\n<14>1 - evil - - - - forged",
        "a|b||c",
        r#"quote" ] bracket"#,
        r"back\slash\",
        "dst=10.0.0.1 act=blocked",
        "\x1b[2J\x1b]0;title\x07",
        "\u{202e}gpj.exe\u{2066}\u{2028}",
        "nul\0nul",
        "\u{85}\u{9b}31m",
        &"a".repeat(10_000),
    ] {
        assert_holds(sni);
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
fn a_message_fits_a_datagram_whatever_is_in_it() {
    let mut alert = with_sni(&"\u{202e}".repeat(4000));
    alert.sensor = "s".repeat(4000);
    alert.asset.name = "=".repeat(4000);
    assert!(message(&alert).len() < 4096, "{}", message(&alert).len());
}

#[test]
fn the_sensors_name_is_one_word_of_ascii() {
    assert_eq!(name("dc1 räck\n7"), "dc1rck7");
    assert_eq!(name("ä"), "-");
    assert_eq!(name(&"a".repeat(300)).len(), 255);
}
