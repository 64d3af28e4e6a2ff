//! TLS that begins in the middle of a stream, behind a dialogue in the clear.

use super::{Reader, Seen, Sink, spoken};
use crate::decode::starttls::{Beginning, Dialogue, Role, Step, begins};
use crate::event::Carrier;
use crate::flow::{Direction, Verdict};

/// How many dialogues are followed at a time. Of others, a hello is found where a segment begins.
const MAX_DIALOGUES: usize = 65_536;

/// Dialogues, by their flow's slot.
#[derive(Default)]
pub(super) struct Upgrades(hashbrown::HashMap<u32, Followed, foldhash::fast::RandomState>);

struct Followed {
    client: Direction,
    dialogue: Dialogue,
}

impl Upgrades {
    /// The dialogue that this flow leads, if any.
    fn of(&self, slot: u32) -> Option<&Dialogue> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&slot).map(|followed| &followed.dialogue)
    }

    /// What carries a TLS session that begins now.
    pub(super) fn carrier(&self, slot: u32) -> Carrier {
        self.of(slot).map_or(Carrier::Tcp, Dialogue::carrier)
    }

    /// Whether what carries it was refused.
    pub(super) fn is_refused(&self, slot: u32) -> bool {
        self.of(slot).is_some_and(Dialogue::is_refused)
    }

    /// Whether no flow is followed.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The flow in a slot ends.
    #[inline]
    pub(super) fn closing(&mut self, slot: u32) {
        if !self.0.is_empty() {
            self.0.remove(&slot);
        }
    }
}

impl Reader {
    /// Bytes that begin no hello, in a direction that so far said nothing but what was followed
    /// here: for nearly every flow once a direction.
    #[inline]
    pub(super) fn upgrade(&mut self, seen: &Seen<'_>, sink: &mut impl Sink) -> Verdict {
        let beginning = begins(seen.bytes);
        if beginning == Beginning::No && self.upgrades.of(seen.view.slot()).is_none() {
            spoken::note(seen, sink);
            return Verdict::Skip;
        }
        self.follow(seen, beginning)
    }

    fn follow(&mut self, seen: &Seen<'_>, beginning: Beginning) -> Verdict {
        let (slot, dialogues) = (seen.view.slot(), &mut self.upgrades.0);
        if !dialogues.contains_key(&slot) {
            let (protocol, client) = match beginning {
                Beginning::Of(protocol, Role::Client) => (protocol, seen.from),
                Beginning::Of(protocol, Role::Server) => (protocol, seen.from.reverse()),
                Beginning::Undecided => return Verdict::Want(seen.bytes.len() + 1),
                Beginning::No => return Verdict::Skip,
            };
            if dialogues.len() >= MAX_DIALOGUES {
                return Verdict::Skip;
            }
            dialogues.insert(slot, Followed { client, dialogue: Dialogue::new(protocol) });
        }
        let Some(Followed { client, dialogue }) = dialogues.get_mut(&slot) else {
            return Verdict::Skip;
        };
        let role = if seen.from == *client { Role::Client } else { Role::Server };
        match dialogue.read(role, seen.bytes) {
            Step::Used(bytes) => Verdict::Used(bytes),
            Step::Want(total) => Verdict::Want(total),
            Step::Over => {
                dialogues.remove(&slot);
                Verdict::Skip
            }
        }
    }
}
