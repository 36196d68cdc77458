// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls, one for each weight.

use super::*;
use alloc::vec::Vec;
use codec::Decode;
use frame_benchmarking::v2::*;
use frame_support::{BoundedVec, traits::Get};
use frame_system::RawOrigin;
use pallet_subtensor::{
    BlockAtRegistration, Bonds, Emission, ImmunityPeriod, Kappa, MAX_UIDS, MaxAllowedUids, MechId,
    MechanismCountCurrent, MinAllowedUids, MinBurn, NetUid, NetUidStorageIndex, PerNeuron, SubnetInfo, SubnetworkN,
    TaoBalance, WeightRow, Weights,
};

const NETUID: NetUid = NetUid(92);

/// A full subnet whose owner may change anything now, with rows of weights and bonds on `mechanisms` mechanisms.
fn subnet<T: Config>(mechanisms: u8) -> T::AccountId {
    frame_system::Pallet::<T>::set_block_number(1_u32.into());
    let hotkeys: Vec<T::AccountId> = (0..MAX_UIDS).map(|uid| account("neuron", uid, 0)).collect();
    MechanismCountCurrent::<T>::insert(NETUID, MechId(mechanisms));
    subtensor::Pallet::<T>::set_up(NETUID, &hotkeys);
    subtensor::Tempo::<T>::insert(NETUID, 10_000);
    for mecid in 0..mechanisms {
        let index = NetUidStorageIndex::new(NETUID, MechId(mecid));
        for uid in 0..MAX_UIDS as u16 {
            let row: Vec<(u16, u16)> = (0..MAX_UIDS as u16).map(|to| (to, to + 1)).collect();
            Weights::<T>::insert(index, uid, WeightRow::truncated(row.clone()));
            Bonds::<T>::insert(index, uid, WeightRow::truncated(row));
        }
    }
    hotkeys[0].clone()
}

/// Called `benchmarks` by convention of the macro.
#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn swap_authorities(n: Linear<1, 32>) -> Result<(), BenchmarkError> {
        let key = T::AuthorityId::decode(&mut sp_runtime::traits::TrailingZeroInput::zeroes())
            .map_err(|_| BenchmarkError::Stop("no authority can be made of zeros"))?;
        let count = n.min(T::MaxAuthorities::get()) as usize;
        let authorities = BoundedVec::truncate_from(alloc::vec![key; count]);

        #[extrinsic_call]
        _(RawOrigin::Root, authorities);

        Ok(())
    }

    #[benchmark]
    fn global() {
        #[extrinsic_call]
        sudo_set_start_call_delay(RawOrigin::Root, 7);

        assert_eq!(subtensor::StartCallDelay::<T>::get(), 7);
    }

    #[benchmark]
    fn parameter() {
        let owner = subnet::<T>(1);

        #[extrinsic_call]
        sudo_set_min_burn(RawOrigin::Signed(owner), NETUID, TaoBalance(7));

        assert_eq!(MinBurn::<T>::get(NETUID), TaoBalance(7));
    }

    #[benchmark]
    fn refusal() {
        #[block]
        {
            let refused = Pallet::<T>::sudo_set_network_pow_registration_allowed(RawOrigin::Root.into(), NETUID, true);
            assert!(refused.is_err());
        }

        assert_eq!(Kappa::<T>::get(NETUID), 32_767);
    }

    #[benchmark]
    fn mechanism_count() {
        let owner = subnet::<T>(2);

        #[extrinsic_call]
        sudo_set_mechanism_count(RawOrigin::Signed(owner), NETUID, MechId(1));

        assert_eq!(MechanismCountCurrent::<T>::get(NETUID), MechId(1));
    }

    #[benchmark]
    fn trim() {
        let owner = subnet::<T>(2);
        ImmunityPeriod::<T>::insert(NETUID, 0);
        MinAllowedUids::<T>::insert(NETUID, 1);
        MaxAllowedUids::<T>::insert(NETUID, MAX_UIDS as u16);
        let emission = (0..u64::from(MAX_UIDS)).map(subtensor::AlphaBalance).collect();
        Emission::<T>::insert(NETUID, PerNeuron::truncated(emission));

        #[extrinsic_call]
        sudo_trim_to_max_allowed_uids(RawOrigin::Signed(owner), NETUID, MAX_UIDS as u16 / 2);

        assert_eq!(SubnetworkN::<T>::get(NETUID), MAX_UIDS as u16 / 2);
        assert!(!BlockAtRegistration::<T>::contains_key(NETUID, MAX_UIDS as u16 / 2));
    }

    impl_benchmark_test_suite!(Pallet, crate::tests::mock::new_test_ext(), crate::tests::mock::Test);
}
