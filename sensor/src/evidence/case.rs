//! What is kept of one alert: the beginnings of the conversations that it is about, the first that was
//! found and the latest ones.

use uuid::Uuid;

use super::Packet;
use crate::alert::{Alert, Analytic};

/// Conversations of one alert at most: 128 packets, and with what pcapng needs less than 64 KiB.
pub const MAX_CONVERSATIONS: usize = 16;

/// The alert that packets are kept for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its id.
    pub id: Uuid,
    /// What raised it.
    pub analytic: Analytic,
    /// Its title.
    pub title: String,
}

impl Subject {
    /// The alert as far as a file names it.
    pub fn of(alert: &Alert) -> Self {
        Self { id: alert.id, analytic: alert.analytic, title: alert.title.clone() }
    }
}

/// The first packets of a conversation, in the order they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// See [`crate::event::Flow::id`].
    pub flow: u64,
    /// Its packets.
    pub packets: Vec<Packet>,
}

/// What is kept of one alert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Case {
    /// In the order they were found.
    pub conversations: Vec<Conversation>,
}

impl Case {
    /// Takes in what was found of a conversation; whether that is more than was known. Of several
    /// conversations the first stays, and the oldest behind it gives way.
    pub fn add(&mut self, found: Conversation) -> bool {
        if found.packets.is_empty() {
            return false;
        }
        let known = self.conversations.iter_mut().find(|known| known.flow == found.flow);
        if let Some(known) = known {
            return known.join(found);
        }
        if self.conversations.len() >= MAX_CONVERSATIONS {
            self.conversations.remove(1);
        }
        self.conversations.push(found);
        true
    }
}

impl Conversation {
    /// Takes in the packets that are not known; whether there were any. Those found later may begin
    /// later, where memory has lost the first, and end later.
    fn join(&mut self, found: Self) -> bool {
        let before = self.packets.len();
        for packet in found.packets {
            if self.packets.len() < usize::from(super::MAX_PACKETS)
                && !self.packets.contains(&packet)
            {
                self.packets.push(packet);
            }
        }
        self.packets.len() > before
    }
}

#[cfg(test)]
mod tests;
