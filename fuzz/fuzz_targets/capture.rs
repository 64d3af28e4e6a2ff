//! A capture file: plain, packed, whole or broken.

#![no_main]

use egret::capture::{Burst, Progress, Source, file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("egret-fuzz-{}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let Ok(mut files) = file::open(&[path]) else { return };
    while let Ok(Progress::More) = files.burst(&mut Burst::new()) {}
    files.stats();
});
