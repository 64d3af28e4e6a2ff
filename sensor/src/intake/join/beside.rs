//! Who worked in a virtual machine just before and after: where vCenter's message was lost or late, the
//! host's alone names nobody.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::when;
use crate::account::is_same;
use crate::event::{Basis, Claim, GuestOperation, Report};
use crate::time::Timestamp;

/// Operations so close together are taken for those of one script.
const BESIDE: Duration = Duration::from_secs(30);
/// Operations that are remembered: those of a minute at some ten a second.
const MAX_KNOWN: usize = 512;

/// The latest operations that name both.
#[derive(Debug, Default)]
pub(super) struct Beside(VecDeque<Known>);

#[derive(Debug)]
struct Known {
    time: Timestamp,
    vm: Arc<str>,
    account: Arc<str>,
    client: Option<IpAddr>,
}

impl Beside {
    /// Takes an operation.
    pub(super) fn note(&mut self, report: &Report, said: &GuestOperation) {
        let (Some(vm), Some(claim)) = (&said.vm, &said.account) else { return };
        if self.0.len() == MAX_KNOWN {
            self.0.pop_front();
        }
        let (vm, account) = (Arc::clone(vm), Arc::clone(&claim.account));
        self.0.push_back(Known { time: when(report), vm, account, client: said.client });
    }

    /// The only account that worked in `vm` around `time`.
    pub(super) fn only(&self, vm: &str, time: Timestamp) -> Option<(Claim, Option<IpAddr>)> {
        let is_near = |known: &&Known| {
            *known.vm == *vm && known.time.since(time).max(time.since(known.time)) <= BESIDE
        };
        let mut near = self.0.iter().rev().filter(is_near);
        let Known { account, client, .. } = near.next()?;
        let claim = Claim { account: Arc::clone(account), basis: Basis::Beside };
        near.all(|other| is_same(&other.account, account)).then_some((claim, *client))
    }
}
