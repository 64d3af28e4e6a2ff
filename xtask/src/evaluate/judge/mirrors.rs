//! What alerts say about mirrors that leak, and whether that is what was planted.

use egret_tests::scenario::truth::Attack;

use super::Line;

/// Whether the line has one of the leak's records as evidence, or goes where its packets go.
pub(super) fn is_about(line: &Line, attack: &Attack) -> bool {
    let Some(planted) = &attack.mirror else { return false };
    let mut records = line.evidence.iter().filter_map(|piece| piece.record.as_ref());
    let goes_there = line
        .destination
        .as_ref()
        .is_some_and(|to| attack.destinations.iter().any(|known| known.address == to.address));
    goes_there || records.any(|record| planted.records.contains(record))
}

/// Whether the line is as bad as the leak, and has both halves of it where there are two: all records with
/// what is to be found in them, and all packets.
pub(super) fn is_told(attack: &Attack, line: &Line) -> bool {
    let Some(planted) = &attack.mirror else { return true };
    let has_record =
        |id: &String| line.evidence.iter().any(|piece| piece.record.as_ref() == Some(id));
    let has_finding =
        |name: &String| line.evidence.iter().any(|piece| piece.finding.as_ref() == Some(name));
    let packets: u64 = line.evidence.iter().filter_map(|piece| piece.packets).sum();
    format!("{:?}", line.severity).eq_ignore_ascii_case(&planted.severity)
        && planted.records.iter().all(has_record)
        && planted.findings.iter().all(has_finding)
        && packets == planted.packets
}

#[cfg(test)]
mod tests {
    use egret_tests::scenario::Plan;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_leak_is_told_by_both_halves_at_its_severity() {
        let attacks = Plan::mirrors(1, 1, 48).play().truth.attacks;
        let attack = attacks.iter().find(|attack| attack.kind == "mirror.console").unwrap();
        let planted = attack.mirror.as_ref().unwrap();
        let line = |severity: &str, packets: u64, findings: &[String], record: &str| -> Line {
            let change = json!({ "time": attack.first, "finding": "change", "record": record });
            let traffic = json!({ "time": attack.first, "packets": packets });
            let found =
                findings.iter().map(|name| json!({ "time": attack.first, "finding": name }));
            let evidence: Vec<_> = [change, traffic].into_iter().chain(found).collect();
            let line = json!({
                "id": "1", "time": attack.first, "analytic": "AN1131", "severity": severity,
                "confidence": 1.0, "summary": "s", "asset": { "name": "eni-1" }, "evidence": evidence,
            });
            serde_json::from_value(line).unwrap()
        };
        let [record] = &planted.records[..] else { panic!("{planted:?}") };
        let whole = line("critical", planted.packets, &planted.findings, record);
        assert!(is_about(&whole, attack) && is_told(attack, &whole));
        for (part, is_still_about) in [
            (line("high", planted.packets, &planted.findings, record), true),
            (line("critical", planted.packets - 1, &planted.findings, record), true),
            (line("critical", planted.packets, &planted.findings[1..], record), true),
            (line("critical", planted.packets, &planted.findings, "other"), false),
        ] {
            assert_eq!((is_about(&part, attack), is_told(attack, &part)), (is_still_about, false));
        }
    }
}
