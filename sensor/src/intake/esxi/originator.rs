//! The head of a message of hostd and its kin: which part of the program wrote it, and for whom.
//!
//! `[Originator@6876 sub=Vimsvc.ha-eventmgr opID=c4c96306 sid=52018116 user=root]` since ESXi 6,
//! with the values in quotes where a relay made them proper structured data, and
//! `[3647FB90 info 'ha-eventmgr' opID=…]` before.

use super::element::Element;

/// What stands in a head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Head<'a> {
    /// The part of the program.
    pub(super) sub: &'a str,
    /// The id of the call that the message belongs to; its client chose it.
    pub(super) op_id: Option<&'a str>,
    /// The first digits of the id of the session that it belongs to.
    pub(super) sid: Option<&'a str>,
    /// Whose session that is.
    pub(super) user: Option<&'a str>,
}

const ORIGINATOR: &str = "[Originator@6876 ";

/// The keys that a head may have: values have no quotes and may have spaces, so that only the next key
/// ends one.
const KEYS: [&str; 5] = [" sub=", " opID=", " sid=", " user=", " item="];

/// Splits a message into its head and what it says.
pub(super) fn split(body: &str) -> Option<(Head<'_>, &str)> {
    let Some(rest) = body.strip_prefix(ORIGINATOR) else { return early(body) };
    if rest.split_once('=').is_some_and(|(_, value)| value.starts_with('"')) {
        return quoted(body);
    }
    // The space before the first key is there for the search.
    let inner = body.get(ORIGINATOR.len().checked_sub(1)?..)?;
    // A path may have a bracket in it: the first with a space behind it is a guess, but parts of the
    // program that are asked for name no paths.
    let (head, text) = inner.split_once("] ")?;
    let head = Head {
        sub: value(head, " sub=")?,
        op_id: value(head, " opID="),
        sid: value(head, " sid="),
        user: value(head, " user="),
    };
    Some((head, text))
}

/// The value of a key in a head without quotes.
fn value<'a>(head: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = head.split_once(key)?;
    let end = KEYS.iter().filter_map(|key| rest.find(key)).min();
    Some(end.and_then(|end| rest.get(..end)).unwrap_or(rest)).filter(|value| !value.is_empty())
}

/// A head with quotes. Values with escapes are left out: no part of a program has one in its name.
fn quoted(body: &str) -> Option<(Head<'_>, &str)> {
    let element = Element::read(body)?;
    let get = |name| match element.get(name)? {
        std::borrow::Cow::Borrowed(value) => Some(value),
        std::borrow::Cow::Owned(_) => None,
    };
    let head = Head { sub: get("sub")?, op_id: get("opID"), sid: get("sid"), user: get("user") };
    Some((head, element.rest.trim_start_matches(' ')))
}

/// A head of ESXi before 6: thread, level, the part in quotes.
fn early(body: &str) -> Option<(Head<'_>, &str)> {
    let (head, text) = body.strip_prefix('[')?.split_once("] ")?;
    let (thread, rest) = head.split_once(' ')?;
    if thread.is_empty() || !thread.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let (_level, rest) = rest.split_once(" '")?;
    let (sub, rest) = rest.split_once('\'')?;
    let head = Head {
        sub,
        op_id: value(rest, " opID="),
        sid: value(rest, " sid="),
        user: value(rest, " user="),
    };
    Some((head, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_head_is_read() {
        let all = Head {
            sub: "Vimsvc.ha-eventmgr",
            op_id: Some("c4c96306"),
            sid: Some("52018116"),
            user: Some("root"),
        };
        for (body, head) in [
            (
                "[Originator@6876 sub=Vimsvc.ha-eventmgr opID=c4c96306 sid=52018116 user=root] x] y",
                all,
            ),
            (
                r#"[Originator@6876 sub="Vimsvc.ha-eventmgr" opID="c4c96306" sid="52018116" user="root"] x] y"#,
                all,
            ),
            ("[3647FB90 info 'Vimsvc.ha-eventmgr' opID=c4c96306 sid=52018116 user=root] x] y", all),
            ("[3647FB90 info 'ha-eventmgr'] x] y", Head { sub: "ha-eventmgr", ..Head::default() }),
            (
                "[Originator@6876 sub=Proxy Req 00015] x] y",
                Head { sub: "Proxy Req 00015", ..Head::default() },
            ),
            (
                "[Originator@6876 sub=Vmsvc.vm:/vmfs/volumes/a b/x.vmx user=vpxuser:<no user>] x] y",
                Head {
                    sub: "Vmsvc.vm:/vmfs/volumes/a b/x.vmx",
                    user: Some("vpxuser:<no user>"),
                    ..Head::default()
                },
            ),
        ] {
            assert_eq!(split(body), Some((head, "x] y")), "{body}");
        }
    }

    #[test]
    fn what_is_no_head_is_none() {
        for body in [
            "",
            "x",
            "[",
            "[] x",
            "[Originator@6876 sub=a]",
            "[Originator@6876 opID=a] x",
            "[Originator@6876 sub=] x",
            "[Originator@6876 sub=\"a] x",
            "[VpxLRO] -- BEGIN",
            "[root]: vim-cmd",
            "[xyz info 'ha-eventmgr'] x",
        ] {
            assert_eq!(split(body), None, "{body}");
        }
    }
}
