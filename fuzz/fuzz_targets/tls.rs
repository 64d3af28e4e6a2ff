//! The first bytes of a TLS stream, read as the client's and as the server's.

#![no_main]

use egret::decode::progress::Progress;
use egret::decode::tls::{
    Extent, Fingerprints, client_hello, ja3, ja3s, ja4s, server_hello,
};
use egret::event::{Carrier, TlsSession};
use egret::time::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut session = TlsSession::default();
    let mut fingerprints = Fingerprints::default();
    for extent in [Extent::Growing, Extent::Final] {
        if let Progress::Complete { value, .. } = client_hello(bytes, extent, &mut Vec::new()) {
            session = value.session(Carrier::Tcp, Timestamp::ZERO, &mut fingerprints);
            session.ja3 = ja3(&value).map(Box::new);
        }
        if let Progress::Complete { value, .. } = server_hello(bytes, extent, &mut Vec::new()) {
            value.answer(&mut session);
            session.ja3s = ja3s(&value).map(Box::new);
            session.ja4s = ja4s(&value, &session.carrier);
        }
    }
});
