// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls.

use super::*;
use frame_benchmarking::v2::*;
use frame_system::{EventRecord, RawOrigin};

fn key(byte: u8) -> PublicKey {
    vec_of(byte, PUBLIC_KEY_BYTES)
}

fn vec_of<const MAX: u32>(byte: u8, len: usize) -> BoundedVec<u8, ConstU32<MAX>> {
    BoundedVec::truncate_from(core::iter::repeat_n(byte, len).collect())
}

/// Called `benchmarks` by convention of the macro.
#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn announce_next_key() -> Result<(), BenchmarkError> {
        let weightless = || BenchmarkError::Weightless;
        let (author, ahead) =
            (T::Authors::after(0).ok_or_else(weightless)?, T::Authors::after(2).ok_or_else(weightless)?);
        AuthorKeys::<T>::insert(&ahead, key(1));
        PendingKey::<T>::put(key(2));
        NextKey::<T>::put(key(3));

        #[extrinsic_call]
        _(RawOrigin::None, Some(key(4)));

        assert_eq!(AuthorKeys::<T>::get(author), Some(key(4)));
        assert_eq!(CurrentKey::<T>::get(), Some(key(2)));
        Ok(())
    }

    #[benchmark]
    fn submit_encrypted() {
        let who: T::AccountId = whitelisted_caller();

        #[extrinsic_call]
        _(RawOrigin::Signed(who), vec_of(7, MAX_CIPHERTEXT_BYTES));

        let events = frame_system::Pallet::<T>::events();
        assert!(matches!(events.last(), Some(EventRecord { .. })));
    }
}
