//! A virtual machine of qemu's, near to what ESXi would make: UEFI, two VMXNET3 cards, the properties of the
//! OVF template on an ISO, and PVSCSI, by which only a second disk hangs: qemu's firmware cannot start from it.

use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

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

        let wire = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let card = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let ssh = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        File::create(file("second.raw"))?.set_len(16 << 20)?;
        let cables = Cables { ssh, wire: wire.local_addr()?, card };
        let (child, patience) = match with_kvm(disk, folder.path(), &cables)? {
            Some(child) => (child, Duration::from_secs(180)),
            None => {
                println!("booting in qemu, emulated: KVM is not here, or cannot run firmware");
                (spawn(EMULATED, disk, folder.path(), &cables)?, Duration::from_secs(1500))
            }
        };
        Ok(Self { child, folder, ssh, wire, card, patience })
    }

    /// What a command says there; an error when it fails.
    pub(super) fn run(&self, script: &str) -> anyhow::Result<String> {
        tools::answer(script, &self.ask(script)?)
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

/// Where its two cards lead.
struct Cables {
    ssh: u16,
    wire: SocketAddr,
    card: SocketAddr,
}

/// Machine and processor.
type Kind = [&'static str; 2];
const FAST: Kind = ["q35,accel=kvm", "host"];
const EMULATED: Kind = ["q35,accel=tcg", "max"];

/// Where KVM can be used. Some that are themselves in a virtual machine run no firmware, which shows at once.
fn with_kvm(disk: &Path, folder: &Path, cables: &Cables) -> anyhow::Result<Option<Child>> {
    if OpenOptions::new().read(true).write(true).open("/dev/kvm").is_err() {
        return Ok(None);
    }
    println!("booting in qemu, with KVM");
    let mut child = spawn(FAST, disk, folder, cables)?;
    sleep(Duration::from_secs(5));
    let said = fs::read_to_string(folder.join("qemu.log"))?;
    if said.contains("KVM internal error") || child.try_wait()?.is_some() {
        let _ = child.kill();
        child.wait()?;
        return Ok(None);
    }
    Ok(Some(child))
}

fn spawn(kind: Kind, disk: &Path, folder: &Path, cables: &Cables) -> anyhow::Result<Child> {
    let file = |name: &str| folder.join(name);
    let Cables { ssh, wire, card } = cables;
    let vars = Path::new(FIRMWARE).join("OVMF_VARS_4M.fd");
    fs::copy(&vars, file("vars.fd"))
        .with_context(|| format!("{}: apt-get install ovmf", vars.display()))?;
    let mut qemu = Command::new("qemu-system-x86_64");
    let [machine, processor] = kind;
    qemu.args(["-nodefaults", "-machine", machine, "-cpu", processor, "-smp", "2", "-m", "2048"]);
    qemu.args(["-display", "none", "-monitor", "none"]);
    qemu.arg("-serial").arg(format!("file:{}", file("console.log").display()));
    let pflash =
        |path: &Path, how: &str| format!("if=pflash,format=raw{how},file={}", path.display());
    let drive = |how: &str, path: &Path| format!("{how},file={}", path.display());
    qemu.arg("-drive").arg(pflash(&Path::new(FIRMWARE).join("OVMF_CODE_4M.fd"), ",readonly=on"));
    qemu.arg("-drive").arg(pflash(&file("vars.fd"), ""));
    qemu.arg("-drive").arg(drive("if=none,id=disk,snapshot=on,format=qcow2", disk));
    qemu.args(["-device", "virtio-blk-pci,drive=disk,bootindex=0"]);
    qemu.arg("-drive").arg(drive("if=none,id=second,format=raw", &file("second.raw")));
    qemu.args(["-device", "pvscsi,id=scsi", "-device", "scsi-hd,bus=scsi.0,drive=second"]);
    qemu.arg("-drive").arg(drive("media=cdrom,readonly=on", &file("env.iso")));
    qemu.arg("-netdev");
    qemu.arg(format!("user,id=management,restrict=on,hostfwd=tcp:127.0.0.1:{ssh}-{ADDRESS}:22"));
    qemu.args(["-device", "vmxnet3,netdev=management,mac=00:50:56:01:00:01", "-netdev"]);
    qemu.arg(format!("socket,id=capture,udp={wire},localaddr={card}"));
    qemu.args(["-device", "vmxnet3,netdev=capture,mac=00:50:56:01:00:02"]);
    let log = File::create(file("qemu.log"))?;
    qemu.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    qemu.spawn().context("qemu-system-x86_64 cannot be run: apt-get install qemu-system-x86")
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
