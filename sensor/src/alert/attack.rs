//! MITRE ATT&CK's names for the techniques that alerts name, as of ATT&CK v18.

/// One technique, or one sub-technique with the technique above it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Attack {
    /// Tactic: id and name.
    pub(crate) tactic: (&'static str, &'static str),
    /// Technique: id and name.
    pub(crate) technique: (&'static str, &'static str),
    /// Sub-technique: id and name.
    pub(crate) sub_technique: Option<(&'static str, &'static str)>,
}

/// The version of ATT&CK that the names are from.
pub(crate) const ATTACK_VERSION: &str = "18.0";

const EXFILTRATION: (&str, &str) = ("TA0010", "Exfiltration");

const KNOWN: [Attack; 4] = [
    Attack {
        tactic: EXFILTRATION,
        technique: ("T1048", "Exfiltration Over Alternative Protocol"),
        sub_technique: Some((
            "T1048.002",
            "Exfiltration Over Asymmetric Encrypted Non-C2 Protocol",
        )),
    },
    Attack {
        tactic: ("TA0011", "Command and Control"),
        technique: ("T1568", "Dynamic Resolution"),
        sub_technique: Some(("T1568.003", "DNS Calculation")),
    },
    Attack {
        tactic: ("TA0002", "Execution"),
        technique: ("T1675", "ESXi Administration Command"),
        sub_technique: None,
    },
    Attack {
        tactic: EXFILTRATION,
        technique: ("T1020", "Automated Exfiltration"),
        sub_technique: Some(("T1020.001", "Traffic Duplication")),
    },
];

/// What ATT&CK says about `id`; `None` for what this version of Egret does not know.
pub(crate) fn attack(id: &str) -> Option<&'static Attack> {
    KNOWN.iter().find(|known| known.sub_technique.unwrap_or(known.technique).0 == id)
}
