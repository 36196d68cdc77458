// SPDX-License-Identifier: Apache-2.0
//! System, Balances and the pallet, with two subnets and a beacon whose secret is known.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "what the macros expand to, and a chain that is built from constants"
)]

use std::{cell::RefCell, collections::BTreeMap};

use clawrank_timelock::{DEV_BEACON_SEED, DevBeacon, PulseSource};
use frame_support::{
    PalletId, derive_impl, parameter_types,
    traits::{ConstU8, ConstU16, ConstU32, ConstU64},
};
use pallet_subtensor::{GenesisNeuron, GenesisSubnet, Hyperparameters, NetUid, TaoBalance};
use sp_core::crypto::AccountId32;
use sp_runtime::{BuildStorage, traits::IdentityLookup};

pub(super) const TAO: u64 = 1_000_000_000;
/// Hotkeys and coldkeys by number; those below 6 are neurons of the first subnet.
pub(super) const ACCOUNTS: u8 = 12;

#[frame_support::runtime]
mod test_runtime {
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
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
    type Block = frame_system::mocking::MockBlock<Test>;
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
}

impl pallet_subtensor::Config for Test {
    type Currency = Balances;
    type WeightInfo = ();
    type OnNeuronRemoved = ();
    type Pulses = Beacon;
    type SubtensorPalletId = SubtensorPalletId;
    type InitialTempo = ConstU16<10>;
    type MinTempo = ConstU16<2>;
    type MaxTempo = ConstU16<50_400>;
    type InitialMaxEpochsPerBlock = ConstU8<2>;
    type RevealsPerBlock = ConstU32<{ pallet_subtensor::MAX_REVEALS_PER_BLOCK }>;
}

thread_local! {
    static ROUNDS: RefCell<BTreeMap<u64, [u8; 48]>> = const { RefCell::new(BTreeMap::new()) };
}

/// The rounds that were published.
pub struct Beacon;

impl PulseSource for Beacon {
    fn last_stored_round() -> u64 {
        ROUNDS.with_borrow(|rounds| rounds.last_key_value().map_or(0, |(round, _)| *round))
    }

    fn signature(round: u64) -> Option<[u8; 48]> {
        ROUNDS.with_borrow(|rounds| rounds.get(&round).copied())
    }
}

pub(super) fn beacon() -> DevBeacon {
    DevBeacon::from_seed(&DEV_BEACON_SEED)
}

pub(super) fn publish(round: u64) {
    ROUNDS.with_borrow_mut(|rounds| rounds.insert(round, beacon().sign(round)));
}

pub(super) fn reset_beacon() {
    ROUNDS.with_borrow_mut(BTreeMap::clear);
}

/// Accounts 0 ..= 11 are hotkeys, 12 ..= 23 the coldkeys that own them.
pub(super) fn account(number: u8) -> AccountId32 {
    AccountId32::new([number.saturating_add(1); 32])
}

pub(super) fn hotkey(number: u8) -> AccountId32 {
    account(number % ACCOUNTS)
}

pub(super) fn coldkey(number: u8) -> AccountId32 {
    account((number % ACCOUNTS).saturating_add(ACCOUNTS))
}

pub(super) fn signed(signer: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(signer))
}

pub(super) fn externalities() -> sp_io::TestExternalities {
    let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().expect("no configuration; qed");
    let balances = (0..ACCOUNTS).map(|number| (coldkey(number), 10_000 * TAO)).collect();
    pallet_balances::GenesisConfig::<Test> { balances, ..Default::default() }
        .assimilate_storage(&mut storage)
        .expect("every balance is above the deposit; qed");
    let neuron = |number: u8| GenesisNeuron {
        hotkey: hotkey(number),
        coldkey: coldkey(number),
        stake: if number < 3 { 100 * TAO } else { 0 },
    };
    let subnet = |netuid, neurons: u8, commit_reveal| GenesisSubnet {
        netuid: NetUid(netuid),
        owner: coldkey(0),
        owner_hotkey: hotkey(0),
        mechanisms: 2,
        hyperparameters: Hyperparameters {
            tempo: Some(6),
            weights_set_rate_limit: Some(2),
            immunity_period: Some(8),
            max_allowed_uids: Some(8),
            max_allowed_validators: Some(3),
            min_non_immune_uids: Some(1),
            serving_rate_limit: Some(3),
            commit_reveal_weights_enabled: Some(commit_reveal),
            ..Default::default()
        },
        neurons: (0..neurons).map(neuron).collect(),
    };
    pallet_subtensor::GenesisConfig::<Test> {
        subnets: vec![subnet(92, 6, true), subnet(2, 4, false)],
        network_rate_limit: Some(20),
        network_min_lock_cost: Some(TaoBalance(100 * TAO)),
        admin_freeze_window: Some(2),
        ..Default::default()
    }
    .assimilate_storage(&mut storage)
    .expect("the configuration is a constant; qed");
    storage.into()
}
