//! SSH sessions that stay open with nobody at work.
//!
//! Bounds an asset: [`SESSIONS`] sessions.

use std::time::Duration;

use arrayvec::ArrayVec;

use super::finding::{Finding, Look};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::event::Volume;
use crate::time::{Elapsed, Timestamp};

/// A session that idles.
pub(super) const IDLE_SSH: Detector = Detector {
    name: "idle_ssh",
    title: "SSH session that stays open without work",
    detects: "an SSH session with an asset shows nothing but signs of life for hours: it may be hijacked, or \
              a tunnel that waits",
    techniques: &["T1563.001", "T1572"],
    most: Severity::Informational,
    prior: (-3.0, "people leave terminals open"),
    reads: &[Reads::Flows],
    bound: "4 h in which no 10 s moved 2 KiB; a session without signs of life is over for a sensor",
    learns: Learns::Usual,
};

const SESSIONS: usize = 8;
const WORK: u64 = 2048;
const IDLE: Duration = Duration::from_secs(4 * 3600);

/// The sessions with one asset.
#[derive(Debug, Default)]
pub(super) struct Sessions(ArrayVec<Session, SESSIONS>);

#[derive(Debug)]
struct Session {
    flow: u64,
    worked: Timestamp,
    last: Timestamp,
    is_told: bool,
}

impl Sessions {
    /// An SSH session with the asset moved something.
    pub(super) fn moved(&mut self, look: &Look<'_>, volume: &Volume) -> Option<Finding> {
        let (asset, flow) = (look.ends.server.or(look.ends.client)?, look.flow);
        let (now, id) = (look.now, flow.id);
        let place = self.0.iter().position(|session| session.flow == id).unwrap_or_else(|| {
            if self.0.is_full() {
                let oldest = self.0.iter().enumerate().min_by_key(|(_, session)| session.last);
                let oldest = oldest.map_or(0, |(place, _)| place);
                self.0.swap_remove(oldest);
            }
            self.0.push(Session { flow: id, worked: now, last: now, is_told: false });
            self.0.len() - 1
        });
        let session = self.0.get_mut(place)?;
        session.last = now;
        if volume.to_server.bytes + volume.to_client.bytes >= WORK {
            (session.worked, session.is_told) = (now, false);
            return None;
        }
        let idle = now.since(session.worked);
        if idle < IDLE || session.is_told {
            return None;
        }
        session.is_told = true;
        let (client, server) = (flow.client.address, flow.server.address);
        let what = format!(
            "has an SSH session between {client} and {server} without work for {}",
            Elapsed(idle)
        );
        let counted = ("seconds", idle.as_secs() as f64, IDLE.as_secs() as f64);
        let found = Finding::new(&IDLE_SSH, asset, session.worked, counted);
        let mut found = found.about(format!("{client} {server}"), what);
        (found.weight, found.is_server) = (0.0, look.ends.server.is_some());
        Some(found)
    }
}

#[cfg(test)]
mod tests;
