//! Log lines as ESXi, vCenter and NSX write them.
//!
//! A [`Journal`] takes what happened in any order and writes it in order of time, in the words and the
//! form of whoever tells it: hostd of ESXi 6, 7 and 8, vpxd through the rsyslog of a vCenter
//! appliance, ESXi's audit records, the firewall of NSX. Most of what hosts really log is about none of
//! this: [`What::Noise`] is that, hostile names and all.
//!
//! hostd's event of a guest operation has no account, no operation id and no address: only vCenter's
//! event names the account.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::IpAddr;
use std::rc::Rc;

mod hostd;
mod noise;
mod nsx;
mod operation;
mod vcenter;

pub use hostd::{Host, Release};
pub use operation::Operation;
pub use vcenter::Vcenter;

/// How many of its latest events a vCenter tells again when it starts.
const TOLD_AGAIN: usize = 40;

/// Who tells something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teller {
    /// The host of this number.
    Host(usize),
    /// The vCenter.
    Vcenter,
}

/// What is told.
#[derive(Debug, Clone)]
pub enum What {
    /// A use of the Guest Operations API, as an event of hostd or vpxd.
    Operation {
        /// What was done.
        operation: Operation,
        /// Name of the virtual machine.
        vm: Rc<str>,
        /// Who did it: vpxd says so, hostd does not.
        account: Rc<str>,
        /// Whether the guest refused the credentials.
        is_refused: bool,
    },
    /// The audit record of an API call (`api.call`), which says who and what, not where. Of hosts.
    Call {
        /// What was called.
        operation: Operation,
        /// Who called it.
        account: Rc<str>,
    },
    /// A login.
    Login(Rc<Login>),
    /// The end of it.
    Logout(Rc<Login>),
    /// A conversation that the firewall of NSX lets through; with bytes to and from the server at its end.
    Conversation {
        /// Who opened it.
        client: (IpAddr, u16),
        /// Whom with.
        server: (IpAddr, u16),
        /// Bytes to the server and back.
        bytes: Option<[u64; 2]>,
    },
    /// The vCenter starts again, and tells its latest events once more.
    Restart,
    /// One of the many lines that are about nothing; which one follows from the number.
    Noise(u64),
}

/// Who logs in, from where, with what.
#[derive(Debug)]
pub struct Login {
    /// The account, as the teller spells it.
    pub account: String,
    /// The client's address.
    pub client: IpAddr,
    /// What the client calls itself.
    pub agent: String,
    /// What its session id follows from.
    pub session: u64,
}

/// A line on its way: records that it consists of have no line feed at their end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it is sent, in nanoseconds since the epoch.
    pub time: u64,
    /// Who sends it.
    pub sender: IpAddr,
    /// What is sent; hostd's messages of several lines have line feeds.
    pub text: String,
}

/// What was told.
#[derive(Debug)]
pub struct Journal {
    hosts: Vec<Host>,
    vcenter: Vcenter,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    time: u64,
    /// How much later it is delivered.
    late: u64,
    teller: Teller,
    what: What,
}

impl Journal {
    /// Of these.
    pub const fn new(hosts: Vec<Host>, vcenter: Vcenter) -> Self {
        Self { hosts, vcenter, entries: Vec::new() }
    }

    /// The hosts that tell.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Adds what `teller` tells `time` nanoseconds after the epoch.
    pub fn add(&mut self, time: u64, teller: Teller, what: What) {
        self.entries.push(Entry { time, late: 0, teller, what });
    }

    /// How much was told.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody told anything.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Leaves out what is told outside of `from..to`.
    pub fn trim(&mut self, from: u64, to: u64) {
        self.entries.retain(|entry| (from..to).contains(&entry.time));
    }

    /// Has each entry come as much later as `delay` says, or never.
    pub fn deliver(&mut self, mut delay: impl FnMut() -> Option<u64>) {
        self.entries.retain_mut(|entry| match delay() {
            Some(late) => {
                entry.late = late;
                true
            }
            None => false,
        });
    }

    /// All lines in order of time, as they are sent.
    pub fn lines(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        self.each(|line| lines.push(line));
        lines
    }

    /// Writes all lines in order of time, as a relay that takes them from hosts and vCenter keeps them.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&mut self, mut out: impl Write) -> io::Result<()> {
        let mut result = Ok(());
        self.each(|line| {
            if result.is_ok() {
                result = writeln!(out, "{}", line.text);
            }
        });
        result.and_then(|()| out.flush())
    }

    /// Writes what one ESXi 8 host tells in the form of its own files and support bundles.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write_on_disk(&mut self, host: usize, mut out: impl Write) -> io::Result<()> {
        self.entries.sort_by_key(|entry| entry.time);
        let teller = &self.hosts[host];
        let mut number = teller.first_event();
        for entry in self.entries.iter().filter(|entry| entry.teller == Teller::Host(host)) {
            for text in teller.on_disk(entry.time, &entry.what, &mut number) {
                writeln!(out, "{text}")?;
            }
        }
        out.flush()
    }

    /// Events have numbers that rise with time, so nothing is worded before all is known.
    fn each(&mut self, mut take: impl FnMut(Line)) {
        self.entries.sort_by_key(|entry| entry.time + entry.late);
        let mut numbers: Vec<u64> = self.hosts.iter().map(Host::first_event).collect();
        let mut key = self.vcenter.first_event();
        let mut latest: VecDeque<(u64, u64, What)> = VecDeque::new();
        for Entry { time, teller, what, .. } in &self.entries {
            let mut send = |sender, text| take(Line { time: *time, sender, text });
            match teller {
                Teller::Host(host) => {
                    let host_writes = &self.hosts[*host];
                    for text in host_writes.wire(*time, what, &mut numbers[*host]) {
                        send(host_writes.address, text);
                    }
                }
                Teller::Vcenter if matches!(what, What::Restart) => {
                    for (happened, key, what) in &latest {
                        send(
                            self.vcenter.address,
                            self.vcenter.event(*time, *happened, *key, what),
                        );
                    }
                }
                Teller::Vcenter => {
                    key += 1;
                    send(self.vcenter.address, self.vcenter.event(*time, *time, key, what));
                    latest.push_back((*time, key, what.clone()));
                    if latest.len() > TOLD_AGAIN {
                        latest.pop_front();
                    }
                }
            }
        }
    }
}

/// A point in time as RFC 3339 in UTC, with this many digits behind the second.
fn stamp(time: u64, digits: usize) -> String {
    let time = jiff::Timestamp::from_nanosecond(i128::from(time)).expect("in range");
    format!("{time:.digits$}")
}

#[cfg(test)]
mod tests;
