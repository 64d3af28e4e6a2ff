//! Egress that only flow records show.
//!
//! No hello is seen: what carries something to a port of TLS outside is taken for a session of it. Nothing
//! is known of its server name, so none is missing: its place, and what the config approves by name, is
//! what DNS last gave the asset the address for.
//!
//! Bounds: [`KEPT`] sessions in each of two generations, 48 bytes each and 64 for what an alert says.

use std::sync::Arc;
use std::time::Duration;

use super::claim::Claim;
use super::weigh::Notes;
use super::{Said, Session, TlsEgress, Watch, carried};
use crate::alert::Alert;
use crate::decode::protocol;
use crate::detect::estate::{Approval, Ends, Estate, Phase};
use crate::detect::exported::Teller;
use crate::detect::recent::Recent;
use crate::event::{Event, Flow, Volume};
use crate::inventory::AssetId;
use crate::time::Timestamp;

/// Sessions that are remembered.
const KEPT: usize = 1 << 14;
/// For how long at least.
const SPAN: Duration = Duration::from_secs(3600);
/// Ports that carry TLS from the first byte: HTTPS, mail, LDAP, DNS, FTP, IRC, SIP, XMPP, AMQP, MQTT.
const TCP_PORTS: [u16; 17] =
    [443, 465, 636, 853, 989, 990, 992, 993, 994, 995, 5061, 5223, 5671, 6697, 8443, 8883, 9443];
/// Those of QUIC: HTTP and DNS.
const UDP_PORTS: [u16; 2] = [443, 853];
/// The smallest ClientHello, or nearly: SYNs and acknowledgements carry less together.
const HELLO: u64 = 100;

pub(super) fn sessions() -> Recent<u64, Session> {
    Recent::new(SPAN, KEPT)
}

/// Whether a conversation is TLS, going by its port.
fn is_tls(flow: &Flow) -> bool {
    match flow.protocol {
        protocol::TCP => TCP_PORTS.contains(&flow.server.port),
        protocol::UDP => UDP_PORTS.contains(&flow.server.port),
        _ => false,
    }
}

impl TlsEgress {
    /// A flow record tells what a conversation moved.
    pub(crate) fn recorded(
        &mut self,
        estate: &Estate,
        ends: Ends,
        event: &Event,
        volume: &Volume,
        by: Teller,
        alerts: &mut Vec<Alert>,
    ) {
        let (Some(asset), true) = (ends.client, ends.outbound) else { return };
        if !is_tls(&event.flow) {
            return;
        }
        let bytes = carried(volume.to_server);
        let learned = (asset, estate.phase(asset, event.time));
        if let Some(session) = self.recorded.get_mut(event.flow.id) {
            self.watch.send(estate, learned, session, event, bytes, alerts);
            return;
        }
        if bytes < HELLO {
            return;
        }
        let server = (event.flow.server.address, event.flow.server.port);
        let claim = Claim::of_address(estate, asset, server);
        let said = Said { sni: None, ja4: None, proxied: false, teller: Some(by) };
        let Some(session) = self.watch.enter(estate, learned, event.time, &claim, said) else {
            return;
        };
        self.watch.send(estate, learned, &session, event, bytes, alerts);
        self.recorded.insert(event.time, event.flow.id, session);
    }
}

impl Watch {
    /// A session begins: what is known of where it goes and how, unless that is approved.
    pub(super) fn enter(
        &mut self,
        estate: &Estate,
        (asset, phase): (AssetId, Phase),
        time: Timestamp,
        claim: &Claim<'_>,
        said: Said,
    ) -> Option<Session> {
        let approval = estate.approval(asset, claim.server, claim.name, claim.support);
        if approval == Approval::Given {
            return None;
        }
        let management = estate.role(asset).is_management();
        // A management component has an allow-list: only `--learn` teaches it places.
        let learning = phase == Phase::Teaching || (phase == Phase::Learning && !management);
        let visit = self.known.habits.visit(asset, &claim.place, time, learning);
        let mut notes = claim.notes;
        if visit.odd_hour && phase == Phase::Watching {
            notes.add(Notes::ODD_HOUR);
        }
        let rarity = &mut self.known.rarity;
        let new = rarity.note(asset, time, said.ja4, claim.server.1, learning);
        let [_, is_new_port] = new;
        if !is_new_port {
            // A port that it uses all the time is not odd.
            notes.remove(Notes::ODD_PORT);
        }
        let is_new_network = rarity.is_new_network(claim.server.0, time);
        if is_new_network && !said.proxied && phase == Phase::Watching {
            notes.add(Notes::NEW_NETWORK);
        }
        let doubtful = approval == Approval::Doubtful;
        let (place, spot) = (visit.place, visit.spot);
        Some(Session { place, spot, notes, new, doubtful, said: Arc::new(said) })
    }
}
