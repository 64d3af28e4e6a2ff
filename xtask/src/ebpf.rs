//! `cargo xtask ebpf`: builds the kernel programs into the object that Egret carries, so that Egret
//! itself is built with a stable compiler and nothing else.
//!
//! Beside the object lies its digest: what it was made from, in words. The same sources and the same
//! compiler give the same bytes in every checkout; another compiler may give other ones.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use self::digest::Digest;

mod build;
mod compiler;
mod digest;
mod kernel;
mod strip;

/// The object and its digest, in the repository.
const OBJECT: &str = "sensor/src/capture/xdp/egret.bpf.o";
const DIGEST: &str = "sensor/src/capture/xdp/egret.bpf.digest";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Builds nothing; says whether the object is the one of the sources here
    #[arg(long)]
    check: bool,
    /// Builds nothing; says whether the newest kernel of this machine's Debian takes the programs
    /// (qemu-system-x86, busybox-static, cpio)
    #[arg(long = "try", conflicts_with = "check")]
    is_tried: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.check {
        return check(&root());
    }
    if arguments.is_tried {
        return kernel::run(&root());
    }
    let root = root();
    let compiler = compiler::find()?;
    println!("object, with {compiler}");
    let object = strip::debug_info(&build::object(&root, &compiler)?)?;
    let path = root.join(OBJECT);
    let (new, old) = (object.len(), fs::read(&path).unwrap_or_default());
    if object == old {
        println!("{OBJECT}: {new} bytes, the same as before");
    } else {
        println!("{OBJECT}: {new} bytes, others than the {} before", old.len());
        fs::create_dir_all(path.parent().context("the object lies in a folder")?)?;
        fs::write(&path, &object)?;
    }
    fs::write(root.join(DIGEST), Digest::of(&root, &object)?.to_string())?;
    println!("lints, with the compiler that builds Egret");
    build::lint(&root)
}

/// Fails with what differs.
fn check(root: &Path) -> anyhow::Result<()> {
    let read = |name: &str| {
        fs::read(root.join(name)).with_context(|| format!("no {name}: run cargo xtask ebpf"))
    };
    let now = Digest::of(root, &read(OBJECT)?)?;
    let kept: Digest = String::from_utf8(read(DIGEST)?)?.parse()?;
    let differences = now.differences(&kept);
    if !differences.is_empty() {
        let list = differences.join("\n  ");
        bail!("{OBJECT} is not that of the sources here: run cargo xtask ebpf\n  {list}");
    }
    println!("{OBJECT} is that of the sources here");
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when the kernel programs changed and `cargo xtask ebpf` was not run.
    #[test]
    fn the_kept_object_is_that_of_the_sources() {
        check(&root()).unwrap();
    }

    /// Fails when debugging information is kept, or what the kernel needs is stripped with it.
    #[test]
    fn the_kept_object_has_types_and_no_debugging_information() {
        let kept = fs::read(root().join(OBJECT)).unwrap();
        let names = strip::sections(&kept).unwrap();
        for name in ["xdp.frags", ".BTF", ".BTF.ext", "license"] {
            assert!(names.iter().any(|section| section == name), "no {name} in {names:?}");
        }
        assert!(!names.iter().any(|name| name.contains(".debug")), "{names:?}");
        // Where it was built is nobody's business, and would make each machine's another one.
        let text = String::from_utf8_lossy(&kept);
        assert!(!text.contains("/home/") && !text.contains("/root/"), "it holds a builder's path");
    }
}
