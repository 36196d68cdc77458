// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! Watches a database that is in use, and ends the node when it can no longer be relied on.

use super::{Database, DatabaseError, Mark};
use crate::service::{FullBackend, FullClient};
use sc_client_api::{AuxStore, HeaderBackend};
use sc_service::TaskManager;
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

/// A younger chain is not marked: the database holds the last 8 KiB back, and a kill may take all there is with it.
const FIRST_MARK: u32 = 16;
/// Between two looks.
const PERIOD: Duration = Duration::from_secs(1);

/// Why the database ended the node, once it did.
pub(crate) type Ended = Arc<OnceLock<DatabaseError>>;

/// The task that looks at room, errors of the background, and what is final.
pub(crate) struct Watch {
    pub(crate) database: Database,
    pub(crate) client: Arc<FullClient>,
    pub(crate) backend: Arc<FullBackend>,
    pub(crate) ended: Ended,
}

impl Watch {
    /// Starts the task; the node ends with it.
    pub(crate) fn spawn(self, tasks: &TaskManager) {
        tasks.spawn_essential_handle().spawn_blocking("database-watch", None, self.run());
    }

    async fn run(self) {
        while let Ok(()) = self.look() {
            tokio::time::sleep(PERIOD).await;
        }
    }

    fn look(&self) -> Result<(), DatabaseError> {
        // An error of the database tells more than the room that is left since.
        let seen = self.commit().and_then(|()| self.database.ensure_room());
        if let Err(error) = &seen
            && self.ended.set(error.clone()).is_ok()
        {
            log::error!("{error}");
        }
        seen
    }

    /// Commits nothing, which fails once anything before it could not be written, and marks what is final.
    fn commit(&self) -> Result<(), DatabaseError> {
        let folder = &self.database.folder;
        let unwritable = |cause: String| DatabaseError::Unwritable { folder: folder.clone(), cause };
        self.backend.insert_aux(&[], &[]).map_err(|error| unwritable(error.to_string()))?;
        let info = self.client.info();
        let mark = Mark { number: info.finalized_number, hash: info.finalized_hash };
        if mark.number < FIRST_MARK || Mark::read(folder).as_ref() == Some(&mark) {
            return Ok(());
        }
        mark.write(folder).map_err(|error| unwritable(error.to_string()))
    }
}

impl Drop for Watch {
    /// A part of the node that met the error first has ended it; this finds out why.
    fn drop(&mut self) {
        let _ = self.look();
    }
}
