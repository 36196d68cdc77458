// SPDX-License-Identifier: Apache-2.0

//! The folder of one epoch: `epoch-<number>-<seed>` with the secret, the log and the bundle.

use std::path::{Path, PathBuf};

use clawrank_primitives::proof::{Bundle, Hash, Salt, blake2_256};
use codec::Encode;

use super::{AttemptLog, EpochPlan, Record};
use crate::{
    Error,
    durable::{create_folder, read, replace},
};

/// Name of the folder of all epochs inside the data folder.
pub(super) const EPOCHS: &str = "epochs";

/// Salts of an epoch's attempts: they follow from a secret that never leaves the folder.
#[derive(Clone)]
pub struct Salts([u8; 32]);

impl Salts {
    /// Salts of the request and the response of the `index`-th attempt on a cell.
    #[must_use]
    pub fn of(&self, cell: &Hash, index: u32) -> (Salt, Salt) {
        (self.salt(b"request", cell, index), self.salt(b"response", cell, index))
    }

    fn salt(&self, what: &[u8], cell: &Hash, index: u32) -> Salt {
        let hash = blake2_256(&(what, self.0, cell, index).encode());
        hash.first_chunk::<16>().copied().unwrap_or_default()
    }
}

/// An open folder of an epoch.
pub struct EpochFolder {
    path: PathBuf,
    salts: Salts,
    log: Option<AttemptLog>,
}

impl EpochFolder {
    /// Opens the epoch's folder in the data folder; makes it, with a fresh secret, where it is missing.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Randomness`]; [`Error::Damaged`] when the secret has another length.
    pub fn open(data_dir: &Path, plan: &EpochPlan) -> Result<Self, Error> {
        let path = Self::path_of(data_dir, plan);
        create_folder(&path)?;
        let secret = path.join("secret");
        if read(&secret)?.is_none() {
            let mut fresh = [0u8; 32];
            getrandom::fill(&mut fresh).map_err(Error::Randomness)?;
            replace(&secret, &fresh)?;
        }
        let (log, _) = AttemptLog::open(&path.join("attempts.log"))?;
        Ok(Self { salts: salts(&path)?, path, log: Some(log) })
    }

    /// Where the folder of an epoch is, or would be.
    #[must_use]
    pub fn path_of(data_dir: &Path, plan: &EpochPlan) -> PathBuf {
        let (epoch, seed) = plan.identity();
        let short = hex::encode(seed.first_chunk::<4>().copied().unwrap_or_default());
        data_dir.join(EPOCHS).join(format!("epoch-{epoch:010}-{short}"))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The epoch's salts.
    #[must_use]
    pub fn salts(&self) -> Salts {
        self.salts.clone()
    }

    /// All attempts that are on disk, in the order in which they ended.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn records(&self) -> Result<Vec<Record>, Error> {
        records(&self.path)
    }

    /// The log, for writing.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub(super) fn take_log(&mut self) -> Result<AttemptLog, Error> {
        match self.log.take() {
            Some(log) => Ok(log),
            None => Ok(AttemptLog::open(&self.path.join("attempts.log"))?.0),
        }
    }

    /// The bundle, once it was built.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; [`Error::Damaged`] when it is not a bundle.
    pub fn bundle(&self) -> Result<Option<Bundle>, Error> {
        bundle(&self.path)
    }

    /// Keeps the bundle: from now on the epoch's attempts are final.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn save_bundle(&self, bundle: &Bundle) -> Result<(), Error> {
        replace(&self.path.join("bundle.scale"), &bundle.encode())
    }
}

pub(super) fn salts(folder: &Path) -> Result<Salts, Error> {
    let path = folder.join("secret");
    let secret = read(&path)?.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    secret.map(Salts).ok_or_else(|| Error::Damaged { path, problem: "the secret has not 32 bytes".to_owned() })
}

pub(super) fn records(folder: &Path) -> Result<Vec<Record>, Error> {
    AttemptLog::read(&folder.join("attempts.log"))
}

pub(super) fn bundle(folder: &Path) -> Result<Option<Bundle>, Error> {
    let path = folder.join("bundle.scale");
    let Some(bytes) = read(&path)? else {
        return Ok(None);
    };
    match Bundle::decode_limited(&bytes) {
        Ok(bundle) => Ok(Some(bundle)),
        Err(error) => Err(Error::Damaged { path, problem: error.to_string() }),
    }
}
