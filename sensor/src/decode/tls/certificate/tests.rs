use proptest::prelude::*;
use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, Issuer, KeyPair};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::*;

/// A certificate of these names, signed by the other's key.
fn made(subject: &[(DnType, &str)], issuer: &[(DnType, &str)]) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(params(issuer), KeyPair::generate().unwrap());
    params(subject).signed_by(&key, &issuer).unwrap().der().to_vec()
}

fn params(names: &[(DnType, &str)]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in names {
        params.distinguished_name.push(kind.clone(), DnValue::Utf8String((*value).to_owned()));
    }
    params
}

fn self_signed(params: &CertificateParams) -> Vec<u8> {
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn kind(numbers: &[u64]) -> DnType {
    DnType::CustomDnType(numbers.to_vec())
}

/// A name of one part with this value.
fn named(tag: u8, value: &[u8]) -> Vec<u8> {
    let value = [&[tag, value.len() as u8][..], value].concat();
    let len = value.len() as u8;
    [&[0x31, len + 7, 0x30, len + 5, 6, 3, 0x55, 4, 3][..], &value].concat()
}

fn text(name: &[u8]) -> String {
    name::text(name).unwrap().into()
}

#[test]
fn the_second_reader_says_the_same() {
    let all = [
        (DnType::CountryName, "US"),
        (DnType::StateOrProvinceName, "California"),
        (DnType::LocalityName, "Palo Alto"),
        (DnType::OrganizationName, "VMware, Inc."),
        (DnType::OrganizationalUnitName, "VMware Engineering"),
        (DnType::CommonName, "vcenter.corp.example"),
        (kind(&[0, 9, 2342, 19_200_300, 100, 1, 25]), "vsphere"),
        (kind(&[0, 9, 2342, 19_200_300, 100, 1, 1]), "root"),
        (kind(&[1, 2, 840, 113_549, 1, 9, 1]), "a@b.example"),
        (kind(&[1, 2, 840, 113_549, 1, 9, 2]), "unstructured"),
        (kind(&[1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 1]), "here"),
        (kind(&[1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 2]), "there"),
        (kind(&[1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 3]), "US"),
        (kind(&[2, 5, 4, 97]), "an identifier without a name"),
    ];
    let x520 = [4, 5, 9, 12, 13, 15, 16, 17, 41, 42, 43, 44, 45, 46];
    let x520: Vec<_> = x520.map(|last| (kind(&[2, 5, 4, last]), "some value")).to_vec();
    for (subject, issuer) in [(&all[..], &x520[..]), (&x520, &all[..6]), (&all[..1], &[])] {
        let der = made(subject, issuer);
        let (_, other) = X509Certificate::from_der(&der).unwrap();
        let read = certificate(&der).unwrap();
        assert_eq!(*read.subject, *other.subject().to_string());
        assert_eq!(*read.issuer, *other.issuer().to_string());
        assert_eq!(*read.serial, *other.raw_serial());
        assert_eq!(read.not_before, other.validity().not_before.timestamp());
        assert_eq!(read.not_after, other.validity().not_after.timestamp());
        assert_eq!(read.fingerprint[..], Sha1::digest(&der)[..]);
        assert!(!read.self_signed);
    }
}

#[test]
fn validity_reaches_before_1970_and_beyond_2050() {
    for (from, until) in [
        ((1949, 1, 2), (1950, 1, 1)),
        ((1969, 12, 31), (2049, 12, 31)),
        ((2050, 1, 1), (9999, 12, 31)),
    ] {
        let mut params = params(&[(DnType::CommonName, "old")]);
        params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
        params.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        let read = certificate(&self_signed(&params)).unwrap();
        assert_eq!(read.not_before, params.not_before.unix_timestamp());
        assert_eq!(read.not_after, params.not_after.unix_timestamp());
        assert!(read.self_signed);
    }
}

#[test]
fn times_are_read_in_every_form_that_is_found() {
    let at = |tag, text: &str| seconds(Value { tag, bytes: text.as_bytes() });
    assert_eq!(at(der::UTC_TIME, "700101000001Z"), Some(1));
    assert_eq!(at(der::UTC_TIME, "7001010001Z"), Some(60));
    assert_eq!(at(der::UTC_TIME, "700101020000+0130"), Some(1800));
    assert_eq!(at(der::UTC_TIME, "700101000000-0100"), Some(3600));
    assert_eq!(at(der::UTC_TIME, "500101000000Z"), Some(-631_152_000));
    assert_eq!(at(der::UTC_TIME, "491231235959Z"), Some(2_524_607_999));
    assert_eq!(at(der::GENERALIZED_TIME, "19700101000000Z"), Some(0));
    assert_eq!(at(der::GENERALIZED_TIME, "99991231235959Z"), Some(253_402_300_799));
    for wrong in [
        "",
        "7",
        "701301000000Z",
        "700230000000Z",
        "700101000000",
        "700101000000Zx",
        "70010100000aZ",
        "+70101000000Z",
    ] {
        assert_eq!(at(der::UTC_TIME, wrong), None, "{wrong}");
        assert_eq!(at(der::GENERALIZED_TIME, wrong), None, "{wrong}");
    }
}

#[test]
fn names_that_could_deceive_are_escaped() {
    let der = self_signed(&params(&[
        (DnType::CommonName, "a\"b\r\n<14>\u{1b}[2J\u{202e}moc"),
        (DnType::OrganizationName, "back\\slash, é"),
    ]));
    let read = certificate(&der).unwrap();
    let shown = "CN=a\"b\\x0d\\x0a<14>\\x1b[2J\\xe2\\x80\\xaemoc, O=back\\\\slash, é";
    assert_eq!(&*read.subject, shown);
    assert_eq!(read.subject, read.issuer);
}

#[test]
fn strings_of_every_kind_are_text() {
    assert_eq!(text(&named(0x0c, "ü".as_bytes())), "CN=ü");
    assert_eq!(text(&named(0x14, b"M\xfcller")), "CN=M\\xfcller");
    assert_eq!(text(&named(der::BMP_STRING, &[0, b'a', 0x26, 0x3a, 0xd8, 0])), "CN=a☺\u{fffd}");
    assert_eq!(text(&named(0x03, &[0, 0xaf])), "CN=00AF");
    assert_eq!(text(&[]), "");
    let two = [&named(0x0c, b"a")[2..], &named(0x0c, b"b")[2..]].concat();
    assert_eq!(text(&[&[0x31, two.len() as u8][..], &two].concat()), "CN=a + CN=b");
    let identifier = |kind: &[u8]| {
        let mut out = [&[6, kind.len() as u8][..], kind, &[0x0c, 1, b'x']].concat();
        for tag in [0x30, 0x31] {
            out = [&[tag, out.len() as u8][..], &out].concat();
        }
        text(&out)
    };
    assert_eq!(identifier(&[0x2b, 0x81, 0x00]), "OID(1.3.128)=x");
    assert_eq!(identifier(&[0x88, 0x37, 0x90, 0x80, 0x80, 0x80, 0]), "OID(2.999.4294967296)=x");
    assert_eq!(identifier(&[0xff; 40]), format!("{}=x", "FF".repeat(40)));
    assert_eq!(identifier(&[]), "OID()=x");
}

#[test]
fn a_name_of_any_length_is_cut() {
    let many: Vec<u8> = std::iter::repeat_n(named(0x0c, b"\xc2\x85name"), 800).flatten().collect();
    let text = text(&many);
    assert!(text.len() <= name::MAX_TEXT + 3 && text.ends_with('…'), "{}", text.len());
}

#[test]
fn what_is_broken_is_refused_and_nothing_panics() {
    let der = made(&[(DnType::CommonName, "a.example")], &[(DnType::CommonName, "CA")]);
    let read = certificate(&der).unwrap();
    let names_end = der.windows(9).rposition(|part| part == b"a.example").unwrap() + 9;
    for len in 0..der.len() {
        let _ = certificate(&der[..len]);
        if len < names_end {
            assert_eq!(certificate(&der[..len]), Err(Refusal::NotX509), "{len} bytes");
        }
    }
    for at in 0..der.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xff, der[at] ^ 1] {
            let mut other = der.clone();
            other[at] = byte;
            if let Ok(other) = certificate(&other) {
                assert!(
                    other.subject.len() < 2000 && other.fingerprint != read.fingerprint
                        || der[at] == byte
                );
            }
        }
    }
}

/// Handshake messages in records of at most `size` bytes.
fn records(messages: &[u8], size: usize) -> Vec<u8> {
    let record =
        |part: &[u8]| [&[22, 3, 3, (part.len() >> 8) as u8, part.len() as u8], part].concat();
    messages.chunks(size).flat_map(record).collect()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &(body.len() as u32).to_be_bytes()[1..], body].concat()
}

fn server_hello() -> Vec<u8> {
    message(2, &[&[3, 3][..], &[7; 32], &[0, 0xc0, 0x2f, 0]].concat())
}

/// A chain of these certificates, as the server sends it.
fn chain(certificates: &[&[u8]]) -> Vec<u8> {
    let vector = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[1..], bytes].concat();
    let list: Vec<u8> = certificates.iter().flat_map(|der| vector(der)).collect();
    message(11, &vector(&list))
}

fn find(bytes: &[u8], extent: Extent) -> Progress<Vec<u8>, Refusal> {
    match server_certificate(bytes, extent, &mut Vec::new()) {
        Progress::Complete { value, used } => Progress::Complete { value: value.to_vec(), used },
        Progress::NeedMore(total) => Progress::NeedMore(total),
        Progress::Refused(refusal) => Progress::Refused(refusal),
    }
}

#[test]
fn the_first_certificate_is_found_in_records_of_any_size_as_soon_as_it_is_there() {
    let (own, other) = ([5; 700], [6; 900]);
    let flight = [server_hello(), chain(&[&own, &other]), message(14, b"")].concat();
    for size in [1, 2, 7, 50, 51, 52, 60, 700, 16_000] {
        let bytes = records(&flight, size);
        let mut asked = 0;
        let found = (0..=bytes.len()).find(|&len| match find(&bytes[..len], Extent::Growing) {
            Progress::Complete { value, .. } => value == own,
            Progress::NeedMore(total) => {
                assert!(total > len && total <= bytes.len(), "{total} of {len} in {size}");
                asked = asked.max(total);
                false
            }
            Progress::Refused(refusal) => panic!("{refusal} after {len} bytes"),
        });
        let end = server_hello().len() + 10 + own.len();
        let expected = end + 5 * end.div_ceil(size);
        assert_eq!(found, Some(expected), "in records of {size}");
        assert!(asked <= expected, "asked for {asked}");
        assert_eq!(
            find(&bytes[..expected - 1], Extent::Final),
            Progress::Refused(Refusal::Truncated)
        );
    }
}

#[test]
fn warnings_between_are_passed_over() {
    let alert = [21, 3, 3, 0, 2, 1, 112];
    let hello = records(&server_hello(), 9999);
    let bytes = [&alert[..], &hello, &alert, &records(&chain(&[b"abc"]), 5)].concat();
    assert!(
        matches!(find(&bytes, Extent::Growing), Progress::Complete { value, .. } if value == b"abc")
    );
}

#[test]
fn a_server_that_goes_on_with_something_else_is_not_waited_for() {
    let after =
        |rest: &[u8]| find(&[&records(&server_hello(), 9999), rest].concat(), Extent::Growing);
    assert_eq!(after(&[20, 3, 3, 0, 1, 1]), Progress::Refused(Refusal::NotTls), "resumed");
    for kind in [4, 12, 14, 0] {
        let next = records(&message(kind, b"x"), 9999);
        assert_eq!(after(&next), Progress::Refused(Refusal::NotCertificate));
    }
    assert_eq!(after(&records(&chain(&[]), 99)), Progress::Refused(Refusal::NotCertificate));
    let lying = |at: usize| {
        let mut chain = chain(&[&[1; 40]]);
        chain[at] ^= 0x40;
        after(&records(&chain, 9999))
    };
    assert_eq!(lying(6), Progress::Refused(Refusal::Malformed));
    assert_eq!(lying(9), Progress::Refused(Refusal::Malformed));
    let long = chain(&[&vec![0; MAX_CERTIFICATE + 1]]);
    assert_eq!(after(&records(&long[..20], 99)), Progress::Refused(Refusal::TooLong));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>, size in 1..40_usize) {
        let _ = certificate(&bytes);
        for extent in [Extent::Growing, Extent::Final] {
            let _ = find(&bytes, extent);
            let _ = find(&records(&[server_hello(), bytes.clone()].concat(), size), extent);
        }
    }

    #[test]
    fn any_values_in_a_certificate_are_read_without_panic(
        values in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..12),
    ) {
        let inner: Vec<u8> = values
            .iter()
            .flat_map(|(tag, value)| [&[*tag, value.len() as u8][..], value].concat())
            .collect();
        let mut der = inner;
        for _ in 0..2 {
            let len = der.len() as u16;
            der = [&[0x30, 0x82][..], &len.to_be_bytes(), &der].concat();
        }
        let _ = certificate(&der);
        let _ = name::text(&der);
    }
}
