//! VPC flow logs of AWS: mirrored traffic by its ports, and which address an interface has (AWS, *Flow log
//! records*).

use std::net::IpAddr;
use std::sync::Arc;

use super::Told;
use crate::decode::protocol::UDP;
use crate::event::{Mirrored, Said, Service, Traffic, TunnelKind};
use crate::intake::kept::Kept;
use crate::intake::name;
use crate::time::Timestamp;

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
    said.extend(mirrored(&get).map(|mirrored| Said::Mirrored(Box::new(mirrored))));
    if let Some((id, address)) = own(&get)
        && interfaces.get(&id) != Some(&address)
    {
        interfaces.insert(id.clone(), address);
        said.push(Said::Address { id, address });
    }
    (!said.is_empty()).then(|| Told { service: Service::FlowLog, time, id: None, said })
}

fn mirrored<'a>(get: &impl Fn(&str) -> Option<&'a str>) -> Option<Mirrored> {
    if get("action").is_some_and(|action| action.eq_ignore_ascii_case("REJECT")) {
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
    // What an interface passes on has the packet's own ends beside the interface's.
    let end = |packet, interface| get(packet).or(get(interface))?.parse::<IpAddr>().ok();
    let number = |name| get(name)?.parse().ok();
    let since = seconds(get("start")?)?;
    Some(Mirrored {
        since,
        time: get("end").and_then(seconds)?.max(since),
        kind: Some(kind),
        id: None,
        source: end("pkt-srcaddr", "srcaddr")?,
        destination: end("pkt-dstaddr", "dstaddr")?,
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
        assert_eq!(said, [Said::Mirrored(Box::new(expected))]);
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
            let found = said.first().and_then(|said| match said {
                Said::Mirrored(mirrored) => mirrored.kind,
                other => panic!("{other:?}"),
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
        assert_eq!(
            told(CUSTOM, &[out, back, unknown, moved]),
            [address("10.0.0.1"), vec![], vec![], address("10.0.0.9")]
        );
    }

    #[test]
    fn what_is_passed_on_has_its_own_ends() {
        let line = "eni-0a ingress 10.0.0.5 10.0.0.6 192.0.2.1 192.0.2.2 4789 17 1 40 1795183391 1795183451";
        let said = told(CUSTOM, &[line]).remove(0);
        let [Said::Mirrored(mirrored), Said::Address { address, .. }] = &said[..] else {
            panic!("{said:?}")
        };
        assert_eq!(
            (mirrored.source.to_string(), mirrored.destination.to_string()),
            ("192.0.2.1".into(), "192.0.2.2".into())
        );
        assert_eq!(address.to_string(), "10.0.0.6");
    }
}
