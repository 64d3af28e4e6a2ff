//! VPC flow logs of AWS: what moved between whom, mirrored traffic by its ports, and which address an
//! interface has (AWS, *Flow log records*, versions 2 to 5).
//!
//! Both interfaces of a conversation inside tell of it, and a gateway's on the way: who tells is the
//! interface.

use std::net::IpAddr;
use std::sync::Arc;

use super::Told;
use crate::decode::protocol::UDP;
use crate::event::{FlowRecord, Mirrored, Said, Service, Traffic, TunnelKind};
use crate::intake::kept::Kept;
use crate::intake::name;
use crate::time::Timestamp;

pub(super) mod azure;
pub(super) mod gcp;

/// IP protocol number of GRE.
const GRE: u8 = 47;
/// UDP ports that mirrors wrap to (RFC 7348, RFC 8926).
const PORTS: [(u16, TunnelKind); 2] = [(4789, TunnelKind::Vxlan), (6081, TunnelKind::Geneve)];

/// What a line says, by the values of its fields. An interface's address is told once, and when it changes.
pub(super) fn read<'a>(
    interfaces: &mut Kept<Arc<str>, IpAddr>,
    get: impl Fn(&str) -> Option<&'a str>,
) -> Option<Told> {
    let time = get("end").or(get("start")).and_then(seconds);
    let mut said = Vec::new();
    said.extend(moved(&get).map(|record| Said::Exported(Box::new(record))));
    said.extend(mirrored(&get).map(|mirrored| Said::Mirrored(Box::new(mirrored))));
    if let Some((id, address)) = own(&get)
        && interfaces.get(&id) != Some(&address)
    {
        interfaces.insert(id.clone(), address);
        said.push(Said::Address { id, address });
    }
    let host = get("interface-id").map(name);
    (!said.is_empty()).then_some(Told { service: Service::FlowLog, host, time, id: None, said })
}

/// What a line counts, whether it was let through or not. Flags are those of all packets, but an ACK alone
/// is not told: a SYN without ACK opened it.
fn moved<'a>(get: &impl Fn(&str) -> Option<&'a str>) -> Option<FlowRecord> {
    let port = |field| get(field).map_or(Some(0), |port| port.parse().ok());
    let number = |field| get(field)?.parse().ok();
    let first = seconds(get("start")?)?;
    Some(FlowRecord {
        from: (end(get, "pkt-srcaddr", "srcaddr")?, port("srcport")?),
        to: (end(get, "pkt-dstaddr", "dstaddr")?, port("dstport")?),
        protocol: get("protocol")?.parse().ok()?,
        first,
        last: get("end").and_then(seconds)?.max(first),
        sent: Traffic { packets: number("packets")?, bytes: number("bytes")? },
        received: None,
        tcp_flags: get("tcp-flags")
            .and_then(|flags| flags.parse().ok())
            .filter(|flags| *flags != 0),
        one_in: None,
        is_forward: None,
        is_blocked: is_rejected(get),
    })
}

fn is_rejected<'a>(get: &impl Fn(&str) -> Option<&'a str>) -> bool {
    get("action").is_some_and(|action| action.eq_ignore_ascii_case("REJECT"))
}

/// One end. What an interface passes on has the packet's own ends beside the interface's.
fn end<'a>(
    get: &impl Fn(&str) -> Option<&'a str>,
    packet: &str,
    interface: &str,
) -> Option<IpAddr> {
    get(packet).or(get(interface))?.parse().ok()
}

fn mirrored<'a>(get: &impl Fn(&str) -> Option<&'a str>) -> Option<Mirrored> {
    if is_rejected(get) {
        return None;
    }
    let (kind, port) = match get("protocol")?.parse().ok()? {
        UDP => {
            let port = get("dstport")?.parse().ok()?;
            let (_, kind) = PORTS.iter().find(|(known, _)| *known == port)?;
            (*kind, Some(port))
        }
        GRE => (TunnelKind::Gre, None),
        _ => return None,
    };
    let number = |name| get(name)?.parse().ok();
    let since = seconds(get("start")?)?;
    Some(Mirrored {
        since,
        time: get("end").and_then(seconds)?.max(since),
        kind: Some(kind),
        id: None,
        source: end(get, "pkt-srcaddr", "srcaddr")?,
        destination: end(get, "pkt-dstaddr", "dstaddr")?,
        port,
        traffic: Traffic { packets: number("packets")?, bytes: number("bytes")? },
        copies: 0,
        inside: None,
        interface: None,
    })
}

/// The interface's id and its own address: where the direction is not told, either end may be it.
fn own<'a>(get: &impl Fn(&str) -> Option<&'a str>) -> Option<(Arc<str>, IpAddr)> {
    let address = match get("flow-direction")? {
        "egress" => get("srcaddr")?,
        "ingress" => get("dstaddr")?,
        _ => return None,
    };
    Some((name(get("interface-id")?), address.parse().ok()?))
}

fn seconds(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(|seconds| Timestamp::from_parts(seconds, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
    const CUSTOM: &str = "interface-id flow-direction srcaddr dstaddr pkt-srcaddr pkt-dstaddr dstport protocol packets bytes start end";

    fn told(header: &str, lines: &[&str]) -> Vec<Vec<Said>> {
        let mut interfaces = Kept::new(2);
        let read = |line: &&str| {
            let fields: Vec<_> = header.split(' ').zip(line.split(' ')).collect();
            let get = |name: &str| {
                let (_, value) = fields.iter().find(|(known, _)| *known == name)?;
                (*value != "-").then_some(*value)
            };
            read(&mut interfaces, get).map(|told| told.said).unwrap_or_default()
        };
        lines.iter().map(read).collect()
    }

    #[test]
    fn traffic_to_the_ports_of_tunnels_is_mirrored() {
        let line = "2 111122223333 eni-0a 10.0.0.1 198.51.100.7 65001 4789 17 10 8400 1795183391 1795183451 ACCEPT OK";
        let said = told(DEFAULT, &[line]).remove(0);
        let expected = Mirrored {
            since: Timestamp::from_parts(1_795_183_391, 0),
            time: Timestamp::from_parts(1_795_183_451, 0),
            kind: Some(TunnelKind::Vxlan),
            id: None,
            source: "10.0.0.1".parse().unwrap(),
            destination: "198.51.100.7".parse().unwrap(),
            port: Some(4789),
            traffic: Traffic { packets: 10, bytes: 8400 },
            copies: 0,
            inside: None,
            interface: None,
        };
        assert_eq!(said[1..], [Said::Mirrored(Box::new(expected))]);
        for (other, kind) in [
            (line.replace(" 4789 17 ", " 6081 17 "), Some(TunnelKind::Geneve)),
            (line.replace(" 65001 4789 17 ", " 0 0 47 "), Some(TunnelKind::Gre)),
            (line.replace(" 4789 17 ", " 4789 6 "), None),
            (line.replace(" 4789 17 ", " 53 17 "), None),
            (line.replace(" 65001 4789 ", " 4789 65001 "), None),
            (line.replace("ACCEPT", "REJECT"), None),
            (line.replace("10.0.0.1", "10.0.0.256"), None),
            (line.replace(" 10 8400 ", " - - "), None),
            ("2 111122223333 eni-0a - - - - - - - 1795183391 1795183451 - NODATA".into(), None),
        ] {
            let said = told(DEFAULT, &[&other]).remove(0);
            let found = said.iter().find_map(|said| match said {
                Said::Mirrored(mirrored) => mirrored.kind,
                _ => None,
            });
            assert_eq!(found, kind, "{other}");
        }
    }

    #[test]
    fn an_interface_has_the_address_on_its_own_side() {
        let out = "eni-0a egress 10.0.0.1 198.51.100.7 - - 443 6 1 40 1795183391 1795183451";
        let back = "eni-0a ingress 198.51.100.7 10.0.0.1 - - 443 6 1 40 1795183391 1795183451";
        let moved = "eni-0a egress 10.0.0.9 198.51.100.7 - - 443 6 1 40 1795183391 1795183451";
        let unknown = "eni-0b - 10.0.0.2 198.51.100.7 - - 443 6 1 40 1795183391 1795183451";
        let address = |address: &str| {
            vec![Said::Address { id: "eni-0a".into(), address: address.parse().unwrap() }]
        };
        let mut said = told(CUSTOM, &[out, back, unknown, moved]);
        said.iter_mut().for_each(|of| of.retain(|said| matches!(said, Said::Address { .. })));
        assert_eq!(said, [address("10.0.0.1"), vec![], vec![], address("10.0.0.9")]);
    }

    #[test]
    fn what_is_passed_on_has_its_own_ends() {
        let line = "eni-0a ingress 10.0.0.5 10.0.0.6 192.0.2.1 192.0.2.2 4789 17 1 40 1795183391 1795183451";
        let said = told(CUSTOM, &[line]).remove(0);
        let [Said::Exported(record), Said::Mirrored(mirrored), Said::Address { address, .. }] =
            &said[..]
        else {
            panic!("{said:?}")
        };
        assert_eq!(record.from.0, mirrored.source, "not the gateway's");
        assert_eq!(
            (mirrored.source.to_string(), mirrored.destination.to_string()),
            ("192.0.2.1".into(), "192.0.2.2".into())
        );
        assert_eq!(address.to_string(), "10.0.0.6");
    }

    fn record(header: &str, line: &str) -> Option<FlowRecord> {
        told(header, &[line]).remove(0).into_iter().find_map(|said| match said {
            Said::Exported(record) => Some(*record),
            _ => None,
        })
    }

    #[test]
    fn a_line_says_what_moved_in_its_interval() {
        let line = "2 111122223333 eni-0a 10.0.0.1 198.51.100.7 50000 443 6 10 8400 1795183391 1795183451 ACCEPT OK";
        let expected = FlowRecord {
            from: ("10.0.0.1".parse().unwrap(), 50_000),
            to: ("198.51.100.7".parse().unwrap(), 443),
            protocol: 6,
            first: Timestamp::from_parts(1_795_183_391, 0),
            last: Timestamp::from_parts(1_795_183_451, 0),
            sent: Traffic { packets: 10, bytes: 8400 },
            received: None,
            tcp_flags: None,
            one_in: None,
            is_forward: None,
            is_blocked: false,
        };
        assert_eq!(record(DEFAULT, line), Some(expected.clone()));
        let rejected = record(DEFAULT, &line.replace("ACCEPT", "REJECT"));
        assert_eq!(rejected, Some(FlowRecord { is_blocked: true, ..expected.clone() }));
        let flags = record(&format!("{DEFAULT} tcp-flags"), &format!("{line} 3"));
        assert_eq!(flags, Some(FlowRecord { tcp_flags: Some(3), ..expected.clone() }));
        // What has no port and no flags says 0.
        let icmp = line.replace(" 50000 443 6 ", " 0 0 1 ");
        let icmp = record(&format!("{DEFAULT} tcp-flags"), &format!("{icmp} 0")).unwrap();
        assert_eq!((icmp.to.1, icmp.protocol, icmp.tcp_flags), (0, 1, None));
        let backwards = record(DEFAULT, &line.replace("1795183451", "1795183000")).unwrap();
        assert_eq!(backwards.last, expected.first);
    }

    #[test]
    fn what_is_no_count_or_no_address_is_no_record() {
        let line = "2 111122223333 eni-0a 10.0.0.1 198.51.100.7 50000 443 6 10 8400 1795183391 1795183451 ACCEPT OK";
        for (part, other) in [
            ("10.0.0.1", "10.0.0"),
            (" 443 ", " 65536 "),
            (" 6 10 ", " 256 10 "),
            (" 8400 ", " -1 "),
            (" 8400 ", " - "),
            ("1795183391", "99999999999999999999"),
        ] {
            assert_eq!(record(DEFAULT, &line.replace(part, other)), None, "{other}");
        }
    }
}
