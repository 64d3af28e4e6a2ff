//! Whether syslog can be listened to, and who would be believed.

use super::super::finding::Finding;
use crate::config::Syslog;
use crate::intake::listen::ListenError;

/// Judges `[intake.syslog]`, and what taking its ports came to.
pub(in super::super) fn judge(
    syslog: &Syslog,
    bound: &Result<(), ListenError>,
    is_running: bool,
) -> Vec<Finding> {
    let subject = "syslog";
    let Syslog { udp, tcp, tls, allow } = syslog;
    let shown: Vec<_> = [("udp", *udp), ("tcp", *tcp), ("tls", tls.as_ref().map(|tls| tls.listen))]
        .into_iter()
        .filter_map(|(transport, address)| Some(format!("{transport} {}", address?)))
        .collect();
    if shown.is_empty() {
        return Vec::new();
    }
    let shown = shown.join(", ");
    let mut findings = vec![match bound {
        Ok(()) => Finding::ok(subject, "listen", format_args!("{shown}: free")),
        Err(error) if is_running && error.is_taken() => {
            Finding::ok(subject, "listen", format_args!("{shown}: Egret is running"))
        }
        Err(error) => Finding::problem(
            subject,
            "listen",
            error.to_string(),
            "run as root or as the systemd unit, or correct intake.syslog",
        ),
    }];
    if allow.is_empty() {
        let text = "everybody who reaches the port is believed: intake.syslog.allow is empty";
        let fix = "intake.syslog.allow = [\"10.10.0.0/24\"], the management network";
        findings.push(Finding::note(subject, "senders", text).fixed_by(fix));
    }
    if tls.as_ref().is_some_and(|tls| tls.client_ca.is_none()) {
        let text = "by TLS senders need no certificate: anybody can speak in the name of a host";
        let fix = "intake.syslog.tls.client_ca, with ESXi's and vCenter's authority (VMCA)";
        findings.push(Finding::note(subject, "certificates", text).fixed_by(fix));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::Level;
    use super::super::testing::assert_finding;
    use super::*;
    use crate::config::SyslogTls;
    use crate::intake::listen::bind;

    #[test]
    fn who_listens_to_nothing_is_told_nothing() {
        assert!(judge(&Syslog::default(), &Ok(()), false).is_empty());
    }

    #[test]
    fn open_doors_are_noted_and_taken_ports_are_problems() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let (cert, key) = ("c".into(), "k".into());
        let tls = Some(SyslogTls { listen: address, cert, key, client_ca: None });
        let open = Syslog { tls, ..Syslog::default() };
        let findings = judge(&open, &Ok(()), false);
        assert_finding(&findings, "listen", Level::Ok, &["tls 127.0.0.1:", "free"]);
        assert_finding(&findings, "senders", Level::Note, &["intake.syslog.allow"]);
        assert_finding(&findings, "certificates", Level::Note, &["client_ca"]);

        let allow = vec!["10.0.0.0/8".parse().unwrap()];
        let syslog = Syslog { tcp: Some(address), allow, ..Syslog::default() };
        let bound = bind(&syslog).map(drop);
        let findings = judge(&syslog, &bound, false);
        assert_eq!(findings.len(), 1);
        assert_finding(&findings, "listen", Level::Problem, &["another program listens"]);
        assert_finding(&judge(&syslog, &bound, true), "listen", Level::Ok, &["Egret is running"]);
    }
}
