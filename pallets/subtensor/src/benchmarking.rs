// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls, of the transaction extension, of the block step and of an epoch.

use super::*;
use crate::timelock::{DueQueue, MAX_QUEUE_KIB};
use alloc::vec::Vec;
use clawrank_timelock::{DEV_BEACON_SEED, DevBeacon, WeightsPayload, encrypt};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{
    BoundedVec,
    dispatch::{DispatchInfo, GetDispatchInfo, PostDispatchInfo},
    traits::{
        Get, IsSubType,
        fungible::{Inspect, Mutate},
    },
};
use frame_system::RawOrigin;
use rand_core::{CryptoRng, RngCore};
use sp_core::H256;
use sp_runtime::{
    PerU16,
    traits::{AsSystemOriginSigner, AsTransactionAuthorizedOrigin, DispatchTransaction, Dispatchable},
};

const NETUID: NetUid = NetUid(92);
const TAO: u64 = 1_000_000_000;

/// A subnet of `n` neurons with plain or committed weights; the pallet's account backs their stake.
fn subnet<T: Config>(n: u32, commit_reveal: bool) -> Vec<T::AccountId> {
    frame_system::Pallet::<T>::set_block_number(1_u32.into());
    let hotkeys: Vec<T::AccountId> = (0..n).map(|uid| account("neuron", uid, 0)).collect();
    Pallet::<T>::set_up(NETUID, &hotkeys);
    CommitRevealWeightsEnabled::<T>::insert(NETUID, commit_reveal);
    WeightsSetRateLimit::<T>::insert(NETUID, 0);
    Pallet::<T>::start_network(NETUID, 1);
    hotkeys
}

fn rich<T: Config>() -> T::AccountId {
    let coldkey: T::AccountId = whitelisted_caller();
    assert!(T::Currency::mint_into(&coldkey, 10_000 * TAO).is_ok());
    coldkey
}

fn weights(n: u32) -> (Vec<u16>, Vec<u16>) {
    (0..n).map(|uid| (uid as u16, uid as u16 + 1)).unzip()
}

/// A queue of about `kib` KiB, of hotkeys that are no neurons and a round that never comes.
fn queue<T: Config>(kib: u32) -> TimelockedQueue<T::AccountId> {
    let commit = || BoundedVec::truncate_from(alloc::vec![1; MAX_COMMIT_BYTES as usize]);
    let count = kib * 1_024 / (MAX_COMMIT_BYTES + 52);
    TimelockedQueue::truncated(
        (0..count).map(|entry| (account("else", entry / 10, 0), 1, commit(), u64::MAX)).collect(),
    )
}

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

/// Called `benchmarks` by convention of the macro.
#[benchmarks(where
    T: Send + Sync,
    T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo> + From<Call<T>> + IsSubType<Call<T>>,
    T::RuntimeOrigin: AsSystemOriginSigner<T::AccountId> + AsTransactionAuthorizedOrigin + Clone,
)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn set_weights(n: Linear<1, MAX_UIDS>) {
        let hotkeys = subnet::<T>(MAX_UIDS, false);
        let (uids, values) = weights(n);

        #[extrinsic_call]
        _(RawOrigin::Signed(hotkeys[0].clone()), NETUID, uids, values, 0);

        assert_eq!(Weights::<T>::get(NetUidStorageIndex::from(NETUID), 0).len(), n as usize);
    }

    #[benchmark]
    fn commit_weights() {
        let hotkeys = subnet::<T>(MAX_UIDS, true);

        #[extrinsic_call]
        _(RawOrigin::Signed(hotkeys[0].clone()), NETUID, H256::repeat_byte(1));

        assert!(WeightCommits::<T>::contains_key(NetUidStorageIndex::from(NETUID), &hotkeys[0]));
    }

    #[benchmark]
    fn reveal_weights(n: Linear<1, MAX_UIDS>, s: Linear<0, 256>) {
        let hotkeys = subnet::<T>(MAX_UIDS, true);
        let (uids, values) = weights(n);
        let salt = alloc::vec![7_u16; s as usize];
        let index = NetUidStorageIndex::from(NETUID);
        let hash = Pallet::<T>::commit_hash(&hotkeys[0], index, &uids, &values, &salt, 0);
        assert!(Pallet::<T>::do_commit_weights(&hotkeys[0], NETUID, MechId::MAIN, hash).is_ok());
        SubnetEpochIndex::<T>::insert(NETUID, 1);

        #[extrinsic_call]
        _(RawOrigin::Signed(hotkeys[0].clone()), NETUID, uids, values, salt, 0);

        assert_eq!(Weights::<T>::get(index, 0).len(), n as usize);
    }

    /// A batch of `n` reveals by who lost its uid after it had committed, and so has to pay. Of its ten commits, all with one
    /// hash, the last can be revealed: every one is looked at.
    #[benchmark]
    fn extension(n: Linear<1, 16>) {
        // Not the whitelisted one, whose account would not count.
        let hotkey: T::AccountId = account("stranger", 0, 0);
        assert!(T::Currency::mint_into(&hotkey, TAO).is_ok());
        subnet::<T>(MAX_UIDS, true);
        let index = NetUidStorageIndex::from(NETUID);
        let (uids, values) = weights(MAX_UIDS);
        let salt = alloc::vec![7_u16; 256];
        let hash = Pallet::<T>::commit_hash(&hotkey, index, &uids, &values, &salt, 0);
        SubnetEpochIndex::<T>::insert(NETUID, 9);
        RevealPeriodEpochs::<T>::insert(NETUID, 1);
        let epochs = core::iter::repeat_n(0, 9).chain([8]);
        WeightCommits::<T>::insert(index, &hotkey, List::truncated(epochs.map(|at| (hash, at, 1, 0)).collect()));
        let count = n as usize;
        let call = T::RuntimeCall::from(Call::batch_reveal_weights {
            netuid: NETUID,
            uids_list: alloc::vec![uids; count],
            values_list: alloc::vec![values; count],
            salts_list: alloc::vec![salt; count],
            version_keys: alloc::vec![0; count],
        });
        let (info, len, before) = (call.get_dispatch_info(), call.encoded_size(), T::Currency::balance(&hotkey));
        let origin = RawOrigin::Signed(hotkey.clone()).into();
        let passed;

        #[block]
        {
            let ran =
                SubtensorTransactionExtension::<T>::new().test_run(origin, &call, &info, len, 0, |_| Ok(().into()));
            passed = ran.is_ok();
        }

        assert!(passed);
        assert!(T::Currency::balance(&hotkey) < before);
    }

    #[benchmark]
    fn add_stake() {
        let coldkey = rich::<T>();
        let hotkeys = subnet::<T>(1, false);
        // To another's hotkey, with as many hotkeys before it as there may be.
        for number in 1..MAX_STAKING_HOTKEYS {
            Pallet::<T>::list_staking(&coldkey, &account("other", number, 0));
        }

        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey), hotkeys[0].clone(), NETUID, TaoBalance(TAO));

        assert!(TotalStake::<T>::get() >= TaoBalance(TAO));
    }

    #[benchmark]
    fn remove_stake() {
        let coldkey = rich::<T>();
        let hotkeys = subnet::<T>(1, false);
        assert!(Pallet::<T>::do_add_stake(&coldkey, &hotkeys[0], NETUID, TaoBalance(TAO), None).is_ok());

        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey), hotkeys[0].clone(), NETUID, AlphaBalance(TAO));

        assert!(TotalStake::<T>::get() >= TaoBalance(TAO));
    }

    #[benchmark]
    fn serve_axon() {
        let hotkeys = subnet::<T>(1, false);

        #[extrinsic_call]
        _(RawOrigin::Signed(hotkeys[0].clone()), NETUID, 1, 1 << 24, 80, 4, 4, 0, 0);

        assert!(Axons::<T>::contains_key(NETUID, &hotkeys[0]));
    }

    #[benchmark]
    fn burned_register(n: Linear<4, MAX_UIDS>) {
        let coldkey = rich::<T>();
        subnet::<T>(n, false);
        // Full and without immunity, so that every neuron is compared and one has to go.
        MaxAllowedUids::<T>::insert(NETUID, n as u16);
        ImmunityPeriod::<T>::insert(NETUID, 0);
        MinNonImmuneUids::<T>::insert(NETUID, 0);
        let hotkey: T::AccountId = account("newcomer", 0, 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey), NETUID, hotkey.clone());

        assert!(Uids::<T>::contains_key(NETUID, &hotkey));
    }

    #[benchmark]
    fn register_network() {
        let coldkey = rich::<T>();
        let hotkey: T::AccountId = account("first", 0, 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey), hotkey.clone());

        assert!(Uids::<T>::contains_key(NetUid(1), &hotkey));
    }

    #[benchmark]
    fn start_call() {
        let hotkeys = subnet::<T>(1, false);
        FirstEmissionBlockNumber::<T>::remove(NETUID);

        #[extrinsic_call]
        _(RawOrigin::Signed(hotkeys[0].clone()), NETUID);

        assert!(FirstEmissionBlockNumber::<T>::contains_key(NETUID));
    }

    #[benchmark]
    fn set_tempo() {
        let hotkeys = subnet::<T>(1, false);

        #[extrinsic_call]
        _(RawOrigin::Signed(hotkeys[0].clone()), NETUID, T::MaxTempo::get());

        assert_eq!(Tempo::<T>::get(NETUID), T::MaxTempo::get());
    }

    #[benchmark]
    fn serve_axon_tls() {
        let hotkeys = subnet::<T>(1, false);
        let certificate = alloc::vec![1; 65];

        #[extrinsic_call]
        _(RawOrigin::Signed(hotkeys[0].clone()), NETUID, 1, 1 << 24, 80, 4, 4, 0, 0, certificate);

        assert!(NeuronCertificates::<T>::contains_key(NETUID, &hotkeys[0]));
    }

    #[benchmark]
    fn serve_prometheus() {
        let hotkeys = subnet::<T>(1, false);

        #[extrinsic_call]
        _(RawOrigin::Signed(hotkeys[0].clone()), NETUID, 1, 1 << 24, 80, 4);

        assert!(Prometheus::<T>::contains_key(NETUID, &hotkeys[0]));
    }

    #[benchmark]
    fn root_register() {
        let coldkey = rich::<T>();
        Pallet::<T>::create_root();
        for uid in 0..MAX_ROOT_UIDS {
            let hotkey: T::AccountId = account("seat", uid.into(), 0);
            Owner::<T>::insert(&hotkey, &coldkey);
            Pallet::<T>::seat(NetUid::ROOT, uid, &hotkey);
        }
        ImmunityPeriod::<T>::insert(NetUid::ROOT, 0);
        let hotkey: T::AccountId = account("newcomer", 0, 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey), hotkey.clone());

        assert!(Uids::<T>::contains_key(NetUid::ROOT, &hotkey));
    }

    #[benchmark]
    fn set_take() {
        let hotkeys = subnet::<T>(1, false);
        Delegates::<T>::insert(&hotkeys[0], PerU16::zero());

        #[extrinsic_call]
        increase_take(RawOrigin::Signed(hotkeys[0].clone()), hotkeys[0].clone(), PerU16::from_parts(1));

        assert_eq!(Delegates::<T>::get(&hotkeys[0]), PerU16::from_parts(1));
    }

    #[benchmark]
    fn set_subnet_identity() {
        let hotkeys = subnet::<T>(1, false);
        let (short, long) = (alloc::vec![1; 256], alloc::vec![1; 1_024]);

        #[extrinsic_call]
        _(
            RawOrigin::Signed(hotkeys[0].clone()),
            NETUID,
            short.clone(),
            long.clone(),
            long.clone(),
            long.clone(),
            short,
            long.clone(),
            long.clone(),
            long,
        );

        assert!(SubnetIdentitiesV3::<T>::contains_key(NETUID));
    }

    #[benchmark]
    fn unstake_all(n: Linear<1, 128>) {
        let coldkey = rich::<T>();
        let hotkey: T::AccountId = account("staker", 0, 0);
        Pallet::<T>::own(&hotkey, &hotkey);
        let before = TotalStake::<T>::get();
        for netuid in (1..=n as u16).map(NetUid) {
            Pallet::<T>::create_network(netuid, &hotkey, &hotkey);
            Pallet::<T>::start_network(netuid, 1);
            assert!(Pallet::<T>::do_add_stake(&coldkey, &hotkey, netuid, TaoBalance(TAO), None).is_ok());
        }

        #[extrinsic_call]
        _(RawOrigin::Signed(coldkey.clone()), hotkey);

        assert_eq!(TotalStake::<T>::get(), before);
        assert!(!StakingHotkeys::<T>::contains_key(&coldkey));
    }

    #[benchmark]
    fn trigger_epoch() {
        let hotkeys = subnet::<T>(1, false);
        AdminFreezeWindow::<T>::put(0);

        #[extrinsic_call]
        _(RawOrigin::Signed(hotkeys[0].clone()), NETUID);

        assert!(PendingEpochAt::<T>::contains_key(NETUID));
    }

    #[benchmark]
    fn commit_timelocked_weights(n: Linear<5, { MAX_QUEUE_KIB - 5 }>) {
        let hotkeys = subnet::<T>(MAX_UIDS, true);
        let index = NetUidStorageIndex::from(NETUID);
        TimelockedWeightCommits::<T>::insert(index, 0, queue::<T>(n));
        let commit = alloc::vec![1; MAX_COMMIT_BYTES as usize];

        #[extrinsic_call]
        _(RawOrigin::Signed(hotkeys[0].clone()), NETUID, BoundedVec::truncate_from(commit), u64::MAX, 4);

        assert!(TimelockedWeightCommits::<T>::get(index, 0).len() > 1);
    }

    #[benchmark]
    fn timelocked_queue(n: Linear<5, { MAX_QUEUE_KIB - 5 }>) {
        subnet::<T>(MAX_UIDS, true);
        let index = NetUidStorageIndex::from(NETUID);
        TimelockedWeightCommits::<T>::insert(index, 0, queue::<T>(n));
        SubnetEpochIndex::<T>::insert(NETUID, 1);

        #[block]
        {
            Pallet::<T>::reveal_timelocked(1, &[NETUID]);
        }

        assert!(!TimelockedWeightCommits::<T>::get(index, 0).is_empty());
    }

    #[benchmark]
    fn timelocked_reveal(n: Linear<1, MAX_UIDS>) {
        let hotkeys = subnet::<T>(MAX_UIDS, true);
        let (uids, values) = weights(n);
        let beacon = DevBeacon::from_seed(&DEV_BEACON_SEED);
        let hotkey = hotkeys[0].encode().try_into().unwrap_or_default();
        let payload = WeightsPayload { hotkey, uids, values, version_key: 0 };
        let bytes = encrypt(&beacon.public_key(), 7, &payload.encode(), &mut Same).unwrap_or_default();
        let commit = (hotkeys[0].clone(), 1, BoundedVec::truncate_from(bytes), 7);
        let (due, signature) = (DueQueue { netuid: NETUID, mecid: MechId::MAIN, epoch: 0 }, beacon.sign(7));

        #[block]
        {
            Pallet::<T>::reveal(&due, &commit, &signature);
        }

        assert_eq!(Weights::<T>::get(NetUidStorageIndex::from(NETUID), 0).len(), n as usize);
    }

    #[benchmark]
    fn block_step(n: Linear<1, 128>) {
        for netuid in 1..=n as u16 {
            let owner: T::AccountId = account("owner", u32::from(netuid), 0);
            Pallet::<T>::create_network(NetUid(netuid), &owner, &owner);
            Pallet::<T>::start_network(NetUid(netuid), 1);
        }

        #[block]
        {
            Pallet::<T>::step(1);
        }

        assert!(Pallet::<T>::pending(NetUid(1)) > 0);
    }

    #[benchmark]
    fn epoch(n: Linear<2, MAX_UIDS>, v: Linear<1, 64>, m: Linear<1, 2>) {
        let hotkeys = subnet::<T>(n, false);
        MechanismCountCurrent::<T>::insert(NETUID, MechId(m as u8));
        let v = v.min(n) as usize;
        ValidatorPermit::<T>::mutate(NETUID, |permits| {
            permits.iter_mut().enumerate().for_each(|(uid, permit)| *permit = uid < v);
        });
        for index in Pallet::<T>::mechanisms(NETUID) {
            LastUpdate::<T>::insert(index, PerNeuron::truncated(alloc::vec![2; n as usize]));
            for uid in 0..v as u16 {
                let row: Vec<(u16, u16)> = (0..n as u16).map(|to| (to, to + 1)).collect();
                Weights::<T>::insert(index, uid, WeightRow::truncated(row.clone()));
                Bonds::<T>::insert(index, uid, WeightRow::truncated(row));
            }
        }
        assert!(T::Currency::mint_into(&Pallet::<T>::account(), 10 * TAO).is_ok());
        Pallet::<T>::book_emission(NETUID, AlphaBalance(10 * TAO));

        #[block]
        {
            Pallet::<T>::run_epoch(NETUID, 3);
        }

        assert!(TotalHotkeyAlpha::<T>::iter_values().count() >= hotkeys.len());
    }

    impl_benchmark_test_suite!(Pallet, crate::tests::mock::new_test_ext(), crate::tests::mock::Test);
}
