//! An export that people import: RVTools' sheets or plain CSV.

#![no_main]

use egret::commands::inventory::import::Import;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut import = Import::default();
    // The same file twice: every machine meets itself again.
    for _ in 0..2 {
        if let Err(error) = import.read("fuzz.csv", bytes) {
            let _ = error.to_string();
        }
    }
    let imported = import.finish();
    let mut names = std::collections::BTreeSet::new();
    let mut addresses = std::collections::BTreeSet::new();
    for asset in &imported.assets {
        assert!(names.insert(&asset.name));
        assert!(asset.addresses.iter().all(|net| addresses.insert(net)));
        assert!(!asset.addresses.is_empty() || !asset.macs.is_empty());
    }
});
