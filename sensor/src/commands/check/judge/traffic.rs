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
mod tests {
    use std::time::Duration;

    use super::super::super::finding::Level;
    use super::super::testing::assert_finding;
    use super::*;
    use crate::mirror::Sequences;

    /// What a good mirror shows.
    fn good() -> Seen {
        Seen {
            how: "AF_PACKET ring".to_owned(),
            time: Duration::from_secs(10),
            frames: 1_000,
            wire_bytes: 1_000_000,
            of_others: 990,
            to_groups: 10,
            packets: 1_000,
            largest: 1500,
            tcp: Conversations { both: 100, client_only: 2, server_only: 1 },
            ..Seen::default()
        }
    }

    fn judged(seen: Seen) -> Vec<Finding> {
        judge(&Traffic { interface: "eth1".to_owned(), seen: Ok(seen) })
    }

    #[test]
    fn a_good_mirror_is_ok_in_everything() {
        let findings = judged(good());
        assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:#?}");
        let words = ["1,000 frames in 10s: 100 a second, 100.0 kB/s"];
        assert_finding(&findings, "mirror", Level::Ok, &words);
    }

    #[test]
    fn a_mirror_that_samples_cuts_or_loses_is_named() {
        let sequences = |sent_bytes, gapped| Sequences {
            segments: 1000,
            seen_bytes: 1_000_000,
            sent_bytes,
            directions: 20,
            gapped,
        };
        let sampled = judged(Seen { sequences: sequences(9_900_000, 20), ..good() });
        assert_finding(&sampled, "sampled", Level::Problem, &["shows 1 in 10", "Sampling rate: 1"]);
        let lossy = judged(Seen { sequences: sequences(1_100_000, 0), ..good() });
        assert_finding(&lossy, "lost", Level::Note, &["9.1 % of the bytes of TCP"]);
        let cut = judged(Seen { cut_before: 300, ..good() });
        assert_finding(&cut, "cut", Level::Problem, &["300 packets, 30", "Mirrored packet length"]);
    }

    #[test]
    fn silence_broadcasts_and_own_traffic_are_no_mirror() {
        let silent = judged(Seen { frames: 0, ..good() });
        assert_eq!(silent.len(), 2);
        let words = ["nothing arrived in 10s", "Port mirroring"];
        assert_finding(&silent, "mirror", Level::Problem, &words);
        let broadcasts = judged(Seen { of_others: 0, ..good() });
        let words = ["only broadcasts", "show monitor session"];
        assert_finding(&broadcasts, "mirror", Level::Problem, &words);
        let own = judged(Seen { of_others: 0, own: 990, ..good() });
        assert_finding(&own, "mirror", Level::Problem, &["this machine's own traffic"]);
    }

    #[test]
    fn what_a_running_egret_ends_is_no_silent_mirror() {
        for unseen in [
            Seen { frames: 0, of_others: 0, ..good() },
            Seen { of_others: 0, ..good() },
            Seen { of_others: 0, own: 990, ..good() },
        ] {
            let findings = judged(Seen { program: Some(17), ..unseen });
            let words = ["XDP program (id 17)", "running Egret", "egret_capture_packets_total"];
            assert_finding(&findings, "mirror", Level::Note, &words);
        }
        // A program that lets frames pass hides nothing.
        let findings = judged(Seen { program: Some(17), ..good() });
        assert_finding(&findings, "mirror", Level::Ok, &[]);
    }

    #[test]
    fn what_cannot_be_captured_says_why() {
        let traffic = Traffic { interface: "eth1".into(), seen: Err("no permission\n".into()) };
        let words = [r"no permission\n", "sudo egret check"];
        assert_finding(&judge(&traffic), "capture", Level::Problem, &words);
    }

    #[test]
    fn copies_are_counted_and_their_cause_named() {
        let many = judged(Seen { copies: 500, ..good() });
        let words = ["500 packets came twice", "50 %", "mirror one side"];
        assert_finding(&many, "copies", Level::Problem, &words);
        assert_finding(&judged(Seen { copies: 3, ..good() }), "copies", Level::Note, &["0.3 %"]);
    }

    #[test]
    fn a_missing_direction_is_named_by_its_side() {
        let with = |both, client_only, server_only| {
            judged(Seen { tcp: Conversations { both, client_only, server_only }, ..good() })
        };
        let words = ["90 %", "90 only the client's", "one-sided", "Traffic direction"];
        assert_finding(&with(10, 90, 0), "directions", Level::Problem, &words);
        assert_finding(&with(80, 5, 15), "directions", Level::Note, &["20 %", "some paths"]);
        assert_finding(&with(1, 1, 0), "directions", Level::Note, &["too few", "--seconds 60"]);
    }

    #[test]
    fn losses_sizes_and_cuts() {
        let findings =
            judged(Seen { dropped: 1_000, truncated: 10, oversize: 20, largest: 65_160, ..good() });
        assert_finding(&findings, "dropped", Level::Problem, &["1,000 frames", "50 %"]);
        assert_finding(&findings, "truncated", Level::Note, &["1.0 %", "capture.snaplen"]);
        let words = ["20 packets, 2.0 %", "65,160", "ethtool -K eth1 gro off lro off", "mtu 9000"];
        assert_finding(&findings, "sizes", Level::Note, &words);
    }

    #[test]
    fn vlans_tunnels_and_assets_are_told() {
        let findings = judged(Seen {
            vlans: (1..=12).map(|id| (id, u64::from(id))).collect(),
            tunnels: [("VXLAN", 5), ("ERSPAN", 2)].into(),
            closed_tunnels: [("GENEVE", 3)].into(),
            assets_seen: vec!["a".into()],
            assets_unseen: vec!["b\x1b".into()],
            discovered: 4,
            ..good()
        });
        let words = ["VLANs 12, 11, 10, 9, 8, 7, 6, 5, 4, 3 and 2 more"];
        assert_finding(&findings, "vlans", Level::Ok, &words);
        assert_finding(&findings, "tunnels", Level::Ok, &["ERSPAN 2, VXLAN 5", "inside"]);
        let words = ["GENEVE 3", "not looked into"];
        assert_finding(&findings, "closed_tunnels", Level::Note, &words);
        let words = ["1 of 2 named assets seen, 4 guests", r"not seen: b\x1b"];
        assert_finding(&findings, "assets_seen", Level::Note, &words);
    }
}
