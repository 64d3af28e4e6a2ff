//! What Debian's own checker says of the package. An error fails; warnings are shown.

use std::path::Path;
use std::process::Command;

use crate::tools;

pub(super) fn run(package: &Path) -> anyhow::Result<()> {
    let mut lintian = Command::new("lintian");
    lintian.args(["--allow-root", "--profile=debian", "--tag-display-limit=0", "--fail-on=error"]);
    println!("lintian:");
    tools::run(lintian.arg(package), "apt-get install lintian")
}
