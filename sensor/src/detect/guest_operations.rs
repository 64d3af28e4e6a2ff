//! AN0646: anomalous use of the Guest Operations API (T1675).
//!
//! Who uses it is an account or, where no log names one, an ESXi host. What stands out against the
//! config and against their own past adds up in one case, which is one alert for an account and an
//! episode; see [`weigh`] for what counts how much. Operations are counted in [`scripts`].
//!
//! Bounds: [`MAX_ACTORS`] accounts and hosts of some 10 KB, up to 200 KB with 1024 virtual machines;
//! who is known least gives way, and that is counted.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::estate::{Estate, Phase};
use super::operations::Kind;
use super::statistics::negative_binomial_tail;
use crate::account::Account;
use crate::alert::{Alert, Compared};
use crate::baseline::{Meeting, Operator, account_key, host_key};
use crate::config;
use crate::event::{Claim, GuestOperation, Report};
use crate::time::Timestamp;
use case::Case;
use policy::Policy;
use scripts::{HOUR, Scripts, Step};
use weigh::{Finding, RARE};

mod case;
mod look;
mod policy;
mod scripts;
mod story;
mod weigh;

/// Accounts and hosts that are known.
const MAX_ACTORS: usize = 1024;
/// Credentials refused within this are one attempt.
const REFUSED_WITHIN: Duration = Duration::from_secs(600);
/// So many refusals are no slip of a finger.
const REFUSED: usize = 3;
const MAX_REFUSALS: usize = 256;
/// The history that a frequency is held against is at least so many hours old, so that what leads up
/// to a burst does not excuse it; it has at least so many hours with scripts.
const AGO_HOURS: u32 = 20;
const MIN_HOURS: usize = 4;
/// A burst is so much above the largest hour, and has at least so many scripts.
const ABOVE: f64 = 1.5;
const MIN_SCRIPTS: usize = 3;
/// An hour of the week is odd below this part of all hours, of which there have to be so many.
const ODD: f64 = 0.01;
const ODD_HOURS: usize = 30;

/// The detector.
#[derive(Debug)]
pub(super) struct GuestOperations {
    policy: Policy,
    actors: BTreeMap<String, Actor>,
    /// When the first of them was seen: accounts are learned from then on.
    since: Option<Timestamp>,
    forgotten: u64,
}

/// One account, or one host of which no log says who uses it.
#[derive(Debug, Default)]
struct Actor {
    habit: Operator,
    scripts: Scripts,
    /// Credentials refused of late, and on which virtual machine.
    refusals: VecDeque<(Timestamp, Arc<str>)>,
    /// Which hour was last looked up, and how usual it is.
    hour: Option<(u64, Custom)>,
    case: Option<Case>,
}

/// How usual an hour of the week is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Custom {
    Unknown,
    Usual,
    Odd,
}

/// What stands out in one operation.
struct Note {
    finding: Finding,
    /// What it weighs by itself.
    level: f64,
    /// How many there are in all; none: one more.
    count: Option<u64>,
    compared: Option<Compared>,
    client: Option<IpAddr>,
}

/// One operation, and all that is needed to judge it.
struct Look<'a> {
    policy: &'a Policy,
    operation: &'a GuestOperation,
    /// The guest's name in lower case; empty where no log names it.
    vm: Arc<str>,
    account: Option<&'a Account>,
    claim: Option<&'a Claim>,
    kind: Kind,
    time: Timestamp,
    step: Step,
    /// How far learning is, of the actor and of all.
    own: Phase,
    all: Phase,
    maintenance: bool,
}

impl Look<'_> {
    /// The guest's name in lower case, where a log names it.
    fn named_vm(&self) -> Option<&str> {
        Some(&*self.vm).filter(|vm| !vm.is_empty())
    }
}

impl GuestOperations {
    pub(super) fn new(config: &config::GuestOperations) -> Self {
        let policy = Policy::new(config);
        Self { policy, actors: BTreeMap::new(), since: None, forgotten: 0 }
    }

    /// Takes other settings.
    pub(super) fn reconfigure(&mut self, config: &config::GuestOperations) {
        self.policy = Policy::new(config);
    }

    /// Takes an operation, and says how far it is from usual: 0 not at all, 1 an alert.
    pub(super) fn operation(
        &mut self,
        estate: &Estate,
        report: &Report,
        operation: &GuestOperation,
        alerts: &mut Vec<Alert>,
    ) -> f64 {
        let time = report.time;
        let since = *self.since.get_or_insert(time);
        let named = operation.account.as_ref().map(|claim| (claim, Account::new(&claim.account)));
        // vCenter works on a host by an account of its own, whoever asked it to.
        let named = named.filter(|(_, own)| !own.is_vcenters() || self.policy.expects(own));
        let key = key(report, named.as_ref().map(|(_, account)| account));
        self.make_room(estate, &key, alerts);
        let policy = &self.policy;
        let vm: Arc<str> = operation.vm.as_deref().unwrap_or_default().to_lowercase().into();
        let others = Others(&self.actors).of(&key, &vm, operation.client);
        let Some(actor) = self.actors.get_mut(&key) else { return 0.0 };
        let kind = Kind::of(&operation.operation);
        let account = named.as_ref().map(|(_, account)| account);
        let look = Look {
            policy,
            operation,
            account,
            claim: named.as_ref().map(|(claim, _)| *claim),
            kind,
            time,
            step: actor.scripts.take(time, &vm, kind, policy.threshold.window),
            vm,
            own: estate.phase_since(actor.first_seen(time), time),
            all: estate.phase_since(since, time),
            maintenance: policy.in_maintenance(account, time),
        };
        if look.own == Phase::Teaching {
            self.forgotten += actor.learn(&look, Meeting::Learning);
            return 0.0;
        }
        let notes = actor.notes(&look, others);
        let strangeness = actor.judge(estate, report, &key, &look, notes, alerts);
        let how = match (actor.is_suspected(), look.all) {
            (true, _) => Meeting::Suspected,
            (false, Phase::Learning) => Meeting::Learning,
            (false, _) => Meeting::Watching,
        };
        self.forgotten += actor.learn(&look, how);
        strangeness
    }

    /// Ends cases that are over.
    pub(super) fn tick(&mut self, estate: &Estate, now: Timestamp, alerts: &mut Vec<Alert>) {
        for actor in self.actors.values_mut() {
            actor.end(estate, &self.policy, now, alerts);
        }
    }

    /// The capture ended: the last word on every case.
    pub(super) fn finish(&mut self, estate: &Estate, alerts: &mut Vec<Alert>) {
        for actor in self.actors.values_mut() {
            actor.close(estate, &self.policy, alerts);
        }
    }

    /// What lasts.
    pub(super) fn save(&self) -> BTreeMap<String, Operator> {
        self.actors.iter().map(|(key, actor)| (key.clone(), actor.habit.clone())).collect()
    }

    /// Takes over what lasted.
    pub(super) fn restore(&mut self, operators: &BTreeMap<String, Operator>) {
        for (key, habit) in operators.iter().take(MAX_ACTORS) {
            let first_seen = Timestamp::from_parts(habit.first_seen, 0);
            self.since = Some(self.since.map_or(first_seen, |since| since.min(first_seen)));
            let actor = Actor { habit: habit.clone(), ..Actor::default() };
            self.actors.entry(key.clone()).or_insert(actor);
        }
    }

    /// Forgets what was learned of an account or host; whether anything was.
    pub(super) fn forget(&mut self, estate: &Estate, name: &str, alerts: &mut Vec<Alert>) -> bool {
        let keys = [account_key(&Account::new(name)), host_key(name)];
        let gone = keys.iter().filter_map(|key| self.actors.remove(key));
        gone.map(|mut actor| actor.close(estate, &self.policy, alerts)).count() > 0
    }

    /// How much there was no room for.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Makes sure that `key` is known, if need be in place of the half that is known least.
    fn make_room(&mut self, estate: &Estate, key: &str, alerts: &mut Vec<Alert>) {
        if self.actors.contains_key(key) {
            return;
        }
        if self.actors.len() >= MAX_ACTORS {
            let worth = |actor: &Actor| {
                let known = &actor.habit.known;
                (actor.is_suspected(), known.learned, known.days, actor.habit.last_seen)
            };
            let mut least: Vec<_> =
                self.actors.iter().map(|(key, actor)| (worth(actor), key.clone())).collect();
            least.sort();
            for (_, key) in least.into_iter().take(MAX_ACTORS / 2) {
                if let Some(mut actor) = self.actors.remove(&key) {
                    actor.close(estate, &self.policy, alerts);
                    self.forgotten += 1;
                }
            }
        }
        self.actors.insert(key.to_owned(), Actor::default());
    }
}

/// What others in the estate know of an operation's surroundings.
#[derive(Debug, Clone, Copy)]
struct Known {
    vm: bool,
    client: bool,
}

struct Others<'a>(&'a BTreeMap<String, Actor>);

impl Others<'_> {
    /// Only looked for where it is new to the actor itself.
    fn of(&self, key: &str, vm: &str, client: Option<IpAddr>) -> Known {
        let own = self.0.get(key).map(|actor| &actor.habit);
        let others =
            || self.0.iter().filter(|(other, actor)| **other != *key && !actor.is_suspected());
        let vm_is_new = !vm.is_empty() && own.is_none_or(|own| !own.vms.contains_key(vm));
        let new_client =
            client.filter(|client| own.is_none_or(|own| !own.clients.contains_key(client)));
        Known {
            vm: vm_is_new && others().any(|(_, actor)| actor.habit.vms.contains_key(vm)),
            client: new_client.is_some_and(|client| {
                others().any(|(_, actor)| actor.habit.clients.contains_key(&client))
            }),
        }
    }
}

impl Actor {
    /// When it was first seen: at `time`, if never before.
    fn first_seen(&self, time: Timestamp) -> Timestamp {
        match self.habit.first_seen {
            0 => time,
            seconds => Timestamp::from_parts(seconds, 0),
        }
    }

    fn is_suspected(&self) -> bool {
        self.case.as_ref().is_some_and(Case::is_raised)
    }

    /// Notes what is found in the case, and judges that; how far it is from usual.
    fn judge(
        &mut self,
        estate: &Estate,
        report: &Report,
        key: &str,
        look: &Look<'_>,
        notes: Vec<Note>,
        alerts: &mut Vec<Alert>,
    ) -> f64 {
        self.end(estate, look.policy, look.time, alerts);
        if notes.is_empty() && self.case.is_none() {
            return 0.0;
        }
        let case = self.case.get_or_insert_with(|| Case::new(look.time));
        for note in notes {
            case.note(note.finding, look.time, note.level, |found| {
                // What is too much is all of the window: which operation came last means nothing.
                if note.compared.is_none() {
                    found.script(look.operation.vm.as_ref(), look.step.began);
                }
                match note.count {
                    Some(count) => found.count = found.count.max(count),
                    None => found.count += 1,
                }
                found.client = found.client.or(note.client);
                let seen = |compared: &Compared| compared.observed;
                if note.compared.as_ref().map(seen) > found.compared.as_ref().map(seen) {
                    found.compared = note.compared;
                }
            });
        }
        case.add(report, look);
        let strangeness = case.strangeness();
        if case.judge(estate, key, &look.policy.hours_text, look.time, alerts) {
            self.habit.taint(look.time);
        }
        strangeness
    }

    /// Learns from an operation; how much had to be forgotten for it.
    fn learn(&mut self, look: &Look<'_>, how: Meeting) -> u64 {
        let habit = &mut self.habit;
        if habit.last_seen == 0 {
            *habit = Operator::new(look.time);
        }
        let forgotten = habit.meet(look.time, look.named_vm(), look.operation.client, how);
        if how == Meeting::Suspected || look.maintenance {
            return forgotten;
        }
        if !look.operation.is_refused {
            let count = match look.kind {
                Kind::Poll | Kind::Query => &mut habit.queries,
                Kind::Act => &mut habit.acts,
                Kind::Pull => &mut habit.pulls,
                Kind::Alias => &mut habit.aliases,
            };
            *count = count.saturating_add(1);
        }
        if look.step.is_new {
            habit.note_scripts(look.time, self.scripts.hourly());
        }
        if how == Meeting::Learning {
            let operations = u32::try_from(self.scripts.operations()).unwrap_or(u32::MAX);
            habit.most = habit.most.max(operations);
        }
        forgotten
    }

    /// Ends the case if it is over.
    fn end(&mut self, estate: &Estate, policy: &Policy, now: Timestamp, alerts: &mut Vec<Alert>) {
        if self.case.as_ref().is_some_and(|case| case.is_over(now)) {
            self.close(estate, policy, alerts);
        }
    }

    fn close(&mut self, estate: &Estate, policy: &Policy, alerts: &mut Vec<Alert>) {
        if let Some(mut case) = self.case.take() {
            case.close(estate, &policy.hours_text, alerts);
        }
    }
}

/// Who it is put down to.
fn key(report: &Report, account: Option<&Account>) -> String {
    let reporter = &report.reporter;
    match (account, &reporter.host, reporter.peer) {
        (Some(account), ..) => account_key(account),
        (None, Some(host), _) => host_key(host),
        (None, None, Some(peer)) => host_key(&peer.to_string()),
        (None, None, None) => host_key("unknown"),
    }
}

#[cfg(test)]
mod tests;
