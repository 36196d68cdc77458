// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! Consensus by slots: Aura makes blocks, GRANDPA finalises them.

use super::{AuthorsPool, FullBackend, FullClient, FullPool, FullSelectChain, Parts};
use crate::shield::{Announcement, Keyring};
use clawrank_runtime::opaque::Block;
use sc_client_api::BlockBackend;
use sc_consensus::import_queue::BasicQueue;
use sc_consensus_aura::{BuildAuraWorkerParams, ImportQueueParams, SlotProportion};
use sc_consensus_grandpa::{GrandpaBlockImport, LinkHalf, SharedVoterState};
use sc_consensus_slots::{InherentDataProviderExt, SimpleSlotWorkerToSlotWorker, SlotInfo, SlotWorker};
use sc_network::{
    NetworkBackend, NotificationService,
    config::FullNetworkConfiguration,
    service::{NotificationMetrics, traits::NetworkService},
    types::ProtocolName,
};
use sc_service::{Configuration, Error};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus::{SelectChain, SyncOracle};
use sp_consensus_aura::{SlotDuration, sr25519::AuthorityPair as AuraPair};
use sp_inherents::CreateInherentDataProviders;
use sp_runtime::traits::Header;
use std::{sync::Arc, time::Duration};

/// Blocks between two justifications that are kept and sent.
const JUSTIFICATION_PERIOD: u32 = 512;
/// How long a GRANDPA message takes across a network.
const GOSSIP: Duration = Duration::from_millis(333);
/// The part of a slot that it takes at most: a round waits four times for messages, and must be over within a slot. Eras
/// of eight blocks begin at the final block.
const GOSSIP_PORTION: u32 = 8;
/// The part of a slot in which its author fills the block; the rest is for sending and importing it.
const PROPOSAL_PORTION: f32 = 2.0 / 3.0;

type BlockImport = GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
type Link = LinkHalf<Block, FullClient, FullSelectChain>;

/// GRANDPA's half of the import pipeline.
pub(super) struct Imported {
    block_import: BlockImport,
    link: Link,
}

/// What the voter needs beside [`Imported`].
pub(super) struct Voter {
    imported: Imported,
    protocol: ProtocolName,
    notifications: Box<dyn NotificationService>,
}

/// The network handles.
pub(super) struct Net {
    pub(super) network: Arc<dyn NetworkService>,
    pub(super) sync: Arc<sc_network_sync::SyncingService<Block>>,
}

/// Where transactions wait, as the network and as the author sees it.
pub(super) struct Pools {
    pub(super) pool: Arc<FullPool>,
    pub(super) authored: Arc<AuthorsPool>,
    pub(super) keys: Arc<Keyring>,
}

/// What of the node's configuration consensus looks at.
pub(super) struct Config {
    role: sc_service::Role,
    force_authoring: bool,
    voter: bool,
    name: String,
}

impl Config {
    pub(super) fn of(config: &Configuration) -> Self {
        Self {
            role: config.role,
            force_authoring: config.force_authoring,
            voter: !config.disable_grandpa,
            name: config.network.node_name.clone(),
        }
    }
}

/// The queue that verifies and imports blocks.
///
/// # Errors
///
/// When the runtime does not tell its authorities or its slot duration.
pub(super) fn import(
    parts: &Parts,
    registry: Option<&prometheus_endpoint::Registry>,
) -> Result<(BasicQueue<Block>, Imported), Error> {
    let (block_import, link) = sc_consensus_grandpa::block_import(
        parts.client.clone(),
        JUSTIFICATION_PERIOD,
        &parts.client,
        parts.select_chain.clone(),
        None,
    )?;
    let slot_duration = sc_consensus_aura::slot_duration(&*parts.client)?;
    let queue = sc_consensus_aura::import_queue::<AuraPair, _, _, _, _, _>(ImportQueueParams {
        block_import: block_import.clone(),
        justification_import: Some(Box::new(block_import.clone())),
        client: parts.client.clone(),
        create_inherent_data_providers: move |_, ()| async move { Ok(now(slot_duration)) },
        spawner: &parts.task_manager.spawn_essential_handle(),
        registry,
        check_for_equivocation: Default::default(),
        telemetry: None,
        compatibility_mode: Default::default(),
    })?;
    Ok((queue, Imported { block_import, link }))
}

/// The slot and the time of a block made now.
fn now(
    slot_duration: SlotDuration,
) -> (sp_consensus_aura::inherents::InherentDataProvider, sp_timestamp::InherentDataProvider) {
    let time = sp_timestamp::InherentDataProvider::from_system_time();
    let slot =
        sp_consensus_aura::inherents::InherentDataProvider::from_timestamp_and_slot_duration(*time, slot_duration);
    (slot, time)
}

/// Registers GRANDPA's protocol with the network to be.
///
/// # Errors
///
/// When the database cannot be read.
pub(super) fn prepare<N: NetworkBackend<Block, clawrank_runtime::Hash>>(
    parts: &Parts,
    config: &Configuration,
    net: &mut FullNetworkConfiguration<Block, clawrank_runtime::Hash, N>,
    metrics: NotificationMetrics,
    imported: Imported,
) -> Result<Voter, Error> {
    let genesis = parts
        .client
        .block_hash(0)?
        .ok_or_else(|| Error::Other("the database has no genesis block: remove it with `purge-chain`".into()))?;
    let protocol = sc_consensus_grandpa::protocol_standard_name(&genesis, &config.chain_spec);
    let (peers, notifications) =
        sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(protocol.clone(), metrics, net.peer_store_handle());
    net.add_notification_protocol(peers);
    Ok(Voter { imported, protocol, notifications })
}

/// Starts the author, if this node is an authority, and the voter or observer.
///
/// # Errors
///
/// When the runtime does not tell its slot duration, or the state of finality cannot be read.
pub(super) fn start(parts: &Parts, config: Config, pools: Pools, net: Net, voter: Voter) -> Result<(), Error> {
    let slot_duration = sc_consensus_aura::slot_duration(&*parts.client)?;
    let Voter { imported: Imported { block_import, link }, protocol, notifications } = voter;
    let Pools { pool, authored, keys } = pools;
    let is_authority = config.role.is_authority();

    if is_authority {
        let proposer_factory = sc_basic_authorship::ProposerFactory::new(
            parts.task_manager.spawn_handle(),
            parts.client.clone(),
            authored,
            None,
            None,
        );
        let worker = sc_consensus_aura::build_aura_worker::<AuraPair, _, _, _, _, _, _, (), _>(BuildAuraWorkerParams {
            client: parts.client.clone(),
            block_import,
            proposer_factory,
            sync_oracle: net.sync.clone(),
            justification_sync_link: net.sync.clone(),
            force_authoring: config.force_authoring,
            // A local chain goes on making blocks while finality waits for a peer.
            backoff_authoring_blocks: None,
            keystore: parts.keystore.keystore(),
            block_proposal_slot_portion: SlotProportion::new(PROPOSAL_PORTION),
            max_block_proposal_slot_portion: None,
            telemetry: None,
            compatibility_mode: Default::default(),
        });
        let inherents = move |_, ()| {
            let announcement = Announcement(keys.clone());
            async move {
                let (slot, time) = now(slot_duration);
                Ok((slot, time, announcement))
            }
        };
        let aura = author(
            SimpleSlotWorkerToSlotWorker(worker),
            slot_duration,
            parts.select_chain.clone(),
            net.sync.clone(),
            inherents,
            parts.is_new,
        );
        parts.task_manager.spawn_essential_handle().spawn_blocking("aura", Some("block-authoring"), aura);
    }

    if config.voter {
        let grandpa = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
            config: sc_consensus_grandpa::Config {
                gossip_duration: GOSSIP.min(slot_duration.as_duration() / GOSSIP_PORTION),
                justification_generation_period: JUSTIFICATION_PERIOD,
                observer_enabled: false,
                local_role: config.role,
                name: Some(config.name),
                keystore: is_authority.then(|| parts.keystore.keystore()),
                telemetry: None,
                protocol_name: protocol,
            },
            link,
            network: net.network,
            sync: net.sync,
            notification_service: notifications,
            voting_rule: sc_consensus_grandpa::VotingRulesBuilder::default().build(),
            prometheus_registry: None,
            shared_voter_state: SharedVoterState::empty(),
            telemetry: None,
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(pool),
        })?;
        parts.task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, grandpa);
    }
    Ok(())
}

/// Authors the slots that are this node's, until the node ends; on a chain that it has just made it begins with the slot
/// that runs, not with the next.
///
/// Nobody has authored on a chain that is new, so that the slot cannot have a block of this authority already.
async fn author<W, C, S, P>(
    mut worker: W,
    slot_duration: SlotDuration,
    select_chain: C,
    sync: S,
    inherents: P,
    is_new: bool,
) where
    W: SlotWorker<Block>,
    C: SelectChain<Block>,
    S: SyncOracle + Send,
    P: CreateInherentDataProviders<Block, ()> + Send + 'static,
    P::InherentDataProviders: InherentDataProviderExt + Send,
{
    if is_new
        && !sync.is_major_syncing()
        && let Ok(genesis) = select_chain.best_chain().await
        && *genesis.number() == 0
        && let Ok(inherents) = inherents.create_inherent_data_providers(genesis.hash(), ()).await
    {
        let slot = inherents.slot();
        let info = SlotInfo::new(slot, Box::new(inherents), slot_duration.as_duration(), genesis, None);
        let _ = worker.on_slot(info).await;
    }
    sc_consensus_slots::start_slot_worker(slot_duration, select_chain, worker, sync, inherents).await;
}
