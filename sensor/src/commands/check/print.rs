//! Findings on stdout: a line each for people, or an object each.

use std::io::{self, Stdout, Write};

use super::{Finding, Level};
use crate::logging::has_colour;

/// Prints findings as they come, and counts them.
pub(super) struct Printer {
    to: Stdout,
    form: Form,
    counts: [u64; 3],
}

#[derive(Clone, Copy)]
enum Form {
    Json,
    Plain,
    Coloured,
}

impl Printer {
    pub(super) fn new(json: bool) -> Self {
        let to = io::stdout();
        let form = match (json, has_colour(&to)) {
            (true, _) => Form::Json,
            (false, true) => Form::Coloured,
            (false, false) => Form::Plain,
        };
        Self { to, form, counts: [0; 3] }
    }

    pub(super) fn findings(&mut self, findings: &[Finding]) -> io::Result<()> {
        for finding in findings {
            if let Some(count) = self.counts.get_mut(finding.level as usize) {
                *count += 1;
            }
            write_finding(&mut self.to.lock(), self.form, finding)?;
        }
        self.to.flush()
    }

    /// Sums up for people; how many problems there were.
    pub(super) fn end(mut self) -> io::Result<u64> {
        let [ok, notes, problems] = self.counts;
        if !matches!(self.form, Form::Json) {
            let plural = |count: u64| if count == 1 { "" } else { "s" };
            writeln!(
                self.to,
                "\n{problems} problem{}, {notes} note{}, {ok} ok",
                plural(problems),
                plural(notes)
            )?;
        }
        Ok(problems)
    }
}

fn write_finding(to: &mut impl Write, form: Form, finding: &Finding) -> io::Result<()> {
    let Finding { level, subject, text, fix, .. } = finding;
    match form {
        Form::Json => {
            serde_json::to_writer(&mut *to, finding)?;
            return writeln!(to);
        }
        Form::Plain => write!(to, "{:<8} ", level.name())?,
        Form::Coloured => {
            let colour = match level {
                Level::Ok => 32,
                Level::Note => 33,
                Level::Problem => 31,
            };
            write!(to, "\x1b[{colour}m{:<8}\x1b[0m ", level.name())?;
        }
    }
    writeln!(to, "{subject}: {text}")?;
    match fix {
        Some(fix) => writeln!(to, "{:<8} -> {fix}", ""),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(form: Form, finding: &Finding) -> String {
        let mut to = Vec::new();
        write_finding(&mut to, form, finding).unwrap();
        String::from_utf8(to).unwrap()
    }

    #[test]
    fn a_finding_is_one_line_and_its_fix_another() {
        let problem = Finding::problem("eth1", "gro", "GRO is on", "ethtool -K eth1 gro off");
        assert_eq!(
            written(Form::Plain, &problem),
            "problem  eth1: GRO is on\n         -> ethtool -K eth1 gro off\n"
        );
        assert!(written(Form::Coloured, &problem).starts_with("\x1b[31mproblem \x1b[0m eth1: "));
        assert_eq!(
            written(Form::Json, &Finding::ok("clock", "clock", "synchronised")),
            "{\"level\":\"ok\",\"subject\":\"clock\",\"check\":\"clock\",\"text\":\"synchronised\"}\n"
        );
    }
}
