// SPDX-License-Identifier: Apache-2.0

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use clawrank_primitives::Params;
use clawrank_proof::Keypair;
use tokio::{
    sync::{Mutex, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::DropGuard;

use crate::{
    ChainPort, ClientError,
    config::ChainConfig,
    link::{Link, LinkStatus, WrongChain, millis},
    reader::Reader,
    runtime::{Key, Runtime},
    shape::item,
    submit::{self, AccountInfo, Order, Submitters},
    types::{
        AccountId, Beacon, BundleCommit, Call, Commitment, EpochPayout, Hash, Head, Submitted, SubnetSnapshot,
        TimelockedCommit, WeightCommit,
    },
};

/// How long a closing client waits for its connection task.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A chain over the WebSocket of one of its nodes: the [`ChainPort`] of production.
///
/// Clones share one connection, which follows runtime upgrades and is rebuilt, on the next endpoint where there are
/// several, whenever it breaks, a request goes unanswered, or finalised blocks stop coming. The connection closes when
/// the last clone is dropped, or by [`close`](Self::close).
#[derive(Clone)]
pub struct Chain {
    inner: Arc<Inner>,
}

struct Inner {
    link: Arc<Link>,
    submitters: Submitters,
    task: Mutex<Option<JoinHandle<()>>>,
    _closes_on_drop: DropGuard,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("status", &*self.inner.link.status().borrow()).finish_non_exhaustive()
    }
}

impl Chain {
    /// Connects, and returns once the first finalised head is known.
    ///
    /// # Errors
    ///
    /// - [`ClientError::Config`]: a setting is unusable.
    /// - [`ClientError::WrongChain`]: every endpoint serves another chain than the one expected.
    /// - [`ClientError::NoConnection`]: no endpoint was good within `start_timeout_ms`; its source says why.
    pub async fn connect(config: &ChainConfig) -> Result<Self, ClientError> {
        let link = Arc::new(Link::new(config.parse()?));
        let closes_on_drop = link.closed().clone().drop_guard();
        let task = tokio::spawn(link.clone().supervise());
        let mut heads = link.heads();
        let mut wrong_chain = link.wrong_chain();
        let patience = link.settings.start_timeout;
        let found = tokio::select! {
            found = timeout(patience, heads.wait_for(Option::is_some)) => found.is_ok_and(|found| found.is_ok()),
            Ok(wrong) = wrong_chain.wait_for(Option::is_some) => match wrong.clone() {
                Some(WrongChain { endpoint, expected, found }) => {
                    return Err(ClientError::WrongChain { endpoint, expected, found });
                }
                None => false,
            },
        };
        if !found {
            let status = link.status().borrow().clone();
            return Err(ClientError::NoConnection {
                waited_ms: millis(patience),
                endpoint: status.endpoint,
                source: status.last_error.map(Into::into),
            });
        }
        Ok(Self {
            inner: Arc::new(Inner {
                submitters: Submitters::new(link.clone()),
                link,
                task: Mutex::new(Some(task)),
                _closes_on_drop: closes_on_drop,
            }),
        })
    }

    /// What the connection is doing, newest wins.
    pub fn status(&self) -> watch::Receiver<LinkStatus> {
        self.inner.link.status()
    }

    /// The runtime at the newest finalised head.
    pub fn runtime(&self) -> Option<Arc<Runtime>> {
        self.inner.link.current_runtime()
    }

    /// The newest metadata as the node serves it: version 15 where there is one, from the prefix `meta` on.
    ///
    /// # Errors
    ///
    /// As any read.
    pub async fn metadata(&self) -> Result<Vec<u8>, ClientError> {
        self.inner.link.raw_metadata().await
    }

    /// Time between blocks, in milliseconds.
    pub fn block_time_ms(&self) -> u64 {
        self.inner.link.slot_ms()
    }

    /// Free balance of an account at the newest finalised block, in rao.
    ///
    /// # Errors
    ///
    /// As any read.
    pub async fn balance_rao(&self, account: &AccountId) -> Result<u64, ClientError> {
        let reader = self.reader_at_head().await?.0;
        let info: Option<AccountInfo> = reader.value(item!("System.Account"), &[Key::from(account)]).await?;
        Ok(info.unwrap_or_default().data.free)
    }

    /// As [`ChainPort::submit`], for any call of the runtime: its name and arguments as
    /// [`Runtime::encode_json`] takes them. For tools.
    ///
    /// # Errors
    ///
    /// As [`ChainPort::submit`], and [`ClientError::Argument`].
    pub async fn submit_json(
        &self,
        signer: &Keypair,
        name: &str,
        args: serde_json::Value,
    ) -> Result<Submitted, ClientError> {
        self.inner.submitters.submit(signer, Order::Json { name: name.to_owned(), args }).await
    }

    /// What a registration on the subnet burns at the newest finalised block, in rao.
    ///
    /// # Errors
    ///
    /// As any read.
    pub async fn registration_cost_rao(&self, netuid: u16) -> Result<u64, ClientError> {
        let reader = self.reader_at_head().await?.0;
        Ok(reader.value(item!("SubtensorModule.Burn"), &[Key::from(netuid)]).await?.unwrap_or_default())
    }

    /// The nonce of an account's next transaction, with those in the pool counted.
    ///
    /// # Errors
    ///
    /// As any read.
    pub async fn next_nonce(&self, account: &AccountId) -> Result<u64, ClientError> {
        submit::nonce(&self.inner.link, account).await
    }

    /// Ends the connection and every submission that waits. Reads fail with [`ClientError::Closed`] from now on.
    pub async fn close(&self) {
        self.inner.link.closed().cancel();
        if let Some(mut task) = self.inner.task.lock().await.take()
            && timeout(CLOSE_TIMEOUT, &mut task).await.is_err()
        {
            task.abort();
        }
    }

    /// A reader at the newest finalised head; refuses a chain that has stalled.
    async fn reader_at_head(&self) -> Result<(Reader<'_>, Head), ClientError> {
        let link = &self.inner.link;
        let head = link.head()?;
        Ok((self.reader_at(&head.hash).await?, head))
    }

    async fn reader_at(&self, block: &Hash) -> Result<Reader<'_>, ClientError> {
        let link = &self.inner.link;
        let head = *link.heads().borrow();
        let runtime = match link.current_runtime() {
            Some(runtime) if head.is_some_and(|head| &head.hash == block) => runtime,
            _ => link.executed_by(block).await?,
        };
        Ok(Reader::new(link, runtime, *block))
    }
}

#[async_trait]
impl ChainPort for Chain {
    fn genesis_hash(&self) -> Hash {
        self.inner.link.genesis()
    }

    fn heads(&self) -> watch::Receiver<Option<Head>> {
        self.inner.link.heads()
    }

    fn has_provider_rank(&self) -> bool {
        self.inner.link.current_runtime().is_some_and(|runtime| runtime.has_pallet("ProviderRank"))
    }

    async fn subnet(&self, netuid: u16) -> Result<SubnetSnapshot, ClientError> {
        let (reader, head) = self.reader_at_head().await?;
        reader.subnet(head, netuid, self.block_time_ms()).await
    }

    async fn subnet_at(&self, netuid: u16, block: Hash) -> Result<SubnetSnapshot, ClientError> {
        let reader = self.reader_at(&block).await?;
        let number = self.inner.link.number_of(&block).await?;
        let head = reader.head(number).await?;
        reader.subnet(head, netuid, self.block_time_ms()).await
    }

    async fn best_number(&self) -> Result<u64, ClientError> {
        self.inner.link.best_number().await
    }

    async fn has_pending(&self, account: &AccountId) -> Result<bool, ClientError> {
        let reader = self.reader_at_head().await?.0;
        let info: Option<AccountInfo> = reader.value(item!("System.Account"), &[Key::from(account)]).await?;
        Ok(self.next_nonce(account).await? > info.unwrap_or_default().nonce)
    }

    async fn block(&self, number: u64) -> Result<Option<Head>, ClientError> {
        let finalised = *self.inner.link.heads().borrow();
        match finalised {
            Some(head) if head.number == number => return Ok(Some(head)),
            Some(head) if head.number > number => {}
            _ => return Ok(None),
        }
        let Some(hash) = self.inner.link.block_hash(number).await? else { return Ok(None) };
        let runtime = match self.inner.link.executed_by(&hash).await {
            Ok(runtime) => runtime,
            // The state is gone; the body can still be read with the present runtime.
            Err(ClientError::Rpc { .. } | ClientError::NoState { .. }) => self.runtime().ok_or(ClientError::Closed)?,
            Err(error) => return Err(error),
        };
        Reader::new(&self.inner.link, runtime, hash).head(number).await.map(Some)
    }

    async fn weights(&self, netuid: u16, mecid: u8) -> Result<Vec<(u16, Vec<(u16, u16)>)>, ClientError> {
        self.reader_at_head().await?.0.weights(netuid, mecid).await
    }

    async fn weight_commits(
        &self,
        netuid: u16,
        mecid: u8,
        hotkey: &AccountId,
    ) -> Result<Vec<WeightCommit>, ClientError> {
        self.reader_at_head().await?.0.weight_commits(netuid, mecid, hotkey).await
    }

    async fn timelocked_commits(
        &self,
        netuid: u16,
        mecid: u8,
        epoch: u64,
    ) -> Result<Vec<TimelockedCommit>, ClientError> {
        self.reader_at_head().await?.0.timelocked_commits(netuid, mecid, epoch).await
    }

    async fn beacon(&self) -> Result<Option<Beacon>, ClientError> {
        self.reader_at_head().await?.0.beacon().await
    }

    async fn pulse(&self, round: u64) -> Result<Option<[u8; 48]>, ClientError> {
        self.reader_at_head().await?.0.pulse(round).await
    }

    async fn pulse_at(&self, round: u64, block: Hash) -> Result<Option<[u8; 48]>, ClientError> {
        self.reader_at(&block).await?.pulse(round).await
    }

    async fn commitments(&self, netuid: u16) -> Result<Vec<Commitment>, ClientError> {
        self.reader_at_head().await?.0.commitments(netuid).await
    }

    async fn bundle_commits(&self, netuid: u16, epoch: u64) -> Result<Vec<BundleCommit>, ClientError> {
        if !self.has_provider_rank() {
            return Ok(Vec::new());
        }
        self.reader_at_head().await?.0.bundle_commits(netuid, epoch).await
    }

    async fn payouts(&self, netuid: u16) -> Result<Vec<EpochPayout>, ClientError> {
        if !self.has_provider_rank() {
            return Ok(Vec::new());
        }
        self.reader_at_head().await?.0.payouts(netuid).await
    }

    async fn params(&self, netuid: u16, block: Hash) -> Result<Option<Params>, ClientError> {
        self.reader_at(&block).await?.params(netuid).await
    }

    async fn submit(&self, signer: &Keypair, call: Call) -> Result<Submitted, ClientError> {
        self.inner.submitters.submit(signer, Order::Call(call)).await
    }
}

#[cfg(test)]
mod tests;
