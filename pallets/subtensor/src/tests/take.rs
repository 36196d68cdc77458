// SPDX-License-Identifier: Apache-2.0

//! What the owner of a hotkey takes of its dividends.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use sp_runtime::PerU16;

fn lower(number: u16, hotkey: u16, take: u16) -> DispatchResult {
    SubtensorModule::decrease_take(RuntimeOrigin::signed(cold(number)), hot(hotkey), PerU16::from_parts(take))
}

fn raise(number: u16, hotkey: u16, take: u16) -> DispatchResult {
    SubtensorModule::increase_take(RuntimeOrigin::signed(cold(number)), hot(hotkey), PerU16::from_parts(take))
}

#[test]
fn take_falls_at_any_time_when_its_owner_lowers_it() {
    Ext::default().build_and_execute(|| {
        assert_eq!(Delegates::<Test>::get(hot(ALICE)).deconstruct(), 11_796);
        assert_noop!(lower(ALICE, 77, 1), Error::<Test>::HotKeyAccountNotExists);
        assert_noop!(lower(BOB, ALICE, 1), Error::<Test>::NonAssociatedColdKey);
        assert_noop!(lower(ALICE, ALICE, 11_796), Error::<Test>::DelegateTakeTooLow);
        MinDelegateTake::<Test>::put(PerU16::from_parts(10));
        assert_noop!(lower(ALICE, ALICE, 9), Error::<Test>::DelegateTakeTooLow);
        assert_ok!(lower(ALICE, ALICE, 100));
        assert_eq!(last_event(), Event::TakeDecreased(cold(ALICE), hot(ALICE), PerU16::from_parts(100)));
        assert_ok!(lower(ALICE, ALICE, 10));
        assert_eq!(Delegates::<Test>::get(hot(ALICE)).deconstruct(), 10);
    });
}

#[test]
fn take_rises_every_so_often_when_its_owner_raises_it() {
    Ext::default().build_and_execute(|| {
        assert_noop!(raise(ALICE, 77, 1), Error::<Test>::HotKeyAccountNotExists);
        assert_noop!(raise(BOB, ALICE, 1), Error::<Test>::NonAssociatedColdKey);
        assert_noop!(raise(ALICE, ALICE, 11_796), Error::<Test>::DelegateTakeTooLow);
        assert_noop!(raise(ALICE, ALICE, 11_797), Error::<Test>::DelegateTakeTooHigh);
        assert_ok!(lower(ALICE, ALICE, 0));
        assert_ok!(raise(ALICE, ALICE, 1));
        assert_eq!(last_event(), Event::TakeIncreased(cold(ALICE), hot(ALICE), PerU16::from_parts(1)));
        assert_noop!(raise(ALICE, ALICE, 2), Error::<Test>::DelegateTxRateLimitExceeded);
        System::set_block_number(216_000);
        assert_noop!(raise(ALICE, ALICE, 2), Error::<Test>::DelegateTxRateLimitExceeded);
        // Of its own: another hotkey is not held up.
        assert_ok!(lower(BOB, BOB, 0));
        assert_ok!(raise(BOB, BOB, 1));
        System::set_block_number(216_001);
        assert_ok!(raise(ALICE, ALICE, 11_796));
    });
}
