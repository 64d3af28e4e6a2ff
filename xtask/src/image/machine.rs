//! A virtual machine of qemu's, as ESXi would make it: UEFI, a PVSCSI disk, two VMXNET3 cards, and the
//! properties of the OVF template on an ISO.

use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::tools;

const FIRMWARE: &str = "/usr/share/OVMF";
/// In the network that qemu makes up.
pub(super) const ADDRESS: &str = "10.0.2.99";
pub(super) const HOST_NAME: &str = "egret-try";

/// One that runs; it ends when this is dropped, and its disk is as it was.
pub(super) struct Machine {
    child: Child,
    folder: tempfile::TempDir,
    ssh: u16,
    /// The other end of the capture card's cable, and the card.
    wire: UdpSocket,
    card: SocketAddr,
    patience: Duration,
}

impl Machine {
    /// Starts one from a disk.
    pub(super) fn start(disk: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = |name: &str| folder.path().join(name);
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file("key"));
        tools::run(&mut keygen, "apt-get install openssh-client")?;
        let key = fs::read_to_string(file("key.pub"))?;
        fs::write(file("ovf-env.xml"), environment(key.trim()))?;
        let mut iso = Command::new("genisoimage");
        iso.args(["-quiet", "-rock", "-volid", "OVF-ENV", "-output"]).arg(file("env.iso"));
        tools::run(iso.arg(file("ovf-env.xml")), "apt-get install genisoimage")?;
        let vars = Path::new(FIRMWARE).join("OVMF_VARS_4M.fd");
        fs::copy(&vars, file("vars.fd"))
            .with_context(|| format!("{}: apt-get install ovmf", vars.display()))?;

        let wire = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let card = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let ssh = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let (is_fast, mut qemu) = qemu();
        let patience = Duration::from_secs(if is_fast { 180 } else { 1200 });
        println!(
            "booting in qemu, {}",
            if is_fast { "with KVM" } else { "emulated: /dev/kvm cannot be used here" }
        );
        qemu.args(["-smp", "2", "-m", "2048", "-display", "none", "-monitor", "none"]);
        qemu.arg("-serial").arg(format!("file:{}", file("console.log").display()));
        let pflash =
            |path: &Path, how: &str| format!("if=pflash,format=raw{how},file={}", path.display());
        qemu.arg("-drive")
            .arg(pflash(&Path::new(FIRMWARE).join("OVMF_CODE_4M.fd"), ",readonly=on"));
        qemu.arg("-drive").arg(pflash(&file("vars.fd"), ""));
        qemu.arg("-drive")
            .arg(format!("if=none,id=disk,snapshot=on,format=qcow2,file={}", disk.display()));
        qemu.args(["-device", "pvscsi,id=scsi", "-device", "scsi-hd,bus=scsi.0,drive=disk"]);
        qemu.arg("-drive")
            .arg(format!("media=cdrom,readonly=on,file={}", file("env.iso").display()));
        qemu.arg("-netdev");
        qemu.arg(format!(
            "user,id=management,restrict=on,hostfwd=tcp:127.0.0.1:{ssh}-{ADDRESS}:22"
        ));
        qemu.args(["-device", "vmxnet3,netdev=management,mac=00:50:56:01:00:01", "-netdev"]);
        qemu.arg(format!("socket,id=capture,udp={},localaddr={card}", wire.local_addr()?));
        qemu.args(["-device", "vmxnet3,netdev=capture,mac=00:50:56:01:00:02"]);
        let log = File::create(file("qemu.log"))?;
        qemu.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = qemu.spawn().context("apt-get install qemu-system-x86")?;
        Ok(Self { child, folder, ssh, wire, card, patience })
    }

    /// What a command says there; an error when it fails.
    pub(super) fn run(&self, script: &str) -> anyhow::Result<String> {
        let output = self.ask(script)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "{script}\nended with {}\n{said}{complained}",
            output.status
        );
        Ok(said)
    }

    /// What a command says there, once it says what it should.
    pub(super) fn until(
        &mut self,
        script: &str,
        good: impl Fn(&str) -> bool,
    ) -> anyhow::Result<String> {
        let end = Instant::now() + self.patience;
        loop {
            let output = self.ask(script)?;
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            if output.status.success() && good(&said) {
                return Ok(said);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "qemu ended with {status}: {}",
                    fs::read_to_string(self.folder.path().join("qemu.log"))?
                );
            }
            if Instant::now() > end {
                bail!("{script}\nstill says\n{said}\n{}", self.console());
            }
            sleep(Duration::from_millis(500));
        }
    }

    /// Sends a frame to the capture card.
    pub(super) fn send(&self, frame: &[u8]) -> anyhow::Result<()> {
        self.wire.send_to(frame, self.card)?;
        Ok(())
    }

    fn ask(&self, script: &str) -> anyhow::Result<Output> {
        let mut ssh = Command::new("ssh");
        ssh.arg("-i").arg(self.folder.path().join("key")).args(["-p", &self.ssh.to_string()]);
        for option in ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
        {
            ssh.args(["-o", option]);
        }
        ssh.args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "admin@127.0.0.1", script]);
        tools::output(&mut ssh, "apt-get install openssh-client")
    }

    /// The last of what it said on its console.
    fn console(&self) -> String {
        let said = fs::read(self.folder.path().join("console.log")).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<_> = said.lines().rev().take(40).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// qemu, by KVM where that can be used.
fn qemu() -> (bool, Command) {
    let is_fast = OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok();
    let mut qemu = Command::new("qemu-system-x86_64");
    let how = if is_fast { ["q35,accel=kvm", "host"] } else { ["q35,accel=tcg", "max"] };
    qemu.args(["-nodefaults", "-machine", how[0], "-cpu", how[1]]);
    (is_fast, qemu)
}

/// What vSphere tells of the template's properties.
fn environment(key: &str) -> String {
    let gateway = "10.0.2.2";
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:oe="http://schemas.dmtf.org/ovf/environment/1">
  <PropertySection>
    <Property oe:key="hostname" oe:value="{HOST_NAME}"/>
    <Property oe:key="public-keys" oe:value="{key}"/>
    <Property oe:key="address" oe:value="{ADDRESS}/24"/>
    <Property oe:key="gateway" oe:value="{gateway}"/>
    <Property oe:key="dns" oe:value="10.0.2.3,10.0.2.4"/>
  </PropertySection>
</Environment>
"#
    )
}
