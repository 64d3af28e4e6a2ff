//! Conversations, packet by packet, with the sequence numbers that they have on the wire.

use std::collections::VecDeque;

use crate::rng::Rng;
use crate::wire::{Endpoint, Path, Segment, flag};

/// Who of the two sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The one who opened the conversation.
    Opener,
    /// The one who was asked.
    Peer,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Opener => Self::Peer,
            Self::Peer => Self::Opener,
        }
    }
}

/// What a packet carries.
#[derive(Debug)]
pub(super) enum Content {
    /// This many bytes of no meaning.
    Filler(usize),
    /// These bytes.
    Bytes(Box<[u8]>),
}

impl Content {
    pub(super) const NONE: Self = Self::Filler(0);

    const fn len(&self) -> usize {
        match self {
            Self::Filler(len) => *len,
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

/// One packet to come.
#[derive(Debug)]
pub(super) struct Packet {
    pub(super) path: Path,
    /// TCP's header; without it, the packet is a UDP datagram.
    pub(super) segment: Option<Segment>,
    pub(super) content: Content,
}

/// A TCP connection or a UDP exchange and what is still to be said in it.
#[derive(Debug)]
pub(super) struct Conversation {
    path: Path,
    /// The next sequence number of the opener and the peer; none for UDP.
    next: Option<[u32; 2]>,
    steps: VecDeque<Step>,
}

#[derive(Debug)]
enum Step {
    Say { from: Side, segment: Option<Segment>, content: Content },
    Transfer(Transfer),
}

/// Many full segments one way, every second one acknowledged.
#[derive(Debug)]
struct Transfer {
    from: Side,
    sequence: u32,
    acknowledgment: u32,
    left: usize,
    unacknowledged: u8,
    segment: usize,
}

impl Conversation {
    /// A UDP exchange.
    pub(super) const fn udp(opener: Endpoint, peer: Endpoint) -> Self {
        Self { path: path(opener, peer), next: None, steps: VecDeque::new() }
    }

    /// A TCP connection, opened by its three-way handshake.
    pub(super) fn tcp(rng: &mut Rng, opener: Endpoint, peer: Endpoint) -> Self {
        let next = Some([rng.next() as u32, rng.next() as u32]);
        let mut new = Self { path: path(opener, peer), next, steps: VecDeque::new() };
        new.say(Side::Opener, flag::SYN, Content::NONE);
        new.say(Side::Peer, flag::SYN | flag::ACK, Content::NONE);
        new.say(Side::Opener, flag::ACK, Content::NONE);
        new
    }

    /// Ends a TCP connection, the opener first.
    #[must_use]
    pub(super) fn closed(mut self) -> Self {
        self.say(Side::Opener, flag::FIN | flag::ACK, Content::NONE);
        self.say(Side::Peer, flag::FIN | flag::ACK, Content::NONE);
        self.say(Side::Opener, flag::ACK, Content::NONE);
        self
    }

    /// The most that a full-sized segment carries.
    pub(super) const fn segment_size(&self) -> usize {
        if self.path.from.ip.is_ipv4() { 1460 } else { 1440 }
    }

    /// Says something in one packet.
    pub(super) fn send(&mut self, from: Side, content: Content) {
        let push = if content.len() == 0 { 0 } else { flag::PSH };
        self.say(from, flag::ACK | push, content);
    }

    /// Says something in as many segments as it takes.
    pub(super) fn stream(&mut self, from: Side, bytes: &[u8]) {
        for segment in bytes.chunks(self.segment_size()) {
            self.send(from, Content::Bytes(segment.into()));
        }
    }

    /// Lets the last two packets arrive in the wrong order.
    pub(super) fn swap_last_two(&mut self) {
        let count = self.steps.len();
        self.steps.swap(count - 2, count - 1);
    }

    /// Sends this many bytes in full segments.
    pub(super) fn transfer(&mut self, from: Side, bytes: usize) {
        let Some(next) = &mut self.next else { return };
        let (sequence, acknowledgment) = (next[from as usize], next[from.other() as usize]);
        next[from as usize] = sequence.wrapping_add(bytes as u32);
        self.steps.push_back(Step::Transfer(Transfer {
            from,
            sequence,
            acknowledgment,
            left: bytes,
            unacknowledged: 0,
            segment: self.segment_size(),
        }));
    }

    /// The next packet.
    pub(super) fn next(&mut self) -> Option<Packet> {
        match self.steps.pop_front()? {
            Step::Say { from, segment, content } => Some(self.packet(from, segment, content)),
            Step::Transfer(mut transfer) => {
                let Some((from, segment, content)) = transfer.next() else { return self.next() };
                self.steps.push_front(Step::Transfer(transfer));
                Some(self.packet(from, Some(segment), content))
            }
        }
    }

    fn say(&mut self, from: Side, flags: u8, content: Content) {
        let segment = self.next.as_mut().map(|next| {
            let sequence = next[from as usize];
            let acknowledgment =
                if flags & flag::ACK == 0 { 0 } else { next[from.other() as usize] };
            let phantom = u32::from(flags & (flag::SYN | flag::FIN) != 0);
            next[from as usize] = sequence.wrapping_add(content.len() as u32 + phantom);
            Segment { flags, sequence, acknowledgment }
        });
        self.steps.push_back(Step::Say { from, segment, content });
    }

    const fn packet(&self, from: Side, segment: Option<Segment>, content: Content) -> Packet {
        let path = match from {
            Side::Opener => self.path,
            Side::Peer => self.path.back(),
        };
        Packet { path, segment, content }
    }
}

impl Transfer {
    fn next(&mut self) -> Option<(Side, Segment, Content)> {
        if self.unacknowledged == 2 {
            self.unacknowledged = 0;
            let acknowledged = Segment {
                flags: flag::ACK,
                sequence: self.acknowledgment,
                acknowledgment: self.sequence,
            };
            return Some((self.from.other(), acknowledged, Content::NONE));
        }
        if self.left == 0 {
            return None;
        }
        let len = self.left.min(self.segment);
        self.left -= len;
        self.unacknowledged += 1;
        let push = if self.left == 0 { flag::PSH } else { 0 };
        let segment = Segment {
            flags: flag::ACK | push,
            sequence: self.sequence,
            acknowledgment: self.acknowledgment,
        };
        self.sequence = self.sequence.wrapping_add(len as u32);
        Some((self.from, segment, Content::Filler(len)))
    }
}

const fn path(from: Endpoint, to: Endpoint) -> Path {
    Path { from, to, vlans: [None, None] }
}
