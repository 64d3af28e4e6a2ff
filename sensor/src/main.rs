//! `egret`: arguments, config, log, run, exit code.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use egret::cli::{Cli, Command, Exit, Failure};
use egret::config::file;
use egret::system::host_name;
use egret::{commands, logging, sensor};

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let global = &cli.global;
    // Whoever looks after a service wants to read what it does.
    let service = u8::from(matches!(cli.command, Command::Run(_) | Command::Relay(_)));
    logging::start(global.verbose + service, global.quiet);
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
    let config = &loaded.config;
    match &cli.command {
        Command::Read(arguments) => end(sensor::read(arguments, config, global.quiet)),
        Command::Run(arguments) => end(sensor::run(arguments, global, loaded)),
        Command::Relay(_) => end(sensor::relay(global, loaded)),
        Command::Check(arguments) => end(commands::check(arguments, &loaded)),
        Command::Alerts(arguments) => end(commands::alerts(arguments, config)),
        Command::Baseline(arguments) => end(commands::baseline(arguments, config)),
        Command::Inventory(arguments) => end(commands::inventory(arguments, config)),
    }
}

/// The exit code of what a command came to, and why on stderr.
fn end(result: Result<Exit, impl Failure>) -> ExitCode {
    let exit = result.unwrap_or_else(|failure| {
        let exit = failure.exit();
        if exit != Exit::Done {
            complain(&failure);
        }
        exit
    });
    exit.into()
}

/// Says on stderr what is wrong, under the program's name on each line.
fn complain(error: &impl Display) {
    let mut to = io::stderr().lock();
    for line in error.to_string().lines() {
        // Where nobody listens the exit code still tells.
        let _ = writeln!(to, "egret: {line}");
    }
}
