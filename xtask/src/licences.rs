//! The licences of everything that the binary is linked with, as their authors wrote them. Most of them
//! ask that their text goes where the program goes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde_json::Value;

use crate::tools;

/// What the binary is built for.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Writes the list, and each text once, to a file.
pub(crate) fn write(root: &Path, to: &Path) -> anyhow::Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--format-version=1", "--locked", "--filter-platform", TARGET]);
    let metadata = tools::said(cargo.current_dir(root), "cargo")?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    fs::write(to, text(&metadata)?)?;
    Ok(())
}

fn text(metadata: &Value) -> anyhow::Result<String> {
    let linked = linked(metadata)?;
    let mut list =
        String::from("Egret is linked with these libraries, each under its own licence.\n\n");
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in items(metadata, "packages") {
        // Egret's own members have no source.
        if !linked.contains(word(package, "id")) || word(package, "source").is_empty() {
            continue;
        }
        let name = format!("{} {}", word(package, "name"), word(package, "version"));
        writeln!(list, "{name}: {}", word(package, "license"))?;
        let folder = Path::new(word(package, "manifest_path")).parent();
        for text in licence_files(folder.context("a manifest lies in a folder")?)? {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    for (text, names) in texts {
        write!(list, "\n{}\n{}\n\n{text}\n", "=".repeat(72), names.join(", "))?;
    }
    Ok(list)
}

/// The packages that end in the binary: what `egret` needs, and that needs, but nothing that only
/// builds or tests.
fn linked(metadata: &Value) -> anyhow::Result<BTreeSet<&str>> {
    let nodes: BTreeMap<&str, &Value> =
        items(metadata.get("resolve").unwrap_or(&Value::Null), "nodes")
            .iter()
            .map(|node| (word(node, "id"), node))
            .collect();
    let packages = items(metadata, "packages").iter();
    let mut all = packages
        .filter(|package| word(package, "name") == "egret" && word(package, "source").is_empty());
    let mut waiting = vec![word(all.next().context("there is no egret")?, "id")];
    let mut linked = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !linked.insert(id) {
            continue;
        }
        let needs = nodes.get(id).map(|node| items(node, "deps")).unwrap_or_default();
        let ends_there = |need: &&Value| {
            items(need, "dep_kinds").iter().any(|kind| word(kind, "kind").is_empty())
        };
        waiting.extend(needs.iter().filter(ends_there).map(|need| word(need, "pkg")));
    }
    Ok(linked)
}

/// The texts beside a manifest, in the order of their names.
fn licence_files(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        let is_licence = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"]
            .iter()
            .any(|word| name.starts_with(word));
        if is_licence && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    paths
        .iter()
        .map(|path| Ok(String::from_utf8_lossy(&fs::read(path)?).trim().to_owned()))
        .collect()
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when something that only builds or tests is listed, or something that is linked is not.
    #[test]
    fn what_is_linked_is_listed_with_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("licences");
        write(&tools::root(), &path).unwrap();
        let text = fs::read_to_string(path).unwrap();
        let names: Vec<_> = text.lines().take_while(|line| !line.starts_with("===")).collect();
        let has = |name: &str| names.iter().any(|line| line.starts_with(&format!("{name} ")));
        assert!(has("rustls") && has("rusqlite") && has("aya-obj"), "{names:?}");
        assert!(
            !has("criterion") && !has("proptest") && !has("clap_derive-none") && !has("cc"),
            "{names:?}"
        );
        assert!(text.contains("Permission is hereby granted, free of charge"));
    }
}
