//! Bytes of the wire as text that is safe to print: on a terminal, in a log line, in JSON.

use std::fmt::{self, Write};

/// How text is kept unambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// Other bytes as `\xNN`.
    Hex,
    /// Other bytes as `\DDD`, the presentation form of DNS (RFC 1035, 5.1).
    Decimal,
    /// As [`Escape::Decimal`], and a dot as `\.`, so that it is no border between labels.
    Label,
}

/// Writes `bytes` as printable text: printable UTF-8 stays as it is, a backslash is doubled, every
/// other byte is escaped. Different bytes never give the same text.
///
/// Control characters, direction overrides, invisible and unassigned characters are not printable.
pub(super) fn write_printable(out: &mut impl Write, bytes: &[u8], escape: Escape) -> fmt::Result {
    if let Some(text) = as_it_is(bytes, escape) {
        return out.write_str(text);
    }
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.write_str("\\\\")?,
                '.' if escape == Escape::Label => out.write_str("\\.")?,
                c if is_printable(c) => out.write_char(c)?,
                c => write_escaped(out, c.encode_utf8(&mut [0; 4]).as_bytes(), escape)?,
            }
        }
        write_escaped(out, chunk.invalid(), escape)?;
    }
    Ok(())
}

/// Bytes that are written without any escape, in ASCII.
pub(super) fn as_it_is(bytes: &[u8], escape: Escape) -> Option<&str> {
    let stay = bytes.iter().all(|&byte| stays(byte, escape));
    if stay { str::from_utf8(bytes).ok() } else { None }
}

/// Whether a byte is printable ASCII that needs no escape: nearly every byte of nearly every name.
pub(super) const fn stays(byte: u8, escape: Escape) -> bool {
    matches!(byte, b' '..=b'~')
        && byte != b'\\'
        && !(byte == b'.' && matches!(escape, Escape::Label))
}

/// Whether `c` may be printed as it is; beyond ASCII, what `char`'s `Debug` prints.
fn is_printable(c: char) -> bool {
    if c.is_ascii() { matches!(c, ' '..='~') } else { c.escape_debug().next() == Some(c) }
}

fn write_escaped(out: &mut impl Write, bytes: &[u8], escape: Escape) -> fmt::Result {
    for byte in bytes {
        match escape {
            Escape::Hex => write!(out, "\\x{byte:02x}")?,
            Escape::Decimal | Escape::Label => write!(out, "\\{byte:03}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printable(bytes: &[u8], escape: Escape) -> String {
        let mut out = String::new();
        write_printable(&mut out, bytes, escape).unwrap();
        out
    }

    #[test]
    fn what_is_printable_stays() {
        assert_eq!(printable(b"www.example", Escape::Hex), "www.example");
        assert_eq!(printable("John’s iMac".as_bytes(), Escape::Label), "John’s iMac");
    }

    #[test]
    fn what_could_deceive_is_escaped() {
        assert_eq!(printable(b"a\x1b[2Jb\n\0", Escape::Hex), "a\\x1b[2Jb\\x0a\\x00");
        assert_eq!(printable(b"a.b\\\xff\x7f", Escape::Label), "a\\.b\\\\\\255\\127");
        assert_eq!(printable("\u{202e}moc".as_bytes(), Escape::Decimal), "\\226\\128\\174moc");
        assert_eq!(printable("\u{200b}".as_bytes(), Escape::Hex), "\\xe2\\x80\\x8b");
    }

    proptest! {
        #[test]
        fn text_is_printable_and_says_which_bytes(bytes: Vec<u8>) {
            let text = printable(&bytes, Escape::Hex);
            prop_assert!(text.chars().all(is_printable));
            prop_assert_eq!(unescape(&text), bytes);
        }
    }

    fn unescape(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(hex) = rest.strip_prefix("\\x") {
                out.push(u8::from_str_radix(&hex[..2], 16).unwrap());
                rest = &hex[2..];
            } else if let Some(after) = rest.strip_prefix("\\\\") {
                out.push(b'\\');
                rest = after;
            } else {
                out.extend(c.to_string().bytes());
                rest = &rest[c.len_utf8()..];
            }
        }
        out
    }
}
