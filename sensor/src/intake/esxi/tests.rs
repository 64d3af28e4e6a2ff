//! Messages as hosts, vCenter and NSX write them. The bodies are made by hand in forms that were seen.

use std::net::IpAddr;

use super::*;

mod conversations;
mod corpus;
mod estate;
#[expect(clippy::arithmetic_side_effects, reason = "what is computed comes from no message")]
mod mutated;
mod operations;
mod sessions;

/// A message with nothing in its header but the program.
pub(super) fn message<'a>(program: &'a str, body: &'a str) -> Message<'a> {
    Message {
        time: None,
        host: Some("esx1"),
        facility: None,
        program,
        body,
        is_cut: false,
        is_continuation: false,
    }
}

fn said(program: &str, body: &str) -> Option<Said> {
    read(&message(program, body)).map(|told| told.said)
}

fn ip(address: &str) -> IpAddr {
    address.parse().unwrap()
}
