//! The cable that is flooded, with a kernel thread of its own at the receiving end: what the kernel
//! does for a frame can then be told from everything else.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use egret_tests::frames::Frames;
use egret_tests::net::{LiveFrames, Namespace, veth};
use egret_tests::pace::Paced;

use super::schedule;

/// The end that is sent from.
const NEAR: &str = "egretnear0";
/// The end that is captured from. Kernel threads are known by the first fifteen bytes of their name.
const FAR: &str = "egretfar0";

pub(crate) struct Cable {
    sender: Namespace,
    pub(crate) receiver: Namespace,
    /// The id of the kernel thread.
    napi: u32,
}

/// What went over it.
pub(crate) struct Load {
    pub(crate) arrived: u64,
    pub(crate) seconds: f64,
}

impl Cable {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let (sender, receiver) = (Namespace::new("sender"), Namespace::new("receiver"));
        veth((&sender, NEAR), (&receiver, FAR));
        // A veth has NAPI with GRO only, and then takes it only for what comes from an end without
        // segmentation offload. Datagrams without a socket are not put together by it.
        sender.ethtool("-K", NEAR, "tso off gso off");
        receiver.ethtool("-K", FAR, "gro on");
        let setting = format!("echo 1 > /sys/class/net/{FAR}/threaded");
        let output = receiver.command("sh").args(["-c", &setting]).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cannot have the kernel receive in a thread: {said}");
        let napi = kernel_thread(&format!("napi/{FAR}"))?;
        schedule::pin(napi, 1)?;
        Ok(Self { sender, receiver, napi })
    }

    /// The interface to capture from.
    pub(crate) const fn interface(&self) -> &'static str {
        FAR
    }

    /// Processor time of the kernel's half so far.
    pub(crate) fn kernel_time(&self) -> anyhow::Result<Duration> {
        Ok(schedule::total(&schedule::accounts(self.napi)?))
    }

    /// Sends frames, at most `rate` a second.
    pub(crate) fn send(&self, frames: &Frames, count: u64, rate: Option<u64>) -> Load {
        self.load(|| {
            frames.send(&self.sender, NEAR, count, rate);
        })
    }

    /// Sends what was recorded at its own pace.
    pub(crate) fn send_paced(&self, paced: &Paced) -> Load {
        self.load(|| paced.send(&self.sender, NEAR))
    }

    /// Frames of `length` bytes of so many conversations, made in the kernel.
    pub(crate) fn live_frames(&self, length: usize, flows: u32) -> LiveFrames {
        LiveFrames::new(&self.sender, NEAR, length, flows)
    }

    /// Sends such frames until it is enough, by how many have arrived and how long that took.
    pub(crate) fn send_live(
        &self,
        frames: &LiveFrames,
        is_enough: impl Fn(u64, Duration) -> bool,
    ) -> Load {
        const AT_ONCE: u64 = 1 << 18;
        self.load(|| {
            let (before, start) = (self.arrived(), Instant::now());
            while !is_enough(self.arrived() - before, start.elapsed()) {
                frames.send(&self.sender, AT_ONCE);
            }
        })
    }

    fn arrived(&self) -> u64 {
        self.receiver.counters(FAR).rx_packets
    }

    fn load(&self, send: impl FnOnce()) -> Load {
        let before = self.arrived();
        let start = Instant::now();
        send();
        let seconds = start.elapsed().as_secs_f64();
        // What was sent waits for the kernel thread.
        std::thread::sleep(Duration::from_millis(50));
        Load { arrived: self.arrived() - before, seconds }
    }
}

fn kernel_thread(name: &str) -> anyhow::Result<u32> {
    let named = |process: &u32| {
        fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|comm| comm.starts_with(name))
    };
    fs::read_dir("/proc")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()))
        .find(named)
        .with_context(|| format!("there is no kernel thread {name}"))
}
