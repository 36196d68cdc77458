// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls and of the opening of timelocked fields.

use super::*;
use crate::timelock::{MAX_EXAMINED, MAX_OPENED, MAX_REVEALED, MAX_TIMELOCKED_NEURONS};
use alloc::{boxed::Box, collections::BTreeSet, vec, vec::Vec};
use clawrank_timelock::{DEV_BEACON_SEED, DevBeacon, OVERHEAD_BYTES, PulseSource, encrypt};
use frame_benchmarking::v2::*;
use frame_support::{BoundedVec, traits::Get};
use frame_system::RawOrigin;
use pallet_subtensor::{
    Bonds, BondsResetOn, List, MAX_UIDS, MechId, MechanismCountCurrent, NetUidStorageIndex, SubnetInfo, TaoBalance,
    WeightRow,
};
use rand_core::{CryptoRng, RngCore};

const NETUID: NetUid = NetUid(92);
/// The round of the local beacon that opens fields here. Its pulse has to be in the state before, since this pallet only
/// reads pulses: the suite below and whoever runs these benchmarks in a runtime put it there.
const ROUND: u64 = 7;

/// No randomness at all, which is enough to measure.
struct Same;

impl RngCore for Same {
    fn next_u32(&mut self) -> u32 {
        7
    }

    fn next_u64(&mut self) -> u64 {
        7
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

impl CryptoRng for Same {}

/// The longest field that nothing but a round to come could open.
fn locked() -> Data {
    let encrypted = BoundedVec::truncate_from(vec![7; MAX_TIMELOCKED_BYTES as usize]);
    Data::TimelockEncrypted { encrypted, reveal_round: u64::MAX }
}

/// The longest field that the pulse of [`ROUND`] opens.
fn due() -> Data {
    let plain = vec![7; MAX_TIMELOCKED_BYTES as usize - OVERHEAD_BYTES];
    let key = DevBeacon::from_seed(&DEV_BEACON_SEED).public_key();
    let encrypted = encrypt(&key, ROUND, &plain, &mut Same).unwrap_or_default();
    Data::TimelockEncrypted { encrypted: BoundedVec::truncate_from(encrypted), reveal_round: ROUND }
}

/// The longest field that the chain has already failed to open.
fn failed() -> Data {
    let encrypted = BoundedVec::truncate_from(vec![7; MAX_TIMELOCKED_BYTES as usize]);
    Data::TimelockRevealFailed { encrypted, reveal_round: ROUND }
}

/// `count` fields, or as many as there may be: `first`, then `rest`.
fn fields<T: Config>(first: Data, rest: &Data, count: u32) -> CommitmentInfo<T::MaxFields> {
    let count = count.min(T::MaxFields::get()) as usize;
    let fields: Vec<Data> = core::iter::once(first).chain(core::iter::repeat_n(rest.clone(), count - 1)).collect();
    CommitmentInfo { fields: BoundedVec::truncate_from(fields) }
}

/// Lets `count` others wait, who are no neurons; in the order in which they are looked at in block 0.
fn others_wait<T: Config>(count: u32) -> Vec<T::AccountId> {
    let all: BTreeSet<(NetUid, T::AccountId)> =
        (0..count).map(|number| (NETUID, account("other", number, 0))).collect();
    let hotkeys = all.iter().map(|(_, hotkey)| hotkey.clone()).collect();
    TimelockedIndex::<T>::mutate(|waiting| {
        for key in all {
            assert!(waiting.try_insert(key).is_ok());
        }
    });
    hotkeys
}

/// A chain whose beacon has published [`ROUND`].
#[cfg(test)]
fn new_test_ext() -> sp_io::TestExternalities {
    crate::tests::mock::publish(ROUND);
    crate::tests::mock::new_test_ext()
}

/// Called `benchmarks` by convention of the macro.
#[benchmarks(where T: pallet_subtensor::Config)]
mod benchmarks {
    use super::*;

    /// By who has waited, with as many others as may, and waits no longer: who waits is read twice and written.
    #[benchmark]
    fn set_commitment(f: Linear<1, 3>) {
        let who: T::AccountId = account("neuron", 0, 0);
        T::Subnets::set_up(NETUID, core::slice::from_ref(&who));
        others_wait::<T>(MAX_TIMELOCKED_NEURONS - 1);
        assert!(Pallet::<T>::track(NETUID, &who, &fields::<T>(locked(), &locked(), 1)).is_ok());
        let field = Data::BigRaw(BoundedVec::truncate_from(vec![7; MAX_BIG_RAW_BYTES as usize]));
        let info = fields::<T>(field.clone(), &field, f);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), NETUID, Box::new(info));

        assert!(CommitmentOf::<T>::contains_key(NETUID, &who));
        assert_eq!(TimelockedIndex::<T>::get().len(), MAX_TIMELOCKED_NEURONS as usize - 1);
    }

    #[benchmark]
    fn reset_bonds() {
        let hotkeys: Vec<T::AccountId> = (0..MAX_UIDS).map(|uid| account("neuron", uid, 0)).collect();
        MechanismCountCurrent::<T>::insert(NETUID, MechId(2));
        T::Subnets::set_up(NETUID, &hotkeys);
        BondsResetOn::<T>::insert(NETUID, true);
        let index = |mecid| NetUidStorageIndex::new(NETUID, MechId(mecid));
        let row = WeightRow::truncated((0..MAX_UIDS as u16).map(|to| (to, to + 1)).collect());
        for (mecid, uid) in (0..2).flat_map(|mecid| (0..MAX_UIDS as u16).map(move |uid| (mecid, uid))) {
            Bonds::<T>::insert(index(mecid), uid, row.clone());
        }
        others_wait::<T>(MAX_TIMELOCKED_NEURONS - 1);
        let info = fields::<T>(Data::ResetBondsFlag, &locked(), T::MaxFields::get());

        #[extrinsic_call]
        set_commitment(RawOrigin::Signed(hotkeys[7].clone()), NETUID, Box::new(info));

        assert_eq!(Bonds::<T>::get(index(1), 255).len(), MAX_UIDS as usize - 1);
    }

    /// What a block opens: `n` neurons are looked at, the last `o` of them have a field that is due and a full list of what
    /// they have shown. As many wait as may where as many as may are looked at.
    #[benchmark]
    fn reveal(n: Linear<0, MAX_EXAMINED>, o: Linear<0, MAX_OPENED>) -> Result<(), BenchmarkError> {
        let opened = o.min(n);
        if opened > 0 && <T as Config>::Pulses::signature(ROUND).is_none() {
            return Err(BenchmarkError::Stop("the state has no pulse of the round that opens fields"));
        }
        let waiting = if n == MAX_EXAMINED { MAX_TIMELOCKED_NEURONS } else { n };
        let hotkeys = others_wait::<T>(waiting);
        let last = (n - opened) as usize..n as usize;
        for (place, hotkey) in hotkeys.iter().enumerate() {
            let is_due = last.contains(&place);
            let info = if is_due { fields::<T>(due(), &failed(), 3) } else { fields::<T>(locked(), &locked(), 3) };
            CommitmentOf::<T>::insert(NETUID, hotkey, Registration { deposit: TaoBalance(0), block: 1, info });
            if is_due {
                let shown = vec![(List::truncated(vec![7; MAX_TIMELOCKED_BYTES as usize]), 1); MAX_REVEALED as usize];
                RevealedCommitments::<T>::insert(NETUID, hotkey, List::truncated(shown));
            }
        }

        #[block]
        {
            Pallet::<T>::reveal_due(0);
        }

        assert_eq!(TimelockedIndex::<T>::get().len(), (waiting - opened) as usize);
        let shown = |hotkey: &T::AccountId| RevealedCommitments::<T>::get(NETUID, hotkey).unwrap_or_default();
        let is_new = |hotkey: &&T::AccountId| shown(hotkey).last().is_some_and(|(_, block)| *block == 0);
        assert_eq!(hotkeys.iter().filter(is_new).count(), opened as usize);
        Ok(())
    }

    #[benchmark]
    fn set_max_space() {
        #[extrinsic_call]
        _(RawOrigin::Root, 1_000);

        assert_eq!(MaxSpace::<T>::get(), 1_000);
    }

    impl_benchmark_test_suite!(Pallet, super::new_test_ext(), crate::tests::mock::Test);
}
