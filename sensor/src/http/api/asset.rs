//! `/api/assets/{name}` and `/api/volumes`: what assets moved in the last day against what is usual, and
//! where they go.
//!
//! The detection thread is asked for copies (see [`crate::inquiry`]), and what is usual is computed on a
//! thread of its own, for at most [`MOST`] assets a request: nothing is kept for it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::approvals::sentence;
use super::{Asked, Parts, Refusal, asked};
use crate::baseline::{AssetBaseline, Habit, TRUSTED_HOURS};
use crate::config::Approve;
use crate::detect::{Chart, Watched};
use crate::inquiry::{Busy, MOST};
use crate::status::Asset;
use crate::text::printable;
use crate::time::Timestamp;

/// Destinations that are told of one asset, those sent most to; there are at most 4096.
const DESTINATIONS: usize = 200;
/// The longest list of names, in bytes.
const LONGEST: usize = 12 << 10;

/// Whose volumes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Wanted {
    /// Names as a JSON list, because a name may hold anything.
    names: String,
}

/// Charts by name; who is not there is not known.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Volumes {
    assets: BTreeMap<String, Chart>,
}

/// One asset in full.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Told {
    #[serde(flatten)]
    asset: Asset,
    /// When it will be learned, while it is not.
    learned_by: Option<Timestamp>,
    volumes: Chart,
    /// Where it goes outside, as it was kept last, within 5 minutes.
    destinations: Vec<Destination>,
    /// How many there are.
    destination_count: usize,
    /// What is approved for it, by the config or by people, in words.
    approved: Vec<String>,
}

/// One place.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Destination {
    /// Registered domain, else network.
    name: String,
    /// `approved`, `usual` or `learning`.
    state: &'static str,
    /// Why so, or how far it is from that.
    why: String,
    first_seen: Timestamp,
    last_seen: Timestamp,
    sessions: u32,
    usual_day_bytes: u64,
    bytes_30_days: u64,
}

/// `GET /api/volumes`
pub(in crate::http) async fn volumes(
    State(parts): State<Parts>,
    wanted: Asked<Wanted>,
) -> Result<Json<Volumes>, Refusal> {
    let names = names(&asked(wanted)?.names)?;
    let watched = parts.asker.watched(names.clone()).await?;
    let (now, since) = ((parts.clock)(), parts.status().started);
    let charts = spawn_blocking(move || {
        let all = names.into_iter().zip(watched);
        let all = all.filter_map(|(name, watched)| Some((name, chart(&watched?, now, since))));
        all.collect()
    });
    let assets = charts.await.map_err(|error| Refusal::unavailable(error.to_string()))?;
    Ok(Json(Volumes { assets }))
}

/// `GET /api/assets/{name}`
pub(in crate::http) async fn one(
    State(parts): State<Parts>,
    Path(name): Path<String>,
) -> Result<Json<Told>, Refusal> {
    let missing = || Refusal::missing(format!("no asset is called {}", printable(&name)));
    let status = parts.status();
    let asset = status.assets.iter().find(|asset| asset.name == name).cloned();
    let asset = asset.ok_or_else(missing)?;
    let watched = parts.asker.watched(vec![name.clone()]).await?;
    let watched = watched.into_iter().flatten().next().ok_or_else(missing)?;
    let of = name.clone();
    let learned = parts.keeper.ask(move |store| store.learned_of(&of)).await?;
    let learned = learned.unwrap_or_default();
    let (now, since) = ((parts.clock)(), status.started);
    let told = spawn_blocking(move || Told {
        learned_by: watched.learned_by,
        volumes: chart(&watched, now, since),
        destinations: destinations(&learned, &watched.approvals),
        destination_count: learned.destinations.len(),
        approved: watched.approvals.iter().map(sentence).collect(),
        asset,
    });
    told.await.map(Json).map_err(|error| Refusal::unavailable(error.to_string()))
}

fn chart(watched: &Watched, now: Timestamp, since: Timestamp) -> Chart {
    watched.past.chart(now, since, watched.floor)
}

fn names(text: &str) -> Result<Vec<String>, Refusal> {
    let wrong = |why: &dyn std::fmt::Display| {
        Refusal::bad(format!("names: expected a JSON list of at most {MOST} names: {why}"))
    };
    if text.len() > LONGEST {
        return Err(wrong(&"it is too long"));
    }
    let names: Vec<String> = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    if names.len() > MOST { Err(wrong(&"there are more")) } else { Ok(names) }
}

/// Those that most was sent to, those that are neither usual nor approved first.
fn destinations(learned: &AssetBaseline, approvals: &[Approve]) -> Vec<Destination> {
    let mut all: Vec<_> = learned
        .destinations
        .iter()
        .map(|(name, habit)| Destination::of(name, habit, approvals))
        .collect();
    let rank = |one: &Destination| (one.state != "learning", std::cmp::Reverse(one.bytes_30_days));
    all.sort_by(|one, other| (rank(one), &one.name).cmp(&(rank(other), &other.name)));
    all.truncate(DESTINATIONS);
    all
}

impl Destination {
    fn of(name: &str, habit: &Habit, approvals: &[Approve]) -> Self {
        // An approval for any place says nothing of this one.
        let named = |approve: &&Approve| approve.concerns(name);
        let approval = approvals.iter().find(named);
        let (state, why) = match approval {
            Some(entry) => ("approved", sentence(entry)),
            None if habit.learned => ("usual", "seen in the time of learning".to_owned()),
            None if habit.is_trusted() => ("usual", format!("seen on {} days", habit.hours)),
            None => ("learning", format!("{} of {TRUSTED_HOURS} days", habit.hours)),
        };
        let why = match habit.alert_days() {
            0 => why,
            1 => format!("{why}, alert on 1 day"),
            days => format!("{why}, alert on {days} days"),
        };
        Self {
            name: name.to_owned(),
            state,
            why,
            first_seen: Timestamp::from_parts(habit.first_seen, 0),
            last_seen: Timestamp::from_parts(habit.last_seen, 0),
            sessions: habit.sessions,
            usual_day_bytes: habit.usual_day(),
            bytes_30_days: habit.total(30),
        }
    }
}

impl From<Busy> for Refusal {
    fn from(busy: Busy) -> Self {
        Self::unavailable(busy.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NamePattern;

    #[test]
    fn names_are_a_list_of_bounded_length() {
        assert_eq!(names(r#"["a\"b","c, d"]"#).unwrap(), ["a\"b", "c, d"]);
        let many = serde_json::to_string(&vec!["x"; MOST + 1]).unwrap();
        let long = serde_json::to_string(&["x".repeat(LONGEST)]).unwrap();
        for wrong in ["", "web-01", "[1]", "{}", many.as_str(), long.as_str()] {
            assert!(names(wrong).is_err(), "{wrong:.40}");
        }
    }

    #[test]
    fn a_place_is_approved_usual_or_being_learned() {
        let habit = |hours, learned| {
            let mut habit = Habit::default();
            (habit.hours, habit.learned) = (hours, learned);
            habit
        };
        let all = [
            ("approved.example", habit(1, false)),
            ("learned.example", habit(1, true)),
            ("trusted.example", habit(9, false)),
            ("young.example", habit(2, false)),
        ];
        let learned = AssetBaseline {
            destinations: all.map(|(name, habit)| (name.to_owned(), habit)).into(),
            ..AssetBaseline::default()
        };
        let approval = Approve {
            assets: vec!["web-01".to_owned()],
            sni: vec![NamePattern::new("*.approved.example")],
            ..Approve::default()
        };
        let told = destinations(&learned, &[approval]);
        let states: Vec<_> = told.iter().map(|one| (&*one.name, one.state, &*one.why)).collect();
        let expected = [
            ("young.example", "learning", "2 of 7 days"),
            ("approved.example", "approved", "web-01 may reach *.approved.example"),
            ("learned.example", "usual", "seen in the time of learning"),
            ("trusted.example", "usual", "seen on 9 days"),
        ];
        assert_eq!(states, expected);
    }
}
