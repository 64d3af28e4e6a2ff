//! What messages of ESXi, vCenter and NSX say.

use super::syslog::Message;
use crate::event::{GuestOperation, Operation, Said, Service};
use crate::time::Timestamp;

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

/// What a message says. None when that is nothing that is asked for.
pub fn read(message: &Message<'_>) -> Option<Told> {
    let service = match message.program {
        "Hostd" | "hostd" => Service::Hostd,
        _ => return None,
    };
    let (head, text) = message.body.split_once("] Event ")?;
    if !head.contains("sub=Vimsvc.ha-eventmgr") {
        return None;
    }
    let (number, text) = text.split_once(" : ")?;
    let (operation, vm) = text
        .strip_prefix("Guest operation ")?
        .trim_end_matches('.')
        .split_once(" performed on Virtual machine ")?;
    let operation = GuestOperation {
        operation: match operation {
            "Start Program" => Operation::StartProgram,
            other => Operation::Other(other.into()),
        },
        vm: Some(vm.into()),
        account: None,
        client: None,
        is_refused: false,
        event: number.parse().ok(),
        session: None,
        op_id: None,
        also: Vec::new(),
    };
    Some(Told { service, stated: None, said: Said::GuestOperation(Box::new(operation)) })
}
