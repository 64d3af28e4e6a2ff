//! vCenter: its events, and the tasks it is called for.
//!
//! An event is `Event [key] [part-parts] [time] [class] [severity] [user] [datacenter] [chain] [text]`.
//! A long one is split: further parts have nothing but text and are left out, and the first lacks the
//! last bracket. The time in it is when it happened; the header has when it was written.

use crate::event::{MirrorChange, Principal, Said};
use crate::time::Timestamp;

use super::originator::{self, Head};
use super::{name, operation, placement, session, stated, vspan};

/// What vCenter, or its agent on a host, says, and when that happened.
pub(super) fn read(body: &str) -> Option<(Option<Timestamp>, Said)> {
    if body.starts_with("Event [") {
        let event = Event::read(body)?;
        let said = event.said()?;
        return Some((event.time.parse().ok(), said));
    }
    let (head, text) = originator::split(body)?;
    if head.sub == "vpxLro" { Some((None, task(&head, text)?)) } else { None }
}

/// The first part of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Event<'a> {
    key: &'a str,
    time: &'a str,
    class: &'a str,
    user: &'a str,
    datacenter: &'a str,
    text: &'a str,
}

impl<'a> Event<'a> {
    fn read(body: &'a str) -> Option<Self> {
        let (key, rest) = body.strip_prefix("Event [")?.split_once("] [")?;
        let (part, rest) = rest.split_once("] [")?;
        let parts = part.strip_prefix("1-")?;
        let (time, rest) = rest.split_once("] [")?;
        let (class, rest) = rest.split_once("] [")?;
        let (_severity, rest) = rest.split_once("] [")?;
        let (user, rest) = rest.split_once("] [")?;
        let (datacenter, text) = chained(rest)?;
        // A text over several lines, or one that was cut, has no end.
        let text = if parts == "1" { text.strip_suffix(']').unwrap_or(text) } else { text };
        Some(Self { key, time, class, user, datacenter, text })
    }

    fn said(&self) -> Option<Said> {
        let class = self.class.strip_prefix("vim.event.")?;
        match class {
            // Whose type is not in the message.
            "EventEx" | "ExtendedEvent" => {
                if let Some(mut operation) = operation::of_event(self.text) {
                    operation.account = stated(self.user);
                    operation.event = self.key.parse().ok();
                    return Some(Said::GuestOperation(Box::new(operation)));
                }
                self.session()
            }
            "UserLoginSessionEvent"
            | "UserLogoutSessionEvent"
            | "BadUsernameSessionEvent"
            | "NoAccessUserEvent" => self.session(),
            "DvsReconfiguredEvent" => self.switch(),
            "VmPoweredOnEvent"
            | "VmStartingEvent"
            | "VmMigratedEvent"
            | "DrsVmMigratedEvent"
            | "DrsVmPoweredOnEvent"
            | "VmRegisteredEvent"
            | "VmCreatedEvent" => placement::of_event(self.text),
            _ => None,
        }
    }

    fn session(&self) -> Option<Said> {
        session::of_event(self.text).map(|session| Said::Session(Box::new(session)))
    }

    /// `The vSphere Distributed Switch X in DC was reconfigured.`
    fn switch(&self) -> Option<Said> {
        let (_, text) = self.text.split_once("witch ")?;
        let (place, _) = text.split_once(" was reconfigured")?;
        let switch = match place.strip_suffix(self.datacenter) {
            Some(switch) if !self.datacenter.is_empty() => switch.strip_suffix(" in ")?,
            _ => place.rsplit_once(" in ").map_or(place, |(switch, _)| switch),
        };
        let account = stated(self.user).map(|claim| claim.account);
        let (_, changes) = text.split_once(" was reconfigured")?;
        if let Some(change) = vspan::read(changes) {
            return Some(Said::MirrorChanged(Box::new(MirrorChange {
                scope: Some(name(switch)),
                principal: account.map(Principal::named),
                record: Some(name(self.key)),
                ..change
            })));
        }
        Some(Said::SwitchReconfigured { switch: name(switch), account })
    }
}

/// Splits `datacenter] [chain] [text`: the chain is a number, and a datacenter may have any name.
fn chained(rest: &str) -> Option<(&str, &str)> {
    rest.match_indices("] [").find_map(|(at, border)| {
        let (chain, text) = rest.get(at.checked_add(border.len())?..)?.split_once("] [")?;
        let is_chain = !chain.is_empty() && chain.bytes().all(|byte| byte.is_ascii_digit());
        is_chain.then_some((rest.get(..at)?, text))
    })
}

/// `[VpxLRO] -- BEGIN lro-7 -- guestOperationsFileManager -- vim.vm.guest.….… -- session`
fn task(head: &Head<'_>, text: &str) -> Option<Said> {
    let mut parts = text.strip_prefix("[VpxLRO] -- BEGIN ")?.split(" -- ");
    let (_task, _object, method) = (parts.next()?, parts.next()?, parts.next()?);
    let mut operation = operation::of_method(method)?;
    operation.op_id = head.op_id().map(name);
    operation.session = parts.next().and_then(session::short);
    operation.account = head.user().and_then(stated);
    Some(Said::GuestOperation(Box::new(operation)))
}
