// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! The node's parts and how they are put together.

mod slots;

use crate::{
    beacon::{self, Endpoint, Task},
    cli::Sealing,
    compiled_runtimes,
    database::{Database, Ended, Opened, Watch},
    rpc, sealing,
    shield::{Keyring, ShieldedPool},
};
use clawrank_runtime::{Hash, RuntimeApi, opaque::Block};
use sc_consensus::import_queue::BasicQueue;
use sc_network::{
    Litep2pNetworkBackend, NetworkBackend,
    config::{FullNetworkConfiguration, NetworkBackendType},
};
use sc_service::{BuildNetworkParams, Configuration, Error, KeystoreContainer, SpawnTasksParams, TaskManager};
use std::{path::PathBuf, sync::Arc};

/// What a runtime may call on the host.
pub(crate) type HostFunctions = sp_io::SubstrateHostFunctions;
/// The client.
pub(crate) type FullClient = sc_service::TFullClient<Block, RuntimeApi, sc_executor::WasmExecutor<HostFunctions>>;
/// The database.
pub(crate) type FullBackend = sc_service::TFullBackend<Block>;
/// The rule that picks the best chain: the longest.
pub(crate) type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// The transaction pool.
pub(crate) type FullPool = sc_transaction_pool::TransactionPoolHandle<Block, FullClient>;
/// The pool with what is inside carriers, for the author.
pub(crate) type AuthorsPool = ShieldedPool<FullPool>;
/// The network.
type Network = Litep2pNetworkBackend;

/// Which beacon's rounds this node brings to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Beacon {
    /// Those of the beacon that the chain's genesis names.
    OfGenesis,
    /// Those of that beacon, fetched from here; the chain may not follow the dev beacon.
    At(Vec<Endpoint>),
    /// Those of the dev beacon; the chain has to follow it.
    Dev,
    /// None.
    Others,
}

/// What of the command line the framework does not know.
pub(crate) struct Options {
    pub(crate) sealing: Sealing,
    pub(crate) beacon: Beacon,
    pub(crate) storage: Storage,
    /// Where the database says why it ended the node.
    pub(crate) ended: Ended,
}

/// What the node keeps on disk.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    /// The folder of compiled runtimes.
    pub(crate) compiled_runtimes: Option<PathBuf>,
    /// MiB that stay free beside the database.
    pub(crate) threshold: u64,
}

/// What every command needs, before consensus.
pub(crate) struct Parts {
    pub(crate) client: Arc<FullClient>,
    pub(crate) backend: Arc<FullBackend>,
    pub(crate) keystore: KeystoreContainer,
    pub(crate) task_manager: TaskManager,
    pub(crate) select_chain: FullSelectChain,
    /// Whether there was no chain in the database.
    pub(crate) is_new: bool,
}

/// Opens the database and makes the client.
///
/// # Errors
///
/// When the database cannot be opened, is damaged or has no room, or holds another chain.
pub(crate) fn parts(config: &Configuration, storage: Storage) -> Result<Parts, Error> {
    let Opened { backend, is_new } = Database::of(config, storage.threshold).open(config)?;
    let executor = compiled_runtimes::executor(&config.executor, storage.compiled_runtimes);
    let genesis = sc_service::GenesisBlockBuilder::new(
        config.chain_spec.as_storage_builder(),
        !config.no_genesis(),
        backend.clone(),
        executor.clone(),
    )?;
    let (client, backend, keystore, task_manager) =
        sc_service::new_full_parts_with_genesis_builder::<Block, RuntimeApi, _, _>(
            config, None, executor, backend, genesis, false,
        )?;
    let select_chain = FullSelectChain::new(backend.clone());
    Ok(Parts { client: Arc::new(client), backend, keystore, task_manager, select_chain, is_new })
}

/// The parts and a queue that verifies blocks as the running node does.
///
/// # Errors
///
/// As [`parts`].
pub(crate) fn with_import_queue(config: &Configuration, storage: Storage) -> Result<(Parts, BasicQueue<Block>), Error> {
    let parts = parts(config, storage)?;
    let (queue, _) = slots::import(&parts, config.prometheus_registry())?;
    Ok((parts, queue))
}

/// Starts the node; it runs until its task manager ends.
///
/// # Errors
///
/// When a part cannot start: database, network address, RPC address; when the chain does not follow the beacon asked for.
pub(crate) fn start(config: Configuration, options: Options) -> Result<TaskManager, Error> {
    let Options { sealing, beacon, storage, ended } = options;
    if !matches!(config.network.network_backend, NetworkBackendType::Litep2p) {
        return Err(Error::Other("--network-backend: this node has litep2p only; leave the flag out".into()));
    }
    let database = Database::of(&config, storage.threshold);
    let mut parts = parts(&config, storage)?;
    let task = beacon::task(beacon, beacon::source(&parts.client))?;
    let pool = Arc::new(
        sc_transaction_pool::Builder::new(
            parts.task_manager.spawn_essential_handle(),
            parts.client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(config.prometheus_registry())
        .build(),
    );
    let mut net = FullNetworkConfiguration::<Block, _, Network>::new(
        &config.network,
        config.prometheus_config.as_ref().map(|prometheus| prometheus.registry.clone()),
    );
    let metrics = <Network as NetworkBackend<Block, Hash>>::register_notification_metrics(config.prometheus_registry());

    let (queue, consensus) = match sealing {
        Sealing::Slots => {
            let (queue, link) = slots::import(&parts, config.prometheus_registry())?;
            let voter = slots::prepare::<Network>(&parts, &config, &mut net, metrics.clone(), link)?;
            (queue, Consensus::Slots(Box::new(voter)))
        }
        Sealing::Manual | Sealing::Instant => {
            let queue = sc_consensus_manual_seal::import_queue(
                Box::new(parts.client.clone()),
                &parts.task_manager.spawn_essential_handle(),
                config.prometheus_registry(),
            );
            (queue, Consensus::OnDemand { instant: sealing == Sealing::Instant })
        }
    };

    let (network, system_rpc_tx, tx_handler_controller, sync, _) = sc_service::build_network(BuildNetworkParams {
        config: &config,
        net_config: net,
        client: parts.client.clone(),
        transaction_pool: pool.clone(),
        spawn_handle: parts.task_manager.spawn_handle(),
        spawn_essential_handle: parts.task_manager.spawn_essential_handle(),
        import_queue: queue,
        block_announce_validator_builder: None,
        warp_sync_config: None,
        block_relay: None,
        metrics,
        gap_sync_body_policy: None,
    })?;

    let (seal_sender, commands) = match &consensus {
        Consensus::Slots(_) => (None, None),
        Consensus::OnDemand { .. } => {
            let (sender, receiver) = sealing::channel();
            (Some(sender), Some(receiver))
        }
    };
    let role = config.role;
    let instant = sealing == Sealing::Instant;
    let slots_config = slots::Config::of(&config);
    let rpc_builder = {
        let (client, pool) = (parts.client.clone(), pool.clone());
        Box::new(move |_| {
            rpc::module(client.clone(), pool.clone(), seal_sender.clone())
                .map_err(|error| Error::Application(Box::new(error)))
        })
    };
    sc_service::spawn_tasks(SpawnTasksParams {
        config,
        client: parts.client.clone(),
        backend: parts.backend.clone(),
        task_manager: &mut parts.task_manager,
        keystore: parts.keystore.keystore(),
        transaction_pool: pool.clone(),
        rpc_builder,
        network: network.clone(),
        system_rpc_tx,
        tx_handler_controller,
        sync_service: sync.clone(),
        telemetry: None,
        tracing_execute_block: None,
    })?;

    match task {
        Task::Sign if role.is_authority() => parts.task_manager.spawn_handle().spawn(
            "dev-beacon",
            None,
            beacon::sign(parts.client.clone(), pool.clone(), instant),
        ),
        Task::Fetch(endpoints) => beacon::fetch(beacon::Worker {
            endpoints,
            task_manager: &parts.task_manager,
            client: parts.client.clone(),
            backend: parts.backend.clone(),
            pool: pool.clone(),
            keystore: &parts.keystore,
            network: network.clone(),
            is_authority: role.is_authority(),
        })?,
        Task::Sign | Task::Rest => {}
    }

    let keys = Arc::new(Keyring::default());
    let authored = Arc::new(ShieldedPool::new(pool.clone(), keys.clone()));
    match (consensus, commands) {
        (Consensus::Slots(voter), _) => {
            slots::start(
                &parts,
                slots_config,
                slots::Pools { pool, authored, keys },
                slots::Net { network, sync },
                *voter,
            )?;
        }
        (Consensus::OnDemand { instant }, Some(commands)) if role.is_authority() => sealing::start(
            sealing::Sealer {
                task_manager: &parts.task_manager,
                client: parts.client.clone(),
                pool,
                authored,
                keys,
                select_chain: parts.select_chain.clone(),
                instant,
            },
            commands,
        )?,
        (Consensus::OnDemand { .. }, _) => {
            return Err(Error::Other("--sealing manual and instant need --dev, --alice or --validator".into()));
        }
    }
    Watch { database, client: parts.client.clone(), backend: parts.backend.clone(), ended }.spawn(&parts.task_manager);
    Ok(parts.task_manager)
}

/// How this node extends the chain.
enum Consensus {
    Slots(Box<slots::Voter>),
    OnDemand { instant: bool },
}
