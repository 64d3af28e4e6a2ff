//! What alerts say about guest operations, and whether that is what was planted.

use egret_tests::scenario::HOUR;
use egret_tests::scenario::truth::{Attack, Truth};

use super::line::Piece;
use super::{AFTERWARDS, Line};

/// An attack's first packet follows on its guest operations within this.
const BEFORE: u64 = HOUR;

/// Whether the line is of the time of an attack's operations and names its account, or one of its machines
/// where nobody knows the account.
pub(super) fn is_about(line: &Line, attack: &Attack) -> bool {
    let Some(planted) = &attack.operations else { return false };
    let from = attack.first.0.saturating_sub(if attack.analytic == "AN0646" { 0 } else { BEFORE });
    // Its clock may be that of a host which is a little slow.
    let is_in_time = (from..=attack.last.0 + AFTERWARDS).contains(&(line.time.0 + 2_000_000_000));
    let mut accounts = line.evidence.iter().filter_map(|piece| piece.account.as_deref()).peekable();
    is_in_time
        && match &planted.account {
            Some(account) if accounts.peek().is_some() => {
                accounts.any(|named| named.eq_ignore_ascii_case(account))
            }
            _ => planted.vms.iter().any(|vm| names_machine(line, vm)),
        }
}

/// Whether the line says what is wrong with the operations, who did them and where.
pub(super) fn is_told(attack: &Attack, line: &Line) -> bool {
    let Some(planted) = &attack.operations else { return true };
    let told = |piece: &Piece| {
        let finding = piece.finding.as_ref().is_some_and(|told| planted.findings.contains(told));
        let account = planted.account.as_ref().is_none_or(|account| {
            piece.account.as_ref().is_some_and(|named| named.eq_ignore_ascii_case(account))
        });
        finding && account
    };
    line.evidence.iter().any(told) && planted.vms.iter().any(|vm| names_machine(line, vm))
}

/// Whether an alert of another analytic leans on what an account did while an alert about it was open: that
/// is one story.
pub(super) fn follows(line: &Line, truth: &Truth) -> bool {
    /// How long an alert about an account stays open behind its last operation.
    const OPEN: u64 = 3 * HOUR;
    let of_account = |piece: &Piece, attack: &Attack| {
        let account = attack.operations.as_ref().and_then(|planted| planted.account.as_ref());
        let is_same = piece
            .account
            .as_ref()
            .zip(account)
            .is_some_and(|(named, planted)| named.eq_ignore_ascii_case(planted));
        is_same && (attack.first.0..=attack.last.0 + OPEN).contains(&piece.time.0)
    };
    let led =
        line.evidence.iter().filter(|piece| piece.finding.as_deref() == Some("before_egress"));
    led.into_iter().any(|piece| truth.attacks.iter().any(|attack| of_account(piece, attack)))
}

fn names_machine(line: &Line, vm: &str) -> bool {
    line.asset.name == vm || line.evidence.iter().any(|piece| piece.vms.iter().any(|one| one == vm))
}
