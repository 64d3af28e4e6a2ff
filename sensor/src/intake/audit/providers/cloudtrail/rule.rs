//! How much a rule of a filter lets through.

use super::Call;
use crate::decode::protocol::{TCP, UDP};
use crate::event::{ChangeAction, MirrorObject};
use crate::intake::audit::providers::field::Field;

/// Whether a rule lets everything through now: any address on both sides, any port, and any protocol or all
/// of TCP or UDP; or whether what limited it was taken away.
pub(super) fn is_wide(call: &Call<'_>) -> bool {
    debug_assert_eq!(call.object, MirrorObject::FilterRule);
    let action = call.at("ruleAction");
    if call.action == ChangeAction::Delete || (action.is_there() && !action.is("accept")) {
        return false;
    }
    let is_removed = |field: &str| removed(call.request).any(|removed| removed.is(field));
    let open = ["sourceCidrBlock", "destinationCidrBlock"].map(|key| open(call.at(key)));
    let protocol = call.at("protocol").number();
    let protocol = protocol.filter(|_| !is_removed("protocol"));
    let any_protocol =
        protocol.is_none_or(|protocol| [0, TCP.into(), UDP.into()].contains(&protocol));
    let any_port = [
        ("sourcePortRange", "source-port-range"),
        ("destinationPortRange", "destination-port-range"),
    ]
    .iter()
    .all(|(key, field)| is_removed(field) || is_any_port(call.at(key)));
    let all = open == [Some(true); 2] && any_protocol && any_port;
    // Of a change that gives nothing back, what was not changed is not known.
    let is_limit_removed = ["protocol", "source-port-range", "destination-port-range"]
        .iter()
        .any(|field| is_removed(field));
    let is_unlimited = is_limit_removed && !open.contains(&Some(false)) && any_protocol && any_port;
    all || is_unlimited
}

/// Whether a block of addresses is all of them, where there is one.
fn open(block: Field<'_>) -> Option<bool> {
    let block = block.text()?;
    Some(matches!(&*block, "0.0.0.0/0" | "::/0"))
}

fn is_any_port(range: Field<'_>) -> bool {
    let from = range.at("fromPort").or(range.at("from")).number().unwrap_or(0);
    let to = range.at("toPort").or(range.at("to")).number();
    !range.is_there() || (from <= 1 && to.is_none_or(|to| to == u64::from(u16::MAX)))
}

/// What a change takes away: `{"content": "protocol", "tag": 1}`, or the word alone.
fn removed(request: Field<'_>) -> impl Iterator<Item = Field<'_>> {
    request.at("RemoveField").items().map(|item| item.at("content").or(item))
}
