//! Whether flow records can be listened to, and who would be believed.

use super::super::finding::Finding;
use crate::config::Flows;
use crate::intake::listen::ListenError;

/// Judges `[intake.flows]`, and what taking its port came to.
pub(in super::super) fn judge(
    flows: &Flows,
    bound: &Result<(), ListenError>,
    is_running: bool,
) -> Vec<Finding> {
    let subject = "flows";
    let Some(address) = flows.udp else { return Vec::new() };
    let mut findings = vec![match bound {
        Ok(()) => Finding::ok(subject, "listen", format_args!("udp {address}: free")),
        Err(error) if is_running && error.is_taken() => {
            Finding::ok(subject, "listen", format_args!("udp {address}: Egret is running"))
        }
        Err(error) => Finding::problem(
            subject,
            "listen",
            error.to_string(),
            "run as root or as the systemd unit, or correct intake.flows",
        ),
    }];
    if flows.allow.is_empty() {
        let text = "everybody who reaches the port is believed: intake.flows.allow is empty";
        let fix = "intake.flows.allow = [\"10.10.0.0/24\"], where the exporters are";
        findings.push(Finding::note(subject, "exporters", text).fixed_by(fix));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::Level;
    use super::super::testing::assert_finding;
    use super::*;
    use crate::intake::flows::bind;

    #[test]
    fn taken_ports_are_problems_and_open_doors_are_noted() {
        assert!(judge(&Flows::default(), &Ok(()), false).is_empty());
        let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let udp = taken.local_addr().ok();
        let mut flows = Flows { udp, allow: Vec::new() };
        let findings = judge(&flows, &Ok(()), false);
        assert_finding(&findings, "listen", Level::Ok, &["udp 127.0.0.1:", "free"]);
        assert_finding(&findings, "exporters", Level::Note, &["intake.flows.allow"]);
        flows.allow = vec!["10.0.0.0/8".parse().unwrap()];
        let bound = bind(&flows).map(drop);
        let findings = judge(&flows, &bound, false);
        assert_eq!(findings.len(), 1);
        assert_finding(
            &findings,
            "listen",
            Level::Problem,
            &["intake.flows.udp", "another program"],
        );
        assert_finding(&judge(&flows, &bound, true), "listen", Level::Ok, &["Egret is running"]);
    }
}
