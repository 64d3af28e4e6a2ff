//! What a message's header says of all records in it: who tells, when, and by which clock.

use std::net::IpAddr;
use std::time::Duration;

use super::counts::Protocol;
use super::progress::ago;
use crate::event::{FlowRecord, Report, Reporter, Said};
use crate::time::Timestamp;

/// A clock that seems off by less is right: headers have whole seconds, and a message is on its way for a
/// while.
const RIGHT: Duration = Duration::from_secs(2);
/// A time that is so long before the message that tells of it is none.
const OLDEST: Duration = Duration::from_secs(86_400);

/// The header of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) protocol: Protocol,
    pub(super) peer: IpAddr,
    /// When the message was sent, by the exporter's clock; none: it does not say.
    pub(super) stated: Option<Timestamp>,
    /// When it was sent, by this sensor's clock.
    pub(super) time: Timestamp,
    /// How long the exporter ran then, in milliseconds.
    pub(super) uptime: Option<u32>,
}

/// A time as records have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Milliseconds since the exporter started.
    Uptime(u32),
    /// By the exporter's clock.
    Clock(Timestamp),
    /// So long before the message was sent.
    Ago(Duration),
}

impl Told {
    /// A moment by this sensor's clock; none where that cannot be known, or is absurd. `started` is when
    /// the exporter started, by this sensor's clock.
    pub(super) fn time_of(&self, moment: Moment, started: Option<Timestamp>) -> Option<Timestamp> {
        let time = match moment {
            Moment::Ago(ago) => self.time.minus(ago),
            Moment::Clock(stated) => self.corrected(stated),
            Moment::Uptime(then) => match (self.uptime, started) {
                (Some(now), _) => self.time.minus(ago(now, then)),
                (None, Some(started)) => started.plus(Duration::from_millis(then.into())),
                (None, None) => return None,
            },
        };
        let time = time.min(self.time);
        (self.time.since(time) <= OLDEST).then_some(time)
    }

    /// A time of the exporter's clock by this sensor's.
    pub(super) fn corrected(&self, time: Timestamp) -> Timestamp {
        let Some(stated) = self.stated else { return time };
        let (ahead, behind) = (stated.since(self.time), self.time.since(stated));
        if ahead.max(behind) <= RIGHT {
            return time;
        }
        time.minus(ahead).plus(behind)
    }

    /// The report of a record in the message.
    pub(super) fn report(&self, record: FlowRecord) -> Report {
        let (service, peer) = (self.protocol.service(), Some(self.peer));
        Report {
            time: self.time,
            stated: self.stated,
            reporter: Reporter { service, host: None, peer },
            said: Said::Exported(Box::new(record)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_parts(1_795_000_000_u64.saturating_add(seconds), 0)
    }

    fn told(stated: Timestamp, uptime: Option<u32>) -> Told {
        let (protocol, peer) = (Protocol::Ipfix, [10, 0, 0, 1].into());
        Told { protocol, peer, stated: Some(stated), time: at(1000), uptime }
    }

    #[test]
    fn times_are_by_this_sensor_s_clock() {
        let right = told(at(999), None);
        assert_eq!(right.time_of(Moment::Clock(at(990)), None), Some(at(990)));
        let (ahead, behind) = (told(at(4600), None), told(at(400), None));
        assert_eq!(ahead.time_of(Moment::Clock(at(4590)), None), Some(at(990)));
        assert_eq!(behind.time_of(Moment::Clock(at(390)), None), Some(at(990)));
        assert_eq!(ahead.time_of(Moment::Clock(at(9999)), None), Some(at(1000)), "never later");
        assert_eq!(right.time_of(Moment::Ago(Duration::from_secs(7)), None), Some(at(993)));
        let running = told(at(4600), Some(60_000));
        assert_eq!(running.time_of(Moment::Uptime(50_000), None), Some(at(990)));
        let started = Some(ahead.corrected(at(4540)));
        assert_eq!(ahead.time_of(Moment::Uptime(50_000), started), Some(at(990)));
    }

    #[test]
    fn what_cannot_be_is_no_time() {
        let told = told(at(1000), None);
        assert_eq!(told.time_of(Moment::Uptime(50_000), None), None);
        assert_eq!(told.time_of(Moment::Clock(Timestamp::ZERO), None), None);
        assert_eq!(told.time_of(Moment::Ago(Duration::MAX), None), None);
    }
}
