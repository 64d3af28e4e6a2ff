//! What logs said, as events: `guest_operation`, and `audit` for logins and changes of the network. EVE
//! has no names for it: everything is under `egret`. Flow records are EVE's `netflow`.

use std::net::IpAddr;

use serde::Serialize;

use super::{Time, netflow, write_line};
use crate::event::{ChangeAction, GuestOperation, MirrorChange, Report, Said, Session, TunnelKind};
use crate::time::Timestamp;

/// The line of one report.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: Time,
    event_type: &'static str,
    egret: Egret<'a>,
}

/// Its own part.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Egret<'a> {
    GuestOperation(Box<Told<'a, Operation<'a>>>),
    Audit(Box<Told<'a, Audit<'a>>>),
}

/// What was said, and by whom.
#[derive(Serialize)]
struct Told<'a, T> {
    #[serde(flatten)]
    said: T,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stated: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skew: Option<f64>,
}

/// `guest_operation`
#[derive(Serialize)]
struct Operation<'a> {
    operation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    vm: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
    refused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    op_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also: Vec<&'static str>,
}

/// `audit`
#[derive(Serialize, Default)]
struct Audit<'a> {
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrapping: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wire_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wide: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packet_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sampling: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    console: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    foreign_account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    switch: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<bool>,
}

/// Appends what a log said as a line with its line feed, a flow record as up to two; what has no line (conversations, which are as
/// many as packets, and where machines run) appends nothing.
pub fn write_report(report: &Report, out: &mut Vec<u8>) {
    let (event_type, egret) = match &report.said {
        Said::GuestOperation(said) => {
            ("guest_operation", Egret::GuestOperation(Box::new(told(report, operation(said)))))
        }
        Said::Session(said) => ("audit", Egret::Audit(Box::new(told(report, session(said))))),
        Said::SwitchReconfigured { switch, account } => {
            let action = "switch_reconfigured";
            let (switch, account) = (Some(&**switch), account.as_deref());
            let said = Audit { action, switch, account, ..Audit::default() };
            ("audit", Egret::Audit(Box::new(told(report, said))))
        }
        Said::HostChanged(said) => {
            let action = said.change.name();
            let (id, account) = (Some(&*said.detail), said.account.as_deref());
            let said = Audit { action, id, account, ..Audit::default() };
            ("audit", Egret::Audit(Box::new(told(report, said))))
        }
        Said::MirrorChanged(said) => {
            ("audit", Egret::Audit(Box::new(told(report, mirroring(said)))))
        }
        Said::Address { id, address } => {
            let (id, addresses) = (Some(&**id), vec![*address]);
            let said = Audit { action: "address", id, addresses, ..Audit::default() };
            ("audit", Egret::Audit(Box::new(told(report, said))))
        }
        Said::Exported(record) => return netflow::write(report, record, out),
        Said::Conversation(_) | Said::Placement { .. } | Said::Mirrored(_) => return,
    };
    write_line(&Line { timestamp: Time(report.time), event_type, egret }, out);
}

fn told<T>(report: &Report, said: T) -> Told<'_, T> {
    let reporter = &report.reporter;
    Told {
        said,
        source: reporter.service.name(),
        host: reporter.host.as_deref(),
        sender: reporter.peer,
        stated: report.stated.map(Time),
        skew: report.stated.map(|stated| skew(stated, report.time)).filter(|skew| *skew != 0.0),
    }
}

/// By how many seconds one time is ahead of another, to the millisecond.
fn skew(stated: Timestamp, time: Timestamp) -> f64 {
    let millis = stated.since(time).as_millis() as f64 - time.since(stated).as_millis() as f64;
    millis / 1000.0
}

fn operation(said: &GuestOperation) -> Operation<'_> {
    Operation {
        operation: said.operation.name(),
        vm: said.vm.as_deref(),
        account: said.account.as_ref().map(|claim| &*claim.account),
        basis: said.account.as_ref().map(|claim| claim.basis.name()),
        client: said.client,
        refused: said.is_refused,
        event: said.event,
        session: said.session.as_deref(),
        op_id: said.op_id.as_deref(),
        also: said.also.iter().map(|service| service.name()).collect(),
    }
}

fn session(said: &Session) -> Audit<'_> {
    Audit {
        action: said.change.name(),
        access: Some(said.access.name()),
        account: Some(&said.account),
        client: said.client,
        agent: said.agent.as_deref(),
        session: said.id.as_deref(),
        ..Audit::default()
    }
}

fn mirroring(said: &MirrorChange) -> Audit<'_> {
    let principal = said.principal.as_ref();
    Audit {
        action: match said.action {
            ChangeAction::Create => "mirror_create",
            ChangeAction::Modify => "mirror_modify",
            ChangeAction::Delete => "mirror_delete",
        },
        operation: Some(&said.call),
        object: Some(said.object.name()),
        kind: said.kind.as_deref(),
        id: said.id.as_deref(),
        scope: said.scope.as_deref(),
        sources: said.sources.iter().map(|source| &**source).collect(),
        targets: said.targets.iter().map(|target| &**target).collect(),
        addresses: said.addresses.clone(),
        wrapping: said.wrapping.map(TunnelKind::name),
        wire_id: said.wire_id,
        filter: said.filter.as_deref(),
        wide: said.is_wide.then_some(true),
        packet_length: said.packet_length,
        sampling: said.sampling,
        account: principal.map(|principal| &*principal.name),
        from: said.from.as_deref(),
        console: principal.and_then(|principal| principal.by_console.then_some(true)),
        foreign_account: principal.and_then(|principal| principal.foreign_account.as_deref()),
        failure: said.failure.as_deref(),
        refused: Some(said.failure.is_some()),
        record: said.record.as_deref(),
        ..Audit::default()
    }
}
