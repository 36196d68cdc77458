// SPDX-License-Identifier: Apache-2.0

//! Stake in and out, one's own and others'.

use super::mock::*;
use crate::{staking::StakeTotals, *};
use clawrank_units::Rao;
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult, traits::Hooks};

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
        assert_noop!(call(cold(3), hot(3), 92, 1_999_999), Error::<Test>::AmountTooLow);
        assert_noop!(call(cold(3), hot(3), 92, 10_000 * TAO), Error::<Test>::NotEnoughBalanceToStake);
        assert_ok!(call(cold(3), hot(3), 92, 10_000 * TAO - 500));
        SubtokenEnabled::<Test>::insert(NETUID, false);
        assert_noop!(call(cold(4), hot(4), 92, TAO), Error::<Test>::SubtokenDisabled);
    });
}

#[test]
fn stake_is_refused_when_a_total_would_leave_64_bits() {
    Ext::default().build_and_execute(|| {
        let overflow = || Error::<Test>::Overflow;
        let (all, subnet) = (TotalStake::<Test>::get(), TotalAlphaStaked::<Test>::get(NETUID));
        TotalStake::<Test>::put(TaoBalance(u64::MAX - TAO + 1));
        assert_noop!(add(ALICE, TAO), overflow());
        TotalStake::<Test>::put(all);
        TotalAlphaStaked::<Test>::insert(NETUID, AlphaBalance(u64::MAX));
        assert_noop!(add(ALICE, TAO), overflow());
        TotalAlphaStaked::<Test>::insert(NETUID, subnet);
        // What the hotkey has of it.
        let staked = TotalHotkeyAlpha::<Test>::get(hot(ALICE), NETUID);
        TotalHotkeyAlpha::<Test>::insert(hot(ALICE), NETUID, AlphaBalance(u64::MAX));
        assert_noop!(add(ALICE, TAO), overflow());
        TotalHotkeyAlpha::<Test>::insert(hot(ALICE), NETUID, staked);
        assert_ok!(add(ALICE, TAO));
    });
}

#[test]
fn earnings_are_refused_when_their_sum_would_leave_64_bits() {
    Ext::default().build_and_execute(|| {
        let earn = |number, dividends, incentive| {
            let mut totals = StakeTotals::load::<Test>(NETUID);
            let staked = TotalHotkeyAlpha::<Test>::get(hot(number), NETUID);
            let keys = (hot(number), cold(number));
            let earned = (Rao(dividends), Rao(incentive));
            SubtensorModule::credit_earnings((&keys.0, &keys.1), staked, earned.0, earned.1, &mut totals)
                .map_err(frame_support::pallet_prelude::DispatchError::from)
        };
        // Nobody stakes to the miner, whose dividends are its owner's alone; the validator's are shared.
        assert_eq!(TotalHotkeyAlpha::<Test>::get(hot(3), NETUID), AlphaBalance(0));
        for number in [3, ALICE] {
            assert_noop!(earn(number, u64::MAX, 1), Error::<Test>::Overflow);
        }
    });
}

#[test]
fn withdrawal_is_refused_when_it_is_nothing_or_too_much() {
    Ext::default().build_and_execute(|| {
        assert_noop!(remove(3, 1), Error::<Test>::NotEnoughStakeToWithdraw);
        assert_ok!(add(3, TAO));
        assert_noop!(remove(3, TAO + 1), Error::<Test>::NotEnoughStakeToWithdraw);
        assert_noop!(remove(3, 0), Error::<Test>::AmountTooLow);
        // A stranger has nothing there, and nobody has where there is nothing.
        let call = |hotkey, netuid| {
            SubtensorModule::remove_stake(RuntimeOrigin::signed(cold(4)), hotkey, NetUid(netuid), AlphaBalance(1))
        };
        assert_noop!(call(hot(3), 92), Error::<Test>::NotEnoughStakeToWithdraw);
        assert_noop!(call(hot(77), 92), Error::<Test>::HotKeyAccountNotExists);
        assert_noop!(call(hot(3), 91), Error::<Test>::SubnetNotExists);
        SubtokenEnabled::<Test>::insert(NETUID, false);
        assert_noop!(call(hot(3), 92), Error::<Test>::SubtokenDisabled);
    });
}

#[test]
fn withdrawal_in_part_is_refused_when_it_or_the_rest_is_below_the_minimum() {
    Ext::default().build_and_execute(|| {
        assert_ok!(add(3, TAO));
        assert_noop!(remove(3, 1_999_999), Error::<Test>::AmountTooLow);
        assert_noop!(remove(3, TAO - 1_999_999), Error::<Test>::AmountTooLow);
        assert_ok!(remove(3, TAO - 4_000_000));
        assert_ok!(remove(3, 2_000_000));
        assert_noop!(remove(3, 1), Error::<Test>::AmountTooLow);
        assert_ok!(remove(3, 2_000_000));
        assert_eq!(Balances::free_balance(cold(3)), 10_000 * TAO);
    });
}

/// `number` stakes to the hotkey of another.
fn nominate(number: u16, hotkey: u16, netuid: NetUid, amount: u64) -> DispatchResult {
    SubtensorModule::add_stake(RuntimeOrigin::signed(cold(number)), hot(hotkey), netuid, TaoBalance(amount))
}

fn stake_of(hotkey: u16, number: u16) -> u64 {
    SubtensorModule::stake_of(&hot(hotkey), &cold(number), NETUID).0
}

#[test]
fn anyone_stakes_to_a_hotkey_when_it_belongs_to_another() {
    Ext::plain().build_and_execute(|| {
        assert_ok!(nominate(50, ALICE, NETUID, 1_000 * TAO));
        assert_eq!((stake_of(ALICE, ALICE), stake_of(ALICE, 50)), (2_000 * TAO, 1_000 * TAO));
        assert_eq!(TotalHotkeyAlpha::<Test>::get(hot(ALICE), NETUID).0, 3_000 * TAO);
        assert_eq!(SubtensorModule::stake_weight(NETUID, &hot(ALICE)), 3_000 * TAO);
        // Neither can take what is the other's.
        assert_noop!(remove(ALICE, 2_000 * TAO + 1), Error::<Test>::NotEnoughStakeToWithdraw);
        let back = |amount| {
            SubtensorModule::remove_stake(RuntimeOrigin::signed(cold(50)), hot(ALICE), NETUID, AlphaBalance(amount))
        };
        assert_noop!(back(1_000 * TAO + 1), Error::<Test>::NotEnoughStakeToWithdraw);
        assert_ok!(back(1_000 * TAO));
        assert_eq!(Balances::free_balance(cold(50)), 10_000 * TAO);
        assert_eq!(stake_of(ALICE, ALICE), 2_000 * TAO);
        assert!(!AlphaV2::<Test>::contains_key((hot(ALICE), cold(50), NETUID)));
    });
}

#[test]
fn dividends_are_shared_by_stake_when_the_owner_has_taken_its_part() {
    Ext::plain().build_and_execute(|| {
        assert_ok!(nominate(50, ALICE, NETUID, 1_000 * TAO));
        assert_ok!(nominate(51, ALICE, NETUID, 1_000 * TAO));
        run_to(10);
        let dividends = AlphaDividendsPerSubnet::<Test>::get(NETUID, hot(ALICE)).0;
        assert!(dividends > TAO);
        let taken = dividends * 11_796 / 65_535;
        let shared = dividends - taken;
        let (owner, one, other) = (stake_of(ALICE, ALICE), stake_of(ALICE, 50), stake_of(ALICE, 51));
        assert!(one.abs_diff(1_000 * TAO + shared / 4) <= 1, "{one}");
        assert_eq!(other, one);
        assert!(owner.abs_diff(2_000 * TAO + shared / 2 + taken) <= 1, "{owner}");
        let whole = TotalHotkeyAlpha::<Test>::get(hot(ALICE), NETUID).0;
        assert_eq!(whole, 4_000 * TAO + dividends);
        assert!(whole - owner - one - other < 3);
    });
}

#[test]
fn owner_takes_what_it_chose_when_dividends_are_paid() {
    let run = |take: u16| {
        Ext::plain().externalities().execute_with(|| {
            run_to(1);
            assert_ok!(nominate(50, ALICE, NETUID, 2_000 * TAO));
            Delegates::<Test>::insert(hot(ALICE), sp_runtime::PerU16::from_parts(take));
            run_to(10);
            SubtensorModule::do_try_state().unwrap();
            (stake_of(ALICE, ALICE) - 2_000 * TAO, stake_of(ALICE, 50) - 2_000 * TAO)
        })
    };
    let (owner, nominator) = run(0);
    assert!(owner > TAO && owner.abs_diff(nominator) <= 1, "{owner} and {nominator}");
    assert_eq!(run(u16::MAX), (owner + nominator, 0));
}

#[test]
fn incentive_is_the_owners_when_others_stake_to_the_miner() {
    Ext::plain().build_and_execute(|| {
        assert_ok!(nominate(50, 3, NETUID, TAO));
        for validator in [ALICE, BOB] {
            for mecid in 0..2 {
                let call = SubtensorModule::set_mechanism_weights;
                assert_ok!(call(signed(validator), NETUID, MechId(mecid), vec![3], vec![1], 0));
            }
        }
        run_to(10);
        assert!(stake_of(3, 3) > 3 * TAO);
        assert_eq!(stake_of(3, 50), TAO + AlphaDividendsPerSubnet::<Test>::get(NETUID, hot(3)).0);
        assert_eq!(stake_of(3, 50), TAO);
    });
}

#[test]
fn owner_gets_all_dividends_when_stake_is_on_the_root_network_alone() {
    let mut ext = Ext::plain();
    ext.config.subnets[0].neurons.iter_mut().for_each(|neuron| neuron.stake = 0);
    ext.build_and_execute(|| {
        assert_ok!(nominate(50, ALICE, NetUid::ROOT, 1_000 * TAO));
        run_to(10);
        let dividends = AlphaDividendsPerSubnet::<Test>::get(NETUID, hot(ALICE)).0;
        assert!(dividends > TAO);
        assert_eq!((stake_of(ALICE, ALICE), stake_of(ALICE, 50)), (dividends, 0));
        assert_eq!(SubtensorModule::stake_of(&hot(ALICE), &cold(50), NetUid::ROOT).0, 1_000 * TAO);
    });
}

#[test]
fn readers_see_every_stake_when_a_coldkey_stakes_to_others() {
    Ext::plain().build_and_execute(|| {
        assert_ok!(nominate(50, ALICE, NETUID, 1_000 * TAO));
        assert_ok!(nominate(50, ALICE, NetUid::ROOT, 5 * TAO));
        assert_ok!(nominate(50, BOB, NETUID, 7 * TAO));
        let infos = SubtensorModule::get_stake_info_for_coldkey(&cold(50));
        let seen: Vec<_> =
            infos.iter().map(|info| (info.hotkey.clone(), info.netuid.0, info.stake.0.0, info.is_registered)).collect();
        let expected = [
            (hot(ALICE), NetUid::ROOT, 5 * TAO, false),
            (hot(ALICE), NETUID, 1_000 * TAO, true),
            (hot(BOB), NETUID, 7 * TAO, true),
        ];
        assert_eq!(seen, expected);
        assert!(infos.iter().all(|info| info.coldkey == cold(50)));
        let all = SubtensorModule::get_stake_info_for_coldkeys(vec![cold(50), cold(ALICE), cold(60)]);
        assert_eq!(all.iter().map(|(_, infos)| infos.len()).collect::<Vec<_>>(), [3, 1, 0]);
        assert_eq!(all[0].1, infos);
        let one = |coldkey, netuid| {
            SubtensorModule::get_stake_info_for_hotkey_coldkey_netuid(&hot(ALICE), &coldkey, NetUid(netuid))
                .map(|info| info.stake.0.0)
        };
        assert_eq!(one(cold(50), 92), Some(1_000 * TAO));
        assert_eq!(one(cold(ALICE), 92), Some(2_000 * TAO));
        assert_eq!((one(cold(60), 92), one(cold(50), 91)), (Some(0), None));

        let delegate = SubtensorModule::get_delegate(&hot(ALICE)).unwrap();
        assert_eq!((delegate.owner_ss58.clone(), delegate.take.0.deconstruct()), (cold(ALICE), 11_796));
        let nominators: Vec<_> = delegate
            .nominators
            .iter()
            .map(|(coldkey, stakes)| (coldkey.clone(), stakes.iter().map(|(on, alpha)| (on.0.0, alpha.0)).collect()))
            .collect();
        let expected: [(_, Vec<_>); 2] =
            [(cold(ALICE), vec![(92, 2_000 * TAO)]), (cold(50), vec![(0, 5 * TAO), (92, 1_000 * TAO)])];
        let sorted = |mut list: Vec<(_, Vec<_>)>| {
            list.sort();
            list
        };
        assert_eq!(sorted(nominators), sorted(expected.to_vec()));
        assert!(SubtensorModule::get_delegates().contains(&delegate));
        let delegated: Vec<_> = SubtensorModule::get_delegated(&cold(50))
            .into_iter()
            .map(|(info, (netuid, alpha))| (info.delegate_ss58, netuid.0, alpha.0.0))
            .collect();
        assert_eq!(delegated.len(), 3);
        assert!(delegated.contains(&(hot(BOB), NETUID, 7 * TAO)));
        let free = SubtensorModule::get_stake_availability_for_coldkeys(vec![cold(50)], Some(vec![NETUID]));
        assert_eq!(free[&cold(50)][&NETUID].available.0.0, 1_007 * TAO);
    });
}

#[test]
fn hotkey_is_listed_while_a_coldkey_stakes_to_it() {
    Ext::default().build_and_execute(|| {
        assert_ok!(nominate(3, ALICE, NETUID, TAO));
        assert_ok!(nominate(3, ALICE, NetUid::ROOT, TAO));
        assert_eq!(StakingHotkeys::<Test>::get(cold(3)).to_vec(), [hot(3), hot(ALICE)]);
        assert_eq!(OwnedHotkeys::<Test>::get(cold(3)).to_vec(), [hot(3)]);
        let back = |netuid| {
            SubtensorModule::remove_stake(RuntimeOrigin::signed(cold(3)), hot(ALICE), netuid, AlphaBalance(TAO))
        };
        assert_ok!(back(NETUID));
        assert_eq!(StakingHotkeys::<Test>::get(cold(3)).to_vec(), [hot(3), hot(ALICE)]);
        assert_ok!(back(NetUid::ROOT));
        // Its own stays.
        assert_eq!(StakingHotkeys::<Test>::get(cold(3)).to_vec(), [hot(3)]);
        assert_ok!(nominate(50, ALICE, NETUID, TAO));
        assert_ok!(SubtensorModule::unstake_all(RuntimeOrigin::signed(cold(50)), hot(ALICE)));
        assert!(!StakingHotkeys::<Test>::contains_key(cold(50)));
    });
}

#[test]
fn hotkey_is_refused_when_a_coldkey_has_as_many_as_it_may() {
    Ext::default().build_and_execute(|| {
        for number in 1_000..1_256 {
            Owner::<Test>::insert(hot(number), cold(0));
            assert_ok!(nominate(50, number, NETUID, TAO));
        }
        assert_noop!(nominate(50, ALICE, NETUID, TAO), Error::<Test>::TooManyStakingHotkeys);
        assert_ok!(nominate(50, 1_000, NETUID, TAO));
        // What it registers has a bound of its own.
        let register = |number| SubtensorModule::burned_register(RuntimeOrigin::signed(cold(50)), NETUID, hot(number));
        assert_ok!(register(2_000));
        for number in 2_001..2_000 + MAX_OWNED_HOTKEYS as u16 - 256 {
            SubtensorModule::own(&hot(number), &cold(50));
        }
        run_to(2);
        assert_eq!(StakingHotkeys::<Test>::get(cold(50)).len(), MAX_OWNED_HOTKEYS as usize);
        assert_noop!(register(4_000), Error::<Test>::TooManyStakingHotkeys);
        let network = SubtensorModule::register_network(RuntimeOrigin::signed(cold(50)), hot(4_000));
        assert_eq!(network, Err(Error::<Test>::TooManyStakingHotkeys.into()));
        let root = SubtensorModule::root_register(RuntimeOrigin::signed(cold(50)), hot(4_000));
        assert_eq!(root, Err(Error::<Test>::TooManyStakingHotkeys.into()));
        assert_ok!(register(2_001));
    });
}

#[test]
fn stake_is_its_owners_when_a_chain_from_before_shares_is_upgraded() {
    Ext::default().build_and_execute(|| {
        assert_ok!(nominate(50, BOB, NETUID, TAO));
        let now = |number| (stake_of(number, number), TotalHotkeyAlpha::<Test>::get(hot(number), NETUID).0);
        let before = (now(ALICE), now(BOB));
        TotalHotkeySharesV2::<Test>::remove(hot(ALICE), NETUID);
        AlphaV2::<Test>::remove((hot(ALICE), cold(ALICE), NETUID));
        StakingHotkeys::<Test>::remove(cold(ALICE));
        assert!(SubtensorModule::do_try_state().is_err());
        for _ in 0..2 {
            <SubtensorModule as Hooks<u64>>::on_runtime_upgrade();
            assert_eq!((now(ALICE), now(BOB)), before);
            assert_eq!(stake_of(BOB, 50), TAO);
        }
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
fn all_stake_to_a_hotkey_comes_back_when_asked_for() {
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
        assert_ok!(nominate(4, 3, NETUID, TAO));
        assert_ok!(nominate(3, 4, NETUID, TAO));
        assert_noop!(all(3, hot(77)), Error::<Test>::HotKeyAccountNotExists);
        assert_noop!(all(5, hot(3)), Error::<Test>::AmountTooLow);
        // A subnet that has not started is passed over.
        SubtokenEnabled::<Test>::insert(NetUid(7), false);
        assert_ok!(all(3, hot(3)));
        assert_eq!(Balances::free_balance(cold(3)), 9_994 * TAO);
        assert_noop!(all(3, hot(3)), Error::<Test>::AmountTooLow);
        SubtokenEnabled::<Test>::insert(NetUid(7), true);
        assert_ok!(all(3, hot(3)));
        assert_eq!(Balances::free_balance(cold(3)), 9_999 * TAO);
        // Neither what others have there nor what it has elsewhere.
        assert_eq!((stake_of(3, 4), stake_of(4, 3)), (TAO, TAO));
    });
}

#[test]
fn what_is_pending_stays_backed_when_all_stake_leaves() {
    Ext::plain().build_and_execute(|| {
        BlockEmission::<Test>::put(499);
        assert_ok!(remove(ALICE, 2_000 * TAO));
        assert_ok!(remove(BOB, 1_000 * TAO));
        // As little as is dust by itself: of the first block, then of the next.
        for netuid in SubtensorModule::netuids() {
            PendingServerEmission::<Test>::remove(netuid);
            PendingValidatorEmission::<Test>::remove(netuid);
            PendingOwnerCut::<Test>::remove(netuid);
        }
        SubnetAlphaOut::<Test>::insert(NETUID, AlphaBalance(0));
        assert_ok!(SubtensorModule::burn(
            &SubtensorModule::account(),
            TaoBalance(TAO),
            frame_support::traits::tokens::Preservation::Expendable
        ));
        run_to(2);
        assert_eq!(SubtensorModule::pending(NETUID), 499);
        let issued = Balances::total_issuance();
        assert_ok!(add(3, TAO));
        assert_ok!(remove(3, TAO));
        assert_eq!(Balances::total_issuance(), issued);
        assert_eq!(Balances::free_balance(SubtensorModule::account()), 499 + 500);
        SubtensorModule::do_try_state().unwrap();
    });
}

#[test]
fn account_gets_what_it_lacks_when_an_older_runtime_had_it_without_a_deposit() {
    Ext::default().build_and_execute(|| {
        let held = Balances::free_balance(SubtensorModule::account());
        let (expendable, lost) = (frame_support::traits::tokens::Preservation::Expendable, TaoBalance(500 + 499));
        assert_ok!(SubtensorModule::burn(&SubtensorModule::account(), lost, expendable));
        assert!(SubtensorModule::do_try_state().is_err());
        SubtensorModule::on_runtime_upgrade();
        assert_eq!(Balances::free_balance(SubtensorModule::account()), held);
        // Once is enough.
        SubtensorModule::on_runtime_upgrade();
        assert_eq!(Balances::free_balance(SubtensorModule::account()), held);
    });
}
