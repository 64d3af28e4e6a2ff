//! Port mirroring of a distributed switch in the text of its event, behind the sentence: what was added,
//! modified and deleted, as `config.vspanSession("key"): (name = "x", enabled = true, …)`.
//!
//! vCenter writes so of virtual machines; of switches, no such text was seen yet. Whatever is not read leaves
//! a switch that was reconfigured.

use crate::event::{ChangeAction, MirrorChange, TunnelKind};

use super::name;

/// What marks a session.
const SESSION: &str = "vspanSession";
/// The headings of changes.
const HEADINGS: [(&str, ChangeAction); 3] = [
    ("Modified:", ChangeAction::Modify),
    ("Added:", ChangeAction::Create),
    ("Deleted:", ChangeAction::Delete),
];

/// The first session that a text tells of.
pub(super) fn read(text: &str) -> Option<MirrorChange> {
    let (before, session) = text.split_once(SESSION)?;
    let heading =
        HEADINGS.iter().filter_map(|(heading, action)| Some((before.rfind(heading)?, action)));
    let (_, action) = heading.max_by_key(|(at, _)| *at)?;
    // What follows it is another's.
    let session = session.split_once(SESSION).map_or(session, |(session, _)| session);
    let of = |key| value(session, key);
    let is_disabled = of("enabled") == Some("false");
    let kind = of("sessionType");
    let is_wrapped = kind.is_some_and(|kind| kind.starts_with("encap"));
    let is_erspan = of("encapType").is_some_and(|how| how.starts_with("erspan"));
    Some(MirrorChange {
        call: "DvsReconfiguredEvent".into(),
        action: if is_disabled { ChangeAction::Delete } else { *action },
        kind: kind.map(name),
        id: of("name").or(of("key")).map(name),
        addresses: list(session, "ipAddress"),
        wrapping: is_wrapped.then_some(if is_erspan {
            TunnelKind::Erspan
        } else {
            TunnelKind::Gre
        }),
        wire_id: of("erspanId").filter(|_| is_wrapped && is_erspan).and_then(|id| id.parse().ok()),
        packet_length: of("mirroredPacketLength").and_then(|length| length.parse().ok()),
        sampling: of("samplingRate").and_then(|rate| rate.parse().ok()),
        ..MirrorChange::default()
    })
}

/// What follows `key = `.
fn behind<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.match_indices(key).find_map(|(at, found)| {
        let before = text.get(..at)?;
        let is_whole = before.is_empty() || before.ends_with(['(', ' ', ',', '\n', '.']);
        let rest = text.get(at.checked_add(found.len())?..)?;
        rest.trim_start().strip_prefix('=').map(str::trim_start).filter(|_| is_whole)
    })
}

/// A value, with or without quotes.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let rest = behind(text, key)?;
    let value = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?.0,
        None => rest.split([',', ')', ';', '\n', ' ']).next()?,
    };
    Some(value).filter(|value| !matches!(*value, "" | "null" | "<unset>"))
}

/// The values of a list: `("a", "b")`.
fn list<T: std::str::FromStr>(text: &str, key: &str) -> Vec<T> {
    const MOST: usize = 16;
    let rest = behind(text, key).unwrap_or_default();
    let inner = match rest.strip_prefix(['(', '[']) {
        Some(inner) => inner.split([')', ']']).next(),
        None => rest.split([',', ')', ';', '\n']).next(),
    };
    let items = inner.unwrap_or_default().split(',').take(MOST);
    items.filter_map(|item| item.trim().trim_matches('"').parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#". Modified: config.maxMtu: 1500 -> 9000; Added: config.vspanSession("s-1"): (key = "s-1", name = "leak, (all)", enabled = true, sessionType = "encapsulatedRemoteMirrorSource", destinationPort = (portKey = (), ipAddress = ("198.51.100.7", "2001:db8::7")), mirroredPacketLength = 256, samplingRate = 10, encapType = "erspan3", erspanId = 77) Deleted: "#;

    #[test]
    fn a_session_in_the_text_is_read() {
        let expected = MirrorChange {
            call: "DvsReconfiguredEvent".into(),
            action: ChangeAction::Create,
            kind: Some("encapsulatedRemoteMirrorSource".into()),
            id: Some("leak, (all)".into()),
            addresses: vec!["198.51.100.7".parse().unwrap(), "2001:db8::7".parse().unwrap()],
            wrapping: Some(TunnelKind::Erspan),
            wire_id: Some(77),
            packet_length: Some(256),
            sampling: Some(10),
            ..MirrorChange::default()
        };
        assert_eq!(read(TEXT), Some(expected));
        let changed = TEXT.replace("Modified: ", "").replace("Added:", "Modified:");
        assert_eq!(read(&changed).unwrap().action, ChangeAction::Modify);
        let disabled = TEXT.replace("enabled = true", "enabled = false");
        assert_eq!(read(&disabled).unwrap().action, ChangeAction::Delete);
    }

    #[test]
    fn what_is_cut_is_read_as_far_as_it_goes() {
        for end in 0..TEXT.len() {
            let Some(change) = read(&TEXT[..end]) else { continue };
            assert_eq!(change.action, ChangeAction::Create);
        }
        assert_eq!(read(". Modified: config.maxMtu: 1500 -> 9000"), None);
        assert_eq!(read("config.vspanSession: (name = \"x\")"), None, "no heading");
    }
}
