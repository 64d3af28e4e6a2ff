//! AWS CloudTrail: traffic mirroring of EC2, and the addresses that interfaces are given (AWS, *CloudTrail
//! record contents*; *Amazon EC2 API Reference*).
//!
//! What a call was given is below a key named after it (`CreateTrafficMirrorSessionRequest`), its members in
//! upper camel case; what it gave back likewise (`…Response`), in lower. Other calls have no such key.

use std::sync::Arc;

use serde_json::Value;

use super::Told;
use super::field::Field;
use crate::event::{
    ChangeAction, MirrorChange, MirrorObject, Principal, Said, Service, TunnelKind,
};
use crate::intake::name;

mod addresses;
mod rule;

/// The largest VXLAN network identifier (RFC 7348, 5).
const MAX_NETWORK: u32 = (1 << 24) - 1;
/// Services that call for whoever uses them; other services of AWS call for themselves.
const AGENTS: [&str; 2] = ["cloudformation.amazonaws.com", "signin.amazonaws.com"];
/// What stands for the console, as an address or an agent.
const CONSOLES: [&str; 4] =
    ["AWS Internal", "signin.amazonaws.com", "console.amazonaws.com", "console.ec2.amazonaws.com"];

/// What a record says.
pub(super) fn read(record: Field<'_>) -> Option<Told> {
    if !record.at("eventSource").is("ec2.amazonaws.com") {
        return None;
    }
    let call = record.at("eventName").text()?;
    let said = match mirroring(&call) {
        Some((action, object)) => {
            let change = Call::of(record, &call, action, object)?.change();
            vec![Said::MirrorChanged(Box::new(change))]
        }
        None => addresses::read(record, &call),
    };
    (!said.is_empty()).then(|| Told {
        service: Service::CloudTrail,
        host: None,
        time: record.at("eventTime").time(),
        id: record.at("eventID").text().map(Into::into),
        said,
    })
}

/// What a call does to mirrors, by its name.
fn mirroring(call: &str) -> Option<(ChangeAction, MirrorObject)> {
    let call = call.to_ascii_lowercase();
    let (verb, object) = call.split_once("trafficmirror")?;
    let action = match verb {
        "create" => ChangeAction::Create,
        "modify" => ChangeAction::Modify,
        "delete" => ChangeAction::Delete,
        _ => return None,
    };
    let object = match object {
        "session" => MirrorObject::Session,
        "target" => MirrorObject::Target,
        "filter" | "filternetworkservices" => MirrorObject::Filter,
        "filterrule" => MirrorObject::FilterRule,
        _ => return None,
    };
    Some((action, object))
}

/// What was given to the call, and what it gave back.
fn halves<'a>(record: Field<'a>, call: &str) -> (Field<'a>, Field<'a>) {
    let half = |key, end| {
        let whole = record.at(key);
        whole.at(&format!("{call}{end}")).or(whole)
    };
    (half("requestParameters", "Request"), half("responseElements", "Response"))
}

/// One call.
#[derive(Debug, Clone, Copy)]
struct Call<'a> {
    record: Field<'a>,
    name: &'a str,
    action: ChangeAction,
    object: MirrorObject,
    request: Field<'a>,
    /// The changed thing as it is now; where the call failed, nothing.
    now: Field<'a>,
}

impl<'a> Call<'a> {
    /// None when AWS called for itself.
    fn of(
        record: Field<'a>,
        name: &'a str,
        action: ChangeAction,
        object: MirrorObject,
    ) -> Option<Self> {
        let by = record.path(&["userIdentity", "invokedBy"]).text().unwrap_or_default();
        let by = by.to_ascii_lowercase();
        if by.ends_with(".amazonaws.com") && !AGENTS.contains(&&*by) {
            return None;
        }
        let (request, response) = halves(record, name);
        let key = match object {
            MirrorObject::Session => "trafficMirrorSession",
            MirrorObject::Target => "trafficMirrorTarget",
            MirrorObject::Filter => "trafficMirrorFilter",
            MirrorObject::FilterRule => "trafficMirrorFilterRule",
        };
        let now = response.at(key).or(response);
        Some(Self { record, name, action, object, request, now })
    }

    /// A member, as it is now or was asked for.
    fn at(&self, key: &str) -> Field<'a> {
        self.now.at(key).or(self.request.at(key))
    }

    fn change(&self) -> MirrorChange {
        let id = self.at(match self.object {
            MirrorObject::Session => "trafficMirrorSessionId",
            MirrorObject::Target => "trafficMirrorTargetId",
            MirrorObject::Filter => "trafficMirrorFilterId",
            MirrorObject::FilterRule => "trafficMirrorFilterRuleId",
        });
        let owner = self.now.at("ownerId").or(self.record.at("recipientAccountId"));
        let mut change = MirrorChange {
            call: name(self.name),
            action: self.action,
            object: self.object,
            id: id.name(),
            scope: account(owner).or_else(|| owner.name()),
            principal: self.principal(),
            from: self.record.at("sourceIPAddress").name(),
            failure: self.failure(),
            record: self.record.at("eventID").name(),
            ..MirrorChange::default()
        };
        match self.object {
            MirrorObject::Session => self.session(&mut change),
            MirrorObject::Target => self.target(&mut change),
            MirrorObject::Filter => {}
            MirrorObject::FilterRule => {
                change.filter = self.at("trafficMirrorFilterId").name();
                change.is_wide = rule::is_wide(self);
            }
        }
        change
    }

    fn session(&self, change: &mut MirrorChange) {
        change.sources.extend(self.at("networkInterfaceId").name());
        change.targets.extend(self.at("trafficMirrorTargetId").name());
        change.filter = self.at("trafficMirrorFilterId").name();
        change.wrapping = Some(TunnelKind::Vxlan);
        // Without one in the request, AWS chooses.
        change.wire_id = self.at("virtualNetworkId").number_to(MAX_NETWORK);
        change.packet_length = self.at("packetLength").number_to(u32::MAX);
    }

    fn target(&self, change: &mut MirrorChange) {
        change.kind = self.at("type").name();
        change.targets.extend(change.id.clone());
        for key in ["networkInterfaceId", "networkLoadBalancerArn", "gatewayLoadBalancerEndpointId"]
        {
            change.targets.extend(self.at(key).name());
        }
    }

    fn failure(&self) -> Option<Arc<str>> {
        let code = self.record.at("errorCode").text()?;
        Some(match self.record.at("errorMessage").text() {
            Some(message) => name(&format!("{code}: {message}")),
            None => name(&code),
        })
    }

    fn principal(&self) -> Option<Principal> {
        let who = self.record.at("userIdentity");
        let full = who.at("arn").name();
        let role = who.path(&["sessionContext", "sessionIssuer", "arn"]).name();
        let other = || who.at("userName").or(who.at("principalId")).or(who.at("invokedBy")).name();
        let name = role.or_else(|| full.clone()).or_else(other)?;
        let full = full.filter(|full| *full != name);
        let foreign_account = self.foreign_account(who);
        Some(Principal { name, full, foreign_account, by_console: self.is_by_console() })
    }

    /// The caller's account, where that is another than the one that was called. Whoever hides parts of
    /// account ids makes them differ: what does not agree with itself says nothing.
    fn foreign_account(&self, who: Field<'_>) -> Option<Arc<str>> {
        let own = account(who.at("accountId"))?;
        let arn = who.at("arn").text()?;
        let is_consistent = arn.split(':').nth(4) == Some(&*own);
        let called = [self.record.at("recipientAccountId"), self.now.at("ownerId")].map(account);
        let differs = called.iter().any(|called| called.as_ref().is_some_and(|id| *id != own));
        (is_consistent && differs).then_some(own)
    }

    fn is_by_console(&self) -> bool {
        let is_console = |key| CONSOLES.iter().any(|name| self.record.at(key).is(name));
        self.record.at("sessionCredentialFromConsole").flag() == Some(true)
            || is_console("userAgent")
            || is_console("sourceIPAddress")
    }
}

/// An account's id: twelve digits, of which a number has lost the zeros in front.
fn account(field: Field<'_>) -> Option<Arc<str>> {
    let is_number = matches!(field.value(), Some(Value::Number(_)));
    let id = field.text()?;
    let id = if is_number { format!("{id:0>12}") } else { id.into_owned() };
    (id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())).then(|| id.into())
}
