//! Two sensors that see the same packets: one reads all of them, the other counts in the kernel.

use std::path::PathBuf;
use std::time::Duration;

use egret_tests::net::{Namespace, veth};
use egret_tests::replay::{self, Replayed};
use egret_tests::sensor::{Installation, Samples, Sensor};
use egret_tests::wait;

use super::said::Said;
use super::{SOON, installation, lost, packets};

/// The way that reads everything, which the other is compared with.
pub(crate) const READS: &str = "afpacket";
/// The way that counts in the kernel, at a mirror port.
pub(crate) const COUNTS: &str = "xdp";
/// A debug build reads what waits in its ring for a while.
const READ: Duration = Duration::from_secs(60);

/// One of them.
pub(crate) struct Side {
    pub(crate) sensor: Sensor,
    installation: Installation,
    events: PathBuf,
}

impl Side {
    /// A sensor that captures from `interface` by `backend`.
    pub(crate) fn start(machine: &Namespace, interface: &str, backend: &str, config: &str) -> Self {
        Self::of(installation(config), machine, interface, backend)
    }

    /// The like where another one runs already.
    pub(crate) fn beside(
        machine: &Namespace,
        interface: &str,
        backend: &str,
        config: &str,
    ) -> Self {
        Self::of(installation(config).at_port(9478), machine, interface, backend)
    }

    fn of(installation: Installation, machine: &Namespace, interface: &str, way: &str) -> Self {
        let events = installation.config().with_file_name("eve.json");
        let arguments = format!("-i {interface} --backend {way} --events {}", events.display());
        let sensor = installation.start(machine, &arguments);
        Self { sensor, installation, events }
    }

    /// Waits until it has taken `count` packets; fails when any was lost.
    pub(crate) fn has_taken(&self, count: u64) -> Samples {
        let samples = self
            .sensor
            .until_metrics(&format!("{count} packets"), READ, |samples| packets(samples) >= count);
        assert_eq!(lost(&samples), 0, "lost, so there is nothing to compare");
        let taken = || packets(&self.sensor.metrics());
        let taken = wait::settled("packets", Duration::from_secs(1), SOON, taken);
        assert_eq!(taken, count, "packets");
        self.sensor.metrics()
    }

    /// What it had said when it ended.
    pub(crate) fn end(mut self) -> Said {
        assert!(self.sensor.stop(SOON).success(), "{}", self.sensor.said());
        let events = std::fs::read_to_string(&self.events).unwrap();
        Said::new(&events, &self.installation.egret("alerts export").done().json())
    }
}

/// Both, each at a mirror port of one switch.
pub(crate) struct Pair {
    pub(crate) switch: Namespace,
    _machines: [Namespace; 2],
    /// The one that reads all comes first.
    pub(crate) sides: [Side; 2],
    pub(crate) sent: Replayed,
}

impl Pair {
    /// With the config of each.
    pub(crate) fn start(configs: [&str; 2]) -> Self {
        let switch = Namespace::new("switch");
        let machines = [READS, COUNTS].map(Namespace::new);
        for (port, machine) in ["m0", "m1"].into_iter().zip(&machines) {
            veth((&switch, port), (machine, "eth1"));
            machine.mac("eth1", "02:65:67:72:65:74");
            for (namespace, interface) in [(&switch, port), (machine, "eth1")] {
                namespace.ip(&format!("link set dev {interface} mtu {}", replay::MTU));
            }
        }
        let [reads, counts] = &machines;
        let [of_reads, of_counts] = configs;
        let sides = [
            Side::start(reads, "eth1", READS, of_reads),
            Side::start(counts, "eth1", COUNTS, of_counts),
        ];
        Self { switch, _machines: machines, sides, sent: Replayed::default() }
    }

    /// Sends captures' frames to both.
    pub(crate) fn replay(&mut self, captures: &[Vec<Vec<u8>>]) -> Replayed {
        let sent = replay::replay(&self.switch, &["m0", "m1"], captures);
        self.sent += sent;
        sent
    }

    /// What both said when all was sent; fails when they lost something, or refused different frames.
    pub(crate) fn end(self) -> [Said; 2] {
        let refused = self.sides.each_ref().map(|side| {
            let samples = side.has_taken(self.sent.frames);
            assert_eq!(samples.count("egret_capture_bytes_total", &[]), self.sent.bytes);
            let layers = ["link", "ip", "ipv4", "ipv6", "tcp", "udp"];
            let copies = samples.count("egret_capture_duplicate_packets_total", &[]);
            assert_eq!(copies, 0, "frames that were sent apart are no copies");
            let of = |layer| samples.count("egret_decode_errors_total", &[("layer", layer)]);
            layers.map(|layer| (layer, of(layer)))
        });
        assert_eq!(refused[0], refused[1], "frames refused by layer");
        self.sides.map(Side::end)
    }
}
