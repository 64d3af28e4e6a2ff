//! Lengths on the wire of what the kernel changed before it gave it out: tags taken out, segments
//! joined.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Barrier, mpsc};

use egret::capture::{LinkType, Source};
use egret_tests::wire::{self, Payload, Segment, flag};

use crate::world::{
    QUIET, Sender, Tunnel, all, datagram, drain, in_namespace, ip, path, ring, unshare,
};

/// The kernel takes the outermost tag out of frames, with or without help of the card.
#[test]
fn a_vlan_tag_taken_out_is_told_and_counts() {
    in_namespace(|| {
        let mut ring = ring("t1");
        let sender = Sender::new("t0");
        let mut path = path(1);
        path.vlans = [Some(0xe02b), None];
        sender.send(&datagram(&path, 30));
        path.vlans = [Some(43), Some(7)];
        sender.send(&datagram(&path, 30));
        path.vlans = [None, None];
        sender.send(&datagram(&path, 30));
        let seen: Vec<_> = all(&mut ring)
            .into_iter()
            .map(|(bytes, wire_len, vlan)| (bytes.len(), wire_len, vlan, [bytes[12], bytes[13]]))
            .collect();
        assert_eq!(
            seen,
            [
                (72, 76, Some(43), [0x08, 0]),
                // The inner tag stays where it is.
                (76, 80, Some(43), [0x81, 0]),
                (72, 72, None, [0x08, 0]),
            ]
        );
    });
}

/// Interfaces without a link layer give bare IP; read as Ethernet it would be nonsense.
#[test]
fn a_tunnel_gives_bare_ip() {
    in_namespace(|| {
        let mut tunnel = Tunnel::new("n0", libc::ARPHRD_NONE);
        ip("link set n0 up");
        let mut ring = ring("n0");
        let datagram = datagram(&path(1), 30);
        tunnel.receive(&datagram[14..]);
        let mut seen = Vec::new();
        drain(&mut ring, QUIET, |frame| {
            seen.push((frame.link, frame.bytes.to_vec(), frame.wire_len));
        });
        assert_eq!(seen, [(LinkType::RAW, datagram[14..].to_vec(), 58)]);
    });
}

/// What the wire would have carried of a TCP super-frame: each segment with all headers.
#[test]
fn a_super_frame_counts_as_its_segments() {
    in_namespace(|| {
        let mut ring = ring("t1");
        let sender = Sender::of_super_frames("t0");
        let segment = Segment { flags: flag::ACK, sequence: 1, acknowledgment: 1 };
        let payloads = [1448, 1449, 10 * 1448, 10 * 1448 + 1, 40 * 1448 + 700];
        for payload in payloads {
            let mut frame = wire::Frame::new(1);
            frame.tcp(&path(1), segment, Payload::whole(&vec![7; payload]));
            // Flags: the checksum is to be filled in; TCP over IPv4; header; segment; place and
            // offset of the checksum.
            let mut virtio = vec![1, u8::from(payload > 1448)];
            for number in [54_u16, if payload > 1448 { 1448 } else { 0 }, 34, 16] {
                virtio.extend_from_slice(&number.to_ne_bytes());
            }
            virtio.extend_from_slice(frame.bytes());
            sender.send(&virtio);
        }
        let seen = all(&mut ring);
        let lengths: Vec<_> = seen.iter().map(|(_, wire_len, _)| *wire_len as usize).collect();
        assert_eq!(lengths, payloads.map(|payload| payload + payload.div_ceil(1448) * 54));
        let whole: Vec<_> = seen.iter().map(|(bytes, ..)| bytes.len()).collect();
        assert_eq!(whole, payloads.map(|payload| payload + 54), "the kernel cut them itself");
    });
}

/// A real transfer between two hosts, of which the receiver's kernel counts segments and bytes.
#[test]
fn a_transfer_counts_what_its_segments_were() {
    const SENT: usize = 20_000_000;
    /// Ethernet, IPv4, TCP with timestamps.
    const HEADERS: usize = 66;
    in_namespace(|| {
        let (moved, listening) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (tell, thread) = mpsc::channel();
        let receiver = std::thread::spawn({
            let (moved, listening) = (Arc::clone(&moved), Arc::clone(&listening));
            move || {
                assert!(unshare());
                tell.send(rustix::thread::gettid()).unwrap();
                moved.wait();
                ip("address add 192.0.2.2/24 dev t1");
                ip("link set t1 up");
                let mut ring = ring("t1");
                let listener = TcpListener::bind("192.0.2.2:5000").unwrap();
                listening.wait();
                let (mut stream, _) = listener.accept().unwrap();
                let mut received = Vec::new();
                stream.read_to_end(&mut received).unwrap();
                assert_eq!(received.len(), SENT);
                let segments = segments_received(&stream);
                let (mut data, mut largest, mut wire) = (0, 0, 0_usize);
                for (bytes, wire_len, _) in all(&mut ring) {
                    // From the sender, and with a payload: no ARP, no SYN.
                    if bytes.len() > HEADERS && bytes[26..30] == [192, 0, 2, 1] && bytes[46] == 0x80
                    {
                        data += bytes.len() - HEADERS;
                        wire += wire_len as usize;
                        largest = largest.max(bytes.len());
                    }
                }
                assert_eq!(ring.stats().dropped, 0);
                (segments, data, wire, largest)
            }
        });
        ip(&format!("link set t1 netns {}", thread.recv().unwrap()));
        ip("address add 192.0.2.1/24 dev t0");
        moved.wait();
        listening.wait();
        let mut stream = TcpStream::connect("192.0.2.2:5000").unwrap();
        stream.write_all(&vec![7; SENT]).unwrap();
        drop(stream);
        let (segments, data, wire, largest) = receiver.join().unwrap();
        assert!(largest > 1514, "no super-frame among them: {largest}");
        assert!(data >= SENT, "{data}");
        eprintln!(
            "{data} bytes in {segments} segments, {wire} bytes on the wire, frames up to {largest}"
        );
        assert_eq!(wire, data + segments * HEADERS);
    });
}

/// `tcpi_data_segs_in` of `struct tcp_info` (`linux/tcp.h`).
#[expect(unsafe_code, reason = "no crate here has the whole of tcp_info")]
fn segments_received(stream: &TcpStream) -> usize {
    let mut info = [0_u8; 256];
    let mut size = 256_u32;
    let (pointer, length) = (info.as_mut_ptr().cast(), &raw mut size);
    // SAFETY: the kernel writes no more than `size` bytes.
    let got = unsafe {
        libc::getsockopt(stream.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, pointer, length)
    };
    assert_eq!(got, 0);
    u32::from_ne_bytes(info[152..156].try_into().unwrap()) as usize
}
