//! `docs/channels.md`.

use egret::alert::Severity;
use egret::detect::{CHANNELS, Detector, Row, rows};

const HEAD: &str = "\
# Channels of Network Traffic Flow

<!-- Written by `cargo xtask channels` from the tables in sensor/src/detect/channels. -->

ATT&CK's data component Network Traffic Flow (DC0078) names 155 log sources with a channel each, and
detection engineers map what they cover by that table. Here is who serves each row in Egret, from what,
and which test proves it; or why nobody does. `deploy/attack-navigator.json` is the same by technique, as
a layer for the [ATT&CK Navigator](https://mitre-attack.github.io/attack-navigator/).

Four analytics have pages of their own: AN1416 ([egress](egress.md)), AN0731 ([DNS ports](dns-ports.md)),
AN0646 ([guest operations](guest-operations.md)) and AN1131 ([mirror policy](mirror-policy.md)). The rest
are channel detectors: small ones, each of one idea, over what is shared of each asset. Their alerts have
`DC0078` as their analytic and name the detector in their evidence.

## How to read their alerts

* One alert is about one asset, one detector and one episode: what is found again within a day is the same
  alert with a higher count.
* Each detector starts below zero by what harmless things look like it (its prior, which stands in the
  evidence), and the heaviest of what it found is added. From zero on the alert is medium, below -2 it is
  informational. None goes above the severity in the table. The site's budget
  (`[detect.site_budget]`) holds for all that is medium or more.
* What an asset does while it is learned is usual for it and is not told of later; that lasts over
  restarts. Who was learned to do it with four (places, ports, hosts) does it with any. What four assets did within a week is how the estate is: the fifth is not told of. Detectors
  for which this would be wrong (a mining pool, a hidden service, a segment) take neither for an excuse.
* A guest operation just before, or that the asset was built, restored or something installed on it
  (`[intake.syslog]`), adds 1.5 where it goes somewhere, and is in the evidence.
* Whether a place is approved, `[[approve]]` says, as it does for egress.
* All of it works on packets. What conversations are and move, flow records and firewalls tell as well.
  What needs a name, a hello, an ARP frame or the first bytes of a stream needs packets; each detector's
  inputs are in the table.

```toml
[detect.channels]
# Nothing of it: enabled = false. Without some of them:
off = [\"beacon\", \"new_registry\"]
# Who may open conversations into a segment, and on which ports.
segments = [{ name = \"pci\", network = [\"10.9.0.0/16\"], from = [\"10.1.0.0/24\"], port = [443] }]
# Countries and providers' networks that an asset never went to, where databases in MaxMind's format say
# which they are (GeoLite2, DB-IP, IPinfo); read again by SIGHUP.
databases = [\"/var/lib/GeoIP/GeoLite2-Country.mmdb\", \"/var/lib/GeoIP/GeoLite2-ASN.mmdb\"]
```
";

/// All of it.
pub(super) fn text() -> String {
    let mut text = HEAD.to_owned();
    text += "\n## The detectors\n\n";
    text += "| detector | what it detects | told from | techniques | up to | reads |\n";
    text += "| --- | --- | --- | --- | --- | --- |\n";
    CHANNELS.iter().for_each(|detector| text += &detector_line(detector));
    let all: Vec<Row> = rows().collect();
    let served = all.iter().filter(|row| !row.served.is_empty()).count();
    text += &format!(
        "\n## The 155 rows\n\nServed: {served} of {}. Class N is seen in packets or flows; L is what a log or \
         feed tells; J is the network's half of what a host knows, too, joined to what logs tell; H can \
         only be told by the host or device itself, and no sensor in the network is honest about it.\n\n",
        all.len()
    );
    text += "| log source | channel | class | served by | proved by | |\n";
    text += "| --- | --- | --- | --- | --- | --- |\n";
    all.iter().for_each(|row| text += &row_line(row));
    text
}

fn detector_line(detector: &Detector) -> String {
    let reads: Vec<&str> = detector.reads.iter().map(|reads| reads.name()).collect();
    format!(
        "| `{}` | {} | {} | {} | {} | {} |\n",
        detector.name,
        cell(detector.detects),
        cell(detector.bound),
        detector.techniques.join(", "),
        severity(detector.most),
        reads.join(", "),
    )
}

fn row_line(row: &Row) -> String {
    let code = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(" ")
    };
    format!(
        "| {} | {} | {} | {} | {} | {} |\n",
        cell(row.name),
        cell(row.channel),
        row.class,
        if row.served.is_empty() { "not served".to_owned() } else { code(&row.served) },
        code(&row.proved),
        cell(row.note.unwrap_or_default()),
    )
}

const fn severity(most: Severity) -> &'static str {
    most.name()
}

/// A bar would end the cell, and `<` begin a tag.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}
