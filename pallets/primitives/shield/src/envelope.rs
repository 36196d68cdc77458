// SPDX-License-Identifier: Apache-2.0

//! The layout of an envelope.

use crate::{KEM_BYTES, KEY_HASH_BYTES, MAX_CIPHERTEXT_BYTES, NONCE_BYTES, ShieldError, TAG_BYTES};

#[cfg(test)]
mod tests;

/// The hash that names a public key.
pub type KeyHash = [u8; KEY_HASH_BYTES];

/// An encrypted extrinsic as it travels, its parts still where they were.
///
/// `key hash (16) ‖ length of the next part (u16, little-endian) ‖ encapsulated secret (1,088) ‖ nonce (24) ‖ encrypted
/// extrinsic with its tag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Names the key it is encrypted to.
    pub key_hash: &'a KeyHash,
    /// The secret, encapsulated to that key.
    pub kem: &'a [u8; KEM_BYTES],
    /// The nonce of the cipher.
    pub nonce: &'a [u8; NONCE_BYTES],
    /// The extrinsic, encrypted, and the tag behind it; longer than the tag.
    pub sealed: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Reads the layout; whether the content opens is another question. O(1).
    ///
    /// # Errors
    ///
    /// - [`ShieldError::TooLong`]: more than [`MAX_CIPHERTEXT_BYTES`].
    /// - [`ShieldError::KemLength`]: the length inside is not [`KEM_BYTES`].
    /// - [`ShieldError::TooShort`]: a part is missing, or no extrinsic is inside.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ShieldError> {
        if bytes.len() > MAX_CIPHERTEXT_BYTES {
            return Err(ShieldError::TooLong);
        }
        let (key_hash, rest) = bytes.split_first_chunk().ok_or(ShieldError::TooShort)?;
        let (length, rest) = rest.split_first_chunk().ok_or(ShieldError::TooShort)?;
        if usize::from(u16::from_le_bytes(*length)) != KEM_BYTES {
            return Err(ShieldError::KemLength);
        }
        let (kem, rest) = rest.split_first_chunk().ok_or(ShieldError::TooShort)?;
        let (nonce, sealed) = rest.split_first_chunk().ok_or(ShieldError::TooShort)?;
        if sealed.len() <= TAG_BYTES {
            return Err(ShieldError::TooShort);
        }
        Ok(Self { key_hash, kem, nonce, sealed })
    }
}
