//! Hellos made by hand, whole, in fragments, cut and damaged.

use proptest::prelude::*;

use super::*;
use crate::event::{Carrier, Ech, TlsSession};
use crate::time::Timestamp;
use build::{alpn, extension, record, server_message, server_name, vector};

pub(super) mod build;

/// The handshake message of a ClientHello.
fn client_message(extensions: &[Vec<u8>]) -> Vec<u8> {
    build::client_message(0x0303, &[0x1301, 0xc02f], extensions)
}

fn usual_client_message() -> Vec<u8> {
    client_message(&[
        extension(0x0a0a, &[]),
        server_name(b"depot.example"),
        alpn(&[b"h2", b"http/1.1"]),
        extension(51, &[1; 1200]),
        extension(43, &vector(1, &[0xfa, 0xfa, 0x03, 0x04, 0x03, 0x03])),
        extension(0xfe0d, &[0; 30]),
    ])
}

fn read(bytes: &[u8]) -> Progress<Option<Vec<u8>>, Refusal> {
    client_hello(bytes, Extent::Growing, &mut Vec::new())
        .and_then(|hello| Ok(hello.sni().map(<[u8]>::to_vec)))
}

fn named(used: usize) -> Progress<Option<Vec<u8>>, Refusal> {
    Progress::Complete { value: Some(b"depot.example".to_vec()), used }
}

#[test]
fn a_client_hello_gives_what_it_says() {
    let bytes = [record(22, &usual_client_message()), vec![20, 3, 3, 0, 1, 1]].concat();
    let mut scratch = Vec::new();
    let Progress::Complete { value: hello, used } =
        client_hello(&bytes, Extent::Growing, &mut scratch)
    else {
        panic!("not complete")
    };
    assert_eq!(used, bytes.len() - 6, "the record behind it is not its");
    assert_eq!(hello.ciphers, [0x13, 0x01, 0xc0, 0x2f]);
    assert!(!hello.truncated);
    let kinds: Vec<u16> = hello.extensions.map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [0x0a0a, 0, 16, 51, 43, 0xfe0d]);
    let time = Timestamp::from_nanos(5);
    let session = hello.session(Carrier::Tcp, time, &mut Fingerprints::default());
    assert_eq!(session.sni.as_deref(), Some("depot.example"));
    assert_eq!(hello.protocols(), ["h2".into(), "http/1.1".into()]);
    assert_eq!(session.offered, 0x0304, "GREASE is no version");
    assert_eq!(session.ech, Ech::Grease);
    assert_eq!((session.hello, &*session.session_id), (time, &[9; 32][..]));
    assert_eq!((session.version, session.cipher), (None, None));
}

#[test]
fn a_hello_in_one_record_is_borrowed() {
    let bytes = record(22, &usual_client_message());
    let mut scratch = Vec::new();
    assert!(matches!(
        client_hello(&bytes, Extent::Growing, &mut scratch),
        Progress::Complete { .. }
    ));
    assert_eq!(scratch.capacity(), 0);
}

#[test]
fn a_hello_split_over_records_anywhere_reads_the_same() {
    let message = usual_client_message();
    for at in 1..message.len() {
        let (head, tail) = message.split_at(at);
        let bytes = [record(22, head), record(22, tail)].concat();
        assert_eq!(read(&bytes), named(bytes.len()), "at {at}");
    }
    let drops: Vec<u8> = message.iter().flat_map(|&byte| record(22, &[byte])).collect();
    assert_eq!(read(&drops), named(drops.len()));
}

/// Every prefix asks for more, for more than it has, and never for more than the hello takes.
#[test]
fn a_prefix_asks_for_what_is_missing() {
    let message = usual_client_message();
    let (head, tail) = message.split_at(700);
    let whole = record(22, &message);
    let halves = [record(22, head), record(22, tail)].concat();
    let drops: Vec<u8> = message.iter().flat_map(|&byte| record(22, &[byte])).collect();
    for bytes in [whole, halves, drops] {
        for end in 0..bytes.len() {
            match read(&bytes[..end]) {
                Progress::NeedMore(total) => {
                    assert!(total > end && total <= bytes.len(), "{total} at {end}");
                }
                other => panic!("{other:?} at {end}"),
            }
        }
        assert_eq!(read(&bytes), named(bytes.len()));
    }
}

/// A capture that cuts the hello gives the name once all of it was captured, and never a part of it.
#[test]
fn a_cut_hello_gives_its_name_when_that_was_captured() {
    let bytes = record(22, &usual_client_message());
    let name_ends = bytes.windows(13).position(|window| window == b"depot.example").unwrap() + 13;
    let mut scratch = Vec::new();
    for end in 0..bytes.len() {
        match client_hello(&bytes[..end], Extent::Final, &mut scratch) {
            Progress::Complete { value, used } => {
                assert_eq!(used, end);
                assert!(value.truncated);
                let expected = (end >= name_ends).then_some(&b"depot.example"[..]);
                assert_eq!(value.sni(), expected, "at {end}");
            }
            Progress::Refused(Refusal::Truncated) => assert!(end < 5 + 4 + 67, "at {end}"),
            other => panic!("{other:?} at {end}"),
        }
    }
}

#[test]
fn a_server_hello_gives_what_was_chosen() {
    let mut scratch = Vec::new();
    let tls13 = record(22, &server_message([1; 32], &[], &[extension(43, &[3, 4])]));
    let Progress::Complete { value, .. } = server_hello(&tls13, Extent::Growing, &mut scratch)
    else {
        panic!("not complete")
    };
    assert_eq!((value.version, value.cipher), (Some(0x0304), 0x1302));
    assert_eq!((value.alpn, value.retry, value.truncated), (None, false, false));

    // A warning alert comes first, and the certificate shares the record.
    let message = [server_message([1; 32], &[], &[alpn(&[b"h2"])]), vec![11, 0, 0, 9]].concat();
    let tls12 = [record(21, &[1, 112]), record(22, &message)].concat();
    let mut scratch = Vec::new();
    let Progress::Complete { value, used } = server_hello(&tls12, Extent::Growing, &mut scratch)
    else {
        panic!("not complete")
    };
    assert_eq!(used, tls12.len() - 4);
    let mut session = TlsSession::default();
    value.answer(&mut session);
    assert_eq!((session.version, session.resumed), (Some(0x0303), false));
    assert_eq!(session.cipher, Some(0x1302));
    assert_eq!(session.server_alpn.as_deref(), Some("h2"));
}

#[test]
fn a_retry_request_is_told_apart_and_a_cut_hello_claims_no_version() {
    let random = *b"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\
                    \xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";
    let bytes = record(22, &server_message(random, &[], &[extension(43, &[3, 4])]));
    let mut scratch = Vec::new();
    let Progress::Complete { value, .. } = server_hello(&bytes, Extent::Growing, &mut scratch)
    else {
        panic!("not complete")
    };
    assert!(value.retry);
    let cut = &bytes[..bytes.len() - 1];
    let mut scratch = Vec::new();
    let Progress::Complete { value, .. } = server_hello(cut, Extent::Final, &mut scratch) else {
        panic!("not complete")
    };
    assert_eq!(value.version, None, "legacy_version alone would be a guess");
}

/// Fails when the id that TLS 1.3 sends back for middle boxes is taken for a resumption, or when a
/// server that gives no id is.
#[test]
fn a_resumption_is_the_id_sent_back_or_from_tls_1_3_on_a_key() {
    let resumed = |id: &[u8], extensions: &[Vec<u8>], client: &[u8]| {
        let bytes = record(22, &server_message([1; 32], id, extensions));
        match server_hello(&bytes, Extent::Growing, &mut Vec::new()) {
            Progress::Complete { value, .. } => value.resumes(client),
            other => panic!("{other:?}"),
        }
    };
    let tls13 = extension(43, &[3, 4]);
    let key = extension(41, &[0, 0]);
    assert!(resumed(&[9; 32], &[], &[9; 32]));
    assert!(!resumed(&[9; 32], &[], &[8; 32]), "another session");
    assert!(!resumed(&[], &[], &[]), "no id at all");
    assert!(!resumed(&[9; 32], std::slice::from_ref(&tls13), &[9; 32]));
    assert!(resumed(&[9; 32], &[tls13, key], &[9; 32]));
}

#[test]
fn the_highest_version_is_known_from_grease_and_drafts() {
    let offered = |versions: &[u8]| {
        let bytes = record(22, &client_message(&[extension(43, &vector(1, versions))]));
        let mut scratch = Vec::new();
        match client_hello(&bytes, Extent::Growing, &mut scratch) {
            Progress::Complete { value, .. } => value.offered(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(offered(&[0x03, 0x01, 0x7f, 0x1c, 0x03, 0x03]), 0x7f1c);
    assert_eq!(offered(&[0x7f, 0x1c, 0x03, 0x04, 0xaa, 0xaa]), 0x0304);
    assert_eq!(offered(&[0x2a, 0x2a]), 0x0303, "nothing but GREASE: the legacy version");
}

#[test]
fn hostile_names_are_printable_and_bounded() {
    let name = [b"a\"\x1b[31m\xff\n".as_slice(), &[b'x'; 600]].concat();
    let bytes = record(22, &client_message(&[server_name(&name), alpn(&[&b""[..]; 100])]));
    let mut scratch = Vec::new();
    let Progress::Complete { value, .. } = client_hello(&bytes, Extent::Growing, &mut scratch)
    else {
        panic!("not complete")
    };
    let mut fingerprints = Fingerprints::default();
    let session = value.session(Carrier::Tcp, Timestamp::ZERO, &mut fingerprints);
    let sni = session.sni.unwrap();
    assert!(sni.starts_with("a\"\\x1b[31m\\xff\\x0axxx") && sni.ends_with("x…"), "{sni}");
    assert!(sni.len() < 300);
    assert!(session.alpn.is_empty());
}

#[test]
fn refusals_say_why() {
    let mut long = usual_client_message();
    long[1] = 1; // 64 KiB more
    assert_eq!(read(&record(22, &long)), Progress::Refused(Refusal::TooLong));
    let message = usual_client_message();
    let (head, tail) = message.split_at(300);
    let interleaved = [record(22, head), record(21, &[1, 0]), record(22, tail)].concat();
    assert_eq!(read(&interleaved), Progress::Refused(Refusal::Interleaved));
    assert_eq!(read(b"GET / HTTP/1.1"), Progress::Refused(Refusal::NotTls));
    assert_eq!(read(&record(22, &[2, 0, 0, 1])), Progress::Refused(Refusal::NotHello));
    assert_eq!(read(&[22, 3, 1, 0xff, 0xff]), Progress::Refused(Refusal::RecordLength));
    assert_eq!(read(&record(22, &[1, 0, 0, 2, 3, 3])), Progress::Refused(Refusal::Malformed));
}

#[test]
fn a_hello_in_ssl_2_format_counts_as_tls() {
    let mut bytes = vec![0x80, 9 + 6 + 16, 1, 3, 1, 0, 6, 0, 0, 0, 16];
    bytes.extend([5; 22]);
    assert_eq!(looks_like_hello(&bytes), Likeness::Client);
    assert_eq!(read(&bytes), Progress::Complete { value: None, used: bytes.len() });
    assert_eq!(read(&bytes[..20]), Progress::NeedMore(33));
    bytes[6] = 7;
    assert_eq!(read(&bytes), Progress::Refused(Refusal::Malformed));
}

#[test]
fn few_bytes_tell_a_hello() {
    let client = record(22, &usual_client_message());
    for end in 0..6 {
        assert_eq!(looks_like_hello(&client[..end]), Likeness::Undecided, "{end}");
    }
    assert_eq!(looks_like_hello(&client), Likeness::Client);
    assert_eq!(looks_like_hello(&record(22, &[2, 0])), Likeness::Server);
    for other in
        [&b"GET /"[..], b"SSH-2.0", &[22, 2], &[22, 3, 5], &[22, 3, 1, 0, 0], &[0x80, 5, 2]]
    {
        assert_eq!(looks_like_hello(other), Likeness::No, "{other:?}");
    }
}

/// Damage anywhere gives an answer, and one that the first bytes' verdict does not contradict.
#[test]
fn every_byte_may_be_any_value() {
    let message = usual_client_message();
    let (head, tail) = message.split_at(90);
    let bytes = [record(22, head), record(22, tail)].concat();
    for at in (0..200).chain(bytes.len() - 60..bytes.len()) {
        for value in 0..=255 {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            if matches!(read(&bytes), Progress::Complete { .. }) {
                assert_eq!(looks_like_hello(&bytes), Likeness::Client, "{value} at {at}");
            }
            let mut scratch = Vec::new();
            let _ = client_hello(&bytes, Extent::Final, &mut scratch);
            let _ = server_hello(&bytes, Extent::Final, &mut scratch);
        }
    }
}

/// Cipher suites, server name, protocols.
type Said = (Vec<u8>, Option<Vec<u8>>, Vec<Vec<u8>>);

/// What `tls-parser` says of the hello in the first record.
fn second_reader(bytes: &[u8]) -> Option<Said> {
    let (_, record) = tls_parser::parse_tls_plaintext(bytes).ok()?;
    let tls_parser::TlsMessage::Handshake(tls_parser::TlsMessageHandshake::ClientHello(hello)) =
        record.msg.first()?
    else {
        return None;
    };
    let ciphers = hello.ciphers.iter().flat_map(|cipher| cipher.0.to_be_bytes()).collect();
    let (_, extensions) =
        tls_parser::parse_tls_client_hello_extensions(hello.ext.unwrap_or_default()).ok()?;
    let (mut sni, mut protocols) = (None, Vec::new());
    for extension in extensions.iter().rev() {
        match extension {
            tls_parser::TlsExtension::SNI(names) => {
                let host = names.iter().find(|(kind, _)| kind.0 == 0);
                sni = host.map(|(_, name)| name.to_vec()).filter(|name| !name.is_empty());
            }
            tls_parser::TlsExtension::ALPN(names) => {
                protocols = names.iter().map(|name| name.to_vec()).collect();
            }
            _ => {}
        }
    }
    Some((ciphers, sni, protocols))
}

#[test]
fn captured_hellos_read_the_same() {
    let (mut whole, mut started, mut named) = (0, 0, 0);
    let walked = crate::decode::corpus::payloads(|payload| {
        if !payload.is_tcp || looks_like_hello(payload.bytes) != Likeness::Client {
            return;
        }
        let mut scratch = Vec::new();
        let hello = client_hello(payload.bytes, Extent::Growing, &mut scratch);
        let ours = match hello {
            Progress::Complete { value, .. } => {
                let protocols: Vec<Vec<u8>> = value.alpn().map(<[u8]>::to_vec).collect();
                named += u32::from(value.sni().is_some());
                Some((value.ciphers.to_vec(), value.sni().map(<[u8]>::to_vec), protocols))
            }
            Progress::NeedMore(_) => {
                started += 1;
                None
            }
            Progress::Refused(refusal) => {
                eprintln!("{refusal}: {:02x?}", payload.bytes.get(..60).unwrap_or(payload.bytes));
                None
            }
        };
        if let Some(theirs) = second_reader(payload.bytes) {
            assert_eq!(ours, Some(theirs));
            whole += 1;
        }
    });
    eprintln!("{whole} hellos compared, {named} names read, {started} go on");
    assert!(!walked || whole > 0);
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(bytes: Vec<u8>) {
        let mut scratch = Vec::new();
        let _ = looks_like_hello(&bytes);
        let _ = client_hello(&bytes, Extent::Final, &mut scratch);
        let _ = server_hello(&record(22, &bytes), Extent::Growing, &mut scratch);
        let _ = client_hello(&[vec![0x80, 40, 1, 3, 1], bytes].concat(), Extent::Final, &mut scratch);
    }

    #[test]
    fn tls_parser_reads_the_same(
        names in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..4),
        // Kinds that nobody has given a meaning: what tls-parser knows (the draft of encrypted names,
        // 0xffce, among them) it refuses with any other contents, and all behind it.
        others in prop::collection::vec((64u16..0x3000, prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        sni in prop::collection::vec(any::<u8>(), 1..300),
    ) {
        let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        let mut extensions: Vec<Vec<u8>> =
            others.iter().map(|(kind, contents)| extension(*kind, contents)).collect();
        extensions.insert(extensions.len() / 2, server_name(&sni));
        extensions.push(alpn(&names));
        let bytes = record(22, &client_message(&extensions));
        let mut scratch = Vec::new();
        let Progress::Complete { value, .. } = client_hello(&bytes, Extent::Growing, &mut scratch)
        else {
            panic!("not complete")
        };
        let protocols: Vec<Vec<u8>> = value.alpn().map(<[u8]>::to_vec).collect();
        let ours = (value.ciphers.to_vec(), value.sni().map(<[u8]>::to_vec), protocols);
        if let Some(theirs) = second_reader(&bytes) {
            prop_assert_eq!(ours, theirs);
        }
    }
}
