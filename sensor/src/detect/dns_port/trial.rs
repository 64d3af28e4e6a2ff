//! A connection to an odd port, and the answers that could have given it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arrayvec::ArrayVec;

use crate::detect::answers::{Answer, Answers, Value};
use crate::event::{Flow, Service};
use crate::inventory::AssetId;
use crate::time::Timestamp;

/// Names that are tried, and answers of each.
const MAX_GROUPS: usize = 16;
const MAX_VALUES: usize = 8;

/// By so much the clock may be behind of who tells of a connection.
const AHEAD: Duration = Duration::from_secs(2);

/// A trial.
#[derive(Debug)]
pub(super) struct Trial<'a> {
    pub(super) flow: &'a Flow,
    pub(super) time: Timestamp,
    /// Whose log said so; packets have none.
    pub(super) source: Option<Service>,
    /// The answers by registered domain.
    pub(super) groups: Vec<Group>,
}

/// The answers of one domain.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) domain: Arc<str>,
    /// The name whose answer is newest, or is the address connected to.
    pub(super) name: Arc<str>,
    /// The address connected to first, then the newest.
    pub(super) values: ArrayVec<Value, MAX_VALUES>,
    /// What a formula would read: the address connected to, else the first address of the newest answer,
    /// else its first number.
    pub(super) read: Value,
    /// When the newest answer came.
    pub(super) newest: Timestamp,
    /// Whether one of its answers is the address connected to.
    pub(super) direct: bool,
}

impl<'a> Trial<'a> {
    /// The answers `asset` holds that could explain a conversation: those that gave its address
    /// while they live, and all others of the last `window` before it.
    pub(super) fn gather(
        answers: &Answers,
        asset: AssetId,
        flow: &'a Flow,
        time: Timestamp,
        window: Duration,
    ) -> Self {
        let mut trial = Self { flow, time, source: None, groups: Vec::new() };
        for answer in answers.held(asset) {
            // Of a flow record's opening it is told late: what was answered since explains nothing.
            if answer.time.since(time) > AHEAD {
                continue;
            }
            let direct =
                answer.value == Value::Address(flow.server.address) && answer.is_alive(time);
            if direct || time.since(answer.time) <= window {
                trial.add(answer, direct);
            }
        }
        trial
    }

    /// Where it went.
    pub(super) fn address(&self) -> IpAddr {
        self.flow.server.address
    }

    pub(super) fn port(&self) -> u16 {
        self.flow.server.port
    }

    /// Whether any name gave the address.
    pub(super) fn is_resolved(&self) -> bool {
        self.groups.iter().any(|group| group.direct)
    }

    fn add(&mut self, answer: &Answer, direct: bool) {
        let domain = answer.domain();
        if let Some(group) = self.groups.iter_mut().find(|group| *group.domain == *domain) {
            group.add(answer, direct);
        } else if direct || self.groups.len() < MAX_GROUPS {
            self.groups.push(Group::new(domain.into(), answer, direct));
        }
    }
}

impl Group {
    fn new(domain: Arc<str>, answer: &Answer, direct: bool) -> Self {
        Self {
            domain,
            name: Arc::clone(&answer.name),
            values: ArrayVec::from_iter([answer.value]),
            read: answer.value,
            newest: answer.time,
            direct,
        }
    }

    /// One more answer, not newer than those before it.
    fn add(&mut self, answer: &Answer, direct: bool) {
        if direct && !self.direct {
            self.direct = true;
            self.name = Arc::clone(&answer.name);
            self.read = answer.value;
        } else if !self.direct && answer.time == self.newest {
            let is_number = |value| matches!(value, Value::Number(_));
            if is_number(self.read) || !is_number(answer.value) {
                self.read = answer.value;
            }
        }
        if self.values.contains(&answer.value) {
            return;
        }
        if direct && self.values.is_full() {
            self.values.pop();
        }
        // A name with more answers than this is no place to hide one: it gets too unlikely.
        let _ = self.values.try_push(answer.value);
    }
}
