//! What the log says: when a target begins to fail and when it takes alerts again, never retries.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use tracing::Dispatch;

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Somebody else who listens. While there is one listener alone, tracing asks only the thread that comes by a line
/// first whether anybody does, and remembers: that may be a test without one.
static OTHER: LazyLock<Dispatch> =
    LazyLock::new(|| Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish()));

/// What is logged from now on in this thread.
fn listen() -> (Lines, tracing::subscriber::DefaultGuard) {
    LazyLock::force(&OTHER);
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false);
    let log = log.with_target(false).without_time().finish();
    (lines, tracing::subscriber::set_default(log))
}

impl Lines {
    fn text(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_has_two_lines_however_long_it_is() {
    let (log, _guard) = listen();
    let back = Instant::now() + 24 * HOUR;
    let soc =
        receiver(move |_, _| Act::status(if Instant::now() < back { 500 } else { 200 })).await;
    let scene = Scene::start(&[webhook(&soc.url("/"))]);
    for number in 1..=9 {
        scene.outbox.raise(&alert(number));
    }
    scene.count_pending();
    sleep(25 * HOUR).await;
    assert_eq!(scene.outbox.delivered(), 9);
    let lines = log.text();
    let [begin, end] = lines.as_slice() else { panic!("{lines:#?}") };
    let name = soc.name();
    let said = format!(
        " WARN deliver: {name} fails; alerts wait and are sent again: answers 500 Internal Server Error"
    );
    assert_eq!(*begin, said);
    assert!(
        end.starts_with(&format!(" WARN deliver: {name} takes alerts again after 1d")),
        "{end}"
    );
    assert!(end.ends_with("; 9 waited"), "{end}");
}

#[tokio::test(start_paused = true)]
async fn what_only_a_person_can_change_is_said_once() {
    let (log, _guard) = listen();
    let soc = receiver(|_, _| Act::status(401)).await;
    let scene = Scene::start(&[webhook(&soc.url("/"))]);
    scene.outbox.raise(&alert(1));
    scene.outbox.raise(&alert(2));
    sleep(24 * HOUR).await;
    let lines = log.text();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("takes nothing until this is changed: answers 401"), "{lines:?}");
    let tries = soc.requests().len();
    assert!((24 * 12..=24 * 17).contains(&tries), "{tries} attempts in a day");
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_is_refused_is_said_once() {
    let (log, _guard) = listen();
    let soc = receiver(|_, _| Act::status(422)).await;
    let scene = Scene::start(&[webhook(&soc.url("/"))]);
    scene.outbox.raise(&alert(1));
    sleep(24 * HOUR).await;
    let lines = log.text();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains(&format!("refuses alert {}", alert(1).id)), "{lines:?}");
}
