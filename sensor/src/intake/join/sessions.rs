//! Who is logged in at the management API of a host or of vCenter.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::is_near;
use crate::account::is_same;
use crate::event::{Access, Reporter, Session, SessionChange};
use crate::time::Timestamp;

/// The account by which vCenter acts on a host, for itself and for its users.
pub(super) const VCENTER: &str = "vpxuser";
/// Accounts by which a host's own programs are logged in: none of them uses guest operations.
const HOUSEKEEPING: [&str; 2] = ["dcui", "com.vmware."];

/// Hosts whose sessions are known at most.
const MAX_HOSTS: usize = 4096;
/// Sessions of a host that are known at most.
const MAX_SESSIONS: usize = 256;
/// A session whose end was not seen is not believed in for longer.
const LIFE: Duration = Duration::from_secs(24 * 3600);
/// A session that has ended is remembered as long: what was done in it may still wait.
const AFTERWARDS: Duration = Duration::from_secs(60);

/// A host by its name in headers or, where it has none, by its address; of a file, neither.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Host {
    Named(Arc<str>),
    At(IpAddr),
    OfFile,
}

/// The host that a reporter writes for.
pub(super) fn host(reporter: &Reporter) -> Host {
    match (&reporter.host, reporter.peer) {
        (Some(name), _) => Host::Named(name.clone()),
        (None, Some(peer)) => Host::At(peer),
        (None, None) => Host::OfFile,
    }
}

/// Sessions by host.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    hosts: HashMap<Host, Known>,
    swept: Timestamp,
}

/// What is known of a host.
#[derive(Debug, Default)]
struct Known {
    /// As they began.
    sessions: VecDeque<Lasting>,
    /// When one was forgotten for want of room: for a life, nobody is known to be alone.
    forgotten: Option<Timestamp>,
    /// The latest that was heard of.
    heard: Timestamp,
}

/// A session.
#[derive(Debug)]
struct Lasting {
    account: Arc<str>,
    client: Option<IpAddr>,
    id: Option<Arc<str>>,
    since: Timestamp,
    until: Option<Timestamp>,
}

impl Lasting {
    fn lasts(&self, at: Timestamp) -> bool {
        self.since <= at
            && self.until.is_none_or(|until| at <= until)
            && at.since(self.since) < LIFE
    }

    fn is_of(&self, session: &Session) -> bool {
        match (&self.id, &session.id) {
            (Some(known), Some(id)) => known == id,
            _ => {
                let is_client = self.client == session.client || session.client.is_none();
                is_client && is_same(&self.account, &session.account)
            }
        }
    }
}

impl Sessions {
    /// Takes a login or logout.
    pub(super) fn note(&mut self, reporter: &Reporter, session: &Session, at: Timestamp) {
        if session.access != Access::Api || session.change == SessionChange::Refused {
            return;
        }
        let host = host(reporter);
        if !self.hosts.contains_key(&host) && !self.has_room(at) {
            return;
        }
        let known = self.hosts.entry(host).or_default();
        known.heard = known.heard.max(at);
        if session.change == SessionChange::LoggedIn {
            known.login(session, at);
        } else if let Some(lasting) =
            known.sessions.iter_mut().find(|known| known.until.is_none() && known.is_of(session))
        {
            lasting.until = Some(at);
        }
    }

    /// Whose session has this id, and where from.
    pub(super) fn by_id(
        &self,
        reporter: &Reporter,
        id: &str,
        at: Timestamp,
    ) -> Option<(Arc<str>, Option<IpAddr>)> {
        let mut known = self.hosts.get(&host(reporter))?.sessions.iter().rev();
        let session = known.find(|known| known.id.as_deref() == Some(id) && known.lasts(at))?;
        Some((session.account.clone(), session.client))
    }

    /// The account that nobody but itself could use the API beside. vCenter acts for anybody: where it
    /// is logged in, nobody is alone.
    pub(super) fn only(&self, reporter: &Reporter, at: Timestamp) -> Option<Arc<str>> {
        let known = self.hosts.get(&host(reporter))?;
        if known.forgotten.is_some_and(|forgotten| at.since(forgotten) < LIFE) {
            return None;
        }
        let mut accounts = known.lasting(at).map(|session| &session.account);
        let account = accounts.next()?;
        let is_alone = accounts.all(|other| is_same(other, account));
        (is_alone && !is_same(account, VCENTER)).then(|| account.clone())
    }

    /// Where an account is logged in from, if that is one address.
    pub(super) fn client(
        &self,
        reporter: &Reporter,
        account: &str,
        at: Timestamp,
    ) -> Option<IpAddr> {
        let known = self.hosts.get(&host(reporter))?;
        let mut clients =
            known.lasting(at).filter(|known| is_same(&known.account, account)).map(|s| s.client);
        let client = clients.next()??;
        clients.all(|other| other == Some(client)).then_some(client)
    }

    /// Whether there is room for another host; those not heard of for the life of a session make room.
    fn has_room(&mut self, at: Timestamp) -> bool {
        if self.hosts.len() < MAX_HOSTS {
            return true;
        }
        if at.since(self.swept) >= AFTERWARDS {
            self.swept = at;
            self.hosts.retain(|_, known| at.since(known.heard) < LIFE);
        }
        self.hosts.len() < MAX_HOSTS
    }
}

impl Known {
    fn login(&mut self, session: &Session, at: Timestamp) {
        // A login that is told of twice has its id in one of them, or the same in both.
        let same = |known: &&mut Lasting| {
            let is_twice = known.id.is_some() == session.id.is_some() || is_near(known.since, at);
            let has_id = known.id.is_some() || session.id.is_some();
            known.until.is_none() && has_id && is_twice && known.is_of(session)
        };
        if let Some(known) = self.sessions.iter_mut().find(same) {
            known.id = known.id.take().or_else(|| session.id.clone());
            known.client = known.client.or(session.client);
            return;
        }
        self.sessions.retain(|known| {
            at.since(known.since) < LIFE
                && known.until.is_none_or(|until| at.since(until) < AFTERWARDS)
        });
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.pop_front();
            self.forgotten = Some(at);
        }
        self.sessions.push_back(Lasting {
            account: session.account.clone(),
            client: session.client,
            id: session.id.clone(),
            since: at,
            until: None,
        });
    }

    fn lasting(&self, at: Timestamp) -> impl Iterator<Item = &Lasting> {
        let is_housekeeping =
            |account: &str| HOUSEKEEPING.iter().any(|start| account.starts_with(start));
        self.sessions
            .iter()
            .filter(move |known| known.lasts(at) && !is_housekeeping(&known.account))
    }
}
