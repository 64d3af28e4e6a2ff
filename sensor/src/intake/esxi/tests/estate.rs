//! What changes in the estate: mirroring, switches, where machines run.

use super::*;
use crate::event::{ChangeAction, MirrorChange, Principal};

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
    let placed = Some(Said::Placement { vm: "web 01".into(), host: "esx1".into(), is_new: false });
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
