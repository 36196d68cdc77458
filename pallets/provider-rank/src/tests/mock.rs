// SPDX-License-Identifier: Apache-2.0

//! A runtime of System, Balances, subnets and the pallet, with one subnet of three validators and twelve miners.
//!
//! Tempo 10 and a window of 60 %: epoch `e` begins in block `10 e`, its deadline is `10 e + 6`, its challenge is drawn in
//! `10 e + 8`, and it is settled in `10 e + 17`.

use crate::{self as pallet_provider_rank, *};
use clawrank_emission::Shortfall;
use frame_support::{
    PalletId, assert_ok, derive_impl, parameter_types,
    traits::{ConstU8, ConstU16, ConstU32, ConstU64, Hooks, Time},
};
use frame_system::EnsureRoot;
use pallet_subtensor::{GenesisNeuron, GenesisSubnet, Hyperparameters};
use sp_core::{H256, crypto::AccountId32};
use sp_runtime::{
    BuildStorage,
    traits::{BlakeTwo256, Hash, IdentityLookup},
};

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
        RuntimeFreezeReason,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;

    #[runtime::pallet_index(5)]
    pub type Balances = pallet_balances::Pallet<Test>;

    #[runtime::pallet_index(7)]
    pub type SubtensorModule = pallet_subtensor::Pallet<Test>;

    #[runtime::pallet_index(40)]
    pub type ProviderRank = pallet_provider_rank::Pallet<Test>;
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
    type ExistentialDeposit = ConstU64<ED>;
}

parameter_types! {
    pub const SubtensorPalletId: PalletId = PalletId(*b"subtensr");
    pub const PotId: PalletId = PalletId(*b"clawpot!");
    pub const CommitWindow: Ppb = Ppb::from_percent(60);
    pub static Cap: CapParams = CapParams { cap: Ppb::from_percent(15), shortfall: Shortfall::Uniform };
    pub static MaxBundles: u32 = 512;
    pub static MaxReporters: u32 = 128;
}

impl pallet_subtensor::Config for Test {
    type Currency = Balances;
    type WeightInfo = ();
    type OnNeuronRemoved = ();
    type Pulses = ();
    type SubtensorPalletId = SubtensorPalletId;
    type InitialTempo = ConstU16<10>;
    type MinTempo = ConstU16<2>;
    type MaxTempo = ConstU16<50_400>;
    type InitialMaxEpochsPerBlock = ConstU8<32>;
    type RevealsPerBlock = ConstU32<{ pallet_subtensor::MAX_REVEALS_PER_BLOCK }>;
}

parameter_types! {
    /// The rounds that are stored.
    pub static Rounds: BTreeMap<u64, [u8; 48]> = BTreeMap::new();
    pub static HasBeacon: bool = true;
}

/// Seconds between the rounds of the beacon, which began with the chain.
const PERIOD_MS: u64 = 3_000;
/// Time from block to block.
const SLOT_MS: u64 = 12_000;

pub struct Beacon;

impl PulseSource for Beacon {
    fn last_stored_round() -> u64 {
        Rounds::get().last_key_value().map_or(0, |(round, _)| *round)
    }

    fn signature(round: u64) -> Option<[u8; 48]> {
        Rounds::get().get(&round).copied()
    }

    fn round_at(unix_ms: u64) -> Option<u64> {
        HasBeacon::get().then_some(unix_ms / PERIOD_MS + 1)
    }
}

/// The time of the block before the one that begins.
pub struct Clock;

impl Time for Clock {
    type Moment = u64;

    fn now() -> u64 {
        (System::block_number() - 1) * SLOT_MS
    }
}

/// The first round after the time of `block`.
pub fn round_after(block: u64) -> u64 {
    block * SLOT_MS / PERIOD_MS + 2
}

/// Stores a round; what follows from it.
pub fn publish(round: u64) -> H256 {
    let signature = [round as u8; 48];
    Rounds::mutate(|rounds| rounds.insert(round, signature));
    H256(clawrank_timelock::randomness(&signature))
}

impl Config for Test {
    type Subnets = SubtensorModule;
    type Beacon = Beacon;
    type Clock = Clock;
    type Currency = Balances;
    type AdminOrigin = EnsureRoot<AccountId32>;
    type WeightInfo = ();
    type PotId = PotId;
    type CommitWindow = CommitWindow;
    type Cap = Cap;
    type Retention = ConstU64<4>;
    type MaxSubnets = ConstU32<2>;
    type MaxCells = ConstU32<3>;
    type MaxBundles = MaxBundles;
    type MaxReporters = MaxReporters;
    type MaxAttempts = ConstU32<1_000>;
}

pub const NETUID: NetUid = NetUid(92);
pub const ED: u64 = 500;
/// What the pot holds at first.
pub const POT: u64 = 1_000_000_000;
/// What an epoch pays.
pub const EMISSION: u64 = 1_000_003;
/// Validators: half of the stake, three tenths, two tenths.
pub const HALF: u16 = 0;
pub const THIRD: u16 = 1;
pub const FIFTH: u16 = 2;
/// The first miner.
pub const MINER: u16 = 3;

/// The hotkey of a uid.
pub fn hot(uid: u16) -> AccountId32 {
    let mut bytes = [9_u8; 32];
    bytes[..2].copy_from_slice(&uid.to_be_bytes());
    AccountId32::new(bytes)
}

pub fn cold(uid: u16) -> AccountId32 {
    hot(uid + 1_000)
}

pub fn signed(uid: u16) -> RuntimeOrigin {
    RuntimeOrigin::signed(hot(uid))
}

pub fn genesis() -> (pallet_subtensor::GenesisConfig<Test>, GenesisConfig<Test>) {
    let stakes = [500_000, 300_000, 200_000];
    let neurons = (0..15)
        .map(|uid: u16| GenesisNeuron {
            hotkey: hot(uid),
            coldkey: cold(uid),
            stake: stakes.get(usize::from(uid)).copied().unwrap_or_default(),
        })
        .collect();
    let subnet = GenesisSubnet {
        netuid: NETUID,
        owner: cold(HALF),
        owner_hotkey: hot(HALF),
        mechanisms: 2,
        hyperparameters: Hyperparameters {
            tempo: Some(10),
            immunity_period: Some(0),
            max_allowed_uids: Some(15),
            min_non_immune_uids: Some(0),
            max_registrations_per_block: Some(100),
            ..Default::default()
        },
        neurons,
    };
    (
        pallet_subtensor::GenesisConfig { subnets: vec![subnet], block_emission: Some(0), ..Default::default() },
        GenesisConfig { epoch_emissions: vec![(NETUID, EMISSION)], pot: POT + ED, ..Default::default() },
    )
}

pub fn build_with(
    (subnets, config): (pallet_subtensor::GenesisConfig<Test>, GenesisConfig<Test>),
    test: impl FnOnce(),
) {
    let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    let balances = (0..100).map(|uid| (cold(uid), 1_000_000_000_000)).collect();
    pallet_balances::GenesisConfig::<Test> { balances, ..Default::default() }.assimilate_storage(&mut storage).unwrap();
    subnets.assimilate_storage(&mut storage).unwrap();
    config.assimilate_storage(&mut storage).unwrap();
    sp_io::TestExternalities::from(storage).execute_with(|| {
        run_to(1);
        test();
        ProviderRank::do_try_state().unwrap();
    });
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
    build_with(genesis(), test);
}

/// The hash that stands for a block in these tests.
pub fn hash_of(block: u64) -> H256 {
    BlakeTwo256::hash_of(&("block", block))
}

/// Runs blocks up to the beginning of `block`, keeping the events of the last one.
pub fn run_to(block: u64) {
    while System::block_number() < block {
        let next = System::block_number() + 1;
        System::reset_events();
        System::initialize(&next, &hash_of(next - 1), &Default::default());
        SubtensorModule::on_initialize(next);
        ProviderRank::on_initialize(next);
    }
}

/// The events of the pallet in this block.
pub fn events() -> Vec<Event<Test>> {
    System::read_events_for_pallet::<Event<Test>>()
}

pub fn root(uid: u16) -> H256 {
    BlakeTwo256::hash_of(&("root", uid))
}

/// Commits bundles of these miners in the running epoch.
pub fn commit_all(uids: impl IntoIterator<Item = u16>) {
    let (epoch, _) = ProviderRank::running_epoch(NETUID).unwrap();
    for uid in uids {
        assert_ok!(ProviderRank::commit_bundle(signed(uid), NETUID, epoch, root(uid), 10));
    }
}

pub fn verdict(uid: u16, score: u128) -> Verdict {
    Verdict { uid, tripped: false, reason: 0, score }
}

pub fn trip(uid: u16) -> Verdict {
    Verdict { uid, tripped: true, reason: 4, score: 0 }
}

pub fn submit(validator: u16, epoch: u64, verdicts: Vec<Verdict>) -> frame_support::dispatch::DispatchResult {
    ProviderRank::submit_verdicts(signed(validator), NETUID, epoch, verdicts.try_into().unwrap())
}

/// What one hotkey holds.
pub fn balance(uid: u16) -> u64 {
    Balances::free_balance(hot(uid))
}

/// Commits for epoch 0, lets validators report, and settles it in block 17.
pub fn epoch_zero(miners: impl IntoIterator<Item = u16>, reports: Vec<(u16, Vec<Verdict>)>) -> Settlement<AccountId32> {
    commit_all(miners);
    run_to(8);
    for (validator, verdicts) in reports {
        assert_ok!(submit(validator, 0, verdicts));
    }
    run_to(17);
    ProviderRank::settlement_of(NETUID, 0).unwrap()
}
