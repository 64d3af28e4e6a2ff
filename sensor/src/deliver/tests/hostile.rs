//! Receivers that are slow, broken or wicked: each costs its own alerts time, and no other's.

use super::*;

/// Delivers to `bad` and to a good receiver. The good one has everything at once; what is stored
/// about the bad one's failure is returned, and how long that took.
async fn beside_a_good_one(bad: &Receiver) -> (String, Duration) {
    let good = receiver(|_, _| Act::status(200)).await;
    let scene = Scene::start(&[webhook(&bad.url("/")), webhook(&good.url("/"))]);
    let begun = Instant::now();
    for number in 1..=3 {
        scene.outbox.raise(&alert(number));
    }
    scene.until("the good one", |scene| scene.delivered_to(&good.name()) == 3).await;
    assert!(begun.elapsed() < Duration::from_millis(500), "held up for {:?}", begun.elapsed());
    scene.until("a reason", |scene| !scene.outbox.reason().is_empty()).await;
    let took = begun.elapsed();
    assert!(scene.failures() >= 1);
    assert_eq!(scene.pending(), 3);
    let reason = scene.outbox.reason();
    sleep(HOUR).await;
    assert!(scene.is_open());
    assert_eq!(scene.delivered_to(&good.name()), 3);
    scene.stop().await;
    (reason, took)
}

#[tokio::test(start_paused = true)]
async fn one_that_says_nothing_is_given_fifteen_seconds() {
    let (reason, took) = beside_a_good_one(&receiver(|_, _| Act::Hang).await).await;
    assert_eq!((reason.as_str(), took.as_secs()), ("no answer within 15 s", 15));
}

#[tokio::test(start_paused = true)]
async fn one_that_answers_byte_by_byte_is_given_fifteen_seconds() {
    let (reason, took) = beside_a_good_one(&receiver(|_, _| Act::Dribble).await).await;
    assert_eq!((reason.as_str(), took.as_secs()), ("no answer within 15 s", 15));
}

#[tokio::test(start_paused = true)]
async fn one_that_resets_in_the_middle_of_its_answer_has_not_taken_it() {
    let (reason, took) = beside_a_good_one(&receiver(|_, _| Act::Reset).await).await;
    let is_said = reason == "Connection reset by peer" || reason.starts_with("connection closed");
    assert!(is_said, "{reason}");
    assert!(took < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn one_whose_answer_never_ends_is_read_for_four_kibibytes() {
    let (reason, took) = beside_a_good_one(&receiver(|_, _| Act::Gigantic).await).await;
    assert!(reason.starts_with("answers 500 Internal Server Error: xxx"), "{reason}");
    assert!(reason.len() < 300 && took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_speaks_something_else_is_not_understood() {
    let odd = receiver(|_, _| Act::Write("SSH-2.0-OpenSSH_9.2\r\n".to_owned())).await;
    let (reason, _) = beside_a_good_one(&odd).await;
    assert_eq!(reason, "invalid HTTP version parsed");
}

#[tokio::test(start_paused = true)]
async fn one_that_points_elsewhere_is_not_followed() {
    let elsewhere = receiver(|_, _| Act::status(200)).await;
    let to = elsewhere.url("/taken?token=hunter2").replace("http://", "http://user:hunter2@");
    let bad = receiver(move |_, _| Act::answer(302, &[("Location", &to)], "")).await;
    let (reason, _) = beside_a_good_one(&bad).await;
    let there = elsewhere.url("/taken");
    assert_eq!(
        reason,
        format!(
            "answers 302 Found and points to {there}: redirects are not followed; give the final \
             address"
        )
    );
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_there_is_tried_again() {
    // No other test takes ports of this address, so nobody comes to listen there.
    let listener = std::net::TcpListener::bind("127.0.0.94:0").unwrap();
    let url = format!("http://{}/?token=hunter2", listener.local_addr().unwrap());
    drop(listener);
    let scene = Scene::start(&[webhook(&url)]);
    scene.outbox.raise(&alert(1));
    scene.until("a reason", |scene| !scene.outbox.reason().is_empty()).await;
    let reason = scene.outbox.reason();
    assert_eq!(reason, "Connection refused");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_leads_nowhere_is_said() {
    let scene = Scene::start(&[webhook("http://no-such-host.invalid/")]);
    scene.outbox.raise(&alert(1));
    scene.until("a reason", |scene| !scene.outbox.reason().is_empty()).await;
    let reason = scene.outbox.reason();
    assert!(reason.starts_with("no-such-host.invalid: the name has no address"), "{reason}");
}
