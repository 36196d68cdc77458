// SPDX-License-Identifier: Apache-2.0
//! Where an epoch's challenge comes from.

use clawrank_client::{ChainPort, ClientError, types::Head};
use clawrank_primitives::proof::Hash;
use clawrank_timelock::randomness;

use crate::{clock::EpochClock, commit::round::params};

#[cfg(test)]
mod tests;

/// The challenge seed of an epoch: the randomness of the beacon's first round after the time of the block after the
/// deadline, if the chain had it in time, else the hash of that block (rules 2.2). `None` while the block that decides
/// cannot be read.
///
/// Everything is read as of that block, so that all validators draw the same, whenever they do.
///
/// # Errors
///
/// Those of the chain.
pub(crate) async fn draw(
    chain: &dyn ChainPort,
    clock: &EpochClock,
    seed_block: &Head,
) -> Result<Option<Hash>, ClientError> {
    if clock.decides_block == clock.seed_block {
        return Ok(Some(seed_block.hash));
    }
    let Some(decides) = chain.block(clock.decides_block).await? else { return Ok(None) };
    let Some(beacon) = chain.beacon().await? else { return Ok(Some(seed_block.hash)) };
    let round = params(&beacon).round_at(seed_block.timestamp_ms).saturating_add(1);
    let signature = chain.pulse_at(round, decides.hash).await?;
    Ok(Some(signature.map_or(seed_block.hash, |signature| randomness(&signature))))
}
