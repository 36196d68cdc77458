// SPDX-License-Identifier: Apache-2.0

//! The bytes that a miner puts on chain before the epoch's deadline (rules §2.2).

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{BundleHeader, Hash, ProofError};

/// First bytes of every commitment.
pub const TAG: [u8; 4] = *b"CRB1";

/// Length of a commitment, in bytes.
pub const LEN: usize = 48;

/// Which bundle a miner is bound to for an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Commitment {
    /// Epoch.
    pub epoch: u64,
    /// Attempts in the bundle.
    pub count: u32,
    /// Root of the bundle.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub root: Hash,
}

impl Commitment {
    /// The argument of `Commitments.set_commitment`: `"CRB1" ‖ epoch u64 LE ‖ count u32 LE ‖ root`.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; LEN] {
        let mut out = [0u8; LEN];
        let fields = TAG.into_iter().chain(self.epoch.to_le_bytes()).chain(self.count.to_le_bytes()).chain(self.root);
        for (slot, byte) in out.iter_mut().zip(fields) {
            *slot = byte;
        }
        out
    }

    /// Reads what [`Commitment::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// [`ProofError::NotACommitment`]: another tag or another length.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        let body = bytes.strip_prefix(&TAG).ok_or(ProofError::NotACommitment)?;
        let (epoch, body) = body.split_first_chunk::<8>().ok_or(ProofError::NotACommitment)?;
        let (count, body) = body.split_first_chunk::<4>().ok_or(ProofError::NotACommitment)?;
        let root = Hash::try_from(body).map_err(|_| ProofError::NotACommitment)?;
        Ok(Self { epoch: u64::from_le_bytes(*epoch), count: u32::from_le_bytes(*count), root })
    }
}

impl From<&BundleHeader> for Commitment {
    fn from(header: &BundleHeader) -> Self {
        Self { epoch: header.epoch, count: header.count, root: header.root }
    }
}

#[cfg(test)]
mod tests;
