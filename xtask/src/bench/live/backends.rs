//! What XDP saves: the same frames through the AF_PACKET ring and through XDP, taking turns.

use std::time::Duration;

use anyhow::{Context, ensure};
use egret_tests::net::LiveFrames;

use super::cable::Cable;
use super::reader::Program;
use super::{Arguments, FLOWS, Spread, Turn, turn};

/// Each as (`capture.backend`, its name here), the ring first.
const BACKENDS: [(&str, &str); 2] = [("afpacket", "ring"), ("xdp", "xdp")];

/// Conversations: few, which all have their place in the kernel's table, and many, which do not.
const MANY_FLOWS: u32 = 500_000;

/// How many times as much the ring is to cost at least, kernel and program together.
const BAR_FEW: f64 = 3.5;
const BAR_MANY: f64 = 1.8;
/// And the program alone, on full frames of few conversations.
const BAR_BULK: f64 = 20.0;

/// Frames that arrive before those that are measured, so that conversations are under way: of half a
/// million each has some.
const WARM_UP: u64 = 3_000_000;

/// And time after them, in which the sensor sees that no frame comes twice, and need not look for that.
const SETTLED: Duration = Duration::from_millis(2500);

/// How long is measured: once in this time all volumes are told, whenever it begins.
const MEASURED: Duration = Duration::from_secs(10);

/// Shortest frame of an Ethernet, in bytes.
const SHORT: usize = 60;
/// Longest frame of an Ethernet without jumbo frames, in bytes.
const FULL: usize = 1514;

pub(super) fn report(arguments: &Arguments, cable: &Cable) -> anyhow::Result<()> {
    for (flows, bar) in [(FLOWS, BAR_FEW), (MANY_FLOWS, BAR_MANY)] {
        for length in [SHORT, FULL] {
            let rounds = compare(arguments, cable, (length, flows), bar)?;
            if (length, flows) == (FULL, FLOWS) {
                ratio("program", &rounds, |turn| arriving(turn, turn.program), BAR_BULK)?;
            }
        }
    }
    Ok(())
}

/// Of all this the hardest: short frames of many conversations.
pub(super) fn crowded(arguments: &Arguments, cable: &Cable) -> anyhow::Result<()> {
    compare(arguments, cable, (SHORT, MANY_FLOWS), BAR_MANY)?;
    Ok(())
}

/// Both on frames of this length, of so many conversations.
fn compare(
    arguments: &Arguments,
    cable: &Cable,
    (length, flows): (usize, u32),
    bar: f64,
) -> anyhow::Result<Vec<[Turn; 2]>> {
    let frames = cable.live_frames(length, flows);
    let mut rounds = Vec::new();
    for _ in 0..arguments.rounds.max(1) {
        rounds.push(round(cable, &frames)?);
    }
    println!(
        "\n{length} bytes a frame, {flows} flows, at a rate that is somewhat too high for the ring"
    );
    table(&rounds, length)?;
    println!("  ns: processor time a frame that arrived, read or not; median (least to most)");
    let cost = |turn: &Turn| arriving(turn, turn.kernel + turn.program);
    ratio("kernel and program", &rounds, cost, bar)?;
    Ok(rounds)
}

/// One turn with each.
fn round(cable: &Cable, frames: &LiveFrames) -> anyhow::Result<[Turn; 2]> {
    let take = |(backend, name)| {
        let binary = crate::bench::egret()?;
        let program = Program::Egret { binary, workers: 1, backend, name };
        let warm_up = |cable: &Cable| {
            cable.send_live(frames, |arrived, _| arrived >= WARM_UP);
            std::thread::sleep(SETTLED);
        };
        turn(cable, &program, warm_up, |cable| {
            cable.send_live(frames, |_, elapsed| elapsed >= MEASURED)
        })
    };
    let [ring, xdp] = BACKENDS.map(take);
    let (ring, xdp) = (ring?, xdp?);
    ensure!(xdp.said.in_kernel > 0, "the kernel counted nothing: XDP was not what captured");
    Ok([ring, xdp])
}

fn table(rounds: &[[Turn; 2]], length: usize) -> anyhow::Result<()> {
    println!(
        "  {:<6} {:>8} {:>8} {:>12} {:>10} {:>18} {:>18} {:>18} {:>18}",
        "",
        "Mpps in",
        "lost %",
        "in kernel %",
        "evicted %",
        "kernel ns",
        "program ns",
        "both",
        "program s/GB"
    );
    for (place, (_, name)) in BACKENDS.iter().enumerate() {
        let turns: Vec<&Turn> = rounds.iter().filter_map(|round| round.get(place)).collect();
        let spread = |figure: &dyn Fn(&Turn) -> f64| {
            Spread::of(turns.iter().map(|turn| figure(turn))).context("no round was run")
        };
        let share = |part: u64, turn: &Turn| part as f64 / turn.arrived as f64 * 100.0;
        println!(
            "  {name:<6} {:>8.2} {:>8.1} {:>12.2} {:>10.2} {:>18.0} {:>18.1} {:>18.0} {:>18.4}",
            spread(&|turn| turn.arrived as f64 / turn.seconds / 1e6)?.median,
            spread(&|turn| share(turn.said.lost, turn))?.median,
            spread(&|turn| share(turn.said.in_kernel, turn))?.median,
            spread(&|turn| share(turn.said.evicted, turn))?.median,
            spread(&|turn| arriving(turn, turn.kernel))?,
            spread(&|turn| arriving(turn, turn.program))?,
            spread(&|turn| arriving(turn, turn.kernel + turn.program))?,
            // Nanoseconds a byte are seconds a gigabyte.
            spread(&|turn| arriving(turn, turn.program) / length as f64)?,
        );
    }
    Ok(())
}

/// Nanoseconds for each frame that arrived, also those that were lost: the ring's gain, not XDP's.
fn arriving(turn: &Turn, time: std::time::Duration) -> f64 {
    time.as_nanos() as f64 / turn.arrived as f64
}

/// The ring's cost over that of XDP in the same round.
fn ratio(
    what: &str,
    rounds: &[[Turn; 2]],
    cost: impl Fn(&Turn) -> f64,
    bar: f64,
) -> anyhow::Result<()> {
    let ratios = rounds.iter().map(|[ring, xdp]| cost(ring) / cost(xdp));
    let ratio = Spread::of(ratios).context("no round was run")?;
    let verdict = if ratio.median >= bar { "at least" } else { "BELOW" };
    println!("  ring / xdp, {what}: {ratio:.2}  {verdict} {bar}");
    Ok(())
}
