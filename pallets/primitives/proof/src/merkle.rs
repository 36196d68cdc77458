// SPDX-License-Identifier: Apache-2.0

//! Binary Merkle tree over blake2-256 (rules §2.1).
//!
//! `leaf = blake2_256(0x00 ‖ SCALE(value))`, `node = blake2_256(0x01 ‖ left ‖ right)`; a node without a sibling moves up
//! as it is and is never duplicated, so no two lists of leaves share a root.

use alloc::{vec, vec::Vec};

use codec::{Decode, DecodeWithMemTracking, Encode, Input};
use scale_info::TypeInfo;

use crate::{Hash, ProofError, hash::blake2_256_parts, limits::decode_list};

/// Most nodes a path can have: the depth of a tree of `u32::MAX` leaves.
pub const MAX_PATH: u32 = 32;

/// Hash of a leaf from the SCALE encoding of its value.
#[must_use]
pub fn leaf_hash(encoded: &[u8]) -> Hash {
    blake2_256_parts(&[&[0x00], encoded])
}

/// Hash of an inner node.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    blake2_256_parts(&[&[0x01], left, right])
}

/// Computes a root from leaves that arrive one by one; holds at most one hash per level, O(log n) memory.
#[derive(Clone, Debug, Default)]
pub struct MerkleBuilder {
    /// The complete subtree waiting for its right sibling, by height.
    pending: [Option<Hash>; 32],
    count: u32,
}

impl MerkleBuilder {
    /// An empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves so far.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Appends a leaf hash. O(1) amortised.
    ///
    /// # Errors
    ///
    /// [`ProofError::TooManyLeaves`] after `u32::MAX` leaves.
    pub fn push(&mut self, leaf: Hash) -> Result<(), ProofError> {
        self.count = self.count.checked_add(1).ok_or(ProofError::TooManyLeaves)?;
        let mut carry = leaf;
        for slot in &mut self.pending {
            match slot.take() {
                Some(left) => carry = node_hash(&left, &carry),
                None => {
                    *slot = Some(carry);
                    return Ok(());
                }
            }
        }
        Err(ProofError::TooManyLeaves)
    }

    /// The root of the leaves so far; more may follow.
    ///
    /// # Errors
    ///
    /// [`ProofError::EmptyTree`] without leaves.
    pub fn root(&self) -> Result<Hash, ProofError> {
        let mut root: Option<Hash> = None;
        for left in self.pending.iter().flatten() {
            root = Some(match root {
                Some(right) => node_hash(left, &right),
                None => *left,
            });
        }
        root.ok_or(ProofError::EmptyTree)
    }

    /// As [`MerkleBuilder::root`], consuming the builder.
    ///
    /// # Errors
    ///
    /// [`ProofError::EmptyTree`] without leaves.
    pub fn finish(self) -> Result<Hash, ProofError> {
        self.root()
    }
}

/// The siblings on the way from a leaf to the root, lowest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InclusionProof {
    /// At most [`MAX_PATH`] nodes.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex::list"))]
    pub path: Vec<Hash>,
}

impl Decode for InclusionProof {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Ok(Self { path: decode_list(input, MAX_PATH)? })
    }
}

impl DecodeWithMemTracking for InclusionProof {}

/// All levels of a tree, for many proofs from the same leaves. O(n) memory.
#[derive(Clone, Debug)]
pub struct MerkleTree {
    /// Leaves first, then each level above; the last has one node.
    levels: Vec<Vec<Hash>>,
    count: u32,
}

impl MerkleTree {
    /// Builds the tree. O(n).
    ///
    /// # Errors
    ///
    /// - [`ProofError::EmptyTree`]: no leaves.
    /// - [`ProofError::TooManyLeaves`]: more than `u32::MAX`.
    pub fn new(leaves: Vec<Hash>) -> Result<Self, ProofError> {
        if leaves.is_empty() {
            return Err(ProofError::EmptyTree);
        }
        let count = u32::try_from(leaves.len()).map_err(|_| ProofError::TooManyLeaves)?;
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below
                .chunks(2)
                .filter_map(|pair| match pair {
                    [left, right] => Some(node_hash(left, right)),
                    [promoted] => Some(*promoted),
                    _ => None,
                })
                .collect();
            levels.push(above);
        }
        Ok(Self { levels, count })
    }

    /// Number of leaves.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or_default()
    }

    /// The path of the leaf at `index`. O(log n).
    ///
    /// # Errors
    ///
    /// [`ProofError::IndexOutOfRange`].
    pub fn prove(&self, index: u32) -> Result<InclusionProof, ProofError> {
        if index >= self.count {
            return Err(ProofError::IndexOutOfRange { index, count: self.count });
        }
        let mut position = usize::try_from(index).map_err(|_| ProofError::TooManyLeaves)?;
        let mut path = Vec::new();
        for level in &self.levels {
            // The lone last node of a level has no sibling and adds nothing.
            if let Some(sibling) = level.get(position ^ 1) {
                path.push(*sibling);
            }
            position >>= 1;
        }
        Ok(InclusionProof { path })
    }
}

/// The path of the leaf at `index` among `leaves`. O(n); for many proofs use [`MerkleTree`].
///
/// # Errors
///
/// Those of [`MerkleTree::new`] and [`MerkleTree::prove`].
pub fn prove(leaves: &[Hash], index: u32) -> Result<InclusionProof, ProofError> {
    MerkleTree::new(leaves.to_vec())?.prove(index)
}

/// Checks that `leaf` is the leaf at `index` of the tree of `count` leaves with this `root`. O(log n).
///
/// # Errors
///
/// - [`ProofError::EmptyTree`], [`ProofError::IndexOutOfRange`]: `index` is not below `count`.
/// - [`ProofError::PathLength`]: the path has not exactly the length that `index` and `count` require.
/// - [`ProofError::RootMismatch`]: the path leads elsewhere.
pub fn verify(root: &Hash, count: u32, index: u32, leaf: &Hash, proof: &InclusionProof) -> Result<(), ProofError> {
    let found = u32::try_from(proof.path.len()).unwrap_or(u32::MAX);
    let expected = path_length(count, index)?;
    if found != expected {
        return Err(ProofError::PathLength { expected, found });
    }
    let mut hash = *leaf;
    let mut siblings = proof.path.iter();
    let (mut position, mut last) = (index, count.saturating_sub(1));
    while last > 0 {
        if position & 1 == 1 {
            hash = node_hash(siblings.next().ok_or(ProofError::RootMismatch)?, &hash);
        } else if position < last {
            hash = node_hash(&hash, siblings.next().ok_or(ProofError::RootMismatch)?);
        }
        position >>= 1;
        last >>= 1;
    }
    if hash == *root { Ok(()) } else { Err(ProofError::RootMismatch) }
}

/// Nodes on the path of the leaf at `index` in a tree of `count` leaves.
fn path_length(count: u32, index: u32) -> Result<u32, ProofError> {
    if count == 0 {
        return Err(ProofError::EmptyTree);
    }
    if index >= count {
        return Err(ProofError::IndexOutOfRange { index, count });
    }
    let (mut position, mut last, mut length) = (index, count.saturating_sub(1), 0u32);
    while last > 0 {
        if position & 1 == 1 || position < last {
            length = length.saturating_add(1);
        }
        position >>= 1;
        last >>= 1;
    }
    Ok(length)
}

#[cfg(test)]
mod tests;
