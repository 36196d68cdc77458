// SPDX-License-Identifier: Apache-2.0

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use clawrank_proof::blake2_256;
use codec::{Compact, Encode};
use futures::FutureExt;
use serde::Deserialize;
use std::sync::atomic::Ordering;
use subxt::rpcs::client::{RpcSubscription, rpc_params};
use tokio::time::{sleep, timeout};

use super::{Link, LinkState, Session, WrongChain, from_hex, hash_from_hex, millis, to_hex};
use crate::{
    ClientError, ItemStatus,
    config::Endpoint,
    reader::Reader,
    runtime::Runtime,
    shape::{self, ConstantName},
    types::{Hash, Head},
};

/// For how long an endpoint of another chain is not asked again.
const REFUSED_FOR: Duration = Duration::from_secs(60);
/// A finalised head must be readable within this many tries; a node may announce a block before it can serve it.
const HEAD_ATTEMPTS: u32 = 3;

/// Time between blocks, by the constants that tell it.
const SLOT_DURATION: ConstantName = ConstantName::of("Aura.SlotDuration");
/// Half the time between blocks.
const MINIMUM_PERIOD: ConstantName = ConstantName::of("Timestamp.MinimumPeriod");

impl Link {
    /// Keeps one connection alive until the client is closed.
    pub(crate) async fn supervise(self: Arc<Self>) {
        let mut pause = self.settings.backoff_min;
        let mut connected_before = false;
        let mut refused: Vec<Option<Instant>> = vec![None; self.settings.endpoints.len()];
        loop {
            let mut wrong = self.wrong_chain.borrow().clone();
            for (endpoint, refused) in self.settings.endpoints.iter().zip(&mut refused) {
                if refused.is_some_and(|at| at.elapsed() < REFUSED_FOR) {
                    continue;
                }
                let blocks_before = self.heads.borrow().map(|head| head.number);
                let ended = tokio::select! {
                    () = self.closed.cancelled() => return self.finish(),
                    ended = self.run(endpoint, connected_before) => ended,
                };
                self.session.send_replace(None);
                *refused = None;
                if let ClientError::WrongChain { endpoint, expected, found } = &ended {
                    *refused = Some(Instant::now());
                    wrong = Some(WrongChain { endpoint: endpoint.clone(), expected: *expected, found: *found });
                }
                if connected_before {
                    tracing::warn!(%endpoint, error = causes(&ended), "lost the chain connection");
                } else {
                    tracing::warn!(%endpoint, error = causes(&ended), "no chain connection yet; trying again");
                }
                let advanced = self.heads.borrow().map(|head| head.number) > blocks_before;
                connected_before = connected_before || self.heads.borrow().is_some();
                if advanced {
                    pause = self.settings.backoff_min;
                }
                let state = if matches!(ended, ClientError::ChainStalled { .. }) {
                    LinkState::Stalled
                } else {
                    LinkState::Connecting
                };
                self.status.send_modify(|status| {
                    status.state = if status.state == LinkState::Stalled { LinkState::Stalled } else { state };
                    status.last_error = Some(describe(&ended));
                });
            }
            self.wrong_chain.send_replace(wrong.take().filter(|_| refused.iter().all(Option::is_some)));
            tokio::select! {
                () = self.closed.cancelled() => return self.finish(),
                () = sleep(pause) => {}
            }
            pause = pause.saturating_mul(2).min(self.settings.backoff_max);
        }
    }

    fn finish(&self) {
        if let Some(session) = self.session.send_replace(None) {
            session.dead.cancel();
        }
        self.status.send_modify(|status| status.state = LinkState::Closed);
    }

    /// Connects, follows finalised heads, and returns why that ended.
    async fn run(&self, endpoint: &Endpoint, reconnect: bool) -> ClientError {
        self.status.send_modify(|status| status.endpoint = endpoint.to_string());
        match self.follow(endpoint, reconnect).await {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    async fn follow(&self, endpoint: &Endpoint, reconnect: bool) -> Result<std::convert::Infallible, ClientError> {
        let session = Arc::new(Session::connect(endpoint, &self.settings).await?);
        let deadline = self.settings.request_timeout;
        let found: Option<String> = session.request("chain_getBlockHash", rpc_params![0u32], deadline).await?;
        let found = hash_from_hex(&found.unwrap_or_default())?;
        let expected = self.settings.genesis.unwrap_or(found);
        let expected = *self.genesis.get_or_init(|| expected);
        if expected != found {
            return Err(ClientError::WrongChain { endpoint: endpoint.to_string(), expected, found });
        }
        let mut heads: RpcSubscription<RawHeader> = session
            .subscribe("chain_subscribeFinalizedHeads", rpc_params![], "chain_unsubscribeFinalizedHeads", deadline)
            .await?;
        if reconnect {
            self.status.send_modify(|status| status.reconnects = status.reconnects.saturating_add(1));
        }
        tracing::info!(%endpoint, genesis = hex::encode(found), "connected to the chain");
        self.session.send_replace(Some(session.clone()));
        // A new connection gets its own time to show progress.
        let since = tokio::time::Instant::now();
        loop {
            let header = self.next_header(&session, &mut heads, since).await?;
            let (number, hash) = header.identify()?;
            let known = self.heads.borrow().as_ref().map(|head| head.number);
            if known.is_some_and(|known| number <= known) {
                if known == Some(number) && self.status.borrow().state != LinkState::Stalled {
                    self.status.send_modify(|status| status.state = LinkState::Live);
                }
                continue;
            }
            self.accept(number, hash, header.parent()?).await?;
        }
    }

    /// The newest header that has arrived, or the next one.
    async fn next_header(
        &self,
        session: &Session,
        heads: &mut RpcSubscription<RawHeader>,
        since: tokio::time::Instant,
    ) -> Result<RawHeader, ClientError> {
        let ended = || session.broken("chain_subscribeFinalizedHeads", "subscription ended".into());
        // Time left until the watchdog bites, on this connection and on the chain as a whole.
        let patience = self.settings.stall_after.map(|limit| limit.saturating_sub(self.idle().min(since.elapsed())));
        let next = async {
            match patience {
                Some(patience) => timeout(patience, heads.next()).await.ok(),
                None => Some(heads.next().await),
            }
        };
        let next = tokio::select! {
            next = next => next,
            () = session.dead.cancelled() => return Err(ended()),
        };
        let Some(next) = next else {
            let last = self.heads.borrow().map(|head| head.number).unwrap_or_default();
            session.dead.cancel();
            return Err(ClientError::ChainStalled { last, for_ms: millis(self.idle()) });
        };
        let mut header =
            next.ok_or_else(ended)?.map_err(|error| session.name("chain_subscribeFinalizedHeads", error))?;
        // Only the newest of a backlog matters.
        while let Some(Some(Ok(newer))) = heads.next().now_or_never() {
            header = newer;
        }
        Ok(header)
    }

    /// Reads what belongs to a finalised head and publishes it.
    async fn accept(&self, number: u64, hash: Hash, parent: Option<Hash>) -> Result<(), ClientError> {
        let mut attempt = 1;
        let (runtime, timestamp_ms) = loop {
            match self.inspect(&hash, parent).await {
                Ok(found) => break found,
                Err(error) if attempt < HEAD_ATTEMPTS && !error.is_connection() => {
                    tracing::debug!(number, %error, "finalised head is not readable yet");
                    attempt = attempt.saturating_add(1);
                    sleep(Duration::from_millis(200)).await;
                }
                Err(error) => return Err(error),
            }
        };
        let spec_version = runtime.spec_version();
        let changed = self.current_runtime().is_none_or(|current| current.spec_version() != spec_version);
        if changed {
            if self.current_runtime().is_some() {
                tracing::info!(spec_version, number, "the runtime was upgraded");
            }
            let unsupported: Vec<String> = shape::check(&runtime)
                .into_iter()
                .filter(ItemStatus::is_fatal)
                .map(|status| status.item.into())
                .collect();
            if !unsupported.is_empty() {
                tracing::warn!(spec_version, items = unsupported.join(", "), "the runtime has items in unknown shapes");
            }
            self.status.send_modify(|status| status.unsupported = unsupported);
            let slot_ms = self.block_time(&runtime, &hash).await?;
            self.slot_ms.store(slot_ms, Ordering::Relaxed);
            self.current.send_replace(Some(runtime));
        }
        self.mark_progress();
        self.heads.send_replace(Some(Head { number, hash, timestamp_ms }));
        self.status.send_if_modified(|status| {
            let live = status.state == LinkState::Live && status.spec_version == Some(spec_version);
            status.state = LinkState::Live;
            status.spec_version = Some(spec_version);
            !live
        });
        Ok(())
    }

    /// The runtime that executed a block and the block's timestamp, in one round trip where the runtime is known.
    async fn inspect(&self, hash: &Hash, parent: Option<Hash>) -> Result<(Arc<Runtime>, u64), ClientError> {
        let timestamp = async |runtime: Arc<Runtime>| Reader::new(self, runtime, *hash).timestamp().await;
        let Some(current) = self.current_runtime() else {
            let (version, at) = self.executing_version(hash, parent).await?;
            let runtime = self.runtime_of(version, Some(&at)).await?;
            return Ok((runtime.clone(), timestamp(runtime).await?));
        };
        let (found, timestamp_ms) = tokio::join!(self.executing_version(hash, parent), timestamp(current.clone()));
        let (version, at) = found?;
        if version.spec_version == current.spec_version() {
            return Ok((current, timestamp_ms?));
        }
        let runtime = self.runtime_of(version, Some(&at)).await?;
        Ok((runtime.clone(), timestamp(runtime).await?))
    }

    /// Milliseconds between blocks: `AuraApi.slot_duration`, else the constant, else twice the timestamp's minimum period.
    async fn block_time(&self, runtime: &Runtime, hash: &Hash) -> Result<u64, ClientError> {
        let constant: Option<u64> = runtime.constant(SLOT_DURATION)?;
        let asked = match self.call("AuraApi_slot_duration", &[], Some(hash)).await {
            Ok(bytes) => <[u8; 8]>::try_from(bytes.as_slice()).map(u64::from_le_bytes).ok(),
            Err(ClientError::Rpc { message, .. }) => {
                tracing::debug!(message, "runtime has no AuraApi");
                None
            }
            Err(error) => return Err(error),
        };
        if let (Some(constant), Some(asked)) = (constant, asked)
            && constant != asked
        {
            tracing::info!(
                constant,
                asked,
                "slot duration of the runtime API differs from the constant; the API counts"
            );
        }
        let fallback = runtime.constant::<u64>(MINIMUM_PERIOD)?.map(|period| period.saturating_mul(2));
        asked
            .or(constant)
            .or(fallback)
            .filter(|ms| *ms > 0)
            .ok_or_else(|| runtime.unsupported(SLOT_DURATION.as_str(), "block time cannot be found out"))
    }
}

/// An error with its causes, in one line.
fn describe(error: &ClientError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// A header as a node shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawHeader {
    parent_hash: String,
    number: String,
    state_root: String,
    extrinsics_root: String,
    digest: RawDigest,
}

#[derive(Debug, Deserialize)]
struct RawDigest {
    logs: Vec<String>,
}

impl RawHeader {
    /// Hash of the parent; `None` for block 0.
    pub(crate) fn parent(&self) -> Result<Option<Hash>, ClientError> {
        let parent = hash_from_hex(&self.parent_hash)?;
        Ok((parent != Hash::default()).then_some(parent))
    }

    /// Number and hash: blake2-256 of the SCALE-encoded header.
    fn identify(&self) -> Result<(u64, Hash), ClientError> {
        let decode = |why: String| ClientError::Decode { item: "block header".into(), why };
        let number =
            u64::from_str_radix(self.number.trim_start_matches("0x"), 16).map_err(|e| decode(e.to_string()))?;
        let mut bytes = Vec::with_capacity(512);
        bytes.extend_from_slice(&hash_from_hex(&self.parent_hash)?);
        Compact(number).encode_to(&mut bytes);
        bytes.extend_from_slice(&hash_from_hex(&self.state_root)?);
        bytes.extend_from_slice(&hash_from_hex(&self.extrinsics_root)?);
        Compact(u32::try_from(self.digest.logs.len()).unwrap_or(u32::MAX)).encode_to(&mut bytes);
        for log in &self.digest.logs {
            bytes.extend_from_slice(&from_hex(log).map_err(decode)?);
        }
        Ok((number, blake2_256(&bytes)))
    }
}

/// An error and what caused it, on one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}

/// Number of the best block.
pub(super) async fn best_number(link: &Link) -> Result<u64, ClientError> {
    let header: Option<RawHeader> = link.request("chain_getHeader", rpc_params![]).await?;
    let header =
        header.ok_or_else(|| ClientError::Decode { item: "best header".into(), why: "there is none".into() })?;
    Ok(header.identify()?.0)
}

/// Number of a block from its header.
pub(super) async fn number_of(link: &Link, hash: &Hash) -> Result<u64, ClientError> {
    Ok(header_of(link, hash).await?.identify()?.0)
}

/// Header of a block.
pub(super) async fn header_of(link: &Link, hash: &Hash) -> Result<RawHeader, ClientError> {
    let header: Option<RawHeader> = link.request("chain_getHeader", rpc_params![to_hex(hash)]).await?;
    header.ok_or(ClientError::NoState { block: *hash })
}

#[cfg(test)]
mod tests;
