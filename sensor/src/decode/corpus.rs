//! Payloads of real captures for differential tests: those under the folder that `EGRET_CORPUS`
//! names. Classic pcap over Ethernet only, which is enough to compare two readers.

use std::path::{Path, PathBuf};

use etherparse::{LaxSlicedPacket, TransportSlice};

/// A TCP or UDP payload.
pub(super) struct Payload<'a> {
    pub(super) is_tcp: bool,
    pub(super) ports: [u16; 2],
    pub(super) bytes: &'a [u8],
}

/// Gives each payload of each capture to `visit`. Without a corpus it says so and gives none.
pub(super) fn payloads(mut visit: impl FnMut(Payload<'_>)) -> bool {
    let Some(folder) = std::env::var_os("EGRET_CORPUS") else {
        eprintln!("SKIPPED: set EGRET_CORPUS to a folder of captures to compare readers on them");
        return false;
    };
    let mut files = Vec::new();
    list(Path::new(&folder), &mut files);
    for file in &files {
        walk(&std::fs::read(file).unwrap(), &mut visit);
    }
    true
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// Walks the records of a pcap file; anything else has none.
fn walk(file: &[u8], visit: &mut impl FnMut(Payload<'_>)) {
    let read: fn([u8; 4]) -> u32 = match file.first_chunk() {
        Some(&[0xd4, 0xc3, 0xb2, 0xa1] | &[0x4d, 0x3c, 0xb2, 0xa1]) => u32::from_le_bytes,
        Some(&[0xa1, 0xb2, 0xc3, 0xd4] | &[0xa1, 0xb2, 0x3c, 0x4d]) => u32::from_be_bytes,
        _ => return,
    };
    let number = |at: usize| {
        let bytes = file.get(at..)?.first_chunk()?;
        usize::try_from(read(*bytes)).ok()
    };
    if number(20) != Some(1) {
        return;
    }
    let mut at = 24;
    while let Some(length) = number(at + 8) {
        let Some(frame) = file.get(at + 16..at + 16 + length) else { return };
        at += 16 + length;
        let Ok(packet) = LaxSlicedPacket::from_ethernet(frame) else { continue };
        visit(match &packet.transport {
            Some(TransportSlice::Tcp(tcp)) => Payload {
                is_tcp: true,
                ports: [tcp.source_port(), tcp.destination_port()],
                bytes: tcp.payload(),
            },
            Some(TransportSlice::Udp(udp)) => Payload {
                is_tcp: false,
                ports: [udp.source_port(), udp.destination_port()],
                bytes: udp.payload(),
            },
            _ => continue,
        });
    }
}
