// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls.

use super::*;
use alloc::{boxed::Box, vec};
use frame_benchmarking::v2::*;
use frame_support::{BoundedVec, traits::Get};
use frame_system::RawOrigin;
use pallet_subtensor::SubnetInfo;

/// Called `benchmarks` by convention of the macro.
#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn set_commitment(f: Linear<1, 3>) {
        let who: T::AccountId = whitelisted_caller();
        let netuid = NetUid(92);
        T::Subnets::set_up(netuid, core::slice::from_ref(&who));
        let field = Data::BigRaw(BoundedVec::truncate_from(vec![7; MAX_BIG_RAW_BYTES as usize]));
        let fields = vec![field; f.min(T::MaxFields::get()) as usize];
        let info = CommitmentInfo { fields: BoundedVec::truncate_from(fields) };

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), netuid, Box::new(info));

        assert!(CommitmentOf::<T>::contains_key(netuid, &who));
    }

    #[benchmark]
    fn set_max_space() {
        #[extrinsic_call]
        _(RawOrigin::Root, 1_000);

        assert_eq!(MaxSpace::<T>::get(), 1_000);
    }

    impl_benchmark_test_suite!(Pallet, crate::tests::mock::new_test_ext(), crate::tests::mock::Test);
}
