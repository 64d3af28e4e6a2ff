//! JA4, the fingerprint of a TLS client (FoxIO, BSD 3-Clause), as its description has it:
//! <https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md>, in the form of 2026.
//!
//! A client may change the order of its extensions and the values of its GREASE in each hello;
//! neither is in it.

use sha2::{Digest, Sha256};

use super::ClientHello;
use super::extension::{ALPN, SERVER_NAME, is_grease, list, protocols_or_nothing, values};
use crate::event::{Carrier, Ja4};

/// How many client stacks are remembered; an estate has some dozens.
const MAX_STACKS: usize = 256;

/// The most numbers of a stack that is remembered; clients send 40 to 100.
const MAX_NUMBERS: usize = 512;

/// Bytes that counts and the set of extensions take in front of the numbers.
const HEADER: usize = 2 + 2 + 8 + 1;

/// Hexadecimal digits that are kept of a SHA-256.
const DIGITS: usize = 12;

/// Both hashes, each behind its underscore.
type Hashes = arrayvec::ArrayString<{ 2 * (1 + DIGITS) }>;

/// Works JA4 out, and remembers the hashes of the client stacks that it met: these are few, and
/// SHA-256 costs several times as much as all else that is done with a hello.
///
/// Who sends other lists in each hello gains nothing but that it is worked out: the memory is
/// bounded, seeded, and begins anew when it is full.
#[derive(Default)]
pub struct Fingerprints {
    stacks: hashbrown::HashMap<Box<[u8]>, Hashes, foldhash::quality::RandomState>,
    /// What is looked up, kept for its room.
    numbers: Vec<u8>,
}

impl Fingerprints {
    /// The JA4 of a ClientHello; none of one that was cut off, which says only a part of its lists.
    pub fn ja4(&mut self, hello: &ClientHello<'_>, carrier: &Carrier) -> Option<Ja4> {
        if hello.truncated {
            return None;
        }
        let counts = self.gather(hello);
        let hashes = match self.stacks.get(self.numbers.as_slice()) {
            Some(hashes) => *hashes,
            None => self.work_out(hello),
        };
        let mut text = Ja4::new();
        // Both parts fill it exactly.
        let start = start(hello, carrier, &counts);
        let _ = text.try_push_str(str::from_utf8(&start).unwrap_or_default());
        let _ = text.try_push_str(&hashes);
        Some(text)
    }

    /// Gathers the numbers that both hashes are made of, so that hellos with the same numbers have
    /// the same hashes; counts cipher suites and extensions. The types of extensions are a set, which
    /// needs no sorting, and only where that does not tell all a list.
    fn gather(&mut self, hello: &ClientHello<'_>) -> Counts {
        /// Those that are in the first part of the fingerprint.
        const TOLD_APART: u64 = 1 << SERVER_NAME | 1 << ALPN;
        let kinds = hello.known.kinds;
        let numbers = &mut self.numbers;
        numbers.clear();
        numbers.extend_from_slice(&[0; HEADER]);
        let ciphers = extend(numbers, hello.ciphers);
        let mut others = 0_usize;
        if kinds.is_short() {
            let listed = sorted_kinds(hello);
            others = listed.len();
            listed.iter().for_each(|kind| numbers.extend_from_slice(&kind.to_be_bytes()));
        }
        extend(numbers, list(hello.known.signature_algorithms.unwrap_or_default()));

        if let Some(place) = numbers.first_chunk_mut::<HEADER>() {
            let [a, b] = (ciphers as u16).to_be_bytes();
            let [c, d] = (others as u16).to_be_bytes();
            let [e, f, g, h, i, j, k, l] = (kinds.low & !TOLD_APART).to_be_bytes();
            *place = [a, b, c, d, e, f, g, h, i, j, k, l, kinds.high];
        }
        Counts { ciphers, extensions: kinds.count }
    }

    #[cold]
    fn work_out(&mut self, hello: &ClientHello<'_>) -> Hashes {
        let hashes = hashes(hello);
        if self.stacks.len() >= MAX_STACKS {
            self.stacks.clear();
        }
        if self.numbers.len() <= 2 * MAX_NUMBERS {
            self.stacks.insert(self.numbers.as_slice().into(), hashes);
        }
        hashes
    }
}

/// Appends a list of numbers, GREASE left out; says how many that were.
fn extend(numbers: &mut Vec<u8>, list: &[u8]) -> usize {
    let before = numbers.len();
    let (pairs, _) = list.as_chunks::<2>();
    for run in pairs.split(|&pair| is_grease(u16::from_be_bytes(pair))) {
        numbers.extend_from_slice(run.as_flattened());
    }
    numbers.len().saturating_sub(before) / 2
}

/// How many a hello has, GREASE left out.
struct Counts {
    ciphers: usize,
    extensions: usize,
}

/// Whether an extension's type is in the first part of the fingerprint and thus in no hash.
const fn is_told_apart(kind: u16) -> bool {
    matches!(kind, SERVER_NAME | ALPN)
}

/// The types of extensions that are hashed, in order.
fn sorted_kinds(hello: &ClientHello<'_>) -> Vec<u16> {
    let mut kinds: Vec<u16> =
        hello.extension_types().filter(|&kind| !is_told_apart(kind)).collect();
    kinds.sort_unstable();
    kinds
}

fn signature_algorithms(hello: &ClientHello<'_>) -> impl Iterator<Item = u16> {
    values(hello.known.signature_algorithms.unwrap_or_default())
        .filter(|&algorithm| !is_grease(algorithm))
}

/// What stands before the first underscore.
fn start(hello: &ClientHello<'_>, carrier: &Carrier, counts: &Counts) -> [u8; 10] {
    let server_name = if hello.known.server_name.is_some() { b'd' } else { b'i' };
    let [v, ersion] = version(hello.versions().max().unwrap_or(hello.version));
    let [c, iphers] = two_digits(counts.ciphers);
    let [e, xtensions] = two_digits(counts.extensions);
    let [first, last] = ends(hello.known.alpn);
    [transport(carrier), v, ersion, server_name, c, iphers, e, xtensions, first, last]
}

/// What carries TLS: `q` for QUIC, `t` for TCP.
pub(super) const fn transport(carrier: &Carrier) -> u8 {
    if matches!(carrier, Carrier::Quic(_)) { b'q' } else { b't' }
}

/// A version in two characters.
pub(super) const fn version(version: u16) -> [u8; 2] {
    *match version {
        0x0304 => b"13",
        0x0303 => b"12",
        0x0302 => b"11",
        0x0301 => b"10",
        0x0300 => b"s3",
        0x0002 => b"s2",
        _ => b"00",
    }
}

/// A count in two digits; what is more than 99 is 99.
pub(super) fn two_digits(count: usize) -> [u8; 2] {
    let count = count.min(99) as u8;
    [count / 10, count % 10].map(|digit| b'0'.saturating_add(digit))
}

/// First and last character of the first protocol in an ALPN extension. Where either is no letter
/// and no digit: the first and the last hexadecimal digit of the name; `00` where there is none.
pub(super) fn ends(alpn: Option<&[u8]>) -> [u8; 2] {
    let is_no_grease = |name: &&[u8]| {
        name.first_chunk()
            .is_none_or(|&value| name.len() != 2 || !is_grease(u16::from_be_bytes(value)))
    };
    let name =
        alpn.and_then(|list| protocols_or_nothing(list).find(is_no_grease)).unwrap_or_default();
    match *name {
        [] => *b"00",
        [first, .., last] | [first @ last] if is_plain(first) && is_plain(last) => [first, last],
        [first, .., last] | [first @ last] => [hex(first >> 4), hex(last & 0x0f)],
    }
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

const fn hex(digit: u8) -> u8 {
    match digit {
        0..=9 => b'0'.saturating_add(digit),
        _ => b'a'.saturating_add(digit.saturating_sub(10)),
    }
}

fn hashes(hello: &ClientHello<'_>) -> Hashes {
    let mut ciphers: Vec<u16> = hello.cipher_suites().collect();
    ciphers.sort_unstable();
    let extensions = sorted_kinds(hello);
    let algorithms: Vec<u16> = signature_algorithms(hello).collect();

    let mut text = Hashes::new();
    for hash in [hash12(&[&ciphers]), hash12(&[&extensions, &algorithms])] {
        let _ = text.try_push('_');
        let _ = text.try_push_str(str::from_utf8(&hash).unwrap_or_default());
    }
    text
}

/// The first twelve digits of the SHA-256 of lists of numbers: each number in four digits, commas
/// between them, an underscore between lists that are not empty. Zeros where the first list is
/// empty.
pub(super) fn hash12(lists: &[&[u16]]) -> [u8; DIGITS] {
    if lists.first().is_none_or(|list| list.is_empty()) {
        return [b'0'; DIGITS];
    }
    let mut hash = Sha256::new();
    for (place, list) in lists.iter().enumerate() {
        for (number, value) in list.iter().enumerate() {
            match (place, number) {
                (0, 0) => {}
                (_, 0) => hash.update(b"_"),
                _ => hash.update(b","),
            }
            hash.update(
                [value >> 12, value >> 8, value >> 4, *value].map(|digit| hex(digit as u8 & 0x0f)),
            );
        }
    }
    let mut digits = [b'0'; DIGITS];
    for (place, byte) in digits.as_chunks_mut().0.iter_mut().zip(hash.finalize()) {
        *place = [hex(byte >> 4), hex(byte & 0x0f)];
    }
    digits
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests make their own lengths")]
mod tests;
