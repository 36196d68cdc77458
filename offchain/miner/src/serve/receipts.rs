// SPDX-License-Identifier: Apache-2.0

//! The miner's own copies of its receipts, so that it need not believe anyone's count.

#[cfg(test)]
mod tests;

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use clawrank_primitives::proof::SignedReceipt;
use clawrank_protocol::HexBytes;
use codec::Encode;
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    Error,
    durable::{create_folder, io_error, open_append, sync_folder},
};

/// Receipts that may wait for the disk; more are dropped, since the gateway keeps them too.
const QUEUE: usize = 1_024;

/// One line of a file of receipts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredReceipt {
    /// When it came, Unix milliseconds of the miner's clock.
    pub stored_ms: u64,
    /// SCALE of the [`SignedReceipt`].
    pub receipt: HexBytes,
}

/// Files of receipts: `receipts.jsonl` grows up to a size and becomes `receipts.1.jsonl`, that one `receipts.2.jsonl`, and
/// so on up to a number of files.
///
/// What [`ReceiptBook::append`] has returned for is on disk. A line that a crash left unfinished is cut off on opening.
pub struct ReceiptBook {
    path: PathBuf,
    file: File,
    length: u64,
    max_bytes: u64,
    max_files: u32,
}

impl ReceiptBook {
    /// Opens the book in a folder, which is made where missing.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn open(folder: &Path, max_bytes: u64, max_files: u32) -> Result<Self, Error> {
        create_folder(folder)?;
        let path = folder.join("receipts.jsonl");
        let mut file = open_append(&path)?;
        let mut contents = Vec::new();
        file.read_to_end(&mut contents).map_err(io_error(&path))?;
        let whole = contents.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last.saturating_add(1));
        let length = u64::try_from(whole).unwrap_or(u64::MAX);
        if whole < contents.len() {
            tracing::warn!(bytes = contents.len().saturating_sub(whole), "cut off an unfinished receipt");
            file.set_len(length).and_then(|()| file.sync_all()).map_err(io_error(&path))?;
        }
        Ok(Self { path, file, length, max_bytes, max_files })
    }

    /// Appends receipts and waits until they are on disk.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn append(&mut self, receipts: &[StoredReceipt]) -> Result<(), Error> {
        let mut lines = Vec::new();
        for receipt in receipts {
            // A number and a text: always serialises, qed.
            lines.extend_from_slice(&serde_json::to_vec(receipt).unwrap_or_default());
            lines.push(b'\n');
        }
        let added = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        if self.length > 0 && self.length.saturating_add(added) > self.max_bytes {
            self.rotate()?;
        }
        self.file.write_all(&lines).and_then(|()| self.file.sync_data()).map_err(io_error(&self.path))?;
        self.length = self.length.saturating_add(added);
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        self.path.with_file_name(format!("receipts.{number}.jsonl"))
    }

    fn rotate(&mut self) -> Result<(), Error> {
        for number in (1..=self.max_files).rev() {
            let from = if number == 1 { self.path.clone() } else { self.numbered(number.saturating_sub(1)) };
            let to = self.numbered(number);
            if from.exists() {
                fs::rename(&from, &to).map_err(io_error(&from))?;
            }
        }
        if self.max_files == 0 {
            fs::remove_file(&self.path).map_err(io_error(&self.path))?;
        }
        sync_folder(&self.path)?;
        self.file = open_append(&self.path)?;
        self.length = 0;
        Ok(())
    }
}

/// Where sessions leave receipts.
#[derive(Clone)]
pub(super) struct Receipts(mpsc::Sender<StoredReceipt>);

impl Receipts {
    pub(super) fn keep(&self, receipt: &SignedReceipt) {
        let stored = StoredReceipt { stored_ms: crate::now_ms(), receipt: HexBytes(receipt.encode()) };
        if self.0.try_send(stored).is_err() {
            tracing::error!("the disk is too slow or full: a copy of a receipt was not kept");
        }
    }
}

/// A thread that writes what waits in batches, one flush each, until the last sender is gone.
pub(super) fn spawn(mut book: ReceiptBook) -> (Receipts, JoinHandle<()>) {
    let (sender, mut waiting) = mpsc::channel(QUEUE);
    let writer = tokio::task::spawn_blocking(move || {
        let mut batch = Vec::new();
        while waiting.blocking_recv_many(&mut batch, QUEUE) > 0 {
            if let Err(error) = book.append(&batch) {
                tracing::error!(%error, lost = batch.len(), "copies of receipts were not kept");
            }
            batch.clear();
        }
    });
    (Receipts(sender), writer)
}
