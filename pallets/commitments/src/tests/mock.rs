// SPDX-License-Identifier: Apache-2.0

//! A runtime of System, Balances, subnets and the pallet, with one subnet of three neurons.

use crate::{self as pallet_commitments, *};
use clawrank_timelock::{DEV_BEACON_SEED, DevBeacon, PulseSource};
use frame_support::{
    PalletId, derive_impl, parameter_types,
    traits::{ConstU8, ConstU16, ConstU32, ConstU64, Hooks},
};
use pallet_subtensor::{GenesisNeuron, GenesisSubnet, Hyperparameters};
use sp_core::crypto::AccountId32;
use sp_runtime::{BuildStorage, traits::IdentityLookup};
use std::collections::BTreeMap;

pub type Block = frame_system::mocking::MockBlock<Test>;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeTask,
        RuntimeHoldReason,
        RuntimeFreezeReason
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;

    #[runtime::pallet_index(5)]
    pub type Balances = pallet_balances::Pallet<Test>;

    #[runtime::pallet_index(7)]
    pub type SubtensorModule = pallet_subtensor::Pallet<Test>;

    #[runtime::pallet_index(18)]
    pub type Commitments = pallet_commitments::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
    type Block = Block;
    type AccountData = pallet_balances::AccountData<u64>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = u64;
    type ExistentialDeposit = ConstU64<500>;
}

parameter_types! {
    pub const SubtensorPalletId: PalletId = PalletId(*b"subtensr");
    pub static Rounds: BTreeMap<u64, [u8; 48]> = BTreeMap::new();
}

/// The beacon of the tests: rounds that were published, and the newest of them.
pub struct Beacon;

impl PulseSource for Beacon {
    fn last_stored_round() -> u64 {
        Rounds::get().last_key_value().map_or(0, |(round, _)| *round)
    }

    fn signature(round: u64) -> Option<[u8; 48]> {
        Rounds::get().get(&round).copied()
    }
}

pub fn beacon() -> DevBeacon {
    DevBeacon::from_seed(&DEV_BEACON_SEED)
}

/// Publishes a round.
pub fn publish(round: u64) {
    Rounds::mutate(|rounds| rounds.insert(round, beacon().sign(round)));
}

impl pallet_subtensor::Config for Test {
    type Currency = Balances;
    type WeightInfo = ();
    type OnNeuronRemoved = Commitments;
    type Pulses = ();
    type SubtensorPalletId = SubtensorPalletId;
    type InitialTempo = ConstU16<10>;
    type MinTempo = ConstU16<2>;
    type MaxTempo = ConstU16<50_400>;
    type InitialMaxEpochsPerBlock = ConstU8<32>;
    type RevealsPerBlock = ConstU32<{ pallet_subtensor::MAX_REVEALS_PER_BLOCK }>;
}

impl Config for Test {
    type Subnets = SubtensorModule;
    type MaxFields = ConstU32<3>;
    type Pulses = Beacon;
    type WeightInfo = ();
}

pub const NETUID: NetUid = NetUid(92);

pub fn hot(uid: u8) -> AccountId32 {
    AccountId32::new([uid + 1; 32])
}

pub fn cold(uid: u8) -> AccountId32 {
    AccountId32::new([uid + 101; 32])
}

/// An empty chain in block 1, for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub fn new_test_ext() -> sp_io::TestExternalities {
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    let mut ext = sp_io::TestExternalities::from(storage);
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs `test` from block 1 on, then checks what must always hold.
pub fn build_and_execute(test: impl FnOnce()) {
    let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    let balances = (0..9).map(|uid| (cold(uid), 1_000_000_000_000)).collect();
    pallet_balances::GenesisConfig::<Test> { balances, ..Default::default() }.assimilate_storage(&mut storage).unwrap();
    let subnet = GenesisSubnet {
        netuid: NETUID,
        owner: cold(0),
        owner_hotkey: hot(0),
        mechanisms: 1,
        hyperparameters: Hyperparameters {
            tempo: Some(10),
            immunity_period: Some(0),
            max_allowed_uids: Some(3),
            min_non_immune_uids: Some(0),
            ..Default::default()
        },
        neurons: (0..3).map(|uid| GenesisNeuron { hotkey: hot(uid), coldkey: cold(uid), stake: 0 }).collect(),
    };
    pallet_subtensor::GenesisConfig::<Test> { subnets: vec![subnet], ..Default::default() }
        .assimilate_storage(&mut storage)
        .unwrap();
    sp_io::TestExternalities::from(storage).execute_with(|| {
        Rounds::take();
        run_to(1);
        test();
        Commitments::do_try_state().unwrap();
    });
}

/// Runs blocks up to the beginning of `block`.
pub fn run_to(block: u64) {
    while System::block_number() < block {
        let next = System::block_number() + 1;
        System::reset_events();
        System::set_block_number(next);
        SubtensorModule::on_initialize(next);
        Commitments::on_initialize(next);
    }
}

/// A commitment of this many bytes.
pub fn info(len: usize) -> Box<CommitmentInfo<ConstU32<3>>> {
    Box::new(CommitmentInfo::raw(&vec![5; len]).unwrap())
}
