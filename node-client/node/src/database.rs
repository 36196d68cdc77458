// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! The chain's database: whatever goes wrong with it ends the node, with one line that names the folder and says what to do.
//!
//! ParityDB puts what is committed into a log, and enters that into its tables later: sparse files, mapped into memory. So
//! a full disk or a file that was cut shows as an error of a later commit, as a panic, or as SIGBUS, and often as the
//! absence of what was there. The database is looked through before anything is built on it ([`sound`]), watched while it
//! is in use ([`watch`]), and what ends the process without asking is put into words ([`crash`]).

mod crash;
mod mark;
mod sound;
mod watch;

use crate::service::FullBackend;
use mark::Mark;
use sc_client_api::{Backend, HeaderBackend};
use sc_service::{BlocksPruning, Configuration};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

pub(crate) use watch::{Ended, Watch};

/// In the database of every chain that has a [`Mark`]; what GRANDPA remembers lies beside it.
const OPENED: &[u8] = b"clawrank_opened";
/// Bytes of a MiB.
const MIB: u64 = 1 << 20;

/// Why the node does not use its database, or no longer does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum DatabaseError {
    /// Less room is left than closing the database may take.
    #[error(
        "{free} MiB are left for the database in {}, and --db-storage-threshold asks for {threshold}: free disk space and \
         start the node again", folder.display()
    )]
    NoRoom { folder: PathBuf, free: u64, threshold: u64 },
    /// What is committed no longer reaches the disk.
    #[error(
        "the database in {} cannot be written ({cause}): free disk space and start the node again; it goes on from what \
         was written", folder.display()
    )]
    Unwritable { folder: PathBuf, cause: String },
    /// What was there is missing, or is not what it was.
    #[error(
        "the database in {} is damaged ({what}): put a copy of this folder back, or remove the chain with `clawrank-node \
         purge-chain` and the flags that name it (--chain, --base-path), and sync anew", folder.display()
    )]
    Damaged { folder: PathBuf, what: String },
    /// The operating system refuses.
    #[error("the database in {} cannot be opened: {cause}", folder.display())]
    Unreadable { folder: PathBuf, cause: String },
}

impl From<DatabaseError> for sc_service::Error {
    fn from(error: DatabaseError) -> Self {
        Self::Application(Box::new(error))
    }
}

/// An open database.
pub(crate) struct Opened {
    pub(crate) backend: Arc<FullBackend>,
    /// Whether there is no chain in it yet.
    pub(crate) is_new: bool,
}

/// The database of one chain.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    folder: PathBuf,
    /// MiB that stay free; 0 to look at nothing.
    threshold: u64,
}

impl Database {
    /// The database that is configured.
    pub(crate) fn of(config: &Configuration, threshold: u64) -> Self {
        Self { folder: config.database.path().unwrap_or(Path::new("")).to_owned(), threshold }
    }

    /// Opens it, or makes it where there is none.
    ///
    /// Reads the whole state of the final and the best block, and the newest blocks.
    ///
    /// # Errors
    ///
    /// - [`DatabaseError::NoRoom`]: opening writes, and there is less room than is asked for.
    /// - [`DatabaseError::Damaged`]: something is missing or does not fit the rest.
    /// - Those of the framework: another node has it open, the chain was pruned in another way.
    pub(crate) fn open(&self, config: &Configuration) -> Result<Opened, sc_service::Error> {
        crash::explain(self);
        self.ensure_room()?;
        let (mark, has_tables) = self.look()?;
        let backend = sc_service::new_db_backend(config.db_config()).map_err(|error| self.refusal(error))?;
        let is_new = backend.blockchain().info().genesis_hash == Default::default();
        if is_new {
            if has_tables || mark.is_some() {
                return Err(self.damaged("the chain is not in it").into());
            }
        } else {
            let bodies = !matches!(config.blocks_pruning, BlocksPruning::Some(_));
            sound::ensure_sound(&backend, bodies).map_err(|what| self.damaged(what))?;
            if let Some(mark) = mark {
                self.compare(&backend, &mark)?;
            }
        }
        backend.insert_aux(&[(OPENED, &[][..])], &[])?;
        Ok(Opened { backend, is_new })
    }

    /// The mark, and whether there are tables.
    fn look(&self) -> Result<(Option<Mark>, bool), DatabaseError> {
        let files = match std::fs::read_dir(&self.folder) {
            Ok(files) => files,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((None, false)),
            Err(error) => {
                return Err(DatabaseError::Unreadable { folder: self.folder.clone(), cause: error.to_string() });
            }
        };
        let names: Vec<_> = files.flatten().map(|file| file.file_name().to_string_lossy().into_owned()).collect();
        let has = |kind: &str| names.iter().any(|name| name.starts_with(kind));
        if !has("metadata") && (has("table_") || has("index_") || has("log")) {
            return Err(self.damaged("its file `metadata` is missing"));
        }
        Ok((Mark::read(&self.folder), has("table_")))
    }

    /// Compares what is final with what was final when the node last looked.
    fn compare(&self, backend: &FullBackend, mark: &Mark) -> Result<(), sc_service::Error> {
        if backend.get_aux(OPENED)?.is_none() {
            return Err(self.damaged("what consensus remembers is missing").into());
        }
        let finalized = backend.blockchain().info().finalized_number;
        if finalized < mark.number {
            log::warn!(
                "block #{} was final; the database goes on from final block #{finalized}, what came after it had not \
                 reached the disk",
                mark.number
            );
        } else if backend.blockchain().hash(mark.number)? != Some(mark.hash) {
            return Err(self.damaged(format!("block #{} is not the one that was final", mark.number)).into());
        }
        Ok(())
    }

    /// What an error of opening means.
    fn refusal(&self, error: sp_blockchain::Error) -> sc_service::Error {
        let cause = error.to_string();
        // The framework knows these two by their words only.
        if cause.contains("file is in use") {
            return DatabaseError::Unreadable { folder: self.folder.clone(), cause: "another node uses it".into() }
                .into();
        }
        if cause.contains("Incompatible pruning") {
            return error.into();
        }
        if self.is_full() {
            return DatabaseError::Unwritable { folder: self.folder.clone(), cause }.into();
        }
        self.damaged(cause).into()
    }

    fn damaged(&self, what: impl Into<String>) -> DatabaseError {
        DatabaseError::Damaged { folder: self.folder.clone(), what: what.into() }
    }

    /// Whether next to nothing is left.
    fn is_full(&self) -> bool {
        free_bytes(&self.folder).is_some_and(|free| free < MIB)
    }

    /// # Errors
    ///
    /// [`DatabaseError::NoRoom`]: less is free than the threshold.
    fn ensure_room(&self) -> Result<(), DatabaseError> {
        // Where nobody can say, the database's own errors have to do.
        let Some(free) = free_bytes(&self.folder).map(|free| free / MIB) else { return Ok(()) };
        if free < self.threshold {
            return Err(DatabaseError::NoRoom { folder: self.folder.clone(), free, threshold: self.threshold });
        }
        Ok(())
    }
}

/// Bytes that this user may still write below `folder`, which need not exist.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let stat = folder.ancestors().find_map(|folder| rustix::fs::statvfs(folder).ok())?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests;
