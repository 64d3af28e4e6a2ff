//! What hosts and vCenters write about all day that is none of a detector's business, and strings in it
//! that somebody chose in order to be taken for something else.

use std::net::{IpAddr, Ipv4Addr};

use super::vcenter::Event;
use crate::rng::Rng;

/// A line of a host.
pub(super) enum Said {
    /// A message of hostd.
    Hostd { sub: &'static str, ids: String, text: String },
    /// An event of hostd.
    Event(String),
    /// A message of another program.
    Plain { priority: u8, tag: &'static str, text: String },
    /// What the firewall of NSX says.
    Conversation { client: (IpAddr, u16), server: (IpAddr, u16), bytes: Option<[u64; 2]> },
}

/// What an attacker names a machine, a file or a client in order to forge an event, or to hide one.
const HOSTILE: [&str; 6] = [
    "Guest operation Start Program performed on Virtual machine dc-01.",
    "x] Event 7 : Guest operation Start Program performed on Virtual machine dc-01.",
    "[Originator@6876 sub=Vimsvc.ha-eventmgr] Event 7 : Guest operation Start Program performed on \
     Virtual machine dc-01.",
    "x\n--> [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 7 : Guest operation Start Program \
     performed on Virtual machine dc-01.",
    "a\u{b}b \"quoted\" ] [1-1] (x) \u{202e}",
    "User root@10.10.9.9 logged in as PowerCLI/13.2.1",
];

/// A name as people give it, now and then a hostile one.
fn name(rng: &mut Rng) -> String {
    if rng.chance(0.1) {
        return (*rng.pick(&HOSTILE)).into();
    }
    (*rng.pick(&["web-11", "SAP Prod 02", "mail.corp.example", "build (old)", "test_vm-7"])).into()
}

/// The line of a host that follows from `seed`, where its clock says `stated`.
pub(super) fn of_host(seed: u64, stated: &str) -> Said {
    let mut rng = Rng::new(seed);
    let rng = &mut rng;
    match rng.below(13) {
        0..=2 => task(rng),
        3 => {
            let text = format!("{} on esxi in ha-datacenter is powered on", name(rng));
            Said::Event(text)
        }
        4 => Said::Hostd {
            sub: "Guestsvc.GuestFileHandler",
            ids: String::new(),
            text: format!("Guest File Path is C:\\Users\\{}", name(rng)),
        },
        5 => Said::Hostd {
            sub: "Vmsvc.vm:/vmfs/volumes/643a85c2-3920a51f-8175-48210b361288/a b/a b.vmx",
            ids: " user=vpxuser:<no user>".into(),
            text: "State Transition (VM_STATE_ON -> VM_STATE_GUEST_OPERATION)".into(),
        },
        6 => Said::Plain {
            priority: 14,
            tag: "vobd",
            text: format!(
                " [netCorrelator] {}us: [vob.net.pg.uplink.transition.down] Uplink: vmnic6 is down. \
                 Affected portgroup: {}. 1 uplinks up. Failed criteria: 128",
                rng.next() >> 20,
                name(rng)
            ),
        },
        7 | 8 => Said::Plain {
            priority: 181,
            tag: "vmkernel",
            text: format!(
                "cpu{}:{})ScsiDeviceIO: 4167: Cmd(0x45d9) 0x1a, CmdSN 0x{:x} from world 0 to dev \
                 \"mpx.vmhba32:C0:T0:L0\" failed H:0x0 D:0x2 P:0x0",
                rng.below(64),
                rng.range(2_097_152, 2_200_000),
                rng.below(1 << 24)
            ),
        },
        9 => proxy(rng, stated),
        10 => Said::Plain {
            priority: 166,
            tag: "Rhttpproxy",
            text: format!(
                "verbose rhttpproxy[{}] [Originator@6876 sub=Proxy Req {}] Connected to \
                 localhost:8307 (/sdk) over <io_obj p:0x000000d1, h:32, <TCP '127.0.0.1 : 57721'>, \
                 <TCP '127.0.0.1 : 8307'>>",
                rng.range(2_098_000, 2_099_000),
                rng.below(100_000)
            ),
        },
        11 => Said::Plain {
            priority: 78,
            tag: "crond[2098597]",
            text: format!("USER root pid {} cmd /bin/hostd-probe.sh", rng.below(3_000_000)),
        },
        _ => conversation(rng),
    }
}

fn task(rng: &mut Rng) -> Said {
    let method = *rng.pick(&[
        "vim.VirtualMachine.reconfigure",
        "vim.PropertyCollector.waitForUpdatesEx",
        "vim.vm.guest.ProcessManager.startProgram",
    ]);
    Said::Hostd {
        sub: "Vimsvc.TaskManager",
        ids: format!(
            " opID={:08x}-{:02x} user=vpxuser:CORP\\svc-x",
            rng.next() as u32,
            rng.below(256)
        ),
        text: format!(
            "Task Completed : haTask-{}-{method}-{} Status success",
            rng.below(200),
            rng.next()
        ),
    }
}

/// vCenter calls the host, through the host's proxy.
fn proxy(rng: &mut Rng, stated: &str) -> Said {
    Said::Plain {
        priority: 166,
        tag: "envoy",
        text: format!(
            "info envoy[2098641] [Originator@6876 sub=Default] {stated} POST /sdk HTTP/1.1 200 \
             via_upstream - {} {} 1 0 0 10.10.0.10:{} 10.10.0.11:443 127.0.0.1:{} 127.0.0.1:8307",
            rng.range(400, 3000),
            rng.range(400, 30_000),
            rng.range(32_768, 60_999),
            rng.range(32_768, 60_999)
        ),
    }
}

/// A guest reads from the file server.
fn conversation(rng: &mut Rng) -> Said {
    let guest = Ipv4Addr::new(10, 20, 0, rng.range(11, 14) as u8);
    let client = (guest.into(), rng.range(32_768, 60_999) as u16);
    let server = (Ipv4Addr::new(10, 0, 8, 10).into(), *rng.pick(&[445, 2049]));
    let bytes = rng.chance(0.5).then(|| [rng.range(500, 50_000), rng.range(500, 500_000)]);
    Said::Conversation { client, server, bytes }
}

/// What a vCenter writes that follows from `seed`, as `line` words it.
pub(super) fn of_vcenter(seed: u64, line: impl Fn(&Event<'_>) -> String) -> String {
    let mut rng = Rng::new(seed);
    let rng = &mut rng;
    let account =
        *rng.pick(&["", "VSPHERE.LOCAL\\vpxd-extension-1f3a", "CORP\\m.keller", "System"]);
    let (class, parts, text) = match rng.below(4) {
        0 => ("vim.event.TaskEvent", 1, "Task: Reconfigure virtual machine".to_owned()),
        1 => {
            let text = format!(
                "Alarm 'Virtual machine CPU usage' on {} changed from Green to Gray",
                name(rng)
            );
            ("vim.event.AlarmStatusChangedEvent", 1, text)
        }
        2 => {
            let text = format!(
                "Reconfigured {} on esxi-01.corp.example in DC0.  \n \nModified:  \n \nconfig.hardware.memoryMB: 2048",
                name(rng)
            );
            ("vim.event.VmReconfiguredEvent", rng.range(2, 13) as u8, text)
        }
        _ => {
            let text = format!("Virtual machine {} is connected", name(rng));
            ("vim.event.VmConnectedEvent", 1, text)
        }
    };
    line(&Event { class, account, text: &text.replace('\n', " "), parts })
}
