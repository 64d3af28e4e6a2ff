//! Accounts in one spelling: logs of VMware write the same one in half a dozen ways.

use std::borrow::Cow;

use crate::text::printable;

/// What hostd writes where a session has no user of vCenter.
const NOBODY: &str = "<no user>";

/// An account as `DOMAIN\user`, or `user` where it has no domain, harmless to print.
///
/// Understood are `DOMAIN\user`, `user@domain`, `vpxuser:DOMAIN\user` (vCenter acting on a host for
/// somebody) and `user:<no user>`. None where nobody is named.
pub fn spelled(written: &str) -> Option<String> {
    let written = bare(written);
    if written.is_empty() || written == NOBODY {
        return None;
    }
    // Relays that read `\v` as an escape leave a vertical tab of `DOMAIN\vpxd-extension-…`.
    let written: Cow<'_, str> = match written.contains('\u{b}') {
        true => written.replace('\u{b}', "\\v").into(),
        false => written.into(),
    };
    if written.contains('\\') {
        return Some(printable(&written).to_string());
    }
    Some(match written.rsplit_once('@') {
        Some((user, domain)) if !user.is_empty() && !domain.is_empty() => {
            format!("{}\\{}", printable(domain), printable(user))
        }
        _ => printable(&written).to_string(),
    })
}

/// Whether two accounts in the one spelling are the same: case makes no difference.
pub fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
}

/// An account's name, without its spelling: `DOM\u` is `u@dom`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    user: String,
    domain: Option<String>,
}

impl Account {
    pub(crate) fn new(name: &str) -> Self {
        let name = name.to_lowercase();
        let (user, domain) = match (name.split_once('\\'), name.rsplit_once('@')) {
            (Some((domain, user)), _) | (None, Some((user, domain))) => (user, Some(domain)),
            (None, None) => (&*name, None),
        };
        let domain = domain.filter(|domain| !domain.is_empty()).map(str::to_owned);
        Self { user: user.to_owned(), domain }
    }

    /// The account of ESXi that vCenter works by, on behalf of anybody.
    pub(crate) fn is_vcenters(&self) -> bool {
        self.user == "vpxuser"
    }

    /// One spelling for all.
    pub(crate) fn key(&self) -> String {
        match &self.domain {
            Some(domain) => format!("{domain}\\{}", self.user),
            None => self.user.clone(),
        }
    }

    /// Whether it is the same. A domain's short name is the first label of its DNS name.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let domain = match (&self.domain, &other.domain) {
            (Some(one), Some(other)) => {
                let is_short = |short: &str, long: &str| {
                    !short.contains('.')
                        && long.split_once('.').is_some_and(|(label, _)| label == short)
                };
                one == other || is_short(one, other) || is_short(other, one)
            }
            (one, other) => one == other,
        };
        domain && self.user == other.user
    }
}

/// Without quotes around it and without who acts for it.
fn bare(written: &str) -> &str {
    let written = written.trim().trim_matches(['\'', '"']).trim();
    match written.split_once(':') {
        Some((acting, NOBODY)) => acting,
        Some(("vpxuser", who)) if !who.is_empty() => who.trim(),
        _ => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_has_one_spelling() {
        for (written, spelling) in [
            ("root", "root"),
            ("CORP\\svc-backup", "CORP\\svc-backup"),
            ("svc-backup@corp.example", "corp.example\\svc-backup"),
            ("a@b@corp.example", "corp.example\\a@b"),
            ("vpxuser:CORP\\alice", "CORP\\alice"),
            ("vpxuser:alice@corp.example", "corp.example\\alice"),
            ("vpxuser:<no user>", "vpxuser"),
            ("tester:<no user>", "tester"),
            ("vpxuser", "vpxuser"),
            ("'root'", "root"),
            ("VSPHERE.LOCAL\u{b}pxd-extension-1", "VSPHERE.LOCAL\\vpxd-extension-1"),
            ("@corp", "@corp"),
            ("CORP\\ali\u{202e}ce\n", "CORP\\ali\\u{202e}ce"),
        ] {
            assert_eq!(spelled(written).as_deref(), Some(spelling), "{written:?}");
        }
        for nobody in ["", " ", "''", "<no user>"] {
            assert_eq!(spelled(nobody), None, "{nobody:?}");
        }
    }

    #[test]
    fn case_makes_no_difference() {
        assert!(is_same("CORP\\Alice", "corp\\alice"));
        assert!(is_same("CORP\\JÖRG", "corp\\jörg"));
        assert!(!is_same("CORP\\alice", "CORP\\alicia"));
    }

    #[test]
    fn an_account_is_the_same_in_all_its_spellings_and_no_other() {
        let is = |one: &str, other: &str| Account::new(one).is(&Account::new(other));
        assert!(is("CORP\\svc", "corp\\SVC") && is("svc@corp", "CORP\\svc"));
        assert!(is("CORP\\svc", "svc@corp.example.com") && is("root", "ROOT"));
        assert!(is("VSPHERE.LOCAL\\Administrator", "administrator@vsphere.local"));
        for (one, other) in [
            ("CORP\\svc", "svc"),
            ("CORP\\svc", "EVIL\\svc"),
            ("CORP\\svc", "CORP\\svc2"),
            ("svc@corp.example.com", "svc@corp.evil.com"),
            ("svc@cor", "svc@corp"),
        ] {
            assert!(!is(one, other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn user_at_domain_and_domain_user_are_the_same(
            user in "[a-zA-Z][a-zA-Z0-9._-]{0,20}", domain in "[a-zA-Z][a-zA-Z0-9.-]{0,20}",
        ) {
            let expected = format!("{domain}\\{user}");
            for written in [
                expected.clone(),
                format!("{user}@{domain}"),
                format!("vpxuser:{domain}\\{user}"),
                format!(" '{user}@{domain}' "),
            ] {
                prop_assert_eq!(spelled(&written), Some(expected.clone()));
            }
            prop_assert!(is_same(&expected, &expected.to_uppercase()));
        }

        #[test]
        fn a_spelling_stays_and_is_short(written in any::<String>()) {
            let Some(spelling) = spelled(&written) else { return Ok(()) };
            prop_assert!(spelling.len() <= 2 * crate::text::LIMIT + 1);
            prop_assert!(!spelling.chars().any(char::is_control));
        }
    }
}
