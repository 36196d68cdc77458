// SPDX-License-Identifier: Apache-2.0

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{Hash, HotkeyId, ProofError, Signature, hash::blake2_256_parts};

/// The context of every sr25519 signature: Substrate's, so that a hotkey made by any Bittensor wallet can sign.
pub const SIGNING_CONTEXT: &[u8] = b"substrate";

/// What a signature is for. A signature made for one use is worthless for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Domain {
    /// First frame of a miner's connection to a gateway.
    Hello,
    /// A miner's statement on a request it served.
    Claim,
    /// A gateway's receipt around a claim.
    Receipt,
    /// The header of a proof bundle.
    Bundle,
    /// An HTTP request between hotkeys.
    Request,
    /// A validator's verdict on a bundle.
    Verdict,
    /// A validator's routing policy.
    Policy,
    /// A miner's answer to a challenge.
    Opening,
}

impl Domain {
    /// Every domain.
    pub const ALL: [Self; 8] = [
        Self::Hello,
        Self::Claim,
        Self::Receipt,
        Self::Bundle,
        Self::Request,
        Self::Verdict,
        Self::Policy,
        Self::Opening,
    ];

    /// The bytes that open the signed text of this domain; none is a prefix of another.
    #[must_use]
    pub const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Hello => b"clawrank:hello:",
            Self::Claim => b"clawrank:claim:",
            Self::Receipt => b"clawrank:receipt:",
            Self::Bundle => b"clawrank:bundle:",
            Self::Request => b"clawrank:request:",
            Self::Verdict => b"clawrank:verdict:",
            Self::Policy => b"clawrank:policy:",
            Self::Opening => b"clawrank:opening:",
        }
    }
}

/// The 32 bytes that are signed: `blake2_256(domain ‖ SCALE(value))`.
///
/// They are a hash so that no value that a counterparty chooses can make them a valid extrinsic of a chain on which the
/// same key holds funds.
#[must_use]
pub fn signing_payload<T: Encode + ?Sized>(domain: Domain, value: &T) -> Hash {
    value.using_encoded(|encoded| blake2_256_parts(&[domain.bytes(), encoded]))
}

/// Checks an sr25519 signature under [`SIGNING_CONTEXT`].
///
/// # Errors
///
/// - [`ProofError::BadPublicKey`]: `public` is not a point of the group.
/// - [`ProofError::BadSignature`]: the signature is malformed or does not verify.
pub fn verify(public: &HotkeyId, payload: &[u8], signature: &Signature) -> Result<(), ProofError> {
    let key = schnorrkel::PublicKey::from_bytes(public).map_err(|_| ProofError::BadPublicKey)?;
    let signature = schnorrkel::Signature::from_bytes(signature).map_err(|_| ProofError::BadSignature)?;
    key.verify_simple(SIGNING_CONTEXT, payload, &signature).map_err(|_| ProofError::BadSignature)
}

#[cfg(test)]
mod tests;
