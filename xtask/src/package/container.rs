//! A fresh Debian that systemd boots in a container without a network: as close to a new machine as a
//! machine gets in a minute.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::tools;

/// What it has besides the essential: what boots, and what the trial looks with.
const INCLUDE: &str = "systemd,systemd-sysv,dbus,man-db,curl,iproute2,bash-completion,util-linux";
/// Debian's name of the release that the package is built for.
const SUITE: &str = "bookworm";
/// How long it may take to boot, and to go down.
const PATIENCE: Duration = Duration::from_secs(90);

/// A container that runs; it goes down, and its files go, when this is dropped.
pub(super) struct Container {
    child: Child,
    /// Its process 1, as this machine numbers it.
    leader: u32,
    folder: PathBuf,
}

impl Container {
    /// Makes and boots one in a folder, with a package at `/root/egret.deb` and what that depends on in
    /// apt's cache: there is no network inside.
    pub(super) fn boot(folder: &Path, mirror: &str, package: &Path) -> anyhow::Result<Self> {
        ensure!(
            rustix::process::geteuid().is_root(),
            "a container needs root: sudo cargo xtask package --try"
        );
        remove(folder)?;
        fs::create_dir_all(folder)?;
        let root = folder.join("root");
        debian(&root, mirror, package)?;
        let log = File::create(folder.join("boot.log"))?;
        let child = Command::new("systemd-nspawn")
            .args(["--quiet", "--boot", "--machine=egret-try", "--register=no", "--keep-unit"])
            .args(["--private-network", "--console=read-only", "--directory"])
            .arg(&root)
            // As on a machine of its own.
            .args(["--capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN,CAP_NET_RAW"])
            .args([
                "--system-call-filter=bpf perf_event_open @memlock",
                "--rlimit=RLIMIT_MEMLOCK=infinity",
            ])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("systemd-nspawn cannot be run: apt-get install systemd-container")?;
        let mut container = Self { child, leader: 0, folder: folder.to_owned() };
        container.await_boot()?;
        Ok(container)
    }

    /// What a script says, by bash as root; an error when it fails.
    pub(super) fn run(&self, script: &str) -> anyhow::Result<String> {
        tools::answer(
            script,
            &tools::output(&mut self.shell(script), "apt-get install util-linux")?,
        )
    }

    /// The first that a script says which is as it should be; an error with what it said last when that
    /// takes too long.
    pub(super) fn until(
        &self,
        script: &str,
        good: impl Fn(&str) -> bool,
    ) -> anyhow::Result<String> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let said = self.run(script)?;
            if good(&said) {
                return Ok(said);
            }
            ensure!(Instant::now() < end, "{script}\nstill says\n{said}");
            sleep(Duration::from_millis(200));
        }
    }

    fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args([
            "--target",
            &self.leader.to_string(),
            "--all",
            "env",
            "-i",
            "HOME=/root",
            "LANG=C.UTF-8",
        ]);
        command.args(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"]);
        command.args(["bash", "-euo", "pipefail", "-c", script]);
        command
    }

    fn await_boot(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        while Instant::now() < end {
            sleep(Duration::from_millis(200));
            if let Some(status) = self.child.try_wait()? {
                let said = fs::read_to_string(self.folder.join("boot.log"))?;
                bail!("systemd-nspawn ended with {status}\n{said}");
            }
            let leader = fs::read_to_string(&children).unwrap_or_default();
            let Some(Ok(leader)) = leader.split_whitespace().next().map(str::parse) else {
                continue;
            };
            self.leader = leader;
            // `degraded` would do for a Debian, and is not what this one is.
            let state =
                tools::output(&mut self.shell("systemctl is-system-running"), "util-linux")?;
            if state.stdout.starts_with(b"running") {
                return Ok(());
            }
        }
        bail!("the container did not boot: {}", self.folder.join("boot.log").display())
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.run("systemctl poweroff --no-block");
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            sleep(Duration::from_millis(100));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Err(error) = remove(&self.folder.join("root")) {
            eprintln!("{}: {error}", self.folder.display());
        }
    }
}

fn debian(root: &Path, mirror: &str, package: &Path) -> anyhow::Result<()> {
    let mut mmdebstrap = Command::new("mmdebstrap");
    mmdebstrap.args(["--quiet", "--variant=minbase", "--mode=root", "--include", INCLUDE]);
    mmdebstrap.args([
        "--aptopt=Acquire::Languages \"none\"",
        "--dpkgopt=force-unsafe-io",
        "--skip=cleanup/apt",
    ]);
    mmdebstrap.arg(format!("--customize-hook=copy-in '{}' /root", package.display()));
    mmdebstrap.arg("--customize-hook=mv \"$1\"/root/egret_*.deb \"$1\"/root/egret.deb");
    mmdebstrap.arg(
        "--customize-hook=chroot \"$1\" apt-get install --yes --download-only --no-install-recommends \
         /root/egret.deb >/dev/null",
    );
    tools::run(mmdebstrap.arg(SUITE).arg(root).arg(mirror), "apt-get install mmdebstrap")
}

fn remove(folder: &Path) -> std::io::Result<()> {
    if folder.exists() { fs::remove_dir_all(folder) } else { Ok(()) }
}
