//! The first bytes of a TLS stream, read as the client's and as the server's.

#![no_main]

use egret::decode::progress::Progress;
use egret::decode::tls::{Extent, client_hello, server_hello};
use egret::event::{Carrier, TlsSession};
use egret::time::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut session = TlsSession::default();
    for extent in [Extent::Growing, Extent::Final] {
        if let Progress::Complete { value, .. } = client_hello(bytes, extent, &mut Vec::new()) {
            session = value.session(Carrier::Tcp, Timestamp::ZERO);
        }
        if let Progress::Complete { value, .. } = server_hello(bytes, extent, &mut Vec::new()) {
            value.answer(&mut session);
        }
    }
});
