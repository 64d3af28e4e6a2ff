//! What a vCenter writes: events of vpxd, as the appliance's rsyslog sends them (RFC 5424).

use std::net::IpAddr;

use super::{Login, What, noise, stamp};

/// A vCenter that sends its events.
#[derive(Debug, Clone)]
pub struct Vcenter {
    /// Its name, as headers have it.
    pub name: String,
    /// The address it sends from.
    pub address: IpAddr,
    /// Hours its header's times are ahead of UTC: they say so, and the events inside are in UTC.
    pub offset: u8,
    /// The name of its datacenter.
    pub datacenter: String,
}

/// An event of vpxd without its number.
pub(super) struct Event<'a> {
    pub(super) class: &'a str,
    pub(super) account: &'a str,
    pub(super) text: &'a str,
    /// Whether there is more of it than fits one message; the brackets then stay open.
    pub(super) parts: u8,
}

impl Vcenter {
    /// The number of the first event it tells.
    pub(super) const fn first_event(&self) -> u64 {
        674_000 + self.name.len() as u64
    }

    /// The line sent at `time` for what `happened` and has the number `key`.
    pub(super) fn event(&self, time: u64, happened: u64, key: u64, what: &What) -> String {
        let write = |class, account: &str, text: &str| {
            self.line(time, happened, key, &Event { class, account, text, parts: 1 })
        };
        match what {
            What::Operation { operation, vm, account, is_refused } => {
                write("vim.event.EventEx", account, &operation.event(vm, *is_refused))
            }
            What::Login(login) => {
                let Login { account, client, agent, .. } = &**login;
                let text = format!("User {account}@{client} logged in as {agent}");
                write("vim.event.UserLoginSessionEvent", account, &text)
            }
            What::Logout(login) => {
                let Login { account, client, agent, .. } = &**login;
                let text = format!(
                    "User {account}@{client} logged out (login time: Tuesday, 03 March, 2026 \
                     07:14:36 AM, number of API invocations: 12, user agent: {agent})"
                );
                write("vim.event.UserLogoutSessionEvent", account, &text)
            }
            What::Noise(seed) => {
                noise::of_vcenter(*seed, |event| self.line(time, happened, key, event))
            }
            What::Call { .. } | What::Conversation { .. } | What::Restart => {
                panic!("hosts tell this: {what:?}")
            }
        }
    }

    fn line(&self, time: u64, happened: u64, key: u64, event: &Event<'_>) -> String {
        let Event { class, account, text, parts } = event;
        let ahead = u64::from(self.offset) * 3600 * 1_000_000_000;
        let header = stamp(time + ahead, 6).replace('Z', &format!("+{:02}:00", self.offset));
        let (name, datacenter) = (&self.name, &self.datacenter);
        let stated = stamp(happened, 6);
        let datacenter = if class.ends_with("SessionEvent") { "" } else { datacenter };
        let end = if *parts > 1 { "" } else { "]" };
        format!(
            "<14>1 {header} {name} vpxd 36683 - -  Event [{key}] [1-{parts}] [{stated}] [{class}] \
             [info] [{account}] [{datacenter}] [{key}] [{text}{end}"
        )
    }
}
