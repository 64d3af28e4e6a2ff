//! What speaks for an alert, as log-odds in nats.
//!
//! A change alone is of medium severity, whatever stands out in it: the first reason counts, the others
//! add little. Packets that go where none may are high, and critical together with a change at the
//! same time. That the sensor loses a mirror of its own is high.
//!
//! | evidence | nats |
//! | --- | --- |
//! | prior | -3 |
//! | own mirror deleted | 6.5 |
//! | unapproved destination, unapproved principal | 4, the first of all |
//! | destination not known | 3.2, likewise |
//! | what else stands out in changes | 0.2 each |
//! | traffic | 7, and 1 if packets were seen bare, too |
//! | a change within the window of the traffic | 2.5 |

use super::judge::Finding;
use crate::alert::Severity;
use crate::detect::statistics;

/// Most mirrors are somebody's tool.
pub(super) const PRIOR: f64 = -3.0;
pub(super) const TRAFFIC: f64 = 7.0;
pub(super) const COPIES: f64 = 1.0;
pub(super) const TOGETHER: f64 = 2.5;
/// What stands out beside the first.
const BESIDE: f64 = 0.2;

/// What a finding weighs; the first of all is the reason.
pub(super) const fn weight(finding: Finding, is_first: bool) -> f64 {
    match finding {
        Finding::OwnMirrorDeleted => 6.5,
        _ if !is_first => BESIDE,
        Finding::UnapprovedDestination | Finding::UnapprovedPrincipal => 4.0,
        Finding::UnknownDestination => 3.2,
        _ => BESIDE,
    }
}

/// How bad a sum is. Critical takes a change and traffic.
pub(super) fn severity(sum: f64, is_joined: bool) -> Option<Severity> {
    statistics::severity(sum, is_joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(findings: &[Finding], more: f64, is_joined: bool) -> Option<Severity> {
        let weights = findings.iter().enumerate().map(|(at, one)| weight(*one, at == 0));
        severity(PRIOR + more + weights.sum::<f64>(), is_joined)
    }

    #[test]
    fn a_change_is_medium_traffic_high_and_both_critical() {
        use Finding::*;
        let all = [
            UnapprovedDestination,
            UnapprovedPrincipal,
            UnknownDestination,
            Retargeted,
            OpenedWide,
            ForeignAccount,
            Console,
            Failed,
        ];
        for from in 0..3 {
            assert_eq!(of(&all[from..=from], 0.0, false), Some(Severity::Medium));
            assert_eq!(of(&all[from..], 0.0, false), Some(Severity::Medium));
        }
        assert_eq!(of(&all[3..], 0.0, false), None, "none of these is a reason");
        assert_eq!(of(&[], TRAFFIC, false), Some(Severity::High));
        assert_eq!(of(&all, TRAFFIC + COPIES, false), Some(Severity::High), "hours apart");
        assert_eq!(of(&all[..1], TRAFFIC + TOGETHER, true), Some(Severity::Critical));
        assert_eq!(of(&[], TRAFFIC + TOGETHER, true), Some(Severity::Critical));
        assert_eq!(of(&[OwnMirrorDeleted], 0.0, false), Some(Severity::High));
    }
}
