//! Mirrors that leak: a change of what is mirrored, packets that go where none may, or both.

use super::{ACCOUNT, HOSTS, MACHINE, NETOPS, Packets, TARGET, USUAL, Way, Wrapping};
use crate::audit::{Call, Caller, Session};
use crate::scenario::calendar::{HOUR, MINUTE, SECOND};
use crate::scenario::truth::{self, Attack, Destination, Mirror, Time};

/// Packets begin so long after the change.
const AFTER: u64 = 20 * SECOND;
/// How long they go on, and how far they are apart.
const LENGTH: u64 = 10 * MINUTE;
const STEP: u64 = 5 * SECOND;
/// CloudTrail delivers within about a quarter of an hour.
const LATE: u64 = 15 * MINUTE;

/// Somebody with no business there.
const STRANGER: Caller<'_> = Caller { account: ACCOUNT, role: "developer", from: "198.18.7.7" };
/// Whose target it is that is in another account.
const FOREIGNER: Caller<'_> =
    Caller { account: "999988887777", role: "collector", from: "198.18.7.8" };

/// One kind of leak.
#[derive(Debug, Clone, Copy)]
struct Leak {
    what: What,
    name: &'static str,
    severity: &'static str,
    findings: &'static [&'static str],
    /// Its packets.
    way: Option<Way>,
}

/// What audit logs tell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Create,
    CreateToldLate,
    Console,
    ForeignTarget,
    ChangeOnly,
    Erspan,
    OwnDeleted,
    Retarget,
    Nothing,
}

const fn way(from: [u8; 4], to: [u8; 4], wrapping: Wrapping) -> Option<Way> {
    Some(Way { from, to, wrapping })
}

/// One of each; the session that is retargeted has to be there until then.
const LEAKS: [Leak; 11] = [
    Leak {
        what: What::Create,
        name: "mirror.create",
        severity: "critical",
        findings: &["unapproved_destination", "unapproved_principal"],
        way: way([10, 50, 1, 101], [10, 60, 0, 1], Wrapping::Vxlan(2001)),
    },
    Leak {
        what: What::CreateToldLate,
        name: "mirror.create_told_late",
        severity: "critical",
        findings: &["unapproved_destination", "unapproved_principal"],
        way: way([10, 50, 1, 102], [10, 60, 0, 2], Wrapping::Vxlan(2002)),
    },
    Leak {
        what: What::Console,
        name: "mirror.console",
        severity: "critical",
        findings: &["unapproved_destination", "unapproved_principal", "console"],
        way: way([10, 50, 1, 103], [10, 60, 0, 3], Wrapping::Vxlan(2003)),
    },
    Leak {
        what: What::ForeignTarget,
        name: "mirror.foreign_target",
        severity: "critical",
        findings: &["unapproved_destination", "foreign_account"],
        way: way([10, 50, 1, 104], [10, 70, 0, 4], Wrapping::Vxlan(2004)),
    },
    Leak {
        what: What::Nothing,
        name: "mirror.traffic_only",
        severity: "high",
        findings: &[],
        way: way([10, 50, 1, 105], [203, 0, 113, 50], Wrapping::Vxlan(77)),
    },
    Leak {
        what: What::Nothing,
        name: "mirror.odd_port",
        severity: "high",
        findings: &[],
        way: way([10, 50, 1, 106], [203, 0, 113, 51], Wrapping::Own(40_000)),
    },
    Leak {
        what: What::ChangeOnly,
        name: "mirror.change_only",
        severity: "medium",
        findings: &["unapproved_destination", "unapproved_principal"],
        way: None,
    },
    Leak {
        what: What::Erspan,
        name: "mirror.erspan",
        severity: "critical",
        findings: &["unapproved_destination", "unapproved_principal"],
        way: way(HOSTS[0], [198, 51, 100, 77], Wrapping::Erspan(77)),
    },
    Leak {
        what: What::Nothing,
        name: "mirror.erspan_untold",
        severity: "high",
        findings: &[],
        way: way(HOSTS[1], [198, 51, 100, 78], Wrapping::Erspan(78)),
    },
    Leak {
        what: What::OwnDeleted,
        name: "mirror.own_deleted",
        severity: "high",
        findings: &["own_mirror_deleted", "unapproved_principal"],
        way: None,
    },
    Leak {
        what: What::Retarget,
        name: "mirror.retarget",
        severity: "critical",
        findings: &["unapproved_destination", "retargeted", "own_mirror_deleted"],
        way: way(MACHINE, [10, 60, 0, 11], Wrapping::Vxlan(USUAL.network)),
    },
];

/// When the usual session is retargeted, on the day that begins at `leaking`.
pub(super) const fn retargeted(leaking: u64) -> u64 {
    begins(LEAKS.len() as u64 - 1, leaking)
}

/// When the leak of this number begins.
const fn begins(number: u64, leaking: u64) -> u64 {
    leaking + HOUR + number * 2 * HOUR
}

/// Lets each of them happen, two hours apart.
pub(super) fn play(packets: &mut Packets<'_, '_>, leaking: u64) {
    for (number, leak) in (0..).zip(&LEAKS) {
        let time = begins(number, leaking);
        let told = tell(packets, leak, number, time);
        let begun = time + AFTER;
        let sent = leak.way.map_or(0, |way| packets.send(way, begun, begun + LENGTH, STEP));
        note(packets, leak, time, (told, sent));
    }
}

/// Has audit logs tell of a leak; gives the ids of the records.
fn tell(packets: &mut Packets<'_, '_>, leak: &Leak, number: u64, time: u64) -> Vec<String> {
    let trail = &mut packets.scene.trail;
    let name = |kind: &str| format!("{kind}-0bad{number:02}");
    let [session, source, target, interface] = ["tms", "eni-src", "tmt", "eni"].map(name);
    let [a, b, c, d] = leak.way.map_or([0; 4], |way| way.to);
    let address = format!("{a}.{b}.{c}.{d}");
    let network = match leak.way {
        Some(Way { wrapping: Wrapping::Vxlan(network), .. }) => network,
        _ => 2999,
    };
    let made = Session { id: &session, source: &source, target: &target, network };
    let new = Call::Interface { id: &interface, address: &address };
    let of = Call::Target { id: &target, interface: &interface };
    match leak.what {
        What::Create | What::CreateToldLate => {
            let late = if leak.what == What::CreateToldLate { LATE } else { 0 };
            trail.call(time - 2 * SECOND, late, &STRANGER, new);
            let of = trail.call(time - SECOND, late, &STRANGER, of);
            vec![of, trail.call(time, late, &STRANGER, Call::Create(made))]
        }
        // No record says what the target is on the wire: packets have the network that the session has.
        What::Console => {
            let caller = Caller { from: "AWS Internal", ..STRANGER };
            vec![trail.call(time, 0, &caller, Call::Create(made))]
        }
        What::ForeignTarget => {
            trail.call(time - 2 * SECOND, 0, &FOREIGNER, new);
            let of = trail.call(time - SECOND, 0, &FOREIGNER, of);
            vec![of, trail.call(time, 0, &NETOPS, Call::Create(made))]
        }
        What::ChangeOnly => vec![trail.call(time, 0, &STRANGER, Call::Create(made))],
        What::Erspan => vec![trail.erspan(time, "CORP\\j.doe", 77, &address)],
        What::OwnDeleted => {
            let own = Session { id: "tms-0a02", source: "eni-0a02", target: TARGET, network: 1002 };
            vec![trail.call(time, 0, &STRANGER, Call::Delete(own))]
        }
        What::Retarget => {
            let moved = Session { target: &target, ..USUAL };
            vec![trail.call(time, 0, &NETOPS, Call::Retarget(moved))]
        }
        What::Nothing => Vec::new(),
    }
}

/// Writes it into the truth.
fn note(packets: &mut Packets<'_, '_>, leak: &Leak, time: u64, (told, sent): (Vec<String>, u64)) {
    // Where nothing is told, its packets are the first of it; a target is made a second before its session.
    let first = Time(if told.is_empty() { time + AFTER } else { time - SECOND });
    let ways = leak.way.iter();
    packets.scene.truth.attacks.push(Attack {
        kind: leak.name.into(),
        analytic: "AN1131".into(),
        required: true,
        asset: truth::Asset {
            name: leak.name.into(),
            addresses: ways.clone().map(|way| way.from.into()).collect(),
        },
        first,
        last: Time(time + AFTER + LENGTH),
        connections: vec![first],
        destinations: ways.map(|way| Destination { address: way.to.into(), port: 0 }).collect(),
        sni: None,
        bytes_out: 0,
        operations: None,
        mirror: Some(Mirror {
            severity: leak.severity.into(),
            records: told,
            findings: leak.findings.iter().map(|&finding| finding.into()).collect(),
            packets: sent,
        }),
        evasion: None,
        prepared: None,
        exfiltration: None,
        beacon: None,
    });
}
