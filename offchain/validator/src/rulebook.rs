// SPDX-License-Identifier: Apache-2.0
//! Where the rules' parameters come from: from the configuration once, or from the chain for every epoch anew.
//!
//! From the chain they are those that the subnet stores at the epoch's first block, so that every validator judges an epoch
//! by the same. They are kept in the journal: a node may discard that block's state before the epoch is judged.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clawrank_client::{ChainPort, ClientError};
use clawrank_primitives::Params;
use clawrank_store::journal::Journal;
use codec::{DecodeAll, Encode};
use tokio::{sync::watch, time::timeout};

use crate::{Config, Error, clock::EpochClock, heads::timed_out};

#[cfg(test)]
mod tests;

/// Parameters, and what reports call them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) params: Params,
    /// A preset's name, a file, or `chain at block <n>`.
    pub(crate) source: String,
}

/// Epoch and first block that rules from the chain are for; `None` for those of the configuration.
type For = Option<(u64, u64)>;

/// The rules by epoch.
pub(crate) struct Rulebook {
    origin: Origin,
    newest: watch::Sender<Option<(For, Arc<Rules>)>>,
    /// Why an epoch has none.
    missing: Mutex<Option<String>>,
}

enum Origin {
    Configured(Arc<Rules>),
    Chain(Box<OnChain>),
}

struct OnChain {
    chain: Arc<dyn ChainPort>,
    journal: Arc<Journal>,
    config: Config,
    read_deadline: Duration,
}

impl Rulebook {
    /// The rules that a configuration names.
    ///
    /// # Errors
    ///
    /// As [`Config::rules`].
    pub(crate) fn open(config: &Config, chain: &Arc<dyn ChainPort>, journal: &Arc<Journal>) -> Result<Self, Error> {
        if let Some(params) = config.rules()? {
            return Ok(Self::fixed(params, &config.params));
        }
        let on_chain = OnChain {
            chain: Arc::clone(chain),
            journal: Arc::clone(journal),
            config: config.clone(),
            read_deadline: Duration::from_millis(config.chain_deadline_ms),
        };
        Ok(Self {
            origin: Origin::Chain(Box::new(on_chain)),
            newest: watch::channel(None).0,
            missing: Mutex::default(),
        })
    }

    /// The same rules for every epoch.
    pub(crate) fn fixed(params: Params, source: &str) -> Self {
        let rules = Arc::new(Rules { params, source: source.to_owned() });
        let newest = watch::channel(Some((None, Arc::clone(&rules)))).0;
        Self { origin: Origin::Configured(rules), newest, missing: Mutex::default() }
    }

    /// The newest rules, for what belongs to no epoch; `None` until the chain has told any.
    pub(crate) fn newest(&self) -> Option<Arc<Rules>> {
        self.newest.borrow().as_ref().map(|(_, rules)| Arc::clone(rules))
    }

    /// Waits until there are rules.
    pub(crate) async fn known(&self) {
        // The sender is this very value: the wait ends well or not at all.
        let _ = self.newest.subscribe().wait_for(Option::is_some).await;
    }

    /// Why the epoch has no rules.
    pub(crate) fn missing(&self) -> Option<String> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As [`Self::of`], saying once why an epoch has none.
    ///
    /// # Errors
    ///
    /// [`Error::Journal`] and [`Error::Stored`].
    pub(crate) async fn find(&self, clock: &EpochClock) -> Result<Option<Arc<Rules>>, Error> {
        let (rules, why) = match self.of(clock).await {
            Ok(rules) => (Some(rules), None),
            Err(error @ (Error::Journal(_) | Error::Stored { .. })) => return Err(error),
            Err(error) => (None, Some(error.to_string())),
        };
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = why.as_ref().filter(|why| missing.as_ref() != Some(why)) {
            tracing::error!(epoch = clock.epoch, why, "no rules for the epoch: it is not judged until there are");
        }
        *missing = why;
        Ok(rules)
    }

    /// The rules that an epoch is judged by.
    ///
    /// # Errors
    ///
    /// - [`Error::NoParams`]: the subnet stored none at the epoch's first block.
    /// - [`Error::Chain`]: they cannot be read there, or make no sense.
    /// - [`Error::Config`]: the configuration's overrides do not go with them.
    /// - [`Error::Journal`], [`Error::Stored`]: they cannot be kept, or were not kept whole.
    pub(crate) async fn of(&self, clock: &EpochClock) -> Result<Arc<Rules>, Error> {
        let on_chain = match &self.origin {
            Origin::Configured(rules) => return Ok(Arc::clone(rules)),
            Origin::Chain(on_chain) => on_chain,
        };
        let subject = Some((clock.epoch, clock.start_block));
        let known = self.newest.borrow().clone().filter(|(known, _)| *known == subject);
        if let Some((_, rules)) = known {
            return Ok(rules);
        }
        let (block, params) = on_chain.params(clock).await?;
        let params = on_chain.config.overridden(params)?;
        let rules = Arc::new(Rules { params, source: format!("chain at block {block}") });
        tracing::info!(epoch = clock.epoch, block, "rules of the epoch are those that the subnet stores");
        if let Some(notice) = rules.params.notice() {
            tracing::warn!(rules = rules.source, notice, "special rules");
        }
        self.newest.send_replace(Some((subject, Arc::clone(&rules))));
        Ok(rules)
    }
}

impl OnChain {
    /// The parameters of an epoch and the block that they were read at: the journal's where it has them, else the chain's.
    async fn params(&self, clock: &EpochClock) -> Result<(u64, Params), Error> {
        let epoch = clock.epoch;
        self.journal.begin_epoch(epoch, clock.start_block, clock.deadline_block).await?;
        let row = self.journal.epoch(epoch).await?;
        let block = row.as_ref().map_or(clock.start_block, |row| row.start_block);
        if let Some(bytes) = row.and_then(|row| row.params) {
            let stored = |why: String| Error::Stored { what: "parameters", epoch, why };
            let params = Params::decode_all(&mut bytes.as_slice()).map_err(|error| stored(error.to_string()))?;
            return Ok((block, params));
        }
        let netuid = self.config.netuid;
        let read = async {
            match self.chain.block(block).await? {
                Some(head) => self.chain.params(netuid, head.hash).await,
                None => Err(timed_out("first block of the epoch", self.read_deadline)),
            }
        };
        let found: Result<_, ClientError> = timeout(self.read_deadline, read)
            .await
            .unwrap_or_else(|_| Err(timed_out("parameters", self.read_deadline)));
        let params = found?.ok_or(Error::NoParams { netuid, epoch, block })?;
        self.journal.fix_params(epoch, block, &params.encode()).await?;
        Ok((block, params))
    }
}
