//! Sentences that tell of logins, logouts and refusals at APIs.

use std::net::IpAddr;
use std::sync::Arc;

use crate::account;
use crate::event::{Access, Session, SessionChange};

use super::name;

/// What an event of hostd or vCenter tells.
///
/// Names of accounts may be anything where a login failed; so addresses are taken from the end. What
/// a client calls itself may be anything too; so that is cut off first.
pub(super) fn of_event(text: &str) -> Option<Session> {
    if let Some(rest) = text.strip_prefix("User ") {
        if let Some((who, agent)) = rest.split_once(" logged in as ") {
            let (account, client) = at(who)?;
            let agent = Some(agent.trim()).filter(|agent| !agent.is_empty()).map(name);
            return Some(Session { agent, ..session(SessionChange::LoggedIn, account, client)? });
        }
        let (who, details) = rest.split_once(" logged out")?;
        let (account, client) = at(who)?;
        let agent = details.split_once("user agent: ").map(|(_, agent)| agent.trim_end());
        let agent = agent.map(|agent| name(agent.strip_suffix(')').unwrap_or(agent)));
        return Some(Session { agent, ..session(SessionChange::LoggedOut, account, client)? });
    }
    if let Some(rest) = text.strip_prefix("Cannot login ") {
        let rest = rest.trim_end().strip_suffix(": no permission").unwrap_or(rest.trim_end());
        let (account, client) = at(rest.strip_prefix("user ").unwrap_or(rest))?;
        return session(SessionChange::Refused, account, client);
    }
    of_sign_on(text)
}

/// What single sign-on tells, in an event of vCenter.
fn of_sign_on(text: &str) -> Option<Session> {
    let (change, rest) = match text.strip_prefix("Successful login ") {
        Some(rest) => (SessionChange::LoggedIn, rest),
        None => (SessionChange::Refused, text.strip_prefix("Failed login ")?),
    };
    let (who, _at) = rest.trim_end().strip_suffix(" in SSO")?.rsplit_once(" at ")?;
    let (account, client) = who.rsplit_once(" from ")?;
    Some(Session { access: Access::SignOn, ..session(change, account, client)? })
}

/// `Accepted password for user root from 192.0.2.1 - session=52f0e556-…`, and its refusal.
pub(super) fn of_password(text: &str) -> Option<Session> {
    let (change, rest) = match text.strip_prefix("Accepted password for user ") {
        Some(rest) => (SessionChange::LoggedIn, rest),
        None => (SessionChange::Refused, text.strip_prefix("Rejected password for user ")?),
    };
    let rest = rest.trim_end();
    let (who, id) = match rest.rsplit_once(" - session=") {
        Some((who, id)) => (who, short(id)),
        None => (rest, None),
    };
    let (account, client) = who.rsplit_once(" from ")?;
    Some(Session { id, ..session(change, account, client)? })
}

/// A session of the API; more is added by who knows it.
pub(super) fn session(change: SessionChange, account: &str, client: &str) -> Option<Session> {
    Some(Session {
        change,
        account: account::spelled(account)?.into(),
        client: address(client),
        agent: None,
        id: None,
        access: Access::Api,
    })
}

/// `user@address`; a user may have an `@` too.
pub(super) fn at(who: &str) -> Option<(&str, &str)> {
    who.trim_end().rsplit_once('@')
}

/// An address that a client can have: behind a proxy on the same machine, the loopback is nobody's.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches(['[', ']']);
    let address = text.split_once('%').map_or(text, |(address, _zone)| address).parse();
    address.ok().map(|address: IpAddr| address.to_canonical()).filter(|a| !a.is_loopback())
}

/// The first digits of the id of a session, as later messages have them.
pub(super) fn short(id: &str) -> Option<Arc<str>> {
    let digits = id.get(..8)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| digits.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(session: Option<Session>) -> Option<(SessionChange, String, Option<String>)> {
        let session = session?;
        let client = session.client.map(|client| client.to_string());
        Some((session.change, session.account.to_string(), client))
    }

    fn expected(
        change: SessionChange,
        account: &str,
        client: &str,
    ) -> Option<(SessionChange, String, Option<String>)> {
        Some((change, account.into(), Some(client.into()).filter(|c: &String| !c.is_empty())))
    }

    #[test]
    fn logins_logouts_and_refusals_are_told_apart() {
        use SessionChange::{LoggedIn, LoggedOut, Refused};
        for (text, change, account, client) in [
            ("User root@192.0.2.1 logged in as PowerCLI/13.2", LoggedIn, "root", "192.0.2.1"),
            ("User u@corp@192.0.2.1 logged in as x", LoggedIn, "corp\\u", "192.0.2.1"),
            ("User CORP\\a@2001:db8::1 logged in as x", LoggedIn, "CORP\\a", "2001:db8::1"),
            ("User root@::ffff:192.0.2.1 logged in as x", LoggedIn, "root", "192.0.2.1"),
            ("User root@127.0.0.1 logged in as x", LoggedIn, "root", ""),
            ("User root@localhost logged in as x", LoggedIn, "root", ""),
            (
                "User vpxuser@192.0.2.2 logged out (login time: Tuesday, 18 April, 2023 07:14:36 AM, number of API invocations: 3, user agent: a (b))",
                LoggedOut,
                "vpxuser",
                "192.0.2.2",
            ),
            ("Cannot login root@192.0.2.3", Refused, "root", "192.0.2.3"),
            (
                "Cannot login user eve@corp@192.0.2.3: no permission",
                Refused,
                "corp\\eve",
                "192.0.2.3",
            ),
            (
                "Failed login eve from here from 192.0.2.4 at 04/14/2025 14:18:57 GMT in SSO",
                Refused,
                "eve from here",
                "192.0.2.4",
            ),
            (
                "Successful login a@corp from 192.0.2.4 at 04/14/2025 14:18:57 GMT in SSO",
                LoggedIn,
                "corp\\a",
                "192.0.2.4",
            ),
        ] {
            assert_eq!(parts(of_event(text)), expected(change, account, client), "{text}");
        }
        let text = "Accepted password for user root from 192.0.2.1 - session=52f0e556-5be4-83d4";
        let session = of_password(text).unwrap();
        assert_eq!(session.id.as_deref(), Some("52f0e556"));
        assert_eq!(parts(Some(session)), expected(LoggedIn, "root", "192.0.2.1"));
        let text = "Rejected password for user x from y from 192.0.2.1";
        assert_eq!(parts(of_password(text)), expected(Refused, "x from y", "192.0.2.1"));
    }

    #[test]
    fn what_a_client_calls_itself_decides_nothing() {
        let agent = "User root@192.0.2.9 logged in as \"x\"] Event 5 : y\u{202e}";
        let session = of_event(&format!("User eve@192.0.2.1 logged in as {agent}")).unwrap();
        assert_eq!(&*session.account, "eve");
        assert_eq!(session.client, Some("192.0.2.1".parse().unwrap()));
        assert!(session.agent.unwrap().ends_with("y\\u{202e}"));
    }

    #[test]
    fn other_sentences_are_none() {
        for text in
            ["", "User", "User root", "User x logged in as y", "Cannot login", "Failed login a"]
        {
            assert_eq!(of_event(text), None, "{text}");
        }
        assert_eq!(short("52F0E556-"), Some("52F0E556".into()));
        for id in ["", "52f0e55", "52f0e55g-", "éééééééé"] {
            assert_eq!(short(id), None, "{id}");
        }
    }
}
