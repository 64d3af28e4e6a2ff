//! Writes lines, and knows of which conversations there were alerts.

use std::collections::HashSet;

use super::{Line, Own, alert, dns, flow, quic, tls, write_line};
use crate::alert::Alert;
use crate::event::{AccountReason, Body, Carrier, Event};

/// Conversations with alerts that are remembered at most while they live: alerts are rare.
const MAX_ALERTED: usize = 4096;

/// Writes events and alerts as lines of JSON.
#[derive(Debug, Default)]
pub struct Writer {
    /// The names of those that are captured from; of a file there are none.
    interfaces: Vec<String>,
    /// The ids of conversations that live and that an alert names.
    alerted: HashSet<u64>,
}

impl Writer {
    /// Names interfaces by their places in this list.
    pub fn new(interfaces: Vec<String>) -> Self {
        Self { interfaces, alerted: HashSet::new() }
    }

    /// Appends an event to `out` as one line with its line feed; what has no line in EVE (a
    /// conversation's first packet, its volume, a ClientHello alone) appends nothing.
    pub fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        let new = |event_type| Line::new(event.time, &event.flow, &self.interfaces, event_type);
        let line = match &event.body {
            Body::Opened | Body::Volume(_) | Body::Hello(_) | Body::Spoken(_) => return,
            Body::Account(account) => {
                let mut line = new("flow");
                let id = event.flow.id;
                let alerted = match account.reason {
                    AccountReason::Active => self.alerted.contains(&id),
                    _ => self.alerted.remove(&id),
                };
                line.app_proto = account.app.and_then(flow::app_proto);
                line.answered(account);
                line.flow = Some(flow::Account::new(account, event.flow.opened, alerted));
                line.tcp = account.tcp_flags.map(flow::TcpFlags::new);
                line.egret.own = flow::Own::new(account).map(Own::Flow);
                line
            }
            Body::Tls(session) if let Carrier::Quic(version) = session.carrier => {
                let mut line = new("quic");
                line.quic = Some(quic::Session::new(version, session));
                line.egret.own = Some(Own::Quic(quic::Own::new(session)));
                line
            }
            Body::Tls(session) => {
                let mut line = new("tls");
                line.tls = Some(tls::Session::new(session));
                line.egret.own = Some(Own::Tls(tls::Own::new(session)));
                line
            }
            Body::Dns(message) => {
                let mut line = new("dns");
                line.dns = Some(dns::Message::new(message));
                line.egret.own = dns::Own::new(message).map(Own::Dns);
                line
            }
        };
        write_line(&line, out);
    }

    /// Appends an alert to `out` as one line with its line feed.
    pub fn alert(&mut self, alert: &Alert, out: &mut Vec<u8>) {
        let Some(flow) = &alert.flow else { return write_line(&alert::Line::new(alert), out) };
        if self.alerted.len() < MAX_ALERTED {
            self.alerted.insert(flow.id);
        }
        let mut line = Line::new(alert.time, flow, &self.interfaces, "alert");
        line.app_proto = alert::app(alert.analytic, flow).and_then(super::flow::app_proto);
        line.alert = Some(alert::Alert::new(alert));
        line.egret.own = Some(Own::Alert(alert::Own { alert }));
        write_line(&line, out);
    }
}
