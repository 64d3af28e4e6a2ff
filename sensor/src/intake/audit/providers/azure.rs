//! The activity log of Azure: virtual network TAPs, and the interfaces that send to them (Microsoft, *Azure
//! activity log event schema*; *Virtual Network Taps*).
//!
//! An operation has a record for each of its steps, with one correlation id. It is told when it succeeded or
//! failed, with what the record of its start had. Ids of resources mean the same in any case, and some
//! exports write them in upper case: they are told in lower.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;

use super::field::Field;
use super::{MAX_OPERATIONS, Told};
use crate::event::{
    ChangeAction, MirrorChange, MirrorObject, Principal, Said, Service, TunnelKind,
};
use crate::intake::kept::Kept;
use crate::intake::name;

/// The application id of the portal.
const PORTAL: &str = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c";
/// The name of a claim that is the user's.
const UPN: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
/// What a TAP sends to.
const DESTINATIONS: [&str; 2] = [
    "destinationNetworkInterfaceIPConfiguration",
    "destinationLoadBalancerFrontEndIPConfiguration",
];

/// Reads records, and remembers operations under way.
#[derive(Debug)]
pub(super) struct Azure {
    /// Where to, as the start of an operation had it; by its correlation id and resource.
    started: Kept<(Arc<str>, Arc<str>), Places>,
}

impl Default for Azure {
    fn default() -> Self {
        Self { started: Kept::new(MAX_OPERATIONS) }
    }
}

/// Where to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Places {
    targets: Vec<Arc<str>>,
    addresses: Vec<IpAddr>,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    UnderWay,
    Done,
    Failed,
}

impl Azure {
    /// What a record says.
    pub(super) fn read(&mut self, record: Field<'_>) -> Option<Told> {
        let operation = record.path(&["operationName", "value"]).or(record.at("operationName"));
        let operation = operation.text()?;
        let (action, object) = mirroring(&operation)?;
        let resource = record.at("resourceId").or(record.at("resourceUri")).text()?;
        let resource = lower(&resource);
        let mut places = places(record);
        let step = step(record);
        if let Some(id) = record.at("correlationId").name() {
            let key = (id, resource.clone());
            match self.started.get(&key) {
                Some(started) if places == Places::default() => places = started.clone(),
                _ if step == Step::UnderWay => drop(self.started.insert(key, places.clone())),
                _ => {}
            }
        }
        if step == Step::UnderWay {
            return None;
        }
        let failure = (step == Step::Failed).then(|| failure(record));
        let change = MirrorChange {
            call: name(&operation),
            action,
            failure,
            ..change(record, object, &resource, places)
        };
        let id = record.at("eventDataId").text().map(Into::into);
        Some(Told {
            service: Service::Azure,
            host: None,
            time: time_of(record).time(),
            id: id.or_else(|| steps_id(record, &resource)),
            said: vec![Said::MirrorChanged(Box::new(change))],
        })
    }
}

fn time_of(record: Field<'_>) -> Field<'_> {
    record.at("eventTimestamp").or(record.at("time")).or(record.at("submissionTimestamp"))
}

/// What stands for the id of a record that has none.
fn steps_id(record: Field<'_>, resource: &str) -> Option<String> {
    let (id, time) = (record.at("correlationId").text()?, time_of(record).text()?);
    Some(format!("{id} {time} {resource}"))
}

/// What an operation does to mirrors.
fn mirroring(operation: &str) -> Option<(ChangeAction, MirrorObject)> {
    let operation = operation.to_ascii_lowercase();
    let (kind, verb) = operation.rsplit_once('/')?;
    let object = match kind {
        "microsoft.network/virtualnetworktaps" => MirrorObject::Target,
        "microsoft.network/networkinterfaces/tapconfigurations" => MirrorObject::Session,
        _ => return None,
    };
    match verb {
        // The same call makes and changes.
        "write" => Some((ChangeAction::Create, object)),
        "delete" => Some((ChangeAction::Delete, object)),
        _ => None,
    }
}

fn change(
    record: Field<'_>,
    object: MirrorObject,
    resource: &Arc<str>,
    places: Places,
) -> MirrorChange {
    let subscription = || resource.strip_prefix("/subscriptions/")?.split('/').next().map(name);
    let request = record.at("httpRequest");
    let from = request.at("clientIpAddress").or(record.at("callerIpAddress"));
    let mut targets = places.targets;
    let mut sources = Vec::new();
    match object {
        MirrorObject::Target => targets.insert(0, resource.clone()),
        _ => sources.extend(resource.rsplit_once("/tapconfigurations/").map(|(nic, _)| name(nic))),
    }
    let id = record.at("eventDataId").name();
    MirrorChange {
        object,
        id: Some(resource.clone()),
        scope: record.at("subscriptionId").text().map(|id| lower(&id)).or_else(subscription),
        principal: principal(record),
        from: from.or(claims(record).at("ipaddr")).name(),
        sources,
        targets,
        addresses: places.addresses,
        wrapping: Some(TunnelKind::Vxlan),
        record: id.or_else(|| steps_id(record, resource).map(|id| name(&id))),
        ..MirrorChange::default()
    }
}

/// In exports, claims are below `identity`.
fn claims(record: Field<'_>) -> Field<'_> {
    record.at("claims").or(record.path(&["identity", "claims"]))
}

fn principal(record: Field<'_>) -> Option<Principal> {
    let claims = claims(record);
    let appid = claims.at("appid");
    let who = record.at("caller").or(claims.at(UPN)).or(claims.at("upn")).or(appid);
    let by_console = appid.is(PORTAL);
    Some(Principal { by_console, ..Principal::named(who.name()?) })
}

/// `Started`, `Accepted`, `Succeeded`, `Failed`; in exports `Start`, `Accept`, `Success`, `Failure`.
fn step(record: Field<'_>) -> Step {
    let status = record.path(&["status", "value"]).or(record.at("status"));
    let status = status.or(record.at("resultType")).text().unwrap_or_default().to_ascii_lowercase();
    if status.starts_with("fail") || status.starts_with("cancel") {
        Step::Failed
    } else if status.starts_with("start") || status.starts_with("accept") {
        Step::UnderWay
    } else {
        Step::Done
    }
}

fn failure(record: Field<'_>) -> Arc<str> {
    let properties = embedded(record.at("properties"));
    let message = Field::of(&properties).at("statusMessage").name();
    let status = record.path(&["subStatus", "value"]).or(record.at("resultSignature")).name();
    status.or(message).unwrap_or_else(|| "Failed".into())
}

/// Where to, by what was asked for or given back.
fn places(record: Field<'_>) -> Places {
    let properties = embedded(record.at("properties"));
    let properties = Field::of(&properties);
    let mut places = Places::default();
    for key in ["requestbody", "responseBody"] {
        let body = embedded(properties.at(key));
        let body = Field::of(&body);
        let asked = body.at("properties").or(body);
        for destination in DESTINATIONS.map(|key| asked.at(key)) {
            let address = destination.path(&["properties", "privateIPAddress"]).address();
            let places = (&mut places.targets, &mut places.addresses);
            add(places.0, destination.at("id").text().map(|id| lower(&id)));
            add(places.1, address);
        }
        let tap = asked.at("virtualNetworkTap").at("id").text();
        add(&mut places.targets, tap.map(|id| lower(&id)));
    }
    places
}

fn add<T: PartialEq>(list: &mut Vec<T>, item: Option<T>) {
    list.extend(item.filter(|item| !list.contains(item)));
}

/// A value that may be JSON in a text.
fn embedded(field: Field<'_>) -> Cow<'_, Value> {
    match field.value() {
        Some(Value::String(text)) => Cow::Owned(serde_json::from_str(text).unwrap_or_default()),
        Some(value) => Cow::Borrowed(value),
        None => Cow::Owned(Value::Null),
    }
}

fn lower(id: &str) -> Arc<str> {
    name(&id.to_lowercase())
}
