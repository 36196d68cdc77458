// SPDX-License-Identifier: Apache-2.0

//! One connection at a time to one of several endpoints, rebuilt as often as it takes.

mod supervisor;

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use subxt::{
    ext::jsonrpsee::ws_client::{PingConfig, WsClientBuilder},
    rpcs::{
        RpcClient,
        client::{RpcParams, RpcSubscription, rpc_params},
    },
};
use tokio::{
    sync::{Mutex, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    ClientError,
    config::{Endpoint, Settings},
    error::rpc_code,
    runtime::{Runtime, RuntimeCache},
    types::{Hash, Head},
};

/// Largest answer of a node that is accepted, in bytes.
const MAX_RESPONSE_BYTES: u32 = 64 * 1024 * 1024;
/// Requests in flight on one connection.
const MAX_CONCURRENT_REQUESTS: usize = 512;
/// Protocol pings keep idle connections alive through proxies.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// A read is tried on this many connections before its error is handed up.
const READ_ATTEMPTS: u32 = 3;

/// What the connection is doing, newest wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkStatus {
    /// What it is doing.
    pub state: LinkState,
    /// Scheme, host and port of the endpoint in use or tried last.
    pub endpoint: String,
    /// `spec_version` of the runtime at the newest finalised block.
    pub spec_version: Option<u32>,
    /// Connections built after the first one.
    pub reconnects: u64,
    /// Why the last connection ended or could not be built.
    pub last_error: Option<String>,
    /// Items that the runtime lacks or has in a shape that is not served; whoever needs one is refused by its name.
    pub unsupported: Vec<String>,
}

/// The states of [`LinkStatus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// No connection yet, or none any more; one is being built.
    Connecting,
    /// Connected, finalised blocks arrive.
    Live,
    /// Finalised blocks stopped coming; the connection is being rebuilt.
    Stalled,
    /// Closed for good.
    Closed,
}

/// One connection.
pub(crate) struct Session {
    pub(crate) endpoint: String,
    pub(crate) rpc: RpcClient,
    /// Cancelled by whoever finds the connection broken.
    pub(crate) dead: CancellationToken,
}

impl Session {
    async fn connect(endpoint: &Endpoint, settings: &Settings) -> Result<Self, ClientError> {
        let client = WsClientBuilder::new()
            .connection_timeout(settings.connect_timeout)
            .request_timeout(settings.request_timeout)
            .max_response_size(MAX_RESPONSE_BYTES)
            .max_concurrent_requests(MAX_CONCURRENT_REQUESTS)
            .enable_ws_ping(
                PingConfig::new().ping_interval(PING_INTERVAL).inactive_limit(PING_INTERVAL.saturating_mul(3)),
            )
            .build(endpoint.url());
        let client = timeout(settings.connect_timeout, client)
            .await
            .map_err(|_| ClientError::Timeout {
                endpoint: endpoint.to_string(),
                method: "connect".into(),
                after_ms: millis(settings.connect_timeout),
            })?
            .map_err(|error| ClientError::Transport {
                endpoint: endpoint.to_string(),
                method: "connect".into(),
                source: error.into(),
            })?;
        Ok(Self { endpoint: endpoint.to_string(), rpc: RpcClient::new(client), dead: CancellationToken::new() })
    }

    /// One request with a deadline; a connection that fails it is condemned.
    async fn request<T: DeserializeOwned>(
        &self,
        method: &str,
        params: RpcParams,
        deadline: Duration,
    ) -> Result<T, ClientError> {
        let answer = tokio::select! {
            answer = timeout(deadline, self.rpc.request::<T>(method, params)) => answer,
            () = self.dead.cancelled() => return Err(self.broken(method, "connection was given up".into())),
        };
        let result = match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.name(method, error)),
            Err(_) => Err(ClientError::Timeout {
                endpoint: self.endpoint.clone(),
                method: method.into(),
                after_ms: millis(deadline),
            }),
        };
        if result.as_ref().is_err_and(ClientError::is_connection) {
            self.dead.cancel();
        }
        result
    }

    async fn subscribe<T: DeserializeOwned>(
        &self,
        method: &str,
        params: RpcParams,
        unsubscribe: &str,
        deadline: Duration,
    ) -> Result<RpcSubscription<T>, ClientError> {
        match timeout(deadline, self.rpc.subscribe(method, params, unsubscribe)).await {
            Ok(Ok(subscription)) => Ok(subscription),
            Ok(Err(error)) => Err(self.name(method, error)),
            Err(_) => Err(ClientError::Timeout {
                endpoint: self.endpoint.clone(),
                method: method.into(),
                after_ms: millis(deadline),
            }),
        }
    }

    fn broken(&self, method: &str, source: crate::error::Cause) -> ClientError {
        ClientError::Transport { endpoint: self.endpoint.clone(), method: method.into(), source }
    }

    fn name(&self, method: &str, error: subxt::rpcs::Error) -> ClientError {
        match error {
            subxt::rpcs::Error::User(user) => ClientError::Rpc {
                method: method.into(),
                code: user.code,
                message: match &user.data {
                    Some(data) => format!("{}: {}", user.message, data.get().trim_matches('"')),
                    None => user.message,
                },
            },
            subxt::rpcs::Error::Deserialization(error) => {
                ClientError::Decode { item: format!("answer to {method}"), why: error.to_string() }
            }
            other => self.broken(method, other.into()),
        }
    }
}

/// An endpoint of another chain.
#[derive(Clone, Debug)]
pub(crate) struct WrongChain {
    pub(crate) endpoint: String,
    pub(crate) expected: Hash,
    pub(crate) found: Hash,
}

/// The shared state of one client: its connection, what it knows of the chain, and its settings.
pub(crate) struct Link {
    pub(crate) settings: Settings,
    session: watch::Sender<Option<Arc<Session>>>,
    heads: watch::Sender<Option<Head>>,
    status: watch::Sender<LinkStatus>,
    genesis: OnceLock<Hash>,
    /// Set while every endpoint serves another chain than the one expected.
    wrong_chain: watch::Sender<Option<WrongChain>>,
    runtimes: RuntimeCache,
    /// Runtime of the newest finalised head.
    current: watch::Sender<Option<Arc<Runtime>>>,
    /// One metadata download at a time.
    loading: Mutex<()>,
    slot_ms: AtomicU64,
    progress: std::sync::Mutex<Instant>,
    closed: CancellationToken,
}

impl Link {
    pub(crate) fn new(settings: Settings) -> Self {
        let endpoint = settings.endpoints.first().map(ToString::to_string).unwrap_or_default();
        Self {
            settings,
            session: watch::Sender::new(None),
            heads: watch::Sender::new(None),
            status: watch::Sender::new(LinkStatus {
                state: LinkState::Connecting,
                endpoint,
                spec_version: None,
                reconnects: 0,
                last_error: None,
                unsupported: Vec::new(),
            }),
            wrong_chain: watch::Sender::new(None),
            genesis: OnceLock::new(),
            runtimes: RuntimeCache::default(),
            current: watch::Sender::new(None),
            loading: Mutex::new(()),
            slot_ms: AtomicU64::new(0),
            progress: std::sync::Mutex::new(Instant::now()),
            closed: CancellationToken::new(),
        }
    }

    pub(crate) fn genesis(&self) -> Hash {
        self.genesis.get().copied().unwrap_or_default()
    }

    pub(crate) fn heads(&self) -> watch::Receiver<Option<Head>> {
        self.heads.subscribe()
    }

    pub(crate) fn status(&self) -> watch::Receiver<LinkStatus> {
        self.status.subscribe()
    }

    pub(crate) fn wrong_chain(&self) -> watch::Receiver<Option<WrongChain>> {
        self.wrong_chain.subscribe()
    }

    pub(crate) fn closed(&self) -> &CancellationToken {
        &self.closed
    }

    pub(crate) fn current_runtime(&self) -> Option<Arc<Runtime>> {
        self.current.borrow().clone()
    }

    /// The newest finalised head, unless the chain has stalled.
    pub(crate) fn head(&self) -> Result<Head, ClientError> {
        if self.closed.is_cancelled() {
            return Err(ClientError::Closed);
        }
        let head = *self.heads.borrow();
        let head = head.ok_or_else(|| self.no_connection(Duration::ZERO))?;
        match self.stalled_for() {
            Some(for_ms) => Err(ClientError::ChainStalled { last: head.number, for_ms }),
            None => Ok(head),
        }
    }

    /// For how long no finalised block has come, when that is too long.
    fn stalled_for(&self) -> Option<u64> {
        let limit = self.settings.stall_after?;
        let idle = self.idle();
        (idle > limit).then(|| millis(idle))
    }

    /// Time since the last new finalised block.
    fn idle(&self) -> Duration {
        self.progress.lock().map_or(Duration::ZERO, |at| at.elapsed())
    }

    fn mark_progress(&self) {
        if let Ok(mut at) = self.progress.lock() {
            *at = Instant::now();
        }
    }

    fn no_connection(&self, waited: Duration) -> ClientError {
        let status = self.status.borrow();
        ClientError::NoConnection {
            waited_ms: millis(waited),
            endpoint: status.endpoint.clone(),
            source: status.last_error.clone().map(Into::into),
        }
    }

    /// The connection of the moment, waited for up to the request deadline.
    pub(crate) async fn session(&self) -> Result<Arc<Session>, ClientError> {
        let mut sessions = self.session.subscribe();
        let deadline = self.settings.request_timeout;
        let usable =
            |session: &Option<Arc<Session>>| session.as_ref().is_some_and(|session| !session.dead.is_cancelled());
        tokio::select! {
            () = self.closed.cancelled() => Err(ClientError::Closed),
            found = timeout(deadline, sessions.wait_for(usable)) => match found {
                Ok(Ok(session)) => session.clone().ok_or(ClientError::Closed),
                Ok(Err(_)) => Err(ClientError::Closed),
                Err(_) => Err(self.no_connection(deadline)),
            },
        }
    }

    /// A request that must not be sent twice.
    pub(crate) async fn request_once<T: DeserializeOwned>(
        &self,
        method: &str,
        params: RpcParams,
    ) -> Result<T, ClientError> {
        self.session().await?.request(method, params, self.settings.request_timeout).await
    }

    /// A read: tried again on a new connection when the old one breaks.
    pub(crate) async fn request<T: DeserializeOwned>(&self, method: &str, params: RpcParams) -> Result<T, ClientError> {
        let mut attempt = 1;
        loop {
            match self.request_once(method, params.clone()).await {
                Err(error) if error.is_connection() && attempt < READ_ATTEMPTS => {
                    tracing::debug!(method, attempt, %error, "reading again on another connection");
                    attempt = attempt.saturating_add(1);
                }
                result => return result,
            }
        }
    }

    /// A subscription on a connection; one that fails it by the transport is condemned.
    pub(crate) async fn subscribe_on<T: DeserializeOwned>(
        &self,
        session: &Session,
        method: &str,
        params: RpcParams,
        unsubscribe: &str,
    ) -> Result<RpcSubscription<T>, ClientError> {
        let subscribed = tokio::select! {
            subscribed = session.subscribe(method, params, unsubscribe, self.settings.request_timeout) => subscribed,
            () = session.dead.cancelled() => Err(session.broken(method, "connection was given up".into())),
        };
        if subscribed.as_ref().is_err_and(ClientError::is_connection) {
            session.dead.cancel();
        }
        subscribed
    }

    /// Versions of the runtime that the state of a block asks for: the one that executes the next block.
    pub(crate) async fn version(&self, at: Option<&Hash>) -> Result<RuntimeVersion, ClientError> {
        let params = match at {
            Some(hash) => rpc_params![to_hex(hash)],
            None => rpc_params![],
        };
        self.request("state_getRuntimeVersion", params).await
    }

    /// The runtime that executed a block, with its metadata: what its state and its events are laid out by.
    ///
    /// It is that of the parent's state: a block that replaces the runtime is still executed by the old one.
    pub(crate) async fn executed_by(&self, block: &Hash) -> Result<Arc<Runtime>, ClientError> {
        let parent = supervisor::header_of(self, block).await?.parent()?;
        let (version, at) = self.executing_version(block, parent).await?;
        self.runtime_of(version, Some(&at)).await
    }

    /// Versions of the runtime that executed a block, and the block whose state says so.
    async fn executing_version(
        &self,
        block: &Hash,
        parent: Option<Hash>,
    ) -> Result<(RuntimeVersion, Hash), ClientError> {
        if let Some(parent) = parent {
            match self.version(Some(&parent)).await {
                Ok(version) => return Ok((version, parent)),
                // A node that began at this block has no state of its parent.
                Err(ClientError::Rpc { message, .. }) => tracing::debug!(message, "parent's state is not at hand"),
                Err(error) => return Err(error),
            }
        }
        Ok((self.version(Some(block)).await?, *block))
    }

    /// The runtime with its metadata that executes what follows a block, or the best one.
    pub(crate) async fn runtime(&self, at: Option<&Hash>) -> Result<Arc<Runtime>, ClientError> {
        let version = self.version(at).await?;
        self.runtime_of(version, at).await
    }

    async fn runtime_of(&self, version: RuntimeVersion, at: Option<&Hash>) -> Result<Arc<Runtime>, ClientError> {
        if let Some(runtime) = self.runtimes.get(version.spec_version).await {
            return Ok(runtime);
        }
        let _guard = self.loading.lock().await;
        if let Some(runtime) = self.runtimes.get(version.spec_version).await {
            return Ok(runtime);
        }
        let bytes = self.metadata(at).await?;
        let runtime = Runtime::from_metadata(&bytes, version.spec_version, version.transaction_version)?;
        tracing::info!(spec_version = version.spec_version, bytes = bytes.len(), "loaded runtime metadata");
        Ok(self.runtimes.insert(runtime).await)
    }

    /// The bytes of the newest metadata, from `meta` on.
    pub(crate) async fn raw_metadata(&self) -> Result<Vec<u8>, ClientError> {
        self.metadata(None).await
    }

    /// Metadata V15 where the runtime offers it, else what `state_getMetadata` gives.
    async fn metadata(&self, at: Option<&Hash>) -> Result<Vec<u8>, ClientError> {
        let decode = |why: String| ClientError::Decode { item: "runtime metadata".into(), why };
        match self.call("Metadata_metadata_at_version", &15u32.to_le_bytes(), at).await {
            Ok(bytes) => {
                let found: Option<Vec<u8>> =
                    codec::Decode::decode(&mut bytes.as_slice()).map_err(|error| decode(error.to_string()))?;
                if let Some(bytes) = found {
                    return Ok(bytes);
                }
            }
            Err(ClientError::Rpc { message, .. }) => tracing::debug!(message, "runtime has no versioned metadata"),
            Err(error) => return Err(error),
        }
        let params = match at {
            Some(hash) => rpc_params![to_hex(hash)],
            None => rpc_params![],
        };
        let text: String = self.request("state_getMetadata", params).await?;
        from_hex(&text).map_err(decode)
    }

    /// A call of a runtime API with encoded arguments.
    pub(crate) async fn call(&self, method: &str, args: &[u8], at: Option<&Hash>) -> Result<Vec<u8>, ClientError> {
        let params = match at {
            Some(hash) => rpc_params![method, to_hex(args), to_hex(hash)],
            None => rpc_params![method, to_hex(args)],
        };
        let text: String = self.request("state_call", params).await?;
        from_hex(&text).map_err(|why| ClientError::Decode { item: method.into(), why })
    }

    /// Hash of the block with this number on the best chain.
    pub(crate) async fn block_hash(&self, number: u64) -> Result<Option<Hash>, ClientError> {
        let text: Option<String> = self.request("chain_getBlockHash", rpc_params![number]).await?;
        text.map(|text| hash_from_hex(&text)).transpose()
    }

    /// Number of the best block.
    pub(crate) async fn best_number(&self) -> Result<u64, ClientError> {
        supervisor::best_number(self).await
    }

    /// Number of a block.
    pub(crate) async fn number_of(&self, hash: &Hash) -> Result<u64, ClientError> {
        supervisor::number_of(self, hash).await
    }

    /// The connection of the moment, if there is one.
    pub(crate) fn current_session(&self) -> Option<Arc<Session>> {
        self.session.borrow().clone().filter(|session| !session.dead.is_cancelled())
    }

    /// Whether the node lacks a request of this name.
    pub(crate) fn is_absent(error: &ClientError) -> bool {
        matches!(error, ClientError::Rpc { code: rpc_code::METHOD_NOT_FOUND, .. })
    }

    /// Time between blocks as the chain's consensus says, in milliseconds; 0 before the first head.
    pub(crate) fn slot_ms(&self) -> u64 {
        self.slot_ms.load(Ordering::Relaxed)
    }
}

/// The part of a runtime's version that matters here.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuntimeVersion {
    pub(crate) spec_version: u32,
    pub(crate) transaction_version: u32,
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    hex::decode(text.trim_start_matches("0x")).map_err(|error| error.to_string())
}

pub(crate) fn hash_from_hex(text: &str) -> Result<Hash, ClientError> {
    from_hex(text)
        .and_then(|bytes| Hash::try_from(bytes).map_err(|bytes| format!("{} bytes instead of 32", bytes.len())))
        .map_err(|why| ClientError::Decode { item: "block hash".into(), why })
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
