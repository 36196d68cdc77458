// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls and of the transaction extension.

use super::*;
use clawrank_shield::{KEM_BYTES, KEY_HASH_BYTES};
use frame_benchmarking::v2::*;
use frame_support::{
    dispatch::{DispatchInfo, GetDispatchInfo, PostDispatchInfo},
    traits::IsSubType,
};
use frame_system::{EventRecord, RawOrigin};
use sp_runtime::traits::{AsTransactionAuthorizedOrigin, DispatchTransaction, Dispatchable};

fn key(byte: u8) -> PublicKey {
    vec_of(byte, PUBLIC_KEY_BYTES)
}

fn vec_of<const MAX: u32>(byte: u8, len: usize) -> BoundedVec<u8, ConstU32<MAX>> {
    BoundedVec::truncate_from(core::iter::repeat_n(byte, len).collect())
}

/// The longest envelope whose layout is right; nobody could open it.
fn envelope() -> Ciphertext {
    let mut bytes = vec_of(7, MAX_CIPHERTEXT_BYTES);
    // The length of the sealed key stands behind the hash of the key.
    bytes.as_mut()[KEY_HASH_BYTES..KEY_HASH_BYTES + 2].copy_from_slice(&(KEM_BYTES as u16).to_le_bytes());
    bytes
}

/// Called `benchmarks` by convention of the macro.
#[benchmarks(where
    T: Send + Sync,
    T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo> + From<Call<T>> + IsSubType<Call<T>>,
    T::RuntimeOrigin: AsTransactionAuthorizedOrigin,
)]
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

    #[benchmark]
    fn extension() {
        let who: T::AccountId = whitelisted_caller();
        let call = T::RuntimeCall::from(Call::submit_encrypted { ciphertext: envelope() });
        let (info, origin) = (call.get_dispatch_info(), RawOrigin::Signed(who).into());
        let passed;

        #[block]
        {
            let ran = CheckShieldedTxValidity::<T>::new().test_run(origin, &call, &info, 0, 0, |_| Ok(().into()));
            passed = ran.is_ok();
        }

        assert!(passed);
    }

    impl_benchmark_test_suite!(Pallet, crate::tests::mock::new_test_ext(), crate::tests::mock::Test);
}
