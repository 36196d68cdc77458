// SPDX-License-Identifier: Apache-2.0
//! The port through which every worker knows the chain.

use async_trait::async_trait;
use clawrank_primitives::Params;
use clawrank_proof::Keypair;
use tokio::sync::watch;

use crate::{
    ClientError,
    types::{
        AccountId, Beacon, BundleCommit, Call, Commitment, EpochPayout, Hash, Head, Submitted, SubnetSnapshot,
        TimelockedCommit, WeightCommit,
    },
};

/// Reads of, and submissions to, one chain. All reads are of finalised state.
///
/// [`Chain`](crate::Chain) is the real one; tests of workers bring a fake.
#[async_trait]
pub trait ChainPort: Send + Sync + 'static {
    /// Hash of block 0.
    fn genesis_hash(&self) -> Hash;

    /// The newest finalised head, newest wins; `None` until the first is known.
    fn heads(&self) -> watch::Receiver<Option<Head>>;

    /// Whether the chain has the provider-rank pallet (ours has, the public one has not).
    fn has_provider_rank(&self) -> bool;

    /// The subnet at the newest finalised block.
    async fn subnet(&self, netuid: u16) -> Result<SubnetSnapshot, ClientError>;

    /// The subnet at a given block.
    async fn subnet_at(&self, netuid: u16, block: Hash) -> Result<SubnetSnapshot, ClientError>;

    /// Number of the node's best block, which need not become final: a transaction that is sent now gets into a later one.
    /// The newest finalised block where the port does not know.
    async fn best_number(&self) -> Result<u64, ClientError> {
        Ok(self.heads().borrow().map_or(0, |head| head.number))
    }

    /// Whether a transaction of this account is on its way: in the node's pool, or in a block that is not final yet. Whoever
    /// asks before reading what the transaction does misses none. `false` where the port does not know.
    async fn has_pending(&self, _account: &AccountId) -> Result<bool, ClientError> {
        Ok(false)
    }

    /// A finalised block by number; `None` while it is not final or when it does not exist.
    async fn block(&self, number: u64) -> Result<Option<Head>, ClientError>;

    /// Stored weights of a mechanism: `(uid, [(uid, weight)])`, rows without weights left out.
    #[allow(clippy::type_complexity)]
    async fn weights(&self, netuid: u16, mecid: u8) -> Result<Vec<(u16, Vec<(u16, u16)>)>, ClientError>;

    /// Commits of one hotkey that are not yet revealed, oldest first.
    async fn weight_commits(
        &self,
        netuid: u16,
        mecid: u8,
        hotkey: &AccountId,
    ) -> Result<Vec<WeightCommit>, ClientError>;

    /// Timelocked commits of a mechanism that were made in an epoch and are not yet revealed, oldest first; empty where
    /// the chain has no such commits.
    async fn timelocked_commits(
        &self,
        netuid: u16,
        mecid: u8,
        epoch: u64,
    ) -> Result<Vec<TimelockedCommit>, ClientError>;

    /// The beacon that opens timelocked commits; `None` where the chain has no `Drand` pallet.
    async fn beacon(&self) -> Result<Option<Beacon>, ClientError>;

    /// The beacon's signature of a round, 48 bytes compressed in G1; `None` while the chain has not stored it.
    async fn pulse(&self, round: u64) -> Result<Option<[u8; 48]>, ClientError>;

    /// As [`Self::pulse`], by the state after a final block.
    async fn pulse_at(&self, round: u64, block: Hash) -> Result<Option<[u8; 48]>, ClientError>;

    /// Everything in `Commitments.CommitmentOf` for the subnet.
    async fn commitments(&self, netuid: u16) -> Result<Vec<Commitment>, ClientError>;

    /// Bundle roots in `ProviderRank` for an epoch; empty where the pallet is absent.
    async fn bundle_commits(&self, netuid: u16, epoch: u64) -> Result<Vec<BundleCommit>, ClientError>;

    /// Payouts that `ProviderRank` still remembers; empty where the pallet is absent.
    async fn payouts(&self, netuid: u16) -> Result<Vec<EpochPayout>, ClientError>;

    /// The rules' parameters that `ProviderRank` stores for the subnet, by the state after a final block; `None` where it
    /// stores none, or the pallet is absent.
    ///
    /// # Errors
    ///
    /// [`ClientError::Decode`] when what is stored is of another layout or makes no sense; else as any read.
    async fn params(&self, netuid: u16, block: Hash) -> Result<Option<Params>, ClientError>;

    /// Signs with `signer`, submits, and waits until the block that has it is final.
    ///
    /// Handles nonce and era, and retries what is safe to retry.
    ///
    /// # Errors
    ///
    /// [`ClientError::Dispatch`] with the chain's own error name when the call ran and failed;
    /// [`ClientError::Pool`] when the pool refused it; see `is_retryable` for the rest.
    async fn submit(&self, signer: &Keypair, call: Call) -> Result<Submitted, ClientError>;
}

/// Submissions without reads, for tools that compare one chain library with another. Its futures need not be `Send`.
#[async_trait(?Send)]
pub trait SubmissionPort {
    /// As [`ChainPort::submit`].
    async fn submit_call(&self, signer: &Keypair, call: &Call) -> Result<Submitted, ClientError>;
}

#[async_trait(?Send)]
impl<T: ChainPort> SubmissionPort for T {
    async fn submit_call(&self, signer: &Keypair, call: &Call) -> Result<Submitted, ClientError> {
        self.submit(signer, call.clone()).await
    }
}
