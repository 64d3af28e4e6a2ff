//! What the engine makes of streams of events, whatever the detector.

use super::*;
use crate::alert::format::{Style, human};
use crate::alert::{Analytic, Fact, Severity};
use crate::decode::protocol;
use crate::mirror::Sequences;

mod learning;
pub(super) mod packets;
mod scene;

pub(super) use scene::{
    DAY, HOUR, JA4, MINUTE, MONDAY, Scene, Told, about, any_asset, at_least, attacked, time,
};

#[test]
fn the_same_events_give_the_same_alerts_to_the_byte() {
    let mut scene = attacked();
    let lines = |scene: &Scene| -> Vec<String> {
        let told = scene.run();
        told.iter().map(|told| serde_json::to_string(&told.alert).unwrap()).collect()
    };
    let first = lines(&scene);
    assert_eq!(first.len(), 3, "{first:#?}");
    assert_eq!(first, lines(&scene));
    scene.config.channels.enabled = true;
    let with_channels = lines(&scene);
    assert!(first.iter().all(|line| with_channels.contains(line)), "{with_channels:#?}");
    assert_eq!(with_channels, lines(&scene));
}

#[test]
fn what_an_earlier_run_learned_is_known_and_what_it_did_not_is_found() {
    let mut learned = Scene::new();
    learned.routine(5, 3);
    let mut engine = Engine::new(&learned.config, Some(Duration::from_secs(3 * DAY)), None);
    learned.run_with(&mut engine);
    let kept = serde_json::to_string(&engine.baseline()).unwrap();
    let kept: Baseline = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept, engine.baseline());

    let mut scene = attacked();
    scene.config.baseline.learning = Duration::ZERO;
    scene.events.retain(|event| event.time >= time(2 * DAY));
    let mut engine = Engine::new(&scene.config, None, Some(kept));
    let told = scene.run_with(&mut engine);
    assert_eq!(told.len(), 3, "{:?}", at_least(Severity::Low, &told));
}

#[test]
fn alerts_say_what_the_mirror_does_while_it_matters_and_else_nothing() {
    let scene = attacked();
    let lossy = MirrorFacts { packets: 9000, dropped: 1000, ..MirrorFacts::default() };
    let well = MirrorFacts { packets: 9000, dropped: 1, ..MirrorFacts::default() };
    let mirror = |facts: Option<MirrorFacts>| {
        let mut engine = Engine::new(&scene.config, scene.learn, None);
        scene.run_between(&mut engine, |engine, event| {
            facts.into_iter().for_each(|facts| engine.mirror(facts, event.time));
        })
    };
    let said = |told: &Told| told.alert.evidence.iter().any(|e| matches!(e.fact, Fact::Mirror(_)));
    let lines = |told: &[Told]| -> Vec<String> {
        told.iter().map(|told| serde_json::to_string(&told.alert).unwrap()).collect()
    };
    let told = mirror(Some(lossy));
    assert!(told.len() == 3 && told.iter().all(said));
    assert_eq!(lines(&mirror(Some(well))), lines(&mirror(None)));
}

/// Fails when a mirror that shows one packet in ten makes a tenth of a spike, or nobody is told so.
#[test]
fn volumes_of_a_sampled_mirror_are_estimated_and_said_to_be() {
    let mut scene = attacked();
    let whole = scene.run_with(&mut Engine::new(&scene.config, scene.learn, None));
    for event in &mut scene.events {
        if let Body::Volume(volume) = &mut event.body {
            for seen in [&mut volume.to_server, &mut volume.to_client] {
                (seen.bytes, seen.packets) = (seen.bytes / 10, seen.packets.div_ceil(10));
            }
            volume.one_in = Some(10.0);
        }
    }
    let recent = MirrorFacts {
        sequences: Sequences {
            segments: 1000,
            seen_bytes: 1_000_000,
            sent_bytes: 10_000_000,
            directions: 20,
            gapped: 20,
        },
        ..MirrorFacts::default()
    };
    let facts = SourceFacts { recent: recent.rated(), ..SourceFacts::default() };
    let mut engine = Engine::new(&scene.config, scene.learn, None);
    let told = scene.run_between(&mut engine, |engine, event| engine.sources(&[facts], event.time));
    assert_eq!(told.len(), whole.len());
    let spike = |told: &Told| {
        told.alert.evidence.iter().find_map(|piece| match piece.fact {
            Fact::VolumeSpike { observed_bytes, .. } => Some(observed_bytes as f64),
            _ => None,
        })
    };
    for (told, whole) in told.iter().zip(&whole) {
        assert_eq!(told.alert.severity, whole.alert.severity);
        if let (Some(estimated), Some(real)) = (spike(told), spike(whole)) {
            assert!((estimated / real - 1.0).abs() < 0.01, "{estimated} for {real}");
        }
        if told.analytic != Analytic::AN1416 {
            continue;
        }
        let summary = &told.alert.summary;
        assert!(summary.contains(" seen, 1 in 10 sampled)"), "{summary}");
        assert!(told.alert.evidence.iter().any(|piece| matches!(
            piece.fact,
            Fact::Mirror(MirrorFacts { one_in: Some(10.0), .. })
        )));
        let text = human(&told.alert, Style::Plain).to_string();
        assert!(text.contains("an estimate: "), "{text}");
    }
}

#[test]
fn times_far_off_stop_nothing() {
    let mut engine = Engine::new(&Config::default(), None, None);
    for seconds in [0, u64::MAX / 2_000_000_000, 1, u64::MAX / 1_000_000_000] {
        let mut scene = Scene::new();
        scene.visit(0, "10.1.0.1", "a.example", "203.0.113.9", 10, 1000);
        for event in &mut scene.events {
            event.time = Timestamp::from_parts(seconds, 0);
            engine.event(event);
        }
    }
    engine.finish();
}
