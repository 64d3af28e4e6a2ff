//! `egret`: arguments, config, log, run, exit code.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use egret::cli::{Cli, Command, Exit};
use egret::config::file;
use egret::{logging, sensor};

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let global = &cli.global;
    logging::start(global.verbose, global.quiet);
    let loaded = match file::load(global.config.as_deref(), &global.set, &host_name()) {
        Ok(loaded) => loaded,
        Err(error) => {
            complain(&error);
            return Exit::Usage.into();
        }
    };
    match &loaded.path {
        Some(path) => tracing::info!("config read from {}", path.display()),
        None => tracing::info!("no config file: every key that is not set has its default"),
    }
    let Command::Read(arguments) = &cli.command;
    match sensor::read(arguments, &loaded.config, global.quiet) {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = error.exit();
            if exit != Exit::Done {
                complain(&error);
            }
            exit.into()
        }
    }
}

/// Says on stderr what is wrong, under the program's name on each line.
fn complain(error: &impl Display) {
    let mut to = io::stderr().lock();
    for line in error.to_string().lines() {
        // Where nobody listens the exit code still tells.
        let _ = writeln!(to, "egret: {line}");
    }
}

/// The host's name, as `sensor.name` is by default.
fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}
