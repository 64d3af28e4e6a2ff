//! What an account does in guests while it is logged in, and who tells of it.

use std::net::Ipv4Addr;
use std::rc::Rc;

use super::Logs;
use crate::esxi::{Login, Operation, Release, Teller, What};
use crate::rng::Rng;
use crate::scenario::calendar::SECOND;
use crate::scenario::estate::Asset;
use crate::scenario::scene::Scene;
use crate::scenario::truth;

/// A thousandth of a second.
const MILLI: u64 = SECOND / 1000;

/// Somebody who uses guest operations.
#[derive(Debug, Clone, Copy)]
pub(in crate::scenario) struct Account {
    pub(in crate::scenario) name: &'static str,
    client: Ipv4Addr,
    agent: &'static str,
    /// Whether it asks the host itself, and the vCenter knows nothing.
    pub(in crate::scenario) is_local: bool,
}

/// A virtual machine.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Machine {
    pub(in crate::scenario) name: Rc<str>,
    /// The number of the host it runs on.
    pub(in crate::scenario) host: usize,
}

/// An account at work, from login to logout.
pub(in crate::scenario) struct Work<'a, 'p> {
    scene: &'a mut Scene<'p>,
    account: Account,
    login: Rc<Login>,
    /// The host it is logged in on, when not on the vCenter.
    at: Teller,
    /// What time it is.
    pub(in crate::scenario) now: u64,
    /// When each operation was.
    pub(in crate::scenario) done: Vec<u64>,
}

impl Account {
    /// One that goes through the vCenter.
    pub(in crate::scenario) const fn of_vcenter(
        name: &'static str,
        [a, b, c, d]: [u8; 4],
        agent: &'static str,
    ) -> Self {
        Self { name, client: Ipv4Addr::new(a, b, c, d), agent, is_local: false }
    }

    /// One of the hosts themselves.
    pub(in crate::scenario) const fn of_host(
        name: &'static str,
        [a, b, c, d]: [u8; 4],
        agent: &'static str,
    ) -> Self {
        Self { name, client: Ipv4Addr::new(a, b, c, d), agent, is_local: true }
    }
}

impl Machine {
    /// A guest of the estate: guests run on its hosts in turn.
    pub(in crate::scenario) fn of(scene: &Scene<'_>, guest: &Asset) -> Self {
        let place = scene.estate.guests.iter().position(|other| other.name == guest.name);
        let host = place.unwrap_or_default() % scene.estate.hosts.len();
        Self { name: guest.name.as_str().into(), host }
    }

    /// As the truth names it.
    pub(in crate::scenario) fn truth(&self, scene: &Scene<'_>) -> truth::Asset {
        let guest = scene.estate.guests.iter().find(|guest| *guest.name == *self.name);
        guest.map_or_else(
            || truth::Asset { name: (*self.name).into(), addresses: Vec::new() },
            |guest| guest.truth(),
        )
    }
}

impl<'a, 'p> Work<'a, 'p> {
    /// Logs in on the vCenter.
    pub(in crate::scenario) fn log_in(
        scene: &'a mut Scene<'p>,
        account: Account,
        now: u64,
        rng: &mut Rng,
    ) -> Self {
        Self::at(scene, account, Teller::Vcenter, now, rng)
    }

    /// Logs in on a host.
    pub(in crate::scenario) fn log_in_on_host(
        scene: &'a mut Scene<'p>,
        account: Account,
        host: usize,
        now: u64,
        rng: &mut Rng,
    ) -> Self {
        Self::at(scene, account, Teller::Host(host), now, rng)
    }

    fn at(scene: &'a mut Scene<'p>, account: Account, at: Teller, now: u64, rng: &mut Rng) -> Self {
        let login = Rc::new(Login {
            account: account.name.into(),
            client: account.client.into(),
            agent: account.agent.into(),
            session: rng.next(),
        });
        let mut work = Self { scene, account, login, at, now, done: Vec::new() };
        work.tell(What::Login(work.login.clone()));
        work.pause(rng.range(SECOND, 4 * SECOND));
        work
    }

    /// Lets time pass.
    pub(in crate::scenario) const fn pause(&mut self, nanos: u64) {
        self.now += nanos;
    }

    /// One operation, as everybody tells it who knows of it.
    pub(in crate::scenario) fn operate(
        &mut self,
        machine: &Machine,
        operation: Operation,
        rng: &mut Rng,
    ) {
        let account: Rc<str> = self.account.name.into();
        let host = Teller::Host(machine.host);
        let vm = machine.name.clone();
        let what = What::Operation { operation, vm, account: account.clone(), is_refused: false };
        let journal = &mut self.scene.journal;
        let told = self.now + rng.range(MILLI, 40 * MILLI);
        journal.add(told, host, what.clone());
        let later = told + rng.range(50 * MILLI, 900 * MILLI);
        if self.scene.plan.logs == Logs::All {
            if !self.account.is_local {
                journal.add(later, Teller::Vcenter, what);
            }
            // Every other host of the release that has audit records sends them.
            let has_records = journal.hosts()[machine.host].release == Release::Eight;
            if has_records && machine.host % 4 == 2 {
                journal.add(told + MILLI, host, What::Call { operation, account });
            }
        }
        self.done.push(self.now);
        let is_seen = (self.scene.start()..self.scene.end()).contains(&told);
        self.scene.truth.operations += u64::from(is_seen);
    }

    /// Runs a script, as `Invoke-VMScript` of PowerCLI does: asks every five seconds whether it is done.
    pub(in crate::scenario) fn script(&mut self, machine: &Machine, rng: &mut Rng) {
        self.operate(machine, Operation::CreateTemporaryFile, rng);
        self.pause(rng.range(40 * MILLI, 90 * MILLI));
        self.operate(machine, Operation::StartProgram, rng);
        for _ in 0..1 + rng.count(1.5) {
            self.pause(5 * SECOND + rng.range(0, 90 * MILLI));
            self.operate(machine, Operation::ListProcesses, rng);
        }
        self.pause(rng.range(20 * MILLI, 90 * MILLI));
        self.operate(machine, Operation::FileFromGuest, rng);
        self.pause(rng.range(100 * MILLI, 250 * MILLI));
        self.operate(machine, Operation::DeleteFile, rng);
    }

    /// Brings a file and runs it.
    pub(in crate::scenario) fn deploy(&mut self, machine: &Machine, rng: &mut Rng) {
        self.operate(machine, Operation::FileToGuest, rng);
        self.pause(rng.range(SECOND, 9 * SECOND));
        self.script(machine, rng);
    }

    /// Stops a database from writing, and lets it go on.
    pub(in crate::scenario) fn quiesce(&mut self, machine: &Machine, rng: &mut Rng) {
        for _ in 0..2 {
            self.operate(machine, Operation::StartProgram, rng);
            self.pause(rng.range(3 * SECOND, 6 * SECOND));
            self.operate(machine, Operation::ListProcesses, rng);
            self.pause(rng.range(10 * SECOND, 60 * SECOND));
        }
    }

    /// Pulls a file.
    pub(in crate::scenario) fn pull(&mut self, machine: &Machine, rng: &mut Rng) {
        self.operate(machine, Operation::FileFromGuest, rng);
        self.pause(rng.range(4 * SECOND, 20 * SECOND));
    }

    /// Looks at processes and files.
    pub(in crate::scenario) fn look(&mut self, machine: &Machine, rng: &mut Rng) {
        self.operate(machine, Operation::ListProcesses, rng);
        self.pause(rng.range(SECOND, 3 * SECOND));
        self.operate(machine, Operation::ListFiles, rng);
    }

    /// Logs out; gives when each operation was.
    pub(in crate::scenario) fn log_out(mut self) -> Vec<u64> {
        self.pause(SECOND);
        self.tell(What::Logout(self.login.clone()));
        self.done
    }

    /// Tells of the session, where its teller sends logs.
    fn tell(&mut self, what: What) {
        if self.at != Teller::Vcenter || self.scene.plan.logs == Logs::All {
            self.scene.journal.add(self.now, self.at, what);
        }
    }
}
