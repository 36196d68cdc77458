// SPDX-License-Identifier: Apache-2.0

//! The intel miner: measures endpoints, commits what it found before anyone can ask for it, and opens it on demand.
//!
//! Each epoch goes through the same steps, each of them a public function here and safe to repeat:
//!
//! 1. [`EpochPlan::read`]: which epoch, from when to when, with which seed.
//! 2. [`EpochFolder::open`]: the folder of the epoch: secret of the salts, log of attempts, bundle.
//! 3. [`Measurer::measure`]: calls endpoints within the budget; every attempt is on disk before it counts.
//! 4. [`build_bundle`]: attempts in order, telemetry, signal, signature.
//! 5. [`commit`]: the root on chain, before the deadline.
//! 6. [`Uploader::upload`]: the body to the gateway.
//! 7. [`opener`]: answers `open` frames over its own connection.
//!
//! After a crash [`run`] goes on where it stopped: attempts in the log are not paid for again, a bundle that was built
//! stays as it is, a root that is on chain is not sent again.

mod bundle;
mod call;
mod commit;
mod config;
mod folder;
mod log;
mod measurer;
pub mod opener;
mod plan;
mod upload;

use std::{sync::Arc, time::Duration};

use clawrank_client::{ChainPort, types::Head};
use clawrank_primitives::proof::Keypair;
use clawrank_protocol::catalogue::Catalogue;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use bundle::{build_bundle, order, signal};
pub use call::{CallResult, call};
pub use commit::{Committed, commit};
pub use config::{CellFilter, Config};
pub use folder::{EpochFolder, Salts};
pub use log::{AttemptLog, Record};
pub use measurer::{Measured, Measurer};
pub use opener::Shelf;
pub use plan::EpochPlan;
pub use upload::Uploader;

use crate::{Backoff, Error};

/// Measures epoch after epoch until `cancel`, and opens what validators ask for.
///
/// # Errors
///
/// - [`Error::Config`], [`Error::Catalogue`]: a setting or the catalogue cannot be used.
/// - [`Error::Io`], [`Error::Damaged`]: the data folder cannot be used.
/// - [`Error::Chain`]: the chain cannot be spoken to and will not be later; others are retried.
/// - [`Error::Link`], [`Error::WrongGateway`]: the gateway refuses this miner for good, or is not the configured one.
pub async fn run(
    config: Config,
    keypair: Keypair,
    chain: Arc<dyn ChainPort>,
    cancel: CancellationToken,
) -> Result<(), Error> {
    config.check()?;
    let catalogue = Catalogue::load(&config.catalogue)?;
    let keypair = Arc::new(keypair);
    let shelf = Shelf::open(&config.data_dir)?;
    let stop = cancel.child_token();
    let opening = tokio::spawn(opener::run(
        config.clone(),
        Arc::clone(&keypair),
        chain.genesis_hash(),
        shelf.clone(),
        stop.clone(),
    ));
    let miner = Miner { config, catalogue, keypair, chain, shelf };
    let mut opening = opening;
    let result = tokio::select! {
        result = miner.run(&cancel) => result,
        ended = &mut opening => {
            stop.cancel();
            return ended.map_err(|_| Error::Job { job: "the opener" })?;
        }
    };
    stop.cancel();
    let ended = opening.await.map_err(|_| Error::Job { job: "the opener" })?;
    result.and(ended)
}

/// Waits for the next epoch that has not been dealt with, or for the end.
///
/// Reads the subnet once for each head until the epoch is another than `done`; errors of the chain that may pass are
/// logged and waited out. `None` when `cancel` comes first.
///
/// # Errors
///
/// [`Error::Chain`] that will not pass.
pub async fn next_epoch(
    chain: &dyn ChainPort,
    config: &Config,
    done: Option<(u64, [u8; 32])>,
    cancel: &CancellationToken,
) -> Result<Option<EpochPlan>, Error> {
    let mut heads = chain.heads();
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
    loop {
        let found = tokio::select! {
            found = EpochPlan::read(chain, config) => found,
            () = cancel.cancelled() => return Ok(None),
        };
        let wait = match found {
            Ok(Some(plan)) if done != Some(plan.identity()) => return Ok(Some(plan)),
            Ok(_) => None,
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, "cannot read the subnet yet");
                Some(backoff.next_delay())
            }
            Err(error) => return Err(error),
        };
        if !next_head(&mut heads, wait, cancel).await {
            return Ok(None);
        }
    }
}

/// Waits for another head, or for a time where one is given; false when it is all over.
pub(crate) async fn next_head(
    heads: &mut watch::Receiver<Option<Head>>,
    wait: Option<Duration>,
    cancel: &CancellationToken,
) -> bool {
    let waiting = async {
        match wait {
            Some(wait) => tokio::time::sleep(wait).await,
            None => {
                if heads.changed().await.is_err() {
                    // The chain's client is gone; `cancel` follows, or nothing does.
                    std::future::pending::<()>().await;
                }
            }
        }
    };
    tokio::select! {
        () = waiting => true,
        () = cancel.cancelled() => false,
    }
}

struct Miner {
    config: Config,
    catalogue: Catalogue,
    keypair: Arc<Keypair>,
    chain: Arc<dyn ChainPort>,
    shelf: Shelf,
}

impl Miner {
    async fn run(&self, cancel: &CancellationToken) -> Result<(), Error> {
        let measurer = Measurer::new(&self.config, &self.catalogue, self.keypair.public())?;
        let mut done = None;
        while let Some(plan) = next_epoch(self.chain.as_ref(), &self.config, done, cancel).await? {
            if let Err(error) = self.until_done(&plan, &measurer, cancel).await {
                if !matches!(error, Error::TooLate { .. }) && !error.is_retryable() && !matches!(error, Error::Chain(_))
                {
                    return Err(error);
                }
                tracing::error!(epoch = plan.epoch, %error, "epoch without a committed bundle");
            }
            done = Some(plan.identity());
            if cancel.is_cancelled() {
                break;
            }
            if let Err(error) = self.shelf.prune(self.config.keep_epochs) {
                tracing::error!(%error, "old epochs cannot be deleted now");
            }
        }
        Ok(())
    }

    /// Deals with an epoch; what fails for now, as a write to a full disk, is tried again until the next one begins.
    async fn until_done(&self, plan: &EpochPlan, measurer: &Measurer, cancel: &CancellationToken) -> Result<(), Error> {
        let mut heads = self.chain.heads();
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(15));
        loop {
            let Err(error) = self.epoch(plan, measurer, cancel).await else { return Ok(()) };
            let is_over = heads.borrow_and_update().is_some_and(|head| head.number >= plan.next_epoch_block);
            if is_over || !error.is_retryable() {
                return Err(error);
            }
            let delay = backoff.next_delay();
            tracing::error!(epoch = plan.epoch, %error, retry_ms = delay.as_millis(), "the epoch has to wait");
            if !next_head(&mut heads, Some(delay), cancel).await {
                return Err(error);
            }
        }
    }

    async fn epoch(&self, plan: &EpochPlan, measurer: &Measurer, cancel: &CancellationToken) -> Result<(), Error> {
        if !plan.registered(&self.keypair.public()) {
            tracing::warn!(
                epoch = plan.epoch,
                netuid = plan.netuid,
                "hotkey is not registered on the subnet, so nothing is measured in this epoch; register it"
            );
            return Ok(());
        }
        let mut folder = EpochFolder::open(&self.config.data_dir, plan)?;
        let bundle = match folder.bundle()? {
            Some(bundle) => bundle,
            None => {
                let measured = measurer.measure(plan, &mut folder, self.chain.heads(), cancel).await?;
                if cancel.is_cancelled() {
                    return Ok(());
                }
                tracing::info!(
                    epoch = plan.epoch,
                    attempts = measured.attempts,
                    cost_micro_usd = measured.cost_micro_usd,
                    cells = measured.cells,
                    "measured"
                );
                if measured.attempts == 0 {
                    tracing::warn!(epoch = plan.epoch, "no attempt in this epoch; nothing to commit");
                    return Ok(());
                }
                let records = folder.records()?;
                let bundle = build_bundle(&self.keypair, plan, &measurer.cells(), &records, &self.config.intel())?;
                folder.save_bundle(&bundle)?;
                bundle
            }
        };
        self.shelf.put(&folder)?;
        let submit = async {
            let committed = commit(self.chain.as_ref(), &self.keypair, plan, &bundle.header, cancel).await?;
            tracing::info!(epoch = plan.epoch, root = hex::encode(bundle.header.root), ?committed, "committed");
            let uploader = Uploader::new(&self.config, Arc::clone(&self.keypair), self.chain.genesis_hash())?;
            uploader.upload_until_stored(&bundle, plan, self.chain.heads(), cancel).await
        };
        submit.await?;
        Ok(())
    }
}
