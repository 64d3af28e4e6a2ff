//! Messages as hosts, vCenter and NSX write them. The bodies are made by hand in forms that were seen.

use std::net::IpAddr;

use super::*;
use crate::event::{
    Access, ChangeAction, Conversation, GuestOperation, MirrorChange, Operation, Principal,
    Session, SessionChange,
};

mod corpus;
#[expect(clippy::arithmetic_side_effects, reason = "what is computed comes from no message")]
mod mutated;

/// A message with nothing in its header but the program.
pub(super) fn message<'a>(program: &'a str, body: &'a str) -> Message<'a> {
    Message {
        time: None,
        host: Some("esx1"),
        facility: None,
        program,
        body,
        is_cut: false,
        is_continuation: false,
    }
}

fn said(program: &str, body: &str) -> Option<Said> {
    read(&message(program, body)).map(|told| told.said)
}

#[track_caller]
fn operation(program: &str, body: &str) -> GuestOperation {
    match said(program, body) {
        Some(Said::GuestOperation(said)) => *said,
        other => panic!("{body}: {other:?}"),
    }
}

#[track_caller]
fn session(program: &str, body: &str) -> Session {
    match said(program, body) {
        Some(Said::Session(said)) => *said,
        other => panic!("{body}: {other:?}"),
    }
}

#[track_caller]
fn conversation(program: &str, body: &str) -> Conversation {
    match said(program, body) {
        Some(Said::Conversation(said)) => *said,
        other => panic!("{body}: {other:?}"),
    }
}

fn ip(address: &str) -> IpAddr {
    address.parse().unwrap()
}

const START: &str = "Guest operation Start Program performed on Virtual machine web01.";

#[test]
fn hostd_tells_of_an_operation_and_not_who() {
    for head in [
        "[Originator@6876 sub=Vimsvc.ha-eventmgr]",
        "[Originator@6876 sub=\"Vimsvc.ha-eventmgr\"]",
        "[3647FB90 info 'ha-eventmgr']",
        "[3647FB90 info 'Vimsvc.ha-eventmgr']",
    ] {
        let said = operation("Hostd", &format!("{head} Event 246 : {START}"));
        assert_eq!((said.operation, said.event), (Operation::StartProgram, Some(246)), "{head}");
        assert_eq!((said.vm.as_deref(), said.account, said.client), (Some("web01"), None, None));
    }
    let head =
        "[Originator@6876 sub=Vimsvc.ha-eventmgr opID=c4 sid=52018116 user=vpxuser:CORP\\al]";
    let said = operation("hostd", &format!("{head} Event 246 : {START}"));
    assert_eq!(said.account, stated("CORP\\al"));
    assert_eq!((said.op_id.as_deref(), said.session.as_deref()), (Some("c4"), Some("52018116")));
}

#[test]
fn vcenter_tells_who_and_when() {
    let event = |user: &str, rest: &str| {
        format!(
            "Event [9] [1-1] [2026-11-20T14:03:11.5Z] [vim.event.EventEx] [info] [{user}] {rest}"
        )
    };
    for (body, user) in [
        (event("CORP\\al", &format!("[DC0] [9] [{START}]")), Some("CORP\\al")),
        (event("al@corp", &format!("[DC [1] x] [9] [{START}]")), Some("corp\\al")),
        (event("", &format!("[] [9] [{START}]")), None),
        (event("CORP\\al", &format!("[] [9] [{START}")), Some("CORP\\al")),
    ] {
        let told = read(&message("vpxd", &body)).unwrap();
        assert_eq!(told.stated, "2026-11-20T14:03:11.5Z".parse().ok());
        let said = operation("vpxd", &format!(" {body}"));
        assert_eq!(said.account.map(|claim| claim.account.to_string()).as_deref(), user, "{body}");
        assert_eq!((said.vm.as_deref(), said.event), (Some("web01"), Some(9)));
    }
    let bracket =
        event("a", "[DC0] [9] [Guest operation List Files performed on Virtual machine x].]");
    assert_eq!(operation("vpxd", &bracket).vm.as_deref(), Some("x]"));
    let part = format!("Event [9] [2-3] {START}");
    assert_eq!(said("vpxd", &part), None, "a further part has only text");
    let other = event("a", &format!("[DC0] [9] [{START}]")).replace("EventEx", "GeneralUserEvent");
    assert_eq!(said("vpxd", &other), None, "another class");
}

#[test]
fn calls_are_known_by_their_methods() {
    let task = "[Originator@6876 sub=vpxLro opID=lro-1-2] [VpxLRO] -- BEGIN lro-7 -- \
        guestOperationsFileManager -- vim.vm.guest.FileManager.initiateFileTransferFromGuest -- \
        220e52c7-0000-1111-2222-333344445555";
    let said = operation("vpxd", task);
    assert_eq!((said.operation, said.vm), (Operation::FileTransferFromGuest, None));
    assert_eq!(
        (said.op_id.as_deref(), said.session.as_deref()),
        (Some("lro-1-2"), Some("220e52c7"))
    );
    let audit = r#"[api.call@6876 result="success" object="vim.vm.guest.ProcessManager.startProgram" opID="a" subject="CORP\\al" ip="192.0.2.1"]"#;
    let said = operation("hostd", audit);
    assert_eq!((said.operation, said.account), (Operation::StartProgram, stated("CORP\\al")));
    assert_eq!((said.client, said.is_refused), (Some(ip("192.0.2.1")), false));
    let denied =
        r#"[vim.access.denied@6876 apiName="vim.vm.guest.AliasManager.addAlias" subject="eve"]"#;
    let said = operation("hostd", denied);
    assert_eq!((said.operation, said.is_refused), (Operation::AddAlias, true));
    let powered = r#"[api.call@6876 object="vim.VirtualMachine.powerOn" subject="eve"]"#;
    assert_eq!(super::tests::said("hostd", powered), None);
}

#[test]
fn a_sentence_in_another_message_makes_no_operation() {
    let event = format!("Event 5 : {START}");
    let vcenter = format!(
        "Event [9] [1-1] [2026-11-20T14:03:11Z] [vim.event.EventEx] [info] [a] [] [9] [{START}]"
    );
    for (program, body) in [
        ("Hostd", event.clone()),
        ("Hostd", format!("--> {event}")),
        ("Hostd", format!("[Originator@6876 sub=Guestsvc.GuestFileHandler] {event}")),
        ("Hostd", format!("[Originator@6876 sub=Guestsvc] Guest File Path is C:\\] {event}")),
        ("Hostd", format!("[Originator@6876 sub=Vimsvc.ha-eventmgr] x Event 5 : {START}")),
        (
            "Hostd",
            format!("[Originator@6876 sub=Vimsvc.ha-eventmgr] Event 5 : Cannot login {START}"),
        ),
        ("Hostd", format!("[Originator@6876 sub=Vimsvc.ha-eventmgr] Event x : {START}")),
        (
            "Hostd",
            format!(
                "[Originator@6876 sub=Vimsvc.ha-eventmgr opID=x] {event} sid=1] Event 6 : Cannot login a@192.0.2.1"
            ),
        ),
        ("vmx", format!("[Originator@6876 sub=Vimsvc.ha-eventmgr] {event}")),
        ("vmkernel", format!("cpu1:2)[Originator@6876 sub=Vimsvc.ha-eventmgr] {event}")),
        ("shell", format!("[root]: echo '[Originator@6876 sub=Vimsvc.ha-eventmgr] {event}'")),
        (
            "shell",
            format!(
                "[shell.cmd@6876 command=\"[Originator@6876 sub=Vimsvc.ha-eventmgr\\] {event}\"]"
            ),
        ),
        ("hostd", vcenter.clone()),
        ("sshd", vcenter.clone()),
        ("vpxd", format!("--> {vcenter}")),
        ("vpxd", format!("x {vcenter}")),
        ("vpxd", vcenter.replace("vim.event.EventEx", "x")),
        ("vpxd", format!("[Originator@6876 sub=x] {vcenter}")),
        (
            "vpxd",
            "[VpxLRO] -- BEGIN lro-1 -- x -- vim.vm.guest.ProcessManager.startProgram -- x".into(),
        ),
        (
            "vpxd",
            "[Originator@6876 sub=vpxLro] [VpxLRO] -- FINISH lro-1 -- vim.vm.guest.A.b -- c".into(),
        ),
    ] {
        let said = said(program, &body);
        assert!(!matches!(said, Some(Said::GuestOperation(_))), "{program}: {body}: {said:?}");
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

#[test]
fn proxies_tell_who_spoke_with_the_api() {
    let client = (ip("192.0.2.4"), 54080);
    let server = (ip("192.0.2.5"), 443);
    let ends = "192.0.2.4:54080 192.0.2.5:443 127.0.0.1:49192 127.0.0.1:8085";
    for body in [
        format!("[Originator@6876 sub=Default] 2026-05-11T10:22:31.070Z POST /sdk HTTP/1.1 200 via_upstream - 1670 11032 1 0 0 {ends}"),
        format!("POST /sdk 200 via_upstream - \"RetrieveProperties 1 2\" 1670 11032 - 1 0 0 {ends}"),
        "GET /a 200 via_upstream - 1670 11032 gzip 1 0 0 192.0.2.4:54080 HTTP/1.1 TLSv1.2 192.0.2.5:443 -".into(),
    ] {
        let said = conversation("envoy", &body);
        assert_eq!((said.client, said.server), (client, server), "{body}");
        assert_eq!(said.bytes, Some([1670, 11032]));
    }
    let body = "[Originator@6876 sub=Proxy Req 00015] New proxy client <SSL(<io_obj p:0x1, h:5, <TCP '192.0.2.5 : 443'>, <TCP '192.0.2.4 : 54080'>>)>";
    let said = conversation("rhttpproxy", body);
    assert_eq!((said.client, said.server, said.bytes), (client, server, None));
    let inside = "[Originator@6876 sub=Proxy Req 99723] Connected to localhost:8307 (/sdk) over <io_obj p:0x1, h:32, <TCP '127.0.0.1 : 57721'>, <TCP '127.0.0.1 : 8307'>>";
    assert_eq!(super::tests::said("rhttpproxy", inside), None);
}

#[test]
fn every_form_of_a_firewall_s_line_is_read() {
    let four = |client: &str, server: &str| {
        let end = |text: &str| {
            let (address, port) = text.rsplit_once(' ').unwrap();
            (ip(address), port.parse().unwrap())
        };
        (end(client), end(server))
    };
    for (program, body, (client, server), protocol, bytes, is_blocked) in [
        (
            "dfwpktlogs",
            "b6507827 INET match PASS mainrs/1024 IN 52 TCP 192.0.2.3/49627->192.0.2.4/49153 SEW",
            four("192.0.2.3 49627", "192.0.2.4 49153"),
            6,
            None,
            false,
        ),
        (
            "dfwpktlogs",
            "2099 INET match DROP mainrs/1027 IN 36 PROTO 2 0.0.0.0->224.0.0.1",
            four("0.0.0.0 0", "224.0.0.1 0"),
            2,
            None,
            true,
        ),
        (
            "FIREWALL-PKTLOG",
            "INET6 match PASS 2 OUT 80 UDP fe80:0:0:0:68c2:8472:2364:9be/546->ff02:0:0:0:0:0:1:2/547",
            four("fe80::68c2:8472:2364:9be 546", "ff02::1:2 547"),
            17,
            None,
            false,
        ),
        (
            "FIREWALL-PKTLOG",
            "INET TERM PASS 5096 OUT TCP RST 192.0.2.3/60517->192.0.2.4/443 9/8 1461/4677 DR-Allow",
            four("192.0.2.3 60517", "192.0.2.4 443"),
            6,
            Some([1461, 4677]),
            false,
        ),
        (
            "FIREWALL-PKTLOG",
            "8b4a1980 INET TERM 1005 IN UDP 192.0.2.3/1->192.0.2.4/53 1/2 60/300",
            four("192.0.2.3 1", "192.0.2.4 53"),
            17,
            Some([60, 300]),
            false,
        ),
        (
            "FIREWALL-PKTLOG",
            "2026-05-15T19:41:25Z esx1 8b4a1980 INET match PASS 25577 OUT 84 ICMP 192.0.2.3->192.0.2.4",
            four("192.0.2.3 0", "192.0.2.4 0"),
            1,
            None,
            false,
        ),
    ] {
        let expected = Conversation { client, server, protocol, bytes, is_blocked };
        assert_eq!(conversation(program, body), expected, "{body}");
    }
    for body in [
        "",
        "INET",
        "INET match PASS 1 IN 52 TCP",
        "INET match PASS 1 IN 52 X 192.0.2.3->192.0.2.4",
    ] {
        assert_eq!(said("FIREWALL-PKTLOG", body), None, "{body}");
    }
}

#[test]
fn mirroring_is_told_by_the_manager_of_nsx() {
    let body = r#"[nsx@6876 audit="true" comp="nsx-manager" username="admin"] UserName="admin", ModuleName="X", Operation="CreatePortMirroringSession", Operation status="success", Src="192.0.2.6", New value=[{"a":"Operation="}]"#;
    let principal =
        Principal { name: "admin".into(), full: None, foreign_account: None, by_console: false };
    let change = MirrorChange {
        call: "CreatePortMirroringSession".into(),
        action: ChangeAction::Create,
        principal: Some(principal),
        from: Some("192.0.2.6".into()),
        ..MirrorChange::default()
    };
    assert_eq!(said("NSX", body), Some(Said::MirrorChanged(Box::new(change))));
    for other in [
        body.replace("CreatePortMirroringSession", "CreateRoleBinding"),
        body.replace("CreatePortMirroringSession", "x").replace("[{", "[{Mirror"),
        body.replace("audit=\"true\" ", ""),
        "[nsx@6876 comp=\"nsx-manager\"] Connection verification failed".into(),
    ] {
        assert_eq!(said("NSX", &other), None, "{other}");
    }
}

#[test]
fn a_switch_is_known_by_its_name() {
    let event = |datacenter: &str, end: &str| {
        let text = "The vSphere Distributed Switch Switch in X in DC in B was reconfigured.";
        format!(
            "Event [9] [1-2] [2026-11-20T14:03:11Z] [vim.event.DvsReconfiguredEvent] [info] [CORP\\al] [{datacenter}] [9] [{text}{end}"
        )
    };
    for (body, name) in [
        (event("DC in B", " Modified: a was reconfigured"), "Switch in X"),
        (event("", "]"), "Switch in X in DC"),
    ] {
        let expected =
            Said::SwitchReconfigured { switch: name.into(), account: Some("CORP\\al".into()) };
        assert_eq!(said("vpxd", &body), Some(expected));
    }
}

#[test]
fn hosts_and_vcenter_tell_where_a_machine_runs() {
    let placed = Some(Said::Placement { vm: "web 01".into(), host: "esx1".into() });
    let hostd = "[Originator@6876 sub=Vimsvc.ha-eventmgr] Event 4 : web 01 on esx1 in ha-datacenter is powered on";
    assert_eq!(said("Hostd", hostd), placed);
    let vcenter = "Event [9] [1-1] [2026-11-20T14:03:11Z] [vim.event.DrsVmMigratedEvent] [info] [] [DC] [9] [DRS migrated web 01 from esx0 to esx1 in cluster C in DC]";
    assert_eq!(said("vpxd", vcenter), placed);
}

/// Fails when the name of a virtual machine is taken for a login.
#[test]
fn a_machine_with_the_sentence_of_a_login_as_its_name() {
    let hostd = "[Originator@6876 sub=Vimsvc.ha-eventmgr] Event 4 : User root@192.0.2.1 logged in as x on esx1 in ha-datacenter is powered on";
    let Some(Said::Placement { vm, .. }) = said("Hostd", hostd) else { panic!("no placement") };
    assert_eq!(&*vm, "User root@192.0.2.1 logged in as x");
}

#[test]
fn names_are_made_harmless_and_short() {
    let vm = format!("a\u{202e}b\u{1b}[2J{}", "x".repeat(1000));
    let body = format!(
        "[Originator@6876 sub=Vimsvc.ha-eventmgr] Event 4 : Guest operation Brew\u{7} performed on Virtual machine {vm}."
    );
    let said = operation("Hostd", &body);
    assert_eq!(said.operation, Operation::Other("Brew\\x07".into()));
    let vm = said.vm.unwrap();
    assert!(vm.starts_with("a\\u{202e}b\\x1b[2Jx") && vm.len() <= 512, "{vm}");
}
