//! What is known of conversations, kept in the order of the flow table's slots.

use crate::event::Flow;

/// A value for each conversation that lives, found by its slot.
///
/// Not a map: flows that open together stand together and are reported together, so that this is
/// gone through nearly in order, where a map's every look-up is a cache miss. A conversation that
/// ended needs no removal; the next one in its slot takes its place. As long as the flow table.
#[derive(Debug)]
pub(crate) struct BySlot<V>(Vec<Option<(u64, V)>>);

impl<V> Default for BySlot<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> BySlot<V> {
    /// What is known of `flow`.
    pub(crate) fn get(&self, flow: &Flow) -> Option<&V> {
        match self.0.get(flow.slot as usize)? {
            Some((id, value)) if *id == flow.id => Some(value),
            _ => None,
        }
    }

    /// Whatever the slot of `flow` holds, of `flow` or of another before it.
    pub(crate) fn before(&self, flow: &Flow) -> Option<&V> {
        self.0.get(flow.slot as usize)?.as_ref().map(|(_, value)| value)
    }

    /// What is known of `flow`, to change it.
    pub(crate) fn get_mut(&mut self, flow: &Flow) -> Option<&mut V> {
        match self.0.get_mut(flow.slot as usize)? {
            Some((id, value)) if *id == flow.id => Some(value),
            _ => None,
        }
    }

    /// Forgets everything else.
    pub(crate) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        for place in &mut self.0 {
            place.take_if(|(_, value)| !keep(value));
        }
    }

    /// Keeps `value` for `flow`, in place of what was known of it or of an earlier one.
    pub(crate) fn insert(&mut self, flow: &Flow, value: V) {
        let slot = flow.slot as usize;
        if slot >= self.0.len() {
            self.0.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.0.get_mut(slot) {
            *place = Some((flow.id, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::sample;

    #[test]
    fn a_slot_that_is_used_again_knows_nothing_of_the_flow_before() {
        let (first, next) = (sample::flow(1, 7), sample::flow(2, 7));
        let mut known = BySlot::default();
        known.insert(&first, "first");
        assert_eq!(known.get_mut(&next), None);
        assert_eq!(known.get(&next), None);
        assert_eq!(known.get_mut(&first), Some(&mut "first"));
        known.insert(&next, "next");
        assert_eq!((known.get(&first), known.get(&next)), (None, Some(&"next")));
    }
}
