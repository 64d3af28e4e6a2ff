//! Packet mirroring of Google Cloud, in Cloud Audit Logs (Google, *AuditLog*; *Compute Engine API*,
//! `packetMirrorings`).
//!
//! An operation has two records: the first has what was asked for, the last whether that failed. It is told
//! by its first; by its last, too, where that says that it failed.

use std::sync::Arc;

use super::field::Field;
use super::{MAX_OPERATIONS, Told};
use crate::event::{ChangeAction, MirrorChange, Principal, Said, Service};
use crate::intake::kept::Kept;
use crate::intake::name;

/// Severities of what failed (Google, *LogEntry*).
const FAILED: [&str; 4] = ["ERROR", "CRITICAL", "ALERT", "EMERGENCY"];

/// Reads records, and remembers operations under way.
#[derive(Debug)]
pub(super) struct Gcp {
    /// What was asked for, by the operation's id.
    asked: Kept<Arc<str>, MirrorChange>,
}

impl Default for Gcp {
    fn default() -> Self {
        Self { asked: Kept::new(MAX_OPERATIONS) }
    }
}

impl Gcp {
    /// What a record says.
    pub(super) fn read(&mut self, record: Field<'_>) -> Option<Told> {
        let payload = record.at("protoPayload");
        let method = payload.at("methodName").text()?;
        let action = action(&method)?;
        let mut change = change(record, &method, action);
        let operation = record.at("operation");
        let is_first = operation.at("first").flag() == Some(true);
        let is_last = operation.at("last").flag() == Some(true);
        if let Some(id) = operation.at("id").name() {
            if is_last
                && !is_first
                && let Some(asked) = self.asked.get(&id)
            {
                // Told by its first.
                change.failure.as_ref()?;
                let (failure, record) = (change.failure, change.record);
                change = MirrorChange { failure, record, ..asked.clone() };
            } else {
                self.asked.insert(id, change.clone());
            }
        }
        Some(Told {
            service: Service::Gcp,
            host: None,
            time: record.at("timestamp").time(),
            id: record.at("insertId").text().map(Into::into),
            said: vec![Said::MirrorChanged(Box::new(change))],
        })
    }
}

/// What a method does to mirrors: `v1.compute.packetMirrorings.insert`, in any version of the API.
fn action(method: &str) -> Option<ChangeAction> {
    let method = method.to_ascii_lowercase();
    let (api, verb) = method.rsplit_once('.')?;
    if !api.ends_with("compute.packetmirrorings") {
        return None;
    }
    match verb {
        "insert" => Some(ChangeAction::Create),
        "patch" | "update" => Some(ChangeAction::Modify),
        "delete" => Some(ChangeAction::Delete),
        _ => None,
    }
}

fn change(record: Field<'_>, method: &str, action: ChangeAction) -> MirrorChange {
    let payload = record.at("protoPayload");
    let request = payload.at("request");
    let is_disabled = request.at("enable").flag() == Some(false);
    let resource = payload.at("resourceName").text().unwrap_or_default();
    let project = record.path(&["resource", "labels", "project_id"]).name();
    let from_resource = || resource.strip_prefix("projects/")?.split('/').next().map(name);
    let mirrored = request.at("mirroredResources");
    let urls = |key| mirrored.at(key).items().map(|item| item.at("url").or(item));
    let sources = urls("subnetworks").chain(urls("instances")).chain(urls("tags"));
    let metadata = payload.at("requestMetadata");
    MirrorChange {
        call: name(method),
        action: if is_disabled { ChangeAction::Delete } else { action },
        id: Some(&*resource).filter(|id| !id.is_empty()).map(name),
        scope: project.or_else(from_resource),
        principal: principal(payload),
        from: metadata.at("callerIp").name(),
        failure: failure(record),
        sources: sources.filter_map(Field::name).collect(),
        targets: request.path(&["collectorIlb", "url"]).name().into_iter().collect(),
        is_wide: !is_disabled && is_wide(request, action),
        record: record.at("insertId").name(),
        ..MirrorChange::default()
    }
}

fn principal(payload: Field<'_>) -> Option<Principal> {
    let who = payload.at("authenticationInfo");
    let subject = who.at("principalSubject").name();
    let name = who.at("principalEmail").name().or_else(|| subject.clone())?;
    let agent = payload.path(&["requestMetadata", "callerSuppliedUserAgent"]).text();
    // The console is used in a browser.
    let by_console = agent.is_some_and(|agent| agent.starts_with("Mozilla/"));
    let full = subject.filter(|subject| *subject != name);
    Some(Principal { full, by_console, ..Principal::named(name) })
}

fn failure(record: Field<'_>) -> Option<Arc<str>> {
    let status = record.path(&["protoPayload", "status"]);
    let is_graded = FAILED.iter().any(|severity| record.at("severity").is(severity));
    let code = status.at("code").number().filter(|code| *code != 0);
    if code.is_none() && !is_graded {
        return None;
    }
    let message = status.at("message").name();
    message
        .or_else(|| Some(name(&format!("code {}", code?))))
        .or_else(|| record.at("severity").name())
}

/// Whether the filter lets everything through: what has none when it is made does, and a change that has
/// none leaves it as it was.
fn is_wide(request: Field<'_>, action: ChangeAction) -> bool {
    let filter = request.at("filter");
    let is_told = filter.is_there() || action == ChangeAction::Create;
    let mut ranges = filter.at("cidrRanges").items().peekable();
    let any_range =
        ranges.peek().is_none() || ranges.any(|range| range.is("0.0.0.0/0") || range.is("::/0"));
    let any_protocol = filter.at("IPProtocols").items().next().is_none();
    action != ChangeAction::Delete && request.is_there() && is_told && any_range && any_protocol
}
