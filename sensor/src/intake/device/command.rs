//! Commands of `monitor session`, as Cisco and Arista have them.

use std::net::IpAddr;
use std::sync::Arc;

use crate::event::{ChangeAction, MirrorChange, TunnelKind};
use crate::intake::name;

/// Words of a command that are looked at.
const MAX_WORDS: usize = 32;
/// Sources and destinations that are kept of one session.
const MAX_PLACES: usize = 16;
/// The largest id of an ERSPAN session: ten bits.
const MAX_ERSPAN: u32 = 0x3ff;
/// Words behind a place that say which of its packets are meant.
const DIRECTIONS: [&str; 6] = ["rx", "tx", "both", "ingress", "egress", ","];
/// Commands within a session that change nothing of where it leads.
const OTHERS: [&str; 14] = [
    "description",
    "filter",
    "header-type",
    "ip",
    "ipv6",
    "mtu",
    "vrf",
    "origin",
    "exit",
    "erspan-id",
    "encapsulation",
    "plim",
    "sampling",
    "truncate",
];

/// Takes a command: what it changes of a session, with what `block`, the session being configured, says.
/// One that belongs to no session ends the block.
pub(super) fn apply(block: &mut Option<MirrorChange>, command: &str) -> Option<MirrorChange> {
    let words: Vec<&str> = command.split_ascii_whitespace().take(MAX_WORDS).collect();
    let (is_removal, words) = match words.split_first() {
        Some((first, rest)) if is(first, "no") || is(first, "default") => (true, rest),
        _ => (false, &*words),
    };
    if let [monitor, session, id, rest @ ..] = words
        && is(monitor, "monitor")
        && is(session, "session")
    {
        return named(block, id, rest, is_removal);
    }
    let Some(open) = block.as_mut() else { return None };
    let told = within(open, words, is_removal);
    if told.is_none() && !words.first().is_some_and(|word| OTHERS.iter().any(|own| is(word, own))) {
        *block = None;
    }
    let mut change = told.flatten()?;
    change.call = name(command);
    Some(change)
}

/// A command that names the session.
fn named(
    block: &mut Option<MirrorChange>,
    id: &str,
    rest: &[&str],
    is_removal: bool,
) -> Option<MirrorChange> {
    let id = name(id);
    let known = block.take().filter(|block| block.id.as_ref() == Some(&id));
    let is_known = known.is_some();
    let mut open =
        known.unwrap_or_else(|| MirrorChange { id: Some(id), ..MirrorChange::default() });
    open.call = name(&["monitor session", open.id.as_deref()?, &rest.join(" ")].join(" "));
    let change = match rest {
        [] if is_removal => Some(MirrorChange { action: ChangeAction::Delete, ..open.clone() }),
        [] => Some(MirrorChange { action: ChangeAction::Create, ..open.clone() }),
        [only] if is(only, "shut") || is(only, "shutdown") => within(&mut open, rest, is_removal)?,
        [first, kind, ..] if is(first, "type") && !is_removal => {
            open.kind = Some(name(kind));
            Some(MirrorChange { action: ChangeAction::Create, ..open.clone() })
        }
        _ => {
            let change = within(&mut open, rest, is_removal)?;
            let begins = !is_known && !is_removal;
            change.map(|change| match begins {
                true => MirrorChange { action: ChangeAction::Create, ..change },
                false => change,
            })
        }
    };
    let is_gone = rest.is_empty() && is_removal;
    *block = (!is_gone).then_some(open);
    change
}

/// A command within a session: none where it is none, nothing where it changes nothing that is asked for.
fn within(
    open: &mut MirrorChange,
    words: &[&str],
    is_removal: bool,
) -> Option<Option<MirrorChange>> {
    let (first, rest) = words.split_first()?;
    let modified =
        |open: &MirrorChange| MirrorChange { action: ChangeAction::Modify, ..open.clone() };
    match first.to_ascii_lowercase().as_str() {
        "shut" | "shutdown" => {
            let action = if is_removal { ChangeAction::Create } else { ChangeAction::Delete };
            Some(Some(MirrorChange { action, ..open.clone() }))
        }
        "source" => {
            change_places(&mut open.sources, place(rest), is_removal);
            Some(Some(modified(open)))
        }
        "destination" => {
            destination(open, rest, is_removal);
            // Alone it only leads to what follows.
            Some((!rest.is_empty()).then(|| modified(open)))
        }
        "ip" | "ipv6" => {
            let [what, address, ..] = rest else { return None };
            let address: IpAddr = address.parse().ok().filter(|_| is(what, "address"))?;
            change_places(&mut open.addresses, Some(address), is_removal);
            Some(Some(modified(open)))
        }
        "erspan-id" => {
            let id = rest.first()?.parse().ok().filter(|id| *id <= MAX_ERSPAN)?;
            open.wire_id = (!is_removal).then_some(id);
            open.wrapping = Some(TunnelKind::Erspan);
            Some(Some(modified(open)))
        }
        _ => None,
    }
}

/// `interface Gi1/0/1`, `remote vlan 100`, `ip 192.0.2.1`, or Arista's
/// `tunnel mode gre source 192.0.2.1 destination 192.0.2.2`.
fn destination(open: &mut MirrorChange, words: &[&str], is_removal: bool) {
    if let [tunnel, _mode, kind, ends @ ..] = words
        && is(tunnel, "tunnel")
    {
        let to = ends.iter().skip_while(|word| !is(word, "destination")).nth(1);
        change_places(&mut open.addresses, to.and_then(|to| to.parse().ok()), is_removal);
        open.wrapping = is(kind, "gre").then_some(TunnelKind::Gre);
        return;
    }
    let address = words.iter().take(3).find_map(|word| word.parse().ok());
    match (words.first(), address) {
        (Some(first), Some(address)) if is(first, "ip") || is(first, "ipv6") => {
            change_places(&mut open.addresses, Some(address), is_removal);
        }
        _ => change_places(&mut open.targets, place(words), is_removal),
    }
}

/// The place that words name, without the word for what it is and without directions.
fn place(words: &[&str]) -> Option<Arc<str>> {
    let words = match words.split_first() {
        Some((first, rest)) if is(first, "interface") => rest,
        _ => words,
    };
    let place: Vec<&str> = words
        .iter()
        .copied()
        .take_while(|word| !DIRECTIONS.iter().any(|direction| is(word, direction)))
        .collect();
    (!place.is_empty()).then(|| name(&place.join(" ")))
}

fn change_places<T: PartialEq>(places: &mut Vec<T>, place: Option<T>, is_removal: bool) {
    let Some(place) = place else { return };
    places.retain(|known| *known != place);
    if !is_removal && places.len() < MAX_PLACES {
        places.push(place);
    }
}

fn is(word: &str, other: &str) -> bool {
    word.eq_ignore_ascii_case(other)
}
