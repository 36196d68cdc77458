// SPDX-License-Identifier: Apache-2.0

//! Keys of an author: making them, sealing to them, opening with them.

use crate::{
    Envelope, KEM_BYTES, KEY_HASH_BYTES, KeyHash, MAX_PLAINTEXT_BYTES, NONCE_BYTES, OVERHEAD_BYTES, PUBLIC_KEY_BYTES,
    ShieldError,
};
use alloc::{boxed::Box, vec::Vec};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce, aead::Aead};
use core::fmt;
use ml_kem::{
    Decapsulate, KeyExport,
    ml_kem_768::{DecapsulationKey, EncapsulationKey},
};
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// Randomness that a secret key is made of.
pub const SEED_BYTES: usize = 64;

/// Randomness that an envelope is made with: 32 bytes for the secret, the rest is the nonce.
pub const RANDOMNESS_BYTES: usize = 32 + NONCE_BYTES;

/// The hash that names `public_key` in envelopes.
pub fn key_hash(public_key: &[u8]) -> KeyHash {
    sp_crypto_hashing::twox_128(public_key)
}

/// A secret key; wiped when dropped, never shown.
pub struct SecretKey {
    secret: Box<DecapsulationKey>,
    public: Box<[u8; PUBLIC_KEY_BYTES]>,
    hash: KeyHash,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl SecretKey {
    /// The key of a seed, which must come from a secure source and be used once.
    #[must_use]
    pub fn from_seed(seed: &[u8; SEED_BYTES]) -> Self {
        let secret = Box::new(DecapsulationKey::from_seed((*seed).into()));
        let public: Box<[u8; PUBLIC_KEY_BYTES]> = Box::new(secret.encapsulation_key().to_bytes().into());
        let hash = key_hash(public.as_slice());
        Self { secret, public, hash }
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.public
    }

    /// What envelopes call it.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        self.hash
    }

    /// What is inside an envelope to this key.
    ///
    /// # Errors
    ///
    /// - [`ShieldError::OtherKey`]: it names another key; nothing was computed.
    /// - [`ShieldError::Forged`]: it does not open.
    pub fn open(&self, envelope: &Envelope<'_>) -> Result<Vec<u8>, ShieldError> {
        if *envelope.key_hash != self.hash {
            return Err(ShieldError::OtherKey);
        }
        let shared: Zeroizing<[u8; 32]> = Zeroizing::new(self.secret.decapsulate(&(*envelope.kem).into()).into());
        let cipher = XChaCha20Poly1305::new((&*shared).into());
        cipher.decrypt(XNonce::from_slice(envelope.nonce), envelope.sealed).map_err(|_| ShieldError::Forged)
    }
}

/// Encrypts `plaintext` to `public_key`, as the SDK does.
///
/// # Errors
///
/// - [`ShieldError::TooShort`], [`ShieldError::TooLong`]: `plaintext` is empty, or above [`MAX_PLAINTEXT_BYTES`].
/// - [`ShieldError::PublicKey`]: nothing can be encrypted to the key.
pub fn seal(
    public_key: &[u8; PUBLIC_KEY_BYTES],
    plaintext: &[u8],
    randomness: &[u8; RANDOMNESS_BYTES],
) -> Result<Vec<u8>, ShieldError> {
    if plaintext.is_empty() {
        return Err(ShieldError::TooShort);
    }
    if plaintext.len() > MAX_PLAINTEXT_BYTES {
        return Err(ShieldError::TooLong);
    }
    let (message, nonce) = randomness.split_first_chunk::<32>().ok_or(ShieldError::TooShort)?;
    let key = EncapsulationKey::new(&(*public_key).into()).map_err(|_| ShieldError::PublicKey)?;
    let (kem, shared) = key.encapsulate_deterministic(&(*message).into());
    let shared: Zeroizing<[u8; 32]> = Zeroizing::new(shared.into());
    let cipher = XChaCha20Poly1305::new((&*shared).into());
    let sealed = cipher.encrypt(XNonce::from_slice(nonce), plaintext).map_err(|_| ShieldError::TooLong)?;
    let mut bytes = Vec::with_capacity(OVERHEAD_BYTES.saturating_add(plaintext.len()));
    bytes.extend_from_slice(&key_hash(public_key));
    const { assert!(KEM_BYTES <= u16::MAX as usize && KEY_HASH_BYTES == 16) };
    bytes.extend_from_slice(&(KEM_BYTES as u16).to_le_bytes());
    bytes.extend_from_slice(&kem);
    bytes.extend_from_slice(nonce);
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}
