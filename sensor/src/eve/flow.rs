//! The `flow` and `tcp` objects of EVE.

use serde::Serialize;

use super::{Hex, Time};
use crate::event::{self, AccountReason, App, FlowState};
use crate::time::Timestamp;

/// `flow`: what a conversation moved since its last event, and how it stands.
#[derive(Serialize)]
pub(super) struct Account {
    pkts_toserver: u64,
    pkts_toclient: u64,
    bytes_toserver: u64,
    bytes_toclient: u64,
    start: Time,
    end: Time,
    /// Whole seconds, counted like Suricata: between the seconds of `start` and `end`.
    age: u64,
    state: &'static str,
    reason: &'static str,
    alerted: bool,
}

impl Account {
    pub(super) const fn new(account: &event::Account, opened: Timestamp, alerted: bool) -> Self {
        Self {
            pkts_toserver: account.to_server.packets,
            pkts_toclient: account.to_client.packets,
            bytes_toserver: account.to_server.bytes,
            bytes_toclient: account.to_client.bytes,
            start: Time(opened),
            end: Time(account.last),
            age: account.last.as_secs().saturating_sub(opened.as_secs()),
            state: match account.state {
                FlowState::New => "new",
                FlowState::Established => "established",
                FlowState::Closed => "closed",
            },
            // EVE's words, except `active`: Suricata does not report flows that live on.
            reason: match account.reason {
                AccountReason::Timeout => "timeout",
                AccountReason::Active => "active",
                AccountReason::Evicted => "forced",
                AccountReason::Shutdown => "shutdown",
            },
            alerted,
        }
    }
}

/// `app_proto`: what a conversation speaks, in EVE's words.
pub(super) const fn app_proto(app: App) -> Option<&'static str> {
    Some(match app {
        App::Tls => "tls",
        App::Quic => "quic",
        App::Dns => "dns",
        App::Mdns => "mdns",
        App::Llmnr => "llmnr",
        App::Http => "http",
        App::Ssh => "ssh",
        App::Smb => "smb",
        App::Rfb => "rfb",
        App::Rdp => "rdp",
        // EVE knows none of these.
        App::Socks | App::Stratum | App::Opaque => return None,
    })
}

/// `egret` of a `flow` event: how its counts, which are of what was seen, are to be read.
#[derive(Serialize)]
pub(super) struct Own {
    sampling: Sampling,
}

/// `egret.sampling`: the mirror shows one packet in so many, and what follows for the bytes.
#[derive(Serialize)]
struct Sampling {
    one_in: f64,
    estimated_bytes_toserver: u64,
    estimated_bytes_toclient: u64,
}

impl Own {
    /// Of a mirror that shows all there is nothing to say.
    pub(super) fn new(account: &event::Account) -> Option<Self> {
        let one_in = account.one_in?;
        let times = |bytes: u64| (bytes as f64 * one_in) as u64;
        let sampling = Sampling {
            one_in: (one_in * 10.0).round() / 10.0,
            estimated_bytes_toserver: times(account.to_server.bytes),
            estimated_bytes_toclient: times(account.to_client.bytes),
        };
        Some(Self { sampling })
    }
}

/// `tcp`: the flags of all packets together, and of each side's where both are known.
#[derive(Serialize)]
pub(super) struct TcpFlags {
    tcp_flags: Hex,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp_flags_ts: Option<Hex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp_flags_tc: Option<Hex>,
    #[serde(skip_serializing_if = "is_false")]
    syn: bool,
    #[serde(skip_serializing_if = "is_false")]
    fin: bool,
    #[serde(skip_serializing_if = "is_false")]
    rst: bool,
    #[serde(skip_serializing_if = "is_false")]
    psh: bool,
    #[serde(skip_serializing_if = "is_false")]
    ack: bool,
    #[serde(skip_serializing_if = "is_false")]
    urg: bool,
    #[serde(skip_serializing_if = "is_false")]
    ecn: bool,
    #[serde(skip_serializing_if = "is_false")]
    cwr: bool,
}

impl TcpFlags {
    pub(super) const fn new([to_server, to_client]: [u8; 2]) -> Self {
        Self {
            tcp_flags_ts: Some(Hex(to_server as u16, 2)),
            tcp_flags_tc: Some(Hex(to_client as u16, 2)),
            ..Self::all(to_server | to_client)
        }
    }

    pub(super) const fn all(all: u8) -> Self {
        Self {
            tcp_flags: Hex(all as u16, 2),
            tcp_flags_ts: None,
            tcp_flags_tc: None,
            syn: all & 0x02 != 0,
            fin: all & 0x01 != 0,
            rst: all & 0x04 != 0,
            psh: all & 0x08 != 0,
            ack: all & 0x10 != 0,
            urg: all & 0x20 != 0,
            ecn: all & 0x40 != 0,
            cwr: all & 0x80 != 0,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if takes a reference"
)]
pub(super) const fn is_false(flag: &bool) -> bool {
    !*flag
}
