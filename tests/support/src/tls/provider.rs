//! A rustls provider without chance: randomness from a seed, a clock that stands still.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{
    ActiveKeyExchange, CompletedKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom,
    SharedSecret, SupportedKxGroup,
};
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use rustls::{Error, NamedGroup};

use crate::rng::Rng;

thread_local! {
    static RANDOM: RefCell<Rng> = const { RefCell::new(Rng::new(0)) };
}

/// Sets what the next handshakes of this thread draw from.
pub(super) fn seed(rng: Rng) {
    RANDOM.set(rng);
}

/// *ring*'s provider with seeded randomness, with or without a post-quantum group in front.
pub(super) fn provider(post_quantum: bool) -> Arc<CryptoProvider> {
    let mut kx_groups: Vec<&'static dyn SupportedKxGroup> = vec![&X25519];
    if post_quantum {
        kx_groups.insert(0, &X25519_MLKEM768);
    }
    Arc::new(CryptoProvider {
        kx_groups,
        secure_random: &Seeded,
        ..rustls::crypto::ring::default_provider()
    })
}

/// A clock that stands still, within the validity of the certificates.
#[derive(Debug)]
pub(super) struct Noon;

impl TimeProvider for Noon {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(1_767_265_200)))
    }
}

#[derive(Debug)]
struct Seeded;

impl SecureRandom for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        RANDOM.with_borrow_mut(|rng| rng.fill(bytes));
        Ok(())
    }
}

/// A key exchange that looks like the one it names and agrees on what both sides saw: *ring*
/// draws its own keys and cannot be seeded. Nobody's secrets depend on it.
#[derive(Debug, Clone, Copy)]
struct Agreement {
    group: NamedGroup,
    client_share: usize,
    server_share: usize,
}

static X25519: Agreement =
    Agreement { group: NamedGroup::X25519, client_share: 32, server_share: 32 };
/// Share lengths of draft-ietf-tls-ecdhe-mlkem.
static X25519_MLKEM768: Agreement =
    Agreement { group: NamedGroup::X25519MLKEM768, client_share: 1216, server_share: 1120 };

impl SupportedKxGroup for Agreement {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(Started::new(self.group, self.client_share)))
    }

    fn start_and_complete(&self, peer: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let started = Started::new(self.group, self.server_share);
        let secret = started.secret(peer);
        Ok(CompletedKeyExchange { group: self.group, pub_key: started.share, secret })
    }

    fn name(&self) -> NamedGroup {
        self.group
    }
}

struct Started {
    group: NamedGroup,
    share: Vec<u8>,
}

impl Started {
    fn new(group: NamedGroup, length: usize) -> Self {
        let mut share = vec![0; length];
        RANDOM.with_borrow_mut(|rng| rng.fill(&mut share));
        Self { group, share }
    }

    fn secret(&self, peer: &[u8]) -> SharedSecret {
        let mut secret = [0; 32];
        for share in [&self.share, peer] {
            share.iter().enumerate().for_each(|(at, byte)| secret[at % 32] ^= byte);
        }
        SharedSecret::from(secret.as_slice())
    }
}

impl ActiveKeyExchange for Started {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        Ok(self.secret(peer))
    }

    /// Browsers send the classical share, which is the hybrid one's end, a second time by itself.
    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        let classical = self.share.len().checked_sub(32).filter(|_| self.group != X25519.group)?;
        Some((X25519.group, &self.share[classical..]))
    }

    fn pub_key(&self) -> &[u8] {
        &self.share
    }

    fn group(&self) -> NamedGroup {
        self.group
    }
}
