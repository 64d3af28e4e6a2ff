//! The machine, this process and its directory.

use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};

use caps::{CapSet, Capability};
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::capture::interface::{self, Facts, Link};
use crate::capture::xdp::probe;
use crate::commands::check::facts::{DataDir, Database, Interface, Machine, Place};
use crate::text::reason;

/// What loads a program into the kernel and attaches it to an interface.
const FAST_PATH: [(&str, Capability); 3] = [
    ("CAP_BPF", Capability::CAP_BPF),
    ("CAP_PERFMON", Capability::CAP_PERFMON),
    ("CAP_NET_ADMIN", Capability::CAP_NET_ADMIN),
];

/// Asks about the machine.
pub(in super::super) fn machine() -> Machine {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let raw = socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::CLOEXEC, None);
    Machine {
        kernel: release.trim().to_owned(),
        packet_socket: raw.map(drop).map_err(|errno| io::Error::from(errno).kind()),
        btf: Path::new("/sys/kernel/btf/vmlinux").exists(),
        net_raw: caps::has_cap(None, CapSet::Effective, Capability::CAP_NET_RAW).ok(),
        lacking: FAST_PATH
            .into_iter()
            .filter(|(_, one)| caps::has_cap(None, CapSet::Effective, *one).is_ok_and(|has| !has))
            .map(|(name, _)| name)
            .collect(),
        program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/usr/bin/egret")),
        clock_synchronised: is_clock_synchronised(),
        memory: available_memory(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
    }
}

/// Asks about an interface.
pub(in super::super) fn interface(name: &str) -> Interface {
    Interface {
        name: name.to_owned(),
        link: Link::of(name),
        facts: Facts::of(name),
        fast_path: probe(name),
        others: interface::names(),
    }
}

/// Asks about the directory that lasts, and what is in it.
pub(in super::super) fn data_dir(path: &Path) -> DataDir {
    DataDir {
        path: path.to_owned(),
        state: place(path),
        free: path
            .ancestors()
            .find_map(|existing| statvfs(existing).ok())
            .map(|system| system.f_bavail.saturating_mul(system.f_frsize)),
        database: database(&path.join(crate::store::FILE)),
    }
}

fn place(path: &Path) -> Place {
    match fs::metadata(path) {
        Ok(found) if !found.is_dir() => Place::NoDirectory,
        Ok(_) if is_writable(path) => Place::Writable,
        Ok(_) => Place::ReadOnly,
        Err(_) => {
            let above = path.ancestors().skip(1).find(|above| above.exists());
            Place::Missing { can_be_made: above.is_some_and(is_writable) }
        }
    }
}

fn is_writable(directory: &Path) -> bool {
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    accessat(CWD, directory, wanted, AtFlags::EACCESS).is_ok()
}

/// Looks at a database without changing anything; the sensor may be using it.
fn database(path: &Path) -> Database {
    let bytes = match fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Database::None,
        Err(error) => return Database::Closed(reason(&error)),
    };
    match look(path) {
        Ok(Ok((learned, imported))) => Database::Good { bytes, learned, imported },
        Ok(Err(damage)) => Database::Damaged(damage),
        Err(error) => match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Database::Damaged(error.to_string())
            }
            _ => Database::Closed(error.to_string()),
        },
    }
}

/// Assets learned and imported, or what is wrong with the file.
fn look(path: &Path) -> rusqlite::Result<Result<(u64, u64), String>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let answer: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if answer != "ok" {
        return Ok(Err(answer));
    }
    // A database of an earlier version has fewer tables.
    let count = |table: &str| {
        let query = format!("SELECT count(*) FROM {table}");
        connection.query_row(&query, [], |row| row.get::<_, i64>(0)).map_or(0, i64::unsigned_abs)
    };
    Ok(Ok((count("baseline"), count("imported_asset"))))
}

/// What the kernel's clock says of itself, as whoever disciplines it (chrony, ntpd,
/// systemd-timesyncd) has told it.
#[expect(unsafe_code, reason = "rustix has no adjtimex")]
fn is_clock_synchronised() -> bool {
    let mut timex = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: the structure is all zeros, which is valid for it: `modes` 0 changes nothing and
    // needs no privilege; the kernel fills the rest in.
    let state = unsafe { libc::adjtimex(timex.as_mut_ptr()) };
    state >= 0 && state != libc::TIME_ERROR
}

fn available_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_of_this_machine_can_be_had() {
        let machine = machine();
        assert!(machine.kernel.starts_with(|c: char| c.is_ascii_digit()), "{machine:?}");
        assert!(machine.memory.is_some_and(|bytes| bytes > 1 << 20), "{machine:?}");
        assert!(machine.net_raw.is_some(), "{machine:?}");
        let lo = interface("lo");
        assert!(lo.link.is_some() && lo.others.contains(&"lo".to_owned()));
        assert_eq!(interface("egret-none").link, None);
    }

    #[test]
    fn a_directory_and_its_database_are_looked_at_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b");
        let facts = data_dir(&path);
        assert_eq!(facts.state, Place::Missing { can_be_made: true });
        assert_eq!(facts.database, Database::None);
        assert!(facts.free.is_some());
        assert!(!path.exists());

        drop(crate::store::Store::open(&path).unwrap());
        let facts = data_dir(&path);
        assert_eq!(facts.state, Place::Writable);
        assert!(matches!(facts.database, Database::Good { learned: 0, .. }), "{facts:?}");

        let file = path.join(crate::store::FILE);
        fs::write(&file, "this is no database, whatever it says it is").unwrap();
        assert!(matches!(data_dir(&path).database, Database::Damaged(_)));
        assert!(file.exists());
        assert_eq!(data_dir(&file).state, Place::NoDirectory);
    }
}
