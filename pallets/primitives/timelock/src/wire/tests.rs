// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::testing::vectors;

#[test]
fn commit_reads_and_writes_the_same_when_of_bittensors_library() {
    for vector in vectors() {
        let commit = Commit::read(&vector.commit).unwrap();
        assert_eq!(commit.ciphertext.len(), vector.plaintext.len() + 16);
        assert_eq!(commit.bytes(), vector.commit);
    }
}

#[test]
fn commit_refuses_when_a_length_is_hostile() {
    let bytes = &vectors()[0].commit;
    let after_ciphertext = 192 + Commit::read(bytes).unwrap().ciphertext.len();
    for at in [96, 136, 176, 184, after_ciphertext, after_ciphertext + 20] {
        for hostile in [0, 1, 33, u64::from(u32::MAX), i64::MAX as u64, u64::MAX] {
            let mut altered = bytes.clone();
            altered[at..at + 8].copy_from_slice(&hostile.to_le_bytes());
            assert_eq!(Commit::read(&altered), Err(TimelockError::FieldLength), "{hostile} at {at}");
        }
    }
}

#[test]
fn commit_refuses_when_longer_than_the_chain_stores() {
    let long = alloc::vec![0; MAX_COMMIT_BYTES + 1];
    assert_eq!(Commit::read(&long), Err(TimelockError::TooLong { max: 5_000, found: 5_001 }));
}

#[test]
fn commit_refuses_when_shorter_than_its_fixed_fields() {
    let short = alloc::vec![0; OVERHEAD_BYTES - 1];
    assert_eq!(Commit::read(&short), Err(TimelockError::Length { expected: 244, found: 243 }));
    assert_eq!(Commit::read(&[]), Err(TimelockError::Length { expected: 244, found: 0 }));
}
