// SPDX-License-Identifier: Apache-2.0
//! Files beside the journal: reports, and the bodies of bundles.
//!
//! The journal has all that they say or a gateway has it, so a full disk is waited out: what cannot be written is named
//! in the log once, counted, and written as soon as it can be. The weights do not wait for it.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::Error;

/// Writes the files of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    kind: &'static str,
    /// Whether the last write failed.
    fails: Arc<AtomicBool>,
}

impl Files {
    /// `kind` names them in log and metrics.
    pub(crate) fn new(kind: &'static str) -> Self {
        Self { kind, fails: Arc::default() }
    }

    /// Writes a file so that it is whole or as it was before, whatever happens; false where it cannot be written now.
    pub(crate) async fn store(&self, path: PathBuf, bytes: Vec<u8>) -> Result<bool, Error> {
        let written = tokio::task::spawn_blocking(move || write_atomically(&path, &bytes).map_err(|e| failed(path, e)));
        match written.await.map_err(|_| Error::Panicked { task: "files" })? {
            Ok(()) => {
                if self.fails.swap(false, Ordering::Relaxed) {
                    tracing::info!(kind = self.kind, "files can be written again");
                }
                Ok(true)
            }
            Err(error) => {
                metrics::counter!("clawrank_validator_file_errors_total", "kind" => self.kind).increment(1);
                // At every head again: once is enough.
                if self.fails.swap(true, Ordering::Relaxed) {
                    tracing::debug!(kind = self.kind, %error, "a file still cannot be written");
                } else {
                    tracing::error!(kind = self.kind, %error, "a file cannot be written; it is tried again");
                }
                Ok(false)
            }
        }
    }
}

/// Reads a file; `None` where there is none.
///
/// # Errors
///
/// [`Error::Disk`].
pub(crate) async fn read(path: PathBuf) -> Result<Option<Vec<u8>>, Error> {
    match tokio::fs::read(&path).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed(path, source)),
    }
}

fn failed(path: PathBuf, source: std::io::Error) -> Error {
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let advice = match source.kind() {
        StorageFull | QuotaExceeded => "free disk space",
        PermissionDenied | ReadOnlyFilesystem => "let this program's user write there",
        _ => "check the folder and its disk",
    };
    Error::Disk { path, source, advice }
}

/// Writes a file beside its place and moves it there, so that readers see the old or the new one, never a part.
fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let unique = crate::random_below(u64::MAX);
    let temporary = folder.join(format!(".{name}.{unique:016x}"));
    let written = std::fs::File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}
