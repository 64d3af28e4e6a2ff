//! What an answer can carry a port in: an address, or a number that stands in a text or a label.

use std::fmt;
use std::net::IpAddr;

use crate::detect::domain::registered;

/// Readings taken of one record: two words in both bases each, twice.
const MOST: usize = 8;
/// Words of a text that are looked at: what is longer is a key or a signature.
const WORDS: usize = 16;
/// A number in a label is no smaller: hosts, shards and regions are counted from 1.
const LEAST_IN_LABEL: u32 = 256;
/// Hex digits of a word that could be a port; of longer ones the last 8 count.
const HEX: std::ops::RangeInclusive<usize> = 3..=64;

/// What is answered: an address, or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Value {
    Address(IpAddr),
    Number(Number),
}

/// A number read in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Number {
    pub(crate) value: u32,
    pub(crate) reading: Reading,
}

/// Where a number stands, and in which base it was read: the same digits can be two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reading {
    /// In a TXT record.
    Text,
    /// In a TXT record, as hex digits.
    TextHex,
    /// In a label of the name that an alias leads to, below its registered domain.
    Label,
    /// Likewise, as hex digits.
    LabelHex,
}

impl Reading {
    pub(crate) const ALL: [Self; 4] = [Self::Text, Self::TextHex, Self::Label, Self::LabelHex];

    const fn is_hex(self) -> bool {
        matches!(self, Self::TextHex | Self::LabelHex)
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "the TXT number",
            Self::TextHex => "the TXT hex number",
            Self::Label => "the label number",
            Self::LabelHex => "the label hex number",
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Number(number) if number.reading.is_hex() => write!(f, "0x{:x}", number.value),
            Self::Number(number) => number.value.fmt(f),
        }
    }
}

/// The numbers of a text, in the order of their words.
pub(super) fn in_text(text: &str) -> impl Iterator<Item = Number> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let numbers = words.take(WORDS).flat_map(|word| {
        [(decimal(word), Reading::Text), (hex(word), Reading::TextHex)].into_iter()
    });
    kept(numbers, 1)
}

/// The numbers in the labels of a lower-case name below its registered domain.
pub(super) fn in_labels(name: &str) -> impl Iterator<Item = Number> {
    // Most names have no number at all, and where their domain begins need not be known.
    let is_number = |word| decimal(word).or(hex(word)).is_some();
    let any = words(name).any(is_number);
    let own = any.then(|| name.strip_suffix(registered(name))).flatten().unwrap_or_default();
    let numbers = words(own).take(WORDS).flat_map(|word| {
        [(decimal(word), Reading::Label), (hex(word), Reading::LabelHex)].into_iter()
    });
    kept(numbers, LEAST_IN_LABEL)
}

/// Whether there is a digit, or a word of hex digits alone: else there is no number in any word. In
/// one look at each byte.
pub(crate) fn may_hold_number(labels: &str) -> bool {
    let mut hex = Some(0);
    for byte in labels.bytes() {
        match byte {
            b'0'..=b'9' => return true,
            b'.' | b'-' | b'_' if hex >= Some(*HEX.start()) => return true,
            b'.' | b'-' | b'_' => hex = Some(0),
            b'a'..=b'f' | b'A'..=b'F' => hex = hex.map(|digits| digits + 1),
            _ => hex = None,
        }
    }
    hex >= Some(*HEX.start())
}

fn words(labels: &str) -> impl Iterator<Item = &str> {
    labels.split(['.', '-', '_']).filter(|word| !word.is_empty())
}

fn kept(
    numbers: impl Iterator<Item = (Option<u32>, Reading)>,
    least: u32,
) -> impl Iterator<Item = Number> {
    numbers
        .filter_map(|(value, reading)| Some(Number { value: value?, reading }))
        .filter(move |number| number.value >= least)
        .take(MOST)
}

/// The digits at a word's end: `8080`, and `p8080`.
fn decimal(word: &str) -> Option<u32> {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    digits.parse().ok()
}

/// A word of hex digits, with `0x` in front or not.
fn hex(word: &str) -> Option<u32> {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let is_hex = HEX.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let last = digits.get(digits.len().saturating_sub(8)..).filter(|_| is_hex)?;
    u32::from_str_radix(last, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(numbers: impl Iterator<Item = Number>) -> Vec<String> {
        numbers.map(|number| format!("{} {}", number.reading, Value::Number(number))).collect()
    }

    #[test]
    fn the_same_digits_are_read_in_both_bases() {
        assert_eq!(
            read(in_text("k=8080; v")),
            ["the TXT number 8080", "the TXT hex number 0x8080"]
        );
        assert_eq!(read(in_text("0x1f90")), ["the TXT hex number 0x1f90"]);
        assert_eq!(read(in_text("port8081")), ["the TXT number 8081"]);
        assert_eq!(read(in_text("00deadbeefcafe1f90")), ["the TXT hex number 0xcafe1f90"]);
        assert_eq!(
            read(in_text("v=spf1 -all 99999999999")),
            ["the TXT number 1", "the TXT hex number 0x99999999",]
        );
        assert_eq!(in_text(&"77 ".repeat(1000)).count(), MOST);
        assert_eq!(in_text("").count() + in_text("-.,€").count(), 0);
    }

    #[test]
    fn labels_are_read_below_the_registered_domain_alone() {
        assert_eq!(read(in_labels("p8080.c2.example.co.uk")), ["the label number 8080"]);
        let both =
            ["the label number 5301", "the label hex number 0x5301", "the label hex number 0xc3a1"];
        assert_eq!(read(in_labels("5301-c3a1.relay.evil.example")), both);
        assert_eq!(read(in_labels("edge7.e1234.example")), Vec::<String>::new());
        assert_eq!(read(in_labels("n.cafe.evil.example")), ["the label hex number 0xcafe"]);
        assert_eq!(read(in_labels("cafes.evil.example")), Vec::<String>::new());
        assert_eq!(in_labels("9999.com").count() + in_labels("").count(), 0);
    }
}
