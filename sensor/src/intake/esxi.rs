//! What messages of ESXi, vCenter and NSX say.

use super::syslog::Message;
use crate::event::{GuestOperation, Operation, Said, Service};

/// What a message says, and which program says it. None when it says nothing that is asked for.
pub fn read(message: &Message<'_>) -> Option<(Service, Said)> {
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
        vm: vm.into(),
        account: None,
        client: None,
        is_refused: false,
        event: number.parse().ok(),
        also: Vec::new(),
    };
    Some((service, Said::GuestOperation(Box::new(operation))))
}
