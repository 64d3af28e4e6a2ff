//! Scripts, not lines: PowerCLI's one `Invoke-VMScript` makes a temporary file, starts a program, polls
//! the list of processes until it ends, fetches the output and deletes the file.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::detect::operations::Kind;
use crate::time::Timestamp;

/// What follows within this on one virtual machine is the same script.
const GAP: Duration = Duration::from_secs(60);
/// A script of more operations than this counts as another; polls are not counted.
const LONGEST: u32 = 12;
/// The time over which scripts are counted against the habit.
pub(super) const HOUR: Duration = Duration::from_secs(3600);
/// Virtual machines with a script under way, and times that are kept.
const MAX_OPEN: usize = 256;
const MAX_TIMES: usize = 8192;

/// One account's scripts of the last hour.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    open: BTreeMap<Arc<str>, Script>,
    /// When those of the last hour began.
    began: VecDeque<Timestamp>,
    /// When the operations within the window of the hard limit were.
    operations: VecDeque<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Script {
    began: Timestamp,
    last: Timestamp,
    operations: u32,
    polled: bool,
}

/// What one operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// When its script began.
    pub(super) began: Timestamp,
    /// Whether it is the first of it.
    pub(super) is_new: bool,
}

impl Scripts {
    /// Takes an operation; `window` is that of the hard limit.
    pub(super) fn take(
        &mut self,
        time: Timestamp,
        vm: &Arc<str>,
        kind: Kind,
        window: Duration,
    ) -> Step {
        if self.open.len() >= MAX_OPEN {
            self.open.retain(|_, script| time.since(script.last) <= GAP);
            if self.open.len() >= MAX_OPEN {
                self.open.pop_first();
            }
        }
        let fresh = Script { began: time, last: time, operations: 0, polled: false };
        let mut is_new = false;
        let script = self.open.entry(Arc::clone(vm)).or_insert_with(|| {
            is_new = true;
            fresh
        });
        let is_poll = kind == Kind::Poll && script.polled;
        if time.since(script.last) > GAP || (script.operations >= LONGEST && !is_poll) {
            (*script, is_new) = (fresh, true);
        }
        let counts = kind != Kind::Poll || !script.polled;
        script.last = script.last.max(time);
        script.polled |= kind == Kind::Poll;
        script.operations += u32::from(counts);
        let step = Step { began: script.began, is_new };
        if is_new {
            push(&mut self.began, time);
        }
        if counts {
            push(&mut self.operations, time);
        }
        expire(&mut self.began, time, HOUR);
        expire(&mut self.operations, time, window);
        step
    }

    /// Scripts that began in the last hour.
    pub(super) fn hourly(&self) -> usize {
        self.began.len()
    }

    /// Operations within the window of the hard limit.
    pub(super) fn operations(&self) -> usize {
        self.operations.len()
    }
}

fn push(times: &mut VecDeque<Timestamp>, time: Timestamp) {
    if times.len() >= MAX_TIMES {
        times.pop_front();
    }
    times.push_back(time);
}

fn expire(times: &mut VecDeque<Timestamp>, now: Timestamp, span: Duration) {
    while times.front().is_some_and(|time| now.since(*time) > span) {
        times.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(600);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_parts(1_800_000_000 + seconds, 0)
    }

    #[test]
    fn one_invoke_vmscript_is_one_script_however_long_it_polls() {
        let (mut scripts, vm) = (Scripts::default(), Arc::from("web-01"));
        scripts.take(at(0), &vm, Kind::Act, WINDOW);
        scripts.take(at(1), &vm, Kind::Act, WINDOW);
        for poll in 0..300 {
            let step = scripts.take(at(2 + poll * 5), &vm, Kind::Poll, WINDOW);
            assert_eq!((step.began, step.is_new), (at(0), false));
        }
        scripts.take(at(1500), &vm, Kind::Pull, WINDOW);
        scripts.take(at(1501), &vm, Kind::Act, WINDOW);
        assert_eq!((scripts.hourly(), scripts.operations()), (1, 2), "two are in the window");
        assert!(scripts.take(at(1600), &vm, Kind::Act, WINDOW).is_new);
    }

    #[test]
    fn what_goes_on_and_on_is_many() {
        let (mut scripts, vm) = (Scripts::default(), Arc::from("web-01"));
        for second in 0..120 {
            scripts.take(at(second), &vm, Kind::Pull, WINDOW);
        }
        assert_eq!((scripts.hourly(), scripts.operations()), (10, 120));
    }

    #[test]
    fn a_flood_of_names_is_bounded() {
        let mut scripts = Scripts::default();
        for vm in 0..20_000 {
            scripts.take(at(1), &Arc::from(format!("vm-{vm}")), Kind::Act, WINDOW);
        }
        assert!(scripts.open.len() <= MAX_OPEN && scripts.began.len() <= MAX_TIMES);
    }
}
