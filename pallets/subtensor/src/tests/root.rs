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
        let price = Burn::<Test>::get(NetUid::ROOT).0;
        let issued = Balances::total_issuance();
        assert_ok!(register(50));
        assert_eq!(last_event(), Event::NeuronRegistered(NetUid::ROOT, 0, hot(50)));
        assert_eq!(Uids::<Test>::get(NetUid::ROOT, hot(50)), Some(0));
        assert_eq!(Owner::<Test>::get(hot(50)), cold(50));
        // The price is burned, of the whole issuance.
        assert!(price > 0);
        assert_eq!(Balances::free_balance(cold(50)), 10_000 * TAO - price);
        assert_eq!(Balances::total_issuance(), issued - price);
        assert_eq!(RAORecycledForRegistration::<Test>::get(NetUid::ROOT).0, price);
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
fn price_of_a_seat_rises_and_falls_when_one_is_taken() {
    Ext::default().build_and_execute(|| {
        let price = || Burn::<Test>::get(NetUid::ROOT).0;
        Burn::<Test>::insert(NetUid::ROOT, TaoBalance(TAO));
        assert_ok!(register(50));
        assert_eq!(price(), 1_260_000_000);
        run_to(361);
        assert!(price().abs_diff(630_000_000) < 1_000, "{}", price());
        run_to(9_000);
        assert_eq!(price(), MinBurn::<Test>::get(NetUid::ROOT).0);
        Burn::<Test>::insert(NetUid::ROOT, TaoBalance(90 * TAO));
        assert_ok!(register(51));
        assert_eq!(price(), MaxBurn::<Test>::get(NetUid::ROOT).0);
        run_to(9_001);
        let poor = SubtensorModule::root_register(RuntimeOrigin::signed(hot(9_999)), hot(52));
        assert_eq!(poor, Err(Error::<Test>::NotEnoughBalanceToStake.into()));
    });
}

#[test]
fn seat_is_refused_when_the_interval_had_its_registrations() {
    Ext::default().build_and_execute(|| {
        for number in 50..56 {
            run_to(System::block_number() + 1);
            assert_ok!(register(number));
        }
        run_to(99);
        assert_eq!(RegistrationsThisInterval::<Test>::get(NetUid::ROOT), 6);
        assert_noop!(register(56), Error::<Test>::TooManyRegistrationsThisInterval);
        run_to(100);
        assert_eq!(RegistrationsThisInterval::<Test>::get(NetUid::ROOT), 0);
        assert_ok!(register(56));
        TargetRegistrationsPerInterval::<Test>::insert(NetUid::ROOT, 0);
        run_to(199);
        assert_noop!(register(57), Error::<Test>::TooManyRegistrationsThisInterval);
    });
}

/// Takes every seat, from hotkey 50 on, the earlier with the more stake.
fn fill() {
    MaxRegistrationsPerBlock::<Test>::insert(NetUid::ROOT, 100);
    TargetRegistrationsPerInterval::<Test>::insert(NetUid::ROOT, 100);
    for number in 50..50 + MAX_ROOT_UIDS {
        Burn::<Test>::insert(NetUid::ROOT, TaoBalance(TAO));
        assert_ok!(register(number));
        stake(number, TAO * u64::from(200 - number));
    }
}

#[test]
fn seat_is_refused_when_every_seat_is_immune() {
    Ext::default().build_and_execute(|| {
        fill();
        assert_noop!(register(150), Error::<Test>::NoNeuronIdAvailable);
        let period = u64::from(ImmunityPeriod::<Test>::get(NetUid::ROOT));
        System::set_block_number(period);
        assert_noop!(register(150), Error::<Test>::NoNeuronIdAvailable);
        System::set_block_number(period + 1);
        assert_ok!(register(150));
        MaxAllowedUids::<Test>::insert(NetUid::ROOT, 0);
        System::set_block_number(1);
        assert_noop!(register(151), Error::<Test>::NoNeuronIdAvailable);
    });
}

#[test]
fn least_staked_seat_goes_when_the_root_network_is_full() {
    Ext::default().build_and_execute(|| {
        fill();
        let last = 49 + MAX_ROOT_UIDS;
        let least = TAO * u64::from(200 - last);
        // The newcomer has no stake, nor needs it; whose seat is immune keeps it with any.
        System::set_block_number(5_000);
        BlockAtRegistration::<Test>::insert(NetUid::ROOT, MAX_ROOT_UIDS - 1, 5_000);
        assert_ok!(register(150));
        assert_eq!(Uids::<Test>::get(NetUid::ROOT, hot(150)), Some(MAX_ROOT_UIDS - 2));
        assert_eq!(Uids::<Test>::get(NetUid::ROOT, hot(last - 1)), None);
        assert_eq!(Uids::<Test>::get(NetUid::ROOT, hot(last)), Some(MAX_ROOT_UIDS - 1));
        assert_eq!(SubnetworkN::<Test>::get(NetUid::ROOT), MAX_ROOT_UIDS);
        // The newcomer is immune itself; with its immunity over, the least goes.
        System::set_block_number(9_095);
        assert_ok!(register(151));
        assert_eq!(Uids::<Test>::get(NetUid::ROOT, hot(151)), Some(MAX_ROOT_UIDS - 3));
        System::set_block_number(9_096);
        assert_ok!(register(152));
        assert_eq!(Uids::<Test>::get(NetUid::ROOT, hot(152)), Some(MAX_ROOT_UIDS - 2));
        // The stake stays its own.
        assert_eq!(TotalHotkeyAlpha::<Test>::get(hot(last - 1), NetUid::ROOT).0, least + TAO);
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
