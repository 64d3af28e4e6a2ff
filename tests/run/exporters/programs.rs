//! The exporters themselves, each as it is started and made to tell what it knows.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use egret_tests::net::{self, Namespace};
use egret_tests::process::Process;
use egret_tests::wait;
use rustix::process::Signal;

use super::super::SOON;

/// A program on the sensor's machine, with its files in a folder.
pub(super) fn program(
    machine: &Namespace,
    folder: &Path,
    name: &str,
    arguments: &[&str],
) -> Process {
    let mut command = machine.command(name);
    command.args(arguments);
    for variable in ["OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR"] {
        command.env(variable, folder);
    }
    Process::start(name, command, folder.join(format!("{name}.log")))
}

/// With options that say what it exports, and where to.
pub(super) fn softflowd(machine: &Namespace, folder: &Path, options: &[&str]) -> Process {
    let (control, pid) = (folder.join("softflowd.ctl"), folder.join("softflowd.pid"));
    let (control, pid) = (control.to_str().unwrap(), pid.to_str().unwrap());
    let own = ["-d", "-i", "eth1", "-c", control, "-p", pid];
    let arguments = [&own[..], options].concat();
    let mut exporter = program(machine, folder, "softflowd", &arguments);
    let said = folder.join("softflowd.log");
    exporter.until("captures", SOON, || {
        let said = std::fs::read_to_string(&said).unwrap_or_default();
        said.contains("Exporting flows").then_some(())
    });
    exporter
}

/// Has it export what it knows, and end.
pub(super) fn shut_down(folder: &Path, mut exporter: Process) {
    let mut control = Command::new("softflowctl");
    net::run(control.arg("-c").arg(folder.join("softflowd.ctl")).arg("shutdown"));
    exporter.wait(SOON);
}

/// A probe of pmacct, which exports what it knows when it ends.
pub(super) fn pmacctd(machine: &Namespace, folder: &Path, probe: &str) -> impl FnOnce() + use<> {
    let config = folder.join("pmacctd.conf");
    let base = "daemonize: false\npcap_interface: eth1\n\
                aggregate: src_host,dst_host,src_port,dst_port,proto,tcpflags\n";
    std::fs::write(&config, format!("{base}{probe}")).unwrap();
    let mut exporter = program(machine, folder, "pmacctd", &["-f", config.to_str().unwrap()]);
    let said = folder.join("pmacctd.log");
    exporter.until("captures", SOON, || {
        let said = std::fs::read_to_string(&said).unwrap_or_default();
        said.contains("Exporting flows").then_some(())
    });
    move || {
        exporter.signal(Signal::INT);
        exporter.wait(SOON);
    }
}

/// A switch that forwards in its own process, without the kernel's half.
pub(super) fn open_vswitch(
    machine: &Namespace,
    folder: &Path,
    export: &[&str],
) -> impl FnOnce() + use<> {
    let socket = format!("unix:{}", folder.join("db.sock").display());
    let database = folder.join("conf.db");
    let database = database.to_str().unwrap();
    let schema = "/usr/share/openvswitch/vswitch.ovsschema";
    net::run(Command::new("ovsdb-tool").args(["create", database, schema]));
    let listen = format!("--remote=p{socket}");
    let server = program(machine, folder, "ovsdb-server", &[database, &listen]);
    wait::until("the database", SOON, || folder.join("db.sock").exists().then_some(()));
    let control = |arguments: &[&str]| {
        let mut control = machine.command("ovs-vsctl");
        control.args(["--timeout=20", &format!("--db={socket}")]).args(arguments);
        net::run(&mut control);
    };
    control(&["--no-wait", "init"]);
    let switch = program(machine, folder, "ovs-vswitchd", &[&socket]);
    control(&["add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev"]);
    control(&["add-port", "br0", "eth1"]);
    control(export);
    // It tells templates first, and then what has moved, each second.
    std::thread::sleep(Duration::from_secs(1));
    move || {
        std::thread::sleep(Duration::from_secs(3));
        let mut programs = [switch, server];
        programs.iter_mut().for_each(Process::kill);
    }
}
