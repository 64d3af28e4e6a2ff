//! Whether the verifier of another kernel takes the programs: what one refuses another takes. The kernel of
//! a Debian package is booted in qemu, with nothing but the sensor and a cable.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::{bench, tools};

/// What runs there: the sensor, for as long as it takes to say by what it captures.
const INIT: &str = "#!/bin/busybox sh
/bin/busybox --install -s /sbin
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev
insmod /veth.ko
/bin/ip link set lo up; /bin/ip link add e0 type veth peer name e1
/bin/ip link set e0 up; /bin/ip link set e1 up
uname -r
(sleep 30; kill $(pidof egret)) &
/bin/egret run -i e1 --backend xdp --set sensor.data_dir=/data 2>&1 | while read line; do
  echo $line
  case $line in *'captured by'*) kill $(pidof egret);; esac
done
poweroff -f
";
const BUSYBOX: &str = "apt-get install busybox-static";
/// Debian's package of this machine's release, which says which kernel is its newest.
const NEWEST: &str = "linux-image-amd64";

/// Boots the newest kernel of this machine's Debian, and fails when it refuses the XDP program.
pub(super) fn run(root: &Path) -> anyhow::Result<()> {
    let folder = root.join("target/kernel");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(folder.join("root/bin"))?;
    fs::create_dir_all(folder.join("root/sbin"))?;
    let image = kernel(&folder)?;
    initramfs(&folder, &bench::build_egret()?)?;
    let mut qemu = Command::new("timeout");
    qemu.args([
        "300",
        "qemu-system-x86_64",
        "-nodefaults",
        "-machine",
        "q35,accel=tcg",
        "-cpu",
        "max",
    ]);
    qemu.args(["-smp", "2", "-m", "1500", "-display", "none", "-monitor", "none", "-no-reboot"]);
    qemu.args(["-serial", "stdio", "-append", "console=ttyS0 quiet panic=-1", "-kernel"])
        .arg(image);
    qemu.arg("-initrd").arg(folder.join("initramfs"));
    let said = tools::said(&mut qemu, "apt-get install qemu-system-x86")?;
    println!("{}", said.trim());
    ensure!(said.contains("captured by XDP in the driver"), "this kernel refuses the program");
    Ok(())
}

/// Fetches the kernel's package, and gives where the kernel lies.
fn kernel(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut ask = Command::new("apt-cache");
    let depends = tools::said(ask.args(["depends", NEWEST]), "apt")?;
    let name =
        depends.split_whitespace().find(|word| word.starts_with("linux-image-") && *word != NEWEST);
    let name = name.with_context(|| format!("{NEWEST} is not known: apt-get update"))?;
    let mut fetch = Command::new("apt-get");
    tools::said(fetch.args(["--quiet", "download", name]).current_dir(folder), "apt")?;
    let package = named(folder, ".deb")?;
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("--extract").arg(package).arg(folder.join("package"));
    tools::run(&mut unpack, "apt-get install dpkg")?;
    let version = name.trim_start_matches("linux-image-");
    let module =
        folder.join("package/lib/modules").join(version).join("kernel/drivers/net/veth.ko");
    fs::copy(&module, folder.join("root/veth.ko")).with_context(|| module.display().to_string())?;
    Ok(folder.join("package/boot").join(format!("vmlinuz-{version}")))
}

/// The sensor, a shell and `ip`, with the libraries they are linked with.
fn initramfs(folder: &Path, egret: &Path) -> anyhow::Result<()> {
    let root = folder.join("root");
    for name in ["proc", "sys", "dev", "tmp", "data"] {
        fs::create_dir_all(root.join(name))?;
    }
    fs::copy("/bin/busybox", root.join("bin/busybox")).context(BUSYBOX)?;
    fs::copy("/sbin/ip", root.join("bin/ip")).context("apt-get install iproute2")?;
    let mut strip = Command::new("strip");
    tools::run(strip.arg("-o").arg(root.join("bin/egret")).arg(egret), "apt-get install binutils")?;
    for program in ["bin/ip", "bin/egret"] {
        let libraries = tools::said(Command::new("ldd").arg(root.join(program)), "libc-bin")?;
        for path in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
            let to = root.join(path.trim_start_matches('/'));
            fs::create_dir_all(to.parent().context("a library lies in a folder")?)?;
            fs::copy(path, to)?;
        }
    }
    fs::write(root.join("init"), INIT)?;
    let mut pack = Command::new("sh");
    pack.args([
        "-euc",
        "chmod 755 init && find . | cpio --create --format=newc --quiet > ../initramfs",
    ]);
    tools::run(pack.current_dir(root), "apt-get install cpio")
}

fn named(folder: &Path, ending: &str) -> anyhow::Result<PathBuf> {
    let paths = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let mut named = paths.filter(|path| path.to_string_lossy().ends_with(ending));
    named.next().with_context(|| format!("there is no {ending} in {}", folder.display()))
}
