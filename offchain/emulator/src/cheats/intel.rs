// SPDX-License-Identifier: Apache-2.0

//! The loop that cheating intel miners share: honest steps around a dishonest one.

use std::{path::PathBuf, sync::Arc};

use clawrank_client::ChainPort;
use clawrank_miner::{
    Error,
    measure::{self, Config, EpochFolder, EpochPlan, Measurer, Record, Shelf, Uploader, build_bundle, commit},
};
use clawrank_primitives::{proof::Keypair, units::Ppb};
use clawrank_protocol::catalogue::Catalogue;
use tokio_util::sync::CancellationToken;

use super::{copier::steal, liar::lie};

/// Where a cheating miner has its attempts from.
pub(super) enum Trick {
    /// Its own, with this part of the latencies.
    Lie(Ppb),
    /// Those of the miner with this data folder.
    Copy(PathBuf),
}

/// What all epochs of a cheating miner share.
pub(super) struct Cheat {
    pub(super) config: Config,
    pub(super) keypair: Arc<Keypair>,
    pub(super) chain: Arc<dyn ChainPort>,
    pub(super) measurer: Measurer,
    pub(super) cancel: CancellationToken,
    shelf: Shelf,
}

impl Cheat {
    pub(super) fn new(
        config: Config,
        keypair: Keypair,
        chain: Arc<dyn ChainPort>,
        cancel: CancellationToken,
    ) -> Result<Self, Error> {
        config.check()?;
        let catalogue = Catalogue::load(&config.catalogue)?;
        let measurer = Measurer::new(&config, &catalogue, keypair.public())?;
        let shelf = Shelf::open(&config.data_dir)?;
        Ok(Self { config, keypair: Arc::new(keypair), chain, measurer, cancel, shelf })
    }

    /// Each epoch: obtains records by the trick (none skips the epoch), and submits them as an honest miner would.
    pub(super) async fn run(&self, trick: &Trick) -> Result<(), Error> {
        let genesis = self.chain.genesis_hash();
        let stop = self.cancel.child_token();
        let opener = measure::opener::run(
            self.config.clone(),
            Arc::clone(&self.keypair),
            genesis,
            self.shelf.clone(),
            stop.clone(),
        );
        let opener = tokio::spawn(opener);
        let uploader = Uploader::new(&self.config, Arc::clone(&self.keypair), genesis)?;
        let mut done = None;
        while let Some(plan) = measure::next_epoch(self.chain.as_ref(), &self.config, done, &self.cancel).await? {
            done = Some(plan.identity());
            let obtained = match trick {
                Trick::Lie(part) => lie(self, &plan, *part).await?,
                Trick::Copy(victim) => steal(self, &plan, victim).await?,
            };
            let Some((folder, records)) = obtained else {
                continue;
            };
            if let Err(error) = self.submit(&plan, &folder, &records, &uploader).await {
                tracing::warn!(epoch = plan.epoch, %error, "the cheat was not submitted");
            }
        }
        stop.cancel();
        opener.await.map_err(|_| Error::Job { job: "the opener" })?
    }

    async fn submit(
        &self,
        plan: &EpochPlan,
        folder: &EpochFolder,
        records: &[Record],
        uploader: &Uploader,
    ) -> Result<(), Error> {
        if records.is_empty() || !plan.registered(&self.keypair.public()) {
            return Ok(());
        }
        let cells = self.measurer.cells();
        let bundle = match folder.bundle()? {
            Some(bundle) => bundle,
            None => build_bundle(&self.keypair, plan, &cells, records, &self.config.intel())?,
        };
        folder.save_bundle(&bundle)?;
        self.shelf.put(folder)?;
        commit(self.chain.as_ref(), &self.keypair, plan, &bundle.header, &self.cancel).await?;
        uploader.upload_until_stored(&bundle, plan, self.chain.heads(), &self.cancel).await
    }
}
