// SPDX-License-Identifier: Apache-2.0

use std::time::Duration;

use clawrank_client::{ChainPort, ClientError, types::Call};
use clawrank_primitives::proof::{BundleHeader, Keypair, commitment::Commitment};
use tokio_util::sync::CancellationToken;

use super::{EpochPlan, next_head};
use crate::{Backoff, Error};

/// What [`commit`] found or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Whether `Commitments.set_commitment` was sent now; false when the chain had it.
    pub commitment_sent: bool,
    /// Whether `ProviderRank.commit_bundle` was sent now; false when the chain had it, or has no such pallet.
    pub bundle_sent: bool,
}

/// Puts the root on chain: `Commitments.set_commitment`, and `ProviderRank.commit_bundle` where the chain has it.
///
/// Looks first, so that repeating it sends nothing twice; where the outcome of a transaction is unknown, nothing is sent
/// while one is on its way. Errors that may pass, as those of a node that is restarted and of a chain without final blocks,
/// are retried until the deadline.
///
/// # Errors
///
/// [`Error::TooLate`] when the deadline has passed before the root is on chain; [`Error::Chain`] otherwise.
pub async fn commit(
    chain: &dyn ChainPort,
    keypair: &Keypair,
    plan: &EpochPlan,
    header: &BundleHeader,
    cancel: &CancellationToken,
) -> Result<Committed, Error> {
    let mut heads = chain.heads();
    let mut backoff = Backoff::new(Duration::from_millis(300), Duration::from_secs(6));
    let mut sent = Committed { commitment_sent: false, bundle_sent: false };
    let mut is_unsure = false;
    loop {
        let head = heads.borrow_and_update().map_or(0, |head| head.number);
        // Asked before the chain is looked at: what leaves the pool in between is seen there.
        let step = async {
            if is_unsure && chain.has_pending(&keypair.public()).await? {
                return Ok(false);
            }
            send_missing(chain, keypair, plan, header, head, &mut sent).await.map(|()| true)
        };
        match step.await {
            Ok(true) => return Ok(sent),
            Ok(false) => tracing::debug!(epoch = plan.epoch, "a transaction is still on its way"),
            Err(error) if error.is_retryable() => {
                is_unsure |= matches!(error, Error::Chain(ClientError::OutcomeUnknown { .. }));
                tracing::warn!(epoch = plan.epoch, %error, "the root is not committed yet");
            }
            Err(error) => return Err(error),
        }
        if !next_head(&mut heads, Some(backoff.next_delay()), cancel).await {
            return Ok(sent);
        }
    }
}

async fn send_missing(
    chain: &dyn ChainPort,
    keypair: &Keypair,
    plan: &EpochPlan,
    header: &BundleHeader,
    head: u64,
    sent: &mut Committed,
) -> Result<(), Error> {
    let own = keypair.public();
    let (netuid, epoch) = (plan.netuid, plan.epoch);
    // A transaction sent at the deadline's block can only be in a later one.
    let in_time = || {
        if head < plan.deadline_block {
            return Ok(());
        }
        Err(Error::TooLate { epoch, deadline: plan.deadline_block, head })
    };
    let bytes = Commitment::from(header).to_bytes().to_vec();
    let known = chain.commitments(netuid).await?;
    if !known.iter().any(|found| found.hotkey == own && found.data == bytes) {
        in_time()?;
        chain.submit(keypair, Call::SetCommitment { netuid, data: bytes }).await?;
        sent.commitment_sent = true;
    }
    if chain.has_provider_rank() {
        let known = chain.bundle_commits(netuid, epoch).await?;
        if !known.iter().any(|found| found.hotkey == own && found.root == header.root) {
            in_time()?;
            let call = Call::CommitBundle { netuid, epoch, root: header.root, count: header.count };
            chain.submit(keypair, call).await?;
            sent.bundle_sent = true;
        }
    }
    Ok(())
}
