//! Sentences that tell which host a virtual machine runs on.

use crate::event::Said;

use super::name;

/// How a sentence that has `VM on HOST in DATACENTER` begins and ends.
const ON: [(&str, &str); 12] = [
    ("", " is powered on"),
    ("", " is starting"),
    ("", " is powered off"),
    ("", " is suspended"),
    ("", " is being suspended"),
    ("", " is resumed"),
    ("", " is reset"),
    ("", " is being stopped"),
    ("Guest OS reboot for ", ""),
    ("Guest OS shut down for ", ""),
    ("Registered ", ""),
    ("Created virtual machine ", ""),
];

/// What an event tells.
pub(super) fn of_event(text: &str) -> Option<Said> {
    let text = text.trim_end();
    let (vm, host) = moved(text).or_else(|| started(text))?;
    let is_new = ["Registered ", "Created "].iter().any(|begins| text.starts_with(begins));
    Some(Said::Placement { vm: name(vm), host: name(host), is_new })
}

fn started(text: &str) -> Option<(&str, &str)> {
    let inside = |(start, end): &(&str, &str)| text.strip_prefix(start)?.strip_suffix(end);
    let inside = ON.iter().find_map(inside)?;
    let inside = inside.strip_prefix("DRS powered On ").unwrap_or(inside);
    // From the end: a virtual machine may be called anything, and names of hosts have no spaces.
    inside.rmatch_indices(" on ").find_map(|(at, on)| {
        let (vm, rest) = (inside.get(..at)?, inside.get(at.checked_add(on.len())?..)?);
        let (host, _datacenter) = rest.strip_prefix("host ").unwrap_or(rest).split_once(" in ")?;
        is_host(host).then_some((vm, host))
    })
}

/// `Migration of virtual machine VM from A to B completed`, `DRS migrated VM from A to B in cluster C
/// in DATACENTER`; each host may be followed by a datastore.
fn moved(text: &str) -> Option<(&str, &str)> {
    let (inside, end) = match text.strip_prefix("Migration of virtual machine ") {
        Some(rest) => (rest, " completed"),
        None => (text.strip_prefix("DRS migrated ")?, " in cluster "),
    };
    let (inside, _) = inside.rsplit_once(end)?;
    let (vm, rest) = inside.rsplit_once(" from ")?;
    let (_, host) = rest.rsplit_once(" to ")?;
    let host = host.split_once(", ").map_or(host, |(host, _datastore)| host);
    is_host(host).then_some((vm, host))
}

fn is_host(name: &str) -> bool {
    !name.is_empty() && !name.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(text: &str) -> Option<(String, String)> {
        match of_event(text)? {
            Said::Placement { vm, host, .. } => Some((vm.to_string(), host.to_string())),
            _ => None,
        }
    }

    #[test]
    fn the_host_is_found_behind_any_name() {
        for (text, vm) in [
            ("web01 on esx1 in DC0 is powered on", "web01"),
            ("web 01 on host esx1 in DC on prem is starting", "web 01"),
            ("DRS powered On web01 on esx1 in DC is powered on", "web01"),
            (
                "Guest OS reboot for Kali Linux - Foobar on esx1 in ha-datacenter",
                "Kali Linux - Foobar",
            ),
            ("x on evil in DC on esx1 in DC0 is powered on", "x on evil in DC"),
            (
                "Migration of virtual machine a from b to c from esx0 to esx1 completed",
                "a from b to c",
            ),
            ("Migration of virtual machine a from esx0, ds0 to esx1, ds 1 completed", "a"),
            ("DRS migrated a from esx0 to esx1 in cluster C 1 in DC0", "a"),
        ] {
            assert_eq!(placed(text), Some((vm.into(), "esx1".into())), "{text}");
        }
        for text in ["", "x is powered on", "x on is powered on", "Migration of virtual machine"] {
            assert_eq!(placed(text), None, "{text}");
        }
    }
}
