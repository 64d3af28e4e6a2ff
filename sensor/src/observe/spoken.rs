//! What a stream's first bytes show it to speak, of the protocols that are recognised and not read; and
//! whether they look like nothing at all.

use memchr::memmem;

use super::{Seen, Sink};
use crate::event::{App, Body, Event};

/// So many bytes are looked at; fewer than the second number say nothing of how they are spread.
const LOOKED_AT: usize = 256;
const ENOUGH: usize = 128;

/// Notes what a flow speaks whose direction begins with these bytes: once a direction, so that a client
/// and a server that both name their protocol are told of twice at most.
pub(super) fn note(seen: &Seen<'_>, sink: &mut impl Sink) {
    let app = spoken(seen.bytes);
    // From the middle of a stream on, what was agreed before is not known.
    if let Some(app) = app.filter(|app| *app != App::Opaque || seen.view.is_whole(seen.from)) {
        seen.view.speaks(app);
        sink.event(Event { time: seen.at, flow: seen.view.flow(), body: Body::Spoken(app) });
    }
}

/// What begins like this.
#[inline]
fn spoken(bytes: &[u8]) -> Option<App> {
    match bytes {
        // RFC 4253, 4.2.
        [b'S', b'S', b'H', b'-', ..] => Some(App::Ssh),
        // RFC 6143, 7.1.1: the server first, then the client.
        [b'R', b'F', b'B', b' ', b'0', b'0', ..] => Some(App::Rfb),
        // Of either version, behind the header of a session (MS-SMB2, 2.1).
        [0, _, _, _, 0xfe | 0xff, b'S', b'M', b'B', ..] => Some(App::Smb),
        // Connection request or confirm of X.224 in TPKT (MS-RDPBCGR, 2.2.1.1).
        [3, 0, _, _, _, 0xe0 | 0xd0, ..] => Some(App::Rdp),
        // RFC 1928, 3: all the methods that it counts, and no more.
        [5, count @ (1..), methods @ ..] if methods.len() == usize::from(*count) => {
            Some(App::Socks)
        }
        [b'{', ..] => is_stratum(bytes).then_some(App::Stratum),
        [b'C' | b'D' | b'G' | b'H' | b'O' | b'P', ..] => is_http(bytes).then_some(App::Http),
        _ => is_opaque(bytes).then_some(App::Opaque),
    }
}

/// A request's method or a response's version (RFC 9112, 2.1).
fn is_http(bytes: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 10] = [
        b"GET /",
        b"POST /",
        b"HEAD /",
        b"PUT /",
        b"OPTIONS ",
        b"DELETE /",
        b"PATCH /",
        b"CONNECT ",
        b"PROPFIND /",
        b"HTTP/1.",
    ];
    BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning))
}

/// A call of Stratum, as miners make it to their pool: JSON-RPC with methods of its own.
fn is_stratum(bytes: &[u8]) -> bool {
    let line = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let has = |word: &[u8]| memmem::find(line, word).is_some();
    has(b"\"mining.") || has(b"\"eth_submitLogin\"") || (has(b"\"login\"") && has(b"\"pass\""))
}

/// Whether bytes are spread as evenly as encryption spreads them: of `n` drawn at random, 256 (1 - (255 /
/// 256)^n) have different values on average, with a deviation below 5. Text, tables and headers
/// have fewer; compressed data says at its beginning what it is.
fn is_opaque(bytes: &[u8]) -> bool {
    const FEW: f64 = 15.0;
    const KNOWN: [&[u8]; 8] = [
        b"\x1f\x8b",
        b"PK",
        b"BZh",
        b"\xfd7zXZ",
        b"\x28\xb5\x2f\xfd",
        b"\x04\x22\x4d\x18",
        b"\x89PNG",
        b"\xff\xd8",
    ];
    let looked = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    if looked.len() < ENOUGH || KNOWN.iter().any(|known| looked.starts_with(known)) {
        return false;
    }
    let mut values = [0u64; 4];
    for byte in looked {
        if let Some(of) = values.get_mut(usize::from(byte >> 6)) {
            *of |= 1 << (byte & 63);
        }
    }
    let different: u32 = values.iter().map(|of| of.count_ones()).sum();
    let expected = 256.0 * (1.0 - (255.0_f64 / 256.0).powi(looked.len() as i32));
    f64::from(different) > expected - FEW
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(length: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn protocols_are_known_by_how_they_begin() {
        let smb = b"\0\0\0\x90\xfeSMB\x40\0";
        let login =
            br#"{"id":1,"method":"login","params":{"login":"44AF","pass":"x","agent":"XMRig"}}"#;
        let known: [(&[u8], App); 9] = [
            (b"SSH-2.0-OpenSSH_9.6\r\n", App::Ssh),
            (b"RFB 003.008\n", App::Rfb),
            (smb, App::Smb),
            (b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0", App::Rdp),
            (b"\x05\x02\x00\x02", App::Socks),
            (br#"{"id": 1, "method": "mining.subscribe", "params": []}"#, App::Stratum),
            (login, App::Stratum),
            (b"PROPFIND /share HTTP/1.1\r\n", App::Http),
            (b"HTTP/1.1 200 OK\r\n", App::Http),
        ];
        for (bytes, app) in known {
            assert_eq!(spoken(bytes), Some(app), "{}", bytes.escape_ascii());
            assert_eq!(spoken(&bytes[..2]), None, "two bytes of {}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_only_begins_alike_is_not_taken_for_it() {
        let others: [&[u8]; 8] = [
            b"",
            b"GETTING",
            b"POSTGRES",
            b"{\"id\":1,\"method\":\"getinfo\"}",
            b"\x05\x02\x00",
            b"\x03\0\0\x13\x0e\xf0",
            b"\0\0\0\x90\xfdSMB",
            b"RFB 1",
        ];
        for bytes in others {
            assert_eq!(spoken(bytes), None, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn even_bytes_are_opaque_and_text_and_tables_are_not() {
        for length in [128, 200, 256, 1400] {
            assert_eq!(spoken(&random(length)), Some(App::Opaque), "{length} bytes");
        }
        assert_eq!(spoken(&random(127)), None, "too few to say");
        let text: Vec<u8> =
            (0..600).map(|i| b"the quick brown fox jumps over it "[i % 34]).collect();
        assert_eq!(spoken(&text), None);
        let table: Vec<u8> = (0..300u32).flat_map(|i| (i * 7919).to_be_bytes()).collect();
        assert_eq!(spoken(&table), None);
        let packed = [b"\x1f\x8b\x08", &random(500)[..]].concat();
        assert_eq!(spoken(&packed), None, "gzip says what it is");
        let base64: Vec<u8> = random(600).iter().map(|byte| b'A' + byte % 26).collect();
        assert_eq!(spoken(&base64), None);
    }
}
