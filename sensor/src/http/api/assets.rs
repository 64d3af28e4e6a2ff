//! `/api/assets`: what is watched.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::{Asked, Parts, Refusal, asked, limit, named};
use crate::config::Role;
use crate::status::Asset;

/// What may be asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Wanted {
    role: Option<String>,
    /// Part of the name; case does not matter.
    text: Option<String>,
    offset: Option<usize>,
    limit: Option<usize>,
}

/// One page of assets, in the inventory's order.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Page {
    /// How many there are on all pages.
    total: usize,
    offset: usize,
    limit: usize,
    assets: Vec<Asset>,
}

/// `GET /api/assets`
pub(in crate::http) async fn list(
    State(parts): State<Parts>,
    wanted: Asked<Wanted>,
) -> Result<Json<Page>, Refusal> {
    // The list itself is shared: nothing is copied but the page.
    let assets = parts.status().assets;
    page(&assets, asked(wanted)?).map(Json)
}

fn page(assets: &[Asset], wanted: Wanted) -> Result<Page, Refusal> {
    let limit = limit(wanted.limit)?;
    let role = named("role", wanted.role.as_deref(), &Role::ALL, Role::name)?;
    let text = wanted.text.unwrap_or_default().to_lowercase();
    let offset = wanted.offset.unwrap_or_default();
    let is_wanted = |asset: &&Asset| {
        role.is_none_or(|role| asset.role == role.name())
            && asset.name.to_lowercase().contains(&text)
    };
    let mut total = 0;
    let mut found = Vec::new();
    for asset in assets.iter().filter(is_wanted) {
        if total >= offset && found.len() < limit {
            found.push(asset.clone());
        }
        total += 1;
    }
    Ok(Page { total, offset, limit, assets: found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assets() -> Vec<Asset> {
        (0..2500)
            .map(|i| Asset {
                name: format!("VM-{i:04}"),
                role: if i % 10 == 0 { "esxi" } else { "guest" },
                host: None,
                configured: false,
                first_seen: None,
                learning: true,
                bytes_out: 0,
                bytes_in: 0,
                moved: crate::status::Moved::default(),
            })
            .collect()
    }

    fn names(wanted: Wanted) -> (usize, Vec<String>) {
        let page = page(&assets(), wanted).unwrap();
        (page.total, page.assets.into_iter().map(|asset| asset.name).collect())
    }

    #[test]
    fn pages_add_up_to_all() {
        let mut all = Vec::new();
        for offset in (0..3000).step_by(700) {
            let (total, names) =
                names(Wanted { offset: Some(offset), limit: Some(700), ..Wanted::default() });
            assert_eq!(total, 2500);
            all.extend(names);
        }
        assert_eq!(all, assets().into_iter().map(|asset| asset.name).collect::<Vec<_>>());
        assert_eq!(names(Wanted::default()).1.len(), 100);
        assert!(names(Wanted { offset: Some(usize::MAX), ..Wanted::default() }).1.is_empty());
    }

    #[test]
    fn role_and_text_both_count() {
        let wanted = Wanted {
            role: Some("esxi".to_owned()),
            text: Some("vm-012".to_owned()),
            ..Wanted::default()
        };
        assert_eq!(names(wanted), (1, vec!["VM-0120".to_owned()]));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let role = Wanted { role: Some("esx".to_owned()), ..Wanted::default() };
        assert!(page(&assets(), role).is_err());
        for limit in [0, 1001] {
            assert!(page(&[], Wanted { limit: Some(limit), ..Wanted::default() }).is_err());
        }
    }
}
