//! What stands out in one operation, against the config and against its account's own past.

use std::time::Duration;

use super::{
    ABOVE, AGO_HOURS, Actor, Custom, Finding, HOUR, Known, Look, MAX_REFUSALS, MIN_HOURS,
    MIN_SCRIPTS, Note, ODD, ODD_HOURS, RARE, REFUSED, REFUSED_WITHIN, negative_binomial_tail,
};
use crate::alert::Compared;
use crate::baseline::Acquaintance;
use crate::config::WallTime;
use crate::detect::estate::Phase;
use crate::detect::operations::Kind;
use crate::event::Basis;
use crate::time::Timestamp;

impl Note {
    const fn new(finding: Finding, level: f64) -> Self {
        Self { finding, level, count: None, compared: None, client: None }
    }
}

impl Actor {
    /// All that stands out.
    pub(super) fn notes(&mut self, look: &Look<'_>, others: Known) -> Vec<Note> {
        let mut notes = Vec::new();
        notes.extend(self.account(look));
        notes.extend(self.hours(look));
        notes.extend(self.vm(look, others));
        notes.extend(self.client(look, others));
        notes.extend(self.frequency(look));
        notes.extend(self.threshold(look));
        notes.extend(self.refusals(look));
        notes.extend(self.alias(look));
        let stands_out = !notes.is_empty() || self.case.is_some();
        notes.extend(self.files(look, stands_out));
        notes
    }

    /// The account is not one of those that are expected, or is new.
    fn account(&self, look: &Look<'_>) -> Option<Note> {
        const UNEXPECTED: f64 = 4.0;
        const NEW: f64 = 3.2;
        const YOUNG: f64 = 2.0;
        const WEEK: f64 = 7.0;
        const DAY: Duration = Duration::from_secs(86_400);
        let account = look.account?;
        if look.policy.maintains(account, look.time) {
            return None;
        }
        let is_sure =
            look.claim.is_some_and(|claim| matches!(claim.basis, Basis::Stated | Basis::Session));
        if look.policy.lists_accounts() {
            let level = if is_sure { UNEXPECTED } else { NEW };
            let is_expected = look.policy.expects(account);
            return (!is_expected).then(|| Note::new(Finding::UnexpectedAccount, level));
        }
        let known = &self.habit.known;
        if look.all == Phase::Learning || known.learned {
            return None;
        }
        let level = if look.time.since(self.first_seen(look.time)) < DAY {
            NEW
        } else {
            YOUNG * (1.0 - f64::from(known.days) / WEEK)
        };
        (level > 0.0).then(|| Note::new(Finding::FirstSeenAccount, level))
    }

    /// Outside business hours or, where the config has none, at an hour that is not its own. What
    /// began in time may end later.
    fn hours(&mut self, look: &Look<'_>) -> Option<Note> {
        const OUTSIDE: f64 = 3.5;
        const HABITUAL: f64 = 1.0;
        const ODD_HOUR: f64 = 3.2;
        if look.maintenance {
            return None;
        }
        let began = look.step.began;
        match look.policy.in_business_hours(began) {
            Some(true) => None,
            Some(false) => {
                let is_usual = self.usual(look, began) == Custom::Usual;
                let level = if is_usual { HABITUAL } else { OUTSIDE };
                Some(Note::new(Finding::OutsideBusinessHours, level))
            }
            None => (look.own == Phase::Watching && self.usual(look, began) == Custom::Odd)
                .then(|| Note::new(Finding::OddHour, ODD_HOUR)),
        }
    }

    /// How usual an hour is: looked up once for each.
    fn usual(&mut self, look: &Look<'_>, time: Timestamp) -> Custom {
        let hour = time.as_secs() / 3600;
        if let Some((known, usual)) = self.hour
            && known == hour
        {
            return usual;
        }
        let mut hours = 0usize;
        let mut near = 0usize;
        let now = look.policy.local(time);
        for (past, _) in self.habit.hours(time, AGO_HOURS) {
            let local = look.policy.local(Timestamp::from_parts(u64::from(past) * 3600, 0));
            hours += 1;
            near += usize::from(is_near(now, local));
        }
        let usual = match near as f64 / hours.max(1) as f64 {
            _ if hours < ODD_HOURS => Custom::Unknown,
            part if part < ODD => Custom::Odd,
            _ => Custom::Usual,
        };
        self.hour = Some((hour, usual));
        usual
    }

    /// The virtual machine is not one of those where this is expected, or is new to the account.
    fn vm(&self, look: &Look<'_>, others: Known) -> Option<Note> {
        const NOT_AUTHORISED: f64 = 4.0;
        const NEW: f64 = 0.5;
        let name = look.named_vm()?;
        if look.policy.lists_vms() {
            let is_authorised = look.policy.authorises(name);
            return (!is_authorised).then(|| Note::new(Finding::VmNotAuthorised, NOT_AUTHORISED));
        }
        if look.own != Phase::Watching {
            return None;
        }
        let known = self.habit.vms.get(name).map_or(0.0, Acquaintance::familiarity);
        let level = if others.vm { NEW / 2.0 } else { NEW } * (1.0 - known);
        (known < 1.0).then(|| Note::new(Finding::FirstSeenVm, level))
    }

    /// The account comes from where it never came from.
    fn client(&self, look: &Look<'_>, others: Known) -> Option<Note> {
        const NEW: f64 = 1.5;
        const SHARED: f64 = 0.5;
        let client = look.operation.client?;
        if look.own != Phase::Watching || look.account.is_none() || self.habit.clients.is_empty() {
            return None;
        }
        let known = self.habit.clients.get(&client).map_or(0.0, Acquaintance::familiarity);
        let level = if others.client { SHARED } else { NEW } * (1.0 - known);
        let note = Note::new(Finding::FirstSeenClient, level);
        (known < 1.0).then_some(Note { client: Some(client), ..note })
    }

    /// More scripts in an hour than its own past explains.
    fn frequency(&self, look: &Look<'_>) -> Option<Note> {
        const BURST: f64 = 3.2;
        /// Scripts come in groups: the variance is at least so many times the mean.
        const DISPERSION: f64 = 1.5;
        let scripts = self.scripts.hourly();
        if !look.step.is_new
            || look.own != Phase::Watching
            || look.maintenance
            || scripts < MIN_SCRIPTS
        {
            return None;
        }
        let (mut hours, mut sum, mut squares, mut largest) = (0usize, 0.0, 0.0, 0u16);
        for (_, most) in self.habit.hours(look.time, AGO_HOURS) {
            hours += 1;
            sum += f64::from(most);
            squares += f64::from(most) * f64::from(most);
            largest = largest.max(most);
        }
        if hours < MIN_HOURS || scripts as f64 <= ABOVE * f64::from(largest) {
            return None;
        }
        let count = hours as f64;
        let mean = sum / count;
        let spread = (squares - sum * mean).max(0.0) / (count - 1.0);
        // With few hours the mean itself is not sure.
        let variance = (spread * (1.0 + 1.0 / count)).max(DISPERSION * mean);
        let least = u32::try_from(scripts).unwrap_or(u32::MAX);
        let chance = negative_binomial_tail(least, mean, variance)?;
        let compared = Compared {
            observed: scripts as u64,
            expected: f64::from(largest),
            window_seconds: HOUR.as_secs(),
            probability: Some(chance),
        };
        let note = Note::new(Finding::Frequency, BURST);
        (chance < RARE).then_some(Note {
            compared: Some(compared),
            count: Some(scripts as u64),
            ..note
        })
    }

    /// More operations than the config allows, unless that was learned.
    fn threshold(&self, look: &Look<'_>) -> Option<Note> {
        const OVER: f64 = 3.2;
        const LEARNING: f64 = 1.5;
        let limit = look.policy.threshold;
        let operations = self.scripts.operations();
        let learned = ABOVE * f64::from(self.habit.most);
        if look.maintenance
            || operations as f64 <= f64::from(limit.count)
            || (look.all == Phase::Watching && operations as f64 <= learned)
        {
            return None;
        }
        let compared = Compared {
            observed: operations as u64,
            expected: f64::from(limit.count),
            window_seconds: limit.window.as_secs(),
            probability: None,
        };
        let level = if look.all == Phase::Learning { LEARNING } else { OVER };
        let note = Note::new(Finding::Threshold, level);
        Some(Note { compared: Some(compared), count: Some(operations as u64), ..note })
    }

    /// The guest refuses credentials again and again, and then accepts some.
    fn refusals(&mut self, look: &Look<'_>) -> Option<Note> {
        const ACCEPTED: f64 = 1.2;
        let is_old = |(time, _): &(Timestamp, _)| look.time.since(*time) > REFUSED_WITHIN;
        while self.refusals.front().is_some_and(is_old) || self.refusals.len() >= MAX_REFUSALS {
            self.refusals.pop_front();
        }
        if look.operation.is_refused {
            self.refusals.push_back((look.time, look.vm.clone()));
        }
        let here = self.refusals.iter().filter(|(_, vm)| *vm == look.vm);
        let here = if look.operation.is_refused {
            here.count()
        } else {
            here.filter(|(time, _)| *time < look.time).count()
        };
        // A stale password on many machines is less than as many on one.
        let all = self.refusals.len() / REFUSED;
        let (count, level) = match look.operation.is_refused {
            true => (here.max(all), 0.0),
            false => (here, ACCEPTED),
        };
        let note = Note::new(Finding::RefusedCredentials, level);
        (count >= REFUSED).then_some(Note { count: Some(count as u64), ..note })
    }

    /// Somebody is let into the guest without a password from now on.
    fn alias(&self, look: &Look<'_>) -> Option<Note> {
        const CHANGED: f64 = 5.0;
        const HABITUAL: f64 = 0.5;
        const OFTEN: u32 = 3;
        let is_usual = self.habit.aliases >= OFTEN && self.habit.known.familiarity() >= 1.0;
        let level = if is_usual { HABITUAL } else { CHANGED };
        (look.kind == Kind::Alias && !look.operation.is_refused)
            .then(|| Note::new(Finding::GuestAlias, level))
    }

    /// Files go out of guests by one who only asked until now, or in a case that is open.
    fn files(&self, look: &Look<'_>, stands_out: bool) -> Option<Note> {
        const READER: f64 = 3.5;
        const BESIDES: f64 = 0.3;
        if look.kind != Kind::Pull || look.operation.is_refused || look.maintenance {
            return None;
        }
        let is_new = self.habit.pulls == 0 && stands_out;
        let level = if self.habit.is_reader() { READER } else { BESIDES };
        (self.habit.is_reader() || is_new).then(|| Note::new(Finding::FilesPulled, level))
    }
}

/// Whether two hours of the week are about the same: the hour or one beside it, on working days or on
/// days of the weekend alike.
fn is_near(one: WallTime, other: WallTime) -> bool {
    const SATURDAY: usize = 5;
    let apart = (one.hour() + 24 - other.hour()) % 24;
    (one.day >= SATURDAY) == (other.day >= SATURDAY) && [0, 1, 23].contains(&apart)
}
