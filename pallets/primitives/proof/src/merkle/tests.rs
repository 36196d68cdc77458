// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::blake2_256;

fn leaves(count: u32) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_le_bytes())).collect()
}

/// Root by the definition: pairs level by level, a lone last node promoted.
fn root_by_definition(mut level: Vec<Hash>) -> Hash {
    while level.len() > 1 {
        level =
            level.chunks(2).map(|pair| if pair.len() == 2 { node_hash(&pair[0], &pair[1]) } else { pair[0] }).collect();
    }
    level[0]
}

fn streamed(leaves: &[Hash]) -> Hash {
    let mut builder = MerkleBuilder::new();
    for leaf in leaves {
        builder.push(*leaf).unwrap();
    }
    assert_eq!(builder.count() as usize, leaves.len());
    builder.finish().unwrap()
}

#[test]
fn hashes_are_prefixed_when_leaf_or_node() {
    assert_eq!(leaf_hash(b"x"), blake2_256(b"\x00x"));
    let joined: Vec<u8> = [&[1u8][..], &[2; 32], &[3; 32]].concat();
    assert_eq!(node_hash(&[2; 32], &[3; 32]), blake2_256(&joined));
}

#[test]
fn root_matches_definition_when_streamed_or_built() {
    for count in 1..=130 {
        let leaves = leaves(count);
        let expected = root_by_definition(leaves.clone());
        assert_eq!(streamed(&leaves), expected, "{count}");
        assert_eq!(MerkleTree::new(leaves).unwrap().root(), expected, "{count}");
    }
}

#[test]
fn tree_is_refused_when_empty() {
    assert_eq!(MerkleBuilder::new().finish(), Err(ProofError::EmptyTree));
    assert_eq!(MerkleTree::new(Vec::new()).unwrap_err(), ProofError::EmptyTree);
    assert_eq!(prove(&[], 0), Err(ProofError::EmptyTree));
    assert_eq!(verify(&[0; 32], 0, 0, &[0; 32], &InclusionProof::default()), Err(ProofError::EmptyTree));
}

#[test]
fn root_differs_when_the_last_leaf_is_repeated() {
    for count in 1..=33 {
        let mut twice = leaves(count);
        let root = streamed(&twice);
        twice.push(*twice.last().unwrap());
        assert_ne!(streamed(&twice), root, "{count}");
    }
}

#[test]
fn proof_verifies_for_every_leaf_and_no_other_when_small() {
    for count in 1..=20u32 {
        let leaves = leaves(count);
        let tree = MerkleTree::new(leaves.clone()).unwrap();
        let root = tree.root();
        for index in 0..count {
            let proof = prove(&leaves, index).unwrap();
            assert_eq!(tree.prove(index).unwrap(), proof);
            for other in 0..count {
                for claimed in 0..count {
                    let verified = verify(&root, count, claimed, &leaves[other as usize], &proof).is_ok();
                    assert_eq!(verified, other == index && claimed == index, "{count} {index} {other} {claimed}");
                }
            }
        }
    }
}

#[test]
fn proof_is_refused_when_index_is_not_below_count() {
    let (leaves, out) = (leaves(5), ProofError::IndexOutOfRange { index: 5, count: 5 });
    assert_eq!(prove(&leaves, 5), Err(out));
    let proof = prove(&leaves, 4).unwrap();
    assert_eq!(verify(&streamed(&leaves), 5, 5, &leaves[4], &proof), Err(out));
}

#[test]
fn proof_is_refused_when_count_is_wrong() {
    let leaves = leaves(5);
    let (root, proof) = (streamed(&leaves), prove(&leaves, 4).unwrap());
    assert_eq!(verify(&root, 5, 4, &leaves[4], &proof), Ok(()));
    for count in [6, 7, 8, 9, 100] {
        assert!(verify(&root, count, 4, &leaves[4], &proof).is_err(), "{count}");
    }
}

#[test]
fn proof_is_refused_when_path_is_too_long_or_too_short() {
    let leaves = leaves(8);
    let (root, mut proof) = (streamed(&leaves), prove(&leaves, 3).unwrap());
    proof.path.push([0; 32]);
    assert_eq!(verify(&root, 8, 3, &leaves[3], &proof), Err(ProofError::PathLength { expected: 3, found: 4 }));
    proof.path.truncate(2);
    assert_eq!(verify(&root, 8, 3, &leaves[3], &proof), Err(ProofError::PathLength { expected: 3, found: 2 }));
}

#[test]
fn proof_is_refused_when_decoded_with_more_than_max_path_nodes() {
    let long = InclusionProof { path: alloc::vec![[1; 32]; 33] }.encode();
    assert!(InclusionProof::decode(&mut &long[..]).is_err());
    let longest = InclusionProof { path: alloc::vec![[1; 32]; 32] }.encode();
    assert!(InclusionProof::decode(&mut &longest[..]).is_ok());
}

#[test]
fn path_has_32_nodes_when_the_tree_is_as_large_as_can_be() {
    assert_eq!(path_length(u32::MAX, 0), Ok(32));
    assert_eq!(path_length(u32::MAX, u32::MAX - 1), Ok(31));
}

proptest! {
    #[test]
    fn proof_verifies_when_honest_and_fails_when_any_bit_changes(
        count in 1u32..600, pick in any::<u32>(), flip in any::<u32>(), byte in 0usize..32, bit in 0u8..8,
    ) {
        let leaves = leaves(count);
        let index = pick % count;
        let (root, mut proof) = (streamed(&leaves), prove(&leaves, index).unwrap());
        let mut leaf = leaves[index as usize];
        prop_assert_eq!(verify(&root, count, index, &leaf, &proof), Ok(()));
        let target = flip as usize % (proof.path.len() + 1);
        match proof.path.get_mut(target) {
            Some(node) => node[byte] ^= 1 << bit,
            None => leaf[byte] ^= 1 << bit,
        }
        prop_assert_eq!(verify(&root, count, index, &leaf, &proof), Err(ProofError::RootMismatch));
    }
}
