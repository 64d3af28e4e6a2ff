//! `cargo xtask channels`: what Egret serves of ATT&CK's Network Traffic Flow, as the docs and as a layer
//! of the ATT&CK Navigator, both from the tables in the code.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

mod layer;
mod page;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Writes nothing, and fails when what is there is not what the code gives
    #[arg(long)]
    check: bool,
}

/// Writes both files, or compares them.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    for (path, text) in files()? {
        if arguments.check {
            compare(&path, &text)?;
        } else {
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            println!("wrote {}", path.display());
        }
    }
    Ok(())
}

/// What is to be where.
fn files() -> anyhow::Result<[(PathBuf, String); 2]> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Ok([
        (root.join("docs/channels.md"), page::text()),
        (root.join("deploy/attack-navigator.json"), layer::text()?),
    ])
}

fn compare(path: &Path, text: &str) -> anyhow::Result<()> {
    let there = fs::read_to_string(path).unwrap_or_default();
    if there != text {
        bail!("{} is not what the code gives: run cargo xtask channels", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_docs_and_the_layer_are_what_the_code_gives() {
        run(&Arguments { check: true }).unwrap();
    }
}
