//! `egret check`: facts are gathered, judged, and told.

use std::io;
use std::thread;
use std::time::Duration;

use crate::capture::interface::{self, Pick};
use crate::capture::receive;
use crate::cli::{self, Exit, Failure};
use crate::config::file::Loaded;
use crate::intake::{flows, listen};
use crate::text::reason;

mod facts;
mod finding;
mod judge;
mod print;

use facts::traffic::Traffic;
use facts::{Database, Interface, Port};
use finding::{Finding, Level};

/// Why it failed.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Findings cannot be written.
    #[error("cannot write findings to stdout: {}", reason(.0))]
    Output(#[from] io::Error),
}

impl Failure for CheckError {
    fn exit(&self) -> Exit {
        match self {
            // Whoever read the findings has gone, which is their right.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_) => Exit::Failed,
        }
    }
}

/// Checks config, machine and traffic, and prints what was found as it is found.
///
/// # Errors
/// When findings cannot be written. Problems found are no error: they are [`Exit::Failed`].
pub fn check(arguments: &cli::Check, loaded: &Loaded) -> Result<Exit, CheckError> {
    let config = &loaded.config;
    let (names, picked) = names(&arguments.interface, &config.capture.interfaces);
    let mut printer = print::Printer::new(arguments.json);

    let data_dir = facts::machine::data_dir(&config.sensor.data_dir);
    let imported = match data_dir.database {
        Database::Good { imported, .. } => imported,
        _ => 0,
    };
    printer.findings(&judge::config::judge(config, loaded.path.as_deref(), imported))?;
    printer.findings(&judge::config::files(&facts::files::named(config)))?;
    let machine = facts::machine::machine();
    printer.findings(&judge::machine::judge(&machine, config.capture.workers, names.len()))?;
    printer.findings(&judge::machine::data_dir(&data_dir))?;
    let listen = facts::services::listen(&config.http);
    printer.findings(&[judge::config::listen(&listen)])?;
    let bound = listen::bind(&config.intake.syslog).map(drop);
    let is_running = listen.state == Port::Egret;
    printer.findings(&judge::syslog::judge(&config.intake.syslog, &bound, is_running))?;
    let bound = flows::bind(&config.intake.flows).map(drop);
    printer.findings(&judge::flows::judge(&config.intake.flows, &bound, is_running))?;
    printer
        .findings(&judge::fleet::judge(&config.fleet, &facts::nats::greetings(&config.fleet)))?;
    for wrapping in &config.capture.receive {
        let opened = receive::open(*wrapping).map(drop);
        printer.findings(&[judge::config::receive(*wrapping, &opened, is_running)])?;
    }

    let interfaces: Vec<_> = names.iter().map(|name| facts::machine::interface(name)).collect();
    printer.findings(&picked.as_ref().map(unnamed).into_iter().collect::<Vec<_>>())?;
    for interface in &interfaces {
        let is_running = listen.state == Port::Egret;
        printer.findings(&judge::interface::judge(
            interface,
            config.capture.backend,
            is_running,
        ))?;
    }
    let time = Duration::from_secs(arguments.seconds.into());
    if !time.is_zero() {
        for traffic in watch(&interfaces, loaded, time) {
            printer.findings(&judge::traffic::judge(&traffic))?;
        }
    }
    let problems = printer.end()?;
    Ok(if problems == 0 { Exit::Done } else { Exit::Failed })
}

/// Looks at all interfaces that can receive, at once.
fn watch(interfaces: &[Interface], loaded: &Loaded, time: Duration) -> Vec<Traffic> {
    let receiving = interfaces.iter().filter(|one| one.link.is_some_and(|link| link.up));
    thread::scope(|scope| {
        let watch = |one: &Interface| facts::traffic::watch(one, &loaded.config, time);
        let threads: Vec<_> = receiving.map(|one| scope.spawn(move || watch(one))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

/// Those that were named; else those that `egret run` would pick, and how it picked them.
fn names(given: &[String], configured: &[String]) -> (Vec<String>, Option<Pick>) {
    match [given, configured].into_iter().find(|names| !names.is_empty()) {
        Some(names) => (names.to_vec(), None),
        None => {
            let pick = interface::pick();
            (pick.names().to_vec(), Some(pick))
        }
    }
}

/// What to say where none is named.
fn unnamed(pick: &Pick) -> Finding {
    let there = interface::names();
    let is_free = |name: &&String| interface::is_card(name) && !pick.names().contains(name);
    let card = there.iter().find(is_free).map_or("eth1", String::as_str);
    let fix = format!("ip link set {card} up, and capture.interface = [\"{card}\"], or -i {card}");
    let names = pick.names().join(", ");
    match pick {
        Pick::Mirrors(_) => {
            let text =
                format!("none is named; `egret run` takes {names}, up and without an address");
            Finding::note("config", "interface", text)
        }
        Pick::Own(_) => {
            let text = format!(
                "none is named, and no card is up without an address; `egret run` takes {names}, which shows \
                 what this host itself sees"
            );
            Finding::problem("config", "interface", text, fix)
        }
        Pick::None => {
            let text = format!("no interface to capture from; there are {}", there.join(", "));
            Finding::problem("config", "interface", text, fix)
        }
    }
}
