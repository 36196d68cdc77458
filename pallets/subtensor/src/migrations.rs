// SPDX-License-Identifier: Apache-2.0

//! Changes of what is stored, made by a runtime that takes the place of an older one.

use crate::{pallet::*, timelock::CommitRevealVersion};
use core::marker::PhantomData;
use frame_support::{
    migrations::VersionedMigration,
    pallet_prelude::Weight,
    traits::{Get, UncheckedOnRuntimeUpgrade},
};

#[cfg(feature = "try-runtime")]
use alloc::vec::Vec;
#[cfg(feature = "try-runtime")]
use codec::{Decode, Encode};
#[cfg(feature = "try-runtime")]
use sp_runtime::TryRuntimeError;

/// From version 0 to 1: the version of timelocked commits is a `u32`.
pub type WidenCommitRevealVersion<T> =
    VersionedMigration<0, 1, FromNarrow<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// Rewrites `CommitRevealWeightsVersion`, which was a `u16`, where root had set it.
pub struct FromNarrow<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for FromNarrow<T> {
    fn on_runtime_upgrade() -> Weight {
        let translated = CommitRevealWeightsVersion::<T>::translate::<u16, _>(|old| old.map(CommitRevealVersion::from));
        if translated.is_err() {
            log::error!("CommitRevealWeightsVersion is no u16: it is left as it is");
        }
        <T as frame_system::Config>::DbWeight::get().reads_writes(1, 1)
    }

    #[cfg(feature = "try-runtime")]
    fn pre_upgrade() -> Result<Vec<u8>, TryRuntimeError> {
        Ok(stored::<T, u16>()?.map(CommitRevealVersion::from).encode())
    }

    #[cfg(feature = "try-runtime")]
    fn post_upgrade(before: Vec<u8>) -> Result<(), TryRuntimeError> {
        let before = Option::<CommitRevealVersion>::decode(&mut before.as_slice())
            .map_err(|_| "what was noted before the migration cannot be read")?;
        frame_support::ensure!(stored::<T, CommitRevealVersion>()? == before, "CommitRevealWeightsVersion changed");
        Ok(())
    }
}

/// The whole value of `CommitRevealWeightsVersion` as a `V`, if there is one.
#[cfg(feature = "try-runtime")]
fn stored<T: Config, V: codec::DecodeAll>() -> Result<Option<V>, TryRuntimeError> {
    let bytes = frame_support::storage::unhashed::get_raw(&CommitRevealWeightsVersion::<T>::hashed_key());
    let value = bytes.map(|bytes| V::decode_all(&mut bytes.as_slice())).transpose();
    value.map_err(|_| "CommitRevealWeightsVersion is of another type".into())
}
