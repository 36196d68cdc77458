// SPDX-License-Identifier: Apache-2.0

//! A runtime of System, Balances, subnets and the pallet, with one subnet of seven neurons and a tempo of 100.

use crate::{self as pallet_admin_utils, *};
use frame_support::{
    BoundedVec, PalletId, derive_impl, parameter_types,
    traits::{ConstU8, ConstU16, ConstU32, ConstU64, Hooks},
};
use pallet_subtensor::{GenesisNeuron, GenesisSubnet, Hyperparameters, NetUid};
use sp_consensus_aura::sr25519::AuthorityId;
use sp_core::crypto::AccountId32;
use sp_runtime::{BuildStorage, traits::IdentityLookup};

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

    #[runtime::pallet_index(19)]
    pub type AdminUtils = pallet_admin_utils::Pallet<Test>;
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
    pub static Authorities: Vec<AuthorityId> = Vec::new();
}

impl pallet_subtensor::Config for Test {
    type Currency = Balances;
    type WeightInfo = ();
    type OnNeuronRemoved = ();
    type Pulses = ();
    type SubtensorPalletId = SubtensorPalletId;
    type InitialTempo = ConstU16<360>;
    type MinTempo = ConstU16<20>;
    type MaxTempo = ConstU16<50_400>;
    type InitialMaxEpochsPerBlock = ConstU8<32>;
    type RevealsPerBlock = ConstU32<{ pallet_subtensor::MAX_REVEALS_PER_BLOCK }>;
}

/// Notes the authorities.
pub struct NoteAuthorities;

impl SwapAuthorities<AuthorityId, ConstU32<32>> for NoteAuthorities {
    fn swap(new: BoundedVec<AuthorityId, ConstU32<32>>) {
        Authorities::set(new.into_inner());
    }
}

impl Config for Test {
    type AuthorityId = AuthorityId;
    type MaxAuthorities = ConstU32<32>;
    type Authorities = NoteAuthorities;
    type WeightInfo = ();
}

pub const NETUID: NetUid = NetUid(92);
pub const TAO: u64 = 1_000_000_000;
pub const TEMPO: u64 = 100;

pub fn hot(uid: u16) -> AccountId32 {
    let mut bytes = [7_u8; 32];
    bytes[..2].copy_from_slice(&uid.to_be_bytes());
    AccountId32::new(bytes)
}

pub fn cold(uid: u16) -> AccountId32 {
    hot(uid + 1_000)
}

pub fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

/// The coldkey that owns the subnet.
pub fn owner() -> RuntimeOrigin {
    RuntimeOrigin::signed(cold(0))
}

/// A coldkey that owns a neuron, but not the subnet.
pub fn other() -> RuntimeOrigin {
    RuntimeOrigin::signed(cold(1))
}

/// An empty chain in block 1, for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub fn new_test_ext() -> sp_io::TestExternalities {
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    let mut ext = sp_io::TestExternalities::from(storage);
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs `test` from block 1 on, then checks what must always hold of subnets.
pub fn build_and_execute(test: impl FnOnce()) {
    let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    let balances = (0..9).map(|uid| (cold(uid), 1_000 * TAO)).collect();
    pallet_balances::GenesisConfig::<Test> { balances, ..Default::default() }.assimilate_storage(&mut storage).unwrap();
    let stake = |uid: u16| if uid == 1 { 2_000 * TAO } else { 0 };
    let subnet = GenesisSubnet {
        netuid: NETUID,
        owner: cold(0),
        owner_hotkey: hot(0),
        mechanisms: 2,
        hyperparameters: Hyperparameters {
            tempo: Some(100),
            commit_reveal_weights_enabled: Some(false),
            weights_set_rate_limit: Some(0),
            max_allowed_uids: Some(128),
            immunity_period: Some(0),
            ..Default::default()
        },
        neurons: (0..7).map(|uid| GenesisNeuron { hotkey: hot(uid), coldkey: cold(uid), stake: stake(uid) }).collect(),
    };
    pallet_subtensor::GenesisConfig::<Test> { subnets: vec![subnet], ..Default::default() }
        .assimilate_storage(&mut storage)
        .unwrap();
    sp_io::TestExternalities::from(storage).execute_with(|| {
        Authorities::take();
        run_to(1);
        test();
        SubtensorModule::do_try_state().unwrap();
    });
}

/// Runs blocks up to the beginning of `block`.
pub fn run_to(block: u64) {
    while System::block_number() < block {
        let next = System::block_number() + 1;
        System::reset_events();
        System::set_block_number(next);
        SubtensorModule::on_initialize(next);
    }
}

/// The events of subnets in this block.
pub fn subnet_events() -> Vec<pallet_subtensor::Event<Test>> {
    System::read_events_for_pallet::<pallet_subtensor::Event<Test>>()
}
