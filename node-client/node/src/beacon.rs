// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! The beacon that opens timelocked commits: signed here on a local chain, fetched on one that follows the public one.
//!
//! The dev beacon runs by the clock of the chain: after each block, the rounds that its time has reached are signed and
//! put into this node's own pool, with whatever older rounds are missing. So it works the same with slots and with
//! blocks on demand. Every authority signs the same bytes, of which the pool keeps one.

mod endpoint;

pub(crate) use endpoint::Endpoint;

use crate::service::{self, FullBackend, FullClient, FullPool};
use clawrank_runtime::{
    Hash, Runtime, RuntimeCall,
    block_time::{DEFAULT_SLOT_DURATION_MS, SlotDuration},
    opaque::Block,
    write_pulse,
};
use clawrank_timelock::{BeaconParams, DEV_BEACON, DevBeacon};
use codec::{Decode, Encode};
use futures::StreamExt;
use pallet_drand::{
    BeaconConfig, ENDPOINTS_KEY, LastStoredRound, OldestStoredRound, Pulse, Pulses, Stored, missing_rounds,
    pulses_per_block,
};
use sc_client_api::{Backend, BlockBackend, BlockchainEvents, HeaderBackend, StorageProvider};
use sc_network::service::traits::NetworkService;
use sc_offchain::{OffchainWorkerOptions, OffchainWorkers, STORAGE_PREFIX};
use sc_service::{Error, KeystoreContainer, TaskManager};
use sc_transaction_pool_api::{OffchainTransactionPoolFactory, TransactionPool, TransactionSource};
use sp_core::{offchain::OffchainStorage, storage::StorageKey};
use sp_runtime::{OpaqueExtrinsic, generic::Preamble, traits::Header};
use std::sync::Arc;

/// Which beacon a chain follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The one whose secret everyone knows.
    Dev,
    /// The public one.
    Quicknet,
    /// One with another key or other times.
    Other,
}

/// What this node does to bring pulses to its chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// It signs, if it is an authority.
    Sign,
    /// Its offchain worker fetches from these endpoints, or from its own if there are none.
    Fetch(Vec<Endpoint>),
    /// Nothing: that is up to others.
    Rest,
}

/// What there is to do when the command line `asks` for this on a chain that follows `source`.
///
/// # Errors
///
/// When the chain follows another beacon than the command line is about; names the flag.
pub(crate) fn task(asks: service::Beacon, source: Source) -> Result<Task, Error> {
    match (asks, source) {
        (service::Beacon::OfGenesis | service::Beacon::Dev, Source::Dev) => Ok(Task::Sign),
        (service::Beacon::OfGenesis, Source::Quicknet) => Ok(Task::Fetch(Vec::new())),
        (service::Beacon::At(endpoints), Source::Quicknet | Source::Other) => Ok(Task::Fetch(endpoints)),
        (service::Beacon::OfGenesis, Source::Other) | (service::Beacon::Others, _) => Ok(Task::Rest),
        (service::Beacon::Dev, Source::Quicknet | Source::Other) => Err(Error::Other(
            "--dev-beacon: this chain's genesis names another beacon; write one with `chain-spec --beacon dev`, or leave \
             the flag out"
                .into(),
        )),
        (service::Beacon::At(_), Source::Dev) => Err(Error::Other(
            "--beacon-endpoint: this chain follows the development beacon, which is signed and not fetched; write one with \
             `chain-spec --beacon quicknet`, or leave the flag out"
                .into(),
        )),
    }
}

/// Reads the state of `client` at a block.
struct State<'a> {
    client: &'a FullClient,
    at: Hash,
}

impl State<'_> {
    fn read<T: Decode>(&self, key: impl AsRef<[u8]>) -> Option<T> {
        let data = self.client.storage(self.at, &StorageKey(key.as_ref().to_vec())).ok()??;
        T::decode(&mut data.0.as_slice()).ok()
    }

    fn has(&self, key: Vec<u8>) -> bool {
        matches!(self.client.storage_hash(self.at, &StorageKey(key)), Ok(Some(_)))
    }

    /// The beacon of the chain; a chain whose genesis names none follows the public one.
    fn beacon(&self) -> Option<BeaconParams> {
        let config: pallet_drand::BeaconConfiguration =
            self.read(BeaconConfig::<Runtime>::hashed_key()).unwrap_or_default();
        config.params()
    }

    /// Time of the block, Unix milliseconds.
    fn now(&self) -> u64 {
        self.read(pallet_timestamp::Now::<Runtime>::hashed_key()).unwrap_or_default()
    }
}

/// Which beacon the chain follows as its newest block has it.
pub(crate) fn source(client: &FullClient) -> Source {
    let at = client.info().best_hash;
    match (State { client, at }).beacon() {
        Some(beacon) if beacon.public_key == DEV_BEACON.public_key => Source::Dev,
        Some(beacon) if beacon == clawrank_timelock::QUICKNET => Source::Quicknet,
        _ => Source::Other,
    }
}

/// Signs the dev beacon's rounds as blocks come, until the node ends.
///
/// `instant` is for a chain whose every transaction makes a block: there a block of pulses alone is not answered with
/// the pulses of its own time, which would go on for ever.
pub(crate) async fn sign(client: Arc<FullClient>, pool: Arc<FullPool>, instant: bool) {
    let beacon = DevBeacon::default();
    let mut complete_until = 0;
    let mut blocks = client.import_notification_stream();
    log::info!("the dev beacon is signed here; its secret is public, so timelocked weights are no secret");
    while let Some(block) = blocks.next().await {
        if !block.is_new_best || (instant && has_only_pulses(&client, block.hash)) {
            continue;
        }
        let state = State { client: &client, at: block.hash };
        let Some(params) = state.beacon().filter(|params| params.public_key == DEV_BEACON.public_key) else { continue };
        let stored = Stored {
            oldest: state.read(OldestStoredRound::<Runtime>::hashed_key()).unwrap_or_default(),
            newest: state.read(LastStoredRound::<Runtime>::hashed_key()).unwrap_or_default(),
            complete_until,
        };
        let is_stored = |round| state.has(Pulses::<Runtime>::hashed_key_for(round));
        let slot_ms = state.read(SlotDuration::<Runtime>::hashed_key()).unwrap_or(DEFAULT_SLOT_DURATION_MS);
        let missing = missing_rounds(params.round_at(state.now()), stored, pulses_per_block(slot_ms), is_stored);
        complete_until = missing.complete_until;
        if missing.rounds.is_empty() {
            continue;
        }
        let pulses = missing.rounds.iter().map(|round| Pulse::new(*round, &beacon.sign(*round))).collect();
        let transaction = write_pulse(*block.header.number(), pulses);
        match OpaqueExtrinsic::try_from_encoded_extrinsic(&transaction.encode()) {
            Ok(transaction) => match pool.submit_one(block.hash, TransactionSource::Local, transaction).await {
                Ok(_) => log::debug!("signed rounds {:?} of the dev beacon", missing.rounds),
                // The same pulses wait in the pool already, or another authority's do.
                Err(error) => log::debug!("the pool keeps no pulses of block {}: {error}", block.header.number()),
            },
            Err(error) => log::error!("a pulse is no extrinsic: {error}"),
        }
    }
}

fn has_only_pulses(client: &FullClient, block: Hash) -> bool {
    let body = client.block_body(block).ok().flatten().unwrap_or_default();
    let decoded = |xt: &OpaqueExtrinsic| clawrank_runtime::UncheckedExtrinsic::decode(&mut xt.encode().as_slice()).ok();
    let extrinsics = body.iter().map(decoded);
    let mut others =
        extrinsics.skip_while(|xt| xt.as_ref().is_some_and(|xt| matches!(xt.preamble, Preamble::Bare(_)))).peekable();
    others.peek().is_some() && others.all(|xt| xt.is_some_and(|xt| matches!(xt.function, RuntimeCall::Drand(_))))
}

/// What the offchain worker works with.
pub(crate) struct Worker<'a> {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) task_manager: &'a TaskManager,
    pub(crate) client: Arc<FullClient>,
    pub(crate) backend: Arc<FullBackend>,
    pub(crate) pool: Arc<FullPool>,
    pub(crate) keystore: &'a KeystoreContainer,
    pub(crate) network: Arc<dyn NetworkService>,
    pub(crate) is_authority: bool,
}

/// Starts the worker that fetches the beacon's rounds.
///
/// # Errors
///
/// When its HTTP client cannot start.
pub(crate) fn fetch(worker: Worker<'_>) -> Result<(), Error> {
    let Worker { endpoints, task_manager, client, backend, pool, keystore, network, is_authority } = worker;
    let storage = backend.offchain_storage();
    if let Some(mut storage) = storage.clone() {
        tell(&mut storage, &endpoints);
    }
    let workers = OffchainWorkers::<_, Block, _>::new(OffchainWorkerOptions {
        runtime_api_provider: client.clone(),
        keystore: Some(keystore.keystore()),
        offchain_db: storage,
        transaction_pool: Some(OffchainTransactionPoolFactory::new(pool)),
        network_provider: Arc::new(network),
        is_validator: is_authority,
        enable_http_requests: true,
        custom_extensions: |_| Vec::new(),
    })?;
    let spawner = task_manager.spawn_handle();
    task_manager.spawn_handle().spawn("offchain-workers", Some("offchain-worker"), workers.run(client, spawner));
    Ok(())
}

/// Tells the worker which endpoints to ask, by the storage that it shares with the node: its own if there are none.
///
/// What an earlier start told it is forgotten.
fn tell(storage: &mut impl OffchainStorage, endpoints: &[Endpoint]) {
    if endpoints.is_empty() {
        storage.remove(STORAGE_PREFIX, ENDPOINTS_KEY);
    } else {
        storage.set(STORAGE_PREFIX, ENDPOINTS_KEY, &endpoints.encode());
    }
}

#[cfg(test)]
mod tests;
