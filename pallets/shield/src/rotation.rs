// SPDX-License-Identifier: Apache-2.0

//! How keys move from block to block.

use crate::{
    AuthorKeys, Authors, Config, CurrentKey, Error, NextKey, NextKeyExpiresAt, Pallet, PendingKey, PendingKeyExpiresAt,
    PublicKey,
};
use clawrank_shield::PUBLIC_KEY_BYTES;
use frame_support::{ensure, pallet_prelude::DispatchResult};
use sp_runtime::traits::Saturating;

/// How far ahead the author is whose key clients encrypt to, in slots.
const AHEAD: u64 = 2;

impl<T: Config> Pallet<T> {
    /// `announce_next_key`, once it is an inherent.
    pub(crate) fn announce(key: Option<PublicKey>) -> DispatchResult {
        let author = T::Authors::after(0).ok_or(Error::<T>::Unreachable)?;
        ensure!(key.as_ref().is_none_or(|key| key.len() == PUBLIC_KEY_BYTES), Error::<T>::BadEncKeyLen);

        CurrentKey::<T>::set(PendingKey::<T>::take());
        let pending = NextKey::<T>::take();
        // The key that was announced before this block: this block's own is not known to anyone yet.
        let next = T::Authors::after(AHEAD).and_then(AuthorKeys::<T>::get);
        let now = frame_system::Pallet::<T>::block_number();
        let expiry = |blocks: u32| now.saturating_add(blocks.into());
        PendingKeyExpiresAt::<T>::set(pending.is_some().then(|| expiry(2)));
        NextKeyExpiresAt::<T>::set(next.is_some().then(|| expiry(3)));
        PendingKey::<T>::set(pending);
        NextKey::<T>::set(next);
        AuthorKeys::<T>::set(author, key);
        Ok(())
    }

    /// Checks that every key has its length and that every key with a term has one.
    ///
    /// # Errors
    ///
    /// What does not hold.
    #[cfg(any(feature = "try-runtime", feature = "std"))]
    pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
        let (pending, next) = (PendingKey::<T>::get(), NextKey::<T>::get());
        ensure!(pending.is_some() == PendingKeyExpiresAt::<T>::exists(), "a pending key and its term go together");
        ensure!(next.is_some() == NextKeyExpiresAt::<T>::exists(), "a next key and its term go together");
        let keys = [CurrentKey::<T>::get(), pending, next].into_iter().flatten().chain(AuthorKeys::<T>::iter_values());
        for key in keys {
            ensure!(key.len() == PUBLIC_KEY_BYTES, "a key has another length than ML-KEM-768's");
        }
        Ok(())
    }
}
