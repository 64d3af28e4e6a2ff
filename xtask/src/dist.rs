//! `cargo xtask dist`: what a release consists of, made from a clean checkout: a tarball, the Debian package,
//! the list of what is in the binary (CycloneDX), and the digests of all. The same commit and compiler give
//! the same bytes wherever the checkout lies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::tools::{self, VERSION};
use crate::{licences, package};

const CYCLONEDX: &str = "cargo install --locked cargo-cyclonedx";
/// What the binary is built for.
const TARGET: &str = "x86_64-unknown-linux-gnu";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Also of a checkout with changes that are not committed; never to be published
    #[arg(long)]
    dirty: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = tools::root();
    let changes = tools::said(git(&root).args(["status", "--porcelain"]), "git")?;
    ensure!(
        arguments.dirty || changes.is_empty(),
        "not committed (--dirty takes it all the same):\n{changes}"
    );
    let log = fs::read_to_string(root.join("CHANGELOG.md"))?;
    if !log.contains(&format!("\n## [{VERSION}]")) {
        println!("CHANGELOG.md has no section for {VERSION} yet: docs/release.md");
    }
    let folder = root.join("target/release-files");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let binary = build(&root)?;
    let deb = package::build(&root, &binary, 1)?;
    let name = deb.file_name().context("a package has a name")?;
    fs::copy(&deb, folder.join(name))?;
    tarball(&root, &folder, &binary)?;
    bill_of_materials(&root, &folder)?;
    digests(&folder)
}

/// The release binary, which says nothing of where it was built.
fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let target = root.join("target/dist");
    let cargo_home = std::env::var_os("CARGO_HOME").map_or_else(
        || Path::new(&std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    );
    let places = [(root.to_owned(), "/egret"), (cargo_home, "/cargo")];
    let maps = |flag: &str, separator: &str| {
        let map = |(from, to): &(PathBuf, &str)| {
            format!("{flag}={}={to}", from.display().to_string().trim_end_matches('/'))
        };
        places.iter().map(map).collect::<Vec<_>>().join(separator)
    };
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--locked", "--package=egret"]).current_dir(root);
    cargo
        .env("CARGO_TARGET_DIR", &target)
        .env("SOURCE_DATE_EPOCH", tools::epoch(root)?.to_string());
    cargo.env("CARGO_ENCODED_RUSTFLAGS", maps("--remap-path-prefix", "\u{1f}"));
    cargo.env("CFLAGS", maps("-ffile-prefix-map", " "));
    tools::run(&mut cargo, "rustup")?;
    Ok(target.join("release/egret"))
}

/// The binary and what the package has beside it, for systems that are no Debian.
fn tarball(root: &Path, folder: &Path, binary: &Path) -> anyhow::Result<()> {
    let name = format!("egret-{VERSION}-{TARGET}");
    let stage = root.join("target/dist").join(&name);
    if stage.exists() {
        fs::remove_dir_all(&stage)?;
    }
    fs::create_dir_all(&stage)?;
    let parts = root.join("target/package");
    let mut copy = Command::new("cp");
    copy.arg("--recursive").args(["README.md", "CHANGELOG.md", "LICENSE", "docs", "deploy"]);
    copy.args([parts.join("man"), parts.join("completions")]).arg(&stage).current_dir(root);
    tools::run(&mut copy, "coreutils")?;
    licences::write(root, &stage.join("third-party-licences"))?;
    let mut strip = Command::new("strip");
    tools::run(strip.arg("-o").arg(stage.join("egret")).arg(binary), "apt-get install binutils")?;
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"]);
    tar.arg(format!("--mtime=@{}", tools::epoch(root)?))
        .arg("--use-compress-program=gzip --no-name --best");
    tar.arg("--create").arg("--file").arg(folder.join(format!("{name}.tar.gz")));
    tools::run(
        tar.arg("--directory").arg(root.join("target/dist")).arg(&name),
        "apt-get install tar",
    )?;
    fs::remove_dir_all(stage)?;
    Ok(())
}

/// What the binary is made of, by cargo-cyclonedx, which writes beside the manifest.
fn bill_of_materials(root: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["cyclonedx", "--quiet", "--format=json", "--spec-version=1.5"]);
    cargo.args(["--no-build-deps", "--target", TARGET, "--override-filename=egret.cdx"]);
    cargo.arg("--manifest-path").arg(root.join("sensor/Cargo.toml")).current_dir(root);
    cargo.env("SOURCE_DATE_EPOCH", tools::epoch(root)?.to_string());
    tools::run(&mut cargo, CYCLONEDX).context(CYCLONEDX)?;
    let made = root.join("sensor/egret.cdx.json");
    let text = fs::read_to_string(&made).with_context(|| made.display().to_string())?;
    // It writes one for each member of the workspace.
    for entry in fs::read_dir(root)? {
        let other = entry?.path().join("egret.cdx.json");
        if other.exists() {
            fs::remove_file(other)?;
        }
    }
    // Where the checkout lies is nobody's business.
    let text = text.replace(root.display().to_string().trim_end_matches('/'), "/egret");
    let bill: Value = serde_json::from_str(&text)?;
    let components =
        bill.pointer("/components").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let has = |name: &str| {
        let is = |component: &Value| component.get("name").is_some_and(|other| other == name);
        components.iter().any(is)
    };
    ensure!(
        has("rustls") && has("pcap") && !has("criterion"),
        "the list is not that of the binary"
    );
    fs::write(folder.join(format!("egret-{VERSION}.cdx.json")), text)?;
    Ok(())
}

fn digests(folder: &Path) -> anyhow::Result<()> {
    let mut paths: Vec<_> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    let mut text = String::new();
    for path in &paths {
        let name = path.file_name().context("a file has a name")?.to_string_lossy();
        text.push_str(&format!("{}  {name}\n", tools::sha256(path)?));
        println!("{}: {} bytes", path.display(), fs::metadata(path)?.len());
    }
    fs::write(folder.join("SHA256SUMS"), text)?;
    Ok(())
}

fn git(root: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(root);
    git
}
