//! `cargo xtask bench`: what the release binary costs over captures of three kinds, measured
//! beside the floors in the same minutes, because on a shared machine only ratios last.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};
use egret_tests::bench::Kind;

use self::capture::Capture;

mod capture;
mod completeness;
mod detectors;
mod instructions;
mod live;
mod measure;
mod spread;
mod whole_run;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    other: Option<Other>,
    /// Which captures to read; all when none is given
    kind: Vec<Kind>,
    /// How large the captures are; 1 is about a gigabyte each
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// How often each program reads each capture, taking turns
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The processor to run on; without it, the last one
    #[arg(long)]
    core: Option<usize>,
    /// Counts instructions under callgrind on small samples instead of time
    #[arg(long)]
    instructions: bool,
    /// Measures what share of the time is the detectors'
    #[arg(long, conflicts_with = "instructions")]
    detectors: bool,
}

/// What is measured instead of captures.
#[derive(clap::Subcommand)]
enum Other {
    /// Measures `egret run` on a flooded interface, beside tcpdump; needs root
    Live(live::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!(arguments.scale > 0.0, "--scale must be above zero, not {}", arguments.scale);
    if let Some(Other::Live(_)) = &arguments.other {
        live::check()?;
    }
    build_egret()?;
    if cfg!(debug_assertions) {
        return run_in_release();
    }
    if let Some(Other::Live(arguments)) = &arguments.other {
        return live::run(arguments);
    }
    let kinds = if arguments.kind.is_empty() { &Kind::ALL } else { arguments.kind.as_slice() };
    if arguments.instructions {
        return instructions::report(kinds);
    }
    let core = measure::Core::choose(arguments.core);
    let mut complete = true;
    for kind in kinds {
        let capture = Capture::prepare(*kind, arguments.scale)?;
        if arguments.detectors {
            detectors::report(&capture, arguments.rounds, &core)?;
            continue;
        }
        whole_run::report(&capture, arguments.rounds, &core)?;
        complete &= completeness::report(&capture)?;
    }
    ensure!(complete, "not everything that the captures hold was found");
    Ok(())
}

/// Builds the release binary, and says where it lies.
pub(crate) fn build_egret() -> anyhow::Result<PathBuf> {
    build("egret")?;
    egret()
}

/// The binary under measurement.
fn egret() -> anyhow::Result<PathBuf> {
    Ok(target()?.join("release/egret"))
}

/// The build folder that this very program lies in.
fn target() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.ancestors().nth(2).context("this program lies in no build folder")?;
    Ok(folder.to_owned())
}

/// Packages are built one by one, so that none changes the features of another.
fn build(package: &str) -> anyhow::Result<()> {
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--release", "--package", package])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    ensure!(status.success(), "cannot build {package}");
    Ok(())
}

/// The floors and the generator need the optimizer: does the same again in a release build.
fn run_in_release() -> anyhow::Result<()> {
    build(env!("CARGO_PKG_NAME"))?;
    let program = target()?.join("release").join(env!("CARGO_PKG_NAME"));
    let status = Command::new(&program)
        .args(std::env::args_os().skip(1))
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    std::process::exit(status.code().unwrap_or(1))
}
