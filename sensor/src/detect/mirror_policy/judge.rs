//! What about a change is against the config: exact rules, no statistics.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::known::{Known, MAX_NAMES};
use super::policy::{Place, Policy, Trust, account_of, spelled};
use crate::baseline::MirrorSession;
use crate::detect::recent::Recent;
use crate::event::{ChangeAction, MirrorChange, MirrorObject, Report, Service};
use crate::time::Timestamp;

/// What stands out, that which says most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Finding {
    OwnMirrorDeleted,
    UnapprovedDestination,
    UnapprovedPrincipal,
    UnknownDestination,
    Retargeted,
    OpenedWide,
    ForeignAccount,
    Console,
    Failed,
}

impl Finding {
    /// Its name in evidence.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::OwnMirrorDeleted => "own_mirror_deleted",
            Self::UnapprovedDestination => "unapproved_destination",
            Self::UnapprovedPrincipal => "unapproved_principal",
            Self::UnknownDestination => "unknown_destination",
            Self::Retargeted => "retargeted",
            Self::OpenedWide => "opened_wide",
            Self::ForeignAccount => "foreign_account",
            Self::Console => "console",
            Self::Failed => "failed",
        }
    }
}

/// A change, and what stands out in it.
#[derive(Debug)]
pub(super) struct Noted {
    pub(super) time: Timestamp,
    /// How long after it happened it was told.
    pub(super) late: Duration,
    pub(super) service: Service,
    /// Who told of it: of a switch, its own log.
    pub(super) host: Option<Arc<str>>,
    pub(super) peer: Option<IpAddr>,
    pub(super) change: MirrorChange,
    /// Where the mirror goes from now on.
    pub(super) place: Place,
    pub(super) findings: BTreeSet<Finding>,
}

impl Noted {
    /// Whether packets can follow from it.
    pub(super) fn can_send(&self) -> bool {
        self.change.failure.is_none() && self.change.action != ChangeAction::Delete
    }

    /// Whether it takes a mirror of the SOC's own away, and leads nowhere.
    pub(super) fn is_end_of_own(&self) -> bool {
        self.change.action == ChangeAction::Delete
            && self.findings.contains(&Finding::OwnMirrorDeleted)
    }

    /// Whether it does not say where packets go that follow from it.
    pub(super) fn leads_anywhere(&self) -> bool {
        self.can_send() && self.place.is_unknown() && self.change.object == MirrorObject::Session
    }

    /// Whether it tells of the same as another: records come more than once.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        match (&self.change.record, &other.change.record) {
            (Some(own), Some(other)) => own == other,
            _ => self.time == other.time && self.change == other.change,
        }
    }
}

/// Mirrors that this sensor was shown of late, approved or usual.
#[derive(Debug)]
pub(super) struct Feeds {
    addresses: Recent<IpAddr, ()>,
    ids: Recent<u32, ()>,
}

impl Feeds {
    /// How long at least they are remembered, and how many.
    const SPAN: Duration = Duration::from_secs(86_400);
    const MANY: usize = 4096;

    pub(super) fn new() -> Self {
        Self {
            addresses: Recent::new(Self::SPAN, Self::MANY),
            ids: Recent::new(Self::SPAN, Self::MANY),
        }
    }

    pub(super) fn note(&mut self, time: Timestamp, destination: IpAddr, id: Option<u32>) {
        self.addresses.insert(time, destination, ());
        if let Some(id) = id {
            self.ids.insert(time, id, ());
        }
    }

    fn know(&self, place: &Place, id: Option<u32>) -> bool {
        id.is_some_and(|id| self.ids.get(&id).is_some())
            || place.addresses.iter().any(|address| self.addresses.get(address).is_some())
    }
}

/// All that a change is judged by.
pub(super) struct Look<'a> {
    pub(super) policy: &'a Policy,
    pub(super) known: &'a Known,
    pub(super) feeds: &'a Feeds,
    pub(super) report: &'a Report,
    pub(super) change: &'a MirrorChange,
}

impl Look<'_> {
    /// What is found in the change, told at `now`.
    pub(super) fn noted(&self, now: Timestamp) -> Noted {
        let place = self.place();
        let findings = self.findings(&place);
        let mut change = self.change.clone();
        change.sources.truncate(MAX_NAMES);
        change.targets.truncate(MAX_NAMES);
        change.addresses.truncate(MAX_NAMES);
        if let Some(before) = self.before().filter(|_| change.object == MirrorObject::Session) {
            change.wire_id = change.wire_id.or(before.wire_id);
            if change.sources.is_empty() {
                change.sources = before.sources.iter().map(|name| name.as_str().into()).collect();
            }
        }
        Noted {
            time: self.report.time,
            late: now.since(self.report.time),
            service: self.report.reporter.service,
            host: self.report.reporter.host.clone(),
            peer: self.report.reporter.peer,
            change,
            place,
            findings,
        }
    }

    /// The session as it was.
    fn before(&self) -> Option<&MirrorSession> {
        if self.change.object != MirrorObject::Session {
            return None;
        }
        let host = self.report.reporter.host.as_deref();
        self.known.session(&Known::session_key(self.change, host)?)
    }

    /// Where it leads.
    fn place(&self) -> Place {
        let change = self.change;
        let named = change.targets.iter().map(|id| &**id);
        match change.object {
            MirrorObject::Target => {
                let own = change.id.as_deref().into_iter();
                self.known.place(self.policy, own.chain(named), &change.addresses)
            }
            MirrorObject::Session
                if !(change.targets.is_empty() && change.addresses.is_empty()) =>
            {
                self.known.place(self.policy, named, &change.addresses)
            }
            MirrorObject::Session => self.before().map(|it| self.place_of(it)).unwrap_or_default(),
            MirrorObject::Filter | MirrorObject::FilterRule => {
                let mut all = Place::default();
                for place in self.filtered().map(|session| self.place_of(session)) {
                    place.ids.iter().for_each(|id| all.add_id(id));
                    place.addresses.iter().for_each(|address| all.add_address(*address));
                }
                all
            }
        }
    }

    fn place_of(&self, session: &MirrorSession) -> Place {
        let ids = session.targets.iter().map(String::as_str);
        self.known.place(self.policy, ids, &session.addresses)
    }

    /// Sessions that the changed filter is of.
    fn filtered(&self) -> impl Iterator<Item = &MirrorSession> {
        let filter = self.known.filter_of(self.change);
        let sessions = filter.map(|filter| self.known.filtered_by(&filter).collect::<Vec<_>>());
        sessions.into_iter().flatten()
    }

    /// Whether a mirror is the SOC's own: it goes where mirrors may, or this sensor is shown it.
    fn is_own(&self, session: &MirrorSession) -> bool {
        let place = self.place_of(session);
        self.policy.allows(&place) || self.feeds.know(&place, session.wire_id)
    }

    fn findings(&self, place: &Place) -> BTreeSet<Finding> {
        let trust = self.policy.trust(self.change.principal.as_ref());
        let mut findings = BTreeSet::new();
        if self.change.failure.is_some() {
            if trust != Trust::Unlisted {
                return findings;
            }
            findings.insert(Finding::Failed);
        } else if self.blinds(place) {
            findings.insert(Finding::OwnMirrorDeleted);
        }
        if trust == Trust::Unlisted {
            findings.insert(Finding::UnapprovedPrincipal);
        }
        if let Some(finding) = self.destination(place, trust) {
            findings.insert(finding);
        }
        if !findings.is_empty() {
            self.beside(place, &mut findings);
        }
        findings
    }

    /// What is wrong with where it leads.
    fn destination(&self, place: &Place, trust: Trust) -> Option<Finding> {
        let change = self.change;
        if change.action == ChangeAction::Delete {
            return None;
        }
        let is_session = change.object == MirrorObject::Session;
        match change.object {
            MirrorObject::Filter | MirrorObject::FilterRule => {
                let leaks = |session| !self.policy.allows(&self.place_of(session));
                (change.is_wide && self.filtered().any(leaks))
                    .then_some(Finding::UnapprovedDestination)
            }
            _ if place.is_unknown() => {
                (is_session && trust != Trust::Listed).then_some(Finding::UnknownDestination)
            }
            _ => (!self.policy.allows(place)).then_some(Finding::UnapprovedDestination),
        }
    }

    /// Whether it takes a mirror of the SOC's own away, or all that is in it.
    fn blinds(&self, place: &Place) -> bool {
        let change = self.change;
        match (change.object, change.action) {
            (MirrorObject::Session, ChangeAction::Delete) => {
                let is_listed =
                    change.id.as_deref().is_some_and(|id| self.policy.allows_id(&spelled(id)));
                is_listed
                    || self.policy.allows(place)
                    || self.feeds.know(place, change.wire_id)
                    || self.before().is_some_and(|before| self.is_own(before))
            }
            (MirrorObject::Session, _) => self.before().is_some_and(|before| {
                self.is_own(before) && self.place_of(before) != *place && !self.policy.allows(place)
            }),
            (MirrorObject::Target, ChangeAction::Delete) => self.policy.allows(place),
            (MirrorObject::Target, _) => false,
            (MirrorObject::Filter | MirrorObject::FilterRule, _) => {
                self.known.narrows_to_nothing(change)
                    && self.filtered().any(|session| self.is_own(session))
            }
        }
    }

    /// What makes it worse, but is no reason by itself.
    fn beside(&self, place: &Place, findings: &mut BTreeSet<Finding>) {
        let change = self.change;
        let is_moved = self.before().is_some_and(|before| self.place_of(before) != *place);
        if is_moved && change.action != ChangeAction::Delete {
            findings.insert(Finding::Retargeted);
        }
        if change.is_wide {
            findings.insert(Finding::OpenedWide);
        }
        let who = change.principal.as_ref();
        if who.is_some_and(|who| who.foreign_account.is_some()) || self.is_foreign(place) {
            findings.insert(Finding::ForeignAccount);
        }
        let is_internal =
            change.from.as_deref().is_some_and(|from| from.eq_ignore_ascii_case("AWS Internal"));
        if is_internal || who.is_some_and(|who| who.by_console) {
            findings.insert(Finding::Console);
        }
    }

    /// Whether the target is in another account of the cloud than the mirror.
    fn is_foreign(&self, place: &Place) -> bool {
        let service = self.report.reporter.service;
        if !matches!(service, Service::CloudTrail | Service::Gcp | Service::Azure) {
            return false;
        }
        let Some(scope) = self.change.scope.as_deref().map(spelled) else { return false };
        let own = account_of(&scope).unwrap_or(&scope);
        place.ids.iter().any(|id| {
            let owner = account_of(id).or_else(|| self.known.owner(id));
            owner.is_some_and(|owner| account_of(owner).unwrap_or(owner) != own)
        })
    }
}
