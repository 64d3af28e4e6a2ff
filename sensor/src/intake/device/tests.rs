//! Messages of devices, made by hand in forms that were seen.

use super::*;
use crate::event::{ChangeAction, TunnelKind};
use crate::intake::syslog::{Form, parse};
use crate::intake::{Origin, Reader};
use crate::time::Timestamp;

/// What messages say, one after the other, of one device.
fn told(lines: &[&str]) -> Vec<MirrorChange> {
    let mut reader = Reader::default();
    let arrival = Some(Timestamp::from_parts(1_795_183_391, 0));
    let origin = Origin { arrival, peer: Some([10, 0, 0, 1].into()) };
    let report = |line: &&str| {
        let report = reader.read(&origin, line.as_bytes())?;
        assert_eq!(report.reporter.service, Service::Device, "{line}");
        match report.said {
            Said::MirrorChanged(change) => Some(*change),
            other => panic!("{other:?}"),
        }
    };
    lines.iter().filter_map(report).collect()
}

#[track_caller]
fn one(line: &str) -> MirrorChange {
    let [change] = <[_; 1]>::try_from(told(&[line])).unwrap();
    change
}

fn ios(user: &str, command: &str) -> String {
    format!(
        "<189>45: *Nov 20 14:03:11.123: %PARSER-5-CFGLOG_LOGGEDCMD: User:{user}  logged command:{command}"
    )
}

fn nexus(path: &str) -> String {
    format!(
        "<189>: 2026 Nov 20 14:03:11 UTC: %AAA-6-AAA_ACCOUNTING_MESSAGE: update:192.0.2.5@pts/0:admin:{path}"
    )
}

fn texts(list: &[Arc<str>]) -> Vec<&str> {
    list.iter().map(|text| &**text).collect()
}

#[test]
fn ios_logs_each_command() {
    let change = one(&ios("alice", "monitor session 1 source interface Gi1/0/1 - 4 both"));
    assert_eq!(change.action, ChangeAction::Create);
    assert_eq!((change.id.as_deref(), texts(&change.sources)), (Some("1"), vec!["Gi1/0/1 - 4"]));
    assert_eq!(change.principal, Some(Principal::named("alice")));
    assert_eq!(change.scope.as_deref(), Some("10.0.0.1"));
    assert_eq!(&*change.call, "monitor session 1 source interface Gi1/0/1 - 4 both");
    let change = one(&ios("alice", "monitor session 2 destination remote vlan 900"));
    assert_eq!(texts(&change.targets), ["remote vlan 900"]);
    assert_eq!(one(&ios("alice", "no monitor session 1")).action, ChangeAction::Delete);
    let removed = one(&ios("alice", "no monitor session 1 source interface Gi1/0/1"));
    assert_eq!(removed.action, ChangeAction::Modify);
    for other in [
        "show monitor session 1",
        "do show monitor session all",
        "monitor capture x",
        "description monitor session 1",
        "ip address 192.0.2.1 255.255.255.0",
    ] {
        assert_eq!(told(&[&ios("alice", other)]), [], "{other}");
    }
}

#[test]
fn what_follows_belongs_to_the_session_of_that_user() {
    let lines = [
        ios("alice", "monitor session 5 type erspan-source"),
        ios("alice", "source interface Gi1/0/1 rx"),
        ios("eve", "ip address 192.0.2.66"),
        ios("alice", "destination"),
        ios("alice", "erspan-id 77"),
        ios("alice", "ip address 198.51.100.7"),
        ios("alice", "origin ip address 10.0.0.1"),
        ios("alice", "exit"),
        ios("alice", "no shutdown"),
        ios("alice", "interface Gi1/0/9"),
        ios("alice", "ip address 192.0.2.99 255.255.255.0"),
        ios("alice", "shutdown"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let told = told(&lines);
    let actions: Vec<_> = told.iter().map(|change| change.action).collect();
    use ChangeAction::{Create, Modify};
    assert_eq!(actions, [Create, Modify, Modify, Modify, Create]);
    let last = told.last().unwrap();
    assert_eq!((last.id.as_deref(), last.kind.as_deref()), (Some("5"), Some("erspan-source")));
    assert_eq!((texts(&last.sources), last.wire_id), (vec!["Gi1/0/1"], Some(77)));
    assert_eq!(last.addresses, ["198.51.100.7".parse::<IpAddr>().unwrap()]);
    assert_eq!((last.wrapping, &*last.call), (Some(TunnelKind::Erspan), "no shutdown"));
}

#[test]
fn nexus_logs_what_leads_to_a_command() {
    let change = one(&nexus(
        "configure terminal ; monitor session 3 type erspan-source ; destination ip 198.51.100.7 (SUCCESS)",
    ));
    assert_eq!((change.id.as_deref(), change.kind.as_deref()), (Some("3"), Some("erspan-source")));
    assert_eq!(change.addresses, ["198.51.100.7".parse::<IpAddr>().unwrap()]);
    assert_eq!((change.from.as_deref(), change.failure), (Some("192.0.2.5"), None));
    assert_eq!(change.principal, Some(Principal::named("admin")));
    let refused = one(&nexus("configure terminal ; no monitor session 3 (FAILURE)"));
    assert_eq!(
        (refused.action, refused.failure.as_deref()),
        (ChangeAction::Delete, Some("refused"))
    );
    assert_eq!(told(&[&nexus("show monitor session 3 (SUCCESS)")]), []);
    assert_eq!(
        told(&[&nexus("configure terminal ; interface Ethernet1/1 ; shutdown (SUCCESS)")]),
        []
    );
    let local = nexus("")
        .replace("192.0.2.5@pts/0:admin:", "console0:ops:configure terminal ; monitor session 3");
    assert_eq!(one(&local).principal, Some(Principal::named("ops")));
}

#[test]
fn arista_and_junos_are_understood() {
    let arista = |command: &str, state: &str| {
        format!(
            "<189>Nov 20 14:03:11 leaf1 Aaa: %ACCOUNTING-6-CMD: admin vty4 192.0.2.5 {state} task_id=10 start_time=1.2 timezone=UTC service=shell priv-lvl=15 cmd={command} <cr>"
        )
    };
    let change = one(&arista(
        "monitor session leak destination tunnel mode gre source 10.0.0.1 destination 198.51.100.7",
        "stop",
    ));
    assert_eq!((change.id.as_deref(), change.scope.as_deref()), (Some("leak"), Some("leaf1")));
    assert_eq!(
        (change.wrapping, change.from.as_deref()),
        (Some(TunnelKind::Gre), Some("192.0.2.5"))
    );
    assert_eq!(change.addresses, ["198.51.100.7".parse::<IpAddr>().unwrap()]);
    assert_eq!(
        texts(&one(&arista("monitor session leak destination Ethernet5", "stop")).targets),
        ["Ethernet5"]
    );
    assert_eq!(told(&[&arista("monitor session leak source Ethernet1", "start")]), []);

    let junos = |text: &str| format!("<189>Nov 20 14:03:11 mx1 mgd[6520]: {text}");
    let change = one(&junos(
        "UI_CFG_AUDIT_SET: User 'alice' set: [forwarding-options analyzer leak output ip-address] <unconfigured> -> \"198.51.100.7\"",
    ));
    assert_eq!((change.action, change.id.as_deref()), (ChangeAction::Modify, Some("leak")));
    assert_eq!((change.addresses.len(), change.wrapping), (1, Some(TunnelKind::Gre)));
    assert_eq!(change.principal, Some(Principal::named("alice")));
    let change = one(&junos(
        "UI_CFG_AUDIT_SET: User 'alice' set: [forwarding-options port-mirroring family inet output interface ge-0/0/1.0 next-hop 192.0.2.9] <unconfigured> -> \"x\"",
    ));
    assert_eq!(change.addresses.len(), 1);
    let change =
        one(&junos("UI_CFG_AUDIT_OTHER: User 'alice' delete: [forwarding-options analyzer leak]"));
    assert_eq!(change.action, ChangeAction::Delete);
    for other in [
        "UI_CMDLINE_READ_LINE: User 'alice', command 'set forwarding-options analyzer x '",
        "UI_CFG_AUDIT_SET: User 'alice' set: [interfaces ge-0/0/1 description] \"a\" -> \"[forwarding-options analyzer x]\"",
    ] {
        assert_eq!(told(&[&junos(other)]), [], "{other}");
    }
}

/// Fails when a text that somebody without a right to configure has chosen makes a change.
#[test]
fn a_command_in_another_message_makes_no_change() {
    let command = ios("eve", "monitor session 1 destination interface Gi1/0/1");
    let (_, inner) = command.split_once(": *").unwrap();
    let (_, bare) = inner.split_once(": ").unwrap();
    for line in [
        format!("<38>Nov 20 14:03:11 h sshd[1]: Invalid user {bare} from 192.0.2.1"),
        format!("<38>Nov 20 14:03:11 h sshd[1]: {bare}"),
        format!("<14>Nov 20 14:03:11 h httpd[1]: {bare}"),
        format!(
            "<189>45: *Nov 20 14:03:11.123: %SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: {bare}]"
        ),
        format!("<189>45: login of '{bare}' failed"),
        format!("<166>2026-11-20T14:03:11Z esx1 Hostd[1]: [Originator@6876 sub=Default] {bare}"),
        format!(
            "<189>Nov 20 14:03:11 mx1 sshd[6520]: UI_CFG_AUDIT_SET: User 'a' set: [forwarding-options analyzer x]"
        ),
        "<189>45: --> monitor session 1".into(),
    ] {
        assert_eq!(told(&[&line]), [], "{line}");
    }
    for header in [
        "<189>45: sw1: *Nov 20 14:03:11.123 CET: ",
        "<189>Nov 20 14:03:11 sw1 45: *Nov 20 14:03:11.123: ",
        "<189>Nov 20 14:03:11 sw1 ",
        "<189>Nov 20 14:03:11 sw1 : ",
    ] {
        assert_eq!(told(&[&format!("{header}{bare}")]).len(), 1, "{header}");
    }
}

#[test]
fn open_sessions_and_places_are_bounded() {
    let mut devices = Devices::default();
    for n in 0..3 * MAX_OPEN {
        let line = ios(&format!("u{n}"), "monitor session 1 type erspan-source");
        let message = parse(&line, Form::Wire, None).unwrap();
        assert!(devices.read(&message, None).is_some());
    }
    let mut sources = 0;
    for n in 0..100 {
        let line = ios("u", &format!("monitor session 1 source interface Gi1/0/{n}"));
        let message = parse(&line, Form::Wire, None).unwrap();
        let Some(Told { said: Said::MirrorChanged(change), .. }) = devices.read(&message, None)
        else {
            panic!("{line}")
        };
        sources = change.sources.len();
    }
    assert_eq!(sources, 16);
    let gone = parse("<189>45: *Nov 20 14:03:11.123: %PARSER-5-CFGLOG_LOGGEDCMD: User:u0  logged command:shutdown", Form::Wire, None).unwrap();
    assert_eq!(devices.read(&gone, None), None, "the oldest was forgotten");
}

proptest::proptest! {
    #[test]
    fn any_text_is_read(text in ".{0,120}", at in 0..200usize) {
        for line in [ios("alice", &text), nexus(&format!("configure terminal ; monitor session {text}")), nexus(&text)] {
            let cut = line.char_indices().map(|(at, _)| at).take(at).last().unwrap_or(0);
            let message = parse(&line[..cut], Form::Wire, None);
            message.map(|message| Devices::default().read(&message, None));
            parse(&line, Form::Wire, None).map(|message| Devices::default().read(&message, None));
        }
        junos::read(&format!("UI_CFG_AUDIT_SET: User '{text}"));
        junos::read(&format!("UI_CFG_AUDIT_SET: User 'a' set: [forwarding-options {text}"));
    }
}
