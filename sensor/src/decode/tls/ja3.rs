//! JA3 and JA3S (Salesforce, 2017; BSD 3-Clause): numbers of a hello as decimal text, and its MD5.
//! <https://github.com/salesforce/ja3>
//!
//! Clients that send their extensions in random order have another one in each hello; JA4 is better
//! to search for. They are here because rules and lists still have them.

use std::fmt::{self, Write};

use md5::{Digest, Md5};

use super::extension::{POINT_FORMATS, SUPPORTED_GROUPS, is_grease, values};
use super::reader::Reader;
use super::{ClientHello, ServerHello};
use crate::event::Ja3;

/// The longest text that is kept. Clients' have 100 to 700 bytes; a hello of 17 KiB can make
/// 50 kB of it.
const MAX_TEXT: usize = 4096;

/// The JA3 of a ClientHello, GREASE left out; none of one that was cut off or offers nothing, as one
/// in SSL 2.0 format.
pub fn ja3(hello: &ClientHello<'_>) -> Option<Ja3> {
    if hello.truncated || hello.ciphers.is_empty() {
        return None;
    }
    let groups = hello.extensions.first(SUPPORTED_GROUPS).unwrap_or_default();
    let groups = values(groups).filter(|&group| !is_grease(group));
    let formats = hello.extensions.first(POINT_FORMATS).unwrap_or_default();
    let formats = Reader::new(formats).vector8().unwrap_or_default();

    let mut text = Text::new(hello.version);
    text.list(hello.cipher_suites());
    text.list(hello.extension_types());
    text.list(groups);
    text.list(formats.iter().copied().map(u16::from));
    Some(text.finish())
}

/// The JA3S of a ServerHello; none of one that was cut off.
pub fn ja3s(hello: &ServerHello<'_>) -> Option<Ja3> {
    if hello.truncated {
        return None;
    }
    let mut text = Text::new(hello.legacy_version);
    text.list([hello.cipher]);
    text.list(hello.extensions.kinds());
    Some(text.finish())
}

/// A text under way: all of it is hashed, and its beginning kept.
struct Text {
    kept: String,
    hash: Md5,
}

impl Text {
    fn new(version: u16) -> Self {
        let mut text = Self { kept: String::with_capacity(256), hash: Md5::new() };
        text.put(format_args!("{version}"));
        text
    }

    /// A comma, and the numbers with hyphens between them.
    fn list(&mut self, values: impl IntoIterator<Item = u16>) {
        let mut before = ",";
        for value in values {
            self.put(format_args!("{before}{value}"));
            before = "-";
        }
        if before == "," {
            self.put(format_args!(","));
        }
    }

    fn put(&mut self, text: fmt::Arguments<'_>) {
        // It takes whatever is written to it.
        let _ = self.write_fmt(text);
    }

    fn finish(mut self) -> Ja3 {
        if self.kept.len() >= MAX_TEXT {
            self.kept.push('…');
        }
        Ja3 { text: self.kept.into(), hash: self.hash.finalize().into() }
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.hash.update(text);
        if self.kept.len() < MAX_TEXT {
            self.kept.push_str(text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::progress::Progress;
    use crate::decode::tls::tests::build::{client_message, extension, numbers, record, vector};
    use crate::decode::tls::{Extent, client_hello};

    fn of(version: u16, ciphers: &[u16], extensions: &[Vec<u8>]) -> Ja3 {
        let bytes = record(22, &client_message(version, ciphers, extensions));
        match client_hello(&bytes, Extent::Growing, &mut Vec::new()) {
            Progress::Complete { value, .. } => ja3(&value).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn hex(hash: [u8; 16]) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Both examples of its description, the first with GREASE in all places.
    #[test]
    fn the_published_ones() {
        let found = of(
            769,
            &[0x0a0a, 47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
            &[
                extension(0xbaba, &[]),
                extension(0, &[]),
                extension(10, &numbers(2, &[0x3a3a, 23, 24, 25])),
                extension(11, &vector(1, &[0])),
            ],
        );
        let text = "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0";
        assert_eq!(&*found.text, text);
        assert_eq!(hex(found.hash), "ada70206e40642a3e4461f35503241d5");
        let bare = of(769, &[4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], &[]);
        assert_eq!(&*bare.text, "769,4-5-10-9-100-98-3-6-19-18-99,,,");
        assert_eq!(hex(bare.hash), "de350869b8c85de67a350c8d186f11e6");
    }

    /// The example of the description. The hash there, 4835b19f…, is that of a text with a line feed
    /// behind it.
    #[test]
    fn the_published_one_of_a_server() {
        let kinds = [65281, 0, 11, 35, 5, 16];
        let extensions: Vec<u8> = kinds.into_iter().flat_map(|kind| extension(kind, &[])).collect();
        let mut hello = ServerHello {
            legacy_version: 769,
            session_id: &[],
            version: Some(769),
            cipher: 47,
            alpn: None,
            retry: false,
            extensions: crate::decode::tls::Extensions::new(&extensions),
            truncated: false,
        };
        let found = ja3s(&hello).unwrap();
        assert_eq!(&*found.text, "769,47,65281-0-11-35-5-16");
        assert_eq!(hex(found.hash), "836ce314215654b5b1f85f97c73e506f");
        hello.truncated = true;
        assert_eq!(ja3s(&hello), None);
    }

    #[test]
    fn of_a_long_one_only_the_beginning_is_kept() {
        let all: Vec<u16> = (0x1111..0x1111 + 8000).collect();
        let found = of(771, &all, &[]);
        assert!(found.text.len() < MAX_TEXT + 16 && found.text.ends_with('…'), "{}", found.text);
        let real = all.iter().filter(|&&cipher| !is_grease(cipher)).map(u16::to_string);
        let text = format!("771,{},,,", real.collect::<Vec<_>>().join("-"));
        assert_eq!(found.hash, <[u8; 16]>::from(Md5::digest(text)), "all of it is hashed");
    }
}
