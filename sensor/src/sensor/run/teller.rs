//! Tells of alerts that are on disk: on stdout for people, and in the file of `--alerts`. On a
//! thread of its own: a terminal that stands still must not keep alerts from being stored and sent.

use std::io::{self, Write};
use std::sync::mpsc::{self, TrySendError};
use std::thread::JoinHandle;

use super::RunError;
use super::start::spawn;
use crate::alert::format::{Style, human};
use crate::alert::{Alert, Status};
use crate::cli::{Output, Stream};
use crate::logging::has_colour;
use crate::sensor::output::{append, write_alert};
use crate::store::keeper::OnCommitted;
use crate::text::reason;

/// Times that alerts wait to be told at most; on disk they are in any case.
const WAITING: usize = 256;

/// Where committed alerts are told.
pub(super) struct Teller {
    lines: Option<Stream>,
    json: bool,
    colour: bool,
    to_stderr: bool,
}

impl Teller {
    /// Makes sure that the file of `--alerts` can be written.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn new(output: &Output) -> Result<Self, RunError> {
        if let Some(lines) = &output.alerts {
            append(lines).map_err(|source| RunError::Output { path: lines.to_string(), source })?;
        }
        let to_stderr = output.takes_stdout();
        let colour = if to_stderr { has_colour(&io::stderr()) } else { has_colour(&io::stdout()) };
        Ok(Self { lines: output.alerts.clone(), json: output.json, colour, to_stderr })
    }

    /// Starts the thread; it ends when what is given here is dropped and all has been told.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(super) fn start(self) -> Result<(OnCommitted, JoinHandle<()>), RunError> {
        let (alerts, committed) = mpsc::sync_channel::<Vec<Alert>>(WAITING);
        let handle = spawn("egret-tell", move || {
            committed.iter().for_each(|alerts| self.tell(&alerts));
        })?;
        let mut late = false;
        let hand_on: OnCommitted = Box::new(move |committed| {
            let told = |alert: &&Alert| alert.status != Status::Suppressed;
            let committed: Vec<Alert> = committed.iter().filter(told).cloned().collect();
            let is_full = matches!(alerts.try_send(committed), Err(TrySendError::Full(_)));
            if is_full && !late {
                tracing::error!("alerts are shown too slowly; `egret alerts` has those left out");
            }
            late = is_full;
        });
        Ok((hand_on, handle))
    }

    /// Tells of alerts. What cannot be written is on disk all the same.
    fn tell(&self, alerts: &[Alert]) {
        let (mut lines, mut text) = (Vec::new(), Vec::new());
        for alert in alerts {
            write_alert(alert, &mut lines);
            if !self.json {
                let style = if self.colour { Style::Colour } else { Style::Plain };
                text.extend_from_slice(human(alert, style).to_string().as_bytes());
            }
        }
        if let Some(stream) = &self.lines {
            // Opened for each time: alerts are few, and the file may have been rotated away.
            if let Err(error) = append(stream).and_then(|mut to| to.write_all(&lines)) {
                let why = reason(&error);
                tracing::error!(
                    "{stream}: alerts cannot be written: {why}; `egret alerts` has them"
                );
            }
        }
        let told = if self.json { &lines } else { &text };
        // A terminal that is gone needs no alerts.
        let _ = if self.to_stderr {
            io::stderr().write_all(told)
        } else {
            io::stdout().write_all(told).and_then(|()| io::stdout().flush())
        };
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::process::Command;
    use std::time::Instant;

    use super::*;

    fn output(alerts: &std::path::Path) -> Output {
        Output { events: None, alerts: Some(Stream::File(alerts.to_owned())), json: false }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_said_by_its_name() {
        let Err(error) = Teller::new(&output("/nowhere/alerts.json".as_ref())) else {
            panic!("there is no such directory");
        };
        let error = error.to_string();
        assert!(error.starts_with("/nowhere/alerts.json: cannot be opened"), "{error}");
    }

    #[test]
    fn who_stores_alerts_never_waits_for_who_reads_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("alerts");
        fs::write(&path, "").unwrap();
        let teller = Teller::new(&output(&path)).unwrap();
        // To open a FIFO stands still until someone reads.
        fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let (mut tell, thread) = teller.start().unwrap();
        let start = Instant::now();
        for _ in 0..2 * WAITING {
            tell(&[]);
        }
        assert!(start.elapsed().as_secs() < 5);
        assert!(!thread.is_finished());
        // Someone who reads, and stays.
        let reader = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        drop(tell);
        thread.join().unwrap();
        drop(reader);
    }
}
