//! What is the case: asked of the system here, judged elsewhere.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::capture::interface::{Facts, Link};
use crate::capture::xdp::Probe;

pub(super) mod files;
pub(super) mod machine;
pub(super) mod nats;
pub(super) mod services;
pub(super) mod traffic;

/// The machine and this process on it.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    /// The kernel's release, such as `6.1.0-18-amd64`.
    pub(super) kernel: String,
    /// What opening a packet socket came to.
    pub(super) packet_socket: Result<(), io::ErrorKind>,
    /// Whether the kernel has its types at hand (`/sys/kernel/btf/vmlinux`).
    pub(super) btf: bool,
    /// Whether this process may open packet sockets: CAP_NET_RAW is in its effective set.
    pub(super) net_raw: Option<bool>,
    /// Of the capabilities that the fast path needs, those that are not in its effective set.
    pub(super) lacking: Vec<&'static str>,
    /// This program's file.
    pub(super) program: PathBuf,
    /// Whether the kernel says that its clock follows a reference.
    pub(super) clock_synchronised: bool,
    /// Bytes of memory that can be had without swapping.
    pub(super) memory: Option<u64>,
    /// Cores this process may use.
    pub(super) cores: usize,
}

/// `sensor.data_dir`.
#[derive(Debug, Clone)]
pub(super) struct DataDir {
    pub(super) path: PathBuf,
    /// What it is.
    pub(super) state: Place,
    /// Bytes free on its file system for those without privileges.
    pub(super) free: Option<u64>,
    /// The database in it.
    pub(super) database: Database,
}

/// What a directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A directory that this user can write to.
    Writable,
    /// A directory that this user cannot write to.
    ReadOnly,
    /// Not there; whether it could be made.
    Missing {
        /// Whether the directory above can be written to.
        can_be_made: bool,
    },
    /// Something else.
    NoDirectory,
}

/// What the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Database {
    /// There is none yet.
    None,
    /// It can be read: its size in bytes, and the assets in it that something was learned of.
    Good {
        /// Bytes of its file.
        bytes: u64,
        /// Assets with a baseline.
        learned: u64,
        /// Assets that were imported.
        imported: u64,
    },
    /// Its file is damaged, and why.
    Damaged(String),
    /// It cannot be looked at, and why.
    Closed(String),
}

/// A file that the config names.
#[derive(Debug, Clone)]
pub(super) struct NamedFile {
    /// The key that names it.
    pub(super) key: &'static str,
    pub(super) path: PathBuf,
    /// What reading it came to: whether it holds anything.
    pub(super) content: Result<Content, String>,
    /// Whether it is a secret that others on this machine can read.
    pub(super) exposed: bool,
}

/// Whether there is anything in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Something,
    Nothing,
}

/// `http.listen`.
#[derive(Debug, Clone)]
pub(super) struct Listen {
    pub(super) address: SocketAddr,
    pub(super) state: Port,
}

/// What listening on an address would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Port {
    Free,
    /// A running Egret has it.
    Egret,
    /// Another program has it.
    Taken,
    /// Somebody has it, and behind TLS does not say who.
    Hidden,
    /// It needs a privilege.
    Privileged,
    /// No interface has this address.
    NotHere,
    /// Something else.
    Failed(String),
}

/// One interface.
#[derive(Debug, Clone)]
pub(super) struct Interface {
    pub(super) name: String,
    /// `None`: there is no such interface.
    pub(super) link: Option<Link>,
    pub(super) facts: Facts,
    /// What it can have of the fast path.
    pub(super) fast_path: Probe,
    /// What there is.
    pub(super) others: Vec<String>,
}
