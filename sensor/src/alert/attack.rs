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

type Named = (&'static str, &'static str);

const RECONNAISSANCE: Named = ("TA0043", "Reconnaissance");
const INITIAL_ACCESS: Named = ("TA0001", "Initial Access");
const EXECUTION: Named = ("TA0002", "Execution");
const EVASION: Named = ("TA0005", "Defense Evasion");
const CREDENTIALS: Named = ("TA0006", "Credential Access");
const DISCOVERY: Named = ("TA0007", "Discovery");
const LATERAL: Named = ("TA0008", "Lateral Movement");
const EXFILTRATION: Named = ("TA0010", "Exfiltration");
const COMMAND: Named = ("TA0011", "Command and Control");
const IMPACT: Named = ("TA0040", "Impact");

const fn of(tactic: Named, technique: Named) -> Attack {
    Attack { tactic, technique, sub_technique: None }
}

const fn sub(tactic: Named, technique: Named, sub_technique: Named) -> Attack {
    Attack { tactic, technique, sub_technique: Some(sub_technique) }
}

const T1021: Named = ("T1021", "Remote Services");
const T1048: Named = ("T1048", "Exfiltration Over Alternative Protocol");
const T1071: Named = ("T1071", "Application Layer Protocol");
const T1090: Named = ("T1090", "Proxy");
const T1195: Named = ("T1195", "Supply Chain Compromise");
const T1219: Named = ("T1219", "Remote Access Tools");
const T1498: Named = ("T1498", "Network Denial of Service");
const T1499: Named = ("T1499", "Endpoint Denial of Service");
const T1557: Named = ("T1557", "Adversary-in-the-Middle");
const T1567: Named = ("T1567", "Exfiltration Over Web Service");
const T1568: Named = ("T1568", "Dynamic Resolution");
const T1573: Named = ("T1573", "Encrypted Channel");

const KNOWN: [Attack; 57] = [
    sub(EXFILTRATION, ("T1020", "Automated Exfiltration"), ("T1020.001", "Traffic Duplication")),
    sub(
        EXFILTRATION,
        T1048,
        ("T1048.002", "Exfiltration Over Asymmetric Encrypted Non-C2 Protocol"),
    ),
    sub(EXFILTRATION, T1048, ("T1048.003", "Exfiltration Over Unencrypted Non-C2 Protocol")),
    of(EXFILTRATION, ("T1029", "Scheduled Transfer")),
    of(EXFILTRATION, ("T1041", "Exfiltration Over C2 Channel")),
    of(EXFILTRATION, T1567),
    sub(EXFILTRATION, T1567, ("T1567.003", "Exfiltration to Text Storage Sites")),
    sub(EXFILTRATION, T1567, ("T1567.004", "Exfiltration Over Webhook")),
    of(EXECUTION, ("T1675", "ESXi Administration Command")),
    sub(COMMAND, T1568, ("T1568.001", "Fast Flux DNS")),
    sub(COMMAND, T1568, ("T1568.002", "Domain Generation Algorithms")),
    sub(COMMAND, T1568, ("T1568.003", "DNS Calculation")),
    of(COMMAND, T1071),
    sub(COMMAND, T1071, ("T1071.001", "Web Protocols")),
    sub(COMMAND, T1071, ("T1071.004", "DNS")),
    of(COMMAND, T1090),
    of(COMMAND, ("T1095", "Non-Application Layer Protocol")),
    sub(COMMAND, T1090, ("T1090.001", "Internal Proxy")),
    sub(COMMAND, T1090, ("T1090.002", "External Proxy")),
    sub(COMMAND, T1090, ("T1090.003", "Multi-hop Proxy")),
    of(COMMAND, ("T1102", "Web Service")),
    of(COMMAND, ("T1105", "Ingress Tool Transfer")),
    sub(COMMAND, T1219, ("T1219.001", "IDE Tunneling")),
    sub(COMMAND, T1219, ("T1219.002", "Remote Desktop Software")),
    of(COMMAND, ("T1571", "Non-Standard Port")),
    of(COMMAND, ("T1572", "Protocol Tunneling")),
    sub(COMMAND, T1573, ("T1573.001", "Symmetric Cryptography")),
    sub(COMMAND, T1573, ("T1573.002", "Asymmetric Cryptography")),
    sub(EVASION, ("T1205", "Traffic Signaling"), ("T1205.001", "Port Knocking")),
    sub(EVASION, ("T1562", "Impair Defenses"), ("T1562.004", "Disable or Modify System Firewall")),
    of(EVASION, ("T1599", "Network Boundary Bridging")),
    of(CREDENTIALS, ("T1040", "Network Sniffing")),
    of(CREDENTIALS, ("T1187", "Forced Authentication")),
    of(CREDENTIALS, T1557),
    sub(CREDENTIALS, T1557, ("T1557.001", "LLMNR/NBT-NS Poisoning and SMB Relay")),
    sub(CREDENTIALS, T1557, ("T1557.002", "ARP Cache Poisoning")),
    sub(CREDENTIALS, T1557, ("T1557.003", "DHCP Spoofing")),
    of(DISCOVERY, ("T1018", "Remote System Discovery")),
    of(DISCOVERY, ("T1046", "Network Service Discovery")),
    of(LATERAL, T1021),
    sub(LATERAL, T1021, ("T1021.001", "Remote Desktop Protocol")),
    sub(LATERAL, T1021, ("T1021.002", "SMB/Windows Admin Shares")),
    sub(LATERAL, T1021, ("T1021.004", "SSH")),
    sub(LATERAL, T1021, ("T1021.005", "VNC")),
    sub(LATERAL, T1021, ("T1021.006", "Windows Remote Management")),
    sub(LATERAL, ("T1563", "Remote Service Session Hijacking"), ("T1563.001", "SSH Hijacking")),
    of(LATERAL, ("T1570", "Lateral Tool Transfer")),
    sub(
        INITIAL_ACCESS,
        T1195,
        ("T1195.001", "Compromise Software Dependencies and Development Tools"),
    ),
    sub(INITIAL_ACCESS, T1195, ("T1195.002", "Compromise Software Supply Chain")),
    of(INITIAL_ACCESS, ("T1200", "Hardware Additions")),
    of(INITIAL_ACCESS, ("T1190", "Exploit Public-Facing Application")),
    sub(RECONNAISSANCE, ("T1595", "Active Scanning"), ("T1595.001", "Scanning IP Blocks")),
    sub(IMPACT, ("T1496", "Resource Hijacking"), ("T1496.001", "Compute Hijacking")),
    sub(IMPACT, T1498, ("T1498.001", "Direct Network Flood")),
    sub(IMPACT, T1498, ("T1498.002", "Reflection Amplification")),
    sub(IMPACT, T1499, ("T1499.001", "OS Exhaustion Flood")),
    sub(IMPACT, T1499, ("T1499.002", "Service Exhaustion Flood")),
];

/// What ATT&CK says about `id`; `None` for what this version of Egret does not know.
pub(crate) fn attack(id: &str) -> Option<&'static Attack> {
    KNOWN.iter().find(|known| known.sub_technique.unwrap_or(known.technique).0 == id)
}
