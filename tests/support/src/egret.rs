//! The `egret` binary as a test runs it: arguments in, exit code and text out.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// One run of the binary, being put together. The config of the machine is left out unless the
/// test gives one.
#[derive(Debug)]
pub struct Egret {
    command: Command,
    input: Vec<u8>,
    has_config: bool,
}

impl Egret {
    /// A run of `binary`, which is `env!("CARGO_BIN_EXE_egret")` in tests of the sensor crate.
    pub fn new(binary: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(binary);
        command.env_remove("NO_COLOR").env_remove("RUST_LOG");
        Self { command, input: Vec::new(), has_config: false }
    }

    /// In this directory: names of files are printed as they are given.
    #[must_use]
    pub fn within(mut self, directory: impl AsRef<Path>) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// `egret read FILE`; call it again for more files.
    #[must_use]
    pub fn read(self, file: impl AsRef<OsStr>) -> Self {
        let is_first = self.command.get_args().all(|argument| argument != "read");
        if is_first { self.arg("read").arg(file) } else { self.arg(file) }
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.has_config |= argument.as_ref() == "--config";
        self.command.arg(argument);
        self
    }

    /// With these arguments, separated by spaces.
    #[must_use]
    pub fn args(self, arguments: &str) -> Self {
        arguments.split_whitespace().fold(self, Self::arg)
    }

    /// With this in the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// With this on standard input, which is empty otherwise.
    #[must_use]
    pub fn input(mut self, bytes: &[u8]) -> Self {
        self.input = bytes.to_vec();
        self
    }

    /// The command, for a test that runs it in its own way.
    pub fn command(mut self) -> Command {
        if !self.has_config {
            self.command.args(["--config", "/dev/null"]);
        }
        self.command
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Ran {
        let input = std::mem::take(&mut self.input);
        let mut child = self
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built by cargo");
        let mut stdin = child.stdin.take().expect("it is piped");
        let feeder = std::thread::spawn(move || {
            // It may end without reading all.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
        Ran {
            code: output.status.code().expect("it was not killed"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
}

impl Ran {
    /// The same, when the exit code is 0.
    ///
    /// # Panics
    /// With what was said, when it is not.
    #[must_use]
    pub fn done(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// The JSON objects that stdout consists of.
    ///
    /// # Panics
    /// When there is anything else.
    pub fn json(&self) -> Vec<Value> {
        json_lines(&self.stdout)
    }

    /// What the summary says behind `label`, each line of it.
    pub fn summary(&self, label: &str) -> Vec<&str> {
        let of_label = |line: &'_ str| line.split_whitespace().next() == Some(label);
        self.stdout.lines().filter(|line| of_label(line)).filter_map(|line| line.get(9..)).collect()
    }
}

/// The JSON objects of `text`, one a line.
///
/// # Panics
/// When a line is anything else.
pub fn json_lines(text: &str) -> Vec<Value> {
    let object = |line: &str| match serde_json::from_str(line) {
        Ok(object @ Value::Object(_)) => object,
        other => panic!("{line:?} is no JSON object: {other:?}"),
    };
    text.lines().map(object).collect()
}
