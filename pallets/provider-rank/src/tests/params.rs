// SPDX-License-Identifier: Apache-2.0

//! The parameters of a subnet: who may set them, and which epochs they pay.

use super::mock::*;
use crate::*;
use clawrank_emission::{Shortfall, payouts};
use clawrank_units::Rao;
use frame_support::{assert_noop, assert_ok};
use sp_core::crypto::AccountId32;
use sp_runtime::DispatchError;

fn owner() -> RuntimeOrigin {
    RuntimeOrigin::signed(cold(HALF))
}

/// Parameters with this cap.
fn capped(percent: u32, shortfall: Shortfall) -> Params {
    Params { cap: CapParams { cap: Ppb::from_percent(percent), shortfall }, ..Params::clawrank() }
}

/// Twelve miners, of whom the first has most of the score, judged alike by all in the epoch that runs.
fn judge(epoch: u64) {
    commit_all(3..15);
    run_to(10 * epoch + 8);
    for validator in [HALF, THIRD, FIFTH] {
        let report = (3..15).map(|uid| verdict(uid, if uid == 3 { 1_000 } else { 10 })).collect();
        assert_ok!(submit(validator, epoch, report));
    }
}

/// What the first miner got for an epoch.
fn first(epoch: u64) -> u64 {
    ProviderRank::settlement_of(NETUID, epoch).unwrap().payouts[0].amount
}

fn part(percent: u32) -> u64 {
    u64::try_from(Ppb::from_percent(percent).mul_floor(EMISSION.into())).unwrap()
}

#[test]
fn params_are_stored_when_the_owner_or_root_sets_them() {
    build_and_execute(|| {
        assert_eq!(ProviderRank::params_of(NETUID), Params::clawrank());
        assert_ok!(ProviderRank::set_params(owner(), NETUID, Params::local()));
        assert_eq!(events().pop(), Some(Event::ParamsSet { netuid: NETUID }));
        assert_eq!(ProviderRank::params_of(NETUID), Params::local());
        assert_ok!(ProviderRank::set_params(RuntimeOrigin::root(), NETUID, Params::tensorclaw_v1()));
        assert_eq!(SubnetParams::<Test>::get(NETUID), Some(Params::tensorclaw_v1()));
        assert_eq!(ProviderRank::params_of(NetUid(5)), Params::clawrank());
    });
}

#[test]
fn params_are_refused_when_a_check_fails() {
    build_and_execute(|| {
        let set = |origin, netuid, params| ProviderRank::set_params(origin, NetUid(netuid), params);
        assert_noop!(set(signed(MINER), 92, Params::local()), Error::<Test>::NotSubnetOwner);
        assert_noop!(set(signed(HALF), 92, Params::local()), Error::<Test>::NotSubnetOwner);
        assert_noop!(set(owner(), 91, Params::local()), Error::<Test>::NotSubnetOwner);
        assert_noop!(set(RuntimeOrigin::none(), 92, Params::local()), DispatchError::BadOrigin);
        assert_noop!(set(RuntimeOrigin::root(), 91, Params::local()), Error::<Test>::SubnetNotTracked);
        let version = Params { version: 2, ..Params::clawrank() };
        let mut weights = Params::clawrank();
        weights.intel.weight_coverage = Ppb::from_percent(11);
        for params in [version, weights, capped(0, Shortfall::Uniform)] {
            assert_noop!(set(owner(), 92, params.clone()), Error::<Test>::InvalidParams);
            assert_noop!(set(RuntimeOrigin::root(), 92, params), Error::<Test>::InvalidParams);
        }
    });
}

#[test]
fn epoch_is_settled_by_the_cap_that_stood_when_it_opened() {
    build_and_execute(|| {
        judge(0);
        // Before the settlement of epoch 0, in block 17, and after epoch 1 opened, in block 10.
        run_to(12);
        assert_ok!(ProviderRank::set_params(owner(), NETUID, capped(50, Shortfall::Uniform)));
        judge(1);
        run_to(19);
        assert_ok!(ProviderRank::set_params(owner(), NETUID, capped(20, Shortfall::Uniform)));
        run_to(20);
        judge(2);
        run_to(37);
        assert_eq!((first(0), first(1), first(2)), (part(15), part(15), part(20)));
        assert!(first(2) > first(1));
        assert_eq!(EpochCaps::<Test>::get(NETUID, 1), None);
        assert_eq!(EpochCaps::<Test>::get(NETUID, 2).map(|cap| cap.cap), Some(Ppb::from_percent(20)));
    });
}

#[test]
fn cap_counts_for_the_epoch_that_begins_when_it_is_set_in_its_first_block() {
    build_and_execute(|| {
        let cap = |epoch| EpochCaps::<Test>::get(NETUID, epoch).map(|cap| cap.cap);
        run_to(10);
        assert_eq!(cap(1), None);
        assert_ok!(ProviderRank::set_params(owner(), NETUID, capped(50, Shortfall::Uniform)));
        assert_eq!(cap(1), Some(Ppb::from_percent(50)));
        run_to(11);
        assert_ok!(ProviderRank::set_params(owner(), NETUID, capped(20, Shortfall::Uniform)));
        assert_eq!(cap(1), Some(Ppb::from_percent(50)));
        run_to(20);
        assert_eq!(cap(2), Some(Ppb::from_percent(20)));
    });
}

#[test]
fn caps_go_with_their_epochs_when_many_pass() {
    build_and_execute(|| {
        assert_ok!(ProviderRank::set_params(owner(), NETUID, capped(50, Shortfall::Uniform)));
        run_to(95);
        let mut epochs: Vec<u64> = EpochCaps::<Test>::iter_key_prefix(NETUID).collect();
        epochs.sort_unstable();
        assert_eq!(epochs, [6, 7, 8, 9]);
    });
}

/// Settles epoch 0, whose rule for few miners gives the rest to the owner, of miners 3 and 4; what each uid got.
fn few(owner_hotkey: Option<u16>, tripped: bool) -> (Settlement<AccountId32>, Vec<(u16, u64)>) {
    let cap = capped(15, Shortfall::ToOwner);
    let mut genesis = genesis();
    genesis.1.subnet_params = vec![(NETUID, cap)];
    let mut result = None;
    build_with(genesis, || {
        match owner_hotkey {
            Some(uid) => pallet_subtensor::SubnetOwnerHotkey::<Test>::insert(NETUID, hot(uid)),
            None => pallet_subtensor::SubnetOwnerHotkey::<Test>::remove(NETUID),
        }
        let report = || vec![if tripped { trip(3) } else { verdict(3, 1) }, verdict(4, 9)];
        let settlement = epoch_zero(3..5, [HALF, THIRD, FIFTH].map(|validator| (validator, report())).to_vec());
        let paid: u64 = settlement.payouts.iter().map(|payout| payout.amount).sum();
        assert_eq!(paid + settlement.dust, EMISSION);
        assert_eq!(ProviderRank::pot_balance(), POT - paid);
        let amounts = settlement.payouts.iter().map(|payout| (payout.uid, payout.amount)).collect();
        result = Some((settlement, amounts));
    });
    result.unwrap()
}

#[test]
fn rest_goes_to_the_owner_when_the_rule_for_few_miners_says_so() {
    // As the primitive divides it with an owner who did not measure.
    let cap = CapParams { cap: Ppb::from_percent(15), shortfall: Shortfall::ToOwner };
    let division = payouts(&[0, 1, 9], &cap, Some(0), Rao(EMISSION)).unwrap();
    let expected: Vec<(u16, u64)> = [1, 3, 4].into_iter().zip(division.amounts.iter().map(|rao| rao.get())).collect();
    let (settlement, amounts) = few(Some(1), false);
    assert_eq!(amounts, expected);
    assert_eq!(amounts, [(1, part(70)), (3, part(15)), (4, part(15))]);
    assert_eq!((&settlement.payouts[0].hotkey, settlement.payouts[0].score), (&hot(1), 0));
    assert_eq!(settlement.dust, division.dust.get());
}

#[test]
fn rest_is_the_owners_beside_what_it_measured_when_it_is_a_miner() {
    // The cap does not hold an owner with a score of its own: it gets all that is left.
    assert_eq!(few(Some(4), false).1, [(3, part(15)), (4, part(85))]);
    // A gate that tripped costs the score, not the rest.
    let (settlement, amounts) = few(Some(3), true);
    assert_eq!(amounts, [(3, part(85)), (4, part(15))]);
    assert!(settlement.payouts[0].tripped);
}

/// The payouts of an epoch by uid, with what stays, where the rule for few miners gives the rest to the owner, uid 1.
fn beside_the_owner(miners: core::ops::Range<u16>, verdict: impl Fn(u16) -> Verdict) -> (Vec<(u16, u64)>, u64) {
    let mut genesis = genesis();
    genesis.1.subnet_params = vec![(NETUID, capped(15, Shortfall::ToOwner))];
    let mut result = None;
    build_with(genesis, || {
        pallet_subtensor::SubnetOwnerHotkey::<Test>::insert(NETUID, hot(1));
        let report = || miners.clone().map(&verdict).collect();
        let reports = [HALF, THIRD, FIFTH].map(|validator| (validator, report())).to_vec();
        let settlement = epoch_zero(miners.clone(), reports);
        result = Some((settlement.payouts.iter().map(|payout| (payout.uid, payout.amount)).collect(), settlement.dust));
    });
    result.unwrap()
}

#[test]
fn owner_is_not_among_the_payouts_when_the_cap_holds() {
    let (amounts, dust) = beside_the_owner(3..10, |uid| verdict(uid, 1));
    assert_eq!(amounts, (3..10).map(|uid| (uid, EMISSION / 7)).collect::<Vec<_>>());
    assert_eq!(dust, EMISSION % 7);
}

#[test]
fn owner_gets_all_when_nobody_has_a_score() {
    assert_eq!(beside_the_owner(3..5, trip), (vec![(1, EMISSION), (3, 0), (4, 0)], 0));
}

#[test]
fn rest_stays_in_the_pot_when_the_owner_has_no_uid() {
    for owner in [None, Some(200)] {
        let (settlement, amounts) = few(owner, false);
        assert_eq!(amounts, [(3, part(15)), (4, part(15))], "{owner:?}");
        assert_eq!(settlement.dust, EMISSION - 2 * part(15));
    }
}

#[test]
fn params_are_there_when_the_chain_begins() {
    let mut genesis = genesis();
    genesis.1.subnet_params = vec![(NETUID, Params::local())];
    build_with(genesis, || {
        assert_eq!(ProviderRank::params_of(NETUID), Params::local());
        assert_eq!(EpochCaps::<Test>::get(NETUID, 0), Some(Params::local().cap));
    });
}

#[test]
#[should_panic(expected = "InvalidParams")]
fn genesis_stops_when_params_are_invalid() {
    let mut genesis = genesis();
    genesis.1.subnet_params = vec![(NETUID, Params { version: 0, ..Params::local() })];
    build_with(genesis, || {});
}

#[test]
#[should_panic(expected = "SubnetNotTracked")]
fn genesis_stops_when_params_belong_to_no_subnet() {
    let mut genesis = genesis();
    genesis.1.subnet_params = vec![(NetUid(5), Params::local())];
    build_with(genesis, || {});
}

#[test]
fn damage_of_a_settlement_is_named_when_the_state_is_checked() {
    build_and_execute(|| {
        let report = || vec![trip(3), verdict(4, 9)];
        epoch_zero(3..5, [HALF, THIRD, FIFTH].map(|validator| (validator, report())).to_vec());
        let change = |change: &dyn Fn(&mut Settlement<AccountId32>)| {
            let sound = Settlements::<Test>::get(NETUID, 0).unwrap();
            Settlements::<Test>::mutate(NETUID, 0, |settlement| change(settlement.as_mut().unwrap()));
            let found = format!("{:?}", ProviderRank::do_try_state());
            Settlements::<Test>::insert(NETUID, 0, sound);
            found
        };
        let found = change(&|settlement| settlement.dust += 1);
        assert!(found.contains("payouts and dust differ from the emission"), "{found}");
        let found = change(&|settlement| settlement.payouts[0].score = 1);
        assert!(found.contains("a miner has a score behind a tripped gate"), "{found}");
        // One may be the owner, who is paid for no score of its own.
        let unearned = |settlement: &mut Settlement<AccountId32>| {
            settlement.payouts[1].amount -= 1;
            settlement.payouts[0].amount = 1;
        };
        assert_eq!(change(&unearned), "Ok(())");
        let found = change(&|settlement| {
            unearned(settlement);
            settlement.payouts[1].score = 0;
        });
        assert!(found.contains("more than the owner was paid without a score"), "{found}");
    });
}

#[test]
fn damage_is_named_when_the_state_is_checked() {
    build_and_execute(|| {
        let fails = || format!("{:?}", ProviderRank::do_try_state().unwrap_err());
        SubnetParams::<Test>::insert(NETUID, Params { version: 9, ..Params::local() });
        assert!(fails().contains("the parameters of a subnet are invalid"), "{}", fails());
        SubnetParams::<Test>::remove(NETUID);
        SubnetParams::<Test>::insert(NetUid(5), Params::local());
        assert!(fails().contains("parameters belong to no subnet that takes part"), "{}", fails());
        SubnetParams::<Test>::remove(NetUid(5));
        EpochCaps::<Test>::insert(NETUID, 7, CapParams::default());
        assert!(fails().contains("a cap belongs to no epoch"), "{}", fails());
        EpochCaps::<Test>::remove(NETUID, 7);
    });
}
