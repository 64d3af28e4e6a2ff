use std::process::Command;

use egret::alert::Analytic;
use serde_json::{Value, json};

use crate::tool::{accepted, file, text};

fn promtool(arguments: &[&str], path: &str) {
    accepted("prometheus", Command::new("promtool").args(arguments).arg(file(path)));
}

#[test]
fn the_rules_are_rules() {
    promtool(&["check", "rules"], "deploy/prometheus/egret.rules.yml");
}

#[test]
fn each_rule_fires_when_it_should_and_only_then() {
    promtool(&["test", "rules"], "deploy/prometheus/egret.rules.test.yml");
    let tests = text("deploy/prometheus/egret.rules.test.yml");
    for rule in names() {
        let fires = format!("alertname=\"{rule}\"");
        let is_tested = tests.contains(&fires) || tests.contains(&format!("alertname: {rule}\n"));
        assert!(is_tested, "{rule} is never expected to fire");
    }
}

#[test]
fn what_reads_the_rules_is_valid() {
    promtool(&["check", "config"], "deploy/prometheus/scrape.yml");
    let path = file("deploy/alertmanager.yml");
    let mut amtool = Command::new("amtool");
    accepted("prometheus-alertmanager", amtool.arg("check-config").arg(path));
}

/// Fails when alerts of some analytic would go to those who run the sensor.
#[test]
fn alerts_of_each_analytic_reach_the_soc_and_the_sensors_own_do_not() {
    let security = Analytic::ALL.map(|analytic| (format!("Egret{}", analytic.name()), "soc"));
    let own = ("EgretDown".to_owned(), "operations");
    for (name, receiver) in security.into_iter().chain([own]) {
        let mut amtool = Command::new("amtool");
        amtool.args(["config", "routes", "test", "--config.file"]);
        amtool.arg(file("deploy/alertmanager.yml")).arg(format!("alertname={name}"));
        if let Some(said) = accepted("prometheus-alertmanager", &mut amtool) {
            assert_eq!(said.lines().next(), Some(receiver), "{name}");
        }
    }
}

#[test]
fn what_the_docs_call_a_rule_is_one() {
    let docs = text("docs/metrics.md");
    let named = docs.split('`').filter(|word| word.starts_with("Egret"));
    for name in named {
        assert!(names().iter().any(|rule| rule == name), "{name}");
    }
}

#[test]
fn the_dashboards_queries_can_be_asked() {
    let dashboard: Value = serde_json::from_str(&text("deploy/grafana/egret.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let expressions: Vec<&str> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(expressions.len() > 20);
    // promtool reads an expression as a rule; Grafana fills in its variables first.
    let rules: Vec<Value> = expressions
        .iter()
        .map(|expression| expression.replace("$__rate_interval", "5m").replace("$__range", "6h"))
        .enumerate()
        .map(|(i, expression)| json!({ "record": format!("panel:{i}"), "expr": expression }))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dashboard.yml");
    let groups = json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    std::fs::write(&path, groups.to_string()).unwrap();
    accepted("prometheus", Command::new("promtool").args(["check", "rules"]).arg(path));
}

/// The rules' names.
fn names() -> Vec<String> {
    let rules = text("deploy/prometheus/egret.rules.yml");
    let names = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    names.map(str::to_owned).collect()
}
