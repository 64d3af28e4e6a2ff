//! The vectors of RFC 9001 and RFC 9369, and packets made by hand, cut and damaged.

use egret_tests::quic::{DRAFT_29, Initials, V1, V2, bytes, crypto, opaque, retry};
use proptest::prelude::*;

use super::*;

/// The client's first destination connection id in both RFCs.
const ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

/// The frames of the client's Initial (RFC 9001, A.2) without the padding to 1162 bytes.
const CLIENT: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a\
    2b69484c00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d\
    0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba\
    753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00\
    020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f\
    088394c8f03e51570806048000ffff";

/// The frames of the server's (RFC 9001, A.3).
const SERVER: &str = "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df56\
    6dc5430b9a045a1200130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311\
    bcf32bb9da1a002b00020304";

/// The same, protected (RFC 9001, A.3; RFC 9369, A.3).
const SERVER_1: &str = "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f3\
    7a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3b\
    ded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee";
const SERVER_2: &str = "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb76\
    1d9b89237bbf87263017915358230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a39\
    3e42757507698075b2c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140";

fn first(datagram: &[u8]) -> Packet<'_> {
    packets(datagram).next().unwrap().unwrap()
}

fn opened(datagram: &[u8], id: &[u8], side: Side) -> Option<Vec<u8>> {
    let packet = first(datagram);
    let keys = Keys::initial(packet.version, id, side).unwrap();
    keys.open(&packet, &mut Vec::new()).map(<[u8]>::to_vec)
}

fn gathered(frames: &[u8]) -> Result<Vec<Crypto<'_>>, Refusal> {
    crypto_frames(Version::of(V1).unwrap(), frames).collect()
}

#[test]
fn the_servers_initials_of_the_rfcs_open() {
    for (hex, version) in [(SERVER_1, V1), (SERVER_2, V2)] {
        let datagram = bytes(hex);
        let packet = first(&datagram);
        assert_eq!((packet.version.number(), packet.kind), (version, Kind::Initial));
        assert_eq!((packet.destination, packet.source), (&[][..], &bytes("f067a5502a4262b5")[..]));
        assert_eq!(opened(&datagram, &ID, Side::Server), Some(bytes(SERVER)));
        assert_eq!(opened(&datagram, &ID, Side::Client), None);
    }
}

/// What is sealed by hand is what the RFCs print: so the keys are theirs, and what opens it is right.
#[test]
fn the_clients_initials_of_the_rfcs_open() {
    let mut frames = bytes(CLIENT);
    frames.resize(1162, 0);
    for (version, header, protected, sample) in [
        (
            V1,
            "c300000001088394c8f03e5157080000449e00000002",
            "c000000001088394c8f03e5157080000449e7b9aec34",
            "d1b1c98dd7689fb8ec11d242b123dc9b",
        ),
        (
            V2,
            "d36b3343cf088394c8f03e5157080000449e00000002",
            "d76b3343cf088394c8f03e5157080000449ea0c95e82",
            "ffe67b6abcdb4298b485dd04de806071",
        ),
    ] {
        let datagram = Initials::client(version, &ID).seal(bytes(header), &frames);
        assert_eq!(datagram.len(), 1200);
        assert_eq!(datagram[..22], bytes(protected));
        assert_eq!(datagram[22..38], bytes(sample));
        assert_eq!(opened(&datagram, &ID, Side::Client).as_ref(), Some(&frames));
        let crypto = gathered(&frames).unwrap();
        assert_eq!(crypto, [Crypto { offset: 0, data: &frames[4..245] }]);
    }
}

#[test]
fn packets_that_share_a_datagram_are_told_apart() {
    for version in [V1, V2, DRAFT_29] {
        let parts = [
            Initials::client(version, &ID).packet(&ID, b"me", 0, &crypto(0, b"hello")),
            opaque(version, 1, &ID, b"me", 300),
            opaque(version, 2, &ID, b"me", 70),
            retry(version, b"me", b"other"),
        ];
        let kinds = |datagram: &[u8]| -> Vec<_> {
            packets(datagram)
                .map(|packet| packet.map(|packet| (packet.kind, packet.is_whole)))
                .collect()
        };
        let all =
            [Kind::Initial, Kind::ZeroRtt, Kind::Handshake, Kind::Retry].map(|k| Ok((k, true)));
        assert_eq!(kinds(&parts.concat()), all);
        // Behind a short header there is nothing that could be told apart.
        let short = [&parts[2][..], &[0x40; 30], &parts[0]].concat();
        assert_eq!(kinds(&short), [Ok((Kind::Handshake, true))]);
        let cut = [&parts[2][..], &parts[0][..40]].concat();
        assert_eq!(kinds(&cut), [Ok((Kind::Handshake, true)), Ok((Kind::Initial, false))]);
        let other = [&parts[2][..], &opaque(0x0a1a_2a3a, 2, &ID, b"me", 9)].concat();
        assert_eq!(
            kinds(&other),
            [Ok((Kind::Handshake, true)), Err(Refusal::Version(0x0a1a_2a3a))]
        );
    }
    let mut long_id = opaque(V1, 2, &[7; 21], b"", 9);
    assert_eq!(packets(&long_id).next().unwrap().unwrap_err(), Refusal::Malformed);
    long_id.truncate(20);
    assert_eq!(packets(&long_id).next().unwrap().unwrap_err(), Refusal::Malformed);
}

#[test]
fn few_bytes_tell_what_may_be_quic() {
    let initial = Initials::client(V1, &ID).datagram(&ID, b"", 0, &crypto(0, b"hello"));
    assert!(looks_like_quic(&initial) && looks_like_quic(&initial[..7]));
    let mut unknown = initial.clone();
    unknown[1..5].copy_from_slice(&[0x1a, 0x2a, 0x3a, 0x4a]);
    assert!(looks_like_quic(&unknown), "counted or, as here, known to mean nothing");
    assert!(!looks_like_quic(&unknown[..1199]), "no client's first");
    unknown[5] = 21;
    assert!(!looks_like_quic(&unknown), "its id is too long");
    let mut negotiation = initial.clone();
    negotiation[1..5].fill(0);
    let query = b"\xc2\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01";
    let rtp = [&[0x80, 0x60][..], &[1; 1300]].concat();
    for other in [&negotiation[..], query, &rtp, &[0x40; 1200], &[0xff; 1400], &[0xc0], &[]] {
        assert!(!looks_like_quic(other), "{:02x?}", &other[..other.len().min(8)]);
    }
}

#[test]
fn frames_of_initials_are_read_and_others_refused() {
    let ack = [&[2][..], &[5, 0, 1, 0, 0, 3]].concat();
    let ack_ecn = [&[3][..], &[5, 0, 0, 0, 1, 2, 3]].concat();
    let close = [&[0x1c][..], &[0x41, 0x28, 6, 3], b"why"].concat();
    let (one, two) = (crypto(0, b"one"), crypto(700, b"two"));
    let frames = [&[0, 0, 1][..], &one, &ack, &ack_ecn, &[0], &two, &close, &[0; 20]].concat();
    let expected = [Crypto { offset: 0, data: b"one" }, Crypto { offset: 700, data: b"two" }];
    assert_eq!(gathered(&frames).as_deref(), Ok(&expected[..]));
    let endless = [0x02, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0];
    for refused in [&[0x08, 0][..], &[0x1d, 0, 0], &[6, 0, 9, 1], &[6], &endless] {
        assert_eq!(gathered(refused), Err(Refusal::Malformed), "{refused:02x?}");
    }
    let stops: Vec<_> = crypto_frames(Version::of(V1).unwrap(), &[0x1e; 40]).collect();
    assert_eq!(stops.len(), 1, "nothing is read behind what is refused");
}

#[test]
fn every_prefix_and_every_byte_get_an_answer() {
    let datagram = [bytes(SERVER_2), bytes(SERVER_1)].concat();
    for end in 0..datagram.len() {
        let cut = &datagram[..end];
        let whole = packets(cut).flatten().filter(|packet| packet.is_whole).count();
        assert_eq!(whole, usize::from(end >= 135), "{end}");
    }
    let datagram = bytes(SERVER_1);
    for at in 0..datagram.len() {
        for change in 1..=255 {
            let mut datagram = datagram.clone();
            datagram[at] ^= change;
            for packet in packets(&datagram).flatten() {
                let keys = Keys::initial(packet.version, &ID, Side::Server).unwrap();
                assert_eq!(keys.open(&packet, &mut Vec::new()), None, "{change:02x} at {at}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(head in any::<[u8; 6]>(), known: bool, bytes: Vec<u8>) {
        let mut datagram = [&head[..], &bytes].concat();
        if known {
            datagram[0] |= 0xc0;
            datagram[1..5].copy_from_slice(&V1.to_be_bytes());
        }
        let _ = looks_like_quic(&datagram);
        for packet in packets(&datagram).flatten() {
            let keys = Keys::initial(packet.version, packet.destination, Side::Client).unwrap();
            prop_assert!(keys.open(&packet, &mut Vec::new()).is_none());
        }
        let _ = gathered(&bytes);
    }
}
