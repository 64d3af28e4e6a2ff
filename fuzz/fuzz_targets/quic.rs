//! A UDP payload, read as packets of QUIC; and what frames would carry if it were decrypted.

#![no_main]

use egret::decode::quic::{self, Keys, Kind, Side, Version};
use egret::decode::tls::{Extent, bare_client_hello, bare_server_hello};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = quic::looks_like_quic(bytes);
    let mut buffer = Vec::new();
    for packet in quic::packets(bytes).flatten().filter(|packet| packet.kind == Kind::Initial) {
        for side in [Side::Client, Side::Server] {
            let keys = Keys::initial(packet.version, packet.destination, side);
            let frames = keys.as_ref().and_then(|keys| keys.open(&packet, &mut buffer));
            carried(packet.version, frames.unwrap_or_default());
        }
    }
    if let Some(version) = Version::of(1) {
        carried(version, bytes);
    }
});

fn carried(version: Version, frames: &[u8]) {
    for frame in quic::crypto_frames(version, frames).flatten() {
        let _ = bare_client_hello(frame.data, Extent::Growing);
        let _ = bare_server_hello(frame.data, Extent::Final);
    }
}
