// SPDX-License-Identifier: Apache-2.0

//! Stake in and out.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};

fn add(number: u16, amount: u64) -> DispatchResult {
    SubtensorModule::add_stake(RuntimeOrigin::signed(cold(number)), hot(number), NETUID, TaoBalance(amount))
}

fn remove(number: u16, amount: u64) -> DispatchResult {
    SubtensorModule::remove_stake(RuntimeOrigin::signed(cold(number)), hot(number), NETUID, AlphaBalance(amount))
}

#[test]
fn stake_is_one_to_one_when_added_and_removed() {
    Ext::default().build_and_execute(|| {
        let issued = Balances::total_issuance();
        assert_ok!(add(3, 40 * TAO));
        assert_eq!(
            last_event(),
            Event::StakeAdded(cold(3), hot(3), TaoBalance(40 * TAO), AlphaBalance(40 * TAO), NETUID, 0)
        );
        assert_eq!(TotalHotkeyAlpha::<Test>::get(hot(3), NETUID).0, 40 * TAO);
        assert_eq!(TotalAlphaStaked::<Test>::get(NETUID).0, 3_040 * TAO);
        assert_eq!(TotalStake::<Test>::get().0, 3_040 * TAO);
        assert_eq!(Balances::free_balance(cold(3)), 9_960 * TAO);
        assert_ok!(remove(3, 15 * TAO));
        assert_eq!(
            last_event(),
            Event::StakeRemoved(cold(3), hot(3), TaoBalance(15 * TAO), AlphaBalance(15 * TAO), NETUID, 0)
        );
        assert_eq!(Balances::free_balance(cold(3)), 9_975 * TAO);
        assert_ok!(remove(3, 25 * TAO));
        assert!(!TotalHotkeyAlpha::<Test>::contains_key(hot(3), NETUID));
        assert_eq!(Balances::total_issuance(), issued);
    });
}

#[test]
fn stake_is_refused_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        let call = |coldkey, hotkey, netuid, amount| {
            SubtensorModule::add_stake(RuntimeOrigin::signed(coldkey), hotkey, NetUid(netuid), TaoBalance(amount))
        };
        assert_noop!(call(cold(3), hot(3), 91, TAO), Error::<Test>::SubnetNotExists);
        assert_noop!(call(cold(3), hot(77), 92, TAO), Error::<Test>::HotKeyAccountNotExists);
        assert_noop!(call(cold(4), hot(3), 92, TAO), Error::<Test>::NonAssociatedColdKey);
        assert_noop!(call(cold(3), hot(3), 92, 1_999_999), Error::<Test>::AmountTooLow);
        assert_noop!(call(cold(3), hot(3), 92, 10_000 * TAO), Error::<Test>::NotEnoughBalanceToStake);
        assert_ok!(call(cold(3), hot(3), 92, 10_000 * TAO - 500));
        SubtokenEnabled::<Test>::insert(NETUID, false);
        assert_noop!(call(cold(4), hot(4), 92, TAO), Error::<Test>::SubtokenDisabled);
    });
}

#[test]
fn withdrawal_is_refused_when_it_is_nothing_or_too_much() {
    Ext::default().build_and_execute(|| {
        assert_noop!(remove(3, 1), Error::<Test>::NotEnoughStakeToWithdraw);
        assert_ok!(add(3, TAO));
        assert_noop!(remove(3, TAO + 1), Error::<Test>::NotEnoughStakeToWithdraw);
        assert_noop!(remove(3, 0), Error::<Test>::AmountTooLow);
        assert_noop!(
            SubtensorModule::remove_stake(RuntimeOrigin::signed(cold(4)), hot(3), NETUID, AlphaBalance(1)),
            Error::<Test>::NonAssociatedColdKey
        );
    });
}

#[test]
fn emission_can_be_withdrawn_when_it_was_earned() {
    Ext::plain().build_and_execute(|| {
        run_to(10);
        let earned = TotalHotkeyAlpha::<Test>::get(hot(ALICE), NETUID).0;
        assert!(earned > 2_000 * TAO);
        assert_ok!(remove(ALICE, earned));
        assert_eq!(Balances::free_balance(cold(ALICE)), 10_000 * TAO + earned);
    });
}

#[test]
fn stake_moves_within_a_limit_when_the_limit_allows_one_to_one() {
    Ext::default().build_and_execute(|| {
        let add = |amount, price, partial| {
            let (origin, price) = (RuntimeOrigin::signed(cold(3)), TaoBalance(price));
            SubtensorModule::add_stake_limit(origin, hot(3), NETUID, TaoBalance(amount), price, partial)
        };
        let remove = |amount, price, partial| {
            let (origin, price) = (RuntimeOrigin::signed(cold(3)), TaoBalance(price));
            SubtensorModule::remove_stake_limit(origin, hot(3), NETUID, AlphaBalance(amount), price, partial)
        };
        assert_noop!(add(TAO, TAO - 1, false), Error::<Test>::SlippageTooHigh);
        assert_noop!(add(TAO, TAO - 1, true), Error::<Test>::AmountTooLow);
        assert_noop!(add(1_999_999, TAO, false), Error::<Test>::AmountTooLow);
        assert_ok!(add(TAO, TAO, false));
        assert_ok!(add(TAO, u64::MAX, true));
        assert_eq!(TotalHotkeyAlpha::<Test>::get(hot(3), NETUID).0, 2 * TAO);
        assert_noop!(remove(TAO, TAO + 1, false), Error::<Test>::SlippageTooHigh);
        assert_noop!(remove(TAO, TAO + 1, true), Error::<Test>::AmountTooLow);
        assert_noop!(remove(3 * TAO, 0, true), Error::<Test>::NotEnoughStakeToWithdraw);
        assert_ok!(remove(TAO, TAO, true));
        assert_ok!(remove(TAO, 0, false));
        assert_eq!(Balances::free_balance(cold(3)), 10_000 * TAO);
    });
}

#[test]
fn all_stake_on_subnets_comes_back_when_asked_for() {
    let mut ext = Ext::default();
    let mut other = ext.config.subnets[0].clone();
    (other.netuid, other.neurons) = (NetUid(7), vec![]);
    ext.config.subnets.push(other);
    ext.build_and_execute(|| {
        let all = |number: u16, hotkey| SubtensorModule::unstake_all(RuntimeOrigin::signed(cold(number)), hotkey);
        for netuid in [NetUid::ROOT, NetUid(7), NETUID] {
            let origin = RuntimeOrigin::signed(cold(3));
            assert_ok!(SubtensorModule::add_stake(origin, hot(3), netuid, TaoBalance(5 * TAO)));
        }
        assert_noop!(all(3, hot(77)), Error::<Test>::HotKeyAccountNotExists);
        assert_noop!(all(4, hot(3)), Error::<Test>::NonAssociatedColdKey);
        SubtokenEnabled::<Test>::insert(NetUid(7), false);
        assert_ok!(all(3, hot(3)));
        assert_eq!(Balances::free_balance(cold(3)), 9_990 * TAO);
        SubtokenEnabled::<Test>::insert(NetUid(7), true);
        assert_ok!(all(3, hot(3)));
        assert_eq!(Balances::free_balance(cold(3)), 9_995 * TAO);
        assert_eq!(TotalHotkeyAlpha::<Test>::get(hot(3), NetUid::ROOT).0, 5 * TAO);
        assert_ok!(all(3, hot(3)));
    });
}
