//! Frames that the kernel makes itself, a few million a second: more than any socket sends, and as a
//! network card hands them to its driver, not as a host's own packets.

use std::os::fd::{AsRawFd, OwnedFd};

use rustix::net::{AddressFamily, SocketType, netdevice, socket};

use super::Namespace;
use super::program::{ask, load};

/// Frames that one system call has made.
const ROUND: u64 = 1 << 16;

/// How often the kernel reads a clock between two frames, to pass time: some 1.5 million a second are
/// left. Who sends faster than the other end takes them gets most frames back, and the two then wait
/// for each other at the memory that frames are in.
const PAUSE: usize = 5;

/// A program that makes frames and sends them out of an interface.
#[derive(Debug)]
pub struct LiveFrames {
    program: OwnedFd,
    /// What each frame begins as.
    frame: Vec<u8>,
}

/// `BPF_PROG_TEST_RUN` (`linux/bpf.h`).
#[repr(C)]
#[derive(Default)]
struct Run {
    program: u32,
    result: u32,
    data_size_in: u32,
    data_size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
    context_size_in: u32,
    context_size_out: u32,
    context_in: u64,
    context_out: u64,
    flags: u32,
    processor: u32,
    batch: u32,
    unused: u32,
}

impl LiveFrames {
    /// Datagrams of `length` bytes of so many conversations, in no order, no two of them the same.
    ///
    /// # Panics
    /// When the kernel refuses, or a frame has no room for headers and a number.
    pub fn new(namespace: &Namespace, interface: &str, length: usize, flows: u32) -> Self {
        assert!((60..=3000).contains(&length), "{length} bytes");
        namespace.enter(|| {
            let any = socket(AddressFamily::INET, SocketType::DGRAM, None).expect("a socket");
            let index = netdevice::name_to_index(&any, interface).expect("it is there");
            let program = load(&instructions(flows, index)).expect("a program for live frames");
            Self { program, frame: frame(length) }
        })
    }

    /// Sends so many, or somewhat more. What finds no room at the other end is lost, as on a wire.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn send(&self, namespace: &Namespace, count: u64) {
        const PROG_TEST_RUN: i32 = 10;
        const LIVE_FRAMES: u32 = 1 << 1;
        let run = Run {
            program: self.program.as_raw_fd() as u32,
            data_size_in: self.frame.len() as u32,
            data_in: self.frame.as_ptr() as u64,
            repeat: ROUND as u32,
            flags: LIVE_FRAMES,
            batch: 64,
            ..Run::default()
        };
        namespace.enter(|| {
            for _ in 0..count.div_ceil(ROUND) {
                ask(PROG_TEST_RUN, &run).expect("live frames, which Linux 5.18 has");
            }
        });
    }
}

/// Ethernet, IPv4 and UDP from 10.0.0.0 to 10.30.0.1, with nothing in the datagram.
fn frame(length: usize) -> Vec<u8> {
    let mut frame = vec![0; length];
    frame[..14].copy_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0]);
    let (packet, datagram) = ((length - 14) as u16, (length - 34) as u16);
    frame[14] = 0x45;
    frame[16..18].copy_from_slice(&packet.to_be_bytes());
    (frame[22], frame[23]) = (64, 17);
    frame[26..34].copy_from_slice(&[10, 0, 0, 0, 10, 30, 0, 1]);
    frame[34..36].copy_from_slice(&20_000u16.to_be_bytes());
    frame[36..38].copy_from_slice(&9000u16.to_be_bytes());
    frame[38..40].copy_from_slice(&datagram.to_be_bytes());
    frame
}

/// The program: the conversation is in the source address, and what tells frames apart in IP's
/// identification and the datagram's first bytes.
fn instructions(flows: u32, interface: u32) -> Vec<u64> {
    const CLOCK: u32 = 5;
    const RANDOM: u32 = 7;
    const REDIRECT: u32 = 23;
    const DROP: u32 = 1;
    let [r0, r1, r2, r6, r7, r8] = [0, 1, 2, 6, 7, 8];
    let code = |operation: u64, to: u64, from: u64, offset: i16, number: u32| {
        operation | to << 8 | from << 12 | u64::from(offset as u16) << 16 | u64::from(number) << 32
    };
    // Up to the last two instructions, which drop a frame without room for the headers.
    let too_short = 13 + PAUSE as i16;
    let check = [
        code(0xbf, r6, r1, 0, 0),         // r6 = context
        code(0x61, r7, r6, 0, 0),         // r7 = its data
        code(0x61, r8, r6, 4, 0),         // r8 = their end
        code(0xbf, r2, r7, 0, 0),         //
        code(0x07, r2, 0, 0, 60),         //
        code(0x2d, r2, r8, too_short, 0), // if r7 + 60 > r8 goto the last two
    ];
    let pause = [code(0x85, 0, 0, 0, CLOCK); PAUSE];
    let send = [
        code(0x85, 0, 0, 0, RANDOM),        //
        code(0x94, r0, 0, 0, flows.max(1)), // r0 %= flows
        code(0xbf, r1, r0, 0, 0),           //
        code(0x44, r1, 0, 0, 0x0a00_0000),  // r1 = 10.0.0.0 | r0
        code(0xdc, r1, 0, 0, 32),           // in network byte order
        code(0x63, r7, r1, 26, 0),          // is the source address
        code(0x85, 0, 0, 0, RANDOM),        //
        code(0x63, r7, r0, 42, 0),          // the datagram's first bytes
        code(0x6b, r7, r0, 18, 0),          // the identification
        code(0xb7, r1, 0, 0, interface),    //
        code(0xb7, r2, 0, 0, 0),            //
        code(0x85, 0, 0, 0, REDIRECT),      //
        code(0x95, 0, 0, 0, 0),             // return redirect(interface, 0)
        code(0xb7, r0, 0, 0, DROP),         //
        code(0x95, 0, 0, 0, 0),             // return DROP
    ];
    check.into_iter().chain(pause).chain(send).collect()
}
