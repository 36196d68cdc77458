// SPDX-License-Identifier: Apache-2.0

use clawrank_primitives::proof::{InclusionProof, merkle as tree};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{refuse, scalar::Hex32};
use crate::error::CliError;

/// Leaves, as encoded attempts or as hashes; exactly one of the two.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MerkleInput {
    /// SCALE-encoded attempts in hexadecimal; leaf = blake2-256(0x00 ‖ bytes).
    #[serde(default)]
    attempts: Option<Vec<String>>,
    /// Leaf hashes.
    #[serde(default)]
    leaves: Option<Vec<Hex32>>,
    /// Indices to prove.
    #[serde(default)]
    prove: Vec<u32>,
    /// A proof to check against root and count of the leaves given.
    #[serde(default)]
    verify: Option<Check>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Check {
    /// Position of the leaf.
    index: u32,
    /// Hash of the leaf.
    leaf: Hex32,
    /// Sibling hashes, from the leaf upwards.
    path: Vec<Hex32>,
}

/// The tree.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct MerkleOutput {
    /// Root; node = blake2-256(0x01 ‖ left ‖ right), an odd node is promoted.
    root: Hex32,
    /// Number of leaves.
    count: u32,
    /// Proofs asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    proofs: Vec<Proof>,
    /// Whether the proof to check holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Proof {
    index: u32,
    leaf: Hex32,
    path: Vec<Hex32>,
}

pub(super) fn merkle(input: MerkleInput) -> Result<MerkleOutput, CliError> {
    let given = if input.attempts.is_some() { "attempts" } else { "leaves" };
    let leaves: Vec<[u8; 32]> = match (input.attempts, input.leaves) {
        (Some(attempts), None) => attempts
            .iter()
            .enumerate()
            .map(|(i, text)| {
                let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text))
                    .map_err(|e| refuse(&format!("attempts[{i}]"), format!("is not hexadecimal: {e}")))?;
                Ok(tree::leaf_hash(&bytes))
            })
            .collect::<Result<_, CliError>>()?,
        (None, Some(leaves)) => leaves.iter().map(|l| l.0).collect(),
        (None, None) => return Err(refuse("leaves", "is missing; give `leaves` or `attempts`")),
        (Some(_), Some(_)) => return Err(refuse("attempts", "cannot be given beside `leaves`")),
    };
    let built = tree::MerkleTree::new(leaves.clone()).map_err(|e| refuse(given, e))?;
    let mut proofs = Vec::new();
    for (i, &index) in input.prove.iter().enumerate() {
        let proof = built.prove(index).map_err(|e| refuse(&format!("prove[{i}]"), e))?;
        let leaf = leaves.get(index as usize).copied().unwrap_or_default();
        proofs.push(Proof { index, leaf: Hex32(leaf), path: proof.path.into_iter().map(Hex32).collect() });
    }
    let (root, count) = (built.root(), built.count());
    let valid = input.verify.map(|check| {
        let proof = InclusionProof { path: check.path.iter().map(|h| h.0).collect() };
        tree::verify(&root, count, check.index, &check.leaf.0, &proof).is_ok()
    });
    Ok(MerkleOutput { root: Hex32(root), count, proofs, valid })
}
