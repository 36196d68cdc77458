// SPDX-License-Identifier: Apache-2.0

use std::sync::Arc;

use clawrank_client::ChainPort;
use clawrank_miner::{
    Error,
    measure::{Config, EpochFolder, EpochPlan, Record},
};
use clawrank_primitives::{proof::Keypair, units::Ppb};
use tokio_util::sync::CancellationToken;

use super::intel::{Cheat, Trick};

/// Measures like an honest miner and reports `part` of its latencies, until `cancel`.
///
/// The attempts are changed before they are hashed, so root, telemetry and openings agree with each other.
///
/// # Errors
///
/// Those of [`clawrank_miner::measure::run`].
pub async fn liar(
    config: Config,
    part: Ppb,
    keypair: Keypair,
    chain: Arc<dyn ChainPort>,
    cancel: CancellationToken,
) -> Result<(), Error> {
    tracing::warn!(%part, "this is a CHEATING miner for demonstrations: it reports a part of its latencies");
    Cheat::new(config, keypair, chain, cancel)?.run(&Trick::Lie(part)).await
}

pub(super) async fn lie(
    cheat: &Cheat,
    plan: &EpochPlan,
    part: Ppb,
) -> Result<Option<(EpochFolder, Vec<Record>)>, Error> {
    let mut folder = EpochFolder::open(&cheat.config.data_dir, plan)?;
    cheat.measurer.measure(plan, &mut folder, cheat.chain.heads(), &cheat.cancel).await?;
    if cheat.cancel.is_cancelled() {
        return Ok(None);
    }
    let mut records = folder.records()?;
    shorten_latencies(&mut records, part);
    Ok(Some((folder, records)))
}

/// Multiplies every latency by `part`, rounding up.
pub fn shorten_latencies(records: &mut [Record], part: Ppb) {
    let shorter = |millis: u32| u32::try_from(part.mul_ceil(u128::from(millis))).unwrap_or(millis);
    for record in records {
        record.attempt.ttft_ms = shorter(record.attempt.ttft_ms);
        record.attempt.total_ms = shorter(record.attempt.total_ms);
    }
}
