//! The server's own certificate, where its flight is in the clear: up to TLS 1.2 (RFC 5246, 7.4.2).
//!
//! A cursor of its own rather than `x509-parser`, which makes a `Vec` for each part of a name: a
//! hostile certificate takes many times its own size. It is the second reader of the tests, and what
//! Suricata prints names with.

use std::ops::Range;

use sha1::{Digest, Sha1};

use super::der::{self, Value};
use super::name;
use super::reader::Reader;
use super::record::{Missing, find_in_messages, wanted};
use super::{Extent, Refusal};
use crate::decode::progress::Progress;
use crate::event::Certificate;

const CERTIFICATE: u8 = 11;

/// The longest certificate that is read; most have 1 to 2 KiB.
const MAX_CERTIFICATE: usize = 16 * 1024;

/// The longest serial number: RFC 5280 has 20 bytes, and old ones are longer.
const MAX_SERIAL: usize = 64;

const EPOCH: jiff::civil::DateTime = jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// What a `TBSCertificate` with a version begins with.
const VERSION: u8 = 0xa0;

/// Finds the server's own certificate behind the ServerHello at the start of its stream: the first of
/// the chain, as soon as that is complete. What is found lies in `scratch`, where fragments are
/// joined (at most 33 KiB).
///
/// Refused as [`Refusal::NotCertificate`] or [`Refusal::NotTls`] where the server goes on with
/// something else: it takes up an earlier session, or has no certificate.
pub fn server_certificate<'a>(
    bytes: &[u8],
    extent: Extent,
    scratch: &'a mut Vec<u8>,
) -> Progress<&'a [u8], Refusal> {
    find_in_messages(bytes, extent, scratch, first_of_chain)
}

/// Where the first certificate lies in a ServerHello and what follows it.
fn first_of_chain(messages: &[u8]) -> Result<Range<usize>, Missing> {
    let start = wanted(messages);
    let at_least = |more: usize| Missing::Bytes(start.saturating_add(more));
    let mut rest = Reader::new(messages.get(start..).unwrap_or_default());
    if rest.byte().ok_or(at_least(1))? != CERTIFICATE {
        return Err(Missing::Refused(Refusal::NotCertificate));
    }
    let message = rest.long().ok_or(at_least(4))?;
    if message <= 6 {
        // No chain: the server has none to show.
        return Err(Missing::Refused(Refusal::NotCertificate));
    }
    let (chain, len) = rest.long().zip(rest.long()).ok_or(at_least(10))?;
    if chain.saturating_add(3) > message || len.saturating_add(3) > chain || len == 0 {
        return Err(Missing::Refused(Refusal::Malformed));
    }
    if len > MAX_CERTIFICATE {
        return Err(Missing::Refused(Refusal::TooLong));
    }
    let first = start.saturating_add(10);
    let end = first.saturating_add(len);
    if messages.len() < end { Err(Missing::Bytes(end)) } else { Ok(first..end) }
}

/// Reads what a certificate says of itself.
///
/// # Errors
/// [`Refusal::NotX509`] when it is none that RFC 5280 describes.
pub fn certificate(bytes: &[u8]) -> Result<Certificate, Refusal> {
    read(bytes).ok_or(Refusal::NotX509)
}

fn read(bytes: &[u8]) -> Option<Certificate> {
    let mut outer = Value::enter(&mut Reader::new(bytes), der::SEQUENCE)?;
    let mut body = Value::enter(&mut outer, der::SEQUENCE)?;
    let mut serial = Value::read(&mut body)?;
    if serial.tag == VERSION {
        serial = Value::read(&mut body)?;
    }
    if serial.tag != der::INTEGER || serial.bytes.len() > MAX_SERIAL {
        return None;
    }
    let _algorithm = Value::expect(&mut body, der::SEQUENCE)?;
    let issuer = Value::expect(&mut body, der::SEQUENCE)?;
    let mut validity = Value::enter(&mut body, der::SEQUENCE)?;
    let not_before = seconds(Value::read(&mut validity)?)?;
    let not_after = seconds(Value::read(&mut validity)?)?;
    let subject = Value::expect(&mut body, der::SEQUENCE)?;
    Some(Certificate {
        subject: name::text(subject)?,
        issuer: name::text(issuer)?,
        serial: serial.bytes.into(),
        not_before,
        not_after,
        fingerprint: Sha1::digest(bytes).into(),
        self_signed: issuer == subject,
    })
}

/// A time (RFC 5280, 4.1.2.5) in seconds since 1970: `YYMMDDhhmm[ss]Z`, or with a year of four
/// digits; old certificates have an offset instead of the `Z`.
fn seconds(time: Value<'_>) -> Option<i64> {
    let mut digits = Reader::new(time.bytes);
    let year = match time.tag {
        der::UTC_TIME => match pair(&mut digits)? {
            year @ 0..50 => i16::from(year).checked_add(2000)?,
            year => i16::from(year).checked_add(1900)?,
        },
        der::GENERALIZED_TIME => {
            let century = i16::from(pair(&mut digits)?);
            century.checked_mul(100)?.checked_add(i16::from(pair(&mut digits)?))?
        }
        _ => return None,
    };
    let (month, day) = (pair(&mut digits)?, pair(&mut digits)?);
    let (hour, minute) = (pair(&mut digits)?, pair(&mut digits)?);
    let mut rest = digits;
    let second = match pair(&mut rest) {
        Some(second) => {
            digits = rest;
            second
        }
        None => 0,
    };
    let offset = offset(&mut digits)?;
    // As a span: 9999-12-31, which stands for no end (RFC 5280), is beyond what a timestamp holds.
    let date = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    date.duration_since(EPOCH).as_secs().checked_sub(i64::from(offset))
}

/// Two decimal digits.
fn pair(from: &mut Reader<'_>) -> Option<i8> {
    match *from.take(2)? {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            let number = (tens & 0x0f).checked_mul(10)?.checked_add(ones & 0x0f)?;
            i8::try_from(number).ok()
        }
        _ => None,
    }
}

/// How far east of Greenwich a time was written, in seconds.
fn offset(from: &mut Reader<'_>) -> Option<i32> {
    let sign = match from.byte()? {
        b'Z' => return from.is_empty().then_some(0),
        b'+' => 1,
        b'-' => -1_i32,
        _ => return None,
    };
    let hours = i32::from(pair(from)?).checked_mul(3600)?;
    let minutes = i32::from(pair(from)?).checked_mul(60)?;
    from.is_empty().then_some(hours.checked_add(minutes)?.checked_mul(sign)?)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests make their own lengths")]
mod tests;
