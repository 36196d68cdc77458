// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;

use clawrank_primitives::{
    proof::{AnswerVerdict, AttemptStatus, SchemaVerdict},
    units::MicroUsd,
};

use super::*;

fn record(index: u32) -> Record {
    let attempt = Attempt {
        cell: [1; 32],
        sequence: 0,
        task_id: [2; 32],
        request_hash: [3; 32],
        response_hash: [4; 32],
        start_ms: 1_000 + u64::from(index),
        ttft_ms: 5,
        total_ms: 9,
        input_tokens: 10,
        output_tokens: 20,
        status: AttemptStatus::Ok,
        schema: SchemaVerdict::NotChecked,
        answer: AnswerVerdict::Right,
        cost: MicroUsd(7),
    };
    Record { index, attempt, request: vec![1; 50], response: vec![2; 70] }
}

#[test]
fn records_are_there_when_the_log_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("attempts.log");
    let (mut log, before) = AttemptLog::open(&path).unwrap();
    assert!(before.is_empty());
    log.append(&[record(0), record(1)]).unwrap();
    log.append([&record(2)]).unwrap();
    let expected = [record(0), record(1), record(2)];
    assert_eq!(AttemptLog::open(&path).unwrap().1, expected);
    assert_eq!(AttemptLog::read(&path).unwrap(), expected);
    assert_eq!(AttemptLog::read(&folder.path().join("none")).unwrap(), []);
}

#[test]
fn whole_records_survive_when_the_log_was_torn_at_any_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("attempts.log");
    AttemptLog::open(&path).unwrap().0.append(&[record(0), record(1)]).unwrap();
    let full = fs::read(&path).unwrap();
    let one = full.len() / 2;
    for length in 0..full.len() {
        fs::write(&path, &full[..length]).unwrap();
        let (mut log, records) = AttemptLog::open(&path).unwrap();
        assert_eq!(records.len(), length / one, "torn at {length}");
        log.append([&record(9)]).unwrap();
        let after = AttemptLog::read(&path).unwrap();
        assert_eq!(after.last(), Some(&record(9)));
        assert_eq!(after.len(), length / one + 1);
    }
}

#[test]
fn records_after_a_flipped_bit_are_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("attempts.log");
    AttemptLog::open(&path).unwrap().0.append(&[record(0), record(1), record(2)]).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(AttemptLog::open(&path).unwrap().1, [record(0)]);
}

#[tokio::test]
async fn writer_acknowledges_when_the_record_is_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("attempts.log");
    let (writer, thread) = AttemptLog::open(&path).unwrap().0.spawn(CancellationToken::new());
    let written = futures::future::join_all((0..200).map(|index| writer.write(record(index)))).await;
    assert!(written.into_iter().all(|written| written));
    assert_eq!(AttemptLog::read(&path).unwrap().len(), 200);
    drop(writer);
    thread.await.unwrap().unwrap();
}
