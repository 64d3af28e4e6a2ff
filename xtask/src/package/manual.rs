//! Man pages and completions, made from the command line that the binary has.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use egret::cli::Cli;

/// Writes them to `man` and `completions` in a folder.
pub(super) fn write(folder: &Path) -> anyhow::Result<()> {
    let (man, completions) = (folder.join("man"), folder.join("completions"));
    fs::create_dir_all(&man)?;
    fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(Cli::command(), &man)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut Cli::command(), "egret", &completions)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a command has no page, or a shell no completions.
    #[test]
    fn every_command_has_a_page_and_every_shell_completes_it() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
        let completions =
            ["egret.bash", "_egret", "egret.fish"].map(|name| read(&format!("completions/{name}")));
        assert!(read("man/egret.1").contains("egret\\-read(1)"));
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            let page = read(&format!("man/egret-{name}.1"));
            assert!(page.contains(".SH SYNOPSIS") && page.contains("SH OPTIONS"), "{page}");
            for text in &completions {
                assert!(text.contains(name), "{name}");
            }
        }
        assert!(read("man/egret-baseline-approve.1").contains("\\-\\-destination"));
    }
}
