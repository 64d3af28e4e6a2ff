//! Mirrors that are sent to an address of this host: sockets that hold their ports and protocols open
//! and take nothing.
//!
//! The frames are captured on their interface like all others, tunnels and all, and no tunnel device is
//! needed. But a datagram for a port that nobody has, or a packet of a protocol that nobody speaks,
//! the kernel refuses with an ICMP message to whoever sent the mirror, one for each packet of it up to
//! its limit; exporters log that, and some stop. While these sockets are open it does not.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType, bind, ipproto, sockopt};

use super::classic;
use crate::text::reason;

/// What mirrors come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// VXLAN, to UDP port 4789.
    Vxlan,
    /// GENEVE, to UDP port 6081.
    Geneve,
    /// GRE, ERSPAN in it included.
    Gre,
}

impl Wrapping {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Vxlan, Self::Geneve, Self::Gre];

    /// Its name in the config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::Gre => "gre",
        }
    }

    const fn port(self) -> Option<u16> {
        match self {
            Self::Vxlan => Some(4789),
            Self::Geneve => Some(6081),
            Self::Gre => None,
        }
    }
}

/// Holds what mirrors are sent to, over IPv4 and, where the kernel has it, IPv6.
#[derive(Debug)]
pub struct Held {
    _sockets: Vec<OwnedFd>,
}

/// Why a mirror cannot be received.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// Somebody has the port. Then nothing is refused either, and capture goes on.
    #[error(
        "UDP port {port} is taken, by a tunnel device of the kernel or by a program: what comes there is captured all the same, and capture.receive need not name \"{}\"",
        wrapping.name()
    )]
    Taken {
        /// What comes to it.
        wrapping: Wrapping,
        /// The port.
        port: u16,
    },
    /// The kernel's own GRE refuses what none of its tunnels takes.
    #[error(
        "the kernel module ip_gre is loaded, and refuses what none of its tunnels takes whoever listens: remove it (modprobe -r ip_gre)"
    )]
    Module,
    /// It failed otherwise.
    #[error(
        "capture.receive: \"{}\" cannot be received: {}; GRE needs the capability CAP_NET_RAW",
        wrapping.name(),
        reason(source)
    )]
    Failed {
        /// What.
        wrapping: Wrapping,
        /// Why.
        source: io::Error,
    },
}

impl ReceiveError {
    /// Whether mirrors are read in spite of it.
    pub const fn is_harmless(&self) -> bool {
        !matches!(self, Self::Failed { .. })
    }
}

/// Receives mirrors of one wrapping, sent to any address of this host, for as long as what this gives
/// lives.
///
/// # Errors
/// When the port is taken, the kernel has GRE of its own, or a capability is missing.
pub fn open(wrapping: Wrapping) -> Result<Held, ReceiveError> {
    if wrapping == Wrapping::Gre && fs::exists("/sys/module/ip_gre").unwrap_or(false) {
        return Err(ReceiveError::Module);
    }
    let mut sockets = Vec::new();
    for family in [AddressFamily::INET, AddressFamily::INET6] {
        match socket(wrapping, family) {
            Ok(socket) => sockets.push(socket),
            Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {}
            Err(error) => return Err(failed(wrapping, error)),
        }
    }
    Ok(Held { _sockets: sockets })
}

fn failed(wrapping: Wrapping, source: io::Error) -> ReceiveError {
    match wrapping.port() {
        Some(port) if source.kind() == ErrorKind::AddrInUse => {
            ReceiveError::Taken { wrapping, port }
        }
        _ => ReceiveError::Failed { wrapping, source },
    }
}

/// A socket of one version of IP: what the other takes is told apart, so that neither is in the
/// other's way.
fn socket(wrapping: Wrapping, family: AddressFamily) -> io::Result<OwnedFd> {
    let (kind, protocol): (_, Protocol) = match wrapping.port() {
        Some(_) => (SocketType::DGRAM, ipproto::UDP),
        None => (SocketType::RAW, ipproto::GRE),
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, kind, flags, Some(protocol))?;
    // Before there is anything for it: not a byte of a mirror waits for nobody.
    classic::pass(socket.as_fd(), 0)?;
    sockopt::set_socket_recv_buffer_size(&socket, 0)?;
    if let Some(port) = wrapping.port() {
        let any = if family == AddressFamily::INET6 {
            sockopt::set_ipv6_v6only(&socket, true)?;
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))
        } else {
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))
        };
        bind(&socket, &any)?;
    }
    Ok(socket)
}
