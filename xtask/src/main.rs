//! `cargo xtask VERB`: every chore of the project, one module a verb.

use clap::{Parser, Subcommand};

mod captures;
mod evaluate;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Egret's chores")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Writes the demo capture that the repository keeps
    Captures(captures::Arguments),
    /// Runs the release binary over seeded days of an estate and compares its alerts with the truth
    Evaluate(evaluate::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().verb {
        Verb::Captures(arguments) => captures::run(&arguments),
        Verb::Evaluate(arguments) => evaluate::run(&arguments),
    }
}
