//! The build itself: how, and where the object comes out.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use super::compiler::Compiler;

/// The target, and the folder of its builds below `target`.
const TARGET: &str = "bpfel-unknown-none";
const FOLDER: &str = "target/ebpf";

/// What is built.
const PROGRAM: [&str; 4] =
    ["--package=egret-ebpf", "--bin=egret-bpf", "--features=program", "--locked"];

/// How: whole, so that the workspace's own profiles change nothing here.
pub(super) const CARGO: [&str; 6] = [
    "--release",
    "--config=profile.release.opt-level=3",
    "--config=profile.release.lto='fat'",
    "--config=profile.release.codegen-units=1",
    "--config=profile.release.panic='abort'",
    // BTF, the kernel's debugging information, is made from it.
    "--config=profile.release.debug=2",
];

/// v3 has 32-bit instructions (Linux 5.1); BTF gives the verifier's log its names and lines.
pub(super) const RUSTC: [&str; 2] = ["-Ctarget-cpu=v3", "-Clink-arg=--btf"];

/// Lints the programs as if they were for this machine, which needs no other compiler.
pub(super) fn lint(root: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("cargo");
    // A program without a standard library cannot unwind.
    command.args(["clippy", "--config=profile.dev.panic='abort'"]).args(PROGRAM);
    succeed(command.args(["--", "--deny=warnings"]).current_dir(root), "clippy found something")
}

/// The object as the linker writes it.
pub(super) fn object(root: &Path, compiler: &Compiler) -> anyhow::Result<Vec<u8>> {
    let mut command = compiler.cargo();
    command.arg("rustc").args(PROGRAM).args(CARGO).args([
        "-Zbuild-std=core",
        "--target",
        TARGET,
        "--target-dir",
        FOLDER,
        // Only helpers that run here, such as macros.
        "--config=profile.release.build-override.debug=false",
    ]);
    command.args(["--", "--deny=warnings"]).current_dir(root);
    // Not added to what a machine has set for its own builds, but instead of it.
    let flags: Vec<_> =
        RUSTC.map(str::to_owned).into_iter().chain(paths(root, compiler)?).collect();
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    succeed(&mut command, "cannot build the kernel programs")?;
    let object = root.join(FOLDER).join(TARGET).join("release/egret-bpf");
    fs::read(&object).with_context(|| format!("cannot read {}", object.display()))
}

/// Names in place of the folders of this machine.
fn paths(root: &Path, compiler: &Compiler) -> anyhow::Result<Vec<String>> {
    let cargo = match std::env::var_os("CARGO_HOME") {
        Some(folder) => folder.into(),
        None => std::env::home_dir().context("there is no home folder")?.join(".cargo"),
    };
    let folders = [
        (root.to_owned(), "."),
        (cargo.join("registry/src"), "registry"),
        (compiler.sources(), "rust"),
    ];
    let remap =
        |(folder, name): (_, _)| format!("--remap-path-prefix={}={name}", Path::display(folder));
    Ok(folders.iter().map(|(folder, name)| remap((folder, *name))).collect())
}

fn succeed(command: &mut Command, otherwise: &str) -> anyhow::Result<()> {
    let status = command.status().context("cannot run cargo")?;
    ensure!(status.success(), "{otherwise} ({status})");
    Ok(())
}
