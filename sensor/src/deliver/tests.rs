//! Whole deliveries, with time that jumps to the next thing that happens.

use std::time::Duration;

use standardwebhooks::Webhook as Verifier;
use tokio::time::{Instant, sleep};

use crate::config;
use crate::store::keeper::Due;
use receiver::{Act, Receiver, receiver};
use scene::{Scene, alert, webhook};

mod alertmanager;
mod certificates;
mod hostile;
mod log;
mod memory;
mod receiver;
mod scene;
mod syslog;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn requests_are_signed_with_every_key_as_standard_webhooks_verifies() {
    const KEYS: [&str; 2] =
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "the old key, in plain words"];
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, KEYS.join("\n")).unwrap();
    let soc =
        receiver(|number, _| if number == 0 { Act::status(500) } else { Act::status(200) }).await;
    let hook = config::Webhook { secret_file: Some(secret), ..webhook(&soc.url("/hook")) };
    let scene = Scene::start(&[hook]);
    let sent = alert(1);
    scene.outbox.raise(&sent);
    scene.until("delivered", |scene| scene.outbox.delivered() == 1).await;

    let requests = soc.requests();
    assert_eq!(requests.len(), 2);
    for request in &requests {
        let new = Verifier::new(KEYS[0]).unwrap();
        let old = Verifier::from_bytes(KEYS[1].into()).unwrap();
        assert!(new.verify(&request.body, &request.headers).is_ok());
        assert!(old.verify(&request.body, &request.headers).is_ok());
        let other = Verifier::from_bytes(b"a key that nobody has".to_vec()).unwrap();
        assert!(other.verify(&request.body, &request.headers).is_err());
        assert_eq!(request.header("webhook-id"), format!("{}-1", sent.id));
        assert_eq!(request.header("idempotency-key"), request.header("webhook-id"));
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.body, serde_json::to_vec(&sent).unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_is_left_alone_for_as_long_as_it_asks_over_restarts_too() {
    let soc = receiver(|_, _| Act::answer(429, &[("Retry-After", "7200")], "later")).await;
    let scene = Scene::start(&[webhook(&soc.url("/"))]);
    scene.outbox.raise(&alert(1));
    scene.outbox.raise(&alert(2));
    sleep(HOUR).await;
    assert_eq!(soc.requests().len(), 1, "the second alert waits with the first");
    let Due::Now(other) = scene.due().await else { panic!("the second was never tried") };
    assert_eq!(other.alert.id, alert(2).id);

    let outbox = scene.outbox.clone();
    outbox.forget(alert(2).id);
    scene.deliver.stop(Duration::ZERO);
    let again = Scene::over(outbox, &[webhook(&soc.url("/"))]);
    sleep(HOUR - Duration::from_secs(60)).await;
    assert_eq!(soc.requests().len(), 1, "the pause is kept over a restart");
    sleep(Duration::from_secs(120)).await;
    assert_eq!(soc.requests().len(), 2);
    again.stop().await;
}

/// Fails when whoever mends a token has to wait for minutes, or when a reload overrides a receiver
/// that has asked for time.
#[tokio::test(start_paused = true)]
async fn a_reload_ends_the_pause_after_a_failure_but_not_one_that_was_asked_for() {
    for (answer, tried_again) in [(Act::status(401), true), (busy(), false)] {
        let answer = std::sync::Mutex::new(Some(answer));
        let next = move || answer.lock().unwrap().take().unwrap_or_else(|| Act::status(200));
        let soc = receiver(move |_, _| next()).await;
        let scene = Scene::start(&[webhook(&soc.url("/"))]);
        scene.outbox.raise(&alert(1));
        scene.until("a failure", |scene| scene.failures() == 1).await;
        scene.reconfigure(&[webhook(&soc.url("/"))]);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(scene.outbox.delivered() == 1, tried_again);
        scene.stop().await;
    }
}

fn busy() -> Act {
    Act::answer(429, &[("Retry-After", "600")], "later")
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_is_refused_does_not_hold_the_others() {
    let poison = alert(1).id.to_string();
    let soc = receiver(move |_, request| {
        let refused = request.text().contains(&poison);
        if refused { Act::answer(400, &[], "no such \x1b[31mfield") } else { Act::status(204) }
    })
    .await;
    let scene = Scene::start(&[webhook(&soc.url("/"))]);
    for number in 1..=20 {
        scene.outbox.raise(&alert(number));
    }
    sleep(Duration::from_secs(5)).await;
    assert_eq!(scene.outbox.delivered(), 19);
    assert_eq!((scene.pending(), scene.is_open()), (1, false));
    assert_eq!(scene.outbox.reason(), r"answers 400 Bad Request: no such \x1b[31mfield");
    sleep(HOUR).await;
    let tries = soc.requests().len() - 19;
    assert!((12..=17).contains(&tries), "{tries} attempts in an hour");
    scene.outbox.raise(&alert(21));
    scene.until("the new one", |scene| scene.outbox.delivered() == 20).await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_down_gets_time_and_then_everything() {
    let back = Instant::now() + 6 * HOUR;
    let soc =
        receiver(move |_, _| Act::status(if Instant::now() < back { 503 } else { 200 })).await;
    let scene = Scene::start(&[webhook(&soc.url("/"))]);
    for number in 1..=50 {
        scene.outbox.raise(&alert(number));
    }
    scene.until("five failures", |scene| scene.failures() == 5).await;
    sleep(Duration::from_millis(10)).await;
    assert!(scene.is_open());
    assert_eq!(scene.pending(), 50);
    sleep(5 * HOUR).await;
    let tries = soc.requests().len();
    assert!((5 * 12..=5 * 60).contains(&tries), "{tries} attempts in five hours");

    sleep(HOUR + Duration::from_secs(900)).await;
    assert_eq!((scene.outbox.delivered(), scene.pending(), scene.is_open()), (50, 0, false));
    assert_eq!(scene.delivered_metric(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_read_anew_and_never_told() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let splunk = receiver(|_, request| {
        let is_known = request.header("authorization") == "Splunk right-one";
        Act::status(if is_known { 200 } else { 403 })
    })
    .await;
    let hook = config::Webhook {
        format: config::WebhookFormat::SplunkHec,
        token_file: Some(token.clone()),
        ..webhook(&splunk.url(""))
    };
    let scene = Scene::start(&[hook]);
    scene.outbox.raise(&alert(1));
    sleep(Duration::from_secs(1)).await;
    assert!(scene.outbox.reason().contains("token: cannot be read: No such file"));
    assert!(scene.is_open());
    std::fs::write(&token, "wrong-one\n").unwrap();
    sleep(Duration::from_secs(301)).await;
    let said = "answers 403 Forbidden (check token_file and secret_file)";
    assert_eq!(scene.outbox.reason(), said);
    std::fs::write(&token, "right-one\n").unwrap();
    sleep(Duration::from_secs(301)).await;
    assert_eq!(scene.outbox.delivered(), 1);
    let paths: Vec<String> = splunk.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/services/collector/event"; 2]);
}

/// Otherwise a full disk would make it a machine gun.
#[tokio::test(start_paused = true)]
async fn what_was_taken_is_not_sent_again_while_that_cannot_be_written() {
    let soc = receiver(|_, _| Act::status(200)).await;
    let scene = Scene::start(&[webhook(&soc.url("/"))]);
    scene.outbox.break_writes(true);
    scene.outbox.raise(&alert(1));
    scene.outbox.raise(&alert(2));
    sleep(HOUR).await;
    assert_eq!((soc.requests().len(), scene.pending()), (1, 2));
    scene.outbox.break_writes(false);
    sleep(Duration::from_secs(301)).await;
    assert_eq!((soc.requests().len(), scene.outbox.delivered()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_reload_leaves_what_is_unchanged_alone_and_ends_what_is_gone_in_good_order() {
    let slow = || receiver(|_, _| Act::Later(Duration::from_secs(10), 200));
    let (stays, goes, comes) = (slow().await, slow().await, slow().await);
    let scene = Scene::start(&[webhook(&stays.url("/")), webhook(&goes.url("/"))]);
    scene.outbox.raise(&alert(1));
    scene.outbox.raise(&alert(2));
    sleep(Duration::from_secs(5)).await;
    assert_eq!((stays.requests().len(), goes.requests().len()), (1, 1));

    scene.reconfigure(&[webhook(&stays.url("/")), webhook(&comes.url("/"))]);
    sleep(Duration::from_secs(6)).await;
    // What was under way was taken; the next went to those that are left.
    assert_eq!(scene.outbox.delivered(), 2);
    sleep(Duration::from_secs(30)).await;
    assert_eq!((stays.requests().len(), goes.requests().len()), (2, 1));
    let metrics = scene.metrics_text();
    assert!(metrics.contains(&stays.name()) && metrics.contains(&comes.name()), "{metrics}");
    assert!(!metrics.contains(&goes.name()), "{metrics}");
    scene.outbox.raise(&alert(3));
    scene.until("delivered to both", |_| comes.requests().len() == 1).await;
}

/// The same name with another format: two tasks at once would send everything twice.
#[tokio::test(start_paused = true)]
async fn a_changed_target_begins_when_the_old_one_has_ended() {
    let soc = receiver(|_, _| Act::Later(Duration::from_secs(10), 200)).await;
    let old = webhook(&soc.url("/"));
    let new = config::Webhook { format: config::WebhookFormat::Ecs, ..old.clone() };
    let scene = Scene::start(&[old]);
    scene.outbox.raise(&alert(1));
    sleep(Duration::from_secs(5)).await;
    scene.reconfigure(&[new]);
    sleep(Duration::from_secs(60)).await;
    assert_eq!((soc.requests().len(), scene.outbox.delivered()), (1, 1));
    scene.outbox.raise(&alert(2));
    sleep(Duration::from_secs(11)).await;
    assert!(soc.requests()[1].text().contains("@timestamp"));
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_the_attempt_under_way_finish_and_begins_no_other() {
    let soc = receiver(|_, _| Act::Later(Duration::from_secs(3), 200)).await;
    let scene = Scene::start(&[webhook(&soc.url("/"))]);
    scene.outbox.raise(&alert(1));
    scene.outbox.raise(&alert(2));
    sleep(Duration::from_secs(1)).await;
    let outbox = scene.outbox.clone();
    let begun = Instant::now();
    scene.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!((outbox.delivered(), soc.requests().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_no_longer_than_it_was_told_to() {
    let soc = receiver(|_, _| Act::Hang).await;
    let scene = Scene::start(&[webhook(&soc.url("/"))]);
    scene.outbox.raise(&alert(1));
    sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    scene.stop().await;
    assert_eq!(begun.elapsed().as_secs(), scene::PATIENCE.as_secs());
}
