//! What both sides say before TLS: the first byte of each piece tells who speaks and for how long.

#![no_main]

use egret::decode::starttls::{Beginning, Dialogue, Role, Step, begins};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut dialogue = match begins(bytes.get(1..).unwrap_or_default()) {
        Beginning::Of(protocol, _) => Dialogue::new(protocol),
        Beginning::No | Beginning::Undecided => return,
    };
    let mut rest = bytes;
    while let Some((&head, behind)) = rest.split_first() {
        let role = if head & 0x80 == 0 { Role::Client } else { Role::Server };
        let (piece, next) = behind.split_at(behind.len().min(usize::from(head & 0x7f)));
        match dialogue.read(role, piece) {
            Step::Used(used) => assert!(used <= piece.len() && (used > 0 || piece.is_empty())),
            Step::Want(total) => assert!(total > piece.len()),
            Step::Over => return,
        }
        let _ = (dialogue.carrier(), dialogue.is_refused());
        rest = next;
    }
});
