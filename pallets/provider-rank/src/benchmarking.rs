// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls and of what a block does.

use super::*;
use alloc::{format, vec::Vec};
use clawrank_emission::Shortfall;
use frame_benchmarking::v2::*;
use frame_support::traits::{Get, fungible::Mutate};
use frame_system::RawOrigin;
use pallet_subtensor::{EpochInfo, MAX_UIDS, SubnetEpochIndex};
use sp_runtime::traits::Hash;

const NETUID: NetUid = NetUid(92);

/// A subnet of `n` neurons that takes part, in its epoch 0.
fn subnet<T: Config>(n: u32) -> Vec<T::AccountId> {
    let hotkeys: Vec<T::AccountId> = (0..n).map(|uid| account("neuron", uid, 0)).collect();
    T::Subnets::set_up(NETUID, &hotkeys);
    EpochEmission::<T>::insert(NETUID, 1_000_000_000);
    RunningEpoch::<T>::insert(NETUID, 0);
    hotkeys
}

fn state(seed: bool) -> EpochState {
    EpochState {
        start: 0,
        deadline: 1_000,
        decides: 1_001,
        round: None,
        seed: seed.then(|| H256::repeat_byte(1)),
        bundles: 0,
        reports: 0,
        settled: false,
    }
}

fn verdicts(n: u32) -> Verdicts {
    let all = (0..n).map(|uid| Verdict { uid: uid as u16, tripped: false, reason: 0, score: 7 + u128::from(uid) });
    Verdicts::truncate_from(all.collect())
}

/// An epoch with `b` bundles and `r` full reports.
fn full_epoch<T: Config>(epoch: u64, hotkeys: &[T::AccountId], b: u32, r: u32) {
    for (uid, hotkey) in hotkeys.iter().enumerate().take(b as usize) {
        let bundle = Bundle { uid: uid as u16, root: H256::repeat_byte(2), count: 9, block: 1 };
        Bundles::<T>::insert((NETUID, epoch, hotkey), bundle);
    }
    for hotkey in hotkeys.iter().take(r as usize) {
        Reports::<T>::insert((NETUID, epoch, hotkey), verdicts(MAX_UIDS));
    }
    Epochs::<T>::insert(NETUID, epoch, EpochState { bundles: b, reports: r, ..state(true) });
}

/// Called `benchmarks` by convention of the macro.
#[benchmarks(where T: pallet_subtensor::Config)]
mod benchmarks {
    use super::*;

    fn cell(number: u32) -> Cell {
        Cell::new(&format!("model-{number}"), "endpoint", "chat").expect("the names are short and lower-case; qed")
    }

    #[benchmark]
    fn add_cell() {
        subnet::<T>(1);

        #[extrinsic_call]
        _(RawOrigin::Root, NETUID, cell(0));

        assert_eq!(CellCount::<T>::get(NETUID), 1);
    }

    #[benchmark]
    fn remove_cell() {
        subnet::<T>(1);
        assert!(Pallet::<T>::do_add_cell(NETUID, cell(0)).is_ok());

        #[extrinsic_call]
        _(RawOrigin::Root, NETUID, H256(cell(0).id()));

        assert_eq!(CellCount::<T>::get(NETUID), 0);
    }

    #[benchmark]
    fn commit_bundle() {
        let hotkeys = subnet::<T>(1);
        Epochs::<T>::insert(NETUID, 0, state(false));

        #[extrinsic_call]
        _(RawOrigin::Signed(hotkeys[0].clone()), NETUID, 0, H256::repeat_byte(3), 1);

        assert_eq!(Pallet::<T>::bundles_of(NETUID, 0).len(), 1);
    }

    #[benchmark]
    fn submit_verdicts(v: Linear<0, MAX_UIDS>) {
        let hotkeys = subnet::<T>(1);
        Epochs::<T>::insert(NETUID, 0, state(true));

        #[extrinsic_call]
        _(RawOrigin::Signed(hotkeys[0].clone()), NETUID, 0, verdicts(v));

        assert!(Reports::<T>::contains_key((NETUID, 0, &hotkeys[0])));
    }

    #[benchmark]
    fn force_set_epoch_emission() {
        subnet::<T>(1);

        #[extrinsic_call]
        _(RawOrigin::Root, NETUID, 5);

        assert_eq!(EpochEmission::<T>::get(NETUID), Some(5));
    }

    #[benchmark]
    fn set_params() {
        subnet::<T>(1);

        #[extrinsic_call]
        _(RawOrigin::Root, NETUID, Params::local());

        assert_eq!(SubnetParams::<T>::get(NETUID), Some(Params::local()));
    }

    /// A block in which nothing is opened or settled, and as many challenges drawn as can be: three, since the epoch after the
    /// oldest is in its commit window. The beacon's rounds are missing, so each comes from the hash of a block.
    #[benchmark]
    fn on_initialize(n: Linear<0, 16>) {
        let (hotkey, now, running) = (account("neuron", 0, 0), 200, 3);
        let _ = EpochEmission::<T>::clear(u32::MAX, None);
        let netuids = || (1..=n as u16).map(NetUid);
        for netuid in netuids() {
            T::Subnets::set_up(netuid, core::slice::from_ref(&hotkey));
            SubnetEpochIndex::<T>::insert(netuid, running);
            EpochEmission::<T>::insert(netuid, 1_000_000_000);
            RunningEpoch::<T>::insert(netuid, running);
            NextToSettle::<T>::insert(netuid, 0);
            for epoch in 0..=running {
                let source = u64::from(netuid.0) * 4 + epoch;
                let deadline = if epoch == 1 { now } else { source - 1 };
                let round = Some(u64::MAX - source);
                Epochs::<T>::insert(
                    netuid,
                    epoch,
                    EpochState { deadline, decides: deadline + 1, round, ..state(false) },
                );
                frame_system::BlockHash::<T>::insert(
                    frame_system::pallet_prelude::BlockNumberFor::<T>::from(source as u32),
                    T::Hashing::hash_of(&source),
                );
            }
        }

        #[block]
        {
            Pallet::<T>::step(now);
        }

        let is_drawn = |netuid, epoch| Epochs::<T>::get(netuid, epoch).is_some_and(|found| found.seed.is_some());
        let drawn = |netuid| (0..=running).filter(|epoch| is_drawn(netuid, *epoch)).count();
        assert!(netuids().all(|netuid| drawn(netuid) == 3));
    }

    #[benchmark]
    fn open_epoch(b: Linear<0, MAX_UIDS>, r: Linear<0, 64>) {
        let hotkeys = subnet::<T>(MAX_UIDS);
        full_epoch::<T>(0, &hotkeys, b, r);
        SubnetParams::<T>::insert(NETUID, Params::local());
        EpochCaps::<T>::insert(NETUID, 0, Params::local().cap);
        let info = EpochInfo { index: T::Retention::get(), start: 1, tempo: 100 };

        #[block]
        {
            Pallet::<T>::open(NETUID, &info, false);
        }

        assert!(Epochs::<T>::get(NETUID, 0).is_none());
    }

    #[benchmark]
    fn settle(b: Linear<0, MAX_UIDS>, r: Linear<0, 64>) {
        let hotkeys = subnet::<T>(MAX_UIDS);
        full_epoch::<T>(0, &hotkeys, b, r);
        EpochCaps::<T>::insert(NETUID, 0, CapParams { shortfall: Shortfall::ToOwner, ..Params::local().cap });
        assert!(<T as Config>::Currency::mint_into(&Pallet::<T>::pot(), 2_000_000_000).is_ok());

        #[block]
        {
            Pallet::<T>::settle(NETUID, 0, 2);
        }

        assert!(Epochs::<T>::get(NETUID, 0).is_some_and(|epoch| epoch.settled));
    }

    impl_benchmark_test_suite!(Pallet, crate::tests::mock::new_test_ext(), crate::tests::mock::Test);
}
