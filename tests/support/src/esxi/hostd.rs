//! What a host writes: hostd's messages in the form of its release, and those of its other programs.

use std::net::IpAddr;

use super::{Login, What, noise, nsx, stamp};
use crate::rng::Rng;

/// A release of ESXi; each frames hostd's messages in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// 6.0: `Hostd: [THREAD info 'SUB' opID=…] …`
    Six,
    /// 6.5 and 7: `Hostd: info hostd[PID] [Originator@6876 sub=SUB opID=…] …`
    Seven,
    /// 8: `Hostd[PID]: [Originator@6876 sub=SUB opID=…] …`
    Eight,
}

/// A host that sends its log.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name, as headers have it.
    pub name: String,
    /// The address it sends from.
    pub address: IpAddr,
    /// What it runs.
    pub release: Release,
    /// How far its clock is ahead, in nanoseconds.
    pub ahead: i64,
}

/// How a line is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Sent over the network.
    Wire,
    /// In a file of the host, as of ESXi 8.
    OnDisk,
}

/// A message of hostd: what says it, its ids (`opID=… sid=… user=…`), and what.
struct Message<'a> {
    sub: &'a str,
    ids: &'a str,
    text: &'a str,
}

impl Host {
    /// The number of the first event it tells.
    pub(super) fn first_event(&self) -> u64 {
        self.rng("events").range(200, 90_000)
    }

    /// What it sends to tell `what`; `number` is that of its latest event.
    pub(super) fn wire(&self, time: u64, what: &What, number: &mut u64) -> Vec<String> {
        self.tell(Form::Wire, time, what, number)
    }

    /// The same as it stands in its files. Those of the firewall and of audit records are others.
    pub(super) fn on_disk(&self, time: u64, what: &What, number: &mut u64) -> Vec<String> {
        match what {
            What::Call { .. } | What::Conversation { .. } => Vec::new(),
            _ => self.tell(Form::OnDisk, time, what, number),
        }
    }

    /// What its clock says.
    pub(super) fn stated(&self, time: u64) -> String {
        stamp(time.saturating_add_signed(self.ahead), 3)
    }

    /// A line of any of its programs, as ESXi frames them.
    pub(super) fn plain(
        &self,
        form: Form,
        time: u64,
        priority: u8,
        tag: &str,
        text: &str,
    ) -> String {
        const SEVERITIES: [&str; 8] = ["Em", "Al", "Cr", "Er", "Wa", "No", "In", "Db"];
        let stated = self.stated(time);
        match form {
            Form::Wire => format!("<{priority}>{stated} {} {tag}: {text}", self.name),
            Form::OnDisk => {
                let severity = SEVERITIES[usize::from(priority % 8)];
                format!("{stated} {severity}({priority}) {tag}: {text}")
            }
        }
    }

    /// A random number generator of its own.
    pub(super) fn rng(&self, label: &str) -> Rng {
        Rng::new(0).stream(&self.name).stream(label)
    }

    fn tell(&self, form: Form, time: u64, what: &What, number: &mut u64) -> Vec<String> {
        let mut event = |time, ids: &str, text: &str| {
            *number += 1;
            let text = format!("Event {number} : {text}");
            self.hostd(form, time, &Message { sub: "Vimsvc.ha-eventmgr", ids, text: &text })
        };
        match what {
            What::Operation { operation, vm, is_refused, .. } => {
                vec![event(time, "", &operation.event(vm, *is_refused))]
            }
            What::Login(login) => {
                let Login { account, client, agent, .. } = &**login;
                let session = login.session();
                let ids = format!(" opID={:08x} sid={}", login.session as u32, &session[..8]);
                let accepted = format!(
                    "Accepted password for user {account} from {client} - session={session}"
                );
                let sub = "Vimsvc.HaSessionManager";
                vec![
                    self.hostd(form, time, &Message { sub, ids: &ids, text: &accepted }),
                    event(time, &ids, &format!("User {account}@{client} logged in as {agent}")),
                ]
            }
            What::Logout(login) => {
                let Login { account, client, agent, .. } = &**login;
                let text = format!(
                    "User {account}@{client} logged out (login time: Tuesday, 03 March, 2026 07:14:36 AM, \
                     number of API invocations: 3, user agent: {agent})"
                );
                vec![event(time, &format!(" sid={}", &login.session()[..8]), &text)]
            }
            What::Call { operation, account } => {
                let tag = format!("Hostd[{}]", self.process(time));
                let text = format!(
                    "[api.call@6876 subject=\"{}\" object=\"{}\" result=\"success\"]",
                    account.replace('\\', "\\\\"),
                    operation.method()
                );
                // 13 * 8 + 7: facility audit, severity debug, as calls that succeed have it.
                vec![self.plain(form, time, 111, &tag, &text)]
            }
            What::Conversation { client, server, bytes } => {
                vec![nsx::packet_log(self, time, *client, *server, *bytes)]
            }
            What::Noise(seed) => match noise::of_host(*seed, &self.stated(time)) {
                noise::Said::Hostd { sub, ids, text } => {
                    vec![self.hostd(form, time, &Message { sub, ids: &ids, text: &text })]
                }
                noise::Said::Event(text) => vec![event(time, "", &text)],
                noise::Said::Plain { priority, tag, text } => {
                    vec![self.plain(form, time, priority, tag, &text)]
                }
                noise::Said::Conversation { client, server, bytes } if form == Form::Wire => {
                    vec![nsx::packet_log(self, time, client, server, bytes)]
                }
                noise::Said::Conversation { .. } => Vec::new(),
            },
            What::Restart => panic!("vCenters tell this"),
        }
    }

    fn hostd(&self, form: Form, time: u64, message: &Message<'_>) -> String {
        let Message { sub, ids, text } = message;
        let process = self.process(time);
        if form == Form::OnDisk {
            let stated = self.stated(time);
            return format!(
                "{stated} In(166) Hostd[{process}]: [Originator@6876 sub={sub}{ids}] {text}"
            );
        }
        match self.release {
            Release::Six => {
                let sub = sub.strip_prefix("Vimsvc.").unwrap_or(sub);
                let text = format!("[{:08X} info '{sub}'{ids}] {text}", process * 0x35);
                self.plain(form, time, 166, "Hostd", &text)
            }
            Release::Seven => {
                let text = format!("info hostd[{process}] [Originator@6876 sub={sub}{ids}] {text}");
                self.plain(form, time, 166, "Hostd", &text)
            }
            Release::Eight => {
                let text = format!("[Originator@6876 sub={sub}{ids}] {text}");
                self.plain(form, time, 166, &format!("Hostd[{process}]"), &text)
            }
        }
    }

    /// The id of one of hostd's dozen threads, which it calls its process.
    fn process(&self, time: u64) -> u64 {
        self.rng("threads").range(1_050_000, 2_100_000) + time / 1_000_000 % 12
    }
}

impl Login {
    /// The id of its session.
    fn session(&self) -> String {
        let mut rng = Rng::new(self.session);
        let [a, b] = [rng.next(), rng.next()];
        format!(
            "52{:06x}-{:04x}-{:04x}-{:04x}-{:012x}",
            a as u32 & 0x00ff_ffff,
            a >> 48,
            a >> 32 & 0xffff,
            b >> 48,
            b & 0xffff_ffff_ffff
        )
    }
}
