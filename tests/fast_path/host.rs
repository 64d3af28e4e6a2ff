//! A host in the path of its own traffic: tc sees both directions, and lets everything pass.

use std::process::Command;

use egret_tests::net::{Host, Lab, Mirrored, run};
use egret_tests::sensor::Samples;
use egret_tests::services::{Authority, Dnsmasq, UploadServer};

use super::pair::{READS, Side};
use super::{SOON, turn};

const NAME: &str = "drop.example.net";

/// Bytes on the wire that passed. (Packets are not comparable: TCP gives the stack several segments in
/// one, also without offloads, and cuts them behind tc.)
fn bytes(samples: &Samples) -> u64 {
    samples.count("egret_capture_bytes_total", &[])
}

/// The guest itself runs two sensors while it talks; `offloads` says whether its packets go through
/// the stack larger than they are on the wire.
fn talk(offloads: bool) {
    let lab = Lab::new(Mirrored::GuestPort);
    let guest = lab.host(Host::GUEST);
    if !offloads {
        for host in [Host::GUEST, Host::FILES, Host::WEB] {
            lab.host(host).no_offloads("eth0");
        }
    }
    let authority = Authority::new("Test CA");
    let folder = tempfile::tempdir().unwrap();
    let ca = authority.write(folder.path());
    let _dns = Dnsmasq::start(lab.host(Host::FILES), Host::FILES, &[(NAME, Host::WEB.ip())]);
    let _web = UploadServer::start(lab.host(Host::WEB), Host::WEB, &authority.certify(&[NAME]));
    guest.resolve_at(Host::FILES.ip());
    let file = folder.path().join("archive");
    std::fs::File::create(&file).unwrap().set_len(20_000_000).unwrap();

    let sides = [Side::start(guest, "eth0", READS, ""), Side::beside(guest, "eth0", "tc", "")];
    let before = guest.counters("eth0");
    let unseen = sides.each_ref().map(|side| bytes(&side.sensor.metrics()));
    let mut curl: Command = guest.command("curl");
    curl.args(["-sSf", "--limit-rate", "10M", "--cacert"]).arg(&ca).arg("-T").arg(&file);
    run(curl.arg(format!("https://{NAME}/archive")));
    let after = guest.counters("eth0");
    let passed = after.rx_bytes - before.rx_bytes + after.tx_bytes - before.tx_bytes;
    if !offloads {
        for (side, unseen) in sides.iter().zip(unseen) {
            let what = format!("{passed} bytes, sent and received");
            side.sensor.until_metrics(&what, SOON, |samples| bytes(samples) == passed + unseen);
        }
    }
    let [reads, counts] = sides.map(Side::end);
    let [tls, dns] = ["tls", "dns"].map(|kind| {
        let event = format!(r#""event_type":"{kind}""#);
        counts.messages.keys().filter(|message| message.contains(&event)).count()
    });
    assert!(tls >= 1 && dns >= 4, "{:#?}", counts.messages);
    assert!(counts.sent().1 > 20_000_000);
    let differences = reads.differences_but_packets(&counts);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Fails when tc misses a direction, counts one twice, or holds a packet up.
#[test]
fn a_host_in_the_path_counts_both_directions() {
    let Some(_turn) = turn(&["nginx", "curl", "dnsmasq"]) else { return };
    talk(false);
}

/// Fails when the headers between segments that the stack handles as one are not counted: the bytes
/// are those on the wire.
#[test]
fn segments_that_the_stack_handles_as_one_count_as_on_the_wire() {
    let Some(_turn) = turn(&["nginx", "curl", "dnsmasq"]) else { return };
    talk(true);
}
