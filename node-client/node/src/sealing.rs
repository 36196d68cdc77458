// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! Blocks on demand.
//!
//! Time is made up: each block is one slot later than the one before, whatever the clock says, so that Aura's rules
//! hold however fast blocks are asked for. The digests are Aura's, without a seal.

use crate::{
    service::{AuthorsPool, FullClient, FullPool, FullSelectChain},
    shield::{Announcement, Keyring},
};
use clawrank_runtime::{Hash, opaque::Block};
use futures::{Stream, StreamExt, channel::mpsc, stream};
use sc_consensus_manual_seal::{
    EngineCommand, ManualSealParams,
    consensus::{aura::AuraConsensusDataProvider, timestamp::SlotTimestampProvider},
    run_manual_seal,
};
use sc_service::{Error, TaskManager};
use sc_transaction_pool_api::TransactionPool;
use std::sync::Arc;

/// Commands that may wait; a caller of the RPC waits for its answer, so one per client is plenty.
const QUEUE: usize = 1024;

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
        create_inherent_data_providers: move |_, ()| {
            let (client, announcement) = (time.clone(), Announcement(keys.clone()));
            async move {
                let time = SlotTimestampProvider::new_aura::<Block, _>(client)?;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>((time, announcement))
            }
        },
    };
    task_manager.spawn_essential_handle().spawn_blocking("manual-seal", None, run_manual_seal(params));
    Ok(())
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
