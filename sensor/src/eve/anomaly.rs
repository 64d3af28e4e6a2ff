//! The `anomaly` events: frames that are broken, by what is wrong with them. One line for many, with
//! their number: who sends broken frames must not fill a disk with them.

use serde::Serialize;

use super::{Time, write_line};
use crate::decode::Refusal;
use crate::time::Timestamp;

#[derive(Serialize)]
struct Line {
    timestamp: Time,
    event_type: &'static str,
    anomaly: Anomaly,
    egret: Own,
}

/// `anomaly`
#[derive(Serialize)]
struct Anomaly {
    #[serde(rename = "type")]
    kind: &'static str,
    event: &'static str,
}

#[derive(Serialize)]
struct Own {
    layer: &'static str,
    reason: &'static str,
    count: u64,
}

/// Appends a line for each reason in `refused`, with how many frames of it there were by `time`. What
/// is not broken, but none of Egret's business, is no anomaly.
pub fn write_anomalies(
    time: Timestamp,
    refused: impl IntoIterator<Item = (Refusal, u64)>,
    out: &mut Vec<u8>,
) {
    for (refusal, count) in refused {
        let Some(event) = event(refusal).filter(|_| count > 0) else { continue };
        let (layer, reason) = (refusal.layer(), refusal.reason());
        let line = Line {
            timestamp: Time(time),
            event_type: "anomaly",
            anomaly: Anomaly { kind: "decode", event },
            egret: Own { layer, reason, count },
        };
        write_line(&line, out);
    }
}

/// EVE's name for what is wrong.
const fn event(refusal: Refusal) -> Option<&'static str> {
    Some(match refusal {
        Refusal::LinkTruncated => "decoder.ethernet.pkt_too_small",
        Refusal::LinkNesting => "decoder.too_many_layers",
        Refusal::IpVersion => "decoder.ipraw.invalid_ip_version",
        Refusal::Ipv4Truncated => "decoder.ipv4.pkt_too_small",
        Refusal::Ipv4Length => "decoder.ipv4.iplen_smaller_than_hlen",
        Refusal::Ipv6Truncated => "decoder.ipv6.pkt_too_small",
        Refusal::Ipv6Extension => "decoder.ipv6.trunc_exthdr",
        Refusal::TcpTruncated => "decoder.tcp.pkt_too_small",
        Refusal::TcpLength => "decoder.tcp.hlen_too_small",
        Refusal::UdpTruncated => "decoder.udp.pkt_too_small",
        Refusal::UdpLength => "decoder.udp.len_invalid",
        Refusal::LinkType | Refusal::NotIp | Refusal::LinkEncrypted => return None,
    })
}
