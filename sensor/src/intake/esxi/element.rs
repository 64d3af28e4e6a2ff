//! Structured data (RFC 5424, 6.3), as ESXi's audit records and NSX have it in front of their text.

use std::borrow::Cow;

/// The enterprise number of VMware in the ids of elements.
const VMWARE: &str = "@6876";

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// Its id, without the enterprise number.
    pub(super) id: &'a str,
    /// All its parameters, as written.
    pub(super) parameters: &'a str,
    /// What follows it.
    pub(super) rest: &'a str,
}

/// Whether a message is a record of ESXi's audit: an element with a dot in its id.
pub(super) fn is_audit(body: &str) -> bool {
    body.strip_prefix('[')
        .and_then(|rest| rest.split_once([' ', ']']))
        .and_then(|(id, _)| id.strip_suffix(VMWARE))
        .is_some_and(|id| id.contains('.'))
}

impl<'a> Element<'a> {
    /// The element that a message begins with, if it is VMware's and whole.
    pub(super) fn read(body: &'a str) -> Option<Self> {
        let inner = body.strip_prefix('[')?;
        let (id, _) = inner.split_once([' ', ']'])?;
        let parameters = inner.get(id.len()..)?;
        let mut rest = parameters;
        while let Some((_, _, behind)) = parameter(rest) {
            rest = behind;
        }
        let parameters = parameters.get(..parameters.len().checked_sub(rest.len())?)?;
        let rest = rest.trim_start_matches(' ').strip_prefix(']')?;
        Some(Self { id: id.strip_suffix(VMWARE)?, parameters, rest })
    }

    /// The value of a parameter; of several with the name, the first.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut rest = self.parameters;
        while let Some((found, value, behind)) = parameter(rest) {
            if found == name {
                return Some(unescaped(value));
            }
            rest = behind;
        }
        None
    }
}

/// The parameter at the start: its name, its value with the escapes, and what follows it.
fn parameter(text: &str) -> Option<(&str, &str, &str)> {
    let (name, quoted) = text.trim_start_matches(' ').split_once("=\"")?;
    if name.contains([']', ' ', '"']) {
        return None;
    }
    let mut is_escaped = false;
    let end = quoted.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })?;
    Some((name, quoted.get(..end)?, quoted.get(end.checked_add(1)?..)?))
}

/// Without the escapes of quotes, backslashes and brackets; other backslashes are meant.
fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return value.into();
    }
    let mut plain = String::with_capacity(value.len());
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = (c == '\\').then(|| chars.next_if(|next| "\"\\]".contains(*next)));
        plain.push(escaped.flatten().unwrap_or(c));
    }
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_in_any_order_with_their_escapes() {
        let body = r#"[api.call@6876 object="a\"b\]c\\d\e" subject="CORP\\alice" object="2"] text"#;
        let element = Element::read(body).unwrap();
        assert_eq!((element.id, element.rest), ("api.call", " text"));
        assert_eq!(element.get("object").unwrap(), "a\"b]c\\d\\e");
        assert_eq!(element.get("subject").unwrap(), "CORP\\alice");
        assert_eq!(element.get("ject"), None);
    }

    #[test]
    fn what_is_cut_or_somebody_elses_is_no_element() {
        for body in [
            "",
            "[",
            "[]",
            "[api.call@6876 subject=\"ro",
            "[api.call@6876 subject=\"root\"",
            "[api.call@6876 subject=root]",
            "[api.call@1234 subject=\"root\"]",
            "api.call@6876 subject=\"root\"]",
        ] {
            assert_eq!(Element::read(body), None, "{body}");
        }
        assert!(is_audit("[shell.cmd@6876 command=\"ls\"]"));
        for body in ["[Originator@6876 sub=a.b] x", "[a.b] x", "a.b@6876 ]", "[a b.c@6876 ]", ""] {
            assert!(!is_audit(body), "{body}");
        }
    }
}
