//! The ways of capture: in which order they are tried, and what people are told of it.

use std::fmt;

use super::{Backend, Direction, Live, Settings, Way};
use crate::capture::pcap::Pcap;
use crate::capture::xdp::Place;
use crate::capture::{interface, ring, xdp};

/// What those ways get wrong that see frames of segmentation offload, and are not told of what.
const JOINED: &str =
    "frames that segmentation offload joined count without the headers between them";

/// An interface to capture from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Port<'a> {
    name: &'a str,
    /// Whether frames must go on.
    in_path: bool,
    direction: Direction,
}

impl<'a> Port<'a> {
    /// As the interface of that name is now.
    ///
    /// A mirror port carries what others send, and the few frames of this host's own are noise. A
    /// host in the path is half of each conversation there. Loopback receives all that it sends.
    pub(super) fn of(name: &'a str) -> Self {
        let in_path = interface::is_in_path(name);
        let both = in_path && !interface::is_loopback(name);
        Self { name, in_path, direction: if both { Direction::Both } else { Direction::In } }
    }
}

/// The ways to try, best first.
pub(super) fn order(asked: Option<Backend>, port: Port<'_>) -> Vec<Backend> {
    let fastest = if port.in_path { Backend::Tc } else { Backend::Xdp };
    match asked.unwrap_or(fastest) {
        // Who asks for one of these has a reason, and there is little to fall back to.
        way @ (Backend::Ring | Backend::Pcap) => vec![way],
        way => vec![way, Backend::Ring, Backend::Pcap],
    }
}

/// An interface that was opened one way.
pub(super) struct Sources {
    pub(super) sources: Vec<Live>,
    /// Why rings do not share out what is inside tunnels.
    lack: Option<String>,
}

impl Sources {
    const fn whole(sources: Vec<Live>) -> Self {
        Self { sources, lack: None }
    }

    /// What people should know of them; nothing, if they are all that they could be.
    pub(super) fn but(&self) -> String {
        self.lack.as_ref().map_or_else(String::new, |refused| {
            format!(
                "; not by what is inside tunnels, where halves of a conversation may come to different workers: {refused}"
            )
        })
    }
}

/// Opens an interface one way.
pub(super) fn by(backend: Backend, port: Port<'_>, settings: &Settings) -> Result<Sources, String> {
    let Port { name, in_path, direction } = port;
    let place = match backend {
        Backend::Ring => {
            let (rings, refused) = ring::open(name, settings, direction)?;
            let sources = rings.into_iter().map(|ring| Live(Way::Ring(ring))).collect();
            return Ok(Sources { sources, lack: refused });
        }
        Backend::Pcap => {
            let pcap = Pcap::open(name, settings, direction)?;
            return Ok(Sources::whole(vec![Live(Way::Pcap(pcap))]));
        }
        Backend::Xdp => Place::Native { ends: !in_path },
        Backend::XdpGeneric => Place::Generic,
        Backend::Tc => Place::Tc(direction),
    };
    let (sources, ending) = xdp::open(name, settings, place)?;
    let fast = |fast| Live(Way::Fast(Box::new(fast), ending.clone()));
    Ok(Sources::whole(sources.into_iter().map(fast).collect()))
}

/// The ways that were tried without success, each with the reason.
#[derive(Debug, Default)]
pub(super) struct Tried(Vec<(Backend, String)>);

impl Tried {
    pub(super) fn push(&mut self, backend: Backend, reason: String) {
        self.0.push((backend, reason));
    }

    /// Why so many sources were opened one way, when those before failed.
    pub(super) fn why(
        &self,
        backend: Backend,
        sources: usize,
        asked: Option<Backend>,
        port: Port<'_>,
    ) -> String {
        let cause = match (self.0.is_empty(), asked) {
            (false, _) => format!("because {self}"),
            (true, Some(_)) => "as asked".to_owned(),
            (true, None) if port.in_path => "the fastest way in the path of traffic".to_owned(),
            (true, None) => "the fastest way at a mirror port".to_owned(),
        };
        format!("{}, {cause}; {}", how(backend, sources), said(backend, port))
    }
}

/// What was tried, and what came of it.
impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (backend, reason)) in self.0.iter().enumerate() {
            let between = if number == 0 { "" } else { "; " };
            let came = match backend {
                Backend::Xdp | Backend::XdpGeneric | Backend::Tc => "was refused",
                Backend::Ring | Backend::Pcap => "failed",
            };
            write!(f, "{between}{} {came}: {reason}", name(*backend))?;
        }
        Ok(())
    }
}

const fn name(backend: Backend) -> &'static str {
    match backend {
        Backend::Xdp => "XDP in the driver",
        Backend::XdpGeneric => "XDP above the driver",
        Backend::Tc => "tc",
        Backend::Ring => "the AF_PACKET ring",
        Backend::Pcap => "libpcap",
    }
}

fn how(backend: Backend, sources: usize) -> String {
    let size = ring::SIZE >> 20;
    match (backend, sources) {
        (Backend::Ring, 1) => format!("AF_PACKET ring of {size} MiB"),
        (Backend::Ring, many) => {
            format!("{many} AF_PACKET rings of {size} MiB that share conversations out")
        }
        (Backend::Pcap, _) => "libpcap with one worker".to_owned(),
        (kernel, 1) => name(kernel).to_owned(),
        (kernel, many) => format!("{} for {many} workers", name(kernel)),
    }
}

/// What is captured, and what becomes of it.
fn said(backend: Backend, port: Port<'_>) -> String {
    let arriving = "frames that arrive";
    let captured = match port.direction {
        Direction::In => arriving,
        Direction::Both => "frames that arrive and frames this host sends, which is in their path",
    };
    match backend {
        Backend::Xdp if port.in_path => format!(
            "{arriving}, which go on as this host is in their path; those that it sends are not seen, backend tc counts both"
        ),
        Backend::Xdp => format!("{arriving}, which end here unless they are for this host"),
        Backend::XdpGeneric => format!("{arriving}, which go on; {JOINED}"),
        Backend::Pcap => format!("{captured}; {JOINED}"),
        Backend::Ring | Backend::Tc => captured.to_owned(),
    }
}

#[cfg(test)]
mod tests;
