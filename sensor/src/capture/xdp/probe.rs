//! What this machine and an interface of it can have of the fast path, found without touching its
//! traffic.

use aya::programs::{SchedClassifier, TcAttachType};
use egret_ebpf::action;

use super::layout::Layout;
use super::load::{Constants, OBJECT, Which, load};
use super::netlink;
use crate::capture::interface;

/// What an interface can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Whether the kernel takes the XDP program from this process; if not, why, and what to do.
    pub xdp: Result<(), String>,
    /// The same of the tc program.
    pub tc: Result<(), String>,
    /// Whether the interface has Ethernet frames, which is all that the programs read.
    pub ethernet: bool,
    /// Whether the driver runs XDP programs; `None` where the kernel does not tell (before 6.3).
    pub native: Option<bool>,
    /// Whether it does so for frames that are larger than a page; `None` likewise.
    pub scattered: Option<bool>,
    /// The id of the XDP program that is there now, whoever's it is.
    pub program: Option<u32>,
    /// Whether the kernel has tcx, where tc programs do not get into each other's way; `None` when
    /// this process may not ask.
    pub tcx: Option<bool>,
    /// Whether this host, or another through it, is reached by the interface: then frames must pass.
    pub in_path: bool,
}

/// Tries what can be tried: both programs are loaded, and neither is attached.
pub fn probe(interface: &str) -> Probe {
    let constants =
        Constants { layout: Layout::least(), mac: [0; 6], snaplen: 0, action: action::PASS };
    let tried =
        |which| load(OBJECT, which, &constants).map(drop).map_err(|error| error.to_string());
    let features = netlink::features(interface);
    Probe {
        xdp: tried(Which::Xdp),
        tc: tried(Which::Tc),
        ethernet: interface::is_ethernet(interface),
        native: features.map(|features| features.native),
        scattered: features.map(|features| features.scattered),
        program: netlink::program(interface),
        tcx: has_tcx(interface),
        in_path: interface::is_in_path(interface),
    }
}

/// A kernel without tcx does not know what is asked.
fn has_tcx(interface: &str) -> Option<bool> {
    use aya::programs::ProgramError::SyscallError;
    match SchedClassifier::query_tcx(interface, TcAttachType::Ingress) {
        Ok(_) => Some(true),
        Err(SyscallError(error)) if error.io_error.raw_os_error() == Some(libc::EINVAL) => {
            Some(false)
        }
        Err(_) => None,
    }
}
