use proptest::prelude::*;

use super::*;

const SMTP: Protocol = Protocol::StartTls(StartTls::Smtp);
const LDAP: Protocol = Protocol::StartTls(StartTls::Ldap);

/// What is known once a side has said these pieces, kept as a stream keeps them; nothing when it is
/// no such dialogue.
fn known(protocol: Protocol, role: Role, pieces: &[&[u8]]) -> Option<(Carrier, bool)> {
    let mut dialogue = Dialogue::new(protocol);
    let (mut kept, mut wanted) = (Vec::new(), 0);
    for piece in pieces {
        kept.extend_from_slice(piece);
        while !kept.is_empty() && kept.len() >= wanted {
            match dialogue.read(role, &kept) {
                Step::Used(used) => {
                    assert!(used > 0 && used <= kept.len());
                    kept.drain(..used);
                    wanted = 0;
                }
                Step::Want(total) => {
                    assert!(total > kept.len() && total <= MAX_LINE.max(ldap::MAX_REQUEST));
                    wanted = total;
                }
                Step::Over => return None,
            }
        }
    }
    Some((dialogue.carrier(), dialogue.is_refused()))
}

#[test]
fn openings_are_told_by_their_words_alone() {
    let server = |protocol| Beginning::Of(protocol, Role::Server);
    let client = |protocol| Beginning::Of(protocol, Role::Client);
    let imap = Protocol::StartTls(StartTls::Imap);
    for (words, expected) in [
        (&b"220-mail"[..], server(SMTP)),
        (b"ehlo a", client(SMTP)),
        (b"* PREAUTH", server(imap)),
        (b"connect a:1", client(Protocol::Proxy)),
        (b"CONNEC", Beginning::Undecided),
        (b"CONNECTED ", Beginning::No),
        (b"22", Beginning::Undecided),
        (b"221 ", Beginning::No),
        (b"HTTP/1.1 200 OK", Beginning::No),
        (b"GET / HTTP/1.1", Beginning::No),
        (b"SSH-2.0-x", Beginning::No),
        (b"\x30\x0c\x02\x01\x01\x60\x07", client(LDAP)),
        (b"\x30\x84\0\0\0\x0c\x02\x01\x01\x63", client(LDAP)),
        (b"\x30\x0c\x02\x01", Beginning::Undecided),
        (b"\x30\x29\x02\x01\x01\x04\x06public", Beginning::No),
        (b"\x30\x80\x02\x01\x01\x60", Beginning::No),
        (b"\0\0\0\x08\x04\xd2\x16", Beginning::Undecided),
        (b"\0\0\0\x09", Beginning::No),
        (b"", Beginning::No),
    ] {
        assert_eq!(begins(words), expected, "{words:?}");
    }
}

#[test]
fn a_line_asks_for_tls_only_in_its_own_words() {
    assert!(asks(StartTls::Smtp, b"StartTLS "));
    assert!(asks(StartTls::Imap, b"a1 STARTTLS"));
    assert!(asks(StartTls::Pop3, b"STLS"));
    assert!(!asks(StartTls::Smtp, b"a1 STARTTLS"));
    assert!(!asks(StartTls::Imap, b"STARTTLS"));
    assert!(!asks(StartTls::Pop3, b"STARTTLS"));
    assert!(!asks(StartTls::Smtp, b"STARTTLS now"));
    assert!(!asks(StartTls::Smtp, b""));
}

#[test]
fn a_dialogue_without_end_is_given_up() {
    let line = [b'x'; 1000];
    let turns: Vec<&[u8]> = std::iter::repeat_n(&line[..], 60).collect();
    assert_eq!(known(SMTP, Role::Client, &turns), None, "one line");
    let entry = [&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..], &[0x16; 60_000]].concat();
    assert_eq!(known(LDAP, Role::Server, &[&entry]), None, "one message");
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::sample::select(vec![
            &b"STARTTLS\r\n"[..], b"CONNECT a:1 HTTP/1.1\r\n", b"\r\n", b"Content-Length: 4\r\n",
            b"HTTP/1.1 407 no\r\n", b"HTTP/1.0 200 yes\r\n", b"x: y\n", b"\0\0\0\x08\x04\xd2\x16\x2f",
            b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037", b"\x30\x02\x16\x03",
            b"\x30\x82\x01\x00", b"S", b"N",
        ]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 1..300),
        1 => (1..3000_usize).prop_map(|len| vec![b'x'; len]),
    ]
}

proptest! {
    #[test]
    fn segments_change_nothing(
        said in prop::collection::vec(piece(), 1..8).prop_map(|said| said.concat()),
        protocol in prop::sample::select(vec![
            SMTP, LDAP, Protocol::StartTls(StartTls::Postgres), Protocol::Proxy,
        ]),
        client: bool,
        size in 1..40_usize,
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let whole = known(protocol, role, &[&said]);
        let pieces: Vec<_> = said.chunks(size).collect();
        prop_assert_eq!(known(protocol, role, &pieces), whole);
    }
}
