//! An interface that is watched by other means than a socket.

use std::io;

use super::socket::{Socket, is_orphan};

/// Keeps an interface promiscuous for as long as it lives, and knows when the interface is gone. No
/// frame comes this way.
#[derive(Debug)]
pub(in crate::capture) struct Hold(Socket);

impl Hold {
    /// Of the interface of that number.
    ///
    /// # Errors
    /// When packet sockets are not permitted, or it is gone already.
    pub(in crate::capture) fn new(index: u32) -> io::Result<Self> {
        let socket = Socket::new()?;
        socket.belong(index)?;
        socket.be_promiscuous(index)?;
        Ok(Self(socket))
    }

    /// Whether the interface is there no more.
    pub(in crate::capture) fn is_gone(&self) -> bool {
        is_orphan(&self.0)
    }
}
