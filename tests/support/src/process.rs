//! A program running beside a test: its output kept, ended with the test, shown when that fails.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::wait;

/// How long a program may take to end when asked to.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much of its output is shown when a test fails.
const SHOWN: usize = 20;

/// A running program.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it with what it says on stderr in the file `log`, and its results on stdout in another
    /// beside that.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(name: &str, mut command: Command, log: PathBuf) -> Self {
        let open = |path: &Path| {
            let file = File::options().create(true).append(true).open(path);
            file.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let [results, said] = [open(&log.with_extension("out")), open(&log)];
        let child = command.stdin(Stdio::null()).stdout(results).stderr(said).spawn();
        let child = child.unwrap_or_else(|error| panic!("{name}: {command:?}: {error}"));
        Self { name: name.to_owned(), child, log }
    }

    /// Its id. (`ip netns exec` and `setpriv` become the program; they do not start it.)
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All it said on stderr.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// What `look` finds, as long as the program runs.
    ///
    /// # Panics
    /// When it ends, or `look` finds nothing in time.
    pub fn until<T>(
        &mut self,
        what: &str,
        patience: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> T {
        let mut ended = None;
        let found = wait::within(patience, || {
            ended = self.child.try_wait().expect("it is our child");
            if ended.is_some() { Some(None) } else { look().map(Some) }
        });
        match (found, ended) {
            (Some(Some(found)), _) => found,
            (_, Some(status)) => panic!("{} ended with {status}\n{}", self.name, self.said()),
            _ => panic!("{}: {what}: not within {patience:?}\n{}", self.name, self.said()),
        }
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it has ended.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// How it ended, when it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it is our child")
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it takes longer.
    pub fn wait(&mut self, patience: Duration) -> ExitStatus {
        let ended = wait::within(patience, || self.ended());
        ended.unwrap_or_else(|| {
            panic!("{} still runs after {patience:?}\n{}", self.name, self.said())
        })
    }

    /// Ends it at once, as the kernel does when memory runs out.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            // A stopped one hears no SIGTERM.
            let _ = kill_process(self.pid(), Signal::CONT);
            let _ = kill_process(self.pid(), Signal::TERM);
            if wait::within(PATIENCE, || self.ended()).is_none() {
                self.kill();
            }
        }
        if std::thread::panicking() {
            let said = self.said();
            let lines: Vec<&str> = said.lines().collect();
            let last = &lines[lines.len().saturating_sub(SHOWN)..];
            eprintln!("--- {} said last:\n{}\n---", self.name, last.join("\n"));
        }
    }
}
