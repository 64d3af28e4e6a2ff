//! Programs that chores run: what is missing is named by its Debian package, and what fails says how.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};

/// The checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("")
}

/// Runs a program, whose output people see; `from` is the Debian package, or how else to get it.
pub(crate) fn run(command: &mut Command, from: &str) -> anyhow::Result<()> {
    let status = command.status().map_err(|error| missing(command, from, &error))?;
    ensure!(status.success(), "{} ended with {status}", shown(command));
    Ok(())
}

/// What a program writes to stdout.
pub(crate) fn said(command: &mut Command, from: &str) -> anyhow::Result<String> {
    let output = output(command, from)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{} ended with {}\n{}", shown(command), output.status, said.trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} wrote no text", shown(command)))
}

/// How a program ended, and all it said.
pub(crate) fn output(command: &mut Command, from: &str) -> anyhow::Result<Output> {
    command.stdin(Stdio::null()).output().map_err(|error| missing(command, from, &error))
}

/// What a script that was run elsewhere wrote to stdout; an error with all it said when it failed.
pub(crate) fn answer(script: &str, output: &Output) -> anyhow::Result<String> {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{script}\nended with {}\n{said}{complained}", output.status);
    Ok(said)
}

/// The time that everything made is dated with: `SOURCE_DATE_EPOCH`, else that of the last commit.
pub(crate) fn epoch(root: &Path) -> anyhow::Result<u64> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => {
            said(Command::new("git").current_dir(root).args(["log", "-1", "--format=%ct"]), "git")?
        }
    };
    text.trim().parse().with_context(|| format!("{text:?} is no number of seconds"))
}

/// A file's digest, in hex.
pub(crate) fn sha256(path: &Path) -> anyhow::Result<String> {
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    let (mut digest, mut piece) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut piece)? {
            0 => break,
            length => digest.update(piece.get(..length).unwrap_or_default()),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The version in `Cargo.toml`: every member of the workspace has the same.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

fn missing(command: &Command, from: &str, error: &std::io::Error) -> anyhow::Error {
    let program = command.get_program().display();
    if error.kind() == ErrorKind::NotFound {
        return anyhow::anyhow!("{program} is not installed: {from}");
    }
    anyhow::anyhow!("{program} cannot be run: {error}")
}

/// A command as it could be typed; what is long is cut.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ").chars().take(300).collect()
}
