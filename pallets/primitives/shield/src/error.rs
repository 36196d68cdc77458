// SPDX-License-Identifier: Apache-2.0

//! What can be wrong with an envelope.

use core::fmt;

/// Why an envelope is not read, opened or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShieldError {
    /// More than [`MAX_CIPHERTEXT_BYTES`](crate::MAX_CIPHERTEXT_BYTES).
    TooLong,
    /// Nothing is left for an extrinsic.
    TooShort,
    /// The encapsulated secret states a length other than [`KEM_BYTES`](crate::KEM_BYTES).
    KemLength,
    /// It is encrypted to another key.
    OtherKey,
    /// It was made with another secret or changed since.
    Forged,
    /// The public key is none of ML-KEM-768.
    PublicKey,
}

impl fmt::Display for ShieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "longer than an envelope may be",
            Self::TooShort => "too short to hold an extrinsic",
            Self::KemLength => "the encapsulated secret has another length than ML-KEM-768's",
            Self::OtherKey => "encrypted to another key",
            Self::Forged => "does not open: made with another secret, or changed since",
            Self::PublicKey => "no public key of ML-KEM-768",
        })
    }
}

impl core::error::Error for ShieldError {}
