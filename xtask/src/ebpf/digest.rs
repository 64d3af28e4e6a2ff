//! What an object was made from, so that a forgotten build is noticed without any BPF compiler.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, ensure};
use sha2::{Digest as _, Sha256};

use super::build;

const HEAD: &str =
    "# What egret.bpf.o is and was made from, by SHA-256. Written by `cargo xtask ebpf`.";
/// The crate of the kernel programs.
const CRATE: &str = "sensor-ebpf";
/// What the programs are linked with, by the beginning of its name.
const LIBRARIES: &str = "aya-ebpf";

/// SHA-256 of each thing, by its name: files by their path in the repository.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Digest(BTreeMap<String, String>);

impl Digest {
    /// Of this object and of the sources below `root`, which lead to it.
    pub(super) fn of(root: &Path, object: &[u8]) -> anyhow::Result<Self> {
        let lock = fs::read_to_string(root.join("Cargo.lock"))?;
        let flags = build::CARGO.into_iter().chain(build::RUSTC).collect::<Vec<_>>().join("\n");
        let mut things = BTreeMap::from([
            ("egret.bpf.o".to_owned(), sha256(object)),
            ("compiler flags".to_owned(), sha256(flags)),
            (format!("{LIBRARIES} in Cargo.lock"), sha256(libraries(&lock))),
        ]);
        let folder = root.join(CRATE);
        for file in [vec![folder.join("Cargo.toml")], files(&folder.join("src"))?].concat() {
            let name = file.strip_prefix(root)?.to_str().context("a file's name is no text")?;
            things.insert(name.to_owned(), sha256(fs::read(&file)?));
        }
        Ok(Self(things))
    }

    /// What is not as in `kept`, in words.
    pub(super) fn differences(&self, kept: &Self) -> Vec<String> {
        let changed = self.0.iter().filter_map(|(name, hash)| match kept.0.get(name) {
            Some(other) if other == hash => None,
            Some(_) => Some(format!("{name} is another")),
            None => Some(format!("{name} is new")),
        });
        let gone = kept.0.keys().filter(|name| !self.0.contains_key(*name));
        changed.chain(gone.map(|name| format!("{name} is gone"))).collect()
    }
}

/// As `sha256sum` has it.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        self.0.iter().try_for_each(|(name, hash)| writeln!(f, "{hash}  {name}"))
    }
}

impl FromStr for Digest {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut things = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (hash, name) = line
                .split_once("  ")
                .with_context(|| format!("expected a digest, two spaces and a name: {line:?}"))?;
            let old = things.insert(name.to_owned(), hash.to_owned());
            ensure!(old.is_none(), "{name} is in the digest twice");
        }
        Ok(Self(things))
    }
}

fn sha256(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names, versions and checksums of the libraries, as the lock file has them.
fn libraries(lock: &str) -> String {
    let is_library = |package: &&str| package.trim().starts_with(&format!("name = \"{LIBRARIES}"));
    let is_said = |line: &&str| {
        ["name", "version", "checksum"].iter().any(|key| line.starts_with(&format!("{key} = ")))
    };
    let packages = lock.split("[[package]]").filter(is_library);
    packages.flat_map(|package| package.lines().filter(is_said)).collect::<Vec<_>>().join("\n")
}

/// All files below a folder.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files(&path)?);
        } else {
            all.push(path);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(things: &[(&str, &str)]) -> Digest {
        Digest(things.iter().map(|(name, hash)| ((*name).into(), (*hash).into())).collect())
    }

    #[test]
    fn each_difference_is_named() {
        let kept = digest(&[("a.rs", "11"), ("b c", "22"), ("old.rs", "33")]);
        assert_eq!(kept.to_string().parse::<Digest>().unwrap(), kept);
        assert!(kept.differences(&kept).is_empty());
        let now = digest(&[("a.rs", "12"), ("b c", "22"), ("new.rs", "33")]);
        assert_eq!(now.differences(&kept), ["a.rs is another", "new.rs is new", "old.rs is gone"]);
    }

    /// Fails when a new version of what the programs are linked with would go unnoticed.
    #[test]
    fn versions_of_the_libraries_count_and_nothing_else_in_the_lock_file() {
        let lock = |aya: &str, serde: &str| {
            format!(
                "version = 4\n\n[[package]]\nname = \"aya-ebpf\"\nversion = \"{aya}\"\ndependencies = [\n \"syn {serde}\",\n]\n\n\
                 [[package]]\nname = \"aya-ebpf-cty\"\nversion = \"0.3.0\"\nchecksum = \"ab\"\n\n\
                 [[package]]\nname = \"serde\"\nversion = \"{serde}\"\n"
            )
        };
        let kept = libraries(&lock("0.2.1", "1.0.1"));
        assert_eq!(kept.lines().count(), 5, "{kept}");
        assert_eq!(kept, libraries(&lock("0.2.1", "1.0.2")));
        assert_ne!(kept, libraries(&lock("0.2.2", "1.0.1")));
    }
}
