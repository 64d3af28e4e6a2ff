//! The OVA: a descriptor, the digests of all files, and the disk, in one tar in that order.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use roxmltree::Document;

use crate::tools::{self, VERSION};

const TEMPLATE: &str = include_str!("../../../deploy/image/egret.ovf");
const OVF: &str = "http://schemas.dmtf.org/ovf/envelope/1";
const ITEM: &str =
    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData";

/// Makes one of a disk that lies beside it, whose guest sees so many bytes.
pub(super) fn write(ova: &Path, disk: &Path, capacity: u64) -> anyhow::Result<()> {
    let folder = ova.parent().context("it lies in a folder")?;
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (descriptor, manifest) = (ova.with_extension("ovf"), ova.with_extension("mf"));
    let text = descriptor_of(&name(disk), fs::metadata(disk)?.len(), capacity);
    check(&text)?;
    fs::write(&descriptor, text)?;
    let mut digests = String::new();
    for path in [&descriptor, disk] {
        digests.push_str(&format!("SHA256({})= {}\n", name(path), tools::sha256(path)?));
    }
    fs::write(&manifest, digests)?;
    let mut tar = Command::new("tar");
    tar.args(["--format=ustar", "--owner=0", "--group=0", "--numeric-owner", "--mode=0644"]);
    tar.arg(format!("--mtime=@{}", tools::epoch(&tools::root())?))
        .arg("--create")
        .arg("--file")
        .arg(ova);
    tar.arg("--directory").arg(folder).args([name(&descriptor), name(&manifest), name(disk)]);
    tools::run(&mut tar, "apt-get install tar")
}

fn descriptor_of(disk: &str, size: u64, capacity: u64) -> String {
    TEMPLATE
        .replace("@DISK@", disk)
        .replace("@SIZE@", &size.to_string())
        .replace("@CAPACITY@", &capacity.to_string())
        .replace("@VERSION@", VERSION)
}

/// Whether everything that the descriptor refers to is there.
fn check(text: &str) -> anyhow::Result<()> {
    let document = Document::parse(text)?;
    let all = |name: &str| {
        let is = move |node: &roxmltree::Node<'_, '_>| node.has_tag_name((OVF, name));
        document.descendants().filter(is).collect::<Vec<_>>()
    };
    let attributes = |element: &str, name: &str| -> Vec<String> {
        all(element)
            .iter()
            .filter_map(|node| node.attribute((OVF, name)))
            .map(str::to_owned)
            .collect()
    };
    let values = |name: &str| -> Vec<String> {
        let is = |node: &roxmltree::Node<'_, '_>| node.has_tag_name((ITEM, name));
        document
            .descendants()
            .filter(is)
            .filter_map(|node| node.text())
            .map(str::to_owned)
            .collect()
    };
    ensure!(attributes("Disk", "fileRef") == attributes("File", "id"), "a disk has no file");
    let disks = attributes("Disk", "diskId").into_iter().map(|id| format!("ovf:/disk/{id}"));
    ensure!(disks.collect::<Vec<_>>() == values("HostResource"), "a disk is not attached");
    ensure!(attributes("Network", "name") == values("Connection"), "a card has no network");
    let instances = values("InstanceID");
    ensure!(values("Parent").iter().all(|parent| instances.contains(parent)), "no such controller");
    ensure!(!text.contains('@'), "a placeholder is left");
    Ok(())
}

/// Whether the files of an OVA are in their order, have the digests that its manifest says, and a disk
/// of the size and capacity that its descriptor says.
pub(super) fn verify(ova: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--verbose", "--file"]).arg(ova).arg("--directory").arg(folder);
    let names = tools::said(&mut tar, "apt-get install tar")?;
    let names: Vec<&str> = names.lines().collect();
    let [descriptor, manifest, disk] = names.as_slice() else { anyhow::bail!("{names:?}") };
    for (name, ending) in [(descriptor, ".ovf"), (manifest, ".mf"), (disk, ".vmdk")] {
        ensure!(name.ends_with(ending), "{names:?}");
    }
    for line in fs::read_to_string(folder.join(manifest))?.lines() {
        let (name, digest) = line
            .strip_prefix("SHA256(")
            .and_then(|rest| rest.split_once(")= "))
            .with_context(|| format!("{line:?} is no digest"))?;
        ensure!(tools::sha256(&folder.join(name))? == digest, "{name} has another digest");
    }
    let text = fs::read_to_string(folder.join(descriptor))?;
    check(&text)?;
    let mut qemu = Command::new("qemu-img");
    qemu.args(["info", "--output=json"]).arg(folder.join(disk));
    let facts: serde_json::Value =
        serde_json::from_str(&tools::said(&mut qemu, "apt-get install qemu-utils")?)?;
    let fact = |path: &str| facts.pointer(path).cloned().unwrap_or_default();
    ensure!(fact("/format") == "vmdk", "{facts}");
    ensure!(fact("/format-specific/data/create-type") == "streamOptimized", "{facts}");
    let capacity = fact("/virtual-size").as_u64().context("a disk has a size")?;
    let size = fs::metadata(folder.join(disk))?.len();
    ensure!(text == descriptor_of(disk, size, capacity), "the descriptor is of another disk");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_holds_together() {
        let text = descriptor_of("egret.vmdk", 7, 8);
        check(&text).unwrap();
        let document = Document::parse(&text).unwrap();
        let disk = document.descendants().find(|node| node.has_tag_name((OVF, "Disk"))).unwrap();
        assert_eq!(disk.attribute((OVF, "capacity")), Some("8"));
        for (part, other) in [
            ("ovf:fileRef=\"file1\"", "ovf:fileRef=\"file2\""),
            ("ovf:/disk/vmdisk1", "ovf:/disk/vmdisk2"),
            ("<rasd:Connection>Capture", "<rasd:Connection>Catpure"),
            ("<rasd:Parent>3", "<rasd:Parent>9"),
            ("</DiskSection>", ""),
        ] {
            assert!(text.contains(part) && check(&text.replace(part, other)).is_err(), "{part}");
        }
    }

    /// The order and the digests are what hypervisors refuse an import over.
    #[test]
    fn what_is_written_verifies_and_what_is_changed_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().join("egret.vmdk");
        let mut qemu = Command::new("qemu-img");
        qemu.args(["create", "-q", "-f", "vmdk", "-o", "subformat=streamOptimized"])
            .arg(&disk)
            .arg("8M");
        if !qemu.status().is_ok_and(|status| status.success()) {
            return egret_tests::skip(format_args!(
                "qemu-img is not installed (package qemu-utils)"
            ));
        }
        let ova = folder.path().join("egret.ova");
        let other = tempfile::tempdir().unwrap();
        write(&ova, &disk, 8 << 20).unwrap();
        verify(&ova, other.path()).unwrap();
        write(&ova, &disk, 9 << 20).unwrap();
        assert!(verify(&ova, other.path()).unwrap_err().to_string().contains("another disk"));
    }
}
