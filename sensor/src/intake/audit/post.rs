//! Bodies that are posted, on their way from whoever takes them to whoever reads them.

use tokio::sync::{mpsc, oneshot};

use super::Counts;

/// Bodies that may wait. Each has bytes of a budget, which runs out sooner.
const WAITING: usize = 64;

/// A body, unpacked.
#[derive(Debug)]
pub struct Post {
    /// Its bytes.
    pub body: Vec<u8>,
    /// Takes what became of its records.
    pub read: oneshot::Sender<Counts>,
}

/// Where bodies go. Clones share it.
#[derive(Debug, Clone)]
pub struct Posts(mpsc::Sender<Post>);

/// Where they come out.
pub type Posted = mpsc::Receiver<Post>;

/// Both ends of the way.
pub fn posts() -> (Posts, Posted) {
    let (posts, posted) = mpsc::channel(WAITING);
    (Posts(posts), posted)
}

impl Posts {
    /// Has a body read; what became of its records, or none when nobody reads now: too many wait, or
    /// reading has ended.
    pub async fn send(&self, body: Vec<u8>) -> Option<Counts> {
        let (read, counts) = oneshot::channel();
        self.0.try_send(Post { body, read }).ok()?;
        counts.await.ok()
    }
}
