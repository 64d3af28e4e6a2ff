//! Which addresses an interface was given, by what made it or the machine that has it.

use super::halves;
use crate::event::Said;
use crate::intake::audit::providers::field::Field;

/// Addresses of one call at most.
const MAX: usize = 256;

/// What a call tells of addresses; nothing where it is no such call, or failed.
pub(super) fn read(record: Field<'_>, call: &str) -> Vec<Said> {
    let (_, response) = halves(record, call);
    let mut said = Vec::new();
    if call.eq_ignore_ascii_case("CreateNetworkInterface") {
        interface(response.at("networkInterface"), &mut said);
    } else if call.eq_ignore_ascii_case("RunInstances") {
        for machine in response.at("instancesSet").items() {
            for one in machine.at("networkInterfaceSet").items() {
                interface(one, &mut said);
            }
        }
    }
    said
}

fn interface(interface: Field<'_>, said: &mut Vec<Said>) {
    let Some(id) = interface.at("networkInterfaceId").name() else { return };
    let first = interface.at("privateIpAddress").address();
    let more = interface.at("privateIpAddressesSet").items();
    let more = more.filter_map(|item| item.at("privateIpAddress").address());
    let v6 = interface.at("ipv6AddressesSet").items();
    let v6 = v6.filter_map(|item| item.at("ipv6Address").address());
    for address in first.into_iter().chain(more.filter(|more| Some(*more) != first)).chain(v6) {
        if said.len() < MAX {
            said.push(Said::Address { id: id.clone(), address });
        }
    }
}
