//! Switches and routers: their `monitor session` and analyzer configuration, as they log the commands that
//! they were given (ATT&CK T1020.001 on network devices, AN1132).
//!
//! Understood are Cisco IOS and IOS-XE (`archive`, `log config`, `notify syslog`), NX-OS (accounting), Arista
//! EOS (accounting) and Junos (`change-log`). A session of IOS is configured by several commands: each is
//! told with what those before it, of the same user on the same device, said.

#![deny(clippy::arithmetic_side_effects)]

use std::net::IpAddr;
use std::sync::Arc;

use super::esxi::Told;
use super::kept::Kept;
use super::name;
use super::syslog::Message;
use crate::account;
use crate::event::{MirrorChange, Principal, Said, Service};

mod command;
mod junos;
#[cfg(test)]
mod tests;

/// Sessions being configured that are remembered at most.
const MAX_OPEN: usize = 256;
/// What a device writes before its message is no longer: a count, its name, and its time.
const MAX_PREFIX: usize = 80;

/// Reads messages, and remembers sessions that are being configured.
#[derive(Debug)]
pub struct Devices {
    /// What was said of a session so far, by device and user; of none, when they turned to something else.
    open: Kept<(Arc<str>, Arc<str>), Option<MirrorChange>>,
}

impl Default for Devices {
    fn default() -> Self {
        Self { open: Kept::new(MAX_OPEN) }
    }
}

/// A command, and who gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Logged<'a> {
    user: &'a str,
    /// Where from.
    from: Option<&'a str>,
    /// The commands that lead to it, and it.
    path: &'a str,
    is_refused: bool,
}

impl Devices {
    /// What a message says, if it is of a network device.
    pub fn read(&mut self, message: &Message<'_>, peer: Option<IpAddr>) -> Option<Told> {
        let peer = peer.map(|peer| peer.to_string());
        let device = name(message.host.or(peer.as_deref()).unwrap_or_default());
        let body = message.body.trim_start_matches(' ');
        let change = if message.program.eq_ignore_ascii_case("mgd") {
            let (user, change) = junos::read(body)?;
            attributed(change, user, None, device)
        } else {
            let (mnemonic, text) = mnemonic(message.program, body)?;
            self.commanded(&logged(mnemonic, text)?, device)?
        };
        let said = Said::MirrorChanged(Box::new(change));
        Some(Told { service: Service::Device, stated: None, said })
    }

    fn commanded(&mut self, logged: &Logged<'_>, device: Arc<str>) -> Option<MirrorChange> {
        let key = (device.clone(), name(logged.user));
        let before = self.open.get_mut(&key).and_then(Option::take);
        // What leads to a command is told with it where the device does so.
        let mut commands = logged.path.split(" ; ").map(str::trim).peekable();
        let mut block =
            commands.next_if(|first| first.starts_with("configure")).map_or(before, |_| None);
        let mut told = None;
        for command in commands {
            told = command::apply(&mut block, command);
        }
        if logged.is_refused {
            // It was not done: what was being configured is as before.
            let mut change = told?;
            change.failure = Some("refused".into());
            return Some(attributed(change, logged.user, logged.from, device));
        }
        if block.is_some() || self.open.get(&key).is_some() {
            self.open.insert(key, block);
        }
        told.map(|change| attributed(change, logged.user, logged.from, device))
    }
}

fn attributed(
    change: MirrorChange,
    user: &str,
    from: Option<&str>,
    device: Arc<str>,
) -> MirrorChange {
    MirrorChange {
        principal: account::spelled(user).map(Principal::named),
        from: from.map(name),
        scope: Some(device).filter(|device| !device.is_empty()),
        ..change
    }
}

/// What a message of Cisco's form is called, and its text: `%PARSER-5-CFGLOG_LOGGEDCMD: User:…`. It is where
/// the device writes it: first, behind a count, the device's time and its name at most.
fn mnemonic<'a>(program: &'a str, body: &'a str) -> Option<(&'a str, &'a str)> {
    if let Some(mnemonic) = program.strip_prefix('%') {
        return Some((mnemonic, body));
    }
    let is_own = program.is_empty()
        || program.eq_ignore_ascii_case("aaa")
        || program.bytes().all(|byte| byte.is_ascii_digit());
    let (prefix, rest) = body.split_once('%').filter(|_| is_own)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " .:*+-/_,".contains(c);
    let is_prefix = prefix.len() <= MAX_PREFIX
        && prefix.chars().all(is_plain)
        && (prefix.is_empty() || prefix.ends_with(": "));
    rest.split_once(": ").filter(|_| is_prefix)
}

/// The command in a message.
fn logged<'a>(mnemonic: &str, text: &'a str) -> Option<Logged<'a>> {
    let text = text.trim();
    match mnemonic {
        "PARSER-5-CFGLOG_LOGGEDCMD" => {
            let (user, path) = text.strip_prefix("User:")?.split_once(" logged command:")?;
            Some(Logged { user: user.trim(), from: None, path, is_refused: false })
        }
        "AAA-6-AAA_ACCOUNTING_MESSAGE" => accounted(text.strip_prefix("update:")?),
        "ACCOUNTING-6-CMD" => {
            let mut words = text.split(' ').filter(|word| !word.is_empty());
            let (user, _tty, from) = (words.next()?, words.next()?, words.next()?);
            // A command is told of when it begins, too, where the device is set so.
            if words.next()? != "stop" {
                return None;
            }
            let (_, path) = text.split_once(" cmd=")?;
            let path = path.trim_end().strip_suffix("<cr>").unwrap_or(path);
            Some(Logged { user, from: Some(from), path, is_refused: false })
        }
        _ => None,
    }
}

/// `192.0.2.5@pts/0:admin:configure terminal ; monitor session 1 (SUCCESS)`, or `console0:admin:…`.
fn accounted(text: &str) -> Option<Logged<'_>> {
    let remote = text.split_once('@').filter(|(from, _)| from.parse::<IpAddr>().is_ok());
    let (from, rest) = remote.map_or((None, text), |(from, rest)| (Some(from), rest));
    let (_tty, rest) = rest.split_once(':')?;
    let (user, path) = rest.split_once(':')?;
    let (path, is_refused) = match path.trim_end().strip_suffix("(FAILURE)") {
        Some(path) => (path, true),
        None => (path.trim_end().strip_suffix("(SUCCESS)").unwrap_or(path), false),
    };
    // Other commands only show things.
    path.starts_with("configure").then_some(Logged { user, from, path, is_refused })
}
