//! JA4S, the fingerprint of a TLS server's answer, written from its description:
//! <https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4S.md>.
//!
//! Unlike JA4 it is not open source: the method is FoxIO's, under the FoxIO License 1.1, which allows
//! use inside an organisation but not to sell it as a part of a product. It stands in a file of its
//! own so that whoever may not have it can take it out.

use super::ServerHello;
use super::extension::ALPN;
use super::ja4::{ends, hash12, transport, two_digits, version};
use crate::event::{Carrier, Ja4};

/// The JA4S of a ServerHello; none of one that was cut off.
pub fn ja4s(hello: &ServerHello<'_>, carrier: &Carrier) -> Option<Ja4> {
    if hello.truncated {
        return None;
    }
    // A server's extensions are in its own order, and few: what it answers the client's with.
    let extensions: Vec<u16> = hello.extensions.kinds().collect();
    let [v, ersion] = version(hello.version.unwrap_or(hello.legacy_version));
    let [e, xtensions] = two_digits(extensions.len());
    let [first, last] = ends(hello.extensions.first(ALPN));
    let start = [transport(carrier), v, ersion, e, xtensions, first, last];
    let cipher = hello.cipher;
    let hash = hash12(&[&extensions]);
    let [start, hash] = [&start[..], &hash].map(|part| str::from_utf8(part).unwrap_or_default());
    let mut text = Ja4::new();
    // 7, 4 and 12 characters and two underscores have room.
    let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{start}_{cipher:04x}_{hash}"));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::tls::extension::Extensions;

    fn hello(version: u16, cipher: u16, extensions: &[u8]) -> ServerHello<'_> {
        ServerHello {
            legacy_version: 0x0303,
            session_id: &[],
            version: Some(version),
            cipher,
            alpn: None,
            retry: false,
            extensions: Extensions::new(extensions),
            truncated: false,
        }
    }

    /// The example in the description, and one of its reference's tests.
    #[test]
    fn the_published_ones() {
        let status_master_secret_renegotiation_name =
            [0, 5, 0, 0, 0, 23, 0, 0, 255, 1, 0, 0, 0, 0, 0, 0];
        let old = hello(0x0303, 0xc030, &status_master_secret_renegotiation_name);
        assert_eq!(ja4s(&old, &Carrier::Tcp).unwrap().as_str(), "t120400_c030_4e8089b08790");
        let share_version = [0, 51, 0, 0, 0, 43, 0, 2, 3, 4];
        let new = hello(0x0304, 0x1301, &share_version);
        assert_eq!(ja4s(&new, &Carrier::Quic(1)).unwrap().as_str(), "q130200_1301_234ea6891581");
    }

    #[test]
    fn the_protocol_chosen_is_in_it_and_nothing_is_made_up() {
        let alpn = [0, 16, 0, 5, 0, 3, 2, b'h', b'2'];
        let found = ja4s(&hello(0x0303, 0x002f, &alpn), &Carrier::Tcp).unwrap();
        assert!(found.starts_with("t1201h2_002f_"), "{found}");
        let bare = ja4s(&hello(0x0303, 0x002f, &[]), &Carrier::Tcp).unwrap();
        assert_eq!(bare.as_str(), "t120000_002f_000000000000");
        let cut = ServerHello { truncated: true, ..hello(0x0303, 0x002f, &alpn) };
        assert_eq!(ja4s(&cut, &Carrier::Tcp), None);
    }
}
