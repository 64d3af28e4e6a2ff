//! The Egret config of a scenario's estate.

use std::fmt::Write;

use super::estate::Asset;
use super::scene::Scene;

/// Writes it as TOML.
pub(super) fn write(scene: &Scene<'_>) -> String {
    let mut toml = String::from(
        "[sensor]\nname = \"scenario\"\n\n\
         [network]\ninternal = [\"10.0.0.0/8\", \"2001:db8::/32\", \"fe80::/10\"]\n",
    );
    for asset in scene.estate.assets().filter(|asset| asset.configured) {
        write_asset(&mut toml, asset);
    }
    for approved in &scene.approved {
        write!(toml, "\n[[approve]]\n{approved}").unwrap();
    }
    toml
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
