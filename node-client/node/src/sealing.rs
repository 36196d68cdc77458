// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! Blocks on demand.
//!
//! Time is made up: each block is one slot later than its parent and than the best one, whatever the clock says, so that
//! Aura's rules hold however fast blocks are asked for, and on whichever parent. The digests are Aura's, without a seal.

use crate::{
    service::{AuthorsPool, FullClient, FullPool, FullSelectChain},
    shield::{Announcement, Keyring},
};
use clawrank_runtime::{Hash, opaque::Block};
use futures::{Stream, StreamExt, channel::mpsc, stream};
use sc_client_api::HeaderBackend;
use sc_consensus_aura::find_pre_digest;
use sc_consensus_manual_seal::{
    EngineCommand, ManualSealParams, consensus::aura::AuraConsensusDataProvider, run_manual_seal,
};
use sc_service::{Error, TaskManager};
use sc_transaction_pool_api::TransactionPool;
use sp_consensus_aura::{Slot, SlotDuration, sr25519::AuthoritySignature};
use sp_timestamp::Timestamp;
use std::sync::Arc;

/// Commands that may wait; a caller of the RPC waits for its answer, so one per client is plenty.
const QUEUE: usize = 1024;

/// Why a block could not be begun.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Everything the sealing task works on.
pub(crate) struct Sealer<'a> {
    pub(crate) task_manager: &'a TaskManager,
    pub(crate) client: Arc<FullClient>,
    pub(crate) pool: Arc<FullPool>,
    pub(crate) authored: Arc<AuthorsPool>,
    pub(crate) keys: Arc<Keyring>,
    pub(crate) select_chain: FullSelectChain,
    /// Whether a ready transaction alone makes a block.
    pub(crate) instant: bool,
}

/// The channel between the RPC and the sealing task.
pub(crate) fn channel() -> (mpsc::Sender<EngineCommand<Hash>>, mpsc::Receiver<EngineCommand<Hash>>) {
    mpsc::channel(QUEUE)
}

/// Starts the task that seals a block for every command.
///
/// # Errors
///
/// When the runtime does not tell its slot duration.
pub(crate) fn start(sealer: Sealer<'_>, commands: mpsc::Receiver<EngineCommand<Hash>>) -> Result<(), Error> {
    let Sealer { task_manager, client, pool, authored, keys, select_chain, instant } = sealer;
    let slot_duration = sc_consensus_aura::slot_duration(&*client)?;
    let proposer =
        sc_basic_authorship::ProposerFactory::new(task_manager.spawn_handle(), client.clone(), authored, None, None);
    let ready: stream::BoxStream<'static, _> =
        if instant { on_ready(pool.clone()).boxed() } else { stream::pending().boxed() };
    let time = client.clone();
    let params = ManualSealParams {
        block_import: client.clone(),
        env: proposer,
        client,
        pool,
        commands_stream: stream::select(commands, ready),
        select_chain,
        consensus_data_provider: Some(Box::new(AuraConsensusDataProvider::new_with_slot_duration(slot_duration))),
        create_inherent_data_providers: move |parent, ()| {
            let (client, announcement) = (time.clone(), Announcement(keys.clone()));
            async move {
                let slot = next_slot(&client, parent, slot_duration)?;
                let time = slot.timestamp(slot_duration).ok_or("the slots of this chain have come to their end")?;
                let time = sp_timestamp::InherentDataProvider::new(time);
                Ok::<_, Failure>((time, announcement))
            }
        },
    };
    task_manager.spawn_essential_handle().spawn_blocking("manual-seal", None, run_manual_seal(params));
    Ok(())
}

/// The slot after those of `parent` and of the best block; that of the clock where both are the genesis, which has none.
fn next_slot(client: &FullClient, parent: Hash, slot_duration: SlotDuration) -> Result<Slot, Failure> {
    let mut last = Slot::from(0);
    for hash in [parent, client.info().best_hash] {
        let header = client.header(hash)?.ok_or_else(|| format!("block {hash} is not here"))?;
        last = last.max(find_pre_digest::<Block, AuthoritySignature>(&header)?);
    }
    Ok(if last == Slot::from(0) { Slot::from_timestamp(Timestamp::current(), slot_duration) } else { last + 1 })
}

/// A command for every transaction that becomes ready, less those that an earlier block already took.
fn on_ready(pool: Arc<FullPool>) -> impl Stream<Item = EngineCommand<Hash>> {
    let notifications = pool.import_notification_stream();
    notifications.filter_map(move |_| {
        let waiting = pool.status().ready > 0;
        async move {
            waiting.then_some(EngineCommand::SealNewBlock {
                create_empty: false,
                finalize: true,
                parent_hash: None,
                sender: None,
            })
        }
    })
}
