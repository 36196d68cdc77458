// SPDX-License-Identifier: Apache-2.0

/// A blake2b digest of 32 bytes.
pub type Hash = [u8; 32];

/// An sr25519 public key: the hotkey of a miner, a validator or a gateway.
pub type HotkeyId = [u8; 32];

/// An sr25519 signature.
pub type Signature = [u8; 64];

/// Secret randomness that hides a hashed text; fresh for every hash.
pub type Salt = [u8; 16];

/// blake2b with a 32-byte digest, as Substrate's `blake2_256`.
#[must_use]
pub fn blake2_256(bytes: &[u8]) -> Hash {
    blake2_256_parts(&[bytes])
}

/// [`blake2_256`] of the concatenation of `parts`, without copying them together.
pub(crate) fn blake2_256_parts(parts: &[&[u8]]) -> Hash {
    let mut params = blake2b_simd::Params::new();
    params.hash_length(32);
    let digest = if let [one] = parts {
        params.hash(one)
    } else {
        let mut state = params.to_state();
        for part in parts {
            state.update(part);
        }
        state.finalize()
    };
    let mut out = [0u8; 32];
    // The digest has the length asked for above, so the two slices are equally long.
    out.copy_from_slice(digest.as_bytes());
    out
}

/// Hides a text behind a salt: `blake2_256(0x03 ‖ salt ‖ bytes)`.
///
/// Whoever lacks the salt can neither read nor guess a short text from its hash, and the same text hashed by two miners
/// gives two values.
#[must_use]
pub fn salted_hash(salt: &Salt, bytes: &[u8]) -> Hash {
    blake2_256_parts(&[&[0x03], salt, bytes])
}
