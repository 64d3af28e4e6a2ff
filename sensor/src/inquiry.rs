//! Questions that people ask the detection thread, such as what an asset moved lately. It answers between
//! two batches of events with copies, and never waits for who asked.
//!
//! Four questions wait at most, one is answered a round, and each is about [`MOST`] assets at most:
//! some hundred kilobytes copied within some tens of microseconds.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::detect::{Engine, Watched};
use crate::time::Timestamp;

/// Questions that wait at most; who asks beyond that is told to come again.
const WAITING: usize = 4;
/// Assets in one question.
pub const MOST: usize = 50;
/// Approvals that are told of one asset; of several, none are.
const APPROVALS: usize = 500;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Who asks. Clones ask the same thread.
#[derive(Debug, Clone)]
pub struct Asker(mpsc::Sender<Question>);

/// Who answers.
#[derive(Debug)]
pub struct Questions(mpsc::Receiver<Question>);

/// There is no answer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("detection has too much to do to be asked; ask again in a moment")]
pub struct Busy;

#[derive(Debug)]
struct Question {
    names: Vec<String>,
    answer: oneshot::Sender<Vec<Option<Watched>>>,
}

/// Both ends.
pub fn questions() -> (Asker, Questions) {
    let (asker, questions) = mpsc::channel(WAITING);
    (Asker(asker), Questions(questions))
}

impl Asker {
    /// What is known of the assets of these names, in their order; of those beyond [`MOST`] nothing.
    /// What is approved is told where one is asked for.
    ///
    /// # Errors
    /// When others ask too, or detection does not answer in time.
    pub async fn watched(&self, mut names: Vec<String>) -> Result<Vec<Option<Watched>>, Busy> {
        names.truncate(MOST);
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Question { names, answer }).map_err(|_| Busy)?;
        match timeout(PATIENCE, answered).await {
            Ok(Ok(watched)) => Ok(watched),
            _ => Err(Busy),
        }
    }
}

impl Questions {
    /// Answers the question that has waited longest, if any does.
    pub fn answer(&mut self, engine: &Engine, now: impl FnOnce() -> Timestamp) {
        let Ok(Question { names, answer }) = self.0.try_recv() else { return };
        // Whoever asked may have gone.
        if answer.is_closed() {
            return;
        }
        let now = now();
        let approvals = if names.len() == 1 { APPROVALS } else { 0 };
        let watched = names.iter().map(|name| engine.watched(name, now, approvals));
        let _ = answer.send(watched.collect());
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;

    use super::*;
    use crate::config::{Asset, Config, Role};

    const NOW: Timestamp = Timestamp::from_parts(1_795_000_000, 0);

    fn run<T>(what: impl Future<Output = T>) -> T {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().unwrap().block_on(what)
    }

    fn engine() -> Engine {
        let asset = Asset {
            name: "web-01".into(),
            role: Role::Guest,
            addresses: vec!["10.0.0.1/32".parse().unwrap()],
            macs: Vec::new(),
            host: None,
        };
        Engine::new(&Config { assets: vec![asset], ..Config::default() }, None, None)
    }

    /// Fails when an answer is another asset's, or a question is about more than it may be.
    #[test]
    fn each_name_has_its_answer_and_too_many_have_none() {
        run(async {
            let (asker, mut questions) = questions();
            let names = std::iter::once("nobody").chain(std::iter::repeat_n("web-01", 2 * MOST));
            let names = names.map(str::to_owned).collect();
            let (told, ()) = tokio::join!(asker.watched(names), async {
                questions.answer(&engine(), || NOW);
            });
            let told = told.unwrap();
            assert_eq!(told.len(), MOST);
            assert!(told[0].is_none() && told[1..].iter().all(Option::is_some));
        });
    }

    /// Fails when somebody who asks without end makes memory grow, or waits for ever.
    #[test]
    fn who_asks_too_much_or_is_not_answered_is_told_so() {
        run(async {
            let (asker, mut questions) = questions();
            let ask = || asker.watched(vec!["web-01".to_owned()]);
            let all = (ask(), ask(), ask(), ask(), ask());
            let all = tokio::join!(all.0, all.1, all.2, all.3, all.4);
            assert_eq!(all.0.err(), Some(Busy), "nobody answered");
            assert_eq!(all.4.err(), Some(Busy), "there was no room");
            // Nobody waits for these any more.
            for _ in 0..WAITING {
                questions.answer(&engine(), || panic!("that was for nobody"));
            }
            drop(questions);
            assert_eq!(ask().await.err(), Some(Busy));
        });
    }
}
