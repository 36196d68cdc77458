// SPDX-License-Identifier: Apache-2.0

//! A runtime of System and the pallet, with authors that take turns.

use crate::{self as pallet_shield, *};
use frame_support::derive_impl;
use sp_runtime::{BuildStorage, testing::UintAuthorityId, traits::BlakeTwo256};
use std::cell::RefCell;

pub type Extension = (frame_system::CheckNonce<Test>, CheckShieldedTxValidity<Test>);
pub type Extrinsic = sp_runtime::generic::UncheckedExtrinsic<u64, RuntimeCall, UintAuthorityId, Extension>;
pub type Header = sp_runtime::generic::Header<u32, BlakeTwo256>;
pub type Block = sp_runtime::generic::Block<Header, Extrinsic>;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;

    #[runtime::pallet_index(30)]
    pub type MevShield = pallet_shield::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
}

thread_local! {
    static AUTHORITIES: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
}

/// Those of the test, by block number.
pub struct Turns;

impl Authors<u16> for Turns {
    fn after(slots: u64) -> Option<u16> {
        AUTHORITIES.with_borrow(|all| {
            let slot = u64::from(System::block_number()) + slots;
            all.get(usize::try_from(slot).unwrap().checked_rem(all.len())?).copied()
        })
    }
}

impl Config for Test {
    type AuthorityId = u16;
    type Authors = Turns;
    type WeightInfo = ();
}

/// Makes the test's authorities take turns from now on.
pub fn authorities(all: &[u16]) {
    AUTHORITIES.set(all.to_vec());
}

/// A key that `byte` tells from others.
pub fn key(byte: u8) -> PublicKey {
    vec![byte; PUBLIC_KEY_BYTES].try_into().unwrap()
}

/// Begins the next block.
pub fn next_block() {
    System::reset_events();
    System::set_block_number(System::block_number() + 1);
}

/// An empty chain in block 1 with three authors, for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub fn new_test_ext() -> sp_io::TestExternalities {
    authorities(&[1, 2, 3]);
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    let mut ext = sp_io::TestExternalities::from(storage);
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs `test` in block 1 of a chain with the author 1, then checks what must always hold.
pub fn build_and_execute(test: impl FnOnce()) {
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    sp_io::TestExternalities::from(storage).execute_with(|| {
        authorities(&[1]);
        next_block();
        test();
        MevShield::do_try_state().unwrap();
    });
}
