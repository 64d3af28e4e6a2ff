//! DNS messages, over UDP and TCP.

use super::{Reader, Seen, Sink, Wanted};
use crate::decode::dns::{self, DnsError};
use crate::decode::progress::Progress;
use crate::event::{App, Body, DnsMessage, DnsTransport, Event};
use crate::flow::Verdict;

/// The DNS transport that a flow's ports speak of; TCP has the same ports (RFC 7766, 6762, 4795).
#[inline]
pub(super) fn transport(seen: &Seen<'_>) -> Option<DnsTransport> {
    match (seen.view.port(seen.from), seen.view.port(seen.from.reverse())) {
        (dns::PORT, _) | (_, dns::PORT) => Some(DnsTransport::Udp),
        (dns::MDNS_PORT, _) | (_, dns::MDNS_PORT) => Some(DnsTransport::Mdns),
        (dns::LLMNR_PORT, _) | (_, dns::LLMNR_PORT) => Some(DnsTransport::Llmnr),
        _ => None,
    }
}

impl Reader {
    /// DNS over TCP (RFC 7766): one message behind the other, each with its length.
    pub(super) fn dns_stream(&mut self, seen: &Seen<'_>, sink: &mut impl Sink) -> Verdict {
        match dns::tcp_message(seen.bytes) {
            Progress::Complete { value, used } => {
                match self.dns_read(value, DnsTransport::Tcp) {
                    Ok(message) => self.dns_message(seen, message, sink),
                    // Whatever this is, the lengths that follow will not be DNS's.
                    Err(_) => {
                        self.counts.dns_refused += 1;
                        return Verdict::Enough(None);
                    }
                }
                Verdict::Used(used)
            }
            Progress::NeedMore(_) if !seen.more => {
                let rest = seen.bytes.get(2..).unwrap_or_default();
                if let Ok(message) = self.dns_read(rest, DnsTransport::Tcp) {
                    self.dns_message(seen, message, sink);
                }
                Verdict::Skip
            }
            Progress::NeedMore(total) => Verdict::Want(total),
            Progress::Refused(_) => {
                self.counts.dns_refused += 1;
                Verdict::Enough(None)
            }
        }
    }

    /// DNS in a datagram.
    #[inline]
    pub(super) fn dns_datagram(
        &mut self,
        seen: &Seen<'_>,
        transport: DnsTransport,
        sink: &mut impl Sink,
    ) {
        let bytes = seen.bytes;
        if !dns::looks_like_dns(bytes) {
            self.counts.dns_refused += 1;
            return;
        }
        let says_something = || dns::has_answers(bytes) || dns::is_name_error(bytes);
        if self.wanted == Wanted::ForDetectors && !says_something() {
            // Most messages are questions, or say that there is nothing: nobody asks for more.
            if dns::is_response(bytes) {
                self.counts.response(dns::rcode(bytes));
            } else {
                self.counts.dns_requests += 1;
            }
            return;
        }
        match self.dns_read(bytes, transport) {
            Ok(message) => self.dns_message(seen, message, sink),
            Err(_) => self.counts.dns_refused += 1,
        }
    }

    /// As much of a message as events show.
    fn dns_read(&self, bytes: &[u8], transport: DnsTransport) -> Result<DnsMessage, DnsError> {
        match self.wanted {
            Wanted::All => dns::whole_message(bytes, transport),
            Wanted::ForDetectors => dns::message(bytes, transport),
        }
    }

    fn dns_message(&mut self, seen: &Seen<'_>, mut message: DnsMessage, sink: &mut impl Sink) {
        seen.view.speaks(match message.transport {
            DnsTransport::Udp | DnsTransport::Tcp => App::Dns,
            DnsTransport::Mdns => App::Mdns,
            DnsTransport::Llmnr => App::Llmnr,
        });
        // Who asks is the client, whatever the ports say; a multicast responder asks nobody.
        let client = match (message.response, message.transport) {
            (true, DnsTransport::Mdns) => seen.view.client(),
            (true, _) => seen.from.reverse(),
            (false, _) => seen.from,
        };
        self.counts.dns_incomplete += u64::from(message.incomplete);
        if message.response {
            message.asked = seen.view.was_seen(client);
            let is_unicast = matches!(message.transport, DnsTransport::Udp | DnsTransport::Tcp);
            let is_unasked = !message.asked && is_unicast && !message.answers.is_empty();
            self.counts.dns_unasked += u64::from(is_unasked);
            self.counts.response(message.rcode());
            self.counts.dns_answers += message.answers.len() as u64;
        } else {
            self.counts.dns_requests += 1;
            if self.wanted != Wanted::All {
                return;
            }
        }
        sink.event(Event {
            time: seen.at,
            flow: seen.view.flow_with_client(client),
            body: Body::Dns(Box::new(message)),
        });
    }
}
