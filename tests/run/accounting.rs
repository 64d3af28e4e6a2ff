//! Every frame sent to the mirror port was received, or is counted as dropped under its reason.

use std::time::{Duration, Instant};

use egret_tests::frames::Frames;
use egret_tests::net::{Lab, Namespace, veth};
use egret_tests::sensor::{Samples, Sensor};
use egret_tests::wait;
use rustix::process::Signal;

use super::hello::{self, Hellos};
use super::{SOON, dropped, installation, packets, turn};

/// A switch and a sensor's machine, with a cable between `m0` and `eth1`.
pub(crate) fn cable() -> [Namespace; 2] {
    let ends = [Namespace::new("switch"), Namespace::new("sensor")];
    veth((&ends[0], "m0"), (&ends[1], "eth1"));
    ends
}

/// The metrics once everything that arrived at `interface` is in them.
///
/// # Panics
/// When received and dropped frames are not what the kernel counted there.
pub(crate) fn accounted(sensor: &Sensor, arrived: u64) -> Samples {
    // A debug build reads what is in its rings for a while.
    let patience = Duration::from_secs(60);
    sensor.until_metrics(&format!("{arrived} frames accounted for"), patience, |samples| {
        packets(samples) + dropped(samples) >= arrived
    });
    let count = || {
        let samples = sensor.metrics();
        [packets(&samples), dropped(&samples)]
    };
    let [received, lost] = wait::settled("counters", Duration::from_secs(1), SOON, count);
    assert_eq!(received + lost, arrived, "{received} received, {lost} dropped");
    sensor.metrics()
}

/// Frames that came before the sensor listened: a host may speak by itself (ARP) while it starts.
/// To be asked before there is traffic.
pub(crate) fn unseen(lab: &Lab, sensor: &Sensor) -> u64 {
    let count = || {
        let arrived = lab.sensor.counters(lab.captured()).rx_packets;
        // What is read is published a moment later: then it is less for that moment.
        arrived.saturating_sub(packets(&sensor.metrics()))
    };
    wait::settled("frames before the sensor", Duration::from_millis(500), SOON, count)
}

/// Fails when a frame is lost without being counted, or counted twice, at any speed.
#[test]
fn five_million_frames_are_received_or_dropped_for_a_reason() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let mut sensor = installation("").start(&machine, "-i eth1");
    let before = machine.counters("eth1").rx_packets;
    assert_eq!(before, 0, "nothing speaks unasked");
    let frames = Frames::datagrams(100_000, 60, 1000);
    let start = Instant::now();
    let sent = frames.send(&switch, "m0", 5_000_000, None);
    eprintln!("sent within {:?}", start.elapsed());
    assert_eq!(sent.tx_packets, 5_000_000);
    let arrived = machine.counters("eth1");
    assert_eq!(arrived.rx_packets, 5_000_000);
    let samples = accounted(&sensor, 5_000_000);
    eprintln!("{} received, {} dropped", packets(&samples), dropped(&samples));
    assert!(packets(&samples) > 0);
    let bytes = samples.count("egret_capture_bytes_total", &[]);
    assert_eq!(bytes, 60 * packets(&samples), "bytes are those on the wire");
    assert_eq!(samples.count("egret_decode_errors_total", &[]), 0);
    assert_eq!(samples.count("egret_events_dropped_total", &[]), 0);
    assert!(sensor.stop(SOON).success());
}

/// Fails when a worker that gets no processor time loses frames silently, or is the worse for it
/// afterwards.
#[test]
fn a_slow_sensor_counts_what_its_ring_could_not_hold() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    // The kernel itself is never too slow to count.
    let mut sensor = installation(hello::ASSET).start(&machine, "-i eth1 --backend afpacket");
    let frames = Frames::datagrams(100_000, 1400, 1000);
    let mut sent = frames.send(&switch, "m0", 1000, None).tx_packets;
    let samples = accounted(&sensor, sent);
    assert_eq!(dropped(&samples), 0, "so few fit");
    // Stopped, it is as slow as can be; its rings hold a moment's worth.
    sensor.signal(Signal::STOP);
    sent += frames.send(&switch, "m0", 400_000, None).tx_packets;
    sensor.signal(Signal::CONT);
    let samples = accounted(&sensor, sent);
    let ring = samples.count("egret_capture_dropped_packets_total", &[("reason", "ring")]);
    assert!(ring > 0, "{samples}");
    assert_eq!(ring, dropped(&samples), "under another reason");
    // Nothing else broke: all that comes now is read, and understood.
    sent += Hellos::new().to(0..10).send_once(&switch, "m0").tx_packets;
    let samples = accounted(&sensor, sent);
    assert_eq!(dropped(&samples), ring);
    assert_eq!(samples.count("egret_tls_client_hellos_total", &[]), 10);
    assert_eq!(samples.count("egret_events_dropped_total", &[]), 0);
    sensor.until_metrics("ten alerts", SOON, |s| s.count("egret_alerts_total", &[]) == 10);
    assert!(sensor.is_running());
    assert!(sensor.stop(SOON).success());
}
