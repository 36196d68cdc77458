// SPDX-License-Identifier: Apache-2.0

use std::path::PathBuf;

use clawrank_client::ClientError;
use clawrank_protocol::catalogue::CatalogueError;
use clawrank_store::journal::JournalError;

use crate::gateway::GatewayError;

/// Why a validator cannot start or go on.
///
/// While it runs, what a gateway, an endpoint, the chain or a full disk does wrong is logged, counted and tried again:
/// only a journal that is damaged, the configuration and another validator with the same hotkey end it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is unusable.
    #[error("setting `{field}` is unusable: {why}")]
    Config {
        /// Name of the field.
        field: &'static str,
        /// What is wrong and what to do.
        why: String,
    },
    /// The catalogue of endpoints cannot be used.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The journal cannot be opened, read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The chain cannot be read.
    #[error("chain: {0}")]
    Chain(#[from] ClientError),
    /// A gateway cannot be used.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// A file of the configuration cannot be read.
    #[error("cannot use {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A report or a bundle cannot be written or read now.
    #[error("cannot use {path}: {source}; {advice}")]
    Disk {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// No head of the chain arrived in time.
    #[error("no finalised block within {waited_ms} ms; check the node and its URL")]
    NoHead {
        /// How long was waited.
        waited_ms: u64,
    },
    /// The subnet's tempo is 0: it has no epochs.
    #[error("subnet {netuid} has tempo 0 and therefore no epochs; ask its owner")]
    NoEpochs {
        /// Which subnet.
        netuid: u16,
    },
    /// The subnet's parameters are to be read from the chain, and it stores none.
    #[error(
        "netuid {netuid} stores no parameters at block {block}, the first of epoch {epoch}: name a preset or a file as \
         `params`, or wait for an epoch that begins after the subnet's owner has set them"
    )]
    NoParams {
        /// Which subnet.
        netuid: u16,
        /// Which epoch.
        epoch: u64,
        /// Its first block.
        block: u64,
    },
    /// The chain has weights of this hotkey that this journal did not send.
    #[error(
        "block {block} has weights of this hotkey for mechanism {mecid} that this journal did not send: another \
         validator runs with the same hotkey, or the data folder is new or restored from a backup; stop the other one, \
         then start with --take-over"
    )]
    AnotherValidator {
        /// Which mechanism.
        mecid: u8,
        /// Block of the weights.
        block: u64,
    },
    /// Weights cannot be locked.
    #[error("cannot lock weights to a round of the chain's beacon: {0}")]
    Timelock(#[from] clawrank_timelock::TimelockError),
    /// The operating system gives no randomness for a salt.
    #[error("operating system gives no randomness: {0}")]
    Randomness(getrandom::Error),
    /// A stored text of this program cannot be read back.
    #[error("stored {what} of epoch {epoch} cannot be read: {why}; the journal is damaged, restore it from a backup")]
    Stored {
        /// `bundle summary`, `demand`, `parameters`, `verdicts` or `report`.
        what: &'static str,
        /// Which epoch.
        epoch: u64,
        /// What is wrong.
        why: String,
    },
    /// A task of the validator panicked.
    #[error("task `{task}` panicked; this is a bug, please report it with the log")]
    Panicked {
        /// Which task.
        task: &'static str,
    },
}

impl Error {
    /// Whether starting again may succeed without anyone changing a setting.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Journal(error) => error.is_retryable(),
            Self::Chain(error) => error.is_retryable(),
            Self::Gateway(error) => error.is_retryable(),
            Self::NoHead { .. } | Self::NoParams { .. } | Self::Disk { .. } => true,
            Self::Config { .. }
            | Self::Catalogue(_)
            | Self::File { .. }
            | Self::NoEpochs { .. }
            | Self::AnotherValidator { .. }
            | Self::Timelock(_)
            | Self::Randomness(_)
            | Self::Stored { .. }
            | Self::Panicked { .. } => false,
        }
    }
}
