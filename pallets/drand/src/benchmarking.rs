// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls, with a local beacon whose secret is known.

use super::*;
use alloc::vec::Vec;
use clawrank_timelock::{DEV_BEACON, DevBeacon};
use frame_benchmarking::v2::*;
use frame_support::pallet_prelude::TransactionSource;
use frame_system::{RawOrigin, pallet_prelude::BlockNumberFor};

const FIRST: u64 = 1_000_000;

fn pulses(count: u32) -> Vec<Pulse> {
    let beacon = DevBeacon::default();
    (FIRST..).take(count as usize).map(|round| Pulse::new(round, &beacon.sign(round))).collect()
}

/// So many old pulses that each new one removes as many as it may.
fn fill<T: Config>(count: u64) {
    for round in 1..=count {
        Pulses::<T>::insert(round, Pulse::new(round, &[7; 48]));
    }
    OldestStoredRound::<T>::put(1);
    LastStoredRound::<T>::put(count);
}

/// Called `benchmarks` by convention of the macro.
#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn authorize_write_pulse(p: Linear<1, MAX_PULSES_PER_BLOCK>) -> Result<(), BenchmarkError> {
        BeaconConfig::<T>::put(BeaconConfiguration::local(&DEV_BEACON));
        let pulses = pulses(p);
        #[block]
        {
            Pallet::<T>::authorize_pulses(TransactionSource::External, &pulses)
                .map_err(|_| BenchmarkError::Stop("signed above"))?;
        }
        Ok(())
    }

    #[benchmark]
    fn write_pulse(p: Linear<1, MAX_PULSES_PER_BLOCK>) {
        fill::<T>(u64::from(p * PRUNED_PER_PULSE));
        let payload = PulsesPayload::new(BlockNumberFor::<T>::default(), pulses(p));

        #[extrinsic_call]
        _(RawOrigin::Authorized, payload, None);

        assert_eq!(LastStoredRound::<T>::get(), FIRST + u64::from(p) - 1);
        assert_eq!(OldestStoredRound::<T>::get(), 1 + u64::from(p * PRUNED_PER_PULSE));
    }

    #[benchmark]
    fn set_beacon_config() {
        fill::<T>(u64::from(MAX_CLEARED_PULSES));
        let config = BeaconConfiguration::local(&DEV_BEACON);
        let block_number = BlockNumberFor::<T>::default();
        let public = PulsesPayload::new(block_number, Vec::new()).public;
        let payload = BeaconConfigurationPayload { block_number, config: config.clone(), public };

        #[extrinsic_call]
        _(RawOrigin::Root, payload, None);

        assert_eq!(BeaconConfig::<T>::get(), config);
    }

    #[benchmark]
    fn set_oldest_stored_round() {
        let last = u64::from(MAX_CLEARED_PULSES) + 1;
        fill::<T>(last);

        #[extrinsic_call]
        _(RawOrigin::Root, last);

        assert_eq!(OldestStoredRound::<T>::get(), last);
    }

    impl_benchmark_test_suite!(Pallet, crate::tests::mock::new_test_ext(), crate::tests::mock::Test);
}
