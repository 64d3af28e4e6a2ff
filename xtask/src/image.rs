//! `cargo xtask image`: the appliance. A minimal Debian with the package, as a disk for qemu (qcow2) and
//! VMware (VMDK), and as an OVA that vSphere imports; `--try` boots it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::ensure;

use crate::tools::{self, VERSION};
use crate::{bench, package};

mod disk;
mod machine;
mod ova;
mod rootfs;
mod trial;

const QEMU_UTILS: &str = "apt-get install qemu-utils";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Boots the disk in qemu (qemu-system-x86, ovmf, genisoimage, openssh-client), asks whether it is ready,
    /// sends a frame to its capture card, and reads the OVA again
    #[arg(long = "try")]
    is_tried: bool,
    /// Tries what was made before; makes nothing
    #[arg(long, requires = "is_tried")]
    made: bool,
    /// Where Debian comes from
    #[arg(long, default_value = "http://deb.debian.org/debian")]
    mirror: String,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = tools::root().join("target/image");
    let images = Images::new(&folder);
    if !arguments.made {
        build(&images, &folder, &arguments.mirror)?;
    }
    if arguments.is_tried {
        let again = tempfile::tempdir_in(&folder)?;
        ova::verify(&images.ova, again.path())?;
        println!(
            "the OVA has its files in order, with their digests; the descriptor names its disk"
        );
        trial::run(&images.qcow2)?;
    }
    Ok(())
}

/// What is made.
struct Images {
    qcow2: PathBuf,
    vmdk: PathBuf,
    ova: PathBuf,
}

impl Images {
    fn new(folder: &Path) -> Self {
        let of = |ending: &str| folder.join(format!("egret-{VERSION}.{ending}"));
        Self { qcow2: of("qcow2"), vmdk: of("vmdk"), ova: of("ova") }
    }
}

fn build(images: &Images, folder: &Path, mirror: &str) -> anyhow::Result<()> {
    ensure!(rustix::process::geteuid().is_root(), "its files are root's: sudo cargo xtask image");
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let package = package::build(&tools::root(), &bench::build_egret()?, 1)?;
    let (root, raw) = (folder.join("root"), folder.join("disk.raw"));
    timed("a minimal Debian with the package", || rootfs::build(&root, mirror, &package))?;
    timed("a disk of it", || disk::build(&raw, &root))?;
    timed("qcow2", || convert(&raw, &images.qcow2, &["-c", "-O", "qcow2"]))?;
    let stream = ["-O", "vmdk", "-o", "subformat=streamOptimized,adapter_type=lsilogic"];
    timed("VMDK", || convert(&raw, &images.vmdk, &stream))?;
    timed("OVA", || ova::write(&images.ova, &images.vmdk, disk::CAPACITY))?;
    fs::remove_dir_all(root)?;
    fs::remove_file(raw)?;
    for path in [&images.qcow2, &images.vmdk, &images.ova] {
        println!("{}: {} MB", path.display(), fs::metadata(path)?.len() / 1_000_000);
    }
    Ok(())
}

fn convert(raw: &Path, to: &Path, how: &[&str]) -> anyhow::Result<()> {
    let mut qemu = Command::new("qemu-img");
    qemu.args(["convert", "-f", "raw"]).args(how).arg(raw).arg(to);
    tools::run(&mut qemu, QEMU_UTILS)
}

fn timed(what: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let start = Instant::now();
    work()?;
    println!("{what}: {:.0?}", start.elapsed());
    Ok(())
}
