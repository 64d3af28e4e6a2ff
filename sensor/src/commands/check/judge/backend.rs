//! By which way an interface will be captured from, and what is missing for a better one.

use std::fmt;

use super::super::facts::Interface;
use super::super::finding::Finding;
use crate::capture::interface::Facts;
use crate::capture::xdp::Probe;
use crate::config::Backend;
use crate::text::{printable, printable_within};

/// The most of what the kernel said of a program it refuses.
const SAID: usize = 600;

/// The largest MTU with which a frame fits into a page beside what XDP keeps there; drivers differ by
/// some bytes.
const OF_A_PAGE: u32 = 3500;

/// What an interface cannot do, and what changes that, where anything does.
struct Lack {
    text: String,
    fix: Option<String>,
}

/// The way that `egret run` takes when `asked` is in the config.
pub(super) fn way(interface: &Interface, asked: Backend) -> Backend {
    let wanted = wanted(interface, asked);
    if lack(interface, wanted).is_none() { wanted } else { Backend::AfPacket }
}

/// The way that is tried first.
const fn wanted(interface: &Interface, asked: Backend) -> Backend {
    match asked {
        Backend::Auto if interface.fast_path.in_path => Backend::Tc,
        Backend::Auto => Backend::Xdp,
        asked => asked,
    }
}

/// Judges the way of capture. `is_running`: an Egret runs on this machine.
pub(super) fn judge(interface: &Interface, asked: Backend, is_running: bool) -> Vec<Finding> {
    let name = printable(&interface.name).to_string();
    let check = "backend";
    let (wanted, way) = (wanted(interface, asked), way(interface, asked));
    if is_running && interface.fast_path.program.is_some() {
        let text = "an XDP program is on it and an Egret runs here: that one captures from it";
        return vec![Finding::ok(&name, check, text)];
    }
    let Some(lack) = lack(interface, wanted) else {
        let text = format!("{}: {}", way.name(), meaning(way, interface.fast_path.in_path));
        let mut findings = vec![Finding::ok(&name, check, text)];
        findings.extend(one_sided(&name, way, &interface.fast_path));
        return findings;
    };
    let text = format!(
        "{}: {}; not {}: {}",
        way.name(),
        meaning(way, interface.fast_path.in_path),
        wanted.name(),
        lack.text
    );
    vec![match (asked, lack.fix) {
        (Backend::Auto, None) => Finding::note(&name, check, text),
        (Backend::Auto, Some(fix)) => Finding::note(&name, check, text).fixed_by(fix),
        (_, fix) => {
            let fix = fix.unwrap_or_else(|| "capture.backend = \"auto\"".to_owned());
            Finding::problem(&name, check, text, fix)
        }
    }]
}

/// What a way of capture comes to.
fn meaning(way: Backend, in_path: bool) -> &'static str {
    match way {
        Backend::Xdp if in_path => "packets are counted in the driver and go on",
        Backend::Xdp => {
            "packets are counted in the driver and end there, but for those to this machine"
        }
        Backend::XdpGeneric => {
            "packets are counted above the driver; what segmentation offload joined counts short"
        }
        Backend::Tc => "packets are counted in the kernel, both directions, and go on",
        Backend::Pcap => "every frame is read through libpcap, by one worker",
        Backend::Auto | Backend::AfPacket => "every frame is read through a ring",
    }
}

/// XDP sees one direction of what this host itself says.
fn one_sided(name: &str, way: Backend, fast_path: &Probe) -> Option<Finding> {
    let is_xdp = matches!(way, Backend::Xdp | Backend::XdpGeneric);
    (is_xdp && fast_path.in_path).then(|| {
        let text = "this host is in the path here, and XDP sees only what arrives: of each \
                    conversation one side is missing";
        Finding::problem(name, "backend_sides", text, "capture.backend = \"tc\", or \"auto\"")
    })
}

/// What is missing for a way of capture; `None`: nothing.
fn lack(interface: &Interface, way: Backend) -> Option<Lack> {
    let fast_path = &interface.fast_path;
    let refused = match way {
        Backend::Xdp | Backend::XdpGeneric => fast_path.xdp.as_ref().err(),
        Backend::Tc => fast_path.tc.as_ref().err(),
        Backend::Auto | Backend::AfPacket | Backend::Pcap => return None,
    };
    if !fast_path.ethernet {
        let text = "the kernel program reads Ethernet, and this interface has other frames";
        return Some(Lack { text: text.to_owned(), fix: None });
    }
    if let Some(why) = refused {
        return Some(Lack { text: printable_within(why, SAID).to_string(), fix: None });
    }
    if way == Backend::Tc {
        return (fast_path.tcx == Some(false)).then(|| Lack {
            text: "this kernel has no tcx, which came with Linux 6.6".to_owned(),
            fix: None,
        });
    }
    let name = printable(&interface.name);
    if let Some(id) = fast_path.program {
        let text = format!("another program (id {id}) is there, and XDP takes only one");
        let fix = format!(
            "bpftool prog show id {id} says whose it is; if nobody needs it: sudo ip link set dev \
             {name} xdp off"
        );
        return Some(Lack { text, fix: Some(fix) });
    }
    if way == Backend::Xdp { native(fast_path, &interface.facts, &name) } else { None }
}

/// What a driver lacks to run XDP programs.
fn native(fast_path: &Probe, facts: &Facts, name: impl fmt::Display) -> Option<Lack> {
    if fast_path.native == Some(false) {
        let driver = facts.driver.as_deref().unwrap_or("of this interface");
        let text = format!(
            "the driver {} runs no XDP programs; xdp-generic, above the driver, counts frames that \
             segmentation offload joined short",
            printable(driver)
        );
        return Some(Lack { text, fix: None });
    }
    let mtu = facts.mtu.filter(|mtu| *mtu > OF_A_PAGE)?;
    (fast_path.scattered == Some(false)).then(|| Lack {
        text: format!(
            "with MTU {mtu} frames are larger than a page, which its driver's XDP cannot"
        ),
        fix: Some(format!(
            "sudo ip link set {name} mtu 1500   (where no jumbo frames are mirrored)"
        )),
    })
}

#[cfg(test)]
mod tests;
