//! Where an alert and its packets are to be seen: links for whoever gets it.
//!
//! Alerts wait for nothing but this: its packets are looked for within milliseconds of it being raised, and
//! only then is it known whether there are any. It is not waited for longer than a second.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use uuid::Uuid;

use crate::evidence;

/// How long an alert waits for its packets at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the packets of alerts are, and for which they are being looked for.
#[derive(Debug, Clone, Default)]
pub struct Packets {
    data_dir: PathBuf,
    awaited: Option<watch::Receiver<BTreeSet<Uuid>>>,
}

impl Packets {
    /// Those in `data_dir`; without `awaited`, none are looked for.
    pub fn new(data_dir: &Path, awaited: Option<watch::Receiver<BTreeSet<Uuid>>>) -> Self {
        Self { data_dir: data_dir.to_owned(), awaited }
    }

    /// Whether there are packets of an alert, once that is known or has been waited for.
    async fn are_there(&self, id: Uuid) -> bool {
        let known = async {
            if let Some(mut awaited) = self.awaited.clone() {
                // Whoever looks for them has ended: then it is known, too.
                let _ = awaited.wait_for(|awaited| !awaited.contains(&id)).await;
            }
        };
        let _ = timeout(PATIENCE, known).await;
        let data_dir = self.data_dir.clone();
        // A disk that hangs holds up a thread that has nothing else to do.
        let is_there = spawn_blocking(move || evidence::is_there(&data_dir, id));
        matches!(timeout(PATIENCE, is_there).await, Ok(Ok(true)))
    }
}

/// Links of one alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Links {
    /// Where it is in the console.
    pub(super) console: String,
    /// Its packets, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pcap: Option<String>,
}

impl Links {
    /// Those below `base`, which people open.
    pub(super) async fn of(base: &Url, packets: &Packets, id: Uuid) -> Self {
        Self::below(base, id, packets.are_there(id).await)
    }

    pub(super) fn below(base: &Url, id: Uuid, has_packets: bool) -> Self {
        let base = base.as_str().trim_end_matches('/');
        Self {
            console: format!("{base}/#alert={id}"),
            pcap: has_packets.then(|| format!("{base}/api/alerts/{id}/pcap")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_below_the_url_with_or_without_a_slash() {
        let id = Uuid::from_u128(7);
        for (base, root) in [
            ("https://egret.example:9477", "https://egret.example:9477"),
            ("https://soc.example/egret/", "https://soc.example/egret"),
            ("https://soc.example/egret", "https://soc.example/egret"),
        ] {
            let links = Links::below(&base.parse().unwrap(), id, true);
            assert_eq!(links.console, format!("{root}/#alert={id}"));
            assert_eq!(links.pcap.unwrap(), format!("{root}/api/alerts/{id}/pcap"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn packets_that_are_looked_for_are_waited_for_and_not_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let (ours, slow) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (sender, awaited) = watch::channel(BTreeSet::from([ours, slow]));
        let packets = Packets::new(directory.path(), Some(awaited));
        let folder = directory.path().join(evidence::FOLDER);
        std::fs::create_dir(&folder).unwrap();
        let found = async {
            tokio::time::sleep(PATIENCE / 2).await;
            std::fs::write(folder.join(format!("{ours}.pcapng")), "packets").unwrap();
            sender.send_modify(|awaited| assert!(awaited.remove(&ours)));
        };
        let (is_there, ()) = tokio::join!(packets.are_there(ours), found);
        assert!(is_there);
        assert!(!packets.are_there(slow).await);
        drop(sender);
        assert!(packets.are_there(ours).await, "nobody looks any more");
    }
}
