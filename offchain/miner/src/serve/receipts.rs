// SPDX-License-Identifier: Apache-2.0

//! The miner's own copies of its receipts, so that it need not believe anyone's count.

#[cfg(test)]
mod tests;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clawrank_primitives::proof::SignedReceipt;
use clawrank_protocol::HexBytes;
use codec::Encode;
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    durable::{AppendFile, create_folder, io_error, sync_folder, write_patiently},
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
/// What [`ReceiptBook::append`] has returned for is on disk. A line that a crash or a full disk left unfinished is cut off
/// before the next is written.
pub struct ReceiptBook {
    path: PathBuf,
    file: AppendFile,
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
        let (file, _) = AppendFile::open(&path, whole_lines)?;
        Ok(Self { path, file, max_bytes, max_files })
    }

    /// Appends receipts and waits until they are on disk: all of them, or none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; the receipts written before are kept, and these may be appended again.
    pub fn append(&mut self, receipts: &[StoredReceipt]) -> Result<(), Error> {
        let mut lines = Vec::new();
        for receipt in receipts {
            // A number and a text: always serialises, qed.
            lines.extend_from_slice(&serde_json::to_vec(receipt).unwrap_or_default());
            lines.push(b'\n');
        }
        let added = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        if self.file.length() > 0 && self.file.length().saturating_add(added) > self.max_bytes {
            self.rotate()?;
        }
        self.file.append(&lines)
    }

    fn numbered(&self, number: u32) -> PathBuf {
        self.path.with_file_name(format!("receipts.{number}.jsonl"))
    }

    fn rotate(&mut self) -> Result<(), Error> {
        self.file.mend()?;
        // It is gone where a new file could not be made the last time: nothing moves again.
        let last = if self.path.exists() { self.max_files } else { 0 };
        for number in (1..=last).rev() {
            let from = if number == 1 { self.path.clone() } else { self.numbered(number.saturating_sub(1)) };
            let to = self.numbered(number);
            if from.exists() {
                fs::rename(&from, &to).map_err(io_error(&from))?;
            }
        }
        if self.max_files == 0 && self.path.exists() {
            fs::remove_file(&self.path).map_err(io_error(&self.path))?;
        }
        sync_folder(&self.path)?;
        self.file = AppendFile::open(&self.path, whole_lines)?.0;
        Ok(())
    }
}

/// Bytes up to the end of the last whole line.
fn whole_lines(contents: &[u8]) -> usize {
    contents.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last.saturating_add(1))
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

/// A task that writes what waits in batches, one flush each, until the last sender is gone.
///
/// A batch that cannot be written waits and is tried again until `stop`, then once more.
pub(super) fn spawn(book: ReceiptBook, stop: CancellationToken) -> (Receipts, JoinHandle<()>) {
    let (sender, mut waiting) = mpsc::channel(QUEUE);
    let writer = tokio::spawn(async move {
        let (mut book, mut batch) = (book, Vec::new());
        while waiting.recv_many(&mut batch, QUEUE).await > 0 {
            let taken = batch.len();
            let append = |(book, batch): &mut (ReceiptBook, Vec<StoredReceipt>)| book.append(batch);
            match write_patiently("copies of receipts", (book, batch), append, &stop).await {
                Ok(written) => (book, batch) = written,
                Err(error) => {
                    let lost = taken.saturating_add(waiting.len());
                    tracing::error!(%error, lost, "copies of receipts were not kept");
                    return;
                }
            }
            batch.clear();
        }
    });
    (Receipts(sender), writer)
}
