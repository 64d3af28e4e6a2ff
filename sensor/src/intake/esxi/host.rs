//! What was changed on a host: by its command line, and as vobd observed it.

use crate::event::{Change, HostChange, Said};

use super::{name, stated};

/// Commands that change something, by how they begin. `esxcli` takes short names and options anywhere;
/// what is asked for (`list`, `get`) changes nothing.
const COMMANDS: [(&[&str], Change); 8] = [
    (&["network", "ip", "dns"], Change::Resolvers),
    (&["network", "firewall", "ruleset"], Change::FirewallOpened),
    (&["network", "firewall", "set"], Change::FirewallOff),
    (&["network", "firewall", "unload"], Change::FirewallOff),
    (&["network", "vswitch"], Change::Switch),
    (&["software", "vib"], Change::Installed),
    (&["software", "profile"], Change::Installed),
    (&["software", "component"], Change::Installed),
];
const CHANGES: [&str; 6] = ["add", "set", "install", "update", "apply", "unload"];
/// So much of a command is kept.
const LONGEST: usize = 200;

/// A command that somebody gave to the shell.
pub(super) fn command(user: &str, line: &str) -> Option<Said> {
    let words = line.split_ascii_whitespace().skip_while(|word| !is_esxcli(word)).skip(1);
    let words: Vec<&str> = words.take(24).collect();
    let plain = words.iter().filter(|word| !word.starts_with('-')).copied();
    let plain: Vec<&str> = plain.collect();
    let (_, change) = COMMANDS.iter().find(|(begins, _)| plain.starts_with(begins))?;
    if !plain.iter().any(|word| CHANGES.contains(word)) {
        return None;
    }
    let says = |option: &str, value: &str| {
        let joined = format!("{option}={value}");
        words.contains(&&*joined)
            || words.windows(2).any(|pair| matches!(pair, [a, b] if *a == option && *b == value))
    };
    let is = |short: &str, long: &str, value| says(short, value) || says(long, value);
    // A rule set that is disabled, or narrowed to some addresses, and a firewall that is switched on again.
    let is_closed = match change {
        Change::FirewallOpened => {
            is("-e", "--enabled", "false") || is("-a", "--allowed-all", "false")
        }
        Change::FirewallOff => is("-e", "--enabled", "true"),
        _ => false,
    };
    if is_closed {
        return None;
    }
    let end = line.char_indices().nth(LONGEST).map_or(line.len(), |(end, _)| end);
    told(*change, line.get(..end)?, stated(user).map(|claim| claim.account))
}

/// What vobd observed, by its id.
pub(super) fn observed(id: &str, text: &str) -> Option<Said> {
    match id {
        "esx.audit.net.firewall.config.changed" => {
            let (operation, rest) = text.split_once("Operation '")?.1.split_once('\'')?;
            let (_, set) = rest.split_once("rule set ")?;
            let set = set.split_ascii_whitespace().next()?;
            let opens = matches!(operation, "enable" | "add" | "addAllowedIP" | "setAllowedAll");
            if opens { told(Change::FirewallOpened, set, None) } else { None }
        }
        "esx.audit.net.firewall.disabled" => told(Change::FirewallOff, "firewall", None),
        "esx.audit.esximage.install.successful"
        | "esx.audit.esximage.profileupdate.successful"
        | "esx.audit.esximage.vib.install.successful" => told(Change::Installed, text, None),
        _ => None,
    }
}

fn is_esxcli(word: &str) -> bool {
    word == "esxcli" || word.ends_with("/esxcli")
}

fn told(change: Change, detail: &str, account: Option<std::sync::Arc<str>>) -> Option<Said> {
    Some(Said::HostChanged(Box::new(HostChange { change, detail: name(detail), account })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(said: Option<Said>) -> Option<(Change, String)> {
        match said? {
            Said::HostChanged(changed) => Some((changed.change, changed.detail.to_string())),
            _ => None,
        }
    }

    #[test]
    fn commands_that_change_are_told_and_those_that_ask_are_not() {
        let of = |line: &str| changed(command("root", line)).map(|(change, _)| change);
        for (line, change) in [
            ("esxcli network ip dns server add --server=198.51.100.53", Change::Resolvers),
            ("/bin/esxcli --formatter=csv network ip dns search add -d x", Change::Resolvers),
            ("esxcli network firewall ruleset set -e true -r httpClient", Change::FirewallOpened),
            ("esxcli network firewall set --enabled false", Change::FirewallOff),
            ("esxcli network firewall unload", Change::FirewallOff),
            ("esxcli network vswitch standard portgroup policy security set -p x", Change::Switch),
            ("nohup esxcli software vib install -d /vmfs/x.zip -f", Change::Installed),
        ] {
            assert_eq!(of(line), Some(change), "{line}");
        }
        for line in [
            "esxcli network ip dns server list",
            "esxcli network firewall ruleset set -e false -r sshServer",
            "esxcli network firewall ruleset set --ruleset-id sshServer --allowed-all=false",
            "esxcli network firewall set -e true",
            "esxcli network firewall get",
            "esxcli system version get",
            "echo network ip dns server add",
            "",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }

    #[test]
    fn a_command_says_who_gave_it_and_is_cut_where_it_has_no_end() {
        let line = format!("esxcli software vib install -v {}", "ä".repeat(4000));
        let Some(Said::HostChanged(changed)) = command("root", &line) else { panic!("nothing") };
        assert_eq!(changed.account.as_deref(), Some("root"));
        assert_eq!(changed.detail.chars().count(), LONGEST);
    }

    #[test]
    fn what_vobd_observes_is_told_where_it_opens_something() {
        let text = |operation: &str| {
            format!(
                "Firewall configuration has changed. Operation '{operation}' for rule set webAccess succeeded."
            )
        };
        let id = "esx.audit.net.firewall.config.changed";
        let opened = Some((Change::FirewallOpened, "webAccess".to_owned()));
        assert_eq!(changed(observed(id, &text("add"))), opened);
        assert_eq!(changed(observed(id, &text("disable"))), None);
        assert_eq!(changed(observed(id, "Operation '")), None);
        let off = changed(observed("esx.audit.net.firewall.disabled", "Firewall is off"));
        assert_eq!(off.map(|(change, _)| change), Some(Change::FirewallOff));
    }
}
