//! `egret baseline list`.

use std::io::{self, Write};

use serde_json::json;

use super::others::{self, Account, Mirror};
use super::{BaselineError, approvals};
use crate::baseline::{AssetBaseline, Baseline, Habit, TRUSTED_HOURS};
use crate::commands::table::{Cell, Table};
use crate::config::{Approve, Config, Role};
use crate::store::{Approval, Store};
use crate::system::now;
use crate::text::{counted, grouped, printable};
use crate::time::{ByteSize, Timestamp};

pub(super) fn list(
    store: &Store,
    config: &Config,
    asset: Option<&str>,
    as_json: bool,
    to: &mut impl Write,
) -> Result<(), BaselineError> {
    let mut known = store.baseline()?.unwrap_or_default();
    // Of who was forgotten only that is kept.
    known.assets.retain(|_, learned| learned.first_seen > 0);
    let given = store.approval_list()?;
    if let Some(asset) = asset {
        others::retain(&mut known, asset);
        if known.assets.is_empty() && known.operators.is_empty() && known.mirrors.is_empty() {
            return Err(BaselineError::Asset(asset.to_owned()));
        }
    }
    let view = View { config, given: &given, now: now() };
    if as_json {
        view.write_json(&known, to)?;
    } else if let (Some(_), Some((name, learned))) = (asset, known.assets.first_key_value()) {
        view.write_asset(name, learned, to)?;
    } else {
        view.write_all(&known, asset.is_some(), to)?;
    }
    Ok(())
}

/// What the lines are seen against.
pub(super) struct View<'a> {
    pub(super) config: &'a Config,
    pub(super) given: &'a [Approval],
    pub(super) now: Timestamp,
}

impl View<'_> {
    pub(super) fn write_json(&self, known: &Baseline, to: &mut impl Write) -> io::Result<()> {
        let assets = known.assets.iter().map(|(name, learned)| self.object(name, learned));
        let accounts = Account::all(known).map(|account| account.object());
        let mirrors = Mirror::all(known, self.config).map(|mirror| mirror.object());
        assets.chain(accounts).chain(mirrors).try_for_each(|object| writeln!(to, "{object}"))
    }

    /// Assets, accounts and mirrors, a line each; with `in_full` all that is known of the accounts.
    pub(super) fn write_all(
        &self,
        known: &Baseline,
        in_full: bool,
        to: &mut impl Write,
    ) -> io::Result<()> {
        let mut gap = "";
        if !known.assets.is_empty() {
            self.write_assets(known.assets.iter(), to)?;
            gap = "\n";
        }
        for (table, is_empty) in [
            (others::accounts(known, in_full), known.operators.is_empty()),
            (others::mirrors(known, self.config), known.mirrors.is_empty()),
        ] {
            if !is_empty {
                write!(to, "{gap}{table}")?;
                gap = "\n";
            }
        }
        if gap.is_empty() {
            writeln!(to, "nothing was learned yet; `egret run` learns, and saves now and then")?;
        }
        Ok(())
    }

    /// One line for each asset.
    pub(super) fn write_assets<'b>(
        &self,
        assets: impl Iterator<Item = (&'b String, &'b AssetBaseline)>,
        to: &mut impl Write,
    ) -> io::Result<()> {
        let mut table = Table::new([
            "ASSET",
            "FIRST SEEN (UTC)",
            "STATE",
            "DESTINATIONS",
            "TRUSTED",
            "SENT IN 30 DAYS",
            "LAST OUTSIDE",
        ]);
        let mut example = None;
        for (name, learned) in assets {
            let habits = || learned.destinations.values();
            let sent = habits().fold(0, |sum: u64, habit| sum.saturating_add(habit.total(30)));
            table.row([
                Cell::name(name, 20),
                Cell::text(minute(learned.first_seen)),
                Cell::text(if self.is_learning(learned) { "learning" } else { "learned" }),
                Cell::number(grouped(habits().len() as u64)),
                Cell::number(grouped(habits().filter(|habit| habit.is_trusted()).count() as u64)),
                Cell::number(ByteSize(sent)),
                Cell::text(habits().map(|habit| habit.last_seen).max().map_or(String::new(), day)),
            ]);
            example.get_or_insert(name);
        }
        write!(to, "{}", table.under(""))?;
        let more = example.map_or(String::new(), |name| printable(name).to_string());
        writeln!(to, "\nMore of one: egret baseline list {more}")
    }

    /// All that is known of one.
    pub(super) fn write_asset(
        &self,
        name: &str,
        learned: &AssetBaseline,
        to: &mut impl Write,
    ) -> io::Result<()> {
        let state =
            if self.is_learning(learned) { "still learning, until" } else { "learned until" };
        writeln!(
            to,
            "{}  first seen {}, {state} {} UTC\n",
            printable(name),
            minute(learned.first_seen),
            minute(self.learned_until(learned).as_secs())
        )?;
        let headings = [
            "DESTINATION",
            "TRUSTED",
            "FIRST SEEN",
            "LAST SEEN",
            "SESSIONS",
            "USUAL DAY",
            "30 DAYS",
        ];
        let mut table = Table::new(headings);
        let mut destinations: Vec<_> = learned.destinations.iter().collect();
        destinations.sort_by_key(|(name, habit)| (!habit.is_trusted(), *name));
        for (destination, habit) in destinations {
            table.row([
                Cell::name(destination, 30),
                Cell::text(format!(
                    "{}{}",
                    if habit.is_trusted() { "" } else { "no: " },
                    self.why(name, destination, habit)
                )),
                Cell::text(day(habit.first_seen)),
                Cell::text(day(habit.last_seen)),
                Cell::number(grouped(habit.sessions.into())),
                Cell::number(ByteSize(habit.usual_day())),
                Cell::number(ByteSize(habit.total(30))),
            ]);
        }
        if learned.destinations.is_empty() {
            writeln!(to, "  it was never seen to reach outside over TLS")?;
        } else {
            write!(to, "{}", table.under("  "))?;
        }
        self.write_rest(name, learned, to)
    }

    fn write_rest(
        &self,
        name: &str,
        learned: &AssetBaseline,
        to: &mut impl Write,
    ) -> io::Result<()> {
        let volumes: Vec<String> = volumes(learned)
            .map(|(series, bytes)| format!("{} {}", in_words(series), ByteSize(bytes)))
            .collect();
        if !volumes.is_empty() {
            writeln!(to, "\n  largest hour: {}", volumes.join(", "))?;
        }
        if !learned.many_ports.is_empty() {
            let domains: Vec<_> =
                learned.many_ports.iter().map(|name| printable(name).to_string()).collect();
            writeln!(to, "\n  reached on many ports: {}", domains.join(", "))?;
        }
        for (i, (entry, origin)) in self.approvals(name).enumerate() {
            let gap = if i == 0 { "\n" } else { "" };
            writeln!(to, "{gap}  approved ({origin}): {}", approvals::sentence(entry))?;
        }
        Ok(())
    }

    /// Approvals that are for an asset, and where each is from.
    fn approvals(&self, name: &str) -> impl Iterator<Item = (&Approve, String)> {
        let configured = self.config.assets.iter().find(|asset| *asset.name == *name);
        // What is discovered by its MAC address is taken for a guest.
        let role = configured.map_or(Role::Guest, |asset| asset.role);
        let config = self.config.approve.iter().map(|entry| (entry, "config".to_owned()));
        let given = self.given.iter().map(|approval| {
            (&approval.entry, format!("{} by {}", approval.number, printable(&approval.person)))
        });
        config.chain(given).filter(move |(entry, _)| {
            (entry.assets.is_empty() || entry.assets.iter().any(|asset| asset == name))
                && (entry.roles.is_empty() || entry.roles.contains(&role))
        })
    }

    /// Why a place is trusted, or how far it is from that.
    fn why(&self, asset: &str, destination: &str, habit: &Habit) -> String {
        let days = days_since(habit);
        let mut why = match (habit.learned, days) {
            (true, 0) => format!("learned in {}", counted(learned_hours(habit).into(), "hour")),
            (true, days) => {
                let hours = counted(learned_hours(habit).into(), "hour");
                format!("learned in {hours}, {} since", counted(days.into(), "day"))
            }
            (false, days) if habit.is_trusted() => format!("{days} days"),
            (false, days) => format!("{days} of {TRUSTED_HOURS} days"),
        };
        match habit.alert_days() {
            0 => {}
            days => why += &format!(", alert on {}", counted(days.into(), "day")),
        }
        let approvals = self.approvals(asset);
        if let Some((_, origin)) =
            approvals.into_iter().find(|(entry, _)| entry.concerns(destination))
        {
            why += &format!(", approved: {origin}");
        }
        why
    }

    fn learned_until(&self, learned: &AssetBaseline) -> Timestamp {
        Timestamp::from_parts(learned.first_seen, 0).plus(self.config.baseline.learning)
    }

    fn is_learning(&self, learned: &AssetBaseline) -> bool {
        self.learned_until(learned) > self.now
    }

    fn object(&self, name: &str, learned: &AssetBaseline) -> serde_json::Value {
        let time = |seconds| Timestamp::from_parts(seconds, 0);
        let destinations: Vec<_> = learned
            .destinations
            .iter()
            .map(|(destination, habit)| {
                json!({
                    "destination": destination,
                    "trusted": habit.is_trusted(),
                    "why": self.why(name, destination, habit),
                    "learned_hours": habit.learned.then(|| learned_hours(habit)),
                    "days_since": days_since(habit),
                    "days_with_alert": habit.alert_days(),
                    "first_seen": time(habit.first_seen),
                    "last_seen": time(habit.last_seen),
                    "sessions": habit.sessions,
                    "usual_day_bytes": habit.usual_day(),
                    "largest_day_bytes": habit.largest_day(),
                    "bytes_30_days": habit.total(30),
                })
            })
            .collect();
        let volumes: serde_json::Map<String, serde_json::Value> =
            volumes(learned).map(|(series, bytes)| (series.to_owned(), bytes.into())).collect();
        json!({
            "asset": name,
            "first_seen": time(learned.first_seen),
            "learning": self.is_learning(learned),
            "destinations": destinations,
            "largest_hour_bytes": volumes,
            "many_ports": learned.many_ports,
        })
    }
}

/// Hours of the learning time in which a place was visited.
fn learned_hours(habit: &Habit) -> u8 {
    habit.hours.saturating_sub(habit.days)
}

/// Days after it that count.
fn days_since(habit: &Habit) -> u8 {
    if habit.learned { habit.days } else { habit.hours }
}

/// The largest hour of each series that moved anything.
fn volumes(learned: &AssetBaseline) -> impl Iterator<Item = (&str, u64)> {
    let largest = learned.volumes.iter().map(|(series, of)| (series.as_str(), of.largest_hour()));
    largest.filter(|(_, bytes)| *bytes > 0)
}

fn in_words(series: &str) -> &str {
    match series {
        "in-internal" => "in from inside",
        "out-internal" => "out to inside",
        "in-external" => "in from outside",
        "out-external" => "out to outside",
        other => other,
    }
}

pub(super) fn minute(seconds: u64) -> String {
    Timestamp::from_parts(seconds, 0).people().to_string().chars().take(16).collect()
}

pub(super) fn day(seconds: u64) -> String {
    Timestamp::from_parts(seconds, 0).people().to_string().chars().take(10).collect()
}
