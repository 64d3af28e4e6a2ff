//! Opening the rings of an interface, step by step, each with what to do when it fails.

use std::io;

use libc::sock_filter;

use super::memory::Memory;
use super::socket::{Group, Socket};
use super::{BLOCK, BLOCKS, Ring, fanout};
use crate::capture::live::{Direction, NEEDS, Settings};
use crate::capture::{LinkType, interface};
use crate::text::reason;
use crate::time::Timestamp;

/// As large as a super-frame gets; a snap length from here on cuts nothing.
const WHOLE: u32 = 65_535;

/// `ARPHRD_RAWIP`.
const RAW_IP: u16 = 519;

/// Opens one ring a worker; and says why these do not share frames out by what is inside tunnels, if
/// that was refused.
///
/// # Errors
/// A sentence for people: which step failed, why, and what to do.
pub(in crate::capture) fn open(
    interface: &str,
    settings: &Settings,
    direction: Direction,
) -> Result<(Vec<Ring>, Option<String>), String> {
    match rings(interface, settings, direction, Some(fanout::program)) {
        Ok(rings) => Ok((rings, None)),
        // Whoever is in a group stays there: this takes new sockets.
        Err(refused) => Ok((rings(interface, settings, direction, None)?, Some(refused))),
    }
}

/// The rings, which share frames out by a program for the link type, or else by the kernel's hash. No
/// frame comes to any of them before all are there, so that no flow begins at one and goes on at
/// another.
fn rings(
    interface: &str,
    settings: &Settings,
    direction: Direction,
    program: Option<fn(LinkType) -> Vec<sock_filter>>,
) -> Result<Vec<Ring>, String> {
    let index = interface::index(interface).ok_or_else(|| interface::missing(interface))?;
    let mut rings = Vec::new();
    let mut group = None;
    for _ in 0..settings.workers.max(1) {
        let ring = one(index, direction)?;
        if settings.workers > 1 {
            join(&ring, &mut group, program).map_err(|error| grouped(interface, &error))?;
        }
        rings.push(ring);
    }
    let length = if settings.snaplen < WHOLE { settings.snaplen } else { u32::MAX };
    for ring in &rings {
        ring.socket.pass(length).map_err(|error| step("letting frames pass", &error))?;
    }
    Ok(rings)
}

fn one(index: u32, direction: Direction) -> Result<Ring, String> {
    let socket = Socket::new().map_err(|error| opening(&error))?;
    socket.set_format().map_err(|error| step("choosing TPACKET_V3", &error))?;
    socket.set_direction(direction).map_err(|error| step("choosing a direction", &error))?;
    socket.make_ring().map_err(|error| memory(&error))?;
    let memory = Memory::map(&socket).map_err(|error| memory(&error))?;
    socket.bind(index).map_err(|error| step("listening to the interface", &error))?;
    let hardware = socket.hardware().map_err(|error| step("asking for the link type", &error))?;
    let link = link(hardware)?;
    socket.be_promiscuous(index).map_err(|error| step("promiscuous mode", &error))?;
    Ok(Ring {
        memory,
        socket,
        link,
        block: 0,
        walk: None,
        last: Timestamp::ZERO,
        frames: 0,
        bytes: 0,
        truncated: 0,
        invalid: 0,
        dropped: 0.into(),
    })
}

fn join(
    ring: &Ring,
    group: &mut Option<Group>,
    program: Option<fn(LinkType) -> Vec<sock_filter>>,
) -> io::Result<()> {
    match *group {
        Some(group) => ring.socket.join_group(group),
        None => {
            let program = program.map(|program| program(ring.link));
            *group = Some(ring.socket.found_group(program.as_deref())?);
            Ok(())
        }
    }
}

/// The link type for hardware of an `ARPHRD_` number, where the ring has one frame format for it.
fn link(hardware: u16) -> Result<LinkType, String> {
    match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Ok(LinkType::ETHERNET),
        RAW_IP | libc::ARPHRD_NONE | libc::ARPHRD_TUNNEL | libc::ARPHRD_SIT => Ok(LinkType::RAW),
        other => Err(format!(
            "the AF_PACKET ring reads Ethernet and bare IP, and this interface is of hardware type {other}; try --backend pcap"
        )),
    }
}

fn opening(error: &io::Error) -> String {
    let step = step("opening an AF_PACKET socket", error);
    match error.raw_os_error() {
        Some(libc::EPERM) => format!("{step}; {NEEDS}"),
        _ => step,
    }
}

fn step(what: &str, error: &io::Error) -> String {
    format!("{what} failed: {}", reason(error))
}

fn memory(error: &io::Error) -> String {
    let size = (BLOCK * BLOCKS) >> 20;
    format!("a ring of {size} MiB failed: {}; fewer capture.workers need less", reason(error))
}

fn grouped(interface: &str, error: &io::Error) -> String {
    let step = step("sharing frames between workers", error);
    match interface::Link::of(interface) {
        // Kernels before 6.13 let only sockets of a running interface join.
        Some(link) if !link.up => {
            format!("{step}; the interface is down: ip link set {interface} up")
        }
        _ => step,
    }
}
