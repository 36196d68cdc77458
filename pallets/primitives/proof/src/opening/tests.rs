// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use alloc::vec;

use super::*;
use crate::{merkle::MerkleTree, testing::attempt};

const COUNT: u32 = 9;

fn opening() -> (Hash, Opening) {
    let (request_salt, response_salt) = ([1; 16], [2; 16]);
    let (request, response) = (b"{\"q\":1}".to_vec(), b"answer".to_vec());
    let mut attempts: Vec<Attempt> = (0..COUNT).map(|i| attempt(i, [1; 32])).collect();
    attempts[4].request_hash = salted_hash(&request_salt, &request);
    attempts[4].response_hash = salted_hash(&response_salt, &response);
    let tree = MerkleTree::new(attempts.iter().map(Attempt::leaf).collect()).unwrap();
    let attempt = attempts.swap_remove(4);
    let proof = tree.prove(4).unwrap();
    (tree.root(), Opening { index: 4, attempt, proof, request_salt, response_salt, request, response })
}

#[test]
fn opening_verifies_when_honest() {
    let (root, opening) = opening();
    assert_eq!(opening.verify(&root, COUNT), Ok(()));
    assert_eq!(Opening::decode_limited(&opening.encode()), Ok(opening));
}

#[test]
fn opening_is_refused_when_a_text_or_salt_changes() {
    let changes: [fn(&mut Opening); 4] =
        [|o| o.request.push(b' '), |o| o.response[0] ^= 1, |o| o.request_salt[0] ^= 1, |o| o.response_salt[0] ^= 1];
    for change in changes {
        let (root, mut changed) = opening();
        change(&mut changed);
        assert_eq!(changed.verify(&root, COUNT), Err(ProofError::HashMismatch));
    }
}

#[test]
fn opening_is_refused_when_the_attempt_or_its_place_changes() {
    let (root, mut changed) = opening();
    changed.attempt.total_ms += 1;
    assert_eq!(changed.verify(&root, COUNT), Err(ProofError::RootMismatch));
    let (root, mut moved) = opening();
    moved.index = 5;
    assert_eq!(moved.verify(&root, COUNT), Err(ProofError::RootMismatch));
    let (root, opening) = opening();
    let refused = ProofError::PathLength { expected: 3, found: 4 };
    assert_eq!(opening.verify(&root, COUNT - 1), Err(refused));
    assert_eq!(opening.verify(&[0; 32], COUNT), Err(ProofError::RootMismatch));
}

#[test]
fn opening_is_refused_when_a_text_is_over_its_cap() {
    let (_, mut large) = opening();
    large.request = vec![0; MAX_OPENED_BYTES as usize];
    assert!(Opening::decode_limited(&large.encode()).is_ok());
    large.request.push(0);
    assert_eq!(Opening::decode_limited(&large.encode()), Err(ProofError::Malformed));
    large.response = vec![0; 2 * MAX_OPENED_BYTES as usize];
    assert!(matches!(Opening::decode_limited(&large.encode()), Err(ProofError::TooLarge { .. })));
}

#[test]
fn salted_hash_differs_when_the_salt_does() {
    assert_ne!(salted_hash(&[1; 16], b"x"), salted_hash(&[2; 16], b"x"));
    let joined = [&[3u8][..], &[1; 16], b"x"].concat();
    assert_eq!(salted_hash(&[1; 16], b"x"), crate::blake2_256(&joined));
}
