// SPDX-License-Identifier: Apache-2.0

//! What the chain says of hotkeys, as of the last block that could be read.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use clawrank_client::{ChainPort, types::SubnetSnapshot};
use clawrank_protocol::proof::HotkeyId;
use tokio_util::sync::CancellationToken;

/// Standing of a registered hotkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether it is a validator whose weights count.
    pub(crate) permit: bool,
    /// Its stake in rao.
    pub(crate) stake_rao: u64,
}

/// All registered hotkeys at one block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    hotkeys: HashMap<HotkeyId, Standing>,
    block: Option<u64>,
}

impl Members {
    fn of(snapshot: &SubnetSnapshot) -> Self {
        let standing = |neuron: &clawrank_client::types::Neuron| {
            (neuron.hotkey, Standing { permit: neuron.validator_permit, stake_rao: neuron.stake_rao })
        };
        Self { hotkeys: snapshot.neurons.iter().map(standing).collect(), block: Some(snapshot.head.number) }
    }

    pub(crate) fn standing(&self, hotkey: &HotkeyId) -> Option<Standing> {
        self.hotkeys.get(hotkey).copied()
    }

    /// Members of these first bytes of a hotkey, permits and stakes.
    #[cfg(test)]
    pub(crate) fn with(all: impl IntoIterator<Item = (u8, bool, u64)>) -> Self {
        let standing = |(byte, permit, stake_rao)| ([byte; 32], Standing { permit, stake_rao });
        Self { hotkeys: all.into_iter().map(standing).collect(), block: Some(1) }
    }

    /// Whether a subnet was ever read.
    pub(crate) fn is_known(&self) -> bool {
        self.block.is_some()
    }
}

/// The newest [`Members`], and how old the chain's newest head is.
#[derive(Debug)]
pub(crate) struct Registry {
    members: ArcSwap<Members>,
    head: Mutex<(u64, Instant)>,
}

impl Default for Registry {
    fn default() -> Self {
        Self { members: ArcSwap::default(), head: Mutex::new((0, Instant::now())) }
    }
}

impl Registry {
    pub(crate) fn members(&self) -> Arc<Members> {
        self.members.load_full()
    }

    pub(crate) fn standing(&self, hotkey: &HotkeyId) -> Option<Standing> {
        self.members.load().standing(hotkey)
    }

    /// Newest finalised block, and how long ago it was first seen; the start of the gateway where there is none.
    pub(crate) fn head(&self) -> (u64, Duration) {
        let (number, seen) = *self.head.lock().unwrap_or_else(PoisonError::into_inner);
        (number, seen.elapsed())
    }

    /// Reads the subnet once.
    pub(crate) async fn refresh(&self, chain: &dyn ChainPort, netuid: u16) -> bool {
        match chain.subnet(netuid).await {
            Ok(snapshot) => {
                self.see(snapshot.head.number);
                self.members.store(Arc::new(Members::of(&snapshot)));
                true
            }
            Err(error) => {
                tracing::warn!(netuid, %error, "subnet cannot be read; the last known members stay");
                false
            }
        }
    }

    fn see(&self, number: u64) {
        let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        if number > head.0 {
            *head = (number, Instant::now());
        }
    }

    /// Follows the chain until `cancel`: reads the subnet on new heads, at most every `pause`; `on_change` after each.
    pub(crate) async fn follow(
        &self,
        chain: Arc<dyn ChainPort>,
        netuid: u16,
        pause: Duration,
        cancel: CancellationToken,
        on_change: impl Fn(&Members) + Send,
    ) {
        let mut heads = chain.heads();
        loop {
            let number = heads.borrow_and_update().map(|head| head.number);
            if let Some(number) = number {
                self.see(number);
            }
            let read = async {
                if self.refresh(chain.as_ref(), netuid).await {
                    on_change(&self.members());
                }
                tokio::time::sleep(pause).await;
                heads.changed().await
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                changed = read => {
                    if changed.is_err() {
                        tracing::error!("the chain client has ended; the last known members stay");
                        return;
                    }
                }
            }
        }
    }
}
