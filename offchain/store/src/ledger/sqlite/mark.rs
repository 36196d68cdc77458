// SPDX-License-Identifier: Apache-2.0

//! How many receipts and writes were acknowledged, in a small file beside the database.
//!
//! SQLite takes a cut `-wal` for one that ended there, so a ledger that lost its last writes looks whole. The file says
//! how many there were, one number a line: receipts, writes of requests and nonces, all other writes. It is written after
//! each commit and before anyone is told, so it never says more than the database had and, after a `kill -9`, never
//! less. Its flush to the disk is a moment behind, so that nobody waits for it: after a power cut it may lack what came
//! in the last [`FLUSH_EVERY`].
//!
//! The first two lines are the gateway's alone. The third is also a tool's that makes keys and deposits beside it: whoever
//! writes it holds the file's lock and never lowers it.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::{Connection as _, Row as _, SqliteConnection};
use tokio::sync::watch;

use super::{int, open::beside, uint};
use crate::ledger::LedgerError;

/// Shortest time between two flushes.
const FLUSH_EVERY: Duration = Duration::from_millis(250);

/// The file's place.
const MARK: &str = ".mark";

/// What an operator calls the file who goes on without the lost writes.
const GIVEN_UP: &str = ".lost";

/// Bytes of a line: 20 digits and its end.
const LINE: usize = 21;

/// What was ever written; no number is used again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) receipts: u64,
    pub(super) requests: u64,
    pub(super) accounts: u64,
}

/// The counts and their file.
#[derive(Debug)]
pub(super) struct Mark {
    path: PathBuf,
    /// A tool opens it with its first write.
    file: Option<Arc<File>>,
    counts: Counts,
    written: watch::Sender<Counts>,
}

/// What the file beside the ledger says; `None` where there is none.
pub(super) fn read(ledger: &Path) -> Result<Option<Counts>, LedgerError> {
    read_file(&beside(ledger, MARK))
}

fn read_file(path: &Path) -> Result<Option<Counts>, LedgerError> {
    match std::fs::read_to_string(path) {
        // Made a moment ago, by a process that was killed before it wrote.
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => parse(&text).map(Some).ok_or_else(|| LedgerError::Corrupt {
            path: path.to_owned(),
            message: "it holds no numbers; delete it where the ledger is known to be whole".to_owned(),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LedgerError::io(path, error)),
    }
}

/// One to three lines: an older program wrote the receipts only.
fn parse(text: &str) -> Option<Counts> {
    let mut lines = text.lines();
    let receipts = lines.next()?.trim().parse().ok()?;
    let mut next = || lines.next().map_or(Some(0), |line| line.trim().parse().ok());
    Some(Counts { receipts, requests: next()?, accounts: next()? })
}

/// That the ledger has what is marked.
///
/// # Errors
///
/// [`LedgerError::ReceiptsLost`] or [`LedgerError::WritesLost`] when it has less.
pub(super) fn ensure_whole(ledger: &Path, stored: Counts, acknowledged: Option<Counts>) -> Result<(), LedgerError> {
    let acknowledged = acknowledged.unwrap_or_default();
    let (mark, given_up) = (beside(ledger, MARK), beside(ledger, GIVEN_UP));
    let missing = acknowledged.receipts.saturating_sub(stored.receipts);
    if missing > 0 {
        return Err(LedgerError::ReceiptsLost {
            path: ledger.to_owned(),
            acknowledged: acknowledged.receipts,
            missing,
            mark,
            given_up,
        });
    }
    for (what, acknowledged, stored) in [
        ("writes of requests and nonces", acknowledged.requests, stored.requests),
        ("writes of keys, deposits and bundles", acknowledged.accounts, stored.accounts),
    ] {
        let missing = acknowledged.saturating_sub(stored);
        if missing > 0 {
            let path = ledger.to_owned();
            return Err(LedgerError::WritesLost { path, what, acknowledged, missing, mark, given_up });
        }
    }
    Ok(())
}

/// What was ever stored.
pub(super) async fn stored(connection: &mut SqliteConnection) -> Result<Counts, LedgerError> {
    let row = sqlx::query(
        "SELECT requests, accounts, (SELECT seq FROM sqlite_sequence WHERE name = 'receipts') AS receipts FROM writes",
    )
    .fetch_one(connection)
    .await?;
    Ok(Counts {
        receipts: uint(row.try_get::<Option<i64>, _>("receipts")?.unwrap_or(0)),
        requests: uint(row.try_get("requests")?),
        accounts: uint(row.try_get("accounts")?),
    })
}

impl Mark {
    /// Takes over the file beside the ledger, or makes it.
    ///
    /// Where the operator gave lost writes up, a gateway (`exclusive`) skips their numbers, so that whoever has read lost
    /// receipts misses no later one.
    pub(super) async fn open(
        ledger: &Path,
        connection: &mut SqliteConnection,
        exclusive: bool,
    ) -> Result<Self, LedgerError> {
        let (mark, given_up) = (beside(ledger, MARK), beside(ledger, GIVEN_UP));
        let mut counts = stored(connection).await?;
        let skipped = if exclusive { read_file(&given_up)? } else { None };
        if let Some(skipped) = skipped {
            counts = skip(connection, counts, skipped).await?;
        }
        let mut this = Self { path: mark, file: None, counts, written: watch::Sender::new(counts) };
        if exclusive {
            this.begin().map_err(|error| LedgerError::io(&this.path, error))?;
        }
        if skipped.is_some() {
            std::fs::remove_file(&given_up).map_err(|error| LedgerError::io(&given_up, error))?;
        }
        Ok(this)
    }

    fn file(&mut self) -> std::io::Result<Arc<File>> {
        if let Some(file) = &self.file {
            return Ok(Arc::clone(file));
        }
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&self.path)?;
        let file = Arc::new(file);
        tokio::spawn(keep_flushed(Arc::clone(&file), self.written.subscribe()));
        self.file = Some(Arc::clone(&file));
        Ok(file)
    }

    /// Writes the lines of a gateway that begins, and the third where no tool has raised it meanwhile.
    fn begin(&mut self) -> std::io::Result<()> {
        let file = self.file()?;
        raise(&file, self.counts)?;
        file.write_all_at(own_lines(self.counts).as_bytes(), 0)?;
        file.sync_all()?;
        match self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }

    /// Counts what is on disk now: `receipts` and `requests` more, and `accounts` in all where that changed.
    pub(super) fn advance(&mut self, receipts: u64, requests: u64, accounts: Option<u64>) {
        if receipts == 0 && requests == 0 && accounts.is_none() {
            return;
        }
        self.counts.receipts = self.counts.receipts.saturating_add(receipts);
        self.counts.requests = self.counts.requests.saturating_add(requests);
        self.counts.accounts = accounts.unwrap_or(self.counts.accounts);
        if let Err(error) = self.write(receipts > 0 || requests > 0, accounts.is_some()) {
            tracing::warn!(%error, "the counts beside the ledger stay behind");
        }
        self.written.send_replace(self.counts);
    }

    fn write(&mut self, own: bool, accounts: bool) -> std::io::Result<()> {
        let file = self.file()?;
        if accounts {
            raise(&file, self.counts)?;
        }
        // In place and of one length, so the file is never half a number.
        if own { file.write_all_at(own_lines(self.counts).as_bytes(), 0) } else { Ok(()) }
    }
}

/// Lets the numbers go on behind those that were given up.
async fn skip(connection: &mut SqliteConnection, stored: Counts, lost: Counts) -> Result<Counts, LedgerError> {
    let counts = Counts {
        receipts: stored.receipts.max(lost.receipts),
        requests: stored.requests.max(lost.requests),
        accounts: stored.accounts.max(lost.accounts),
    };
    if counts == stored {
        return Ok(counts);
    }
    tracing::warn!(?stored, acknowledged = ?lost, "going on without writes that were lost");
    let mut all = connection.begin().await?;
    sqlx::query("DELETE FROM sqlite_sequence WHERE name = 'receipts'").execute(&mut *all).await?;
    sqlx::query("INSERT INTO sqlite_sequence (name, seq) VALUES ('receipts', ?1)")
        .bind(int(counts.receipts)?)
        .execute(&mut *all)
        .await?;
    sqlx::query("UPDATE writes SET requests = ?1, accounts = ?2")
        .bind(int(counts.requests)?)
        .bind(int(counts.accounts)?)
        .execute(&mut *all)
        .await?;
    all.commit().await?;
    Ok(counts)
}

fn line(count: u64) -> String {
    format!("{count:020}\n")
}

/// The lines that only the gateway writes.
fn own_lines(counts: Counts) -> String {
    [line(counts.receipts), line(counts.requests)].concat()
}

/// Raises the third line to `counts.accounts`; makes all three where they are not there.
fn raise(file: &File, counts: Counts) -> std::io::Result<()> {
    file.lock()?;
    let mut text = vec![0; LINE.saturating_mul(3)];
    let done = match file.read_exact_at(&mut text, 0) {
        Ok(()) => {
            let known = std::str::from_utf8(&text).ok().and_then(parse).map_or(0, |counts| counts.accounts);
            let offset = u64::try_from(LINE.saturating_mul(2)).unwrap_or(0);
            if known < counts.accounts { file.write_all_at(line(counts.accounts).as_bytes(), offset) } else { Ok(()) }
        }
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            let lines = own_lines(counts) + &line(counts.accounts);
            file.write_all_at(lines.as_bytes(), 0)
        }
        Err(error) => Err(error),
    };
    file.unlock()?;
    done
}

/// Flushes what was written, until the mark is gone.
async fn keep_flushed(file: Arc<File>, mut written: watch::Receiver<Counts>) {
    while written.changed().await.is_ok() {
        let file = Arc::clone(&file);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || file.sync_data()).await {
            tracing::warn!(%error, "the counts beside the ledger could not be flushed");
        }
        tokio::time::sleep(FLUSH_EVERY).await;
    }
}
