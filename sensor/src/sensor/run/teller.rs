//! Tells of alerts that are on disk: on stdout for people, and in the file of `--alerts`.

use std::fs::OpenOptions;
use std::io::{self, Write};

use crate::alert::Alert;
use crate::alert::format::{Style, human};
use crate::cli::{Output, Stream};
use crate::logging::has_colour;
use crate::sensor::output::write_alert;
use crate::text::reason;

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
    pub(super) fn new(output: &Output) -> io::Result<Self> {
        if let Some(lines) = &output.alerts {
            append(lines)?;
        }
        let to_stderr = output.takes_stdout();
        let colour = if to_stderr { has_colour(&io::stderr()) } else { has_colour(&io::stdout()) };
        Ok(Self { lines: output.alerts.clone(), json: output.json, colour, to_stderr })
    }

    /// Tells of alerts. What cannot be written is on disk all the same.
    pub(super) fn tell(&self, alerts: &[Alert]) {
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

fn append(stream: &Stream) -> io::Result<Box<dyn Write>> {
    Ok(match stream {
        Stream::Standard => Box::new(io::stdout()),
        Stream::File(path) => Box::new(OpenOptions::new().create(true).append(true).open(path)?),
    })
}
