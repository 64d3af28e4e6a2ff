//! Port mirroring as NSX's API has it, in what its audit log says was written (VMware, *NSX API*:
//! `PortMirroringProfile`, `PortMirroringSession`, `IPMirrorDestination`).
//!
//! The log cuts long values: what was there before the cut is read.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;

use crate::event::{MirrorChange, TunnelKind};
use crate::intake::esxi::name;

/// Brackets in each other at most.
const MAX_DEPTH: usize = 32;
/// Places that are kept.
const MAX_PLACES: usize = 16;

/// What a value tells of a mirror: `["id", {…}]`; nothing where it is none.
pub(super) fn read(written: &str) -> MirrorChange {
    let value = whole(written).and_then(|text| serde_json::from_str(&text).ok());
    let Some(Value::Array(items)) = value else { return MirrorChange::default() };
    let object = items.iter().find(|item| item.is_object()).unwrap_or(&Value::Null);
    let first = items.iter().find_map(Value::as_str);
    let text = |of: &Value, key: &str| of.get(key)?.as_str().map(name);
    let destination = object.get("mirror_destination").unwrap_or(object);
    let is_local = |key, kind| object.get(key).and_then(Value::as_str) == Some(kind);
    let how = destination.get("encapsulation_type").and_then(Value::as_str);
    // A profile that stays inside has the default, and does not use it.
    let how = how.filter(|_| !is_local("profile_type", "LOGICAL_SPAN"));
    let wrapping = how.and_then(|how| match how {
        "GRE" => Some(TunnelKind::Gre),
        "ERSPAN_TWO" | "ERSPAN_THREE" => Some(TunnelKind::Erspan),
        _ => None,
    });
    let number = |of: &Value, key: &str| of.get(key)?.as_u64()?.try_into().ok();
    let wire_id = match wrapping {
        Some(TunnelKind::Erspan) => number(destination, "erspan_id"),
        Some(_) => number(destination, "gre_key"),
        None => None,
    };
    let id = ["path", "id", "display_name"].iter().find_map(|key| text(object, key));
    let ports = places(destination.get("port_ids"));
    MirrorChange {
        kind: text(object, "profile_type").or_else(|| text(object, "session_type")),
        id: id.or_else(|| first.map(name)),
        targets: text(object, "destination_group").into_iter().chain(ports).collect(),
        addresses: addresses(destination.get("destination_ips")),
        wrapping,
        wire_id,
        packet_length: number(object, "snap_length"),
        ..MirrorChange::default()
    }
}

fn strings(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).take(MAX_PLACES)
}

fn places(list: Option<&Value>) -> impl Iterator<Item = Arc<str>> {
    strings(list).map(name)
}

fn addresses(list: Option<&Value>) -> Vec<IpAddr> {
    strings(list).filter_map(|address| address.parse().ok()).collect()
}

/// The JSON value at the start of a text; of one that was cut, what was whole, with its brackets closed.
fn whole(text: &str) -> Option<String> {
    let (mut open, mut quoted, mut escaped) = (Vec::new(), false, false);
    let mut kept: Option<(usize, Vec<char>)> = None;
    for (at, c) in text.char_indices() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '"' => quoted = true,
            '{' | '[' if open.len() < MAX_DEPTH => {
                open.push(if c == '{' { '}' } else { ']' });
                kept = Some((at.checked_add(1)?, open.clone()));
            }
            '{' | '[' => return None,
            '}' | ']' => {
                open.pop().filter(|closing| *closing == c)?;
                if open.is_empty() {
                    return text.get(..=at).map(str::to_owned);
                }
                kept = Some((at.checked_add(1)?, open.clone()));
            }
            // All before a comma is whole.
            ',' => kept = Some((at, open.clone())),
            _ => {}
        }
    }
    let (end, open) = kept?;
    Some(text.get(..end)?.chars().chain(open.into_iter().rev()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = r#"["span-1", {"resource_type":"PortMirroringProfile","id":"span-1","path":"/infra/port-mirroring-profiles/span-1","display_name":"a \"],[ b","direction":"BIDIRECTIONAL","profile_type":"REMOTE_L3_SPAN","encapsulation_type":"ERSPAN_TWO","erspan_id":77,"snap_length":128,"destination_group":"/infra/domains/default/groups/leak","tags":[{"scope":"x","tag":"y"}]}] trailer"#;

    #[test]
    fn a_profile_and_a_session_are_read() {
        let profile = read(PROFILE);
        let expected = MirrorChange {
            kind: Some("REMOTE_L3_SPAN".into()),
            id: Some("/infra/port-mirroring-profiles/span-1".into()),
            targets: vec!["/infra/domains/default/groups/leak".into()],
            wrapping: Some(TunnelKind::Erspan),
            wire_id: Some(77),
            packet_length: Some(128),
            ..MirrorChange::default()
        };
        assert_eq!(profile, expected);
        let session = r#"[{"display_name":"m","session_type":"LogicalL3PortMirrorSession","mirror_destination":{"resource_type":"IPMirrorDestination","destination_ips":["198.51.100.7"],"encapsulation_type":"GRE","gre_key":9}}]"#;
        let session = read(session);
        assert_eq!(session.addresses, ["198.51.100.7".parse::<IpAddr>().unwrap()]);
        assert_eq!((session.wrapping, session.wire_id), (Some(TunnelKind::Gre), Some(9)));
        let local = read(&PROFILE.replace("REMOTE_L3_SPAN", "LOGICAL_SPAN"));
        assert_eq!((local.wrapping, local.wire_id), (None, None));
        assert_eq!(read("[\"span-1\"]").id.as_deref(), Some("span-1"));
    }

    #[test]
    fn what_was_cut_is_read_up_to_there() {
        let at = PROFILE.find(",\"snap_length").unwrap();
        let cut = read(&PROFILE[..at + 6]);
        assert_eq!((cut.wire_id, cut.packet_length), (Some(77), None));
        for end in 0..PROFILE.len() {
            let cut = read(&PROFILE[..end]);
            assert!(cut.wire_id.is_none_or(|id| id == 77), "{end}: {cut:?}");
            assert!(end < 13 || cut.id.is_some(), "{end}");
        }
    }

    #[test]
    fn what_is_no_value_tells_nothing() {
        for text in ["", "x", "{}", "[", "[}", "[\"a", "[[[", "[1,2]", &"[".repeat(5000)] {
            assert_eq!(read(text), MirrorChange::default(), "{text}");
        }
    }
}
