//! Events of vCenter that a broker exports as JSON: port mirroring of distributed switches (VMware,
//! *vSphere Web Services API*: `DvsReconfiguredEvent`, `VMwareVspanSession`).

use std::sync::Arc;

use super::Told;
use super::field::Field;
use crate::account;
use crate::event::{ChangeAction, MirrorChange, Principal, Said, Service, TunnelKind};
use crate::intake::name;

/// The largest id of an ERSPAN session: ten bits.
const MAX_ERSPAN: u32 = 0x3ff;

/// What an event says: bare, or as the data of a CloudEvent.
pub(super) fn read(record: Field<'_>) -> Option<Told> {
    let event = if record.at("specversion").is_there() { record.at("data") } else { record };
    let spec = event.at("configSpec");
    let sessions: Vec<_> = spec.at("vspanConfigSpec").items().collect();
    if sessions.is_empty() && !is_reconfigured(record, event) {
        return None;
    }
    let switch = event.path(&["dvs", "name"]).name();
    let account = event.at("userName").text().and_then(|account| account::spelled(&account));
    let id = record_id(record, event);
    let changes = (1u32..).zip(sessions).map(|(number, session)| {
        // One event may change several: each is a record of its own.
        let record = id
            .as_ref()
            .map(|id| if number == 1 { name(id) } else { name(&format!("{id}/{number}")) });
        Said::MirrorChanged(Box::new(MirrorChange {
            scope: switch.clone(),
            principal: account.as_deref().map(Principal::named),
            record,
            ..change(session)
        }))
    });
    let mut said: Vec<_> = changes.collect();
    if said.is_empty() {
        let account = account.map(Into::into);
        said.push(Said::SwitchReconfigured { switch: switch?, account });
    }
    let time = event.at("createdTime").or(record.at("time"));
    Some(Told { service: Service::Vcenter, host: None, time: time.time(), id, said })
}

fn is_reconfigured(record: Field<'_>, event: Field<'_>) -> bool {
    let names = [event.at("_typeName"), event.at("eventClass"), event.at("eventTypeId")];
    let names = names.into_iter().chain([record.at("subject"), record.at("type")]);
    names.filter_map(Field::text).any(|text| {
        text.rsplit(['.', '/'])
            .next()
            .is_some_and(|class| class.eq_ignore_ascii_case("DvsReconfiguredEvent"))
    })
}

/// The broker's id of the record; else the event's number, which other vCenters give, too, and its time.
fn record_id(record: Field<'_>, event: Field<'_>) -> Option<String> {
    if record.at("specversion").is_there()
        && let Some(id) = record.at("id").text()
    {
        return Some(id.into());
    }
    let (key, time) = (event.at("key").text()?, event.at("createdTime").text()?);
    Some(format!("{key} {time}"))
}

/// One session: what it is now, and what was done to it.
fn change(spec: Field<'_>) -> MirrorChange {
    let session = spec.at("vspanSession");
    let operation = spec.at("operation");
    let is_enabled = session.at("enabled").flag() != Some(false);
    let action = match () {
        () if operation.is("remove") || !is_enabled => ChangeAction::Delete,
        () if operation.is("add") => ChangeAction::Create,
        () => ChangeAction::Modify,
    };
    let (wrapping, wire_id) = wrapping(session);
    let mut change = MirrorChange {
        call: "DvsReconfiguredEvent".into(),
        action,
        kind: session.at("sessionType").name(),
        id: session.at("name").or(session.at("key")).name(),
        wrapping,
        wire_id,
        packet_length: session
            .at("mirroredPacketLength")
            .number_to(u32::MAX)
            .filter(|length| *length > 0),
        sampling: session.at("samplingRate").number_to(u32::MAX).filter(|rate| *rate > 1),
        ..MirrorChange::default()
    };
    for side in ["sourcePortTransmitted", "sourcePortReceived"] {
        add(&mut change.sources, ports(session.at(side)));
    }
    let destination = session.at("destinationPort");
    add(&mut change.targets, ports(destination));
    let vlan = session.at("encapsulationVlanId").number().filter(|vlan| *vlan > 0);
    add(&mut change.targets, vlan.map(|vlan| format!("vlan {vlan}").into()));
    let addresses = destination.at("ipAddress").items().filter_map(Field::address);
    add(&mut change.addresses, addresses);
    change
}

/// How packets are wrapped that leave the switch: by the type of the session, and GRE where it is not told.
fn wrapping(session: Field<'_>) -> (Option<TunnelKind>, Option<u32>) {
    let kind = session.at("sessionType");
    if !kind.is("encapsulatedRemoteMirrorSource") && !kind.is("encapRemoteMirrorSource") {
        return (None, None);
    }
    let how = session.at("encapType");
    if how.is("erspan2") || how.is("erspan3") {
        (Some(TunnelKind::Erspan), session.at("erspanId").number_to(MAX_ERSPAN))
    } else {
        (Some(TunnelKind::Gre), None)
    }
}

/// The ports, uplinks and VLANs at one end of a session.
fn ports(end: Field<'_>) -> impl Iterator<Item = Arc<str>> {
    [
        ("portKey", "port"),
        ("uplinkPortName", "uplink"),
        ("vlans", "vlan"),
        ("wildcardPortConnecteeType", "any"),
    ]
    .into_iter()
    .flat_map(move |(key, kind)| {
        end.at(key).items().filter_map(Field::text).map(move |id| name(&format!("{kind} {id}")))
    })
}

fn add<T: PartialEq>(list: &mut Vec<T>, items: impl IntoIterator<Item = T>) {
    for item in items {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}
