//! Published fingerprints, and hellos of all kinds against another formulation.

use proptest::prelude::*;

use super::*;
use crate::decode::progress::Progress;
use crate::decode::tls::tests::build::{
    alpn, client_message, extension, numbers, record, server_name, vector,
};
use crate::decode::tls::{Extent, client_hello};

/// Chrome's cipher suites in 2023, and its signature algorithms.
const CIPHERS: [u16; 15] = [
    0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
    0x009d, 0x002f, 0x0035,
];
const ALGORITHMS: [u16; 8] = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];

fn with<T>(message: &[u8], look: impl FnOnce(&ClientHello<'_>) -> T) -> T {
    match client_hello(&record(22, message), Extent::Growing, &mut Vec::new()) {
        Progress::Complete { value, .. } => look(&value),
        other => panic!("{other:?}"),
    }
}

fn ja4(message: &[u8]) -> String {
    with(message, |hello| Fingerprints::default().ja4(hello, &Carrier::Tcp).unwrap().to_string())
}

/// A message that offers these extensions, in this order, with what a browser has in them.
fn browser(grease: u16, kinds: &[u16], algorithms: &[u16]) -> Vec<u8> {
    let contents = |&kind: &u16| match kind {
        SERVER_NAME => server_name(b"www.example.com"),
        ALPN => alpn(&[b"h2", b"http/1.1"]),
        13 => extension(13, &numbers(2, algorithms)),
        43 => extension(43, &numbers(1, &[grease, 0x0304, 0x0303])),
        _ => extension(kind, &[]),
    };
    let extensions: Vec<Vec<u8>> = kinds.iter().map(contents).collect();
    client_message(0x0303, &[&[grease], &CIPHERS[..]].concat(), &extensions)
}

/// The example in the description, with GREASE in all places, and one from its reference's tests,
/// where a signature algorithm is GREASE.
#[test]
fn the_published_ones() {
    let kinds = [
        0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023,
        0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0xfafa, 0x0015,
    ];
    let example = "t13d1516h2_8daaf6152771_e5627efa2ab1";
    assert_eq!(ja4(&browser(0xeaea, &kinds, &ALGORITHMS)), example);
    let over_quic = with(&browser(0x0a0a, &kinds, &ALGORITHMS), |hello| {
        Fingerprints::default().ja4(hello, &Carrier::Quic(1))
    });
    assert_eq!(over_quic.unwrap()[1..], example[1..]);
    assert!(over_quic.unwrap().starts_with('q'));

    let newer = [
        0x000a, 0x0005, 0x000b, 0x0012, 0x0017, 0x001b, 0x0000, 0x0010, 0x0023, 0x002b, 0x002d,
        0x0033, 0x44cd, 0xca34, 0xfe0d, 0xff01, 0x000d,
    ];
    let algorithms = [&[0x0904, 0x0905, 0x0906], &ALGORITHMS[..], &[0x5a5a]].concat();
    assert_eq!(ja4(&browser(0x2a2a, &newer, &algorithms)), "t13d1517h2_8daaf6152771_cb7bf5808d99");

    // Without signature algorithms there is no underscore in what is hashed.
    let without: Vec<Vec<u8>> = kinds.iter().map(|&kind| extension(kind, &[])).collect();
    let without = ja4(&client_message(0x0303, &CIPHERS, &without));
    assert_eq!(without, "t12d151600_8daaf6152771_6d807ffa2a79");
}

#[test]
fn what_is_not_there_is_zeros() {
    assert_eq!(ja4(&client_message(0x0301, &[], &[])), "t10i000000_000000000000_000000000000");
    // In SSL 2.0 format there are only cipher suites of another kind.
    let mut old = vec![0x80, 9 + 6 + 16, 1, 3, 0, 0, 6, 0, 0, 0, 16];
    old.extend([5; 22]);
    match client_hello(&old, Extent::Growing, &mut Vec::new()) {
        Progress::Complete { value, .. } => {
            let found = Fingerprints::default().ja4(&value, &Carrier::Tcp).unwrap();
            assert_eq!(found.as_str(), "ts3i000000_000000000000_000000000000");
        }
        other => panic!("{other:?}"),
    }
}

/// The table in the description, and what it says of names that are missing.
#[test]
fn protocols_that_are_no_text_are_told_by_their_digits() {
    let cases: [(&[&[u8]], &str); 13] = [
        (&[b"h2"], "h2"),
        (&[b"http/1.1", b"h2"], "h1"),
        (&[b"x"], "xx"),
        (&[&[0xab]], "ab"),
        (&[&[0xab, 0xcd]], "ad"),
        (&[&[0x30, 0xab]], "3b"),
        (&[&[0x30, 0x31, 0xab, 0xcd]], "3d"),
        (&[&[0x30, 0xab, 0xcd, 0x31]], "01"),
        (&[b" "], "20"),
        (&[b"a "], "60"),
        (&[&[0x5a, 0x5a], b"h2"], "h2"),
        (&[b"", b"h2"], "00"),
        (&[], "00"),
    ];
    for (names, expected) in cases {
        let found = ja4(&client_message(0x0303, &CIPHERS, &[alpn(names)]));
        assert_eq!(&found[8..10], expected, "{names:?}");
    }
}

#[test]
fn versions_are_the_highest_number_that_is_no_grease() {
    for (legacy, offered, expected) in [
        (0x0303, &[0x1a1a, 0x0303, 0x0304][..], "13"),
        (0x0303, &[0x0302, 0x0303, 0xdada], "12"),
        (0x0302, &[], "11"),
        (0x0301, &[0xfafa], "10"),
        (0x0303, &[0x0304, 0x7f1c], "00"),
    ] {
        let versions = extension(43, &numbers(1, offered));
        assert_eq!(&ja4(&client_message(legacy, &CIPHERS, &[versions]))[1..3], expected);
    }
}

#[test]
fn a_hello_that_was_cut_has_none() {
    let message = browser(0x0a0a, &[0, 13, 43, 51], &ALGORITHMS);
    let bytes = record(22, &message);
    for end in 0..bytes.len() {
        let mut scratch = Vec::new();
        let cut = client_hello(&bytes[..end], Extent::Final, &mut scratch);
        if let Progress::Complete { value, .. } = cut {
            assert_eq!(Fingerprints::default().ja4(&value, &Carrier::Tcp), None, "at {end}");
        }
    }
}

#[test]
fn clients_that_never_repeat_are_forgotten_and_none_is_confused() {
    let mut fingerprints = Fingerprints::default();
    for n in 0..3 * MAX_STACKS as u16 {
        let message = client_message(0x0303, &[n, n / 7], &[extension(n, &[])]);
        let found = with(&message, |hello| fingerprints.ja4(hello, &Carrier::Tcp)).unwrap();
        assert_eq!(found.as_str(), ja4(&message));
        assert!(fingerprints.stacks.len() <= MAX_STACKS);
    }
    let many: Vec<u16> = (0..=MAX_NUMBERS as u16).collect();
    let long = client_message(0x0303, &many, &[]);
    let mut fingerprints = Fingerprints::default();
    let found = with(&long, |hello| fingerprints.ja4(hello, &Carrier::Tcp)).unwrap();
    assert!(found.starts_with("t12i9900"), "{found}");
    assert!(fingerprints.stacks.is_empty(), "one of that length is not kept");
}

/// The same by other means: `tls-parser` reads, and the text is built as the description does.
fn second_formulation(bytes: &[u8]) -> Option<String> {
    let (_, plain) = tls_parser::parse_tls_plaintext(bytes).ok()?;
    let tls_parser::TlsMessage::Handshake(tls_parser::TlsMessageHandshake::ClientHello(hello)) =
        plain.msg.first()?
    else {
        return None;
    };
    let real = |value: &u16| !(value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff);
    let hex = |values: &[u16]| {
        values.iter().map(|value| format!("{value:04x}")).collect::<Vec<_>>().join(",")
    };
    let hash = |text: &str| match text {
        "" => "0".repeat(12),
        text => Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).take(6).collect(),
    };
    let mut ciphers: Vec<u16> = hello.ciphers.iter().map(|cipher| cipher.0).filter(real).collect();
    ciphers.sort_unstable();
    let (mut kinds, mut sni, mut first) = (Vec::new(), 'i', None);
    let (mut algorithms, mut version) = (None, None);
    let (_, extensions) =
        tls_parser::parse_tls_client_hello_extensions(hello.ext.unwrap_or_default()).ok()?;
    for extension in &extensions {
        let kind = u16::from(tls_parser::TlsExtensionType::from(extension));
        if !real(&kind) {
            continue;
        }
        kinds.push(kind);
        match extension {
            tls_parser::TlsExtension::SNI(_) => sni = 'd',
            tls_parser::TlsExtension::ALPN(names) => {
                let told = names.iter().find(|name| match name {
                    [a, b] => real(&u16::from_be_bytes([*a, *b])),
                    _ => true,
                });
                first.get_or_insert(told.map(|name| name.to_vec()).unwrap_or_default());
            }
            tls_parser::TlsExtension::SignatureAlgorithms(list) => {
                algorithms.get_or_insert(list.iter().copied().filter(real).collect::<Vec<_>>());
            }
            tls_parser::TlsExtension::SupportedVersions(list) => {
                version.get_or_insert(list.iter().map(|version| version.0).filter(real).max());
            }
            _ => {}
        }
    }
    let count = |length: usize| length.min(99);
    let counts = format!("{:02}{:02}", count(ciphers.len()), count(kinds.len()));
    kinds.retain(|kind| ![0, 16].contains(kind));
    kinds.sort_unstable();
    let version = match version.flatten().unwrap_or(hello.version.0) {
        0x0300 => "s3",
        version @ 0x0301..=0x0304 => ["10", "11", "12", "13"][usize::from(version) - 0x0301],
        _ => "00",
    };
    let first = first.unwrap_or_default();
    let digits: String = first.iter().map(|byte| format!("{byte:02x}")).collect();
    let text: String = match (first.first(), first.last()) {
        (Some(a), Some(b)) if a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric() => {
            [char::from(*a), char::from(*b)].iter().collect()
        }
        (Some(_), Some(_)) => [&digits[..1], &digits[digits.len() - 1..]].concat(),
        _ => "00".to_owned(),
    };
    let algorithms = algorithms.filter(|list| !list.is_empty());
    let behind = algorithms.map(|list| format!("_{}", hex(&list))).unwrap_or_default();
    let list = hex(&kinds);
    let hashed = if list.is_empty() { String::new() } else { list + &behind };
    Some(format!("t{version}{sni}{counts}{text}_{}_{}", hash(&hex(&ciphers)), hash(&hashed)))
}

/// Types that `tls-parser` takes without contents, GREASE and those below 64 among them.
fn other_kinds() -> impl Strategy<Value = u16> {
    let grease = (0..16_u16).prop_map(|n| 0x0a0a + n * 0x1010);
    prop_oneof![Just(22_u16), Just(23), Just(35), 58..0x0a00_u16, grease]
}

fn hellos() -> impl Strategy<Value = Vec<u8>> {
    let list = |length| prop::collection::vec(any::<u16>(), length);
    let names = prop::collection::vec(prop::collection::vec(1..=255_u8, 1..6), 1..3);
    (
        0x0300..0x0304_u16,
        list(0..120),
        prop::option::of(list(1..30)),
        prop::option::of(list(1..5)),
        prop::option::of(names),
        any::<bool>(),
        prop::collection::vec(other_kinds(), 0..110),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(version, ciphers, algorithms, versions, names, named, others, at)| {
            let mut extensions: Vec<Vec<u8>> =
                others.iter().map(|&kind| extension(kind, &[])).collect();
            let at = at.index(extensions.len() + 1);
            let names: Option<Vec<&[u8]>> =
                names.as_ref().map(|names| names.iter().map(Vec::as_slice).collect());
            let read = [
                algorithms.map(|list| extension(13, &numbers(2, &list))),
                versions.map(|list| extension(43, &numbers(1, &list))),
                names.map(|names| alpn(&names)),
                named.then(|| server_name(b"a.example")),
            ];
            extensions.splice(at..at, read.into_iter().flatten());
            client_message(version, &ciphers, &extensions)
        })
}

proptest! {
    /// With one memory for all, so that what is remembered is right, too.
    #[test]
    fn another_formulation_says_the_same(messages in prop::collection::vec(hellos(), 1..6)) {
        let mut fingerprints = Fingerprints::default();
        for message in messages.iter().chain(&messages) {
            let found = with(message, |hello| fingerprints.ja4(hello, &Carrier::Tcp));
            let second = second_formulation(&record(22, message));
            prop_assert_eq!(found.as_deref(), second.as_deref());
        }
    }

    /// Neither the order of extensions nor GREASE is in it.
    #[test]
    fn neither_order_nor_grease_is_in_it(
        kinds in Just((0..70_u16).collect::<Vec<_>>()).prop_shuffle(),
        grease in 0..16_u16,
    ) {
        let first = browser(0x0a0a, &(0..70).collect::<Vec<_>>(), &ALGORITHMS);
        let mut fingerprints = Fingerprints::default();
        let mut found = |message: &[u8]| with(message, |hello| fingerprints.ja4(hello, &Carrier::Tcp));
        prop_assert_eq!(found(&first), found(&browser(0x0a0a + 0x1010 * grease, &kinds, &ALGORITHMS)));
        prop_assert_eq!(fingerprints.stacks.len(), 1, "and it is one client");
    }
}

/// Every hello of real captures; without a corpus it says so.
#[test]
fn captured_hellos_read_the_same() {
    let mut fingerprints = Fingerprints::default();
    let mut compared = 0;
    let walked = crate::decode::corpus::payloads(|payload| {
        if let Some(second) = second_formulation(payload.bytes)
            && let Progress::Complete { value, .. } =
                client_hello(payload.bytes, Extent::Growing, &mut Vec::new())
        {
            let found = fingerprints.ja4(&value, &Carrier::Tcp);
            assert_eq!(found.as_deref(), Some(second.as_str()));
            compared += 1;
        }
    });
    eprintln!("{compared} hellos of {} clients compared", fingerprints.stacks.len());
    assert!(!walked || compared > 0);
}

/// The first of each type counts, whatever comes behind it.
#[test]
fn what_comes_twice_counts_twice_and_is_read_once() {
    let twice = [alpn(&[b"h2"]), alpn(&[b"h3"]), extension(5, &[]), extension(5, &vector(2, b""))];
    let found = ja4(&client_message(0x0303, &CIPHERS, &twice));
    let expected = hash12(&[&[5, 5]]).map(char::from).iter().collect::<String>();
    assert!(found.starts_with("t12i1504h2_") && found.ends_with(&expected), "{found}");
}
