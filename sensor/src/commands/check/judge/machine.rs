//! The kernel, this process' rights, the clock, memory, and the directory that lasts.

use std::io::ErrorKind;

use super::super::facts::{DataDir, Database, Machine, Place};
use super::super::finding::Finding;
use super::counted;
use crate::capture::live::RING_BYTES;
use crate::text::{file_name, printable};
use crate::time::ByteSize;

/// The first kernel that can leave out what the machine itself sends (PACKET_IGNORE_OUTGOING).
const OLDEST_KERNEL: (u32, u32) = (4, 20);

/// Less than this is soon full of alerts and what was learned.
const LITTLE_SPACE: u64 = 100_000_000;
/// As much as a year of a large estate needs.
const ENOUGH_SPACE: u64 = 1_000_000_000;

/// What a worker holds besides its rings: the flow table, when all of it is used.
const WORKER_BYTES: u64 = 300_000_000;

/// Judges the machine for `workers` (0: one a core) on `interfaces`.
pub(in super::super) fn judge(machine: &Machine, workers: u16, interfaces: usize) -> Vec<Finding> {
    let mut findings =
        vec![kernel(machine), packet_socket(machine), fast_path(machine), types(machine)];
    findings.push(if machine.clock_synchronised {
        Finding::ok("clock", "clock", "synchronised")
    } else {
        Finding::note(
            "clock",
            "clock",
            "not synchronised: the times of alerts cannot be compared with other systems' logs",
        )
        .fixed_by("sudo timedatectl set-ntp true   (or chrony; see `timedatectl status`)")
    });
    findings.extend(memory(machine, workers, interfaces));
    findings
}

fn kernel(machine: &Machine) -> Finding {
    let release = printable(&machine.kernel);
    let mut numbers = machine.kernel.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = numbers.next().zip(numbers.next());
    match version {
        Some(version) if version >= OLDEST_KERNEL => {
            Finding::ok("kernel", "kernel", format_args!("Linux {release}"))
        }
        Some(_) => Finding::note(
            "kernel",
            "kernel",
            format_args!(
                "Linux {release}: older than 4.20, it may not leave out the frames this machine sends"
            ),
        )
        .fixed_by("capture from an interface without an address, or update the kernel"),
        None => Finding::note("kernel", "kernel", format_args!("unknown release \"{release}\"")),
    }
}

fn packet_socket(machine: &Machine) -> Finding {
    let (subject, check) = ("rights", "capture_rights");
    let program = file_name(&machine.program);
    match (machine.packet_socket, machine.net_raw) {
        (Ok(()), _) => Finding::ok(subject, check, "packet sockets can be opened (CAP_NET_RAW)"),
        (Err(ErrorKind::PermissionDenied), Some(true)) => Finding::problem(
            subject,
            check,
            "CAP_NET_RAW is there, and packet sockets are forbidden all the same",
            "in a systemd unit: RestrictAddressFamilies=AF_PACKET …; in a container: allow the \
             socket in its seccomp profile",
        ),
        (Err(ErrorKind::PermissionDenied), _) => Finding::problem(
            subject,
            check,
            "this process cannot capture: CAP_NET_RAW is not in its effective capabilities",
            format_args!(
                "sudo setcap cap_net_raw+ep {program}   (the unit egret.service has it: \
                 sudo systemctl start egret)"
            ),
        ),
        (Err(kind), _) => Finding::problem(
            subject,
            check,
            format_args!("packet sockets cannot be opened: {kind}"),
            "sudo modprobe af_packet   (the kernel needs CONFIG_PACKET)",
        ),
    }
}

fn fast_path(machine: &Machine) -> Finding {
    let (subject, check) = ("rights", "fast_path_rights");
    if machine.lacking.is_empty() {
        let text = "programs can be attached to interfaces (CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN)";
        return Finding::ok(subject, check, text);
    }
    let text = format!(
        "without {} no program can be attached to interfaces: every frame is read, not counted in the \
         kernel",
        machine.lacking.join(", ")
    );
    let program = file_name(&machine.program);
    Finding::note(subject, check, text).fixed_by(format_args!(
        "sudo setcap cap_net_raw,cap_bpf,cap_perfmon,cap_net_admin+ep {program}   (the unit \
         egret.service has them)"
    ))
}

fn types(machine: &Machine) -> Finding {
    let (subject, check) = ("kernel", "btf");
    if machine.btf {
        return Finding::ok(subject, check, "describes its types (BTF), as eBPF programs may need");
    }
    let text = "no /sys/kernel/btf/vmlinux: eBPF programs may not load; capture with AF_PACKET and \
                libpcap does not need it";
    Finding::note(subject, check, text)
}

fn memory(machine: &Machine, workers: u16, interfaces: usize) -> Option<Finding> {
    let available = machine.memory?;
    let workers = match workers {
        0 => machine.cores as u64,
        some => u64::from(some),
    };
    let rings = workers * interfaces as u64 * RING_BYTES as u64;
    let needed = rings + workers * WORKER_BYTES;
    let text = format!(
        "{} can be had; {} need up to {}, {} of it for rings",
        ByteSize(available),
        counted(workers, "worker"),
        ByteSize(needed),
        ByteSize(rings)
    );
    Some(if rings > available {
        let fix = "capture.workers = 1   (or more memory)";
        Finding::problem("memory", "memory", text, fix)
    } else if needed > available {
        Finding::note("memory", "memory", text).fixed_by("capture.workers = 1   (or more memory)")
    } else {
        Finding::ok("memory", "memory", text)
    })
}

/// Judges `sensor.data_dir`.
pub(in super::super) fn data_dir(directory: &DataDir) -> Vec<Finding> {
    let name = file_name(&directory.path);
    let make = format!("sudo install -d -o egret -g egret -m 750 {name}");
    let (subject, check) = ("data_dir", "data_dir");
    let mut findings = vec![match &directory.state {
        Place::Writable => {
            Finding::ok(subject, check, format_args!("{name} can be written to by this user"))
        }
        Place::ReadOnly => Finding::problem(
            subject,
            check,
            format_args!("{name} cannot be written to by this user"),
            format_args!("sudo chown -R egret: {name}   (and check as that user)"),
        ),
        Place::Missing { can_be_made: true } => {
            Finding::ok(subject, check, format_args!("{name} is not there yet; it will be made"))
        }
        Place::Missing { can_be_made: false } => Finding::problem(
            subject,
            check,
            format_args!("{name} is not there, and this user cannot make it"),
            make,
        ),
        Place::NoDirectory => Finding::problem(
            subject,
            check,
            format_args!("{name} is no directory"),
            "sensor.data_dir = \"/var/lib/egret\"",
        ),
    }];
    findings.extend(directory.free.map(space));
    findings.extend(database(directory));
    findings
}

fn space(free: u64) -> Finding {
    let (subject, check) = ("data_dir", "free_space");
    let text = format!("{} free", ByteSize(free));
    let fix = "free some, or sensor.data_dir = a directory on a larger disk";
    if free < LITTLE_SPACE {
        let text = format!("{text}: when nothing is left, alerts cannot be stored");
        Finding::problem(subject, check, text, fix)
    } else if free < ENOUGH_SPACE {
        Finding::note(subject, check, text).fixed_by(fix)
    } else {
        Finding::ok(subject, check, text)
    }
}

fn database(directory: &DataDir) -> Option<Finding> {
    let (subject, check) = ("data_dir", "database");
    Some(match &directory.database {
        Database::None => return None,
        Database::Good { bytes, learned, imported } => Finding::ok(
            subject,
            check,
            format_args!(
                "database whole, {}: {} with a baseline, {} imported",
                ByteSize(*bytes),
                counted(*learned, "asset"),
                counted(*imported, "asset")
            ),
        ),
        Database::Damaged(what) => Finding::problem(
            subject,
            check,
            format_args!("database damaged: {}", printable(what)),
            format_args!(
                "restore {} from a backup; else `egret run` moves it aside and begins a new one",
                file_name(&directory.path.join(crate::store::FILE))
            ),
        ),
        Database::Closed(why) => Finding::note(
            subject,
            check,
            format_args!("database not looked at: {}", printable(why)),
        )
        .fixed_by("sudo egret check"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::Level;
    use super::super::testing::assert_finding;
    use super::*;

    fn machine() -> Machine {
        Machine {
            kernel: "6.1.0-18-amd64".to_owned(),
            packet_socket: Ok(()),
            btf: true,
            net_raw: Some(true),
            lacking: Vec::new(),
            program: "/usr/bin/egret".into(),
            clock_synchronised: true,
            memory: Some(8 << 30),
            cores: 2,
        }
    }

    fn directory() -> DataDir {
        DataDir {
            path: "/var/lib/egret".into(),
            state: Place::Writable,
            free: Some(50_000_000_000),
            database: Database::Good { bytes: 4096, learned: 1, imported: 2 },
        }
    }

    #[test]
    fn a_good_machine_is_ok_in_everything() {
        let findings = [judge(&machine(), 0, 1), data_dir(&directory())].concat();
        assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:#?}");
        assert_finding(&findings, "database", Level::Ok, &["1 asset with", "2 assets imported"]);
    }

    #[test]
    fn what_the_kernel_lacks_is_said() {
        let old = judge(&Machine { kernel: "4.18.0-553".into(), btf: false, ..machine() }, 1, 1);
        assert_finding(&old, "kernel", Level::Note, &["4.18.0", "4.20"]);
        assert_finding(&old, "btf", Level::Note, &["eBPF", "AF_PACKET"]);
        let odd = judge(&Machine { kernel: "x\x1b".into(), ..machine() }, 1, 1);
        assert_finding(&odd, "kernel", Level::Note, &[r"x\x1b"]);
    }

    #[test]
    fn missing_rights_name_the_command_that_gives_them() {
        let denied = Err(ErrorKind::PermissionDenied);
        let without =
            judge(&Machine { packet_socket: denied, net_raw: Some(false), ..machine() }, 1, 1);
        let words = ["CAP_NET_RAW", "sudo setcap cap_net_raw+ep /usr/bin/egret"];
        assert_finding(&without, "capture_rights", Level::Problem, &words);
        let sandboxed = judge(&Machine { packet_socket: denied, ..machine() }, 1, 1);
        let words = ["RestrictAddressFamilies"];
        assert_finding(&sandboxed, "capture_rights", Level::Problem, &words);
        let unsupported = Err(ErrorKind::Unsupported);
        let kernel = judge(&Machine { packet_socket: unsupported, ..machine() }, 1, 1);
        assert_finding(&kernel, "capture_rights", Level::Problem, &["modprobe af_packet"]);
    }

    #[test]
    fn rights_that_the_fast_path_lacks_are_named() {
        let lacking = vec!["CAP_BPF", "CAP_PERFMON"];
        let findings = judge(&Machine { lacking, ..machine() }, 1, 1);
        let words = ["without CAP_BPF, CAP_PERFMON no", "cap_bpf,cap_perfmon,cap_net_admin+ep"];
        assert_finding(&findings, "fast_path_rights", Level::Note, &words);
    }

    #[test]
    fn clock_and_memory() {
        let adrift = judge(&Machine { clock_synchronised: false, ..machine() }, 1, 1);
        assert_finding(&adrift, "clock", Level::Note, &["set-ntp true"]);
        let small = judge(&Machine { memory: Some(200_000_000), ..machine() }, 1, 1);
        assert_finding(&small, "memory", Level::Note, &["1 worker need", "capture.workers"]);
        let tiny = judge(&Machine { memory: Some(20_000_000), ..machine() }, 0, 2);
        assert_finding(&tiny, "memory", Level::Problem, &["2 workers", "20.0 MB"]);
    }

    #[test]
    fn a_directory_that_cannot_be_used_is_a_problem() {
        for (state, words) in [
            (Place::ReadOnly, ["cannot be written", "chown -R egret: /var/lib/egret"]),
            (Place::Missing { can_be_made: false }, ["is not there", "install -d -o egret"]),
            (Place::NoDirectory, ["no directory", "sensor.data_dir"]),
        ] {
            let findings = data_dir(&DataDir { state, ..directory() });
            assert_finding(&findings, "data_dir", Level::Problem, &words);
        }
        let state = Place::Missing { can_be_made: true };
        let findings = data_dir(&DataDir { state, database: Database::None, ..directory() });
        assert_finding(&findings, "data_dir", Level::Ok, &["will be made"]);
        assert!(findings.iter().all(|finding| finding.check != "database"));
    }

    #[test]
    fn space_and_database() {
        let full = data_dir(&DataDir { free: Some(5_000_000), ..directory() });
        assert_finding(&full, "free_space", Level::Problem, &["5.0 MB free"]);
        let low = data_dir(&DataDir { free: Some(500_000_000), ..directory() });
        assert_finding(&low, "free_space", Level::Note, &["500.0 MB free"]);
        let database = Database::Damaged("row 3 missing\n".into());
        let damaged = data_dir(&DataDir { database, ..directory() });
        let words = [r"row 3 missing\n", "restore /var/lib/egret/egret.db"];
        assert_finding(&damaged, "database", Level::Problem, &words);
        let database = Database::Closed("no permission".into());
        let closed = data_dir(&DataDir { database, ..directory() });
        assert_finding(&closed, "database", Level::Note, &["no permission"]);
    }
}
