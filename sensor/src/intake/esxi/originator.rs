//! The head of a message of hostd and its kin: which part of the program wrote it, and for whom.
//!
//! `[Originator@6876 sub=Vimsvc.ha-eventmgr opID=c4c96306 sid=52018116 user=root]` since ESXi 6,
//! with the values in quotes where a relay made them proper structured data, and
//! `[3647FB90 info 'ha-eventmgr' opID=…]` before.

use super::element::Element;

/// What stands in a head. Most messages are of no interest by the part of the program they come from, so
/// that the rest is read when it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head<'a> {
    /// The part of the program, up to a space.
    pub(super) sub: &'a str,
    others: &'a str,
}

impl<'a> Head<'a> {
    /// The id of the call that the message belongs to; its client chose it.
    pub(super) fn op_id(&self) -> Option<&'a str> {
        self.value(" opID=")
    }

    /// The first digits of the id of the session that it belongs to.
    pub(super) fn sid(&self) -> Option<&'a str> {
        self.value(" sid=")
    }

    /// Whose session that is.
    pub(super) fn user(&self) -> Option<&'a str> {
        self.value(" user=")
    }

    /// The value of a key. Without quotes it may have spaces: only the next key ends it.
    fn value(&self, key: &str) -> Option<&'a str> {
        let (_, rest) = self.others.split_once(key)?;
        let end = KEYS.iter().filter_map(|key| rest.find(key)).min();
        let value = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        Some(value.trim_matches('"')).filter(|value| !value.is_empty())
    }
}

const ORIGINATOR: &str = "[Originator@6876 ";

/// The keys that a head may have behind the part of the program.
const KEYS: [&str; 4] = [" opID=", " sid=", " user=", " item="];

/// Splits a message into its head and what it says.
pub(super) fn split(body: &str) -> Option<(Head<'_>, &str)> {
    let Some(rest) = body.strip_prefix(ORIGINATOR) else { return early(body) };
    let (head, text) = if rest.starts_with("sub=\"") {
        let element = Element::read(body)?;
        (element.parameters.trim_start_matches(' '), element.rest.trim_start_matches(' '))
    } else {
        ended(rest)?
    };
    let head = head.strip_prefix("sub=")?;
    let (sub, others) = head.split_at_checked(head.find(' ').unwrap_or(head.len()))?;
    let sub = sub.trim_matches('"');
    (!sub.is_empty()).then_some((Head { sub, others }, text))
}

/// Splits what has no quotes at its end. A path may have a bracket in it: the first with a space behind
/// it is a guess, but parts of the program that are asked for name no paths.
fn ended(rest: &str) -> Option<(&str, &str)> {
    rest.match_indices(']').find_map(|(at, _)| {
        let (head, end) = rest.split_at_checked(at)?;
        Some((head, end.strip_prefix("] ")?))
    })
}

/// A head of ESXi before 6: thread, level, the part in quotes.
fn early(body: &str) -> Option<(Head<'_>, &str)> {
    let (head, text) = ended(body.strip_prefix('[')?)?;
    let (thread, rest) = head.split_once(' ')?;
    if thread.is_empty() || !thread.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let (_level, rest) = rest.split_once(" '")?;
    let (sub, others) = rest.split_once('\'')?;
    Some((Head { sub, others }, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a head holds, and what follows it.
    fn parts(body: &str) -> Option<([&str; 4], &str)> {
        let (head, text) = split(body)?;
        let known = [head.op_id(), head.sid(), head.user()].map(Option::unwrap_or_default);
        Some(([head.sub, known[0], known[1], known[2]], text))
    }

    #[test]
    fn every_form_of_a_head_is_read() {
        let all = ["Vimsvc.ha-eventmgr", "c4c96306", "52018116", "root"];
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
            ("[3647FB90 info 'ha-eventmgr'] x] y", ["ha-eventmgr", "", "", ""]),
            ("[Originator@6876 sub=Proxy Req 00015] x] y", ["Proxy", "", "", ""]),
            (
                "[Originator@6876 sub=Vmsvc.vm:/vmfs/volumes/a b]/x.vmx user=vpxuser:<no user>] x] y",
                ["Vmsvc.vm:/vmfs/volumes/a", "", "", "vpxuser:<no user>"],
            ),
        ] {
            assert_eq!(parts(body), Some((head, "x] y")), "{body}");
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
