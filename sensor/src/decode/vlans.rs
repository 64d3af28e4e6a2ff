//! The VLAN ids of a frame.

use std::ops::Deref;

use egret_ebpf::MAX_VLAN_TAGS;

/// VLAN ids, outermost first; as a slice, those that are there. It is copied for every packet, so it is
/// a plain value of 10 bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Vlans {
    /// Zero where there is none, so that equal ones are equal.
    ids: [u16; MAX_VLAN_TAGS],
    count: u8,
}

/// A frame has more tags than are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected at most {MAX_VLAN_TAGS} VLAN tags, found more")]
pub struct TooManyTags;

impl Vlans {
    /// Of a frame without a tag.
    pub const fn new() -> Self {
        Self { ids: [0; MAX_VLAN_TAGS], count: 0 }
    }

    /// One more tag, inside those before.
    pub fn push(&mut self, id: u16) -> Result<(), TooManyTags> {
        *self.ids.get_mut(usize::from(self.count)).ok_or(TooManyTags)? = id;
        self.count += 1;
        Ok(())
    }
}

impl Deref for Vlans {
    type Target = [u16];

    fn deref(&self) -> &[u16] {
        self.ids.get(..usize::from(self.count)).unwrap_or_default()
    }
}

impl From<Option<u16>> for Vlans {
    fn from(id: Option<u16>) -> Self {
        let mut ids = [0; MAX_VLAN_TAGS];
        if let (Some(id), [first, ..]) = (id, &mut ids) {
            *first = id;
        }
        Self { ids, count: u8::from(id.is_some()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_kept_in_their_order_up_to_a_limit() {
        let mut vlans = Vlans::from(Some(7));
        (1..MAX_VLAN_TAGS as u16).for_each(|id| vlans.push(id).unwrap());
        assert_eq!(vlans.push(99), Err(TooManyTags));
        assert_eq!(vlans[..3], [7, 1, 2]);
        assert!(Vlans::from(None).is_empty() && vlans.len() == MAX_VLAN_TAGS);
    }
}
