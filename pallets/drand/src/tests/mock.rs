// SPDX-License-Identifier: Apache-2.0

//! A runtime of System, Timestamp and the pallet, on the local beacon.

use crate::{self as pallet_drand, *};
use clawrank_timelock::{DEV_BEACON, DevBeacon};
use frame_support::{
    derive_impl,
    dispatch::GetDispatchInfo,
    pallet_prelude::{TransactionSource, TransactionValidity},
    parameter_types,
    traits::ConstU64,
};
use frame_system::offchain::{CreateAuthorizedTransaction, CreateTransaction, CreateTransactionBase};
use sp_runtime::{
    ApplyExtrinsicResult, BuildStorage,
    generic::UncheckedExtrinsic,
    testing::UintAuthorityId,
    traits::{Applyable, BlakeTwo256, Checkable},
};

pub type Extension = (frame_system::CheckGenesis<Test>, DrandPriority<Test>);
pub type Extrinsic = UncheckedExtrinsic<u64, RuntimeCall, UintAuthorityId, Extension>;
pub type Header = sp_runtime::generic::Header<u32, BlakeTwo256>;
pub type Block = sp_runtime::generic::Block<Header, Extrinsic>;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;

    #[runtime::pallet_index(2)]
    pub type Timestamp = pallet_timestamp::Pallet<Test>;

    #[runtime::pallet_index(26)]
    pub type Drand = pallet_drand::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
}

#[derive_impl(pallet_timestamp::config_preludes::TestDefaultConfig)]
impl pallet_timestamp::Config for Test {}

impl CreateTransactionBase<Call<Test>> for Test {
    type Extrinsic = Extrinsic;
    type RuntimeCall = RuntimeCall;
}

impl CreateTransaction<Call<Test>> for Test {
    type Extension = Extension;

    fn create_transaction(call: RuntimeCall, extension: Extension) -> Extrinsic {
        Extrinsic::new_transaction(call, extension)
    }
}

impl CreateAuthorizedTransaction<Call<Test>> for Test {
    fn create_extension() -> Extension {
        (frame_system::CheckGenesis::new(), DrandPriority::new())
    }
}

parameter_types! {
    pub storage PulsesPerBlock: u32 = MAX_PULSES_PER_BLOCK;
}

impl Config for Test {
    type PulsesPerBlock = PulsesPerBlock;
    type Clock = Timestamp;
    type WeightInfo = ();
    type UnsignedPriority = ConstU64<{ 1 << 20 }>;
    type HttpFetchTimeout = ConstU64<1_000>;
}

/// The round of the chain's clock when a test begins.
pub const NOW: u64 = 1_000_000;

/// The local beacon's pulse of a round.
pub fn pulse(round: u64) -> Pulse {
    Pulse::new(round, &DevBeacon::default().sign(round))
}

pub fn pulses(rounds: impl IntoIterator<Item = u64>) -> Vec<Pulse> {
    rounds.into_iter().map(pulse).collect()
}

/// The transaction that carries `pulses`.
pub fn transaction(pulses: Vec<Pulse>) -> Extrinsic {
    let payload = PulsesPayload::new(System::block_number(), pulses);
    let call = Call::write_pulse { pulses_payload: payload, signature: None };
    <Test as CreateAuthorizedTransaction<Call<Test>>>::create_authorized_transaction(call.into())
}

/// What the pool says to `pulses`.
pub fn offer(pulses: Vec<Pulse>) -> TransactionValidity {
    let extrinsic = transaction(pulses);
    let info = extrinsic.get_dispatch_info();
    let checked = Checkable::check(extrinsic, &frame_system::ChainContext::<Test>::default()).unwrap();
    checked.validate::<Test>(TransactionSource::External, &info, 0)
}

/// Applies `pulses` in the running block.
pub fn apply(pulses: Vec<Pulse>) -> ApplyExtrinsicResult {
    let extrinsic = transaction(pulses);
    let info = extrinsic.get_dispatch_info();
    let checked = Checkable::check(extrinsic, &frame_system::ChainContext::<Test>::default()).unwrap();
    checked.apply::<Test>(&info, 0).map(|result| result.map(drop).map_err(|error| error.error))
}

/// Begins the next block; the clock stands at the time of `round`.
pub fn next_block(round: u64) {
    System::reset_events();
    System::set_block_number(System::block_number() + 1);
    pallet_timestamp::Now::<Test>::put(DEV_BEACON.time_of(round) * 1_000);
}

/// Applies `rounds` in a block of their own, in which they must be stored.
pub fn store(rounds: impl IntoIterator<Item = u64>) {
    next_block(NOW);
    apply(pulses(rounds)).expect("acceptable").expect("stored");
}

/// Marks rounds as stored without paying for their signatures; never part of a state that is checked.
pub fn fake(rounds: impl IntoIterator<Item = u64>) {
    for round in rounds {
        Pulses::<Test>::insert(round, Pulse::new(round, &[1; 48]));
    }
}

pub fn stored() -> Vec<u64> {
    let mut rounds: Vec<u64> = Pulses::<Test>::iter_keys().collect();
    rounds.sort_unstable();
    rounds
}

pub fn bounds() -> (u64, u64) {
    (OldestStoredRound::<Test>::get(), LastStoredRound::<Test>::get())
}

pub fn storage(beacon: Option<LocalBeacon>) -> sp_core::storage::Storage {
    let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    GenesisConfig::<Test> { beacon, ..Default::default() }.assimilate_storage(&mut storage).unwrap();
    storage
}

pub fn local() -> LocalBeacon {
    LocalBeacon {
        public_key: DEV_BEACON.public_key.to_vec(),
        period: DEV_BEACON.period,
        genesis_time: u32::try_from(DEV_BEACON.genesis_time).unwrap(),
    }
}

/// A chain on the local beacon, in block 1.
pub fn new_test_ext() -> sp_io::TestExternalities {
    let mut ext = sp_io::TestExternalities::from(storage(Some(local())));
    ext.execute_with(|| next_block(NOW));
    ext
}

/// Runs `test`, then checks what must always hold.
pub fn build_and_execute(test: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        test();
        Drand::do_try_state().unwrap();
    });
}
