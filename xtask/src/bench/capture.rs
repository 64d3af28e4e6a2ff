//! The captures that are measured: written once, kept in `target/bench`.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::PathBuf;

use anyhow::Context;
use egret_tests::bench::{self, Kind, Truth};

/// A generated capture and what it holds.
pub(crate) struct Capture {
    pub(crate) kind: Kind,
    pub(crate) scale: f64,
    pub(crate) file: PathBuf,
    /// The file's size in bytes.
    pub(crate) size: u64,
    pub(crate) truth: Truth,
}

impl Capture {
    /// Finds the capture of this kind and scale, or writes it.
    ///
    /// Its truth is written last, so that a capture without one, or with that of another
    /// version of the generator, is written again.
    pub(crate) fn prepare(kind: Kind, scale: f64) -> anyhow::Result<Self> {
        let folder = super::target()?.join("bench");
        fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{kind}-{scale}.pcap"));
        let truth_file = file.with_added_extension("truth.json");
        let kept = fs::read(&truth_file)
            .ok()
            .and_then(|json| serde_json::from_slice::<Truth>(&json).ok())
            .filter(|truth| truth.version == bench::VERSION);
        let truth = match kept {
            Some(truth) => truth,
            None => {
                eprintln!("writing {}", file.display());
                let out = File::create(&file)
                    .with_context(|| format!("cannot write {}", file.display()))?;
                let truth = bench::write(kind, scale, BufWriter::with_capacity(1 << 20, out))?;
                fs::write(&truth_file, serde_json::to_vec_pretty(&truth)?)?;
                truth
            }
        };
        let size = fs::metadata(&file)?.len();
        Ok(Self { kind, scale, file, size, truth })
    }
}
