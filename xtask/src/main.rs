//! `cargo xtask VERB`: every chore of the project, one module a verb.

fn main() {}
