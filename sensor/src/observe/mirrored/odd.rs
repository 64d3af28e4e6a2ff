//! Ports that get copies of packets, though they are no wrapping's.
//!
//! A whole IP packet in a datagram is a hint; a VPN or an overlay sends such, too. It is mirrored traffic
//! when two different ones to one place were seen bare, too, or belong to conversations that were. From
//! then on all packets that are sent there count.

use std::net::IpAddr;

use super::pairs::{Added, Pair};

/// Places that are known at a time, mirrored or under suspicion: those that were quiet longest give way,
/// those under suspicion first.
const PLACES: usize = 64;

/// Places that datagrams with packets inside are sent to.
#[derive(Default)]
pub(super) struct Odd {
    places: Vec<Place>,
}

struct Place {
    destination: IpAddr,
    port: u16,
    state: State,
    last: crate::time::Timestamp,
}

enum State {
    /// One packet was seen bare, or its conversation was; and what came here since.
    Suspected {
        hash: Option<u64>,
        so_far: Added,
    },
    Mirrored,
}

/// What a datagram is.
pub(super) enum Judged {
    /// It is mirrored traffic: this much, with what came before it was known.
    Mirrored(Added),
    /// It may be: another proof is awaited.
    Waits,
    /// Nothing says so.
    Unknown,
}

impl Odd {
    /// Judges a datagram with a packet inside that hashes to this, where it can be told, and that is
    /// proof by itself or not.
    pub(super) fn carried(
        &mut self,
        pair: &Pair,
        hash: Option<u64>,
        is_proof: bool,
        added: Added,
    ) -> Judged {
        let Some(port) = pair.port else { return Judged::Unknown };
        let known = self
            .places
            .iter_mut()
            .find(|place| (place.destination, place.port) == (pair.destination, port));
        let Some(place) = known else {
            if !is_proof {
                return Judged::Unknown;
            }
            self.make_room();
            let (destination, last) = (pair.destination, added.last);
            let state = State::Suspected { hash, so_far: added };
            self.places.push(Place { destination, port, state, last });
            return Judged::Waits;
        };
        place.last = place.last.max(added.last);
        match &mut place.state {
            State::Mirrored => Judged::Mirrored(added),
            State::Suspected { hash: first, so_far } => {
                so_far.and(&added);
                if !is_proof || *first == hash {
                    return Judged::Waits;
                }
                let so_far = *so_far;
                place.state = State::Mirrored;
                Judged::Mirrored(so_far)
            }
        }
    }

    /// Whether mirrored traffic is sent there.
    pub(super) fn is_known(&self, destination: IpAddr, port: u16) -> bool {
        self.places.iter().any(|place| {
            (place.destination, place.port) == (destination, port)
                && matches!(place.state, State::Mirrored)
        })
    }

    fn make_room(&mut self) {
        if self.places.len() < PLACES {
            return;
        }
        let by = |place: &Place| (matches!(place.state, State::Mirrored), place.last);
        let quietest = self.places.iter().enumerate().min_by_key(|(_, place)| by(place));
        if let Some((number, _)) = quietest {
            self.places.swap_remove(number);
        }
    }
}
