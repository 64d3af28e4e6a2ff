use std::fs;
use std::rc::Rc;

use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::sleep;

use super::*;
use crate::intake::audit::post::{Posts, posts};

const NOW: Timestamp = Timestamp::from_parts(1_795_183_391, 0);

/// A line that tells of one report: a mirror's target was made.
fn record(number: u32) -> String {
    format!(
        r#"{{"eventTime":"2026-11-20T14:03:11Z","eventID":"e-{number}","eventSource":"ec2.amazonaws.com","eventName":"DeleteTrafficMirrorSession","requestParameters":{{"DeleteTrafficMirrorSessionRequest":{{"TrafficMirrorSessionId":"tms-{number}"}}}}}}"#
    ) + "\n"
}

/// An inbox that is read into while `work` goes on, and then told to stop.
fn with_inbox<W: Future>(
    room: usize,
    patterns: &[String],
    work: impl FnOnce(Rc<Inbox>, Posts, watch::Sender<Patterns>) -> W,
) -> W::Output {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let (posts, posted) = posts();
    let (apply, patterns) = watch::channel(Patterns::new(patterns).unwrap());
    let (stop, stopped) = watch::channel(false);
    let inbox = Rc::new(Inbox::new(|| NOW, room));
    let reading = Rc::clone(&inbox);
    let work = work(inbox, posts, apply);
    runtime.block_on(LocalSet::new().run_until(async {
        let sources = Sources { patterns, posted };
        let patience = Duration::from_secs(1);
        let reading = tokio::task::spawn_local(async move {
            reading.serve(sources, stopped, patience).await;
        });
        let done = work.await;
        stop.send(true).unwrap();
        reading.await.unwrap();
        done
    }))
}

/// Fails when reports are kept beyond the room there is, or are lost for want of it.
#[test]
fn without_room_a_body_waits_and_nothing_is_lost() {
    const RECORDS: u32 = 3000;
    let body: String = (0..RECORDS).map(record).collect();
    let in_one_piece = PIECE / record(0).len() + 1;
    let (taken, counts) = with_inbox(100, &[], |inbox, posts, _| async move {
        let sent = tokio::task::spawn_local(async move { posts.send(body.into_bytes()).await });
        let mut taken = 0;
        while !sent.is_finished() {
            sleep(Duration::from_millis(20)).await;
            let reports = inbox.take().len();
            assert!(reports <= 100 + in_one_piece, "{reports} at once");
            taken += reports;
        }
        (taken + inbox.take().len(), sent.await.unwrap())
    });
    assert_eq!((taken, counts.unwrap().understood), (RECORDS as usize, u64::from(RECORDS)));
}

/// Fails when files are not followed beside bodies, another pattern does not count, or an answer is of
/// other records than its body's.
#[test]
fn files_and_bodies_are_read_by_one_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let patterns = |name: &str| vec![path(name).to_str().unwrap().to_owned()];
    fs::write(path("a.json"), record(1)).unwrap();
    fs::write(path("b.json"), record(2)).unwrap();
    let first = patterns("a.json");
    with_inbox(100, &first, |inbox, posts, apply| async move {
        sleep(2 * LOOK).await;
        assert_eq!(inbox.counts().understood, 1);
        let again = posts.send((record(1) + "{\"a\"").into_bytes()).await.unwrap();
        assert_eq!((again.repeated, again.refused(), again.total()), (1, 1, 2));
        apply.send(Patterns::new(&patterns("b.json")).unwrap()).unwrap();
        sleep(3 * LOOK).await;
        assert_eq!((inbox.counts().understood, inbox.take().len()), (2, 2));
    });
}

/// Fails when whoever posts to a reader that has ended waits, or is told that it was read.
#[test]
fn a_body_that_nobody_reads_is_told_so() {
    let posts = with_inbox(100, &[], |_, posts, _| async move { posts });
    let runtime = Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(posts.send(record(1).into_bytes())), None);
}
