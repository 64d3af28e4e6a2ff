//! What this process lacks to load and attach kernel programs.

use caps::{CapSet, Capability};

/// Each with what else gives the same right: before Linux 5.8 that was the only way to have it.
const NEEDED: [(Capability, Capability); 3] = [
    (Capability::CAP_BPF, Capability::CAP_SYS_ADMIN),
    (Capability::CAP_PERFMON, Capability::CAP_SYS_ADMIN),
    (Capability::CAP_NET_ADMIN, Capability::CAP_NET_ADMIN),
];

/// A sentence that names the capabilities that are missing, and what gives them; `None` when
/// nothing is missing.
pub(super) fn missing() -> Option<String> {
    let has = |capability| caps::has_cap(None, CapSet::Effective, capability).unwrap_or(true);
    let missing = NEEDED.into_iter().filter(|(this, instead)| !has(*this) && !has(*instead));
    let missing: Vec<_> = missing.map(|(this, _)| this.to_string()).collect();
    if missing.is_empty() {
        return None;
    }
    let names = missing.join(" and ");
    let flags = missing.join(",").to_lowercase();
    Some(format!(
        "it needs {names}: run as root or as the systemd unit, or once setcap {flags},cap_net_raw+ep on the program"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread has capabilities of its own, so that none of the other tests is disturbed.
    #[test]
    fn what_is_missing_is_named_and_how_to_get_it() {
        let said = std::thread::spawn(|| {
            caps::clear(None, CapSet::Effective).expect("giving up is always allowed");
            missing()
        });
        let said = said.join().expect("it says").expect("something is missing");
        for part in [
            "CAP_BPF and CAP_PERFMON and CAP_NET_ADMIN",
            "setcap cap_bpf,cap_perfmon,cap_net_admin,cap_net_raw+ep",
        ] {
            assert!(said.contains(part), "{said}");
        }
    }
}
