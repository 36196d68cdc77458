// SPDX-License-Identifier: Apache-2.0

use alloc::vec::Vec;

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, generic_array::GenericArray},
};
use rand_core::{CryptoRng, RngCore};

use crate::{
    PUBLIC_KEY_BYTES, SIGNATURE_BYTES, TimelockError,
    ibe::LockedKey,
    wire::{Commit, NONCE_BYTES, ensure_fits},
};

/// Encrypts `plaintext` so that nobody can read it before the beacon signs `round`.
///
/// The result is the argument `commit` of the chain's timelocked commit calls: [`crate::OVERHEAD_BYTES`] longer than
/// the plaintext. One pairing, two group multiplications.
///
/// # Errors
///
/// - [`TimelockError::TooLong`]: the commit would exceed [`crate::MAX_COMMIT_BYTES`].
/// - [`TimelockError::BadPublicKey`]: `public_key` is no point of its group.
pub fn encrypt<R: RngCore + CryptoRng>(
    public_key: &[u8; PUBLIC_KEY_BYTES],
    round: u64,
    plaintext: &[u8],
    rng: &mut R,
) -> Result<Vec<u8>, TimelockError> {
    ensure_fits(plaintext)?;
    let mut key = [0; 32];
    rng.fill_bytes(&mut key);
    let mut nonce = [0; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    let locked = LockedKey::lock(public_key, round, &key, rng)?;
    let ciphertext = Aes256Gcm::new(&GenericArray::from(key))
        .encrypt(&GenericArray::from(nonce), plaintext)
        .map_err(|_| TimelockError::BodyAltered)?;
    Ok(Commit { key: locked, ciphertext: &ciphertext, nonce }.bytes())
}

/// Opens a commit with the signature of its round.
///
/// The commit does not say which round it is for; that of another round opens nothing. One pairing and one group
/// multiplication; takes no longer for hostile bytes than for honest ones.
///
/// # Errors
///
/// - [`TimelockError::TooLong`], [`TimelockError::Length`], [`TimelockError::FieldLength`],
///   [`TimelockError::UnknownCipher`]: the bytes are no commit.
/// - [`TimelockError::BadPoint`], [`TimelockError::BadSignature`]: not points of their group.
/// - [`TimelockError::WrongRound`]: made for another round or beacon, or its key was altered.
/// - [`TimelockError::BodyAltered`]: the rest was altered.
pub fn decrypt(commit: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> Result<Vec<u8>, TimelockError> {
    let commit = Commit::read(commit)?;
    let key = commit.key.open(signature)?;
    Aes256Gcm::new(&GenericArray::from(key))
        .decrypt(&GenericArray::from(commit.nonce), commit.ciphertext)
        .map_err(|_| TimelockError::BodyAltered)
}

#[cfg(test)]
mod tests;
