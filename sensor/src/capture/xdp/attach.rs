//! A program on an interface, by links: they end with whoever holds them, so that nothing is left
//! behind, and never take another program's place.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use aya::programs::loaded_programs;

use super::link::{self, Hook};
use super::parts::Attached;
use super::{netlink, rights};
use crate::capture::interface::{self, Facts};
use crate::capture::live::NEEDS;
use crate::capture::ring::Hold;
use crate::text::reason;

/// A program that runs on an interface, which is promiscuous meanwhile.
#[derive(Debug)]
pub(super) struct Attachment {
    links: Mutex<Vec<OwnedFd>>,
    hold: Hold,
}

impl Attachment {
    /// Has the program run at each of these places.
    ///
    /// # Errors
    /// A sentence for people: what the kernel or the driver said, and what to do.
    pub(super) fn new(
        program: &impl AsFd,
        interface: &str,
        hooks: &[Hook],
    ) -> Result<Self, String> {
        let index = interface::index(interface).ok_or_else(|| interface::missing(interface))?;
        let hold = Hold::new(index).map_err(|error| promiscuous(&error))?;
        let link = |hook: &Hook| {
            link::create(program, index, *hook).map_err(|error| refusal(interface, *hook, &error))
        };
        let links = hooks.iter().map(link).collect::<Result<_, _>>()?;
        Ok(Self { links: Mutex::new(links), hold })
    }
}

impl Attached for Attachment {
    fn detach(&self) {
        self.links.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn is_gone(&self) -> bool {
        self.hold.is_gone()
    }
}

fn promiscuous(error: &io::Error) -> String {
    let said = format!("promiscuous mode failed: {}", reason(error));
    if error.raw_os_error() == Some(libc::EPERM) { format!("{said}; {NEEDS}") } else { said }
}

/// Why a program does not run there, and what to do about it.
fn refusal(interface: &str, hook: Hook, error: &io::Error) -> String {
    let said = reason(error);
    let is_xdp = matches!(hook, Hook::Native | Hook::Generic);
    match error.raw_os_error() {
        Some(libc::EBUSY | libc::EEXIST) if is_xdp => occupied(interface),
        Some(libc::EOPNOTSUPP) if hook == Hook::Native => without_native(interface),
        Some(libc::ERANGE) if is_xdp => {
            let mtu = Facts::of(interface).mtu.unwrap_or_default();
            format!(
                "the MTU of {mtu} is too large for XDP in this driver; ip link set {interface} mtu 1500, if no larger frames are mirrored"
            )
        }
        Some(libc::ENOMEM | libc::ENOSPC) if is_xdp => {
            format!(
                "the driver has no memory or no queues left for it: {said}; ethtool -L {interface} sets fewer queues"
            )
        }
        Some(libc::EINVAL) if is_xdp => {
            format!(
                "the driver does not take it as the interface is set up now: {said}; the kernel's log (dmesg) may say what is in the way"
            )
        }
        Some(libc::EINVAL) => "this kernel has no tcx, which comes with Linux 6.6".to_owned(),
        Some(libc::EPERM | libc::EACCES) => match rights::missing() {
            Some(missing) => format!("{said}; {missing}"),
            None => said,
        },
        _ => said,
    }
}

/// Whose program is there; its name only root is told.
fn occupied(interface: &str) -> String {
    let Some(id) = netlink::program(interface) else {
        return "another XDP program is there in another mode; Egret never replaces one".to_owned();
    };
    let program = loaded_programs().filter_map(Result::ok).find(|program| program.id() == id);
    let name = program.as_ref().and_then(|program| program.name_as_str());
    let name = name.map_or_else(String::new, |name| format!(", {name}"));
    format!(
        "another XDP program (id {id}{name}) is there, and Egret never replaces one; frames that it ends are seen by nobody else"
    )
}

fn without_native(interface: &str) -> String {
    let driver = Facts::of(interface).driver;
    let driver =
        driver.map_or_else(|| "its driver".to_owned(), |name| format!("the driver {name}"));
    if netlink::features(interface).is_some_and(|features| features.native) {
        return format!(
            "{driver} has it, but not with the offloads that are on; ethtool -K {interface} lro off rx-gro-hw off"
        );
    }
    format!("{driver} has none")
}
