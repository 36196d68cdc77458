// SPDX-License-Identifier: Apache-2.0

use alloc::vec::Vec;

use codec::{Decode, DecodeWithMemTracking, Encode, Input};
use scale_info::TypeInfo;

use crate::{
    Attempt, Hash, InclusionProof, ProofError, Salt,
    limits::{decode_all, decode_bytes},
    merkle, salted_hash,
};

/// Longest accepted request or response of an opening, in bytes.
pub const MAX_OPENED_BYTES: u32 = 1 << 20;

/// One leaf laid open: the attempt, its place in the tree and the texts behind its salted hashes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Opening {
    /// Index of the leaf.
    pub index: u32,
    /// The attempt.
    pub attempt: Attempt,
    /// Path to the root of the attempts.
    pub proof: InclusionProof,
    /// Salt of the request hash.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub request_salt: Salt,
    /// Salt of the response hash.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub response_salt: Salt,
    /// Request body as it was sent; at most [`MAX_OPENED_BYTES`].
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub request: Vec<u8>,
    /// Response text as it was received; at most [`MAX_OPENED_BYTES`].
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub response: Vec<u8>,
}

impl Opening {
    /// Decodes an opening from foreign bytes.
    ///
    /// # Errors
    ///
    /// [`ProofError::TooLarge`], [`ProofError::Malformed`] or [`ProofError::TrailingBytes`].
    pub fn decode_limited(bytes: &[u8]) -> Result<Self, ProofError> {
        // Two texts at their cap, and the attempt and its path with room to spare.
        decode_all(bytes, MAX_OPENED_BYTES.saturating_mul(2).saturating_add(4_096))
    }

    /// Checks the leaf's place in the tree of `count` attempts with this root, then both texts.
    ///
    /// # Errors
    ///
    /// Those of [`merkle::verify`], and [`ProofError::HashMismatch`] when a text does not hash to the leaf.
    pub fn verify(&self, attempts_root: &Hash, count: u32) -> Result<(), ProofError> {
        merkle::verify(attempts_root, count, self.index, &self.attempt.leaf(), &self.proof)?;
        self.verify_texts()
    }

    /// Checks that both texts hash to the leaf.
    ///
    /// # Errors
    ///
    /// [`ProofError::HashMismatch`].
    pub fn verify_texts(&self) -> Result<(), ProofError> {
        let matches = salted_hash(&self.request_salt, &self.request) == self.attempt.request_hash
            && salted_hash(&self.response_salt, &self.response) == self.attempt.response_hash;
        if matches { Ok(()) } else { Err(ProofError::HashMismatch) }
    }
}

impl Decode for Opening {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Ok(Self {
            index: Decode::decode(input)?,
            attempt: Decode::decode(input)?,
            proof: Decode::decode(input)?,
            request_salt: Decode::decode(input)?,
            response_salt: Decode::decode(input)?,
            request: decode_bytes(input, MAX_OPENED_BYTES)?,
            response: decode_bytes(input, MAX_OPENED_BYTES)?,
        })
    }
}

impl DecodeWithMemTracking for Opening {}

#[cfg(test)]
mod tests;
