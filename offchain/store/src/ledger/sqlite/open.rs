// SPDX-License-Identifier: Apache-2.0

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    LedgerOptions,
    mark::{self, Counts, Mark},
};
use crate::{code, ledger::LedgerError};

/// "CLWL": marks the file as a ledger of this program.
const APPLICATION_ID: i64 = 0x434c_574c;

/// Connections for reading.
const READERS: u32 = 4;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/ledger");

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Takes the lock that only one gateway can hold. The kernel gives it back when the process dies.
pub(super) fn lock(path: &Path) -> Result<File, LedgerError> {
    let lock_path = beside(path, ".lock");
    let file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(&lock_path)
        .map_err(|error| LedgerError::io(&lock_path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LedgerError::Locked),
        Err(TryLockError::Error(error)) => Err(LedgerError::io(&lock_path, error)),
    }
}

fn connect_options(path: &Path, options: LedgerOptions) -> SqliteConnectOptions {
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_millis(options.busy_timeout_ms))
        .disable_statement_logging();
    match options.max_pages {
        Some(pages) => connect.pragma("max_page_count", pages.to_string()),
        None => connect,
    }
}

/// Opens the writer's connection and the readers' pool and the mark, after checking the file and bringing its tables up to
/// date.
pub(super) async fn open(
    path: &Path,
    options: LedgerOptions,
) -> Result<(SqliteConnection, SqlitePool, Mark), LedgerError> {
    // Read before the database, which a gateway beside this process may be writing: so it can only be behind.
    let acknowledged = mark::read(path)?;
    if !path.try_exists().map_err(|error| LedgerError::io(path, error))? {
        mark::ensure_whole(path, Counts::default(), acknowledged)?;
        create(path, options).await?;
    }
    let damaged = |error: sqlx::Error| damage(path, error);
    if std::fs::metadata(path).map_err(|error| LedgerError::io(path, error))?.len() == 0 {
        return Err(LedgerError::Corrupt { path: path.to_owned(), message: "the file is empty".to_owned() });
    }
    let connect = connect_options(path, options);
    let mut writer = connect.connect().await.map_err(damaged)?;
    let found: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut writer).await.map_err(damaged)?;
    if found != APPLICATION_ID {
        return Err(LedgerError::Foreign { path: path.to_owned(), found });
    }
    let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut writer).await.map_err(damaged)?;
    if verdict != "ok" {
        return Err(LedgerError::Corrupt { path: path.to_owned(), message: verdict });
    }
    migrate(&mut writer).await?;
    mark::ensure_whole(path, mark::stored(&mut writer).await?, acknowledged)?;
    let mark = Mark::open(path, &mut writer, options.exclusive).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .min_connections(1)
        .connect_with(connect.read_only(true))
        .await
        .map_err(damaged)?;
    Ok((writer, readers, mark))
}

/// Makes a complete ledger under another name, then moves it into place, so that a crash never leaves half a one.
async fn create(path: &Path, options: LedgerOptions) -> Result<(), LedgerError> {
    let draft = beside(path, ".new");
    for stale in [draft.clone(), beside(&draft, "-wal"), beside(&draft, "-shm")] {
        match std::fs::remove_file(&stale) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(LedgerError::io(&stale, error)),
            _ => {}
        }
    }
    let mut connection = connect_options(&draft, options)
        .create_if_missing(true)
        .pragma("application_id", APPLICATION_ID.to_string())
        .connect()
        .await?;
    migrate(&mut connection).await?;
    // Moves everything from the log into the file; the log is removed with the last connection.
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
    connection.close().await?;
    File::open(&draft).and_then(|file| file.sync_all()).map_err(|error| LedgerError::io(&draft, error))?;
    std::fs::rename(&draft, path).map_err(|error| LedgerError::io(path, error))?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| LedgerError::io(path, error))?;
    }
    Ok(())
}

async fn migrate(connection: &mut SqliteConnection) -> Result<(), LedgerError> {
    MIGRATIONS.run(connection).await.map_err(|source| match source {
        sqlx::migrate::MigrateError::Execute(error) | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => {
            LedgerError::from(error)
        }
        source => LedgerError::Migration { source: Arc::new(source) },
    })
}

fn damage(path: &Path, error: sqlx::Error) -> LedgerError {
    let is_short = code::extended(&error) == Some(code::IO_SHORT_READ);
    match code::primary(&error) {
        Some(code::IO) if !is_short => error.into(),
        Some(code::CORRUPT | code::NOT_A_DATABASE | code::IO) => {
            LedgerError::Corrupt { path: path.to_owned(), message: error.to_string() }
        }
        _ => error.into(),
    }
}
