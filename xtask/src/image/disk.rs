//! A disk of a folder: a boot partition and one for all else, made without mounting anything.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::rootfs::ESP;
use crate::tools;

/// What the guest sees; a bigger disk is taken at the first start.
pub(super) const CAPACITY: u64 = 8 << 30;
const MIB: u64 = 1 << 20;
/// Behind the table of partitions, in MiB, and as long.
const ESP_START: u64 = 1;
const ESP_LENGTH: u64 = 511;
const ROOT_START: u64 = ESP_START + ESP_LENGTH;
/// The table's copy lies at the end.
const ROOT_LENGTH: u64 = CAPACITY / MIB - ROOT_START - 1;

/// Makes a raw disk of the files in a folder.
pub(super) fn build(disk: &Path, root: &Path) -> anyhow::Result<()> {
    File::create(disk)?.set_len(CAPACITY)?;
    table(disk)?;
    boot(disk, &root.join(ESP))?;
    let mut mkfs = Command::new("mkfs.ext4");
    mkfs.args(["-q", "-F", "-L", "egret", "-m", "1"]).arg("-d").arg(root);
    mkfs.arg("-E").arg(format!("offset={}", ROOT_START * MIB));
    mkfs.arg(disk).arg(format!("{ROOT_LENGTH}M"));
    tools::run(&mut mkfs, "apt-get install e2fsprogs")
}

fn table(disk: &Path) -> anyhow::Result<()> {
    let mut sfdisk = Command::new("sfdisk");
    let child = sfdisk.arg("--quiet").arg(disk).stdin(Stdio::piped()).spawn();
    let mut child = child.context("sfdisk cannot be run: apt-get install fdisk")?;
    let text = format!(
        "label: gpt\n\
         start={ESP_START}MiB, size={ESP_LENGTH}MiB, type=uefi, name=esp\n\
         start={ROOT_START}MiB, size={ROOT_LENGTH}MiB, type=linux, name=root\n"
    );
    child.stdin.take().context("sfdisk reads")?.write_all(text.as_bytes())?;
    ensure!(child.wait()?.success(), "sfdisk failed");
    Ok(())
}

/// Moves the boot files to a partition of their own.
fn boot(disk: &Path, files: &Path) -> anyhow::Result<()> {
    let partition = disk.with_extension("esp");
    File::create(&partition)?.set_len(ESP_LENGTH * MIB)?;
    let mut mkfs = Command::new("mkfs.vfat");
    mkfs.args(["-F", "32", "-n", "EGRET-ESP"]).arg(&partition).stdout(Stdio::null());
    tools::run(&mut mkfs, "apt-get install dosfstools")?;
    for entry in fs::read_dir(files)? {
        let path = entry?.path();
        let mut copy = Command::new("mcopy");
        copy.args(["-s", "-Q", "-i"]).arg(&partition).arg(&path).arg("::/");
        tools::run(&mut copy, "apt-get install mtools")?;
        fs::remove_dir_all(&path)?;
    }
    let mut dd = Command::new("dd");
    dd.arg(format!("if={}", partition.display())).arg(format!("of={}", disk.display()));
    dd.args(["bs=1M", "conv=notrunc,sparse", "status=none"]).arg(format!("seek={ESP_START}"));
    tools::run(&mut dd, "coreutils")?;
    fs::remove_file(partition)?;
    Ok(())
}
