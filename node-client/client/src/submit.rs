// SPDX-License-Identifier: Apache-2.0

//! Submissions: one task per key, one nonce in flight, every wait bounded by blocks.

mod hints;

use std::{collections::HashMap, sync::Arc, time::Duration};

use clawrank_proof::{Keypair, ss58};
use futures::future::join_all;
use subxt::{ext::scale_decode::DecodeAsType, rpcs::client::rpc_params};
use tokio::{
    sync::{Mutex, mpsc, oneshot, watch},
    time::timeout,
};

use crate::{
    ClientError,
    encode::{CallEncoder, call_name, validate},
    error::PoolReason,
    events,
    extrinsic::{self, Envelope, Era},
    link::{Link, to_hex},
    reader::{RawBlock, Reader},
    runtime::Runtime,
    shape::item,
    types::{AccountId, Call, Hash, Head, Submitted},
};

use hints::{Holder, Watch};

/// A transaction that is in no block after this many finalised ones is handed to the pool again.
const REBROADCAST_BLOCKS: u64 = 8;
/// How many blocks are searched at once.
const SEARCH_AT_ONCE: u64 = 16;
/// For how long blocks may stay away where the watchdog is off.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(120);
/// Bounds of the pause before a refused transaction is built anew.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));

/// What is to be submitted; encoded anew for the runtime of each attempt.
pub(crate) enum Order {
    /// A call that workers make.
    Call(Call),
    /// Any call, by name and arguments.
    Json {
        /// As [`Runtime::encode_json`] takes it.
        name: String,
        /// As [`Runtime::encode_json`] takes them.
        args: serde_json::Value,
    },
}

impl Order {
    fn name(&self) -> String {
        match self {
            Self::Call(call) => call_name(call),
            Self::Json { name, .. } => name.clone(),
        }
    }

    fn encode(&self, runtime: &Runtime) -> Result<Vec<u8>, ClientError> {
        match self {
            Self::Call(call) => runtime.encode(call),
            Self::Json { name, args } => runtime.encode_json(name, args).map(|encoded| encoded.bytes),
        }
    }
}

struct Job {
    signer: Keypair,
    order: Order,
    reply: oneshot::Sender<Result<Submitted, ClientError>>,
}

/// The submitter tasks of one client, by key.
pub(crate) struct Submitters {
    link: Arc<Link>,
    queues: Mutex<HashMap<AccountId, mpsc::Sender<Job>>>,
}

impl Submitters {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self { link, queues: Mutex::new(HashMap::new()) }
    }

    /// Queues a call behind the others of its key and waits for its outcome. It goes on when the caller stops waiting.
    pub(crate) async fn submit(&self, signer: &Keypair, order: Order) -> Result<Submitted, ClientError> {
        if let Order::Call(call) = &order {
            validate(call)?;
        }
        let queue = self.queue(signer.public()).await;
        let (reply, outcome) = oneshot::channel();
        queue.try_send(Job { signer: signer.clone(), order, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ClientError::QueueFull { waiting: self.link.settings.queue },
            mpsc::error::TrySendError::Closed(_) => ClientError::Closed,
        })?;
        outcome.await.map_err(|_| ClientError::Closed)?
    }

    async fn queue(&self, key: AccountId) -> mpsc::Sender<Job> {
        let mut queues = self.queues.lock().await;
        if let Some(queue) = queues.get(&key).filter(|queue| !queue.is_closed()) {
            return queue.clone();
        }
        let (sender, mut jobs) = mpsc::channel::<Job>(self.link.settings.queue);
        let link = self.link.clone();
        tokio::spawn(async move {
            loop {
                let job = tokio::select! {
                    job = jobs.recv() => job,
                    () = link.closed().cancelled() => None,
                };
                let Some(Job { signer, order, reply }) = job else { return };
                let submission = Submission { link: &link, signer: &signer, order: &order, name: order.name() };
                let outcome = tokio::select! {
                    outcome = submission.run() => outcome,
                    () = link.closed().cancelled() => return,
                };
                // Nobody may be waiting any more; the outcome is on chain all the same.
                let _ = reply.send(outcome);
            }
        });
        queues.insert(key, sender.clone());
        sender
    }
}

/// One call on its way into a block.
struct Submission<'a> {
    link: &'a Link,
    signer: &'a Keypair,
    order: &'a Order,
    name: String,
}

/// A transaction that may get into a block.
struct Sent {
    bytes: Vec<u8>,
    hash: Hash,
    last_block: u64,
    /// Version of the runtime it was signed for; a later one refuses it.
    spec_version: u32,
}

/// What a pool said.
enum Answer {
    Accepted,
    Refused(i32, PoolReason),
    /// The connection broke: it may have it or not.
    Unknown,
}

/// How the wait for a transaction ended.
enum Waited {
    /// In this block, at this position.
    Included(Head, u32),
    /// It can get into no block any more.
    Gone,
}

impl Submission<'_> {
    async fn run(&self) -> Result<Submitted, ClientError> {
        let attempts = self.link.settings.max_attempts;
        let mut refused = None;
        for attempt in 1..=attempts {
            let (sent, from) = self.build().await?;
            let (answer, holder) = self.broadcast(&sent.bytes).await?;
            if let Answer::Refused(code, reason) = answer {
                tracing::info!(call = %self.name, attempt, %reason, "pool refused the transaction");
                let error = ClientError::Pool { call: self.name.clone(), code, reason: reason.clone() };
                if !reason.wants_rebuild() {
                    return Err(error);
                }
                refused = Some(error);
                self.pause().await;
                continue;
            }
            tracing::debug!(call = %self.name, attempt, extrinsic = hex::encode(sent.hash), "transaction submitted");
            match self.wait(&sent, from, holder).await? {
                Waited::Included(block, index) => return self.conclude(&sent, block, index).await,
                Waited::Gone => {
                    tracing::info!(call = %self.name, attempt, "transaction got into no block; building it anew");
                    refused = None;
                }
            }
        }
        Err(refused.unwrap_or(ClientError::Expired { call: self.name.clone(), attempts }))
    }

    /// A transaction from the chain's present state: runtime of the best block, next nonce, era from the finalised head.
    async fn build(&self) -> Result<(Sent, Head), ClientError> {
        let head = self.link.head()?;
        let runtime = self.link.runtime(None).await?;
        let call = self.order.encode(&runtime)?;
        let nonce = nonce(self.link, &self.signer.public()).await?;
        let era = Era { period: self.link.settings.era_blocks, birth: head.number };
        let envelope = Envelope { nonce, era: Some(era), era_hash: head.hash, genesis: self.link.genesis() };
        let (bytes, hash) = extrinsic::sign(&runtime, self.signer, &call, &envelope)?;
        let spec_version = runtime.spec_version();
        Ok((Sent { bytes, hash, last_block: era.last_block(), spec_version }, head))
    }

    /// Hands the transaction to a node, and watches what its pool does with it.
    async fn broadcast(&self, bytes: &[u8]) -> Result<(Answer, Holder), ClientError> {
        let session = self.link.session().await?;
        let answer = match Watch::start(self.link, &session, bytes).await {
            Ok(watch) => return Ok((Answer::Accepted, Holder::of(session, Some(watch)))),
            // The node does not watch transactions; blocks are searched in any case.
            Err(error) if Link::is_absent(&error) => {
                self.link.request_once::<String>("author_submitExtrinsic", rpc_params![to_hex(bytes)]).await.map(|_| ())
            }
            Err(error) => Err(error),
        };
        let answer = match answer {
            Ok(()) => Answer::Accepted,
            Err(error) if error.is_connection() => return Ok((Answer::Unknown, Holder::default())),
            Err(ClientError::Rpc { method, code, message }) => match PoolReason::from_rpc(code, &message) {
                Some(PoolReason::AlreadyImported) => Answer::Accepted,
                Some(reason) => Answer::Refused(code, reason),
                None => return Err(ClientError::Rpc { method, code, message }),
            },
            Err(error) => return Err(error),
        };
        Ok((answer, Holder::of(session, None)))
    }

    /// Scans finalised blocks after `from` for the transaction, until it is found or can no more be included.
    ///
    /// Only finalised blocks count, so a block that is retracted changes nothing. What the pool says is a hint: a
    /// transaction that it lost, or that the connection lost, is handed over again at the next finalised block.
    async fn wait(&self, sent: &Sent, from: Head, mut holder: Holder) -> Result<Waited, ClientError> {
        let mut heads = self.link.heads();
        let mut scanned = from.number;
        let mut broadcast_at = from.number;
        // Once another transaction has used the nonce: the best block at which that was seen.
        let mut superseded_at: Option<u64> = None;
        let unknown = || ClientError::OutcomeUnknown {
            call: self.name.clone(),
            extrinsic: sent.hash,
            valid_until: sent.last_block,
        };
        loop {
            let finalised = match *heads.borrow_and_update() {
                Some(head) => head.number,
                None => scanned,
            };
            'search: while scanned < finalised {
                let numbers = scanned.saturating_add(1)..=finalised.min(scanned.saturating_add(SEARCH_AT_ONCE));
                let searched = join_all(numbers.clone().map(|number| self.find(sent, number))).await;
                for (number, found) in numbers.zip(searched) {
                    match found {
                        Ok(Some((head, index))) => return Ok(Waited::Included(head, index)),
                        Ok(None) => scanned = number,
                        Err(error) if matches!(error, ClientError::Closed) => return Err(error),
                        Err(error) => {
                            tracing::debug!(number, %error, "block cannot be searched yet");
                            break 'search;
                        }
                    }
                }
            }
            if scanned >= sent.last_block || superseded_at.is_some_and(|at| scanned >= at) {
                return Ok(Waited::Gone);
            }
            if scanned >= finalised && self.is_outdated(sent) {
                tracing::info!(call = %self.name, "the runtime was upgraded; the transaction is void");
                return Ok(Waited::Gone);
            }
            let overdue = scanned.saturating_sub(broadcast_at) >= REBROADCAST_BLOCKS;
            if superseded_at.is_none() && (holder.lost(self.link) || overdue) {
                broadcast_at = scanned;
                if let Ok((answer, again)) = self.broadcast(&sent.bytes).await {
                    holder = again;
                    if matches!(answer, Answer::Refused(_, PoolReason::Stale)) {
                        superseded_at = self.link.best_number().await.ok();
                    }
                }
            }
            let head = tokio::select! {
                head = next_head(&mut heads, self.patience()) => head,
                never = holder.follow(&self.name) => match never {},
            };
            if !head {
                return Err(unknown());
            }
        }
    }

    /// Whether a finalised block was executed by a later runtime than the transaction was signed for.
    fn is_outdated(&self, sent: &Sent) -> bool {
        self.link.current_runtime().is_some_and(|runtime| runtime.spec_version() > sent.spec_version)
    }

    /// Looks for the transaction in one block.
    async fn find(&self, sent: &Sent, number: u64) -> Result<Option<(Head, u32)>, ClientError> {
        let Some(hash) = self.link.block_hash(number).await? else {
            return Err(ClientError::NoState { block: Hash::default() });
        };
        let block = RawBlock::fetch(self.link, &hash).await?;
        let position = block.extrinsics.iter().position(|extrinsic| extrinsic == &sent.bytes);
        Ok(position
            .and_then(|index| u32::try_from(index).ok())
            .map(|index| (Head { number, hash, timestamp_ms: 0 }, index)))
    }

    /// What the transaction did, from the events of its block.
    async fn conclude(&self, sent: &Sent, block: Head, index: u32) -> Result<Submitted, ClientError> {
        let runtime = self.link.executed_by(&block.hash).await?;
        let item = runtime.storage(item!("System.Events"))?;
        let key = item.key(&[])?;
        let values = Reader::new(self.link, runtime.clone(), block.hash).values(std::slice::from_ref(&key)).await?;
        let bytes = values.get(&key).map(Vec::as_slice).unwrap_or_default();
        let outcome = events::outcome(&runtime, bytes, index)?;
        match outcome.failure {
            None => Ok(Submitted {
                extrinsic: sent.hash,
                block: block.hash,
                block_number: block.number,
                events: outcome.events,
            }),
            Some(failure) => Err(ClientError::Dispatch {
                call: self.name.clone(),
                pallet: failure.pallet.into(),
                name: failure.name,
                docs: failure.docs.into(),
                block_number: block.number,
                extrinsic: sent.hash,
            }),
        }
    }

    /// Waits for the next block, or about as long as one takes.
    async fn pause(&self) {
        let slot = Duration::from_millis(self.link.slot_ms().saturating_mul(2)).clamp(PAUSE.0, PAUSE.1);
        let mut heads = self.link.heads();
        heads.mark_unchanged();
        let _ = next_head(&mut heads, slot).await;
    }

    fn patience(&self) -> Duration {
        self.link.settings.stall_after.unwrap_or(DEFAULT_PATIENCE)
    }
}

/// Waits for a new finalised head; false when none comes in time.
async fn next_head(heads: &mut watch::Receiver<Option<Head>>, patience: Duration) -> bool {
    matches!(timeout(patience, heads.changed()).await, Ok(Ok(())))
}

/// The nonce of a key's next transaction; counts those waiting in the pool.
pub(crate) async fn nonce(link: &Link, account: &AccountId) -> Result<u64, ClientError> {
    let params = rpc_params![ss58::encode(account)];
    match link.request("system_accountNextIndex", params.clone()).await {
        Err(error) if Link::is_absent(&error) => link.request("account_nextIndex", params).await,
        result => result,
    }
}

/// What an account is, as far as it is needed here.
#[derive(Default, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub(crate) struct AccountInfo {
    pub(crate) nonce: u64,
    pub(crate) data: AccountData,
}

/// The free balance, in rao.
#[derive(Default, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub(crate) struct AccountData {
    pub(crate) free: u64,
}
