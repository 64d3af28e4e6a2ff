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
pub(super) struct Progress(Option<Heard>);

#[derive(Debug, Clone, Copy)]
struct Heard {
    mark: Mark,
    /// The number that comes next, where that can be known.
    next: Option<u32>,
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
    /// Nothing is missing, or nothing can be said.
    Next,
    /// So many are missing before it.
    Lost(u64),
    /// Later ones came before it.
    Late,
    /// The exporter started anew.
    Restarted,
}

impl Progress {
    /// A message came.
    pub(super) fn note(&mut self, mark: Mark) -> Step {
        let Some(heard) = self.0 else {
            self.0 = Some(Heard { mark, next: None });
            return Step::Next;
        };
        let step = heard.step(mark);
        if step != Step::Late {
            self.0 = Some(Heard { mark, next: None });
        }
        step
    }

    /// The number that the next message has, where that is known.
    pub(super) fn expect(&mut self, mark: Mark, next: Option<u32>) {
        if let Some(heard) = &mut self.0
            && heard.mark == mark
        {
            heard.next = next;
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
        if is_back {
            return if behind <= LATE && mark.sent <= before.sent {
                Step::Late
            } else {
                Step::Next
            };
        }
        match self.next.map(|next| mark.sequence.wrapping_sub(next)) {
            Some(missing) if missing > 0 && missing <= LARGEST => Step::Lost(missing.into()),
            _ => Step::Next,
        }
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

    /// The steps of messages that each say (sequence, second, uptime), of which each has `records`.
    fn steps<const N: usize>(marks: [(u32, u64, Option<u32>); N], records: u32) -> [Step; N] {
        let mut progress = Progress::default();
        marks.map(|(sequence, sent, uptime)| {
            let mark = Mark { sequence, sent, uptime };
            let step = progress.note(mark);
            progress.expect(mark, Some(sequence.wrapping_add(records)));
            step
        })
    }

    #[test]
    fn what_never_came_is_known_by_the_numbers() {
        let marks = [(10, 1, None), (15, 2, None), (25, 3, None), (30, 3, None)];
        assert_eq!(steps(marks, 5), [Step::Next, Step::Next, Step::Lost(5), Step::Next]);
        let marks = [(u32::MAX - 1, 1, None), (3, 2, None), (9, 2, None)];
        assert_eq!(steps(marks, 5), [Step::Next, Step::Next, Step::Lost(1)]);
        assert_eq!(steps([(0, 1, None), (1 << 30, 2, None)], 5), [Step::Next, Step::Next]);
    }

    #[test]
    fn a_late_message_is_no_restart_and_disturbs_nothing() {
        let marks = [(10, 5, None), (20, 6, None), (15, 5, None), (25, 6, None)];
        assert_eq!(steps(marks, 5), [Step::Next, Step::Lost(5), Step::Late, Step::Next]);
        let up =
            [(10, 5, Some(9000)), (12, 6, Some(9900)), (11, 6, Some(9800)), (13, 7, Some(9999))];
        assert_eq!(steps(up, 1), [Step::Next, Step::Lost(1), Step::Late, Step::Next]);
    }

    #[test]
    fn who_starts_anew_is_recognised() {
        assert_eq!(steps([(900, 5, None), (0, 9, None)], 5)[1], Step::Restarted);
        let restart = [(7, 5, Some(60_000)), (8, 9, Some(1000))];
        assert_eq!(steps(restart, 1)[1], Step::Restarted, "though the numbers go on");
        let renumbered = [(700, 5, Some(60_000)), (0, 9, Some(61_000))];
        assert_eq!(steps(renumbered, 1)[1], Step::Next);
        let wrapped = [(7, 5, Some(u32::MAX - 1000)), (8, 9, Some(2000))];
        assert_eq!(steps(wrapped, 1)[1], Step::Next, "after 49.7 days");
        // One that numbers messages where records should be counts too few, but never backwards.
        assert_eq!(steps([(1, 5, None), (2, 6, None), (3, 7, None)], 20), [Step::Next; 3]);
    }

    #[test]
    fn uptimes_begin_again() {
        assert_eq!(ago(5000, 2000), Duration::from_secs(3));
        assert_eq!(ago(1000, u32::MAX - 999), Duration::from_secs(2));
        assert_eq!(ago(5000, 5004), Duration::ZERO, "counted while the message was written");
    }
}
