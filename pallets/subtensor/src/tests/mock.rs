// SPDX-License-Identifier: Apache-2.0

//! A runtime of System, Balances and the pallet, with one subnet.

use crate::{self as pallet_subtensor, *};
use clawrank_timelock::{DEV_BEACON_SEED, DevBeacon, PulseSource};
use frame_support::{
    PalletId, derive_impl, parameter_types,
    traits::{ConstU8, ConstU16, ConstU32, ConstU64, Hooks},
};
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
    pub static Removed: Vec<(NetUid, AccountId32)> = Vec::new();
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

/// Notes who had to go.
pub struct NoteRemoved;

impl OnNeuronRemoved<AccountId32> for NoteRemoved {
    fn on_neuron_removed(netuid: NetUid, hotkey: &AccountId32) {
        Removed::mutate(|removed| removed.push((netuid, hotkey.clone())));
    }
}

impl Config for Test {
    type Currency = Balances;
    type WeightInfo = ();
    type OnNeuronRemoved = NoteRemoved;
    type Pulses = Beacon;
    type SubtensorPalletId = SubtensorPalletId;
    type InitialTempo = ConstU16<10>;
    type MinTempo = ConstU16<2>;
    type MaxTempo = ConstU16<50_400>;
    type InitialMaxEpochsPerBlock = ConstU8<32>;
    type RevealsPerBlock = ConstU32<{ MAX_REVEALS_PER_BLOCK }>;
}

pub const NETUID: NetUid = NetUid(92);
pub const TAO: u64 = 1_000_000_000;
/// Uids of the default subnet: the owner's and two validators; 3 to 6 are miners.
pub const OWNER: u16 = 0;
pub const ALICE: u16 = 1;
pub const BOB: u16 = 2;

/// The hotkey of a number; that of a uid in the default subnet.
pub fn hot(number: u16) -> AccountId32 {
    let mut bytes = [7_u8; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    AccountId32::new(bytes)
}

/// The coldkey of the hotkey of a number; holds 10,000 TAO.
pub fn cold(number: u16) -> AccountId32 {
    hot(number + 1_000)
}

pub fn signed(number: u16) -> RuntimeOrigin {
    RuntimeOrigin::signed(hot(number))
}

/// The chain that a test begins with.
pub struct Ext {
    pub config: GenesisConfig<Test>,
}

impl Default for Ext {
    fn default() -> Self {
        let neuron = |number: u16, stake: u64| GenesisNeuron { hotkey: hot(number), coldkey: cold(number), stake };
        let subnet = GenesisSubnet {
            netuid: NETUID,
            owner: cold(OWNER),
            owner_hotkey: hot(OWNER),
            mechanisms: 2,
            hyperparameters: Hyperparameters {
                tempo: Some(10),
                weights_set_rate_limit: Some(5),
                immunity_period: Some(20),
                min_non_immune_uids: Some(0),
                max_allowed_validators: Some(3),
                ..Default::default()
            },
            neurons: vec![
                neuron(OWNER, 0),
                neuron(ALICE, 2_000 * TAO),
                neuron(BOB, 1_000 * TAO),
                neuron(3, 0),
                neuron(4, 0),
                neuron(5, 0),
                neuron(6, 0),
            ],
        };
        Self { config: GenesisConfig { subnets: vec![subnet], ..Default::default() } }
    }
}

impl Ext {
    /// The default subnet with other parameters.
    pub fn with(change: impl FnOnce(&mut Hyperparameters)) -> Self {
        let mut ext = Self::default();
        change(&mut ext.config.subnets[0].hyperparameters);
        ext
    }

    /// The default subnet with plain weights.
    pub fn plain() -> Self {
        Self::with(|parameters| parameters.commit_reveal_weights_enabled = Some(false))
    }

    pub fn externalities(self) -> sp_io::TestExternalities {
        let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
        let balances = (0..300).map(|number| (cold(number), 10_000 * TAO)).collect();
        pallet_balances::GenesisConfig::<Test> { balances, ..Default::default() }
            .assimilate_storage(&mut storage)
            .unwrap();
        self.config.assimilate_storage(&mut storage).unwrap();
        storage.into()
    }

    /// Runs `test` from block 1 on, then checks what must always hold.
    pub fn build_and_execute(self, test: impl FnOnce()) {
        let mut ext = self.externalities();
        ext.execute_with(|| {
            Removed::take();
            Rounds::take();
            run_to(1);
            test();
            SubtensorModule::do_try_state().unwrap();
        });
    }
}

/// An empty chain in block 1, for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub fn new_test_ext() -> sp_io::TestExternalities {
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    let mut ext = sp_io::TestExternalities::from(storage);
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs blocks up to the beginning of `block`, keeping the events of the last one.
pub fn run_to(block: u64) {
    while System::block_number() < block {
        let next = System::block_number() + 1;
        System::reset_events();
        System::set_block_number(next);
        SubtensorModule::on_initialize(next);
    }
}

/// The events of the pallet in this block.
pub fn events() -> Vec<Event<Test>> {
    System::read_events_for_pallet::<Event<Test>>()
}

pub fn last_event() -> Event<Test> {
    events().pop().unwrap()
}

/// What is stored as weights of a uid of the default subnet.
pub fn weights_of(mecid: u8, uid: u16) -> Vec<(u16, u16)> {
    Weights::<Test>::get(NetUidStorageIndex::new(NETUID, MechId(mecid)), uid).into_vec()
}
