//! `cargo xtask VERB`: every chore of the project, one module a verb.

use clap::{Parser, Subcommand};

mod bench;
mod captures;
mod channels;
mod dist;
mod ebpf;
mod evaluate;
mod floor;
mod fuzz;
mod image;
mod licences;
mod package;
mod tools;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Egret's chores")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Writes the demo capture and log that the repository keeps
    Captures(captures::Arguments),
    /// Runs the release binary over seeded days of an estate and compares its alerts with the truth
    Evaluate(evaluate::Arguments),
    /// Measures the release binary over generated captures, beside the floors
    Bench(bench::Arguments),
    /// Writes the docs of the channel detectors and the layer of the ATT&CK Navigator
    Channels(channels::Arguments),
    /// Builds the kernel programs into the object that Egret carries
    Ebpf(ebpf::Arguments),
    /// Runs the fuzz targets, each from its kept corpus
    Fuzz(fuzz::Arguments),
    /// Makes what a release consists of
    Dist(dist::Arguments),
    /// Makes the Debian package
    Package(package::Arguments),
    /// Makes the appliance: qcow2, VMDK and OVA
    Image(image::Arguments),
    /// What `bench` measures the binary against
    #[command(hide = true)]
    Floor(floor::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().verb {
        Verb::Captures(arguments) => captures::run(&arguments),
        Verb::Evaluate(arguments) => evaluate::run(&arguments),
        Verb::Bench(arguments) => bench::run(&arguments),
        Verb::Channels(arguments) => channels::run(&arguments),
        Verb::Ebpf(arguments) => ebpf::run(&arguments),
        Verb::Fuzz(arguments) => fuzz::run(&arguments),
        Verb::Dist(arguments) => dist::run(&arguments),
        Verb::Package(arguments) => package::run(&arguments),
        Verb::Image(arguments) => image::run(&arguments),
        Verb::Floor(arguments) => floor::run(&arguments),
    }
}
