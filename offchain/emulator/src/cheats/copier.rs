// SPDX-License-Identifier: Apache-2.0

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clawrank_client::{ChainPort, types::Commitment};
use clawrank_miner::{
    Error,
    measure::{Config, EpochFolder, EpochPlan, Record},
    now_ms,
};
use clawrank_primitives::proof::{Bundle, Keypair};
use tokio_util::sync::CancellationToken;

use super::intel::{Cheat, Trick};

/// Waits for the victim's bundle of each epoch, takes its attempts with their texts and salts, and submits them under its
/// own key, until `cancel`.
///
/// The first attempt's total time is made a millisecond longer, so that the root differs from the victim's.
///
/// # Errors
///
/// Those of [`clawrank_miner::measure::run`].
pub async fn copier(
    config: Config,
    victim_data_dir: PathBuf,
    keypair: Keypair,
    chain: Arc<dyn ChainPort>,
    cancel: CancellationToken,
) -> Result<(), Error> {
    tracing::warn!(victim = %victim_data_dir.display(), "this is a CHEATING miner for demonstrations: it copies another");
    Cheat::new(config, keypair, chain, cancel)?.run(&Trick::Copy(victim_data_dir)).await
}

pub(super) async fn steal(
    cheat: &Cheat,
    plan: &EpochPlan,
    victim_data_dir: &Path,
) -> Result<Option<(EpochFolder, Vec<Record>)>, Error> {
    let victim = EpochFolder::path_of(victim_data_dir, plan);
    while !victim.join("bundle.scale").exists() {
        if now_ms() > plan.measure_end_ms.saturating_add(60_000) || cheat.cancel.is_cancelled() {
            return Ok(None);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    if !committed(cheat, plan, &victim).await? {
        return Ok(None);
    }
    let own = EpochFolder::path_of(&cheat.config.data_dir, plan);
    let copy = |name: &str| -> io::Result<u64> {
        fs::create_dir_all(&own)?;
        fs::copy(victim.join(name), own.join(name))
    };
    for name in ["secret", "attempts.log"] {
        copy(name).map_err(|source| Error::Io { path: victim.join(name), source })?;
    }
    let folder = EpochFolder::open(&cheat.config.data_dir, plan)?;
    let mut records = folder.records()?;
    if let Some(first) = records.first_mut() {
        first.attempt.total_ms = first.attempt.total_ms.saturating_add(1);
    }
    Ok(Some((folder, records)))
}

/// Waits until the victim's root is on chain: before that nobody but the victim has its bundle. False at the end of the
/// time for committing.
async fn committed(cheat: &Cheat, plan: &EpochPlan, victim: &Path) -> Result<bool, Error> {
    let path = victim.join("bundle.scale");
    let bytes = fs::read(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
    let Ok(bundle) = Bundle::decode_limited(&bytes) else { return Ok(false) };
    while now_ms() <= plan.measure_end_ms.saturating_add(60_000) && !cheat.cancel.is_cancelled() {
        let all = cheat.chain.commitments(plan.netuid).await?;
        let of_victim = |c: &Commitment| c.hotkey == bundle.hotkey && c.data.ends_with(&bundle.header.root);
        if all.iter().any(of_victim) {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(false)
}
