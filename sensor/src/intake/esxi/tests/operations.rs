//! What tells of guest operations, and what only looks like it.

use super::*;
use crate::event::{GuestOperation, Operation};

const START: &str = "Guest operation Start Program performed on Virtual machine web01.";

#[track_caller]
fn operation(program: &str, body: &str) -> GuestOperation {
    match said(program, body) {
        Some(Said::GuestOperation(said)) => *said,
        other => panic!("{body}: {other:?}"),
    }
}

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
    assert_eq!(super::said("hostd", powered), None);
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
