//! A full disk: said, and the sensor goes on; what waited is delivered once there is room.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use egret_tests::net::run;
use egret_tests::receiver::Receiver;
use egret_tests::wait;
use tempfile::TempDir;

use super::accounting::{accounted, cable};
use super::hello::{ASSET, Hellos};
use super::{SOON, dropped, installation, turn};

/// A small file system of its own.
struct Disk(TempDir);

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m,mode=755", "egret-test"])
            .arg(folder.path()));
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room there is; gives the file that does.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = File::create(&path).unwrap();
        while file.write(&[0; 4096]).is_ok_and(|written| written > 0) {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).output();
    }
}

/// Fails when a full disk stops capture or loses an alert, or is not told.
#[test]
fn a_full_disk_is_said_and_outlived() {
    let Some(_turn) = turn(&["mount"]) else { return };
    let [switch, machine] = cable();
    let receiver = Receiver::http(&machine, "127.0.0.1:8081");
    let disk = Disk::new();
    let config = format!("{ASSET}\n[[deliver.webhook]]\nurl = \"http://127.0.0.1:8081/soc\"\n");
    let installation = installation("").with_data(&disk.path().join("data"), &config);
    let mut sensor = installation.start(&machine, "-i eth1");
    let hellos = Hellos::new();
    let taken = || {
        let ids = receiver.taken().into_iter().map(|request| request.json()["id"].to_string());
        ids.collect::<std::collections::BTreeSet<_>>().len()
    };
    let mut sent = hellos.to(0..5).send_once(&switch, "m0").tx_packets;
    wait::until("delivered while there is room", SOON, || (taken() == 5).then_some(()));

    let filler = disk.fill();
    // More than what the database has set aside for itself could hold.
    sent += hellos.to(5..205).send_once(&switch, "m0").tx_packets;
    sensor.until_metrics("the store fails", SOON, |s| s.count("egret_store_failing", &[]) == 1);
    sensor.until_said("nothing can be stored", SOON);
    let status = sensor.get("/api/status").json();
    wait::until("the status tells", SOON, || {
        (!sensor.get("/api/status").json()["store_error"].is_null()).then_some(())
    });
    sensor.until_metrics("packets of alerts cannot be kept", SOON, |samples| {
        samples.count("egret_evidence_failing", &[]) == 1
            && samples.count("egret_evidence_lookups_total", &[("result", "failed")]) > 0
    });
    wait::until("the status tells", SOON, || {
        (!sensor.get("/api/status").json()["evidence_error"].is_null()).then_some(())
    });
    assert_eq!(sensor.said().matches("packets of alerts cannot be kept").count(), 1);
    let samples = accounted(&sensor, sent);
    assert_eq!(dropped(&samples), 0, "{samples} {status}");
    assert_eq!(samples.count("egret_tls_client_hellos_total", &[]), 205);

    fs::remove_file(filler).unwrap();
    sensor.until_metrics("it stores again", SOON, |s| s.count("egret_store_failing", &[]) == 0);
    sensor.until_said("the database can be written again", SOON);
    let samples =
        sensor.until_metrics("all are stored", SOON, |s| s.count("egret_alerts_total", &[]) == 205);
    assert_eq!(samples.count("egret_events_dropped_total", &[]), 0);
    hellos.to(205..206).send_once(&switch, "m0");
    sensor.until_metrics("packets are kept again", SOON, |samples| {
        samples.count("egret_evidence_failing", &[]) == 0
    });
    wait::until("delivered", std::time::Duration::from_secs(60), || (taken() == 206).then_some(()));
    assert!(sensor.stop(SOON).success());
}
