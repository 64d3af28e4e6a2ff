//! `cargo xtask package`: the Debian package, with man pages and completions made from the command line
//! itself; `--try` installs it as a user would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::tools::{self, VERSION};
use crate::{bench, licences};

mod container;
mod lint;
mod manual;
mod trial;

/// How to get cargo-deb.
const CARGO_DEB: &str = "cargo install --locked cargo-deb";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Lints it, then installs, starts, upgrades and purges it in a fresh Debian that systemd boots
    /// (root, mmdebstrap, systemd-container)
    #[arg(long = "try")]
    is_tried: bool,
    /// Where that Debian comes from
    #[arg(long, default_value = "http://deb.debian.org/debian")]
    mirror: String,
    /// The package's own revision, behind the version
    #[arg(long, default_value_t = 1)]
    revision: u32,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = tools::root();
    let binary = bench::build_egret()?;
    let package = build(&root, &binary, arguments.revision)?;
    println!("{}: {} bytes", package.display(), fs::metadata(&package)?.len());
    if arguments.is_tried {
        lint::run(&package)?;
        trial::run(&root.join("target/trial"), &arguments.mirror, &package)?;
    }
    Ok(())
}

/// Makes the package of a binary, which lies in `release` of a build folder.
pub(crate) fn build(root: &Path, binary: &Path, revision: u32) -> anyhow::Result<PathBuf> {
    let parts = root.join("target/package");
    if parts.exists() {
        fs::remove_dir_all(&parts)?;
    }
    manual::write(&parts)?;
    licences::write(root, &parts.join("third-party-licences"))?;
    let version = format!("{VERSION}-{revision}");
    let epoch = tools::epoch(root)?;
    fs::write(parts.join("changelog.Debian"), changelog(&version, epoch)?)?;
    let target = binary.ancestors().nth(2).context("the binary lies in no build folder")?;
    let package = parts.with_file_name("debian").join(format!("egret_{version}_amd64.deb"));
    let mut cargo = Command::new("cargo");
    cargo.args(["deb", "--quiet", "--no-build", "--strip", "--package=egret"]);
    cargo.arg(format!("--deb-version={version}")).arg("--output").arg(&package).current_dir(root);
    cargo.env("CARGO_TARGET_DIR", target).env("SOURCE_DATE_EPOCH", epoch.to_string());
    tools::run(&mut cargo, CARGO_DEB).context(CARGO_DEB)?;
    ensure!(package.exists(), "cargo deb made no {}", package.display());
    Ok(package)
}

/// Debian's changelog: what changes for people is in Egret's own.
fn changelog(version: &str, epoch: u64) -> anyhow::Result<String> {
    let mut date = Command::new("date");
    date.args(["--utc", "--rfc-email"]).arg(format!("--date=@{epoch}"));
    let date = tools::said(&mut date, "coreutils")?;
    Ok(format!(
        "egret ({version}) stable; urgency=medium\n\n  \
           * What changed is in the changelog beside this file.\n\n \
         -- {MAINTAINER}  {date}"
    ))
}

/// As in `sensor/Cargo.toml`.
const MAINTAINER: &str = "Egret maintainers <maintainers@egret.example>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changelog_is_of_debians_form() {
        let text = changelog("0.1.0-1", 1_764_547_200).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "egret (0.1.0-1) stable; urgency=medium");
        assert!(lines[2].starts_with("  * "), "{text}");
        assert_eq!(lines[4], format!(" -- {MAINTAINER}  Mon, 01 Dec 2025 00:00:00 +0000"));
    }

    #[test]
    fn the_maintainer_is_the_same_in_both_places() {
        let manifest = fs::read_to_string(tools::root().join("sensor/Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("maintainer = \"{MAINTAINER}\"\n")));
    }
}
