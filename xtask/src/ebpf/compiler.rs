//! Which compiler builds for the BPF target. That needs `core` from its sources, and so a compiler
//! that has them, and takes unstable flags.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// What to do where there is none.
const ADVICE: &str = "no compiler here can build for BPF. Either of these will do:
  rustup toolchain install nightly --component rust-src
  sudo apt-get install rustc-web rust-web-src    # Debian; used for this object only";

const LINKER_ADVICE: &str = "no bpf-linker here. On Debian:
  sudo apt-get install llvm-22-dev libpolly-22-dev zlib1g-dev libzstd-dev libxml2-dev libffi-dev
  LLVM_PREFIX=/usr/lib/llvm-22 cargo install bpf-linker --version 0.13.0 --no-default-features --features llvm-22";

/// A compiler that can.
pub(super) struct Compiler {
    kind: Kind,
    version: String,
    /// Where its libraries lie.
    sysroot: PathBuf,
}

#[derive(Clone, Copy)]
enum Kind {
    /// rustup's nightly.
    Nightly,
    /// Debian's own, whose binary lies behind rustup's on the path: `rustc-web`, or `rustc` where
    /// that is new enough.
    Debian,
}

const DEBIAN: &str = "/usr/bin/rustc";

/// The first that is there with its sources, where bpf-linker is there too.
pub(super) fn find() -> anyhow::Result<Compiler> {
    if said(Command::new("bpf-linker").arg("--version")).is_none() {
        bail!(LINKER_ADVICE);
    }
    [Kind::Nightly, Kind::Debian].into_iter().find_map(Compiler::of).context(ADVICE)
}

impl Compiler {
    /// `None` when it is not there, or its sources are not.
    fn of(kind: Kind) -> Option<Self> {
        let ask = |question: &[&str]| said(kind.rustc().args(question));
        let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?);
        let compiler = Self { kind, version: ask(&["--version"])?, sysroot };
        compiler.sources().join("library/core/Cargo.toml").exists().then_some(compiler)
    }

    /// Cargo with this compiler.
    pub(super) fn cargo(&self) -> Command {
        match self.kind {
            Kind::Nightly => rustup("cargo"),
            Kind::Debian => {
                let mut command = Command::new("cargo");
                command.env("RUSTC", DEBIAN).env("RUSTC_BOOTSTRAP", "1");
                command
            }
        }
    }

    /// Where the sources of `core` lie.
    pub(super) fn sources(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib/src/rust")
    }
}

impl Kind {
    fn rustc(self) -> Command {
        match self {
            Self::Nightly => rustup("rustc"),
            Self::Debian => Command::new(DEBIAN),
        }
    }
}

fn rustup(program: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", program]);
    command
}

/// What a program says, or nothing when it is not there or fails.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place: &Path = &self.sysroot;
        write!(f, "{} in {}", self.version, place.display())
    }
}
