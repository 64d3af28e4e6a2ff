//! The object with the kernel programs: its constants and maps set, and one program verified.

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::BuildHasher;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::LazyLock;

use aya::maps::{Array, Map, MapError};
use aya::programs::{Program, ProgramError};
use aya::{Ebpf, EbpfError, EbpfLoader};
use egret_ebpf::{DUPLICATE_PLACES, MAX_RINGS};
use rustix::process::{Resource, getrlimit};

use super::layout::Layout;
use super::rights;
use crate::text::reason;

/// Both programs, as `cargo xtask ebpf` builds them.
pub(super) static OBJECT: &[u8] = aya::include_bytes_aligned!("egret.bpf.o");

/// The rings' names.
const RINGS: [&str; MAX_RINGS] =
    ["RING0", "RING1", "RING2", "RING3", "RING4", "RING5", "RING6", "RING7"];

/// Bytes of a ring that is not in use: a page, as the kernel wants.
const UNUSED_RING: u32 = 4096;

/// The secrets of the program's hashes. Nobody can know it, and so nobody can choose flows that fall into
/// one set; and it is the same for all interfaces, so that both directions of a flow meet the same
/// worker by whichever they come.
static SEEDS: LazyLock<[u64; 2]> =
    LazyLock::new(|| [0, 1].map(|number| RandomState::new().hash_one(number)));

/// Lines of the verifier's log that say why it refused; those before say how it got there.
const LAST_LINES: usize = 3;

/// Which of the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Xdp,
    Tc,
}

/// What one interface's program is to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Constants {
    pub(super) layout: Layout,
    /// The interface's own address: what is sent to it passes.
    pub(super) mac: [u8; 6],
    /// Bytes captured of each frame that goes up.
    pub(super) snaplen: u32,
    /// What becomes of frames: one of [`egret_ebpf::action`].
    pub(super) action: u32,
}

/// A program that the kernel has taken, with its maps; it runs nowhere yet.
pub(super) struct Loaded {
    ebpf: Ebpf,
    which: Which,
}

/// Why the kernel does not have it.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error("the kernel program cannot be read: {0}")]
    Object(String),
    #[error("the kernel refused {what}: {why}")]
    Kernel { what: String, why: String },
    #[error("the kernel's verifier refused the program: {0}")]
    Verifier(String),
}

/// Has the kernel take one program of the object.
pub(super) fn load(object: &[u8], which: Which, given: &Constants) -> Result<Loaded, LoadError> {
    let Layout { cpus, rings, sets4, sets6, ring_bytes } = given.layout;
    let [m0, m1, m2, m3, m4, m5] = given.mac;
    let mac = u64::from_ne_bytes([m0, m1, m2, m3, m4, m5, 0, 0]);
    let mut loader = EbpfLoader::new();
    // Nothing in the programs depends on the kernel's own types.
    loader.btf(None);
    let numbers =
        [("RINGS", &rings), ("SETS4", &sets4), ("SETS6", &sets6), ("SNAPLEN", &given.snaplen)];
    for (name, value) in numbers {
        loader.override_global(name, value, true);
    }
    let (room, wake) = given.layout.ring_marks();
    let [seed, seed2] = &*SEEDS;
    let long_numbers = [
        ("SEED", seed),
        ("SEED2", seed2),
        ("OWN_MAC", &mac),
        ("RING_ROOM", &room),
        ("RING_WAKE", &wake),
    ];
    for (name, value) in long_numbers {
        loader.override_global(name, value, true);
    }
    loader
        .map_max_entries("SLOTS4", given.layout.whole(sets4))
        .map_max_entries("SLOTS6", given.layout.whole(sets6))
        .map_max_entries("TOUCHED4", given.layout.blocks(sets4))
        .map_max_entries("TOUCHED6", given.layout.blocks(sets6))
        .map_max_entries("TOTALS", cpus)
        .map_max_entries("SEEN", cpus * DUPLICATE_PLACES);
    for (name, number) in RINGS.into_iter().zip(0..) {
        loader.map_max_entries(name, if number < rings { ring_bytes } else { UNUSED_RING });
    }
    let mut loaded = Loaded { ebpf: loader.load(object).map_err(LoadError::of)?, which };
    loaded.act(given.action)?;
    loaded.verify()?;
    Ok(loaded)
}

impl Loaded {
    /// Says what becomes of frames, before there are any.
    fn act(&mut self, action: u32) -> Result<(), LoadError> {
        let map = self.ebpf.map_mut("CONTROL").ok_or_else(|| LoadError::lacks("CONTROL"))?;
        // `egret_ebpf::Control`: copies are looked for until it is clear that there are none.
        let mut control: Array<_, [u32; 4]> = Array::try_from(map).map_err(LoadError::of)?;
        control.set(0, [action, 0, 1, 0], 0).map_err(LoadError::of)
    }

    fn verify(&mut self) -> Result<(), LoadError> {
        match self.program_mut()? {
            Program::Xdp(program) => program.load().map_err(LoadError::of),
            Program::SchedClassifier(program) => program.load().map_err(LoadError::of),
            _ => Err(LoadError::Object("its programs are of other types".to_owned())),
        }
    }

    fn program_mut(&mut self) -> Result<&mut Program, LoadError> {
        let name = self.which.name();
        self.ebpf.program_mut(name).ok_or_else(|| LoadError::lacks(name))
    }

    /// The program, for it to be attached.
    pub(super) fn program(&self) -> Result<OwnedFd, LoadError> {
        let name = self.which.name();
        let program = self.ebpf.program(name).ok_or_else(|| LoadError::lacks(name))?;
        owned(program.fd().map_err(LoadError::of)?)
    }

    /// The map of that name.
    pub(super) fn map(&self, name: &str) -> Result<OwnedFd, LoadError> {
        match self.ebpf.map(name) {
            Some(Map::Array(map) | Map::PerCpuHashMap(map) | Map::RingBuf(map)) => owned(map.fd()),
            _ => Err(LoadError::lacks(name)),
        }
    }

    /// The ring of that number.
    pub(super) fn ring(&self, number: usize) -> Result<OwnedFd, LoadError> {
        self.map(RINGS.get(number).copied().unwrap_or_default())
    }
}

impl Which {
    const fn name(self) -> &'static str {
        match self {
            Self::Xdp => "egret_xdp",
            Self::Tc => "egret_tc",
        }
    }
}

impl LoadError {
    fn lacks(name: &str) -> Self {
        Self::Object(format!("it has no {name}"))
    }

    fn of(error: impl Into<EbpfError>) -> Self {
        match error.into() {
            EbpfError::MapError(MapError::CreateError { name, io_error }) => {
                Self::Kernel { what: format!("the map {name}"), why: refusal(&io_error) }
            }
            EbpfError::ProgramError(ProgramError::LoadError { io_error, verifier_log }) => {
                Self::of_verifier(&io_error, &verifier_log.to_string())
            }
            EbpfError::ParseError(error) => Self::Object(chain(&error)),
            EbpfError::RelocationError(error) => Self::Object(chain(&error)),
            other => Self::Kernel { what: "the program".to_owned(), why: chain(&other) },
        }
    }

    fn of_verifier(error: &io::Error, log: &str) -> Self {
        if log.trim().is_empty() {
            return Self::Kernel { what: "the program".to_owned(), why: refusal(error) };
        }
        tracing::debug!("the verifier's log:\n{log}");
        let said = last_words(log);
        // Without CAP_PERFMON it forbids what it allows with it.
        Self::Verifier(rights::missing().map_or_else(
            || format!("{said} (egret -vv prints its whole log)"),
            |missing| format!("{missing} (it said: {said})"),
        ))
    }
}

/// What the kernel answered, and what to do about it.
fn refusal(error: &io::Error) -> String {
    let said = reason(error);
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            format!("{said}; {}", rights::missing().unwrap_or_else(locked))
        }
        Some(libc::ENOMEM) => format!("{said}; the tables of one interface take 100 MiB"),
        Some(libc::ENOSYS) => format!("{said}; this kernel is built without BPF"),
        Some(libc::EINVAL) => {
            format!(
                "{said}; this kernel may be too old for it: it takes Linux 5.18, and 6.6 for tc"
            )
        }
        _ => said,
    }
}

/// Why a process with all capabilities is refused.
fn locked() -> String {
    let limit = match getrlimit(Resource::Memlock).current {
        Some(bytes) => format!("{} KiB", bytes >> 10),
        None => "unlimited".to_owned(),
    };
    format!(
        "all capabilities are there, so the kernel is locked down, or it is one before 5.11 and the memory that may be locked is too small ({limit} now; LimitMEMLOCK=infinity)"
    )
}

/// The last lines of the verifier's log that say something of the program, as one.
fn last_words(log: &str) -> String {
    const STATISTICS: [&str; 4] =
        ["processed ", "verification time", "stack depth", "mark_precise"];
    let said = |line: &&str| {
        !line.is_empty() && !STATISTICS.iter().any(|statistic| line.starts_with(statistic))
    };
    let mut last: Vec<_> = log.lines().rev().map(str::trim).filter(said).take(LAST_LINES).collect();
    last.reverse();
    last.join(" | ")
}

/// An error and what it comes from, in a line.
fn chain(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let words = error.to_string();
        if !said.contains(&words) {
            said = format!("{said}: {words}");
        }
        source = error.source();
    }
    said
}

fn owned(fd: &impl AsFd) -> Result<OwnedFd, LoadError> {
    let fd = fd.as_fd().try_clone_to_owned();
    fd.map_err(|error| LoadError::Kernel { what: "a descriptor".to_owned(), why: reason(&error) })
}

#[cfg(test)]
mod tests;
