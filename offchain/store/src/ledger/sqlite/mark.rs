// SPDX-License-Identifier: Apache-2.0

//! How many receipts were acknowledged, in a small file beside the database.
//!
//! SQLite takes a cut `-wal` for one that ended there, so a ledger that lost its last receipts looks whole. The file says
//! how many there were. It is written after each commit and before anyone is told, so it never says more than the
//! database had and, after a `kill -9`, never less. Its flush to the disk is a moment behind, so that nobody waits for it:
//! after a power cut it may lack what came in the last [`FLUSH_EVERY`].

use std::{
    fs::File,
    io::Write as _,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::SqliteConnection;
use tokio::sync::watch;

use super::{int, open::beside, uint};
use crate::ledger::LedgerError;

/// Shortest time between two flushes.
const FLUSH_EVERY: Duration = Duration::from_millis(250);

/// The file's place.
const MARK: &str = ".mark";

/// What an operator calls the file who goes on without the lost receipts.
const GIVEN_UP: &str = ".lost";

/// The count and its file, held by the only process that writes receipts.
#[derive(Debug)]
pub(super) struct Mark {
    file: Arc<File>,
    receipts: u64,
    written: watch::Sender<u64>,
}

/// What the file beside the ledger says; `None` where there is none.
pub(super) fn read(ledger: &Path) -> Result<Option<u64>, LedgerError> {
    read_file(&beside(ledger, MARK))
}

fn read_file(path: &Path) -> Result<Option<u64>, LedgerError> {
    match std::fs::read_to_string(path) {
        Ok(text) => text.trim().parse().map(Some).map_err(|_| LedgerError::Corrupt {
            path: path.to_owned(),
            message: "it holds no number; delete it where the ledger is known to be whole".to_owned(),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LedgerError::io(path, error)),
    }
}

/// That the ledger has `stored` receipts where `acknowledged` are marked.
///
/// # Errors
///
/// [`LedgerError::ReceiptsLost`] when it has fewer.
pub(super) fn ensure_whole(ledger: &Path, stored: u64, acknowledged: Option<u64>) -> Result<(), LedgerError> {
    let acknowledged = acknowledged.unwrap_or(0);
    match acknowledged.checked_sub(stored) {
        None | Some(0) => Ok(()),
        Some(missing) => Err(LedgerError::ReceiptsLost {
            path: ledger.to_owned(),
            acknowledged,
            missing,
            mark: beside(ledger, MARK),
            given_up: beside(ledger, GIVEN_UP),
        }),
    }
}

/// Receipts that were ever stored; their numbers are never used again.
pub(super) async fn stored(connection: &mut SqliteConnection) -> Result<u64, LedgerError> {
    let seq: Option<i64> = sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'receipts'")
        .fetch_optional(connection)
        .await?;
    Ok(uint(seq.unwrap_or(0)))
}

impl Mark {
    /// Takes over the file beside the ledger, or makes it.
    ///
    /// Where the operator gave lost receipts up, their numbers are skipped, so that whoever has read them misses no
    /// later one.
    pub(super) async fn open(ledger: &Path, connection: &mut SqliteConnection) -> Result<Self, LedgerError> {
        let (mark, given_up) = (beside(ledger, MARK), beside(ledger, GIVEN_UP));
        let mut receipts = stored(connection).await?;
        let skipped = read_file(&given_up)?;
        if let Some(acknowledged) = skipped.filter(|acknowledged| *acknowledged > receipts) {
            tracing::warn!(stored = receipts, acknowledged, "going on without receipts that were lost");
            sqlx::query("DELETE FROM sqlite_sequence WHERE name = 'receipts'").execute(&mut *connection).await?;
            sqlx::query("INSERT INTO sqlite_sequence (name, seq) VALUES ('receipts', ?1)")
                .bind(int(acknowledged)?)
                .execute(connection)
                .await?;
            receipts = acknowledged;
        }
        let file = create(&mark, receipts).map_err(|error| LedgerError::io(&mark, error))?;
        if skipped.is_some() {
            std::fs::remove_file(&given_up).map_err(|error| LedgerError::io(&given_up, error))?;
        }
        let (file, written) = (Arc::new(file), watch::Sender::new(receipts));
        tokio::spawn(keep_flushed(Arc::clone(&file), written.subscribe()));
        Ok(Self { file, receipts, written })
    }

    /// Counts receipts that are on disk now.
    pub(super) fn advance(&mut self, receipts: u64) {
        if receipts == 0 {
            return;
        }
        self.receipts = self.receipts.saturating_add(receipts);
        // In place and of one length, so the file is never half a number.
        if let Err(error) = self.file.write_all_at(line(self.receipts).as_bytes(), 0) {
            tracing::warn!(%error, "the count of receipts beside the ledger stays behind");
        }
        self.written.send_replace(self.receipts);
    }
}

fn line(receipts: u64) -> String {
    format!("{receipts:020}\n")
}

/// Puts a whole file into place.
fn create(path: &Path, receipts: u64) -> std::io::Result<File> {
    let draft: PathBuf = beside(path, ".new");
    let mut file = File::create(&draft)?;
    file.write_all(line(receipts).as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}

/// Flushes what was written, until the mark is gone.
async fn keep_flushed(file: Arc<File>, mut written: watch::Receiver<u64>) {
    while written.changed().await.is_ok() {
        let file = Arc::clone(&file);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || file.sync_data()).await {
            tracing::warn!(%error, "the count of receipts beside the ledger could not be flushed");
        }
        tokio::time::sleep(FLUSH_EVERY).await;
    }
}
