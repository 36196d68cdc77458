// SPDX-License-Identifier: Apache-2.0
//! Fakes for tests: a chain in memory, a gateway and endpoints over real HTTP, miners that measure or lie.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{path::Path, sync::Arc, time::Duration};

use clawrank_client::types::{AccountId, Head, Neuron, SubnetSnapshot};
use clawrank_primitives::proof::{Keypair, blake2_256};
use clawrank_store::journal::{Identity, Journal, Options};

mod chain;
mod disk;
mod endpoint;
mod fault;
mod gateway;
mod log;
mod miner;

pub(crate) use chain::{FakeChain, Moment};
pub(crate) use disk::SmallDisk;
pub(crate) use endpoint::StubEndpoints;
pub(crate) use fault::Fault;
pub(crate) use gateway::{Evil, ProbeMode, StubGateway, receipt};
pub(crate) use log::Watched;
pub(crate) use miner::Measurer;

/// Subnet of all tests.
pub(crate) const NETUID: u16 = 92;
/// Milliseconds between two blocks.
pub(crate) const BLOCK_MS: u64 = 20;

/// Genesis hash of the fake chain.
pub(crate) fn genesis() -> [u8; 32] {
    blake2_256(b"genesis")
}

/// A development key.
pub(crate) fn key(name: &str) -> Keypair {
    Keypair::dev(&format!("//{name}")).unwrap()
}

/// Hash of a block.
pub(crate) fn block_hash(number: u64) -> [u8; 32] {
    blake2_256(&number.to_le_bytes())
}

/// A head at `number` blocks of `block_ms` after `origin_ms`.
pub(crate) fn head(number: u64, origin_ms: u64, block_ms: u64) -> Head {
    Head { number, hash: block_hash(number), timestamp_ms: origin_ms + number * block_ms }
}

/// A neuron with a permit and stake.
pub(crate) fn neuron(uid: u16, hotkey: AccountId) -> Neuron {
    Neuron {
        uid,
        hotkey,
        coldkey: [9; 32],
        stake_rao: 1_000,
        validator_permit: uid == 0,
        active: true,
        registered_at: 0,
        axon: None,
        last_update: vec![0, 0],
        incentive: vec![0, 0],
        dividends: 0,
        emission_rao: 0,
    }
}

/// A subnet of two mechanisms at `block`, with one neuron per further hotkey: uid 0 is the validator `//Vali`.
pub(crate) fn snapshot(block: u64, miners: u16) -> SubnetSnapshot {
    let mut neurons = vec![neuron(0, key("Vali").public())];
    for uid in 1..=miners {
        neurons.push(neuron(uid, key(&format!("Miner{uid}")).public()));
    }
    SubnetSnapshot {
        head: head(block, 0, BLOCK_MS),
        netuid: NETUID,
        tempo: 100,
        epoch_index: 5,
        last_epoch_block: 1_000,
        pending_epoch_at: 0,
        blocks_since_last_step: 0,
        owner_coldkey: None,
        owner_uid: None,
        commit_reveal: true,
        commit_reveal_version: 4,
        reveal_period_epochs: 1,
        weights_rate_limit: 0,
        weights_version_key: 0,
        min_allowed_weights: 1,
        max_allowed_uids: 256,
        immunity_period: 5_000,
        mechanism_count: 2,
        max_mechanisms: 2,
        stake_threshold_rao: 0,
        block_time_ms: BLOCK_MS,
        neurons,
    }
}

/// The validator's journal in `folder`.
pub(crate) async fn journal(folder: &Path) -> Arc<Journal> {
    let identity = Identity { genesis: genesis(), netuid: NETUID, hotkey: key("Vali").public() };
    Arc::new(Journal::open(folder, identity, Options::default()).await.unwrap())
}

/// Polls until `condition` holds; panics with `what` after half a minute.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut condition: impl FnMut() -> F) -> T {
    let search = async {
        loop {
            if let Some(found) = condition().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), search).await.unwrap_or_else(|_| panic!("never happened: {what}"))
}
