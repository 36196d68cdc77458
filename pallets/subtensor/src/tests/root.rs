// SPDX-License-Identifier: Apache-2.0

//! Seats on the root network.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult, traits::Hooks};

fn register(number: u16) -> DispatchResult {
    SubtensorModule::root_register(RuntimeOrigin::signed(cold(number)), hot(number))
}

fn stake(number: u16, amount: u64) {
    let origin = RuntimeOrigin::signed(cold(number));
    assert_ok!(SubtensorModule::add_stake(origin, hot(number), NetUid::ROOT, TaoBalance(amount)));
}

#[test]
fn hotkey_gets_a_seat_when_there_is_room() {
    Ext::default().build_and_execute(|| {
        assert_ok!(register(50));
        assert_eq!(last_event(), Event::NeuronRegistered(NetUid::ROOT, 0, hot(50)));
        assert_eq!(Uids::<Test>::get(NetUid::ROOT, hot(50)), Some(0));
        assert_eq!(Owner::<Test>::get(hot(50)), cold(50));
        assert_eq!(Balances::free_balance(cold(50)), 10_000 * TAO);
        // It takes part in nothing but that.
        assert_eq!(SubtensorModule::netuids(), [NETUID]);
        assert_eq!(TotalNetworks::<Test>::get(), 1);
        run_to(400);
        assert_eq!(SubnetEpochIndex::<Test>::get(NetUid::ROOT), 0);
    });
}

#[test]
fn seat_is_refused_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        assert_noop!(
            SubtensorModule::root_register(RuntimeOrigin::signed(cold(50)), hot(ALICE)),
            Error::<Test>::NonAssociatedColdKey
        );
        assert_noop!(
            SubtensorModule::root_register(RuntimeOrigin::signed(cold(50)), SubtensorModule::account()),
            Error::<Test>::CannotUseSystemAccount
        );
        assert_ok!(register(50));
        assert_noop!(register(51), Error::<Test>::TooManyRegistrationsThisBlock);
        run_to(2);
        assert_noop!(register(50), Error::<Test>::HotKeyAlreadyRegisteredInSubNet);
        assert_ok!(register(51));
        NetworksAdded::<Test>::remove(NetUid::ROOT);
        assert_noop!(register(52), Error::<Test>::RootNetworkDoesNotExist);
        <SubtensorModule as Hooks<u64>>::on_runtime_upgrade();
        assert!(NetworksAdded::<Test>::get(NetUid::ROOT));
    });
}

#[test]
fn least_staked_seat_goes_when_the_root_network_is_full() {
    Ext::default().build_and_execute(|| {
        MaxRegistrationsPerBlock::<Test>::insert(NetUid::ROOT, 100);
        for number in 50..50 + MAX_ROOT_UIDS {
            assert_ok!(register(number));
            stake(number, TAO * u64::from(200 - number));
        }
        assert_noop!(register(150), Error::<Test>::StakeTooLowForRoot);
        Owner::<Test>::insert(hot(150), cold(150));
        let least = TAO * u64::from(200 - (49 + MAX_ROOT_UIDS));
        stake(150, least);
        assert_noop!(register(150), Error::<Test>::StakeTooLowForRoot);
        stake(150, TAO);
        assert_ok!(register(150));
        assert_eq!(Uids::<Test>::get(NetUid::ROOT, hot(150)), Some(MAX_ROOT_UIDS - 1));
        assert_eq!(Uids::<Test>::get(NetUid::ROOT, hot(49 + MAX_ROOT_UIDS)), None);
        assert_eq!(SubnetworkN::<Test>::get(NetUid::ROOT), MAX_ROOT_UIDS);
        // The stake stays its own.
        assert_eq!(TotalHotkeyAlpha::<Test>::get(hot(49 + MAX_ROOT_UIDS), NetUid::ROOT).0, least);
    });
}

#[test]
fn weights_are_refused_when_they_are_for_the_root_network() {
    Ext::default().build_and_execute(|| {
        assert_ok!(register(50));
        let commit = SubtensorModule::commit_weights(signed(50), NetUid::ROOT, Default::default());
        assert_eq!(commit, Err(Error::<Test>::CanNotSetRootNetworkWeights.into()));
        assert_noop!(
            SubtensorModule::burned_register(RuntimeOrigin::signed(cold(51)), NetUid::ROOT, hot(51)),
            Error::<Test>::RegistrationNotPermittedOnRootSubnet
        );
        assert_eq!(<SubtensorModule as SubnetInfo<_>>::epoch(NetUid::ROOT), None);
    });
}
