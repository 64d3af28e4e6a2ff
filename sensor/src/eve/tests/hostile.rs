//! Names that somebody else chose: whatever they hold, the event is one line that any JSON reader gives
//! back unchanged.

use proptest::prelude::*;

use super::*;
use crate::alert::sample::{hostile_names, saying};
use crate::event::{
    Carrier, Certificate, DnsAnswer, DnsData, DnsMessage, DnsQuestion, DnsTransport,
};

/// A line, read back.
fn read(line: &str) -> Value {
    let json = line.strip_suffix('\n').unwrap();
    assert!(json.bytes().all(|byte| byte >= b' '), "{json:?}");
    serde_json::from_str(json).unwrap()
}

/// A session that says `name` wherever its ends could have said it.
fn session(name: &str) -> TlsSession {
    let certificate = Certificate {
        subject: name.into(),
        issuer: name.into(),
        serial: [].into(),
        not_before: 0,
        not_after: 0,
        fingerprint: [0; 20],
        self_signed: false,
    };
    TlsSession {
        sni: Some(name.into()),
        alpn: vec![name.into(), name.into()],
        server_alpn: Some(name.into()),
        carrier: Carrier::Proxy(name.into()),
        certificate: Some(Box::new(certificate)),
        ..TlsSession::default()
    }
}

/// A response that has `name` in every place for one.
fn response(name: &str) -> DnsMessage {
    let data = [
        DnsData::Name(name.into()),
        DnsData::Text(name.into()),
        DnsData::Service { priority: 1, weight: 2, port: 3, target: name.into() },
    ];
    let answers = data.map(|data| DnsAnswer { name: name.into(), rtype: 1, ttl: 60, data });
    DnsMessage {
        id: 1,
        response: true,
        flags: 0x8180,
        transport: DnsTransport::Udp,
        asked: true,
        questions: vec![DnsQuestion { name: name.into(), rtype: 1 }],
        answers: answers.to_vec(),
        authorities: Vec::new(),
        additionals: Vec::new(),
        incomplete: false,
    }
}

/// `name` is read back, whole, from every place of every event.
fn comes_back(name: &str) {
    let [tls, quic] = [Carrier::Proxy(name.into()), Carrier::Quic(1)].map(|carrier| {
        let session = TlsSession { carrier, ..session(name) };
        read(&line(&tcp(Body::Tls(Box::new(session)))))
    });
    let dns = read(&line(&tcp(Body::Dns(Box::new(response(name))))));
    let conversation = tcp(Body::Account(account()));
    let alert = Alert { flow: Some(Box::new(conversation.flow)), ..saying(name) };
    let mut out = Vec::new();
    Writer::new(vec![name.to_owned()]).alert(&alert, &mut out);
    let alert = read(&String::from_utf8(out).unwrap());
    for (event, places) in [
        (
            &tls,
            &[
                "/tls/sni",
                "/tls/subject",
                "/tls/issuerdn",
                "/tls/client_alpns/1",
                "/tls/server_alpns/0",
                "/egret/proxy",
            ][..],
        ),
        (&quic, &["/quic/sni", "/egret/client_alpns/0"]),
        (&dns, &["/dns/queries/0/rrname", "/dns/answers/0/rdata", "/dns/answers/1/rdata"]),
        (&alert, &["/egret/alert/destination/sni", "/egret/alert/evidence/2/answer"]),
    ] {
        for place in places {
            let there = event.pointer(place).and_then(Value::as_str);
            assert_eq!(there, Some(name), "{place} of {event}");
        }
    }
    assert_eq!(alert["alert"]["signature"], format!("Upload to {name}"));
}

#[test]
fn hostile_names_come_back() {
    hostile_names().iter().for_each(|name| comes_back(name));
}

proptest! {
    #[test]
    fn any_name_comes_back(name in any::<String>()) {
        prop_assume!(name != ".", "the root has a name of its own");
        comes_back(&name);
    }
}
