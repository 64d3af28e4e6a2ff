//! What a sensor is called in subjects and keys: its site and its name, each one token.
//!
//! Subjects are cut at dots, and keys may have few characters: every other byte of a name becomes `=` and two
//! hexadecimal digits, which can be read back.

use std::fmt;

/// The longest token, in bytes: every byte of the longest name escaped.
const LONGEST: usize = 3 * 64;

/// A sensor among others. Its text is `SITE.SENSOR`, as subjects and keys have it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The site's name.
    pub site: String,
    /// The sensor's name.
    pub sensor: String,
}

impl Place {
    /// The place that two tokens name; `None` when they are none of ours.
    pub(super) fn read(site: &str, sensor: &str) -> Option<Self> {
        Some(Self { site: plain(site)?, sensor: plain(sensor)? })
    }

    /// The place behind `prefix` in a subject or a key, such as `egret.alert.SITE.SENSOR`.
    pub(super) fn behind(prefix: &str, text: &str) -> Option<Self> {
        let (site, sensor) = text.strip_prefix(prefix)?.split_once('.')?;
        Self::read(site, sensor)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(&self.site, &self.sensor))
    }
}

/// The text of a place.
pub(super) fn text(site: &str, sensor: &str) -> String {
    format!("{}.{}", token(site), token(sensor))
}

/// Whether a byte is itself in a token.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// A name as a token.
fn token(name: &str) -> String {
    let mut token = String::with_capacity(name.len());
    for byte in name.bytes() {
        if is_plain(byte) {
            token.push(char::from(byte));
        } else {
            token += &format!("={byte:02X}");
        }
    }
    token
}

/// The name that a token stands for; there is one token for each name.
fn plain(token: &str) -> Option<String> {
    if token.is_empty() || token.len() > LONGEST {
        return None;
    }
    let mut name = Vec::with_capacity(token.len());
    let mut bytes = token.bytes();
    while let Some(byte) = bytes.next() {
        let read = match byte {
            b'=' => {
                let digits = [bytes.next()?, bytes.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                u8::from_str_radix(digits, 16).ok()?
            }
            byte if is_plain(byte) => byte,
            _ => return None,
        };
        name.push(read);
    }
    String::from_utf8(name).ok().filter(|name| self::token(name) == token)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(site: &str, sensor: &str) -> Place {
        Place { site: site.to_owned(), sensor: sensor.to_owned() }
    }

    #[test]
    fn a_host_name_is_one_token() {
        assert_eq!(place("dc1", "rack-7.example").to_string(), "dc1.rack-7=2Eexample");
        let read = Place::behind("egret.alert.", "egret.alert.dc1.rack-7=2Eexample");
        assert_eq!(read, Some(place("dc1", "rack-7.example")));
    }

    #[test]
    fn what_is_no_token_of_ours_names_nobody() {
        let long = "a".repeat(LONGEST + 1);
        for other in ["", "a.b", "*", ">", "a b", "=", "=2", "=zz", "=2e", "=61", "=FF", &long] {
            assert_eq!(plain(other), None, "{other}");
        }
        for other in ["egret.alert.dc1", "egret.flows.dc1.a", "egret.alert.dc1.a.b", "dc1.a"] {
            assert_eq!(Place::behind("egret.alert.", other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_name_is_read_back(name in "\\PC{1,64}") {
            prop_assume!(name.len() <= 64);
            let token = token(&name);
            prop_assert!(token.bytes().all(|byte| is_plain(byte) || byte == b'='));
            prop_assert_eq!(plain(&token), Some(name));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            if let Some(name) = plain(&text) {
                prop_assert_eq!(token(&name), text);
            }
        }
    }
}
