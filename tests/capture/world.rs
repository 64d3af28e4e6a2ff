//! Network namespaces, interfaces in them, frames to send, and what is captured of them.

use std::fs::{self, File};
use std::io::Write;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::process::Command;
use std::time::{Duration, Instant};

use egret::capture::live::{Backend, Live, Opened, Settings, open};
use egret::capture::{Burst, Frame, Progress, Source, interface};
use egret_tests::wire::{self, Endpoint, Path, Payload};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Runs `test` in a new network namespace, which is gone when its thread ends; two interfaces,
/// `t0` and `t1`, are each other's wire there. Not without root.
pub(crate) fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(|| {
        if !unshare() {
            egret_tests::skip("a network namespace of its own needs root");
            return;
        }
        // What is there shows the interfaces of the namespace that it was mounted in.
        run("mount -t sysfs none /sys");
        // Neighbour discovery would be frames that no test has sent.
        fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap();
        wire("t0", "t1");
        test();
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// A network of its own for this thread, and mounts of its own for what tells of it.
#[expect(unsafe_code, reason = "no other way to a namespace for one thread")]
pub(crate) fn unshare() -> bool {
    // SAFETY: takes no pointers, and changes this thread only.
    let is_own = unsafe { libc::unshare(libc::CLONE_NEWNET | libc::CLONE_NEWNS) == 0 };
    if is_own {
        run("mount --make-rprivate /");
    }
    is_own
}

/// Two more interfaces, both up, that are each other's wire.
pub(crate) fn wire(a: &str, b: &str) {
    ip(&format!("link add {a} type veth peer name {b}"));
    ip(&format!("link set {a} up"));
    up(b);
    wait_for_carrier(a, true);
}

/// Sets an interface of a wire up whose other end is up; then frames pass.
pub(crate) fn up(interface: &str) {
    ip(&format!("link set {interface} up"));
    wait_for_carrier(interface, true);
    // The sending side opens a moment later.
    wait_for_carrier("t0", true);
}

/// The kernel tells of a carrier a moment after it came or went.
pub(crate) fn wait_for_carrier(name: &str, carrier: bool) {
    let start = Instant::now();
    while interface::Link::of(name).is_none_or(|link| link.running != carrier) {
        assert!(start.elapsed() < Duration::from_secs(10), "{name}: carrier is not {carrier}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs ip(8) in this thread's namespace.
pub(crate) fn ip(arguments: &str) {
    run(&format!("ip {arguments}"));
}

pub(crate) fn run(command: &str) {
    let mut words = command.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn settings(workers: usize) -> Settings {
    Settings { backend: Some(Backend::Ring), snaplen: 65_535, workers, slots: None }
}

/// The rings of an interface.
pub(crate) fn rings(interface: &str, workers: usize) -> Vec<Live> {
    let Opened { sources, .. } = open(interface, &settings(workers)).unwrap();
    assert_eq!(sources.len(), workers);
    sources
}

/// The only ring of an interface.
pub(crate) fn ring(interface: &str) -> Live {
    rings(interface, 1).remove(0)
}

/// Gives every frame to `each` until none came for `quiet`.
pub(crate) fn drain(source: &mut Live, quiet: Duration, mut each: impl FnMut(&Frame<'_>)) {
    let mut last = Instant::now();
    while last.elapsed() < quiet {
        let mut burst = Burst::new();
        match source.burst(&mut burst).unwrap() {
            Progress::More => last = Instant::now(),
            Progress::Idle => {
                assert!(burst.is_empty());
                drop(burst);
                wait(source, quiet);
                continue;
            }
            Progress::End => panic!("a live source never ends"),
        }
        burst.iter().for_each(&mut each);
    }
}

/// Longer than any frame is held back.
pub(crate) const QUIET: Duration = Duration::from_millis(300);

/// All frames, until none came for a while: their bytes, wire length and VLAN.
pub(crate) fn all(source: &mut Live) -> Vec<(Vec<u8>, u32, Option<u16>)> {
    let mut all = Vec::new();
    drain(source, QUIET, |frame| all.push((frame.bytes.to_vec(), frame.wire_len, frame.vlan)));
    all
}

/// Waits until there is something to read, or an error; whether there is.
pub(crate) fn wait(source: &Live, at_most: Duration) -> bool {
    let mut descriptors = [PollFd::new(source, PollFlags::IN)];
    let timeout = Timespec { tv_sec: 0, tv_nsec: at_most.as_nanos() as i64 };
    poll(&mut descriptors, Some(&timeout)).unwrap() > 0
}

/// Sends whole frames out of an interface.
pub(crate) struct Sender(OwnedFd);

impl Sender {
    pub(crate) fn new(interface: &str) -> Self {
        Self::with(interface, false)
    }

    /// Its frames begin with a virtio header, and the kernel or the card cuts them in segments.
    pub(crate) fn of_super_frames(interface: &str) -> Self {
        Self::with(interface, true)
    }

    #[expect(unsafe_code, reason = "AF_PACKET by hand, beside the one under test")]
    fn with(interface: &str, virtio: bool) -> Self {
        // SAFETY: takes no pointers.
        let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0) };
        assert!(socket >= 0);
        // SAFETY: the descriptor is new and nobody else's.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        let index = interface::index(interface).unwrap() as i32;
        // SAFETY: all zeros make one.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        (address.sll_family, address.sll_ifindex) = (libc::AF_PACKET as u16, index);
        let size = size_of_val(&address) as u32;
        let pointer = (&raw const address).cast();
        // SAFETY: the pointer is to so many bytes.
        assert_eq!(unsafe { libc::bind(socket.as_raw_fd(), pointer, size) }, 0);
        let (value, level) = (i32::from(virtio), libc::SOL_PACKET);
        let pointer = (&raw const value).cast();
        // SAFETY: the pointer is to four bytes.
        let set = unsafe {
            libc::setsockopt(socket.as_raw_fd(), level, libc::PACKET_VNET_HDR, pointer, 4)
        };
        assert_eq!(set, 0);
        Self(socket)
    }

    pub(crate) fn send(&self, frame: &[u8]) {
        rustix::net::send(self.0.as_fd(), frame, rustix::net::SendFlags::empty()).unwrap();
    }
}

/// An interface without a link layer, and what its far end sends.
pub(crate) struct Tunnel(File);

impl Tunnel {
    /// The interface's hardware type is an `ARPHRD_` number.
    #[expect(unsafe_code, reason = "tunnels are made by ioctl")]
    pub(crate) fn new(name: &str, hardware: u16) -> Self {
        // `linux/if_tun.h`.
        const TUNSETIFF: u64 = 0x4004_54ca;
        const TUNSETLINK: u64 = 0x4004_54cd;
        let file = File::options().read(true).write(true).open("/dev/net/tun").unwrap();
        let mut request = [0_u8; size_of::<libc::ifreq>()];
        request[..name.len()].copy_from_slice(name.as_bytes());
        let flags = (libc::IFF_TUN | libc::IFF_NO_PI) as u16;
        request[16..18].copy_from_slice(&flags.to_ne_bytes());
        // SAFETY: the request is as long as the kernel's, and lives through the call.
        let made = unsafe { libc::ioctl(file.as_raw_fd(), TUNSETIFF, request.as_mut_ptr()) };
        // SAFETY: takes no pointer.
        let set = unsafe { libc::ioctl(file.as_raw_fd(), TUNSETLINK, u64::from(hardware)) };
        assert_eq!((made, set), (0, 0));
        Self(file)
    }

    /// Has the interface receive a packet.
    pub(crate) fn receive(&mut self, packet: &[u8]) {
        self.0.write_all(packet).unwrap();
    }
}

/// The path of flow `n`: UDP or TCP ports and addresses differ from flow to flow.
pub(crate) fn path(n: u16) -> Path {
    let [high, low] = n.to_be_bytes();
    let end = |last, port| Endpoint {
        mac: [2, 0, 0, 0, 0, last],
        ip: IpAddr::from([10, last, high, low]),
        port,
    };
    Path { from: end(1, 40_000 ^ n), to: end(2, 53), vlans: [None; 2] }
}

/// A datagram on a path, `payload` bytes long.
pub(crate) fn datagram(path: &Path, payload: usize) -> Vec<u8> {
    wire::Frame::new(1).udp(path, Payload::whole(&vec![7; payload])).bytes().to_vec()
}
