//! Who opened a conversation, as far as one record says.

use crate::decode::{protocol, tcp_flags};
use crate::event::FlowRecord;

/// Ports above 1023 that servers have.
const SERVERS: [u16; 44] = [
    1433, 1521, 1723, 1883, 2049, 2375, 2376, 3128, 3260, 3268, 3269, 3306, 3389, 3478, 4222, 4443,
    5060, 5061, 5222, 5223, 5432, 5480, 5601, 5671, 5672, 5900, 5985, 5986, 6379, 6443, 6514, 8000,
    8006, 8008, 8080, 8443, 8883, 9000, 9092, 9200, 9443, 10050, 10051, 27017,
];
/// Clients are given ports from here on, by Linux; Windows and the BSDs begin higher.
const EPHEMERAL: u16 = 32_768;

/// Whether `from` opened it; none where the record does not say. What an exporter says counts first. Most
/// add up the flags of all packets, so that both sides have SYN and ACK: only a SYN without ACK tells,
/// and a RST without SYN, which refuses. Else the side with a server's port did not open it.
pub(super) fn is_opener(record: &FlowRecord) -> Option<bool> {
    if record.is_forward.is_some() {
        return record.is_forward;
    }
    if let Some(flags) = record.tcp_flags.filter(|_| record.protocol == protocol::TCP) {
        let has = |flag: u8| flags & flag != 0;
        if has(tcp_flags::SYN) && !has(tcp_flags::ACK) {
            return Some(true);
        }
        if has(tcp_flags::RST) && !has(tcp_flags::SYN) && record.sent.packets == 1 {
            return Some(false);
        }
    }
    let [from, to] = [record.from.1, record.to.1].map(likeness);
    (from != to).then_some(from < to)
}

/// How much a port is like a server's.
fn likeness(port: u16) -> u8 {
    match port {
        0 => 0,
        1..1024 => 3,
        _ if SERVERS.contains(&port) => 2,
        1024..EPHEMERAL => 1,
        EPHEMERAL.. => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::record;
    use super::*;
    use crate::event::Traffic;

    fn opens(ports: [u16; 2], flags: Option<u8>) -> Option<bool> {
        let record = record("10.1.0.3", "203.0.113.9", ports);
        is_opener(&FlowRecord { tcp_flags: flags, ..record })
    }

    #[test]
    fn an_exporter_s_word_counts_before_flags_and_flags_before_ports() {
        const SYN: u8 = tcp_flags::SYN;
        assert_eq!(opens([50_000, 443], None), Some(true));
        assert_eq!(opens([443, 50_000], None), Some(false));
        assert_eq!(opens([443, 50_000], Some(SYN)), Some(true), "a SYN alone opens");
        assert_eq!(opens([443, 50_000], Some(SYN | tcp_flags::ACK)), Some(false), "by its port");
        let refused = FlowRecord {
            tcp_flags: Some(tcp_flags::RST | tcp_flags::ACK),
            sent: Traffic { packets: 1, bytes: 40 },
            ..record("10.1.0.3", "203.0.113.9", [40_001, 50_000])
        };
        assert_eq!(is_opener(&refused), Some(false));
        let word = FlowRecord {
            is_forward: Some(false),
            tcp_flags: Some(SYN),
            ..record("10.1.0.3", "203.0.113.9", [50_000, 443])
        };
        assert_eq!(is_opener(&word), Some(false));
    }

    #[test]
    fn a_server_s_port_is_told_from_a_client_s_and_two_alike_say_nothing() {
        assert_eq!(opens([50_000, 4444], None), Some(true), "below what clients are given");
        assert_eq!(opens([8443, 443], None), Some(true), "the better known one");
        assert_eq!(opens([4444, 8443], None), Some(true));
        for ports in [[50_000, 40_000], [443, 22], [3306, 5432], [0, 0]] {
            assert_eq!(opens(ports, None), None, "{ports:?}");
        }
    }

    #[test]
    fn flags_of_what_is_no_tcp_mean_nothing() {
        let record = record("10.1.0.3", "203.0.113.9", [40_000, 50_000]);
        let udp = FlowRecord { protocol: protocol::UDP, tcp_flags: Some(tcp_flags::SYN), ..record };
        assert_eq!(is_opener(&udp), None);
    }
}
