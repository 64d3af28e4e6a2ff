//! What some seconds of traffic say of the mirror: whether there is one, whether it shows both
//! directions, each packet once, and frames as they were on the wire.

use std::collections::BTreeMap;

use super::super::facts::traffic::{Conversations, Seen, Traffic};
use super::super::finding::Finding;
use super::{counted, percent, some_of};
use crate::mirror::{MirrorFacts, Missing, times};
use crate::text::{grouped, printable};
use crate::time::{ByteSize, Elapsed};

/// What to look at when a mirror shows nothing.
const NO_MIRROR: &str = "vSphere: distributed switch > Configure > Port mirroring: a session that is \
                         enabled, this port its destination (or the port group: promiscuous mode \
                         Accept); a switch: show monitor session";
/// What to look at when packets come twice.
const TWICE: &str = "mirror one side of a path only: as sources either the hosts' uplinks or the \
                     VMs' ports, not both ends; on a switch: one direction (rx) of a VLAN's ports";
/// What to look at when a direction is missing.
const ONE_SIDED: &str = "vSphere: port mirroring session > Sources > Traffic direction: \
                         Ingress/Egress; a switch: monitor session … both; with taps or several \
                         uplinks, give every port with -i";

/// What to look at when a mirror samples.
const SAMPLED: &str = "vSphere: port mirroring session > Properties > Sampling rate: 1; a switch: no \
                       rate or sampling in the monitor session";
/// What to look at when a mirror cuts packets.
const CUT: &str = "vSphere: port mirroring session > Properties > Mirrored packet length: off; a \
                   switch: no mtu, truncate or header-only in the monitor session";
/// What to look at when packets are lost on the way.
const LOST: &str =
    "mirror less, or to a faster port: a mirror drops what its destination cannot take";

/// From this share of copies on, volumes would be wrong without recognising them.
const MANY_COPIES: f64 = 0.05;
/// From this share of one-sided conversations on, a direction is missing; below, routes differ.
const MOSTLY: f64 = 0.5;
const SOME: f64 = 0.1;
/// Fewer conversations say nothing of the mirror.
const ENOUGH: u64 = 3;

/// Judges an interface's traffic.
pub(in super::super) fn judge(traffic: &Traffic) -> Vec<Finding> {
    let name = printable(&traffic.interface).to_string();
    let seen = match &traffic.seen {
        Ok(seen) => seen,
        Err(why) => {
            let fix = "run as root or as the user of egret.service: sudo egret check";
            let text = format!("traffic cannot be looked at: {}", printable(why));
            return vec![Finding::problem(&name, "capture", text, fix)];
        }
    };
    let mut findings = vec![Finding::ok(&name, "capture", printable(&seen.how))];
    findings.push(mirror(&name, seen));
    if seen.frames == 0 {
        return findings;
    }
    findings.extend([losses(&name, seen), copies(&name, seen)]);
    findings.extend([directions(&name, &seen.tcp), sizes(&name, seen)]);
    findings.extend(missing(&name, seen));
    findings.extend(truncated(&name, seen));
    findings.extend(cut_before(&name, seen));
    findings.extend(vlans(&name, seen));
    findings.extend(tunnels(&name, seen));
    findings.push(assets(&name, seen));
    findings
}

fn mirror(name: &str, seen: &Seen) -> Finding {
    let time = Elapsed(seen.time);
    let seconds = seen.time.as_secs_f64().max(0.001);
    let rate = (seen.frames as f64 / seconds) as u64;
    let bytes = ByteSize((seen.wire_bytes as f64 / seconds) as u64);
    let text = format!(
        "{} in {time}: {} a second, {bytes}/s",
        counted(seen.frames, "frame"),
        grouped(rate)
    );
    if seen.of_others == 0
        && let Some(id) = seen.program
    {
        return hidden(name, id, &text);
    }
    let problem = |text| Finding::problem(name, "mirror", text, NO_MIRROR);
    if seen.frames == 0 {
        return problem(format!("nothing arrived in {time}"));
    }
    if seen.of_others > 0 {
        return Finding::ok(name, "mirror", text);
    }
    if seen.own > 0 {
        return problem(format!(
            "{text}; only this machine's own traffic and broadcasts: no mirror"
        ));
    }
    problem(format!("{text}; only broadcasts and multicasts: the mirror is not set up"))
}

/// A program in the driver ends frames before anybody behind it sees them: a running Egret's, too.
fn hidden(name: &str, id: u32, text: &str) -> Finding {
    let text = format!(
        "{text}, but an XDP program (id {id}) is there, and frames that it ends are not seen here: a \
         running Egret with backend xdp ends all that are not for this machine"
    );
    let fix = format!(
        "bpftool prog show id {id}: when it is egret_xdp, egret_capture_packets_total tells what comes; \
         or stop Egret and check again"
    );
    Finding::note(name, "mirror", text).fixed_by(fix)
}

fn losses(name: &str, seen: &Seen) -> Finding {
    let all = seen.frames.saturating_add(seen.dropped);
    if seen.dropped == 0 {
        return Finding::ok(name, "dropped", "no frame was lost while looking");
    }
    let text = format!(
        "{} found no room while looking, {}: this machine does not keep up",
        counted(seen.dropped, "frame"),
        percent(seen.dropped, all)
    );
    Finding::problem(
        name,
        "dropped",
        text,
        "capture.workers = 0 (one a core), more cores, or mirror less",
    )
}

fn copies(name: &str, seen: &Seen) -> Finding {
    if seen.copies == 0 {
        return Finding::ok(name, "copies", "every packet came once");
    }
    let text = format!(
        "{} came twice within 2 ms, {} of all: both ends of a path are mirrored",
        counted(seen.copies, "packet"),
        percent(seen.copies, seen.packets)
    );
    if seen.copies as f64 >= seen.packets as f64 * MANY_COPIES {
        let text =
            format!("{text}; copies are recognised and not counted, but cost half of the capacity");
        return Finding::problem(name, "copies", text, TWICE);
    }
    Finding::note(name, "copies", text).fixed_by(TWICE)
}

fn directions(name: &str, tcp: &Conversations) -> Finding {
    let (subject, check) = (name, "directions");
    let one_sided = tcp.client_only + tcp.server_only;
    let all = tcp.both + one_sided;
    if all < ENOUGH {
        let text = format!(
            "{}: too few to tell whether a direction is missing",
            counted(all, "TCP conversation")
        );
        return Finding::note(subject, check, text).fixed_by("egret check --seconds 60");
    }
    let share = one_sided as f64 / all as f64;
    let text = format!(
        "of {} {} show only one direction ({} only the client's, {} only the server's)",
        counted(all, "TCP conversation"),
        percent(one_sided, all),
        tcp.client_only,
        tcp.server_only
    );
    if share >= MOSTLY {
        let text = format!("{text}: the mirror is one-sided, and uploads or answers are not seen");
        return Finding::problem(subject, check, text, ONE_SIDED);
    }
    if share >= SOME {
        let text = format!("{text}: some paths are mirrored in one direction");
        return Finding::note(subject, check, text).fixed_by(ONE_SIDED);
    }
    Finding::ok(subject, check, text)
}

fn sizes(name: &str, seen: &Seen) -> Finding {
    if seen.oversize == 0 {
        return Finding::ok(
            name,
            "sizes",
            format_args!(
                "no packet is larger than the MTU; the largest has {} bytes",
                seen.largest
            ),
        );
    }
    let text = format!(
        "{}, {}, larger than the MTU (up to {} bytes): joined by an offload here, or jumbo frames",
        counted(seen.oversize, "packet"),
        percent(seen.oversize, seen.packets),
        grouped(seen.largest.into())
    );
    let fix = format!(
        "sudo ethtool -K {name} gro off lro off   (where jumbo frames are used: sudo ip link set \
         {name} mtu 9000)"
    );
    Finding::note(name, "sizes", text).fixed_by(fix)
}

fn truncated(name: &str, seen: &Seen) -> Option<Finding> {
    (seen.truncated > 0).then(|| {
        let text = format!(
            "{}, {}, were cut to capture.snaplen: volumes are right, but names may be lost",
            counted(seen.truncated, "frame"),
            percent(seen.truncated, seen.frames)
        );
        Finding::note(name, "truncated", text).fixed_by("capture.snaplen = 65535")
    })
}

/// Cut by the mirror: frames that are whole here and hold a part of their packet.
fn cut_before(name: &str, seen: &Seen) -> Option<Finding> {
    (seen.cut_before > 0).then(|| {
        let text = format!(
            "{}, {}, came cut by the mirror: volumes count what their headers say, but names are lost",
            counted(seen.cut_before, "packet"),
            percent(seen.cut_before, seen.packets)
        );
        Finding::problem(name, "cut", text, CUT)
    })
}

/// What did not come, by the sequence numbers of what did.
fn missing(name: &str, seen: &Seen) -> Option<Finding> {
    let dropped =
        MirrorFacts { packets: seen.frames, dropped: seen.dropped, ..MirrorFacts::default() };
    Some(match seen.sequences.missing(dropped.dropped_share())? {
        Missing::Sampled(one_in) => {
            let text = format!(
                "the mirror shows 1 in {} packets: volumes are estimated, and most names are lost",
                times(one_in)
            );
            Finding::problem(name, "sampled", text, SAMPLED)
        }
        Missing::Lost(share) => {
            let text = format!(
                "{:.1} % of the bytes of TCP were lost before they came here: volumes are short",
                share * 100.0
            );
            Finding::note(name, "lost", text).fixed_by(LOST)
        }
    })
}

fn vlans(name: &str, seen: &Seen) -> Option<Finding> {
    if seen.vlans.is_empty() {
        return None;
    }
    let mut ids: Vec<_> = seen.vlans.iter().collect();
    // The busiest first; equals stay in the order of their ids.
    ids.sort_by_key(|(_, frames)| std::cmp::Reverse(**frames));
    let ids: Vec<_> = ids.into_iter().map(|(id, _)| id.to_string()).collect();
    Some(Finding::ok(name, "vlans", format_args!("VLANs {}", some_of(&ids, 10))))
}

fn tunnels(name: &str, seen: &Seen) -> impl Iterator<Item = Finding> {
    let counts = |tunnels: &BTreeMap<&str, u64>| {
        let each = tunnels.iter().map(|(kind, packets)| format!("{kind} {}", grouped(*packets)));
        (!tunnels.is_empty()).then(|| each.collect::<Vec<_>>().join(", "))
    };
    let read = counts(&seen.tunnels).map(|counts| {
        let text = format!("packets in tunnels: {counts}; they count as what they are inside");
        Finding::ok(name, "tunnels", text)
    });
    let closed = counts(&seen.closed_tunnels).map(|counts| {
        let text =
            format!("packets that carry others: {counts}; what they carry is not looked into");
        Finding::note(name, "closed_tunnels", text)
    });
    read.into_iter().chain(closed)
}

fn assets(name: &str, seen: &Seen) -> Finding {
    let configured = seen.assets_seen.len() + seen.assets_unseen.len();
    let found = format!("{} by VMware's MAC addresses", counted(seen.discovered, "guest"));
    if configured == 0 {
        return Finding::ok(name, "assets_seen", format_args!("{found}; no assets are named"));
    }
    let text = format!("{} of {configured} named assets seen, {found}", seen.assets_seen.len());
    if seen.assets_unseen.is_empty() {
        return Finding::ok(name, "assets_seen", text);
    }
    let text = format!("{text}; not seen: {}", some_of(&seen.assets_unseen, 5));
    let fix = "look longer (--seconds 600), correct their address or mac, or mirror their ports";
    Finding::note(name, "assets_seen", text).fixed_by(fix)
}

#[cfg(test)]
mod tests;
