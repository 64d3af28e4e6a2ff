use std::collections::{BTreeMap, BTreeSet};

use egret::config::{Backend, Role};
use egret::metrics::Metrics;

use crate::tool::text;

/// A family: its type, and the labels it has.
#[derive(Debug, Default, PartialEq)]
struct Family {
    kind: String,
    labels: BTreeSet<String>,
}

/// Every family that Egret has, as Prometheus reads them.
fn families() -> BTreeMap<String, Family> {
    let metrics = Metrics::new().unwrap();
    metrics.asset("esxi-01", Role::Esxi);
    metrics.interface_up.with_label_values(&["eth1"]);
    metrics.sampled_one_in.with_label_values(&["eth1"]);
    metrics.captured_by("eth1", Backend::Xdp);
    metrics.alerts_delivered.with_label_values(&["soc"]);
    metrics.delivery_failures.with_label_values(&["soc"]);
    metrics.delivery_pending.with_label_values(&["soc"]);
    metrics.delivery_circuit_open.with_label_values(&["soc"]);
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in metrics.text().unwrap().lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            families.insert(name.to_owned(), Family { kind: kind.to_owned(), ..Family::default() });
        } else if let Some((name, rest)) = line.split_once('{')
            && !line.starts_with('#')
        {
            let labels = rest.split(',').filter_map(|label| label.split_once('='));
            let family = families.get_mut(base(name)).unwrap();
            let named = labels.map(|(label, _)| label.to_owned()).filter(|label| label != "le");
            family.labels.extend(named);
        }
    }
    assert!(families.len() > 20);
    families
}

/// A histogram's series have names of their own.
fn base(name: &str) -> &str {
    let suffixes = ["_bucket", "_sum", "_count"];
    suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

/// The metrics that a text names.
fn named(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("egret_"))
        .map(base)
        .collect()
}

#[test]
fn whatever_names_a_metric_names_one_there_is() {
    let families = families();
    for path in [
        "deploy/prometheus/egret.rules.yml",
        "deploy/prometheus/egret.rules.test.yml",
        "deploy/grafana/egret.json",
        "docs/metrics.md",
    ] {
        let text = text(path);
        let named = named(&text);
        assert!(named.len() > 10, "{path}");
        for name in named {
            assert!(families.contains_key(name), "{path}: there is no {name}");
        }
    }
}

#[test]
fn the_dashboard_shows_every_metric() {
    let dashboard = text("deploy/grafana/egret.json");
    let shown = named(&dashboard);
    for name in families().keys() {
        assert!(shown.contains(name.as_str()), "{name}");
    }
}

#[test]
fn the_docs_have_every_metric_with_its_type_and_labels() {
    let docs = text("docs/metrics.md");
    let mut rows = BTreeMap::new();
    for line in docs.lines().filter(|line| line.starts_with("| `egret_")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, counts, _] = cells.as_slice() else { panic!("{line}") };
        assert!(!counts.is_empty(), "{line}");
        // What is before a colon in `reason`: `ring`, `interface` is the label, behind it values.
        let mut all = BTreeSet::new();
        let mut values = false;
        for part in labels.split(", ") {
            let label = part.split('`').nth(1).unwrap_or_default().to_owned();
            if part.contains("`:") || !values {
                all.insert(label);
            }
            values |= part.contains("`:");
        }
        all.remove("");
        let kind = kind.split(',').next().unwrap().to_owned();
        rows.insert(name.trim_matches('`').to_owned(), Family { kind, labels: all });
    }
    assert_eq!(rows, families());
}
