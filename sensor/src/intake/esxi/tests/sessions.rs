//! Who logs in and out.

use super::*;
use crate::event::{Access, Session, SessionChange};

#[track_caller]
fn session(program: &str, body: &str) -> Session {
    match said(program, body) {
        Some(Said::Session(said)) => *said,
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn sessions_have_their_ids() {
    let head = "[Originator@6876 sub=Vimsvc.ha-eventmgr opID=c4c96306 sid=52018116]";
    let began = session(
        "Hostd",
        &format!("{head} Event 220 : User root@192.0.2.13 logged in as PowerCLI/13"),
    );
    assert_eq!(
        began,
        Session {
            change: SessionChange::LoggedIn,
            account: "root".into(),
            client: Some(ip("192.0.2.13")),
            agent: Some("PowerCLI/13".into()),
            id: Some("52018116".into()),
            access: Access::Api,
        }
    );
    let head = "[Originator@6876 sub=Vimsvc.HaSessionManager opID=esxui-8c02-9b39 sid=52f0e556]";
    let text = "Accepted password for user root from 192.0.2.10 - session=52f0e556-5be4-83d4-8d71-8f9d8a43791c";
    assert_eq!(session("Hostd", &format!("{head} {text}")).id.as_deref(), Some("52f0e556"));
    let connect = r#"[vim.connect@6876 uniqueID="52f0e556-5be4" ip="192.0.2.1" subject="root" result="failure"]"#;
    let refused = session("hostd", connect);
    assert_eq!((refused.change, refused.id.as_deref()), (SessionChange::Refused, Some("52f0e556")));
    let event = "Event [9] [1-1] [2026-11-20T14:03:11Z] [vim.event.UserLoginSessionEvent] [info] \
        [CORP\\al] [] [9] [User CORP\\al@192.0.2.7 logged in as pyvmomi (Linux; x)]";
    assert_eq!(session("vpxd", event).agent.as_deref(), Some("pyvmomi (Linux; x)"));
    let sso = r#"2026-11-20 INFO [auditlogger] {"user":"al@corp@192.0.2.1","client":"192.0.2.8","type":"com.vmware.sso.LoginFailure","x":[1]}"#;
    let refused = session("websso", sso);
    assert_eq!((refused.access, refused.client), (Access::SignOn, Some(ip("192.0.2.8"))));
}

#[test]
fn the_shell_is_a_session_of_its_own() {
    use SessionChange::{LoggedIn, LoggedOut, Refused};
    for (program, body, change, account, client) in [
        (
            "sshd",
            "Accepted keyboard-interactive/pam for root from 192.0.2.1 port 58470 ssh2",
            LoggedIn,
            "root",
            Some("192.0.2.1"),
        ),
        (
            "sshd",
            "Failed password for invalid user a from b port 1 from 192.0.2.1 port 58470 ssh2",
            Refused,
            "a from b port 1",
            Some("192.0.2.1"),
        ),
        ("sshd", "Session closed for 'root' on /dev/char/pty/t0", LoggedOut, "root", None),
        (
            "vobd",
            "[GenericCorrelator] 12345us: [vob.user.ssh.session.opened] SSH session was opened for 'root@192.0.2.1'.",
            LoggedIn,
            "root",
            Some("192.0.2.1"),
        ),
    ] {
        let told = session(program, body);
        assert_eq!((told.change, &*told.account, told.access), (change, account, Access::Ssh));
        assert_eq!(told.client, client.map(ip), "{body}");
    }
}
