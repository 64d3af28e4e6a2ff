//! Junos: its analyzers and port mirroring, by its change log (Juniper, *System Log Explorer*,
//! `UI_CFG_AUDIT_SET`).

use crate::event::{ChangeAction, MirrorChange, TunnelKind};
use crate::intake::name;

/// Who changed what, by a message of `mgd`:
/// `UI_CFG_AUDIT_SET: User 'alice' set: [forwarding-options analyzer a output ip-address] <unconfigured> -> "192.0.2.1"`.
pub(super) fn read(body: &str) -> Option<(&str, MirrorChange)> {
    let (tag, text) = body.split_once(": ")?;
    if !matches!(tag, "UI_CFG_AUDIT_SET" | "UI_CFG_AUDIT_OTHER") {
        return None;
    }
    let (user, text) = text.strip_prefix("User '")?.split_once("' ")?;
    let (verb, text) = text.split_once(": [")?;
    let (path, values) = text.split_once(']')?;
    let action = match verb {
        "set" | "activate" => ChangeAction::Create,
        "delete" | "deactivate" => ChangeAction::Delete,
        _ => return None,
    };
    let words: Vec<&str> = path.split_ascii_whitespace().collect();
    let at = words.iter().position(|word| *word == "forwarding-options")?;
    let (id, rest) = mirror(words.get(at.checked_add(1)?..)?)?;
    let value = values.rsplit_once("->").map_or(values, |(_, value)| value);
    let value = value.trim().trim_matches('"');
    let mut change = MirrorChange {
        call: name(&format!("{verb} {path}")),
        // A part that is set or taken away changes the whole.
        action: if rest.is_empty() { action } else { ChangeAction::Modify },
        kind: Some(name(words.get(at.checked_add(1)?)?)),
        id: Some(name(id)),
        ..MirrorChange::default()
    };
    if action != ChangeAction::Delete {
        place(&mut change, rest, value);
    }
    Some((user, change))
}

/// The name of a mirror, and what follows it in the path: `analyzer NAME …`,
/// `port-mirroring [instance NAME] …`. The one instance without a name is called as its kind.
fn mirror<'a, 'b>(words: &'b [&'a str]) -> Option<(&'a str, &'b [&'a str])> {
    match words {
        ["analyzer", name, rest @ ..] => Some((name, rest)),
        ["port-mirroring", "instance", name, rest @ ..] => Some((name, rest)),
        [kind @ "port-mirroring", rest @ ..] => Some((kind, rest)),
        _ => None,
    }
}

/// Where from or to: `output ip-address`, `output interface`, `input ingress interface`; the place is the
/// value, or the end of the path.
fn place(change: &mut MirrorChange, rest: &[&str], value: &str) {
    let Some(at) = rest.iter().position(|word| matches!(*word, "output" | "input")) else { return };
    let is_output = rest.get(at) == Some(&"output");
    let key = rest.iter().rposition(|word| {
        matches!(*word, "interface" | "ip-address" | "vlan" | "next-hop" | "bridge-domain")
    });
    let named = key.and_then(|key| rest.get(key.checked_add(1)?)).copied();
    let Some(place) = named.or(Some(value).filter(|value| key.is_some() && !value.is_empty()))
    else {
        return;
    };
    match (is_output, place.parse()) {
        (true, Ok(address)) => {
            change.addresses.push(address);
            let is_tunnel = key.and_then(|key| rest.get(key)) == Some(&"ip-address");
            change.wrapping = is_tunnel.then_some(TunnelKind::Gre);
        }
        (true, Err(_)) => change.targets.push(name(place)),
        (false, _) => change.sources.push(name(place)),
    }
}
