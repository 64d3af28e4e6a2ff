//! `cargo xtask fuzz`: runs the targets of `fuzz/`, each for a while, from its kept corpus.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which targets to run; all when none is given
    target: Vec<String>,
    /// How long each runs
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("fuzz");
    let all = targets(&folder)?;
    let chosen = if arguments.target.is_empty() { &all } else { &arguments.target };
    for target in chosen {
        ensure!(all.contains(target), "no target {target}; there are {}", all.join(", "));
    }
    println!("the installed compiler, with RUSTC_BOOTSTRAP=1 for what is unstable, fuzzes");
    cargo_fuzz(&folder).arg("build").succeed("cannot build; is cargo-fuzz installed?")?;
    for target in chosen {
        // libFuzzer adds what it finds to the first folder, so that the kept one stays as it is.
        let found = folder.join("target/corpus").join(target);
        fs::create_dir_all(&found)?;
        println!("\n{target}: {} s", arguments.seconds);
        cargo_fuzz(&folder)
            .args(["run", target])
            .args([found, folder.join("corpus").join(target)])
            .args(["--", "-timeout=10", "-print_final_stats=1"])
            .arg(format!("-max_total_time={}", arguments.seconds))
            .succeed(&format!("{target} found something"))?;
    }
    Ok(())
}

/// The targets, by the names of their files.
fn targets(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.join("fuzz_targets"))? {
        let file: PathBuf = entry?.path();
        let name = file.file_stem().context("a target has no name")?;
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// cargo-fuzz asks the compiler for sanitizer flags that only a nightly one takes, or a stable
/// one that is told to.
fn cargo_fuzz(folder: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.arg("fuzz").current_dir(folder).env("RUSTC_BOOTSTRAP", "1");
    command
}

trait Succeed {
    fn succeed(&mut self, otherwise: &str) -> anyhow::Result<()>;
}

impl Succeed for Command {
    fn succeed(&mut self, otherwise: &str) -> anyhow::Result<()> {
        let status = self.status()?;
        ensure!(status.success(), "{otherwise} ({status})");
        Ok(())
    }
}
