//! What the numbers of messages and the uptimes of exporters say: what never came, and who started anew.

use std::time::Duration;

/// An uptime that is so much less than the one before is another start, and not a datagram that was
/// overtaken by others.
const OVERTAKEN: u32 = 10_000;
/// An uptime of 32 bits begins again after 49.7 days: from close to its end, it started no more than
/// that.
const LAST_HOUR: u32 = u32::MAX - 3_600_000;
/// A gap that is larger says nothing of what was lost.
const LARGEST: u32 = 1 << 20;
/// Late datagrams come within so many numbers.
const LATE: u32 = 1 << 16;

/// How far one exporter is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    heard: Option<Heard>,
    numbering: Option<Numbering>,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    mark: Mark,
    /// What of it was numbered, where that is known.
    numbered: Option<u32>,
}

/// Which number a message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbering {
    /// How many were sent before it, as RFC 7011 (3.1) asks.
    Before,
    /// With those in it, as softflowd and Open vSwitch do.
    With,
}

/// What the header of a message says of its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) sequence: u32,
    /// When it was sent, in seconds.
    pub(super) sent: u64,
    /// How long its exporter runs, in milliseconds, where it says so.
    pub(super) uptime: Option<u32>,
}

/// What a message's place means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is later than the one before.
    Next,
    /// Later ones came before it.
    Late,
    /// The exporter started anew.
    Restarted,
}

impl Progress {
    /// A message comes.
    pub(super) fn step(&mut self, mark: Mark) -> Step {
        let step = self.heard.map_or(Step::Next, |heard| heard.step(mark));
        if step == Step::Restarted {
            *self = Self::default();
        }
        step
    }

    /// A message that was not late came, and so much of it is numbered, where that is known: how much
    /// was lost before it, as far as that can be said.
    pub(super) fn came(&mut self, mark: Mark, numbered: Option<u32>) -> u64 {
        let missing = self.missing(mark, numbered);
        self.heard = Some(Heard { mark, numbered });
        missing.filter(|missing| *missing <= LARGEST).map_or(0, u64::from)
    }

    fn missing(&mut self, mark: Mark, numbered: Option<u32>) -> Option<u32> {
        let heard = self.heard?;
        let ahead = mark.sequence.wrapping_sub(heard.mark.sequence);
        let [before, with] = [ahead.checked_sub(heard.numbered?), ahead.checked_sub(numbered?)];
        match (before, with) {
            (Some(0), Some(0)) => {}
            (Some(0), _) => self.numbering = Some(Numbering::Before),
            (_, Some(0)) => self.numbering = Some(Numbering::With),
            _ => {}
        }
        match self.numbering {
            Some(Numbering::Before) => before,
            Some(Numbering::With) => with,
            None => before.min(with),
        }
    }
}

impl Heard {
    fn step(&self, mark: Mark) -> Step {
        let before = self.mark;
        // As serial numbers are compared (RFC 1982).
        let ahead = mark.sequence.wrapping_sub(before.sequence);
        let behind = before.sequence.wrapping_sub(mark.sequence);
        let is_back = behind != 0 && behind < ahead;
        if let (Some(before), Some(now)) = (before.uptime, mark.uptime) {
            if before.saturating_sub(now) > OVERTAKEN {
                return if before > LAST_HOUR { Step::Next } else { Step::Restarted };
            }
        } else if is_back && mark.sent > before.sent {
            return Step::Restarted;
        }
        let is_late = is_back && behind <= LATE && mark.sent <= before.sent;
        if is_late { Step::Late } else { Step::Next }
    }
}

/// How long before `now` something was at `then`, by an uptime in milliseconds that begins again after
/// its end. What is a little later than the message that tells of it was just then.
pub(super) fn ago(now: u32, then: u32) -> Duration {
    let ago = now.wrapping_sub(then);
    Duration::from_millis(if ago > u32::MAX / 2 { 0 } else { ago.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps of messages that each say (sequence, second, uptime), and what was lost before each; of
    /// each so many are numbered.
    fn steps<const N: usize>(
        marks: [(u32, u64, Option<u32>); N],
        numbered: [u32; N],
    ) -> [(Step, u64); N] {
        let mut progress = Progress::default();
        let mut numbered = numbered.into_iter();
        marks.map(|(sequence, sent, uptime)| {
            let mark = Mark { sequence, sent, uptime };
            let (step, numbered) = (progress.step(mark), numbered.next());
            (step, if step == Step::Late { 0 } else { progress.came(mark, numbered) })
        })
    }

    fn lost<const N: usize>(sequences: [u32; N], numbered: [u32; N]) -> [u64; N] {
        steps(sequences.map(|sequence| (sequence, 1, None)), numbered).map(|(_, lost)| lost)
    }

    #[test]
    fn what_never_came_is_known_by_the_numbers() {
        assert_eq!(lost([10, 15, 25, 30], [5; 4]), [0, 0, 5, 0]);
        assert_eq!(lost([u32::MAX - 1, 3, 9], [5; 3]), [0, 0, 1]);
        assert_eq!(lost([0, 1 << 30], [5; 2]), [0, 0], "no gap is so large");
        // What was sent before, with messages of different lengths and of templates alone.
        assert_eq!(lost([0, 0, 3, 30, 30, 33, 60], [0, 3, 27, 0, 3, 4, 9]), [0, 0, 0, 0, 0, 0, 23]);
        // With what is in the message.
        assert_eq!(
            lost([1, 3, 30, 30, 33, 60, 61], [0, 2, 27, 0, 3, 9, 1]),
            [0, 0, 0, 0, 0, 18, 0]
        );
    }

    #[test]
    fn a_late_message_is_no_restart_and_disturbs_nothing() {
        let marks = [(10, 5, None), (20, 6, None), (15, 5, None), (25, 6, None)];
        let late = [(Step::Next, 0), (Step::Next, 5), (Step::Late, 0), (Step::Next, 0)];
        assert_eq!(steps(marks, [5; 4]), late);
        let up =
            [(10, 5, Some(9000)), (12, 6, Some(9900)), (11, 6, Some(9800)), (13, 7, Some(9999))];
        let late = [(Step::Next, 0), (Step::Next, 1), (Step::Late, 0), (Step::Next, 0)];
        assert_eq!(steps(up, [1; 4]), late);
    }

    #[test]
    fn who_starts_anew_is_recognised() {
        let restarted = (Step::Restarted, 0);
        assert_eq!(steps([(900, 5, None), (0, 9, None)], [5; 2])[1], restarted);
        let restart = [(7, 5, Some(60_000)), (8, 9, Some(1000))];
        assert_eq!(steps(restart, [1; 2])[1], restarted, "though the numbers go on");
        let renumbered = [(700, 5, Some(60_000)), (0, 9, Some(61_000))];
        assert_eq!(steps(renumbered, [1; 2])[1], (Step::Next, 0));
        let wrapped = [(7, 5, Some(u32::MAX - 1000)), (8, 9, Some(2000))];
        assert_eq!(steps(wrapped, [1; 2])[1], (Step::Next, 0), "after 49.7 days");
        // One that numbers messages where records should be counts too few, but never backwards.
        let messages = [(1, 5, None), (2, 6, None), (3, 7, None)];
        assert_eq!(steps(messages, [20; 3]), [(Step::Next, 0); 3]);
    }

    #[test]
    fn uptimes_begin_again() {
        assert_eq!(ago(5000, 2000), Duration::from_secs(3));
        assert_eq!(ago(1000, u32::MAX - 999), Duration::from_secs(2));
        assert_eq!(ago(5000, 5004), Duration::ZERO, "counted while the message was written");
    }
}
