// SPDX-License-Identifier: Apache-2.0

//! The log of attempts of one epoch: append-only, checked, and on disk before an attempt counts.

#[cfg(test)]
mod tests;

use std::path::Path;

use clawrank_primitives::proof::{Attempt, blake2_256};
use codec::{Decode, DecodeAll, Encode};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    durable::{AppendFile, write_patiently},
};

/// Longest record, in bytes: two texts at their caps, and the attempt.
const MAX_RECORD_BYTES: usize = 4 * 1024 * 1024;

/// Length and checksum in front of each record.
const HEADER_BYTES: usize = 4 + 8;

/// Records that are written with one flush, at most.
const BATCH: usize = 64;

/// One attempt with the texts behind its hashes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Record {
    /// Index of the task among those of its cell in this epoch.
    pub index: u32,
    /// The attempt; its sequence is set when the bundle is built.
    pub attempt: Attempt,
    /// Request body as it was sent.
    pub request: Vec<u8>,
    /// Response text as it was received; empty where the call failed before any text.
    pub response: Vec<u8>,
}

/// An open log.
pub struct AttemptLog(AppendFile);

impl AttemptLog {
    /// Opens a log, cuts off what a crash left unfinished, and returns the records that are whole.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn open(path: &Path) -> Result<(Self, Vec<Record>), Error> {
        let mut records = Vec::new();
        let (file, _) = AppendFile::open(path, |contents| {
            let whole;
            (records, whole) = parse(contents);
            whole
        })?;
        Ok((Self(file), records))
    }

    /// Reads the whole records of a log without changing it; none when there is no log.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn read(path: &Path) -> Result<Vec<Record>, Error> {
        Ok(crate::durable::read(path)?.map(|contents| parse(&contents).0).unwrap_or_default())
    }

    /// Appends records and waits until they are on disk: all of them, or none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; the records written before are kept, and these may be appended again.
    pub fn append<'r>(&mut self, records: impl IntoIterator<Item = &'r Record>) -> Result<(), Error> {
        let mut bytes = Vec::new();
        for record in records {
            let body = record.encode();
            bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend_from_slice(&checksum(&body));
            bytes.extend_from_slice(&body);
        }
        self.0.append(&bytes)
    }

    /// Moves the log to a task that writes what waits in batches, one flush each, until the last sender is gone.
    ///
    /// A batch that cannot be written waits and is tried again until `stop`, then once more; the task ends with the error
    /// of that last try.
    pub(super) fn spawn(self, stop: CancellationToken) -> (LogWriter, JoinHandle<Result<(), Error>>) {
        let (sender, mut waiting) = mpsc::channel::<Waiting>(BATCH);
        let writer = tokio::spawn(async move {
            let (mut log, mut batch) = (self, Vec::new());
            while waiting.recv_many(&mut batch, BATCH).await > 0 {
                let append = |(log, batch): &mut (Self, Vec<Waiting>)| log.append(batch.iter().map(|one| &one.record));
                (log, batch) = write_patiently("the log of attempts", (log, batch), append, &stop).await?;
                for Waiting { done, .. } in batch.drain(..) {
                    // A measurement that was given up does not wait for its acknowledgement.
                    let _ = done.send(());
                }
            }
            Ok(())
        });
        (LogWriter(sender), writer)
    }
}

struct Waiting {
    record: Record,
    done: oneshot::Sender<()>,
}

/// Where calls leave their records.
#[derive(Clone)]
pub(super) struct LogWriter(mpsc::Sender<Waiting>);

impl LogWriter {
    /// Writes a record; true once it is on disk, false when it cannot be written.
    pub(super) async fn write(&self, record: Record) -> bool {
        let (done, written) = oneshot::channel();
        self.0.send(Waiting { record, done }).await.is_ok() && written.await.is_ok()
    }
}

fn checksum(body: &[u8]) -> [u8; 8] {
    blake2_256(body).first_chunk::<8>().copied().unwrap_or_default()
}

/// Whole records and the length of all of them together.
fn parse(contents: &[u8]) -> (Vec<Record>, usize) {
    let (mut records, mut whole) = (Vec::new(), 0usize);
    while let Some((record, length)) = contents.get(whole..).and_then(first) {
        records.push(record);
        whole = whole.saturating_add(length);
    }
    (records, whole)
}

fn first(contents: &[u8]) -> Option<(Record, usize)> {
    let (length, rest) = contents.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= MAX_RECORD_BYTES)?;
    let body = rest.get(..length)?;
    if checksum(body) != *sum {
        return None;
    }
    let record = Record::decode_all(&mut &*body).ok()?;
    Some((record, length.saturating_add(HEADER_BYTES)))
}
