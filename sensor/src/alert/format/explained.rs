//! The words of [`super::human`] one by one, for whoever lays them out in another way: the API's answer
//! about an alert, and with it the console.

use serde::Serialize;

use super::{Layout, Style, evidence, next, place};
use crate::alert::{Alert, Analytic};
use crate::config::{Approve, Expected, Role};
use crate::text::printable_within;

/// An alert in words that are harmless to show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// Whom it is about: name, address, role.
    pub who: String,
    /// Where it went, when one place can be named.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// How much against what is usual, and how that was estimated.
    pub how_much: Vec<String>,
    /// Since when, for how long, how often.
    pub since: String,
    /// What each piece of evidence says, in the alert's order.
    pub evidence: Vec<String>,
    /// What to look at next, first things first.
    pub next: Vec<String>,
}

/// The longest piece of evidence, in bytes: a sentence of ours with names from the wire in it.
const LONGEST: usize = 1200;

/// `alert` in words.
pub fn explained(alert: &Alert) -> Explained {
    let layout = Layout { alert, style: Style::Plain };
    let amount = alert.evidence.iter().find_map(evidence::amount);
    let correction = amount.as_ref().and_then(|_| evidence::correction(alert));
    let sentence = |text: String| printable_within(&text, LONGEST).to_string();
    let pieces = alert.evidence.iter().map(|piece| sentence(evidence::sentence(&piece.fact)));
    Explained {
        who: layout.who(),
        place: alert.destination.as_ref().map(place),
        how_much: amount.into_iter().chain(correction).collect(),
        since: layout.since(),
        evidence: pieces.collect(),
        next: next::steps(alert),
    }
}

impl Alert {
    /// Approvals of what it is about, the narrowest first: for its asset, then for all of its role. A name
    /// that is none of a host could approve more than this one place; then it is the address. Empty
    /// where nothing can be approved this way.
    pub fn approvals(&self) -> Vec<Approve> {
        let is_egress = matches!(self.analytic, Analytic::AN1416 | Analytic::AN0731);
        let Some(to) = self.destination.as_ref().filter(|_| is_egress) else { return Vec::new() };
        let mut place = Expected::default();
        match to.sni.as_deref().filter(|name| next::is_plain(name)) {
            Some(name) => place.sni.push(name.to_owned()),
            None => place.destination.push(to.address.to_string()),
        }
        // A port that is calculated is another one the next time.
        if self.analytic == Analytic::AN1416 && to.port > 0 {
            place.port.push(to.port);
        }
        let asset = Expected { asset: vec![self.asset.name.clone()], ..place.clone() };
        let role = Role::ALL.into_iter().find(|role| *role.name() == *self.asset.role);
        let role = role.map(|role| Expected { role: vec![role.name().to_owned()], ..place });
        let all = std::iter::once(asset).chain(role);
        all.filter_map(|expected| expected.read().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::sample::{egress, guest_operations, hostile_names, saying};
    use crate::config::NamePattern;
    use egret_tests::traffic::is_harmless;

    #[test]
    fn it_says_what_the_terminal_shows() {
        let alert = egress();
        let text = super::super::human(&alert, Style::Plain).to_string();
        let told = explained(&alert);
        let lines = [&told.who, &told.since].into_iter().chain(&told.place);
        for line in lines.chain(&told.how_much).chain(&told.evidence).chain(&told.next) {
            assert!(text.contains(line.as_str()), "{line} is not in\n{text}");
        }
        assert_eq!(told.evidence.len(), alert.evidence.len());
    }

    #[test]
    fn names_come_harmless_and_no_longer_than_they_may() {
        for name in hostile_names() {
            let told = serde_json::to_string(&explained(&saying(&name))).unwrap();
            let told: serde_json::Value = serde_json::from_str(&told).unwrap();
            let mut texts = vec![told["who"].as_str().unwrap().to_owned()];
            texts.extend(told["evidence"].as_array().unwrap().iter().map(ToString::to_string));
            for text in texts {
                assert!(text.chars().all(is_harmless), "{text:?}");
                assert!(text.len() < 3 * LONGEST, "{}", text.len());
            }
        }
    }

    #[test]
    fn what_is_offered_is_the_one_place_for_the_asset_or_its_role() {
        let [asset, role] = &egress().approvals()[..] else { panic!("two of them") };
        assert_eq!((&asset.assets[..], &asset.roles[..]), (&["esxi-01".to_owned()][..], &[][..]));
        assert_eq!((&role.assets[..], &role.roles[..]), (&[][..], &[Role::Esxi][..]));
        for offered in [asset, role] {
            assert_eq!(offered.sni, [NamePattern::new("cdn.example")]);
            assert_eq!((&offered.ports[..], offered.destinations.len()), (&[443][..], 0));
        }
        assert!(guest_operations().approvals().is_empty());
    }

    /// Fails when a name from the wire widens what a click approves.
    #[test]
    fn a_hostile_name_is_not_offered() {
        for name in hostile_names().into_iter().chain(["*.com".to_owned(), "*".to_owned()]) {
            let mut alert = egress();
            alert.destination.as_mut().unwrap().sni = Some(name.clone());
            for offered in alert.approvals() {
                assert!(offered.sni.is_empty(), "{name:?}");
                assert_eq!(offered.destinations, ["198.51.100.7/32".parse().unwrap()]);
            }
            alert.asset.name = name.clone();
            for offered in alert.approvals().iter().filter(|offered| offered.roles.is_empty()) {
                assert_eq!(offered.assets, std::slice::from_ref(&name));
            }
        }
    }
}
