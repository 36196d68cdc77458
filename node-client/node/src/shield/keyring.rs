// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! The keys that this node announced last, in memory only.

use clawrank_shield::{Envelope, KeyHash, SEED_BYTES, SecretKey, ShieldError};
use pallet_shield::{INHERENT_IDENTIFIER, InherentType, PublicKey};
use sp_inherents::{InherentData, InherentDataProvider, InherentIdentifier};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// How many keys are held, the newest: one per own block. See ADR 0005.
pub(crate) const HELD_KEYS: usize = 64;

/// The keys, oldest first.
#[derive(Default)]
pub(crate) struct Keyring(Mutex<VecDeque<SecretKey>>);

impl Keyring {
    fn keys(&self) -> MutexGuard<'_, VecDeque<SecretKey>> {
        // A queue of keys is whole between any two of its operations.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a key and forgets the oldest beyond [`HELD_KEYS`]; the public half, or `None` without randomness.
    pub(crate) fn announce(&self) -> Option<PublicKey> {
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        getrandom::fill(seed.as_mut_slice())
            .inspect_err(|error| log::error!("no key for encrypted extrinsics: {error}"))
            .ok()?;
        let key = SecretKey::from_seed(&seed);
        let public = PublicKey::try_from(key.public_key().to_vec()).ok()?;
        let mut keys = self.keys();
        keys.push_back(key);
        while keys.len() > HELD_KEYS {
            keys.pop_front();
        }
        Some(public)
    }

    /// Whether envelopes to the key of this name can be opened.
    pub(crate) fn holds(&self, hash: &KeyHash) -> bool {
        self.keys().iter().any(|key| key.hash() == *hash)
    }

    /// What is inside an envelope.
    ///
    /// # Errors
    ///
    /// - [`ShieldError::OtherKey`]: the key is not held.
    /// - [`ShieldError::Forged`]: it does not open.
    pub(crate) fn open(&self, envelope: &Envelope<'_>) -> Result<Vec<u8>, ShieldError> {
        let keys = self.keys();
        let key = keys.iter().find(|key| key.hash() == *envelope.key_hash).ok_or(ShieldError::OtherKey)?;
        key.open(envelope)
    }
}

/// Announces a new key with each block that is made.
pub(crate) struct Announcement(pub(crate) Arc<Keyring>);

#[async_trait::async_trait]
impl InherentDataProvider for Announcement {
    async fn provide_inherent_data(&self, data: &mut InherentData) -> Result<(), sp_inherents::Error> {
        let announced: InherentType = self.0.announce();
        data.put_data(INHERENT_IDENTIFIER, &announced)
    }

    async fn try_handle_error(&self, _: &InherentIdentifier, _: &[u8]) -> Option<Result<(), sp_inherents::Error>> {
        None
    }
}
