//! TLS behind STARTTLS and CONNECT.

use super::streams::{CLIENT, Made, SERVER, Turn, every_cut, read, server_flight};
use super::*;
use crate::event::{Carrier, StartTls};

fn said(from: bool, text: &str) -> Turn {
    (from, text.as_bytes().to_vec())
}

/// A dialogue of lines, each with who says it, and the hellos of both behind it.
fn lines(lines: &[(bool, &str)]) -> Vec<Turn> {
    let mut turns: Vec<_> =
        lines.iter().map(|(from, line)| said(*from, &format!("{line}\r\n"))).collect();
    turns.extend(hellos());
    turns
}

fn hellos() -> [Turn; 2] {
    [(CLIENT, hello()), (SERVER, server_flight(0x0304, b""))]
}

fn smtp() -> Vec<Turn> {
    lines(&[
        (SERVER, "220-mail.example ESMTP\r\n220 ready"),
        (CLIENT, "EHLO client.example"),
        (SERVER, "250-mail.example\r\n250-STARTTLS\r\n250 8BITMIME"),
        (CLIENT, "STARTTLS"),
        (SERVER, "220 2.0.0 Ready to start TLS"),
    ])
}

fn imap() -> Vec<Turn> {
    lines(&[
        (SERVER, "* OK [CAPABILITY IMAP4rev1 STARTTLS] ready"),
        (CLIENT, "a001 CAPABILITY"),
        (SERVER, "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na001 OK done"),
        (CLIENT, "a002 starttls"),
        (SERVER, "a002 OK Begin TLS negotiation now"),
    ])
}

fn pop3() -> Vec<Turn> {
    lines(&[
        (SERVER, "+OK POP3 server ready"),
        (CLIENT, "CAPA"),
        (SERVER, "+OK\r\nSTLS\r\n."),
        (CLIENT, "stls"),
        (SERVER, "+OK Begin TLS negotiation"),
    ])
}

/// An LDAP message with this number and operation.
fn ldap_message(number: u8, operation: &[u8]) -> Vec<u8> {
    let body = [&[2, 1, number][..], operation].concat();
    let len = body.len() as u32;
    if len < 128 {
        [&[0x30, len as u8][..], &body].concat()
    } else {
        // As Windows writes lengths: always in four bytes.
        [&[0x30, 0x84][..], &len.to_be_bytes(), &body].concat()
    }
}

const START_TLS: &[u8] = b"\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

fn ldap() -> Vec<Turn> {
    let answer = b"\x78\x24\x0a\x01\0\x04\0\x04\0\x8a\x161.3.6.1.4.1.1466.20037\x8b\0";
    let entry = [&[0x64, 0x82, 1, 0x2c][..], &[0x16; 300]].concat();
    let [client, server] = hellos();
    vec![
        (CLIENT, ldap_message(1, b"\x63\x10\x04\0\x0a\x01\0\x0a\x01\0\x02\x01\0\x02\x01\0\x87")),
        (
            SERVER,
            [ldap_message(1, &entry), ldap_message(1, b"\x65\x07\x0a\x01\0\x04\0\x04\0")].concat(),
        ),
        (CLIENT, ldap_message(2, START_TLS)),
        (SERVER, ldap_message(2, answer)),
        client,
        server,
    ]
}

fn postgres() -> Vec<Turn> {
    let [client, server] = hellos();
    vec![
        (CLIENT, vec![0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]),
        (SERVER, b"N".to_vec()),
        (CLIENT, vec![0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]),
        (SERVER, b"S".to_vec()),
        client,
        server,
    ]
}

fn proxy() -> Vec<Turn> {
    lines(&[
        (
            CLIENT,
            "CONNECT drop.example:443 HTTP/1.1\r\nHost: drop.example:443\r\nUser-Agent: x\r\n",
        ),
        (
            SERVER,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n",
        ),
    ])
}

/// What carries the one session that was told; whole with its name and the server's version.
fn carrier(made: &Made, how: &str) -> Carrier {
    let sessions = made.sessions();
    assert_eq!((sessions.len(), made.hellos()), (1, 1), "{how}");
    let session = sessions[0].1;
    assert_eq!(session.sni.as_deref(), Some("a.example"), "{how}");
    assert_eq!(session.version, Some(0x0304), "{how}");
    session.carrier.clone()
}

fn of(turns: &[Turn]) -> Made {
    let turns: Vec<_> = turns.iter().map(|(from, bytes)| (*from, &bytes[..])).collect();
    read(&turns, Wanted::All)
}

#[test]
fn a_hello_is_found_wherever_segments_end() {
    for (turns, expected) in [
        (smtp(), Carrier::StartTls(StartTls::Smtp)),
        (imap(), Carrier::StartTls(StartTls::Imap)),
        (pop3(), Carrier::StartTls(StartTls::Pop3)),
        (ldap(), Carrier::StartTls(StartTls::Ldap)),
        (postgres(), Carrier::StartTls(StartTls::Postgres)),
        (proxy(), Carrier::Proxy("drop.example:443".into())),
    ] {
        every_cut(&turns, |segments, how| {
            let how = format!("{expected:?}: {how}");
            assert_eq!(carrier(&read(segments, Wanted::All), &how), expected, "{how}");
        });
    }
}

#[test]
fn detectors_are_told_of_the_carrier_without_an_event_file() {
    let turns = proxy();
    let turns: Vec<_> = turns.iter().map(|(from, bytes)| (*from, &bytes[..])).collect();
    let made = read(&turns, Wanted::ForDetectors);
    let carriers: Vec<_> = made
        .events
        .iter()
        .filter_map(|event| match &event.body {
            Body::Hello(session) => Some(session.carrier.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(carriers, [Carrier::Proxy("drop.example:443".into())]);
}

#[test]
fn one_side_alone_tells_what_it_says() {
    for (turns, expected) in [
        (smtp(), Carrier::StartTls(StartTls::Smtp)),
        (pop3(), Carrier::StartTls(StartTls::Pop3)),
        (ldap(), Carrier::StartTls(StartTls::Ldap)),
        (postgres(), Carrier::StartTls(StartTls::Postgres)),
        (proxy(), Carrier::Proxy("drop.example:443".into())),
    ] {
        let client: Vec<_> = turns.into_iter().filter(|turn| turn.0 == CLIENT).collect();
        let made = of(&client);
        assert_eq!(made.sessions()[0].1.carrier, expected);
    }
}

#[test]
fn nothing_is_said_of_a_carrier_that_was_not_asked_for_it() {
    let ftp = lines(&[(SERVER, "220 FTP"), (CLIENT, "AUTH TLS"), (SERVER, "234 go on")]);
    every_cut(&ftp, |segments, how| {
        assert_eq!(carrier(&read(segments, Wanted::All), how), Carrier::Tcp, "{how}");
    });
    let bare = hellos();
    assert_eq!(carrier(&of(&bare), "at once"), Carrier::Tcp);
}

#[test]
fn much_may_be_said_before() {
    // More than the 16 KiB that any stream is looked at; on both sides; by lines longer than any.
    let command = format!("NOOP {}", "x".repeat(400));
    let mut said = vec![(SERVER, "220 ready"), (CLIENT, "EHLO a")];
    for _ in 0..90 {
        said.extend([(CLIENT, &command[..]), (SERVER, &command[..])]);
    }
    said.extend([(CLIENT, "STARTTLS"), (SERVER, "220 go")]);
    assert_eq!(carrier(&of(&lines(&said)), "long"), Carrier::StartTls(StartTls::Smtp));
    let ticket = format!("Proxy-Authorization: Negotiate {}", "YII".repeat(10_000));
    let connect = format!("CONNECT [2001:db8::7]:8443 HTTP/1.0\r\n{ticket}\r\n");
    let turns = lines(&[(CLIENT, &connect), (SERVER, "HTTP/1.0 200 OK\r\n")]);
    assert_eq!(carrier(&of(&turns), "ticket"), Carrier::Proxy("[2001:db8::7]:8443".into()));
    // Far more is given up; a hello at the start of a segment is found all the same for a while.
    let line = format!("NOOP {}\r\n", "x".repeat(1000));
    let long = [b"EHLO a\r\n".to_vec(), line.repeat(49).into_bytes()].concat();
    let [client, _] = hellos();
    let made = of(&[(CLIENT, long), client]);
    assert!(made.sessions().is_empty(), "48 KiB at once are the end of it");
}

#[test]
fn a_proxy_that_says_no_carries_nothing() {
    let connect = "CONNECT drop.example:443 HTTP/1.1\r\n";
    for refusal in [
        "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 5\r\n\r\nno\r\n\r",
        "HTTP/1.1 403 Forbidden\r\n",
        "HTTP/1.0 502 Bad Gateway\r\n",
    ] {
        let made = of(&lines(&[(CLIENT, connect), (SERVER, refusal)]));
        assert!(made.sessions().is_empty() && made.hellos() == 0, "{refusal}");
    }
}

#[test]
fn the_connection_that_a_proxy_made_at_last_is_meant() {
    let page = "x".repeat(3000);
    let refusal = format!(
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n\
         content-length:  {} \r\n\r\n{page}",
        page.len(),
    );
    let turns = [
        said(CLIENT, "CONNECT first.example:443 HTTP/1.1\r\n\r\n"),
        said(SERVER, &refusal),
        said(CLIENT, "connect second.example:443 http/1.1\nProxy-Authorization: x\n\n"),
        said(SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
    ];
    let turns = [turns.to_vec(), hellos().to_vec()].concat();
    let expected = Carrier::Proxy("second.example:443".into());
    assert_eq!(carrier(&of(&turns), "whole"), expected);
    let single: Vec<_> = turns
        .iter()
        .flat_map(|(from, bytes)| bytes.chunks(1).map(|byte| (*from, byte.to_vec())))
        .collect();
    assert_eq!(carrier(&of(&single), "single bytes"), expected);
}

#[test]
fn what_is_no_connect_is_left_to_others() {
    for request in [
        "CONNECT\r\n\r\n",
        "CONNECT  HTTP/1.1\r\n\r\n",
        "CONNECT a:1\r\n\r\n",
        "CONNECT a:1 b HTTP/1.1\r\n\r\n",
        "CONNECT a:1 SIP/2.0\r\n\r\n",
        "CONNECTED a:1 HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
    ] {
        let turns = [&[said(CLIENT, request)][..], &hellos()].concat();
        assert_eq!(carrier(&of(&turns), request), Carrier::Tcp, "{request}");
    }
    let long = format!("CONNECT {}:443 HTTP/1.1\r\n\r\n", "a".repeat(2000));
    let turns = [&[said(CLIENT, &long)][..], &hellos()].concat();
    assert_eq!(carrier(&of(&turns), "too long a name"), Carrier::Tcp);
}

#[test]
fn an_authority_is_printable() {
    let turns = lines(&[
        (CLIENT, "CONNECT a\u{202e}\u{1b}[2J\":443 HTTP/1.1\r\n"),
        (SERVER, "HTTP/1.1 200 OK\r\n"),
    ]);
    let expected = Carrier::Proxy("a\\xe2\\x80\\xae\\x1b[2J\":443".into());
    assert_eq!(carrier(&of(&turns), "hostile"), expected);
}

#[test]
fn ldap_that_is_sealed_or_asks_for_something_else_is_no_starttls() {
    let [client, server] = hellos();
    let other = b"\x77\x19\x80\x171.3.6.1.4.1.4203.1.11.3";
    let turns = [(CLIENT, ldap_message(1, other)), client.clone(), server.clone()];
    assert_eq!(carrier(&of(&turns), "who am I"), Carrier::Tcp);
    let sealed = [0, 0, 0, 20].into_iter().chain([0x16; 20]).collect();
    let bind = ldap_message(1, b"\x60\x07\x02\x01\x03\x04\0\x80\0");
    let turns = [(CLIENT, bind), (CLIENT, sealed), client, server];
    assert_eq!(carrier(&of(&turns), "sealed"), Carrier::Tcp);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn words() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            Just(b"220 x\r\n".to_vec()),
            Just(b"EHLO x\r\n".to_vec()),
            Just(b"STARTTLS\r\n".to_vec()),
            Just(b"CONNECT a:1 HTTP/1.1\r\n".to_vec()),
            Just(b"HTTP/1.1 407 no\r\nContent-Length: 7\r\n\r\n".to_vec()),
            Just(b"HTTP/1.1 200 yes\r\n\r\n".to_vec()),
            Just(b"\r\n".to_vec()),
            Just(ldap_message(1, START_TLS)),
            Just(vec![0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]),
            Just(b"S".to_vec()),
            Just(hello()),
            Just(server_flight(0x0303, b"")),
            prop::collection::vec(any::<u8>(), 1..40),
            prop::collection::vec(any::<u8>(), 1..3000),
        ]
    }

    proptest! {
        #[test]
        fn any_words_in_any_order_are_read_without_panic_and_forgotten(
            turns in prop::collection::vec((any::<bool>(), words()), 0..24),
        ) {
            let made = of(&turns);
            prop_assert!(made.sessions().len() <= 1);
        }
    }
}
