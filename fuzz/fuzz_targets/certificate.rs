//! A server's certificate, alone and behind its hello in records.

#![no_main]

use egret::decode::progress::Progress;
use egret::decode::tls::{Extent, certificate, server_certificate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut scratch = Vec::new();
    if let Ok(read) = certificate(bytes) {
        assert!(read.subject.len() < 2048 && read.issuer.len() < 2048);
    }
    for extent in [Extent::Growing, Extent::Final] {
        if let Progress::Complete { value, .. } = server_certificate(bytes, extent, &mut scratch) {
            let _ = certificate(value);
        }
    }
});
