//! Assets by the names that logs have for them.

use super::{AssetId, FastMap};

/// Names in lower case, and what is before their first dot; none for what several have.
#[derive(Debug, Default)]
pub(super) struct Labels(FastMap<String, Option<AssetId>>);

impl Labels {
    pub(super) fn new<'a>(named: impl Iterator<Item = (&'a str, AssetId)>) -> Self {
        let mut labels = Self::default();
        for (name, id) in named {
            let name = name.to_lowercase();
            if let Some(short) = short(&name) {
                labels.add(short.to_owned(), id);
            }
            labels.add(name, id);
        }
        labels
    }

    fn add(&mut self, label: String, id: AssetId) {
        let known = self.0.entry(label).or_insert(Some(id));
        if *known != Some(id) {
            *known = None;
        }
    }

    /// Who is meant by `name`: who is called so, else who is without a domain.
    pub(super) fn find(&self, name: &str) -> Option<AssetId> {
        let name = name.to_lowercase();
        if let Some(found) = self.0.get(&name) {
            return *found;
        }
        self.0.get(short(&name)?).copied().flatten()
    }
}

/// What is before the first dot of a name; of an address that says nothing.
fn short(name: &str) -> Option<&str> {
    let (label, _) = name.split_once('.')?;
    (!label.is_empty() && name.parse::<std::net::IpAddr>().is_err()).then_some(label)
}
