//! The Egret config of a scenario's estate.

use std::fmt::Write;

use super::Packets;
use super::calendar::DAY;
use super::estate::Asset;
use super::logs::{self, Logs};
use super::mirrors;
use super::scene::Scene;
use super::truth::Time;

/// Writes it as TOML.
pub(super) fn write(scene: &Scene<'_>) -> String {
    let mut toml = String::from(
        "[sensor]\nname = \"scenario\"\n\n\
         [network]\ninternal = [\"10.0.0.0/8\", \"2001:db8::/32\", \"fe80::/10\"]\n",
    );
    for asset in scene.estate.assets().filter(|asset| asset.configured) {
        write_asset(&mut toml, asset);
    }
    if scene.plan.logs != Logs::None {
        write_guest_operations(&mut toml, scene);
    }
    if scene.plan.packets == Packets::Mirrors {
        toml.push_str(&mirrors::policy());
    }
    write_site_budget(&mut toml, scene);
    for approved in &scene.approved {
        write!(toml, "\n[[approve]]\n{approved}").unwrap();
    }
    toml
}

/// Alerts that a person finds to be incidents take nothing from the site's budget. Nobody looks at
/// these, so that in estates with far more attacks than any has there is room for as many more.
fn write_site_budget(toml: &mut String, scene: &Scene<'_>) {
    let attacks = scene.plan.attacks.len() as f64;
    if scene.plan.harsh && attacks > 0.0 {
        let hundreds = (scene.plan.guests as f64 / 100.0).max(1.0);
        let (alerts, high) = (1.0 + attacks / hundreds, 1.0 + attacks);
        write!(toml, "\n[detect.site_budget]\nalerts = {alerts:.1}\nhigh = {high:.1}\n").unwrap();
    }
}

/// What is expected of automation. Of whom nobody knows the account, every account's window is.
fn write_guest_operations(toml: &mut String, scene: &Scene<'_>) {
    let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\"));
    let list = |texts: &[&str]| texts.iter().map(|text| quote(text)).collect::<Vec<_>>().join(", ");
    let accounts = list(&logs::ACCOUNTS.map(|account| account.name));
    let whose = match scene.plan.logs {
        Logs::All => format!(", account = [{}]", quote(logs::BACKUP.name)),
        _ => String::new(),
    };
    let midnight = scene.start() - scene.start() % DAY;
    let windows: Vec<String> = (midnight..scene.end())
        .step_by(DAY as usize)
        .map(|day| {
            let [from, to] = logs::WINDOW.map(|time| Time(day + time));
            format!("  {{ from = {from}, to = {to}{whose} }},\n")
        })
        .collect();
    write!(
        toml,
        "\n[detect.guest_operations]\naccounts = [{accounts}]\nvms = [{}]\n\
         business_hours = \"Mon-Fri 07:00-19:00\"\nmaintenance = [\n{}]\n",
        list(&logs::EXPECTED),
        windows.concat(),
    )
    .unwrap();
}

fn write_asset(toml: &mut String, asset: &Asset) {
    let addresses: Vec<String> =
        asset.truth().addresses.iter().map(|address| format!("\"{address}\"")).collect();
    let mac: Vec<String> = asset.mac.iter().map(|byte| format!("{byte:02x}")).collect();
    write!(
        toml,
        "\n[[asset]]\nname = \"{}\"\nrole = \"{}\"\naddress = [{}]\nmac = [\"{}\"]\n",
        asset.name,
        asset.role.name(),
        addresses.join(", "),
        mac.join(":"),
    )
    .unwrap();
}
