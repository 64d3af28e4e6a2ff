//! `cargo xtask captures`: the demo capture and log in `tests/captures`, made by the scenario builder.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use egret_tests::scenario::{Plan, Scenario};
use flate2::{Compression, GzBuilder};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where to write
    #[arg(long, value_name = "DIR", default_value = "tests/captures")]
    out: PathBuf,
}

/// Writes the demo capture and log, compressed, its config and its truth.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    fs::create_dir_all(&arguments.out)?;
    let mut scenario = Plan::demo().play();
    let (capture, log) = (bytes(&mut scenario)?, log(&mut scenario)?);
    let (packed, packed_log) = (pack(&capture)?, pack(&log)?);
    let out = |name: &str| arguments.out.join(name);
    write(&out("demo.pcap.gz"), &packed)?;
    write(&out("demo.log.gz"), &packed_log)?;
    write(&out("demo.toml"), scenario.config.as_bytes())?;
    write(&out("demo.truth.json"), &serde_json::to_vec_pretty(&scenario.truth)?)?;
    println!(
        "{}: {} frames, {} bytes, {} packed; {} bytes of logs, {} packed",
        arguments.out.display(),
        scenario.recording.frames(),
        capture.len(),
        packed.len(),
        log.len(),
        packed_log.len()
    );
    Ok(())
}

/// The capture file's bytes.
fn bytes(scenario: &mut Scenario) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    scenario.write_capture(&mut bytes)?;
    Ok(bytes)
}

/// The log's bytes.
fn log(scenario: &mut Scenario) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    scenario.journal.write(&mut bytes)?;
    Ok(bytes)
}

/// With no name and no time in the header: the same bytes on every day.
fn pack(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut packed = GzBuilder::new().write(Vec::new(), Compression::best());
    packed.write_all(bytes)?;
    Ok(packed.finish()?)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Fails when the builder changed and `cargo xtask captures` was not run.
    #[test]
    fn the_kept_capture_is_what_the_builder_writes() {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/captures");
        let mut scenario = Plan::demo().play();
        let unpacked = |name| {
            let mut unpacked = Vec::new();
            let packed = fs::File::open(kept.join(name)).unwrap();
            flate2::read::GzDecoder::new(packed).read_to_end(&mut unpacked).unwrap();
            unpacked
        };
        assert!(
            unpacked("demo.pcap.gz") == bytes(&mut scenario).unwrap(),
            "run cargo xtask captures"
        );
        assert!(unpacked("demo.log.gz") == log(&mut scenario).unwrap(), "run cargo xtask captures");
        assert_eq!(fs::read_to_string(kept.join("demo.toml")).unwrap(), scenario.config);
        let truth = serde_json::to_string_pretty(&scenario.truth).unwrap();
        assert_eq!(fs::read_to_string(kept.join("demo.truth.json")).unwrap(), truth);
    }
}
