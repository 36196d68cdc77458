// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::vec;

use clawrank_proof::{AnswerVerdict, Cell, SchemaVerdict, SubnetEpoch};
use clawrank_units::MicroUsd;

use super::*;

const FIRST: CommitOrder = CommitOrder { block: 10, uid: 7 };
const SECOND: CommitOrder = CommitOrder { block: 11, uid: 2 };

fn attempts(miner: u8, cell: Hash) -> Vec<Attempt> {
    (0..20u32)
        .map(|sequence| {
            let digest = (miner, sequence).using_encoded(blake2_256);
            Attempt {
                cell,
                sequence,
                task_id: blake2_256(&sequence.to_le_bytes()),
                request_hash: digest,
                response_hash: blake2_256(&digest),
                start_ms: 1_000 * u64::from(sequence) + u64::from(digest[0]),
                ttft_ms: u32::from(digest[1]),
                total_ms: 1_000 + u32::from(digest[2]),
                input_tokens: 5,
                output_tokens: 6,
                status: AttemptStatus::Ok,
                schema: SchemaVerdict::NotChecked,
                answer: AnswerVerdict::NotChecked,
                cost: MicroUsd(1),
            }
        })
        .collect()
}

fn bundle(miner: u8, change: impl Fn(&mut Attempt)) -> Bundle {
    let cell = Cell::new("m", "e", "t").unwrap();
    let mut attempts = attempts(miner, cell.id());
    attempts.iter_mut().for_each(change);
    let subject = SubnetEpoch { genesis: [0; 32], netuid: 92, mecid: 1, epoch: 1 };
    Bundle::assemble([miner; 32], subject, attempts, vec![cell], vec![]).unwrap()
}

fn check(first: &Bundle, second: &Bundle) -> Option<(DuplicateKind, u32)> {
    let mut index = DuplicateIndex::new();
    index.insert(SECOND, second);
    index.insert(FIRST, first);
    let params = GateParams::clawrank();
    assert_eq!(check_duplicates(&index, FIRST, first, &params), Ok(()));
    match check_duplicates(&index, SECOND, second, &params) {
        Ok(()) => None,
        Err(Trip {
            reason: Reason::Duplicate,
            evidence: Evidence::Duplicate { kind, uid: 7, block: 10, attempts },
        }) => Some((kind, attempts)),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn bundles_are_no_duplicates_when_two_miners_make_the_same_calls_themselves() {
    assert_eq!(check(&bundle(1, |_| ()), &bundle(2, |_| ())), None);
}

#[test]
fn root_is_a_duplicate_when_copied() {
    assert_eq!(check(&bundle(1, |_| ()), &bundle(1, |_| ())), Some((DuplicateKind::Root, 20)));
}

#[test]
fn response_hash_is_a_duplicate_when_one_attempt_is_copied() {
    let copied = bundle(1, |_| ()).attempts[4].clone();
    let second = bundle(2, |attempt| {
        if attempt.sequence == 4 {
            *attempt = copied.clone();
        }
    });
    assert_eq!(check(&bundle(1, |_| ()), &second), Some((DuplicateKind::ResponseHash, 1)));
}

#[test]
fn attempts_are_duplicates_when_salted_anew() {
    let salted_anew = |attempt: &mut Attempt| {
        attempt.request_hash = blake2_256(&attempt.request_hash);
        attempt.response_hash = blake2_256(&attempt.response_hash);
    };
    assert_eq!(check(&bundle(1, |_| ()), &bundle(1, salted_anew)), Some((DuplicateKind::Attempts, 20)));
}

#[test]
fn attempts_are_chance_when_fewer_than_the_limit_agree() {
    let original = bundle(1, |_| ());
    let agreeing = |count: u32| {
        bundle(2, |attempt| {
            let same = &original.attempts[attempt.sequence as usize];
            if attempt.sequence < count {
                let response_hash = attempt.response_hash;
                *attempt = Attempt { response_hash, ..same.clone() };
            }
        })
    };
    assert_eq!(check(&original, &agreeing(2)), None);
    assert_eq!(check(&original, &agreeing(3)), Some((DuplicateKind::Attempts, 3)));
}

#[test]
fn empty_responses_are_no_duplicates_when_calls_failed() {
    let failed = |attempt: &mut Attempt| {
        attempt.status = AttemptStatus::ServerError;
        attempt.response_hash = [0; 32];
    };
    assert_eq!(check(&bundle(1, failed), &bundle(2, failed)), None);
}
