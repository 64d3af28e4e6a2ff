//! Network namespaces and what connects them: made by a test, gone with it, also when it panics.
//!
//! Needs root, `ip` and `tc`; [`missing`] says what a machine lacks.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

mod backbone;
mod lab;
mod link;
mod live_frames;
mod mirror;
mod program;
#[cfg(test)]
mod tests;

pub use backbone::Backbone;
pub use lab::{Host, Lab, Mirrored};
pub use link::{Counters, veth};
pub use live_frames::LiveFrames;
pub use mirror::mirror;
pub use program::Program;

/// What names of namespaces begin with; the process that made one and a number follow.
const PREFIX: &str = "egret-test";

/// Why there can be no namespaces here, if so.
pub fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("network namespaces need root".to_owned());
    }
    ["ip", "tc", "ethtool"].into_iter().find_map(|tool| {
        Command::new(tool).arg("--version").output().err().map(|error| format!("{tool}: {error}"))
    })
}

/// A network namespace with its loopback up and IPv6 off: nothing speaks in it unasked.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// A new one; `role` is the end of its name.
    ///
    /// # Panics
    /// When the machine does not allow it.
    pub fn new(role: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        if count == 0 {
            remove_left_over();
        }
        let name = format!("{PREFIX}-{}-{count}-{role}", std::process::id());
        run(Command::new("ip").args(["netns", "add", &name]));
        let namespace = Self { name };
        namespace.enter(|| {
            for which in ["all", "default"] {
                let path = format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6");
                // Where the kernel has no IPv6 at all, there is nothing to turn off.
                let _ = fs::write(path, "1");
            }
        });
        namespace.ip("link set lo up");
        namespace
    }

    /// Its name, as `ip netns` has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A program that will run in it. It dies with the thread that started it.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, "setpriv", "--pdeathsig", "KILL"]);
        command.arg(program);
        command
    }

    /// A way into it, for whoever does not own it.
    pub fn door(&self) -> Door {
        Door(File::open(Path::new("/run/netns").join(&self.name)).expect("it was added").into())
    }

    /// Does `work` in it; see [`Door::enter`].
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.door().enter(work)
    }

    /// `ip` with these arguments, separated by spaces, in this namespace.
    ///
    /// # Panics
    /// With what it said, when it fails.
    pub fn ip(&self, arguments: &str) -> String {
        run(Command::new("ip").args(["-n", &self.name]).args(arguments.split_whitespace()))
    }

    /// `tc` likewise.
    ///
    /// # Panics
    /// With what it said, when it fails.
    pub fn tc(&self, arguments: &str) -> String {
        run(Command::new("tc").args(["-n", &self.name]).args(arguments.split_whitespace()))
    }

    /// Names are looked up at `server` by whatever runs in it.
    pub fn resolve_at(&self, server: std::net::IpAddr) {
        let folder = self.settings();
        fs::create_dir_all(&folder).expect("root may write to /etc");
        let text = format!("nameserver {server}\noptions attempts:5 timeout:1\n");
        fs::write(folder.join("resolv.conf"), text).expect("the folder was made");
    }

    /// What `ip netns exec` lays over `/etc`.
    fn settings(&self) -> PathBuf {
        Path::new("/etc/netns").join(&self.name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.settings());
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).output();
    }
}

/// A way into a namespace, which lives as long as someone has one.
#[derive(Debug, Clone)]
pub struct Door(Arc<File>);

impl Door {
    /// Does `work` on a thread in the namespace: sockets it opens belong there, for good.
    ///
    /// # Panics
    /// When `work` does.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                self.pass();
                work()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Moves the calling thread, for good.
    pub(crate) fn pass(&self) {
        let kind = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(self.0.as_fd(), kind).expect("root may enter");
    }
}

/// Namespaces of processes that were killed before they could clean up.
fn remove_left_over() {
    let Ok(entries) = fs::read_dir("/run/netns") else { return };
    for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').nth(1));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            drop(Namespace { name });
        }
    }
}

/// Runs a command to its end; gives its output.
///
/// # Panics
/// With what it said, when it fails.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
