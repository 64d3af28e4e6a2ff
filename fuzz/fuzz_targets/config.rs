//! A config file.

#![no_main]

use egret::config::{Config, file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = file::parse("fuzz.toml", text, &[], Config::default()) {
        let _ = error.to_string();
    }
});
