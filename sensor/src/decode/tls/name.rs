//! Names in certificates (RFC 5280, 4.1.2.4) as text, as Suricata writes them: `CN=…, O=…`.

use std::fmt::{self, Write};

use super::der::{self, Value};
use super::reader::Reader;
use crate::decode::text::{Escape, write_printable};

/// The longest text made of a name; real ones have some 100 characters.
pub(super) const MAX_TEXT: usize = 1024;

/// A name as text, in the order it was sent; `None` when it is no name. What is not printable is
/// escaped as `\xNN`. Text that is too long to be a name's is cut and ends in `…`.
pub(super) fn text(name: &[u8]) -> Option<Box<str>> {
    let mut text = String::new();
    let mut parts = Reader::new(name);
    while !parts.is_empty() {
        let mut part = Value::enter(&mut parts, der::SET)?;
        let mut between = ", ";
        while !part.is_empty() {
            let mut attribute = Value::enter(&mut part, der::SEQUENCE)?;
            let kind = Value::expect(&mut attribute, der::OBJECT_IDENTIFIER)?;
            let value = Value::read(&mut attribute)?;
            if text.len() >= MAX_TEXT {
                continue;
            }
            if !text.is_empty() {
                text.push_str(between);
            }
            between = " + ";
            // A `String` takes whatever is written to it.
            let _ = write_attribute(&mut text, kind, value);
            if text.len() >= MAX_TEXT {
                text.truncate(text.floor_char_boundary(MAX_TEXT));
                text.push('…');
            }
        }
    }
    Some(text.into())
}

fn write_attribute(out: &mut String, kind: &[u8], value: Value<'_>) -> fmt::Result {
    match short_name(kind) {
        Some(name) => out.write_str(name)?,
        None => write_identifier(out, kind)?,
    }
    out.write_char('=')?;
    let bytes = value.bytes.get(..MAX_TEXT).unwrap_or(value.bytes);
    match value.tag {
        // The strings of ASN.1 that hold ASCII, an extension of it, or UTF-8.
        0x07 | 0x0c | 0x12..=0x16 | 0x19..=0x1b => write_printable(out, bytes, Escape::Hex),
        der::BMP_STRING => {
            let units = bytes.as_chunks().0.iter().map(|unit| u16::from_be_bytes(*unit));
            let text: String = char::decode_utf16(units)
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect();
            write_printable(out, text.as_bytes(), Escape::Hex)
        }
        _ => bytes.iter().try_for_each(|byte| write!(out, "{byte:02X}")),
    }
}

/// What an attribute of X.520, LDAP (RFC 4519), PKCS 9 or Microsoft's is called.
const fn short_name(kind: &[u8]) -> Option<&'static str> {
    Some(match kind {
        [0x55, 4, 3] => "CN",
        [0x55, 4, 4] => "surname",
        [0x55, 4, 5] => "serialNumber",
        [0x55, 4, 6] => "C",
        [0x55, 4, 7] => "L",
        [0x55, 4, 8] => "ST",
        [0x55, 4, 9] => "streetAddress",
        [0x55, 4, 10] => "O",
        [0x55, 4, 11] => "OU",
        [0x55, 4, 12] => "title",
        [0x55, 4, 13] => "description",
        [0x55, 4, 15] => "businessCategory",
        [0x55, 4, 16] => "postalAddress",
        [0x55, 4, 17] => "postalCode",
        [0x55, 4, 41] => "name",
        [0x55, 4, 42] => "givenName",
        [0x55, 4, 43] => "initials",
        [0x55, 4, 44] => "generationQualifier",
        [0x55, 4, 45] => "uniqueIdentifier",
        [0x55, 4, 46] => "dnQualifier",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1] => "uid",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25] => "DC",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1] => "Email",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 2] => "unstructuredName",
        [0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 1] => "msJurisdictionLocality",
        [0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 2] => "msJurisdictionStateOrProvince",
        [0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 3] => "msJurisdictionCountry",
        _ => return None,
    })
}

/// An object identifier as numbers with dots; one that no registry can have given, in hexadecimal.
fn write_identifier(out: &mut String, kind: &[u8]) -> fmt::Result {
    let start = out.len();
    out.write_str("OID(")?;
    let (mut number, mut first) = (0_u64, true);
    for byte in kind.iter().take(64) {
        if number >> 57 != 0 {
            out.truncate(start);
            return kind.iter().take(64).try_for_each(|byte| write!(out, "{byte:02X}"));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if std::mem::take(&mut first) {
            // The first two numbers share one (X.690, 8.19).
            let (top, rest) = match number {
                0..40 => (0, number),
                40..80 => (1, number.saturating_sub(40)),
                _ => (2, number.saturating_sub(80)),
            };
            write!(out, "{top}.{rest}")?;
        } else {
            write!(out, ".{number}")?;
        }
        number = 0;
    }
    out.write_char(')')
}
