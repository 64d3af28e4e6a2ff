//! A DNS message, over UDP and behind TCP's length.

#![no_main]

use egret::decode::dns;
use egret::event::DnsTransport;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = dns::message(bytes, DnsTransport::Udp);
    let _ = dns::tcp_message(bytes);
});
