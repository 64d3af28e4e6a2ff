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
