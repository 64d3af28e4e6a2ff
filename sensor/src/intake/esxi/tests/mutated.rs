//! Lines with random faults.

use egret_tests::rng::Rng;

use crate::event::Said;
use crate::intake::join::Join;
use crate::intake::{Origin, Reader};
use crate::time::Timestamp;

/// Lines of every kind that tell of no guest operation, some with the sentence of one in a place where
/// somebody chose the words.
const HARMLESS: [&str; 16] = [
    "<166>2026-11-20T14:03:11.587Z esx1 Hostd[2099494]: [Originator@6876 sub=Guestsvc.GuestFileHandler] Guest File Path is C:\\Guest operation Start Program performed on Virtual machine x.",
    "<166>2026-11-20T14:03:11.587Z esx1 Hostd[2099494]: [Originator@6876 sub=Vimsvc.ha-eventmgr opID=c4 sid=52018116] Event 220 : User root@192.0.2.13 logged in as Guest operation Start Program performed on Virtual machine x.",
    "<166>2026-11-20T14:03:11.587Z esx1 Hostd[2099494]: --> Event 246 : Guest operation Start Program performed on Virtual machine x.",
    "<166>2026-11-20T14:03:11Z esx1 Hostd: info hostd[1053970] [Originator@6876 sub=Vimsvc.ha-eventmgr opID=esxui-b370 user=root] Event 406 : Guest OS reboot for Guest operation x performed on Virtual machine on esx1 in ha-datacenter",
    "<166>2026-11-20T14:03:11.587Z esx1 Hostd[2099494]: [Originator@6876 sub=Vimsvc.HaSessionManager opID=esxui-8c02 sid=52f0e556] Accepted password for user root from 192.0.2.10 - session=52f0e556-5be4-83d4-8d71-8f9d8a43791c",
    "<14>2026-11-20T14:03:11.587Z esx1 shell[1053659]: [root]: echo Event 246 : Guest operation Start Program performed on Virtual machine x.",
    "<110>2026-11-20T14:03:11.587Z esx1 shell[1231448]: [shell.cmd@6876 subject=\"root\" object=\"shell\" command=\"echo vim.vm.guest.ProcessManager.startProgram\" result=\"success\" status=\"0\"]",
    "<14>1 2026-11-20T14:03:11.587Z vc1 vpxd 123 - - Event [9] [1-1] [2026-11-20T14:03:11Z] [vim.event.UserLoginSessionEvent] [info] [CORP\\al] [] [9] [User CORP\\al@192.0.2.7 logged in as Guest operation Start Program performed on Virtual machine x.]",
    "<14>1 2026-11-20T14:03:11.587Z vc1 vpxd 123 - - Event [9] [2-3] Guest operation Start Program performed on Virtual machine x.",
    "<14>1 2026-11-20T14:03:11.587Z vc1 vpxd 123 - - Event [9] [1-2] [2026-11-20T14:03:11Z] [vim.event.DvsReconfiguredEvent] [info] [CORP\\al] [DC0] [9] [The vSphere Distributed Switch S in DC0 was reconfigured.",
    "<13>1 2026-11-20T14:03:11.587Z esx1 FIREWALL-PKTLOG - - - INET TERM PASS 5096 OUT TCP RST 10.10.10.11/60517->10.10.10.10/443 9/8 1461/4677 DR-Allow",
    "<14>1 2026-11-20T14:03:11.587Z esx1 envoy 4711 - - [Originator@6876 sub=Default] 2026-05-11T10:22:31.070Z POST /sdk HTTP/1.1 200 via_upstream - 1670 11032 1 0 0 192.0.2.4:54080 192.0.2.5:443 127.0.0.1:49192 127.0.0.1:8085",
    "<14>1 2026-11-20T14:03:11.587Z nsx1 NSX 5996 SYSTEM [nsx@6876 audit=\"true\" comp=\"nsx-manager\" username=\"admin\"] UserName=\"admin\", ModuleName=\"X\", Operation=\"CreatePortMirroringSession\", Operation status=\"success\", New value=[{}]",
    "<38>2026-11-20T14:03:11.587Z esx1 sshd[1053654]: Failed password for Guest operation Start Program performed on Virtual machine x. from 192.0.2.1 port 58470 ssh2",
    "<14>2026-11-20T14:03:11.587Z esx1 vobd:  [GenericCorrelator] 12345us: [vob.user.ssh.session.opened] SSH session was opened for 'root@192.0.2.1'.",
    "<14>1 2026-11-20T14:03:11.587Z vc1 websso - - - [auditlogger] {\"user\":\"al@corp\",\"client\":\"192.0.2.8\",\"type\":\"com.vmware.sso.LoginFailure\"}",
];

/// Lines that do tell of one.
const OPERATIONS: [&str; 4] = [
    "<166>2026-11-20T14:03:11.587Z esx1 Hostd[2099494]: [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 246 : Guest operation Start Program performed on Virtual machine web01.",
    "<14>1 2026-11-20T14:03:11.587Z vc1 vpxd 123 - - Event [9] [1-1] [2026-11-20T14:03:11Z] [vim.event.EventEx] [info] [CORP\\al] [DC0] [9] [Guest operation authentication failed for operation List Files on Virtual machine web01.]",
    "<166>2026-11-20T14:03:11.587Z esx1 hostd[1]: [api.call@6876 subject=\"CORP\\\\al\" object=\"vim.vm.guest.ProcessManager.startProgram\" result=\"success\"]",
    "<14>1 2026-11-20T14:03:11.587Z vc1 vpxd 123 - - [Originator@6876 sub=vpxLro opID=lro-1-2] [VpxLRO] -- BEGIN lro-7 -- guestOperationsFileManager -- vim.vm.guest.FileManager.initiateFileTransferFromGuest -- 220e52c7-0000-1111-2222-333344445555",
];

/// Faults by chance that are the same each time.
struct Chance(Rng);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0.below(limit.max(1) as u64) as usize
    }

    /// A line with one to four faults.
    fn mutated(&mut self, line: &str) -> Vec<u8> {
        let mut bytes = line.as_bytes().to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(20)).min(bytes.len());
            match self.below(6) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes.insert(at, b" []\"\\'.:@-\n\0\xff"[self.below(13)]),
                2 => drop(bytes.drain(at..end)),
                3 => {
                    let span = bytes[at..end].to_vec();
                    bytes.splice(at..at, span);
                }
                4 => bytes.truncate(at.max(1)),
                _ => bytes[at] = self.below(256) as u8,
            }
            if bytes.is_empty() {
                break;
            }
        }
        bytes
    }
}

fn origin(n: u64) -> Origin {
    let arrival = Timestamp::from_parts(1_795_183_391, 0).plus(std::time::Duration::from_millis(n));
    Origin { arrival: Some(arrival), peer: Some("192.0.2.5".parse().unwrap()) }
}

#[test]
fn no_fault_makes_an_operation() {
    let (mut chance, mut reader) = (Chance(Rng::new(1)), Reader::default());
    for n in 0..10_000 {
        let line = chance.mutated(HARMLESS[n as usize % HARMLESS.len()]);
        let report = reader.read(&origin(n), &line);
        let is_operation = report.is_some_and(|r| matches!(r.said, Said::GuestOperation(_)));
        assert!(!is_operation, "{}", String::from_utf8_lossy(&line));
    }
    assert_eq!(reader.counts().total(), 10_000);
    assert!(reader.counts().understood > 1000, "{:?}", reader.counts());
}

#[test]
fn whole_lines_are_understood_and_broken_ones_harm_nothing() {
    let (mut chance, mut reader, mut join) =
        (Chance(Rng::new(2)), Reader::default(), Join::default());
    for line in OPERATIONS {
        let report = reader.read(&origin(0), line.as_bytes()).unwrap();
        assert!(matches!(report.said, Said::GuestOperation(_)), "{line}");
    }
    let mut out = 0;
    for n in 0..10_000 {
        let line = chance.mutated(OPERATIONS[n as usize % OPERATIONS.len()]);
        let Some(report) = reader.read(&origin(n), &line) else { continue };
        join.advance(report.time);
        out += std::iter::from_fn(|| join.pop()).count() as u64;
        out += u64::from(join.take(report).is_some());
    }
    out += std::iter::from_fn(|| join.pop_last()).count() as u64;
    let counts = join.counts();
    let understood = reader.counts().understood - OPERATIONS.len() as u64;
    assert_eq!(out + counts.merged + counts.repeated, understood);
}
