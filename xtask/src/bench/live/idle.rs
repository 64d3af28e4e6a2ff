//! What the sensor takes while nothing happens.

use std::time::Duration;

use super::cable::Cable;
use super::reader::{Program, Reader};

/// How long is looked.
const WATCHED: Duration = Duration::from_secs(20);

/// What two workers may take of a processor, in per cent.
const BAR: f64 = 0.5;

pub(crate) fn report(cable: &Cable) -> anyhow::Result<()> {
    let binary = crate::bench::egret()?;
    let program = Program::Egret { binary, workers: 2, backend: "auto", name: "egret" };
    let reader = Reader::start(&program, cable)?;
    // Starting is over when it has looked at everything once.
    std::thread::sleep(Duration::from_secs(3));
    let before = reader.accounts()?;
    std::thread::sleep(WATCHED);
    let after = reader.accounts()?;
    println!("\nsilent interface, 2 workers, over {} s", WATCHED.as_secs());
    println!("  {:<16} {:>16} {:>10}", "thread", "% of a processor", "wakes a s");
    let seconds = WATCHED.as_secs_f64();
    let (mut share, mut wakes) = (0.0, 0.0);
    for (after, before) in after.iter().zip(&before) {
        let time = after.time.saturating_sub(before.time).as_secs_f64() / seconds * 100.0;
        let turns = (after.turns - before.turns) as f64 / seconds;
        println!("  {:<16} {time:>16.3} {turns:>10.1}", after.name);
        share += time;
        wakes += turns;
    }
    let verdict = if share <= BAR { "within" } else { "OVER" };
    println!("  {:<16} {share:>16.3} {wakes:>10.1}  {verdict} {BAR} %", "all");
    Ok(())
}
