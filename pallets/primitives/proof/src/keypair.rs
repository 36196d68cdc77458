// SPDX-License-Identifier: Apache-2.0

use core::fmt;

use codec::Encode;
use schnorrkel::{
    ExpansionMode, MiniSecretKey, SecretKey,
    derive::{ChainCode, Derivation},
};

use crate::{Domain, Hash, HotkeyId, ProofError, SIGNING_CONTEXT, Signature, blake2_256, signing_payload};

/// Mini secret of the public development phrase that `//Alice` and the others derive from. Never holds value.
pub const DEV_MINI_SECRET: [u8; 32] = [
    0xfa, 0xc7, 0x95, 0x9d, 0xbf, 0xe7, 0x2f, 0x05, 0x2e, 0x5a, 0x0c, 0x3c, 0x8d, 0x65, 0x30, 0xf2, 0x02, 0xb0, 0x2f,
    0xd8, 0xf9, 0xf5, 0xca, 0x35, 0x80, 0xec, 0x8d, 0xeb, 0x77, 0x97, 0x47, 0x9e,
];

/// Longest accepted derivation path, in bytes.
const MAX_PATH_BYTES: usize = 1_024;

/// An sr25519 key pair, as Substrate makes it. `Debug` shows the public key only; the secret is wiped on drop.
#[derive(Clone)]
pub struct Keypair(schnorrkel::Keypair);

impl Keypair {
    /// From a mini secret: the seed of a wallet, expanded in Ed25519 mode as Substrate does.
    ///
    /// # Errors
    ///
    /// [`ProofError::BadSecret`].
    pub fn from_mini_secret(seed: &[u8; 32]) -> Result<Self, ProofError> {
        let mini = MiniSecretKey::from_bytes(seed).map_err(|_| ProofError::BadSecret)?;
        Ok(Self(mini.expand_to_keypair(ExpansionMode::Ed25519)))
    }

    /// From the 64 expanded bytes in a wallet's `privateKey`, and the public key stored beside them.
    ///
    /// Two forms are in use: polkadot.js writes the scalar as Ed25519 does, times eight; Substrate and Bittensor's own
    /// tools write it as it is. Nothing in the bytes says which, so the form is the one that gives `public`.
    ///
    /// # Errors
    ///
    /// [`ProofError::BadSecret`]: neither form gives `public`.
    pub fn from_expanded_secret(secret: &[u8; 64], public: &HotkeyId) -> Result<Self, ProofError> {
        [SecretKey::from_bytes(secret), SecretKey::from_ed25519_bytes(secret)]
            .into_iter()
            .flatten()
            .map(|secret| secret.to_keypair())
            .find(|keypair| keypair.public.to_bytes() == *public)
            .map(Self)
            .ok_or(ProofError::BadSecret)
    }

    /// From the public development phrase and a path such as `//Alice`. For local chains only.
    ///
    /// # Errors
    ///
    /// [`ProofError::BadSecret`]: the path is malformed.
    pub fn dev(path: &str) -> Result<Self, ProofError> {
        Self::from_mini_secret(&DEV_MINI_SECRET)?.derive(path)
    }

    /// A fresh key from the operating system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self(schnorrkel::MiniSecretKey::generate().expand_to_keypair(ExpansionMode::Ed25519))
    }

    /// Follows a path of junctions: `//name` hard, `/name` soft; the empty path is the key itself.
    ///
    /// A junction that is a decimal `u64` becomes its 8 little-endian bytes, any other text its SCALE encoding; up to
    /// 32 bytes are padded with zeros, more are hashed with blake2-256. Passwords (`///`) are not paths.
    ///
    /// # Errors
    ///
    /// [`ProofError::BadSecret`]: the path does not start with `/`, has an empty junction, or exceeds 1,024 bytes.
    pub fn derive(&self, path: &str) -> Result<Self, ProofError> {
        if path.len() > MAX_PATH_BYTES {
            return Err(ProofError::BadSecret);
        }
        let (mut key, mut rest) = (self.0.clone(), path);
        while !rest.is_empty() {
            let after = rest.strip_prefix('/').ok_or(ProofError::BadSecret)?;
            let (hard, after) = after.strip_prefix('/').map_or((false, after), |after| (true, after));
            let (junction, next) = after.split_at(after.find('/').unwrap_or(after.len()));
            if junction.is_empty() {
                return Err(ProofError::BadSecret);
            }
            let chain_code = ChainCode(junction_bytes(junction));
            key = if hard {
                let (mini, _) = key.secret.hard_derive_mini_secret_key(Some(chain_code), b"");
                mini.expand_to_keypair(ExpansionMode::Ed25519)
            } else {
                key.derived_key_simple(chain_code, b"").0
            };
            rest = next;
        }
        Ok(Self(key))
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> HotkeyId {
        self.0.public.to_bytes()
    }

    /// Signs raw bytes under the context `substrate`.
    #[must_use]
    pub fn sign(&self, payload: &[u8]) -> Signature {
        self.0.sign_simple(SIGNING_CONTEXT, payload).to_bytes()
    }

    /// Signs a value for a use.
    #[must_use]
    pub fn sign_for<T: Encode + ?Sized>(&self, domain: Domain, value: &T) -> Signature {
        self.sign(&signing_payload(domain, value))
    }

    /// The 64 expanded bytes as Substrate writes them, for a chain client that builds its own signer. Keep them secret.
    #[must_use]
    pub fn to_expanded_secret(&self) -> [u8; 64] {
        self.0.secret.to_bytes()
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keypair").field("public", &crate::ss58::encode(&self.public())).finish_non_exhaustive()
    }
}

/// The chain code of a junction, as Substrate encodes it.
fn junction_bytes(junction: &str) -> Hash {
    let encoded = match junction.parse::<u64>() {
        Ok(number) => number.encode(),
        Err(_) => junction.encode(),
    };
    if encoded.len() > 32 {
        return blake2_256(&encoded);
    }
    let mut out = [0u8; 32];
    for (slot, byte) in out.iter_mut().zip(encoded) {
        *slot = byte;
    }
    out
}

#[cfg(test)]
mod tests;
