//! Two hosts, a bridge between them, and a sensor beside it, each in a network namespace.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::{Child, Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use egret_tests::egret::Ran;
use egret_tests::wait;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tempfile::TempDir;

/// Which of a host's packets are mirrored at its port of the bridge.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mirror {
    Both,
    /// What the host sends.
    FromHost,
}

/// Namespaces, gone when dropped: `a` and `b` are hosts, `s` the switch, `e` the sensor.
pub(crate) struct World {
    prefix: String,
}

const SERVER: &str = "10.99.0.2:8443";

impl World {
    /// Hosts 1 and 2 at the bridge's ports of these numbers; `None`, and said, without root.
    pub(crate) fn new(name: &str, mirrored: &[(u8, Mirror)]) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            egret_tests::skip("network namespaces need root");
            return None;
        }
        let world = Self { prefix: format!("egret-check-{}-{name}", std::process::id()) };
        for space in ["a", "b", "s", "e"] {
            run(&format!("ip netns add {}-{space}", world.prefix));
            for family in ["all", "default"] {
                let key = format!("net.ipv6.conf.{family}.disable_ipv6=1");
                world.within(space, &format!("sysctl -q {key}"));
            }
            world.within(space, "ip link set lo up");
        }
        world.within("s", "ip link add br0 type bridge");
        for (port, space, inside) in [("p1", "a", "eth0"), ("p2", "b", "eth0"), ("m0", "e", "eth1")]
        {
            let peer = format!("peer name {inside} netns {}-{space}", world.prefix);
            world.within("s", &format!("ip link add {port} type veth {peer}"));
            world.within("s", &format!("ip link set {port} up"));
            world.within(space, &format!("ip link set {inside} up"));
        }
        for (port, space, address) in [("p1", "a", "10.99.0.1/24"), ("p2", "b", "10.99.0.2/24")] {
            world.within("s", &format!("ip link set {port} master br0"));
            world.within(space, &format!("ip addr add {address} dev eth0"));
            // Whole packets with right checksums, as a wire between machines has them.
            world.within(space, "ethtool -K eth0 tx off tso off gso off");
        }
        world.within("s", "ip link set br0 up");
        for (port, mirror) in mirrored {
            world.mirror(*port, *mirror);
        }
        Some(world)
    }

    fn mirror(&self, port: u8, mirror: Mirror) {
        self.within("s", &format!("tc qdisc add dev p{port} clsact"));
        // What the host sends comes in at its port.
        let sides: &[&str] =
            if mirror == Mirror::Both { &["ingress", "egress"] } else { &["ingress"] };
        for side in sides {
            self.within(
                "s",
                &format!(
                    "tc filter add dev p{port} {side} protocol all prio 9 u32 match u32 0 0 action \
                     mirred egress mirror dev m0"
                ),
            );
        }
    }

    /// Runs a command where the sensor is.
    pub(crate) fn sensor(&self, command: &str) {
        self.within("e", command);
    }

    fn within(&self, space: &str, command: &str) {
        run(&format!("ip netns exec {}-{space} {command}", self.prefix));
    }

    /// Two seconds of `egret check --json` on the sensor's interface.
    pub(crate) fn check(&self) -> Ran {
        self.check_with(&[])
    }

    /// The same with more arguments.
    fn check_with(&self, more: &[&str]) -> Ran {
        self.run(&Command::new("env"), &[&["--json", "--seconds", "2"], more].concat())
    }

    /// The same with more arguments, while host 1 opens TCP conversations to host 2 and both say
    /// something.
    pub(crate) fn check_while_talking(&self, more: &[&str]) -> Ran {
        let stop = AtomicBool::new(false);
        let address: SocketAddr = SERVER.parse().unwrap();
        thread::scope(|scope| {
            let (ready, is_ready) = std::sync::mpsc::channel();
            let (stop, world) = (&stop, self);
            scope.spawn(move || {
                world.enter("b");
                let listener = TcpListener::bind(address).unwrap();
                ready.send(()).unwrap();
                while answer(&mut listener.accept().unwrap().0) {}
            });
            is_ready.recv().unwrap();
            scope.spawn(move || {
                world.enter("a");
                while !stop.load(Ordering::Relaxed) {
                    ask(address);
                    thread::sleep(Duration::from_millis(20));
                }
                // One that asks nothing ends the server.
                TcpStream::connect_timeout(&address, Duration::from_secs(10)).unwrap();
            });
            let ran = self.check_with(more);
            stop.store(true, Ordering::Relaxed);
            ran
        })
    }

    /// Runs `egret check` on the sensor's interface with these arguments, under another command.
    pub(crate) fn run(&self, under: &Command, arguments: &[&str]) -> Ran {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = format!("sensor.data_dir=\"{}\"", directory.path().display());
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &format!("{}-e", self.prefix)]);
        command.arg(under.get_program()).args(under.get_args());
        command.args([env!("CARGO_BIN_EXE_egret"), "check", "--config", "/dev/null", "-i", "eth1"]);
        command.args(["--set", &data_dir]).args(arguments);
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Runs `egret run` on the sensor's interface by XDP until what is given here is dropped.
    pub(crate) fn running(&self) -> Running {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = format!("sensor.data_dir=\"{}\"", directory.path().display());
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &format!("{}-e", self.prefix)]);
        command.args([env!("CARGO_BIN_EXE_egret"), "run", "--config", "/dev/null", "-i", "eth1"]);
        command.args(["-q", "--backend", "xdp", "--set", &data_dir]);
        let running = Running { process: command.spawn().unwrap(), _directory: directory };
        wait::until("egret is on eth1", Duration::from_secs(20), || {
            let listening = self.run(&Command::new("env"), &["--json", "--seconds", "0"]);
            listening.stdout.contains("Egret is running there").then_some(())
        });
        running
    }

    /// Takes this thread to one of the namespaces.
    fn enter(&self, space: &str) {
        let file = File::open(format!("/run/netns/{}-{space}", self.prefix)).unwrap();
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
    }
}

/// A running sensor.
pub(crate) struct Running {
    process: Child,
    _directory: TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended by itself has told why.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for space in ["a", "b", "s", "e"] {
            // One that was never made is no loss.
            let name = format!("{}-{space}", self.prefix);
            let _ = Command::new("ip").args(["netns", "del", &name]).output();
        }
    }
}

const QUESTION: [u8; 3000] = [1; 3000];
const ANSWER: [u8; 6000] = [2; 6000];

fn ask(address: SocketAddr) {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10)).unwrap();
    stream.write_all(&QUESTION).unwrap();
    stream.read_exact(&mut ANSWER.clone()).unwrap();
}

/// Whether there was a question.
fn answer(stream: &mut TcpStream) -> bool {
    let is_asked = stream.read_exact(&mut QUESTION.clone()).is_ok();
    if is_asked {
        stream.write_all(&ANSWER).unwrap();
    }
    is_asked
}

fn run(command: &str) {
    let mut words = command.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}
