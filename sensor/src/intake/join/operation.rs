//! Guest operations that several messages tell of.

use std::net::IpAddr;
use std::sync::Arc;

use crate::event::{Basis, Claim, GuestOperation, Operation, Report, Reporter, Said, Service};
use crate::time::Timestamp;

use super::beside::Beside;
use super::sessions::{Sessions, VCENTER, host};
use super::{Call, are_near, times, when};
use crate::account::is_same;

/// What reports of one operation have in common.
#[derive(Debug)]
pub(super) struct Facts {
    times: [Timestamp; 2],
    operation: Operation,
    /// The virtual machine, and whether it refused, once that was told.
    outcome: Option<(Arc<str>, bool)>,
    /// Who told of it: each does once, by an event and by a record of the call.
    voices: Vec<Voice>,
    /// The host that an audit record is of, or that told of the operation.
    host: Option<Reporter>,
}

/// A program, and whether it told of the operation by a record of the call.
type Voice = (Service, bool);

fn said(report: &Report) -> Option<&GuestOperation> {
    match &report.said {
        Said::GuestOperation(said) => Some(said),
        _ => None,
    }
}

fn voice(report: &Report, said: &GuestOperation) -> Voice {
    (report.reporter.service, said.vm.is_none())
}

/// The program that speaks for its host alone; vCenter speaks for many.
fn host_of(report: &Report) -> Option<&Reporter> {
    let is_host = matches!(report.reporter.service, Service::Hostd | Service::Audit);
    is_host.then_some(&report.reporter)
}

impl Facts {
    /// Of the first report.
    pub(super) fn new(report: &Report) -> Option<Self> {
        let said = said(report)?;
        Some(Self {
            times: times(report),
            operation: said.operation.clone(),
            outcome: said.vm.clone().map(|vm| (vm, said.is_refused)),
            voices: vec![voice(report, said)],
            host: host_of(report).cloned(),
        })
    }

    /// Whether another report tells of the same; from then on it is one of them.
    pub(super) fn take(&mut self, report: &Report) -> bool {
        let Some(said) = said(report) else { return false };
        let voice = voice(report, said);
        if self.voices.contains(&voice)
            || said.operation != self.operation
            || !are_near(times(report), self.times)
            || self.is_other_outcome(said)
            || self.is_other_host(report)
        {
            return false;
        }
        self.voices.push(voice);
        if self.outcome.is_none() {
            self.outcome = said.vm.clone().map(|vm| (vm, said.is_refused));
        }
        if self.host.is_none() {
            self.host = host_of(report).cloned();
        }
        true
    }

    fn is_other_outcome(&self, said: &GuestOperation) -> bool {
        let (Some(vm), Some((known, refused))) = (&said.vm, &self.outcome) else { return false };
        vm != known || said.is_refused != *refused
    }

    fn is_other_host(&self, report: &Report) -> bool {
        let (Some(one), Some(other)) = (&self.host, host_of(report)) else { return false };
        host(one) != host(other)
    }

    /// Whether a record of a call may be of this operation.
    pub(super) fn may_be(&self, call: &Call) -> bool {
        call.operation == self.operation && are_near(call.times, self.times)
    }
}

/// What is known of those who call operations.
pub(super) struct Callers<'a> {
    pub(super) sessions: &'a Sessions,
    pub(super) beside: &'a Beside,
    /// Whether only one account called for such an operation then.
    pub(super) is_clear: bool,
}

/// One report of all that reports of one operation tell.
pub(super) fn merged(first: Report, mut others: Vec<Report>, known: &Callers<'_>) -> Report {
    let mut report = first;
    for other in &mut others {
        if rank(other) < rank(&report) {
            std::mem::swap(other, &mut report);
        }
    }
    others.sort_by_key(rank);
    let all = || std::iter::once(&report).chain(&others);
    let told = || all().filter_map(said);
    let time = all().map(|report| report.time).min().unwrap_or(report.time);
    let (account, client) = caller(all, known).unzip();
    let client = told().find_map(|said| said.client).or(client.flatten());
    let session = told().find_map(|said| said.session.clone());
    let op_id = told().find_map(|said| said.op_id.clone());
    let mut also: Vec<_> = others.iter().map(|other| other.reporter.service).collect();
    also.retain(|service| *service != report.reporter.service);
    also.sort_unstable();
    also.dedup();
    report.time = time;
    if let Said::GuestOperation(told) = &mut report.said {
        (told.account, told.client, told.also) = (account, client, also);
        (told.session, told.op_id) = (session, op_id);
    }
    report
}

/// Who tells an operation best: a host's event names the host, vCenter's comes with the account, and
/// both name the virtual machine; records of calls do not.
fn rank(report: &Report) -> (bool, Service) {
    (said(report).is_none_or(|said| said.vm.is_none()), report.reporter.service)
}

/// Who called, as sure as can be, and where from.
fn caller<'a, I: Iterator<Item = &'a Report>>(
    all: impl Fn() -> I,
    known: &Callers<'_>,
) -> Option<(Claim, Option<IpAddr>)> {
    let Callers { sessions, beside, is_clear } = *known;
    let told = || all().filter_map(|report| Some((report, said(report)?)));
    let has_event = told().any(|(_, said)| said.vm.is_some());
    let stated = |(report, said): (&Report, &GuestOperation)| {
        let claim = said.account.clone()?;
        let client = sessions.client(&report.reporter, &claim.account, when(report));
        (said.vm.is_some() || is_clear || !has_event).then_some((claim, client))
    };
    // Rather somebody than vCenter, which acts for somebody.
    let is_vcenter = |(claim, _): &(Claim, _)| is_same(&claim.account, VCENTER);
    if let Some(found) = told().filter_map(stated).min_by_key(is_vcenter) {
        return Some(found);
    }
    let by_session = |(report, said): (&Report, &GuestOperation)| {
        let id = said.session.as_ref()?;
        let (account, client) = sessions.by_id(&report.reporter, id, when(report))?;
        Some((Claim { account, basis: Basis::Session }, client))
    };
    let alone = |(report, _): (&Report, _)| {
        let account = sessions.only(host_of(report)?, when(report))?;
        let client = sessions.client(&report.reporter, &account, when(report));
        Some((Claim { account, basis: Basis::OnlySession }, client))
    };
    let near = |(report, said): (&Report, &GuestOperation)| {
        host_of(report)?;
        beside.only(said.vm.as_deref()?, when(report))
    };
    let named = told().find_map(by_session).or_else(|| told().find_map(alone));
    named.or_else(|| told().find_map(near))
}
