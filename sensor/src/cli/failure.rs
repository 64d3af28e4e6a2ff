//! What a command that failed ends with.

use std::fmt;

use super::Exit;

/// Why a command failed; its text is for the person who gave the command.
pub trait Failure: fmt::Display {
    /// What the program ends with.
    fn exit(&self) -> Exit {
        Exit::Failed
    }
}
