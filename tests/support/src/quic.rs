//! QUIC packets as clients and servers send them (RFC 9000, RFC 9001, RFC 9369): Initials really
//! encrypted, of what follows them only the outside.

use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey, quic};
use ring::hkdf;

use crate::bench::hello;
use crate::rng::Rng;

/// Version 1 (RFC 9000).
pub const V1: u32 = 1;
/// Version 2 (RFC 9369).
pub const V2: u32 = 0x6b33_43cf;
/// Draft 29.
pub const DRAFT_29: u32 = 0xff00_001d;

/// A client pads datagrams with Initials to this (RFC 9000, 14.1).
pub const DATAGRAM: usize = 1200;

/// Bytes of a packet number as written here, and of a packet's tag.
const NUMBER: usize = 4;
const TAG: usize = 16;

/// One side's Initials of a connection.
pub struct Initials {
    version: u32,
    key: LessSafeKey,
    iv: [u8; 12],
    header: quic::HeaderProtectionKey,
}

impl Initials {
    /// The client's, whose first destination connection id was `id`.
    pub fn client(version: u32, id: &[u8]) -> Self {
        Self::new(version, id, b"client in")
    }

    /// The server's that answers it.
    pub fn server(version: u32, id: &[u8]) -> Self {
        Self::new(version, id, b"server in")
    }

    fn new(version: u32, id: &[u8], side: &[u8]) -> Self {
        let salt = match version {
            V1 => "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
            V2 => "0dede3def700a6db819381be6e269dcbf9bd2ed9",
            DRAFT_29 => "afbfec289993d24c9e9786f19c6111e04390a899",
            _ => panic!("version {version:#x}"),
        };
        let prefix = if version == V2 { "quicv2" } else { "quic" };
        let label = |name: &str| format!("{prefix} {name}").into_bytes();
        let initial = hkdf::Salt::new(hkdf::HKDF_SHA256, &bytes(salt)).extract(id);
        let secret: [u8; 32] = expand(&initial, side);
        let secret = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &secret);
        let key: [u8; 16] = expand(&secret, &label("key"));
        let header: [u8; 16] = expand(&secret, &label("hp"));
        Self {
            version,
            key: LessSafeKey::new(UnboundKey::new(&aead::AES_128_GCM, &key).unwrap()),
            iv: expand(&secret, &label("iv")),
            header: quic::HeaderProtectionKey::new(&quic::AES_128, &header).unwrap(),
        }
    }

    /// An Initial with these frames.
    pub fn packet(&self, to: &[u8], from: &[u8], number: u32, frames: &[u8]) -> Vec<u8> {
        let mut packet = long(self.version, 0, to, from);
        packet[0] |= NUMBER as u8 - 1;
        packet.push(0); // no token
        packet.extend(varint2(NUMBER + frames.len() + TAG));
        packet.extend(number.to_be_bytes());
        self.seal(packet, frames)
    }

    /// Encrypts `frames` behind a header that ends in a packet number of four bytes.
    pub fn seal(&self, mut packet: Vec<u8>, frames: &[u8]) -> Vec<u8> {
        let header = packet.len();
        let mut nonce = self.iv;
        for (byte, number) in nonce[8..].iter_mut().zip(&packet[header - NUMBER..]) {
            *byte ^= number;
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let mut payload = frames.to_vec();
        let aad = Aad::from(&packet);
        let tag = self.key.seal_in_place_separate_tag(nonce, aad, &mut payload).unwrap();
        packet.extend(payload);
        packet.extend(tag.as_ref());
        let mask = self.header.new_mask(&packet[header..header + TAG]).unwrap();
        packet[0] ^= mask[0] & 0x0f;
        for (byte, mask) in packet[header - NUMBER..header].iter_mut().zip(&mask[1..]) {
            *byte ^= mask;
        }
        packet
    }

    /// A datagram of 1200 bytes with one Initial that has these frames, and padding.
    ///
    /// # Panics
    /// When there is no room for the frames.
    pub fn datagram(&self, to: &[u8], from: &[u8], number: u32, frames: &[u8]) -> Vec<u8> {
        let header = 1 + 4 + 1 + to.len() + 1 + from.len() + 1 + 2;
        let mut frames = frames.to_vec();
        assert!(frames.len() <= DATAGRAM - header - NUMBER - TAG, "{} bytes", frames.len());
        frames.resize(DATAGRAM - header - NUMBER - TAG, 0);
        self.packet(to, from, number, &frames)
    }
}

/// A CRYPTO frame (RFC 9000, 19.6).
pub fn crypto(offset: usize, data: &[u8]) -> Vec<u8> {
    [&[6][..], &varint2(offset), &varint2(data.len()), data].concat()
}

/// A packet of the type that version 1 gives this number (1: 0-RTT, 2: Handshake), of which only
/// the header can be read.
pub fn opaque(version: u32, kind: u8, to: &[u8], from: &[u8], length: usize) -> Vec<u8> {
    let header = long(version, kind, to, from);
    [header, varint2(length).to_vec(), vec![0xa5; length]].concat()
}

/// A Retry (RFC 9000, 17.2.5).
pub fn retry(version: u32, to: &[u8], from: &[u8]) -> Vec<u8> {
    [long(version, 3, to, from), b"a token".to_vec(), vec![0x5a; 16]].concat()
}

/// A ClientHello as CRYPTO frames carry it. A post-quantum one takes two datagrams.
pub fn client_hello(rng: &mut Rng, name: &str, post_quantum: bool) -> Vec<u8> {
    hello::client(rng, hello::Client::Browser, Some(name), post_quantum)[RECORD..].to_vec()
}

/// A ServerHello likewise, for the cipher suite 0x1301.
pub fn server_hello(rng: &mut Rng) -> Vec<u8> {
    let flight = hello::server(rng, false, true, 1);
    let length = usize::from(u16::from_be_bytes([flight[3], flight[4]]));
    flight[RECORD..RECORD + length].to_vec()
}

/// A TLS record's header.
const RECORD: usize = 5;

/// A long header up to the ids (RFC 9000, 17.2), with the numbers for types that the version has.
fn long(version: u32, kind: u8, to: &[u8], from: &[u8]) -> Vec<u8> {
    let kind = if version == V2 { (kind + 1) % 4 } else { kind };
    let ids = [to, from].map(|id| [&[id.len() as u8], id].concat()).concat();
    [vec![0xc0 | kind << 4], version.to_be_bytes().to_vec(), ids].concat()
}

/// A variable-length integer in two bytes (RFC 9000, 16).
fn varint2(value: usize) -> [u8; 2] {
    assert!(value < 1 << 14, "{value}");
    (value as u16 | 0x4000).to_be_bytes()
}

/// HKDF-Expand-Label (RFC 8446, 7.1).
fn expand<const N: usize>(secret: &hkdf::Prk, label: &[u8]) -> [u8; N] {
    struct Length<const N: usize>;
    impl<const N: usize> hkdf::KeyType for Length<N> {
        fn len(&self) -> usize {
            N
        }
    }
    let info = [&[0, N as u8, 6 + label.len() as u8][..], b"tls13 ", label, &[0]];
    let mut out = [0; N];
    secret.expand(&info, Length::<N>).unwrap().fill(&mut out).unwrap();
    out
}

/// Bytes in hexadecimal.
///
/// # Panics
/// When it is none.
pub fn bytes(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
