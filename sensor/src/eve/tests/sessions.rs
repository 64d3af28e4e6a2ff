//! TLS sessions, over TCP and QUIC.

use super::*;
use crate::event::{Carrier, Certificate, Ech, Ja3, Ja4, StartTls};

fn value_of(session: TlsSession) -> Value {
    serde_json::from_str(&line(&tcp(Body::Tls(Box::new(session))))).unwrap()
}

#[test]
fn a_session_over_quic_reads_like_suricata_s() {
    let session = TlsSession {
        carrier: Carrier::Quic(0x6b33_43cf),
        sni: Some("a.example".into()),
        alpn: vec!["h3".into()],
        offered: 0x0304,
        cipher: Some(0x1301),
        ja4: Ja4::from("q13d0312h3_55b375c5d22e_f3854ce178b3").ok(),
        ..TlsSession::default()
    };
    let [client, server] = [endpoint("10.0.0.1", 40000), endpoint("198.51.100.7", 443)];
    let line = line(&event(17, client, server, Body::Tls(Box::new(session))));
    let written: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&written["event_type"], &written["proto"]), (&"quic".into(), &"UDP".into()));
    let own = concat!(
        r#""quic":{"version":"6b3343cf","sni":"a.example","#,
        r#""ja4":"q13d0312h3_55b375c5d22e_f3854ce178b3"},"#
    );
    assert!(line.contains(own), "{line}");
    assert_eq!(written["egret"]["client_alpns"], serde_json::json!(["h3"]));
    assert_eq!(written["tls"], Value::Null);
}

#[test]
fn a_session_says_both_halves() {
    let ja3 = |text: &str, byte| Some(Box::new(Ja3 { text: text.into(), hash: [byte; 16] }));
    let session = TlsSession {
        sni: Some("cdn.example".into()),
        alpn: vec!["h2".into()],
        offered: 0x0304,
        version: Some(0x0303),
        cipher: Some(0xc02f),
        server_alpn: Some("h2".into()),
        ech: Ech::Offered,
        resumed: true,
        ja3: ja3("771,49199,0,,", 0x0a),
        ja3s: ja3("771,49199,0", 0xb0),
        ja4: Ja4::from("t12d0101h2_x_y").ok(),
        ja4s: Ja4::from("t1201h2_c02f_z").ok(),
        ..TlsSession::default()
    };
    let value = value_of(session);
    assert_eq!(value["event_type"], "tls");
    assert_eq!(
        value["tls"],
        serde_json::json!({
            "session_resumed": true, "sni": "cdn.example", "version": "TLS 1.2",
            "ja3": { "hash": "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a", "string": "771,49199,0,," },
            "ja3s": { "hash": "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0", "string": "771,49199,0" },
            "ja4": "t12d0101h2_x_y", "client_alpns": ["h2"], "server_alpns": ["h2"],
        })
    );
    assert_eq!(
        value["egret"],
        serde_json::json!({
            "offered": "TLS 1.3", "cipher": "c02f", "ech": "offered", "ja4s": "t1201h2_c02f_z",
        })
    );
    let unanswered = value_of(TlsSession { offered: 0x0303, ..TlsSession::default() });
    assert_eq!(unanswered["tls"].to_string(), r#"{"version":"UNDETERMINED"}"#);
    assert_eq!(unanswered["egret"].to_string(), r#"{"offered":"TLS 1.2"}"#);
    let grease = value_of(TlsSession { ech: Ech::Grease, ..TlsSession::default() });
    assert_eq!(grease["egret"]["ech"], "grease");
}

#[test]
fn a_certificate_reads_like_suricata_s() {
    let certificate = Certificate {
        subject: "CN=mail.example".into(),
        issuer: "C=DE, O=CA".into(),
        serial: [0, 0xd0, 1].into(),
        not_before: 1_795_183_391,
        not_after: -1,
        fingerprint: [0xab; 20],
        self_signed: true,
    };
    let session = TlsSession {
        certificate: Some(Box::new(certificate)),
        carrier: Carrier::StartTls(StartTls::Postgres),
        ..TlsSession::default()
    };
    let value = value_of(session);
    let fingerprint = ["ab"; 20].join(":");
    assert_eq!(
        value["tls"],
        serde_json::json!({
            "subject": "CN=mail.example", "issuerdn": "C=DE, O=CA", "serial": "00:D0:01",
            "fingerprint": fingerprint, "version": "UNDETERMINED",
            "notbefore": "2026-11-20T14:03:11", "notafter": "1969-12-31T23:59:59",
            "from_proto": "pgsql",
        })
    );
    assert_eq!(value["egret"]["self_signed"], true);
}

#[test]
fn a_proxy_is_named_and_times_beyond_the_calendar_break_nothing() {
    let carrier = Carrier::Proxy("a.example:443".into());
    let value = value_of(TlsSession { carrier, ..TlsSession::default() });
    assert_eq!(value["tls"]["from_proto"], "http");
    assert_eq!(value["egret"]["proxy"], "a.example:443");

    let certificate = Certificate {
        subject: "".into(),
        issuer: "".into(),
        serial: [].into(),
        not_before: i64::MIN,
        not_after: i64::MAX,
        fingerprint: [0; 20],
        self_signed: false,
    };
    let certificate = Some(Box::new(certificate));
    let value = value_of(TlsSession { certificate, ..TlsSession::default() });
    assert_eq!(value["tls"]["notafter"], "9999-12-30T22:00:00");
    assert!(value["egret"].get("self_signed").is_none());
}

#[test]
fn versions_have_suricata_s_names() {
    for (version, name) in [
        (0x0002, "SSLv2"),
        (0x0300, "SSLv3"),
        (0x0301, "TLSv1"),
        (0x0304, "TLS 1.3"),
        (0x7f17, "TLS 1.3 draft-23"),
        (0x7f1c, "TLS 1.3 draft-28"),
        (0x7f1d, "0x7f1d"),
    ] {
        let session = TlsSession { version: Some(version), ..TlsSession::default() };
        let value: Value = serde_json::from_str(&line(&tcp(Body::Tls(Box::new(session))))).unwrap();
        assert_eq!(value["tls"]["version"], name);
    }
}
