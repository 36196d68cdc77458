// SPDX-License-Identifier: Apache-2.0

use clawrank_units::MicroUsd;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{Domain, Hash, HotkeyId, ModelName, ProofError, Signature, limits::decode_all, signing_payload, verify};

/// Version of the receipt's layout.
pub const RECEIPT_VERSION: u8 = 1;

/// Longest accepted encoding of a signed receipt, in bytes.
pub const MAX_RECEIPT_BYTES: u32 = 1_024;

/// What a miner states about a request it served.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Claim {
    /// The gateway's id of the request; counts once.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub request_id: [u8; 16],
    /// Who served.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub miner: HotkeyId,
    /// Through whom.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub gateway: HotkeyId,
    /// Model that served.
    pub model: ModelName,
    /// Tokens of the request.
    pub input_tokens: u32,
    /// Tokens of the response.
    pub output_tokens: u32,
    /// [`salted_hash`](crate::salted_hash) of the response text, under the salt that the gateway sent with the request.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub response_hash: Hash,
    /// Whether the response was streamed.
    pub stream: bool,
    /// Whether the response is complete.
    pub ok: bool,
}

impl Claim {
    /// The 32 bytes that the miner signs.
    #[must_use]
    pub fn signing_payload(&self) -> Hash {
        signing_payload(Domain::Claim, self)
    }

    /// Checks the miner's signature.
    ///
    /// # Errors
    ///
    /// Those of [`verify`].
    pub fn verify(&self, miner_signature: &Signature) -> Result<(), ProofError> {
        verify(&self.miner, &self.signing_payload(), miner_signature)
    }
}

/// A claim with what the gateway saw and was paid. The gateway's clock is the clock of receipts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Receipt {
    /// [`RECEIPT_VERSION`].
    pub version: u8,
    /// The miner's claim.
    pub claim: Claim,
    /// The miner's signature over [`Claim::signing_payload`].
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub miner_signature: Signature,
    /// blake2-256 of the payer's account.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub payer: Hash,
    /// What the payer paid for the request.
    pub fee: MicroUsd,
    /// When the gateway took the request, Unix milliseconds.
    pub received_ms: u64,
    /// From then to the first byte of the response, milliseconds.
    pub first_byte_ms: u32,
    /// From then to the last byte of the response, milliseconds.
    pub total_ms: u32,
    /// The gateway's own coarse count of input and output tokens.
    pub recount_tokens: u32,
}

/// A receipt under the gateway's signature: what serving is paid by (rules §1.1).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SignedReceipt {
    /// The receipt.
    pub receipt: Receipt,
    /// The gateway's signature over [`Receipt::signing_payload`].
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub gateway_signature: Signature,
}

impl Receipt {
    /// The 32 bytes that the gateway signs.
    #[must_use]
    pub fn signing_payload(&self) -> Hash {
        signing_payload(Domain::Receipt, self)
    }

    /// Input and output tokens that the miner claims.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        u64::from(self.claim.input_tokens).saturating_add(u64::from(self.claim.output_tokens))
    }
}

impl SignedReceipt {
    /// Decodes a receipt from foreign bytes.
    ///
    /// # Errors
    ///
    /// [`ProofError::TooLarge`], [`ProofError::Malformed`] or [`ProofError::TrailingBytes`].
    pub fn decode_limited(bytes: &[u8]) -> Result<Self, ProofError> {
        decode_all(bytes, MAX_RECEIPT_BYTES)
    }

    /// Checks version, parties and both signatures.
    ///
    /// `is_miner` says whether a hotkey is a miner of the subnet; it is asked before any signature is checked.
    ///
    /// # Errors
    ///
    /// - [`ProofError::UnknownVersion`].
    /// - [`ProofError::WrongParty`]: the claim names another gateway, or `is_miner` denies the miner.
    /// - [`ProofError::BadPublicKey`], [`ProofError::BadSignature`]: of the gateway or of the miner.
    pub fn verify(&self, gateway: &HotkeyId, is_miner: impl FnOnce(&HotkeyId) -> bool) -> Result<(), ProofError> {
        let Receipt { version, claim, miner_signature, .. } = &self.receipt;
        if *version != RECEIPT_VERSION {
            return Err(ProofError::UnknownVersion { found: u16::from(*version) });
        }
        if claim.gateway != *gateway || !is_miner(&claim.miner) {
            return Err(ProofError::WrongParty);
        }
        verify(gateway, &self.receipt.signing_payload(), &self.gateway_signature)?;
        claim.verify(miner_signature)
    }
}

#[cfg(test)]
mod tests;
