//! What logs said, as events: `guest_operation`. EVE has no names for it: everything is under `egret`.

use serde::Serialize;

use super::{Time, write_line};
use crate::event::{Report, Said};

/// The line of one report.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: Time,
    event_type: &'static str,
    egret: Egret<'a>,
}

/// Its own part.
#[derive(Serialize)]
struct Egret<'a> {
    guest_operation: Operation<'a>,
}

/// `guest_operation`
#[derive(Serialize)]
struct Operation<'a> {
    operation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    vm: Option<&'a str>,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
}

/// Appends what a log said as one line with its line feed; what has no line appends nothing.
pub fn write_report(report: &Report, out: &mut Vec<u8>) {
    let Said::GuestOperation(said) = &report.said else { return };
    let operation = Operation {
        operation: said.operation.to_string(),
        vm: said.vm.as_deref(),
        source: report.reporter.service.name(),
        account: said.account.as_ref().map(|claim| &*claim.account),
    };
    let line = Line {
        timestamp: Time(report.time),
        event_type: "guest_operation",
        egret: Egret { guest_operation: operation },
    };
    write_line(&line, out);
}
