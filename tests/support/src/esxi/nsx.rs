//! What the distributed firewall of NSX writes on a host, for rules with logging on.

use std::net::IpAddr;

use super::hostd::Host;

/// A connection let through, or one that has ended with so many bytes to the server and back.
pub(super) fn packet_log(
    host: &Host,
    time: u64,
    client: (IpAddr, u16),
    server: (IpAddr, u16),
    bytes: Option<[u64; 2]>,
) -> String {
    let family = if client.0.is_ipv4() { "INET" } else { "INET6" };
    let ends = format!("{}/{}->{}/{}", client.0, client.1, server.0, server.1);
    let text = match bytes {
        None => format!("{family} match PASS 5096 OUT 60 TCP {ends} S"),
        Some([to_server, back]) => {
            let packets = |bytes: u64| bytes / 1200 + 4;
            let (out, back_packets) = (packets(to_server), packets(back));
            format!(
                "{family} TERM PASS 5096 OUT TCP FIN {ends} {out}/{back_packets} {to_server}/{back} \
                 guests-out"
            )
        }
    };
    let stated = host.stated(time);
    format!("<13>1 {stated} {} FIREWALL-PKTLOG - - - {text}", host.name)
}
