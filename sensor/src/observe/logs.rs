//! Log messages that pass on their way to somebody else (RFC 5426).

use super::{Reader, Seen, Sink};
use crate::intake::Origin;

impl Reader {
    /// A datagram to the port of syslog: one message.
    pub(super) fn log_message(&mut self, seen: &Seen<'_>, sink: &mut impl Sink) {
        let peer = seen.view.address(seen.from);
        let origin = Origin { arrival: Some(seen.at), peer: Some(peer) };
        if let Some(report) = self.logs.read(&origin, seen.bytes) {
            sink.report(report);
        }
    }
}
