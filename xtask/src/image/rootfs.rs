//! The files of the appliance: a minimal Debian with the package, in a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::tools;

/// Linux of this release has native XDP for VMXNET3 and tcx.
const SUITE: &str = "trixie";
/// What it has besides the essential. Not the kernel for clouds: that knows no VMware.
const INCLUDE: &[&str] = &[
    "systemd-sysv,systemd-resolved,systemd-timesyncd,systemd-boot,dbus,udev,kmod",
    "linux-image-amd64,initramfs-tools,zstd,cloud-init,cloud-guest-utils,fdisk,open-vm-tools",
    "openssh-server,sudo,ca-certificates,iproute2,iputils-ping,ethtool,tcpdump,curl,less,nano,procps",
    "man-db,bash-completion",
];
/// Where the boot partition is mounted.
pub(super) const ESP: &str = "boot/efi";

/// Makes it; root only, as its files are root's.
pub(super) fn build(root: &Path, mirror: &str, package: &Path) -> anyhow::Result<()> {
    let mut mmdebstrap = Command::new("mmdebstrap");
    mmdebstrap.args([
        "--quiet",
        "--variant=minbase",
        "--mode=root",
        "--include",
        &INCLUDE.join(","),
    ]);
    mmdebstrap.args(["--aptopt=Acquire::Languages \"none\"", "--dpkgopt=force-unsafe-io"]);
    mmdebstrap.arg(format!("--customize-hook=copy-in '{}' /root", package.display()));
    mmdebstrap.arg(
        "--customize-hook=chroot \"$1\" sh -c 'apt-get install --yes --no-install-recommends \
         /root/egret_*.deb && rm /root/egret_*.deb' >/dev/null",
    );
    mmdebstrap.env("SOURCE_DATE_EPOCH", tools::epoch(&tools::root())?.to_string());
    tools::run(mmdebstrap.arg(SUITE).arg(root).arg(mirror), "apt-get install mmdebstrap")?;
    // They are for the building of it only.
    remove(&root.join("etc/dpkg/dpkg.cfg.d/99mmdebstrap"))?;
    remove(&root.join("etc/apt/apt.conf.d/99mmdebstrap"))?;
    settings(root)?;
    boot(root)
}

/// What makes the Debian an appliance.
fn settings(root: &Path) -> anyhow::Result<()> {
    let mut copy = Command::new("cp");
    copy.args(["--recursive", "--no-target-directory", "--preserve=mode"]);
    copy.arg(tools::root().join("deploy/image/root")).arg(root);
    tools::run(&mut copy, "coreutils")?;
    inside(
        root,
        "chmod --recursive u=rwX,go=rX /etc/cloud /etc/dpkg /etc/systemd /etc/kernel /etc/fstab /usr/lib/egret",
    )?;
    // What dpkg leaves out from now on.
    inside(root, "rm -rf /usr/share/locale/*")?;
    inside(root, "systemctl --quiet enable systemd-networkd systemd-resolved egret-address")?;
    inside(
        root,
        "sed --in-place 's/^interface = .*/interface = [\"eth1\"]/' /etc/egret/egret.toml",
    )?;
    inside(root, "grep --quiet eth1 /etc/egret/egret.toml")?;
    // Each machine makes its own at its first start.
    inside(
        root,
        "rm -f /etc/ssh/ssh_host_*_key* && : > /etc/machine-id && echo egret > /etc/hostname",
    )?;
    inside(root, "ln --symbolic --force /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf")?;
    inside(root, "mkdir --parents /boot/efi")
}

/// The boot partition's files: systemd-boot, which needs no installing beyond being there, and the entry
/// that Debian's hooks write at each new kernel, too.
fn boot(root: &Path) -> anyhow::Result<()> {
    let esp = root.join(ESP);
    for (to, folder) in [("BOOTX64.EFI", "EFI/BOOT"), ("systemd-bootx64.efi", "EFI/systemd")] {
        fs::create_dir_all(esp.join(folder))?;
        let from = root.join("usr/lib/systemd/boot/efi/systemd-bootx64.efi.signed");
        fs::copy(&from, esp.join(folder).join(to)).with_context(|| from.display().to_string())?;
    }
    fs::create_dir_all(esp.join("loader/entries"))?;
    fs::write(esp.join("loader/loader.conf"), "timeout 2\neditor no\n")?;
    fs::write(esp.join("loader/entries.srel"), "type1\n")?;
    let version = kernel(root)?;
    inside(
        root,
        &format!(
            "SYSTEMD_RELAX_ESP_CHECKS=1 SYSTEMD_RELAX_XBOOTLDR_CHECKS=1 BOOT_ROOT=/boot/efi kernel-install add {version} \
         /boot/vmlinuz-{version} /boot/initrd.img-{version}"
        ),
    )?;
    let entry = esp.join(format!("loader/entries/egret-{version}.conf"));
    let text = fs::read_to_string(&entry).with_context(|| entry.display().to_string())?;
    ensure!(text.contains("root=LABEL=egret"), "{text}");
    // Nothing is mounted here, so that it does not know where the partition begins.
    fs::write(&entry, text.replace(&format!("/{ESP}/"), "/"))?;
    Ok(())
}

/// The one that is installed.
fn kernel(root: &Path) -> anyhow::Result<String> {
    let folder = root.join("usr/lib/modules");
    let names = fs::read_dir(&folder)?.flatten().map(|entry| entry.file_name());
    let names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    let [version] = names.as_slice() else { anyhow::bail!("{}: {names:?}", folder.display()) };
    Ok(version.clone())
}

/// Runs a script in it.
fn inside(root: &Path, script: &str) -> anyhow::Result<()> {
    let mut chroot = Command::new("chroot");
    chroot.arg(root).args(["env", "-i", "PATH=/usr/sbin:/usr/bin", "sh", "-euc", script]);
    tools::said(&mut chroot, "coreutils").map(drop)
}

fn remove(path: &PathBuf) -> std::io::Result<()> {
    if path.exists() { fs::remove_file(path) } else { Ok(()) }
}
