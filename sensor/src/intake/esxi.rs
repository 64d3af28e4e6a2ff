//! What messages of ESXi, vCenter and NSX say.
//!
//! Whoever can log in, name a virtual machine or run one chooses part of what is logged. So a text
//! counts only where its program writes it: at the start of what a message says, behind the head
//! of the part of the program that it comes from. Nothing is copied before a message is understood.

#![deny(clippy::arithmetic_side_effects)]

use super::name;
use super::syslog::Message;
use crate::account;
use crate::event::{Basis, Claim, Said, Service};
use crate::time::Timestamp;

mod audit;
mod element;
mod gaps;
mod host;
mod hostd;
mod nsx;
mod operation;
mod originator;
mod placement;
mod proxy;
mod session;
mod shell;
mod sso;
mod vpxd;
mod vspan;

pub use gaps::Gaps;

/// What a message tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Which program does.
    pub service: Service,
    /// When it happened, where the message says so besides its header: vCenter writes events later.
    pub stated: Option<Timestamp>,
    /// What happened.
    pub said: Said,
}

/// Programs by the names they log under, in any case.
const PROGRAMS: [(&str, Service); 17] = [
    ("hostd", Service::Hostd),
    ("vpxa", Service::Vpxa),
    ("vpxd", Service::Vpxd),
    ("vobd", Service::Vobd),
    ("vmkernel", Service::Vmkernel),
    ("vmkwarning", Service::Vmkernel),
    ("envoy", Service::Proxy),
    ("envoy-access", Service::Proxy),
    ("rhttpproxy", Service::Proxy),
    ("sso", Service::Sso),
    ("websso", Service::Sso),
    ("ssoadminserver", Service::Sso),
    ("sshd", Service::Shell),
    ("shell", Service::Shell),
    ("firewall-pktlog", Service::Nsx),
    ("dfwpktlogs", Service::Nsx),
    ("nsx", Service::Nsx),
];

/// What a message says. None when that is nothing that is asked for.
pub fn read(message: &Message<'_>) -> Option<Told> {
    let told = |service, said| Told { service, stated: None, said };
    let body = message.body.trim_start_matches(' ');
    if element::is_audit(body) {
        return Some(told(Service::Audit, audit::read(body)?));
    }
    match service(message.program)? {
        Service::Hostd => Some(told(Service::Hostd, hostd::read(body)?)),
        service @ (Service::Vpxd | Service::Vpxa) => {
            let (stated, said) = vpxd::read(body)?;
            Some(Told { service, stated, said })
        }
        Service::Vobd => Some(told(Service::Vobd, shell::observed(body)?)),
        Service::Proxy => Some(told(Service::Proxy, proxy::read(body)?)),
        Service::Sso => Some(told(Service::Sso, sso::read(body)?)),
        Service::Shell => Some(told(Service::Shell, shell::read(body)?)),
        Service::Nsx => Some(told(Service::Nsx, nsx::read(body)?)),
        // The kernel knows of no connection, and audit records were looked for.
        Service::Vmkernel | Service::Audit => None,
        // They have no messages in syslog, or none by a program's name.
        Service::Device
        | Service::CloudTrail
        | Service::FlowLog
        | Service::Gcp
        | Service::Azure
        | Service::Vcenter
        | Service::NetFlow
        | Service::Ipfix
        | Service::SFlow
        | Service::Netfilter
        | Service::Pf => None,
    }
}

fn service(program: &str) -> Option<Service> {
    let named = |(name, _): &&(&str, Service)| name.eq_ignore_ascii_case(program);
    PROGRAMS.iter().find(named).map(|(_, service)| *service)
}

/// An account that the message itself names.
fn stated(account: &str) -> Option<Claim> {
    Some(Claim { account: account::spelled(account)?.into(), basis: Basis::Stated })
}

#[cfg(test)]
mod tests;
