use egret_tests::traffic::is_harmless;

use super::*;
use crate::alert::sample::{egress, evidence, guest_operations, hostile_names, mirror, saying};
use crate::alert::{Analytic, Fact};
use crate::mirror::MirrorFacts;

fn plain(alert: &Alert) -> String {
    human(alert, Style::Plain).to_string()
}

#[test]
fn an_egress_reads_in_aligned_lines() {
    assert_eq!(
        plain(&egress()),
        "HIGH  Unexpected TLS egress from an ESXi host  97% sure, AN1416, T1048.002
  esxi-01 sent 1.8 GB to cdn.example (198.51.100.7:443), usually 4.0 MB.

  who       esxi-01, 10.10.0.11, esxi, 00:50:56:6a:00:01
  where     cdn.example, 198.51.100.7:443
  how much  1.8 GB out, usually 4.0 MB (450 times)
  since     2026-11-20 13:58:02 UTC, for 5m 9s, seen 3 times
  because    +1.5  13:58:02  received 2.0 GB internal in 10m, usually nothing, 14.2 deviations above
             +6.1  14:01:22  sent 1.8 GB in 12 TLS sessions, usually 4.0 MB (450 times); \
unusual port; its address was not in a DNS answer
             -0.4  14:03:11  never went to cdn.example before; 4 other assets do
  next      an ESXi host has almost no business outside: look at shell, SSH and hostd logs of \
esxi-01 before 2026-11-20 13:58:02 UTC
            packets: community ID 1:abc=
            if this is expected: [[approve]] with asset = [\"esxi-01\"], sni = [\"cdn.example\"]
  alert     00000000-0000-0000-0000-000012345678

"
    );
}

#[test]
fn a_calculated_port_names_formula_chance_and_next_port() {
    let mut alert = egress();
    alert.analytic = Analytic::AN0731;
    alert.techniques = vec!["T1568.003".into()];
    alert.destination = None;
    alert.count = 1;
    alert.last_seen = alert.first_seen;
    alert.evidence = vec![
        evidence(0.0, 0, Fact::DnsAnswer { query: "a.example".into(), answer: "10.1.2.3".into() }),
        evidence(
            0.0,
            1,
            Fact::Connection {
                community_id: "1:xyz=".into(),
                address: "2001:db8::1".parse().unwrap(),
                port: 513,
                protocol: "tcp".into(),
                source: None,
            },
        ),
        evidence(
            8.1,
            1,
            Fact::PortMatch { port: 513, formula: "a*b".into(), probability: 0.000_31 },
        ),
        evidence(
            9.0,
            2,
            Fact::Formula { expression: "a*b".into(), pairs: 4, misses: 1, next_port: Some(6) },
        ),
        evidence(0.2, 3, Fact::Baseline { statement: "still learning".into() }),
    ];
    let text = plain(&alert);
    for line in [
        "  how much  4 of 5 ports follow from DNS answers\n",
        "  since     2026-11-20 13:58:02 UTC\n",
        "13:58:02  DNS answered a.example with 10.1.2.3\n",
        "13:58:03  connected to [2001:db8::1]:513 over tcp\n",
        " +8.1  13:58:03  port 513 = a*b, by chance 1 in 3,225\n",
        " +9.0  13:58:04  a*b gives 4 of 5 ports; next port 6\n",
        "13:58:05  still learning\n",
        "  next      find the process on esxi-01 that asks DNS for a.example, and where else it \
         connects; expect port 6 next\n",
        "            packets: community ID 1:xyz=\n",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    assert!(!text.contains("where     "));
}

#[test]
fn guest_operations_say_who_did_what_to_whom() {
    assert_eq!(
        plain(&guest_operations()),
        "HIGH  Unexpected guest operations on a VM  97% sure, AN0646, T1675
  CORP\\eve ran 12 guest operations on web-01 from 10.20.0.66.

  who       web-01, guest
  how much  12 guest operations (StartProgramInGuest, InitiateFileTransferFromGuest) in 3 scripts
  since     2026-11-20 13:58:02 UTC, for 5m 9s, seen 3 times
  because          13:58:02  CORP\\eve: 12 guest operations (StartProgramInGuest, \
InitiateFileTransferFromGuest) in 3 scripts on web-01 from 10.20.0.66, logged by vpxd and hostd
             +4.0  13:58:02  CORP\\eve is not expected to use guest operations
             +3.2  14:03:11  30 scripts in 1h (by habit 1 in 10,000,000), usually at most 2.5
  next      ask who used CORP\\eve from 10.20.0.66; what ran on web-01 since \
2026-11-20 13:58:02 UTC is not in these logs, so look there
            if this is expected: [detect.guest_operations] accounts, vms or maintenance, for CORP\\eve
  alert     00000000-0000-0000-0000-000012345678

"
    );
}

#[test]
fn a_mirror_names_both_halves_how_to_end_it_and_how_to_approve_it() {
    assert_eq!(
        plain(&mirror()),
        "CRITICAL  Mirror changed, and traffic goes to an unapproved destination  97% sure, AN1131, T1020.001
  eve made the mirror tms-01 of eni-0web to tmt-evil.

  who       eni-0web, other
  where     198.51.100.7:4789
  how much  1.0 MB in 1,000 packets, 100.0 kB/s
  since     2026-11-20 13:58:02 UTC, for 5m 9s, seen 3 times
  because    +2.5  13:58:02  cloudtrail: arn:aws:iam::111122223333:role/eve from 203.0.113.5 called \
CreateTrafficMirrorSession for tms-01, of eni-0web, to tmt-evil, 198.51.100.7, id 7 on the wire; its \
record came 14m 30s later
             +4.0  13:58:02  tmt-evil, 198.51.100.7 is no approved destination of a mirror
             +8.0  13:58:14  10.1.0.5 -> 198.51.100.7: 1.0 MB in 1,000 packets, 100.0 kB/s in vxlan \
id 7, UDP port 4789; 20 packets seen bare, too; inside: 10.1.0.5:40000 -> 10.1.0.6:443
  next      ask arn:aws:iam::111122223333:role/eve whether this was meant, and what else they did \
since 2026-11-20 13:58:02 UTC
            to end it: aws ec2 delete-traffic-mirror-session --traffic-mirror-session-id tms-01
            if it may: [detect.mirror_policy] destinations = [\"198.51.100.7\"]
  alert     00000000-0000-0000-0000-000012345678

"
    );
    let mut gre = mirror();
    gre.destination.as_mut().unwrap().port = 0;
    assert!(plain(&gre).contains("where     198.51.100.7\n"));
}

/// Whoever copies the advice must run and approve nothing else.
#[test]
fn advice_about_mirrors_has_no_names_that_act() {
    for name in hostile_names() {
        let mut alert = mirror();
        alert.destination = None;
        for piece in &mut alert.evidence {
            if let Fact::AuditEvent(event) = &mut piece.fact {
                event.id = Some(name.clone());
                event.targets = vec!["0.0.0.0/0".to_owned(), name.clone()];
            }
        }
        let text = plain(&alert);
        let said =
            text.lines().find_map(|line| line.split_once("[detect.mirror_policy] ")).unwrap();
        if let Ok(table) = said.1.parse::<toml::Table>() {
            let approved = table["destinations"].as_array().unwrap();
            assert_eq!((table.len(), approved.len()), (1, 1), "{text}");
            assert!(approved[0].as_str().unwrap().parse::<ipnet::IpNet>().is_err(), "{text}");
        }
        let end = text.lines().find_map(|line| line.split_once("to end it: ")).unwrap().1;
        assert!(!end.contains(['$', ';', '|', '<', '`', '"', '&']), "{end}");
    }
}

#[test]
fn names_from_the_wire_cannot_act_on_the_terminal() {
    let lines = plain(&saying("x")).lines().count();
    for name in hostile_names() {
        let text = plain(&saying(&name));
        assert!(text.lines().flat_map(str::chars).all(is_harmless), "{text:?}");
        assert_eq!(text.lines().count(), lines, "{text}");
        let longest = text.lines().map(str::len).max().unwrap();
        assert!(longest < 800, "a line of {longest} bytes");
    }
}

/// Whoever copies the advice into the config must approve no more than this one place.
#[test]
fn advice_that_is_copied_approves_one_place_only() {
    let advice = |alert: &Alert| {
        let text = plain(alert);
        let said = text.lines().find_map(|line| line.split_once("[[approve]] with ")).unwrap().1;
        toml::from_str::<toml::Table>(&format!("approve = {{ {said} }}")).expect(said)["approve"]
            .as_table()
            .unwrap()
            .clone()
    };
    for name in hostile_names() {
        let mut alert = egress();
        alert.asset.name = name.clone();
        let asset = advice(&alert)["asset"].as_array().unwrap().len();
        alert.destination.as_mut().unwrap().sni = Some(name.clone());
        let advice = advice(&alert);
        assert_eq!((asset, advice.len()), (1, 2), "{advice}");
        let destination = &advice["destination"].as_array().unwrap()[..];
        assert_eq!(destination, ["198.51.100.7".into()], "a name that is no host's: {name:?}");
    }
    let named = advice(&egress());
    assert_eq!(named["sni"].as_array().unwrap()[..], ["cdn.example".into()]);
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    let coloured = human(&egress(), Style::Colour).to_string();
    assert!(coloured.starts_with("\x1b[1;97;41mHIGH\x1b[0m"));
    let mut stripped = String::new();
    for part in coloured.split('\x1b') {
        stripped += part.split_once('m').filter(|_| part.starts_with('[')).map_or(part, |(_, t)| t);
    }
    assert_eq!(stripped, plain(&egress()));
}

#[test]
fn only_the_evidence_that_weighs_most_is_shown_and_the_rest_counted() {
    let mut alert = egress();
    alert.evidence = (0..30_u32)
        .map(|i| {
            let weight = if i == 29 { -9.0 } else { f64::from(i) / 10.0 };
            evidence(weight, u64::from(i), Fact::Baseline { statement: format!("piece {i}.") })
        })
        .collect();
    let text = plain(&alert);
    assert!(text.contains("piece 29.") && text.contains("piece 22."));
    assert!(!text.contains("piece 21."));
    assert!(text.contains("            and 22 more that weigh less; all are in the JSON\n"));
}

#[test]
fn amounts_are_compared_without_nonsense() {
    for (seen, habit, words) in [
        (5, 0, "usually nothing"),
        (0, 0, "usually nothing"),
        (1_000, 1_000, "usually 1.0 kB"),
        (10, 1_000, "usually 1.0 kB"),
        (2_500, 1_000, "usually 1.0 kB (2.5 times)"),
        (12_345_000, 1_000, "usually 1.0 kB (12,345 times)"),
    ] {
        assert_eq!(usual(seen, habit), words);
    }
}

#[test]
fn the_mirror_is_told_in_numbers_and_never_left_out() {
    let facts = MirrorFacts {
        packets: 100_000,
        duplicates: 48_000,
        dropped: 2145,
        conversations: 200,
        one_sided: 68,
        ..MirrorFacts::default()
    };
    let mut alert = egress();
    for i in 0..20u8 {
        let statement = format!("piece {i}.");
        alert.evidence.push(evidence(2.0, 1, Fact::Baseline { statement }));
    }
    alert.evidence.push(evidence(0.0, 300, Fact::Mirror(facts)));
    let text = human(&alert, Style::Plain).to_string();
    let expected = "the mirror gives 48 % of packets twice (counted once), shows 34 % of \
                    conversations from one side and lost 2.1 % of packets: volumes may be short";
    assert!(text.contains(expected), "{text}");
    let json = serde_json::to_string(&alert.evidence.last()).unwrap();
    assert!(json.contains(r#""weight":0.0,"kind":"mirror","packets":100000,"duplicates":48000,"#));
    let cut = MirrorFacts { packets: 1000, truncated: 30, ..MirrorFacts::default() };
    let sentence = evidence::sentence(&Fact::Mirror(cut));
    assert_eq!(sentence, "the mirror cuts 3.0 % of packets: names may be missing");
}
