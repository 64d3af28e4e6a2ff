//! How many packets an exporter counts: one in how many, by what it says of its samplers.

/// Samplers of one exporter that are known at most; of one more, nothing is known.
const MOST: usize = 64;

/// What a record says of sampling, as far as it says anything.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Rate {
    /// One in so many.
    pub(super) interval: Option<u64>,
    /// So many in a row are taken,
    pub(super) taken: Option<u64>,
    /// and so many are then left out.
    pub(super) left_out: Option<u64>,
    /// So many
    pub(super) size: Option<u64>,
    /// of so many.
    pub(super) population: Option<u64>,
    /// How likely each is taken.
    pub(super) probability: Option<f64>,
}

impl Rate {
    /// One packet in so many; 1 where all are counted.
    pub(super) fn one_in(&self) -> Option<f64> {
        let share = |taken: u64, of: f64| (taken > 0).then(|| of / taken as f64);
        let one_in = match (self.taken, self.left_out, self.size, self.population) {
            (Some(taken), Some(left_out), ..) => share(taken, taken as f64 + left_out as f64),
            (.., Some(size), Some(population)) => share(size, population as f64),
            _ => None,
        };
        one_in
            .or_else(|| self.probability.map(|probability| 1.0 / probability))
            .or_else(|| self.interval.map(|interval| interval.max(1) as f64))
            .filter(|one_in| one_in.is_finite() && *one_in >= 1.0)
    }
}

/// The samplers of one exporter.
#[derive(Debug, Default)]
pub(super) struct Samplers {
    /// Of what names no sampler.
    unnamed: Option<f64>,
    named: Vec<(u64, f64)>,
}

impl Samplers {
    /// The exporter says how a sampler works.
    pub(super) fn learn(&mut self, id: Option<u64>, one_in: f64) {
        let Some(id) = id else {
            self.unnamed = Some(one_in);
            return;
        };
        if let Some((_, known)) = self.named.iter_mut().find(|(known, _)| *known == id) {
            *known = one_in;
        } else if self.named.len() < MOST {
            self.named.push((id, one_in));
        }
    }

    /// One in how many packets a record counts that names this sampler, or none: then it is the only
    /// one.
    pub(super) fn one_in(&self, id: Option<u64>) -> Option<f64> {
        let only = || match self.named.as_slice() {
            [(_, one_in)] => Some(*one_in),
            _ => None,
        };
        match id {
            Some(id) => {
                let named = self.named.iter().find(|(known, _)| *known == id);
                named.map(|(_, one_in)| *one_in).or(self.unnamed)
            }
            None => self.unnamed.or_else(only),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exporters_have_many_ways_to_say_it() {
        let rate = Rate::default();
        assert_eq!(rate.one_in(), None);
        assert_eq!(Rate { interval: Some(100), ..rate }.one_in(), Some(100.0));
        assert_eq!(Rate { interval: Some(0), ..rate }.one_in(), Some(1.0), "0 is not sampled");
        assert_eq!(Rate { taken: Some(2), left_out: Some(98), ..rate }.one_in(), Some(50.0));
        assert_eq!(Rate { size: Some(1), population: Some(512), ..rate }.one_in(), Some(512.0));
        assert_eq!(Rate { probability: Some(0.25), ..rate }.one_in(), Some(4.0));
        for probability in [0.0, -1.0, 2.0, f64::NAN] {
            assert_eq!(Rate { probability: Some(probability), ..rate }.one_in(), None);
        }
        assert_eq!(Rate { taken: Some(0), left_out: Some(9), ..rate }.one_in(), None);
    }

    #[test]
    fn a_record_is_sampled_as_its_sampler_is() {
        let mut samplers = Samplers::default();
        samplers.learn(Some(7), 100.0);
        assert_eq!(
            [None, Some(7), Some(8)].map(|id| samplers.one_in(id)),
            [Some(100.0), Some(100.0), None]
        );
        samplers.learn(Some(8), 10.0);
        samplers.learn(Some(8), 20.0);
        assert_eq!(
            [None, Some(7), Some(8)].map(|id| samplers.one_in(id)),
            [None, Some(100.0), Some(20.0)]
        );
        samplers.learn(None, 3.0);
        assert_eq!([None, Some(9)].map(|id| samplers.one_in(id)), [Some(3.0); 2]);
        for id in 0..1000 {
            samplers.learn(Some(id), 1.0);
        }
        assert_eq!(samplers.named.len(), MOST);
    }
}
