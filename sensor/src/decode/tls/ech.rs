//! The Encrypted ClientHello extension (RFC 9849), and what can be told of it from one hello.
//!
//! A client without a key for its server sends GREASE: an extension of the same form with random
//! contents (RFC 9849, 6.2), made so that no observer can tell. And none can, by the extension alone:
//!
//! - BoringSSL (Chrome, Edge, and what follows them) sends type outer, HKDF-SHA256 with AES-128-GCM or
//!   ChaCha20-Poly1305, a key of 32 bytes (X25519), a random config id and a payload of 144, 176,
//!   208 or 240 bytes (`setup_ech_grease` in its `ssl/encrypted_client_hello.cc`). NSS (Firefox)
//!   sends the same with about 240 bytes. Real ones are padded to a multiple of 32 and a tag of 16
//!   (6.1.3): the same lengths.
//! - Go's `crypto/tls` sends no GREASE; rustls sends it with the length of what it would have
//!   encrypted. A length that is odd for one stack is usual for another.
//! - Whether the server took it up is said inside the handshake's secrets (7.2), not in the clear.
//!
//! What differs is the name outside. With GREASE it is the server's own; a real one has the public
//! name of the provider's key there (6.1), the same for all its customers. So a hello counts as
//! [`Ech::Offered`] when it has the form of one and its name is known as such a name, else as
//! [`Ech::Grease`]. Of the two mistakes this makes the lesser one. Taken the other way, every Chrome
//! and Firefox would lose its name, and with it what approves and explains it. This way, the public
//! name of a provider that is not listed is taken for the place: the detectors believe a name only if
//! DNS gave it this address, which it did for the name inside and not for the one outside.

use super::reader::Reader;
use crate::event::Ech;

/// Names that keys for Encrypted ClientHello are known to be published under. Cloudflare, which
/// has nearly all of it, uses the first for every customer since 2023 (it is in the HTTPS record of
/// `crypto.cloudflare.com`); the second is seen in its stead since 2025.
const PUBLIC_NAMES: [&[u8]; 2] = [b"cloudflare-ech.com", b"encryptedsni.com"];

/// What the contents of the extension are, beside the server name of the same hello.
pub(super) fn kind(contents: &[u8], name: Option<&[u8]>) -> Ech {
    match contents {
        // The hello inside, in the clear between a provider's front and the server behind it (6.1):
        // its name is the real one.
        [INNER] => Ech::None,
        _ if is_outer(contents) && name.is_some_and(is_public) => Ech::Offered,
        _ => Ech::Grease,
    }
}

const OUTER: u8 = 0;
const INNER: u8 = 1;

/// Whether contents have the form of a hello with another in it: type, cipher suite of HPKE, config
/// id, key (none after a HelloRetryRequest), and the encrypted hello with its tag.
fn is_outer(contents: &[u8]) -> bool {
    let mut contents = Reader::new(contents);
    contents.byte() == Some(OUTER)
        && contents.short().is_some_and(is_kdf)
        && contents.short().is_some_and(is_aead)
        && contents.byte().is_some()
        && contents.vector16().is_some()
        && contents.vector16().is_some_and(|payload| payload.len() > TAG)
        && contents.rest().is_empty()
}

/// Length of an AEAD's tag.
const TAG: usize = 16;

/// HKDF with SHA-256, SHA-384, SHA-512 (RFC 9180, 7.2).
const fn is_kdf(id: u16) -> bool {
    matches!(id, 1..=3)
}

/// AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305 (RFC 9180, 7.3).
const fn is_aead(id: u16) -> bool {
    matches!(id, 1..=3)
}

fn is_public(name: &[u8]) -> bool {
    PUBLIC_NAMES.iter().any(|public| public.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As BoringSSL builds both GREASE and the real one.
    fn outer(suite: [u8; 4], key: usize, payload: usize) -> Vec<u8> {
        let vector =
            |length: usize| [&(length as u16).to_be_bytes()[..], &vec![7; length]].concat();
        [&[OUTER][..], &suite, &[42], &vector(key), &vector(payload)].concat()
    }

    const USUAL: [u8; 4] = [0, 1, 0, 1];

    /// Fails when an ordinary browser loses its name, or a provider's public name is believed.
    #[test]
    fn the_name_outside_tells_them_apart() {
        for payload in [144, 176, 208, 239, 240, 272, 400] {
            let contents = outer(USUAL, 32, payload);
            assert_eq!(kind(&contents, Some(b"www.example.com")), Ech::Grease, "{payload}");
            assert_eq!(kind(&contents, Some(b"Cloudflare-ECH.com")), Ech::Offered, "{payload}");
            assert_eq!(kind(&contents, Some(b"not-cloudflare-ech.com")), Ech::Grease);
            assert_eq!(kind(&contents, None), Ech::Grease);
        }
    }

    /// After a HelloRetryRequest the key is empty; other keys are longer.
    #[test]
    fn every_suite_and_key_of_hpke_is_one() {
        let public = Some(PUBLIC_NAMES[0]);
        for (suite, key) in [(USUAL, 0), ([0, 1, 0, 3], 32), ([0, 3, 0, 2], 133)] {
            assert_eq!(kind(&outer(suite, key, 208), public), Ech::Offered, "{suite:?}");
        }
        assert_eq!(kind(&[INNER], public), Ech::None, "behind the provider's front");
    }

    #[test]
    fn what_no_server_would_read_hides_nothing() {
        let public = Some(PUBLIC_NAMES[0]);
        let whole = outer(USUAL, 32, 208);
        for end in 0..whole.len() {
            assert_eq!(kind(&whole[..end], public), Ech::Grease, "cut at {end}");
        }
        for (suite, payload) in [([0, 0, 0, 1], 208), ([0, 1, 0, 9], 208), (USUAL, TAG)] {
            assert_eq!(kind(&outer(suite, 32, payload), public), Ech::Grease, "{suite:?}");
        }
        assert_eq!(kind(&[whole, vec![0]].concat(), public), Ech::Grease);
        assert_eq!(kind(&[INNER, 0], public), Ech::Grease);
    }
}
