//! Programs that may not be installed, and the files they are given.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of `deploy/` or `docs/`.
pub(crate) fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// What it says.
pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What a program said, and that it was content; `None`, loudly, when it is not installed.
pub(crate) fn accepted(package: &str, command: &mut Command) -> Option<String> {
    let Ok(ran) = command.output() else {
        let program = command.get_program().display();
        egret_tests::skip(format_args!("{program} is not installed (package {package})"));
        return None;
    };
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert!(ran.status.success(), "{command:?}: {}\n{said}", ran.status);
    Some(said)
}
