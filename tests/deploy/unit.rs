use std::process::Command;

use crate::tool::{accepted, file, text};

#[test]
fn the_units_exposure_is_two_and_a_half_or_less() {
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=true", "--threshold=25", "--no-pager"]);
    accepted("systemd", command.arg(file("deploy/egret.service")));
}

#[test]
fn systemd_understands_every_line_of_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("egret.service");
    let text = text("deploy/egret.service");
    assert!(text.contains("ExecStart=/usr/bin/egret run\n"));
    std::fs::write(&unit, text.replace("/usr/bin/egret", env!("CARGO_BIN_EXE_egret"))).unwrap();
    let mut command = Command::new("systemd-analyze");
    let said = accepted("systemd", command.args(["verify", "--man=no"]).arg(unit));
    assert!(said.is_none_or(|said| !said.contains("egret.service")));
}

#[test]
fn the_unit_gives_what_the_program_relies_on() {
    let text = text("deploy/egret.service");
    for line in [
        "Type=notify",
        "WatchdogSec=30",
        "Restart=always",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "User=egret",
        "StateDirectory=egret",
        "ConfigurationDirectory=egret",
        "LimitMEMLOCK=infinity",
        "AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN CAP_BPF CAP_PERFMON CAP_NET_BIND_SERVICE",
        "CapabilityBoundingSet=CAP_NET_RAW CAP_NET_ADMIN CAP_BPF CAP_PERFMON CAP_NET_BIND_SERVICE",
        "SystemCallFilter=sched_setaffinity capset bpf",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}");
    }
}

#[test]
fn the_user_is_made() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("etc")).unwrap();
    let mut command = Command::new("systemd-sysusers");
    let root_flag = format!("--root={}", root.path().display());
    if accepted("systemd", command.arg(root_flag).arg(file("deploy/egret.sysusers"))).is_some() {
        let users = std::fs::read_to_string(root.path().join("etc/passwd")).unwrap();
        let user = users.lines().find(|line| line.starts_with("egret:")).unwrap();
        assert!(user.ends_with(":/var/lib/egret:/usr/sbin/nologin"), "{user}");
    }
}
