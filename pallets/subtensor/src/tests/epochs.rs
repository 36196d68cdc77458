// SPDX-License-Identifier: Apache-2.0

//! What an epoch pays and writes.

use super::mock::*;
use crate::*;
use clawrank_emission::yuma;
use clawrank_units::Rao;
use frame_support::assert_ok;
use sp_runtime::PerU16;

fn stake(number: u16) -> u64 {
    TotalHotkeyAlpha::<Test>::get(hot(number), NETUID).0
}

fn set(number: u16, mecid: u8, weights: &[(u16, u16)]) {
    let (uids, values) = weights.iter().copied().unzip();
    assert_ok!(SubtensorModule::set_mechanism_weights(signed(number), NETUID, MechId(mecid), uids, values, 0));
}

fn incentive(mecid: u8) -> Vec<u16> {
    Incentive::<Test>::get(NetUidStorageIndex::new(NETUID, MechId(mecid)))
        .iter()
        .map(|part: &PerU16| part.deconstruct())
        .collect()
}

#[test]
fn emission_waits_by_role_when_no_epoch_has_run() {
    Ext::plain().build_and_execute(|| {
        run_to(9);
        let split = yuma::split_41_41_18(Rao(TAO), 11_796, 0);
        assert_eq!(PendingOwnerCut::<Test>::get(NETUID).0, 9 * split.owner.get());
        assert_eq!(PendingServerEmission::<Test>::get(NETUID).0, 9 * split.server.get());
        assert_eq!(PendingValidatorEmission::<Test>::get(NETUID).0, 9 * split.validator.get());
        assert_eq!(SubtensorModule::pending(NETUID), 9 * TAO);
        assert_eq!(SubnetAlphaOut::<Test>::get(NETUID).0, 3_009 * TAO);
        assert_eq!(TotalIssuance::<Test>::get().0, Balances::total_issuance());
    });
}

#[test]
fn owner_gets_nothing_when_its_cut_is_off() {
    Ext::plain().build_and_execute(|| {
        OwnerCutEnabled::<Test>::insert(NETUID, false);
        run_to(5);
        assert_eq!(PendingOwnerCut::<Test>::get(NETUID).0, yuma::split_41_41_18(Rao(TAO), 11_796, 0).owner.get());
    });
}

#[test]
fn pools_go_41_41_18_when_an_epoch_runs() {
    Ext::plain().build_and_execute(|| {
        for (validator, mecid) in [(ALICE, 0), (BOB, 0), (ALICE, 1), (BOB, 1)] {
            set(validator, mecid, &[(3, 3), (4, 1)]);
        }
        let before = TotalStake::<Test>::get().0;
        run_to(10);
        let owner_cut = 10 * yuma::split_41_41_18(Rao(TAO), 11_796, 0).owner.get();
        assert_eq!(stake(OWNER), owner_cut);
        let half = (10 * TAO - owner_cut) / 2;
        let near = |amount: u64, exact: u64| assert!(amount.abs_diff(exact) < 1_000_000, "{amount} for {exact}");
        near(stake(3), half * 3 / 4);
        near(stake(4), half / 4);
        near(stake(ALICE) - 2_000 * TAO, half * 2 / 3);
        near(stake(BOB) - 1_000 * TAO, half / 3);
        assert_eq!((stake(5), stake(6)), (0, 0));
        // Whatever rounding left waits for the next epoch.
        let rest = SubtensorModule::pending(NETUID);
        assert!(rest < 100, "{rest} rao of dust");
        assert_eq!(TotalStake::<Test>::get().0, before + 10 * TAO - rest);
        assert_eq!(Emission::<Test>::get(NETUID)[3].0.abs_diff(stake(3)), 0);
        assert_eq!(LastHotkeyEmissionOnNetuid::<Test>::get(hot(3), NETUID).0, stake(3));
    });
}

#[test]
fn mechanisms_are_paid_evenly_when_they_name_different_miners() {
    Ext::plain().build_and_execute(|| {
        for validator in [ALICE, BOB] {
            set(validator, 0, &[(3, 1)]);
            set(validator, 1, &[(4, 1)]);
        }
        run_to(10);
        assert_eq!(incentive(0), [0, 0, 0, 65_535, 0, 0, 0]);
        assert_eq!(incentive(1), [0, 0, 0, 0, 65_535, 0, 0]);
        assert!(stake(3).abs_diff(stake(4)) <= 1);
        let paid: Vec<_> = events()
            .into_iter()
            .filter_map(|event| match event {
                Event::IncentiveAlphaEmittedToMiners { netuid, emissions } => Some((netuid, emissions)),
                _ => None,
            })
            .collect();
        assert_eq!(paid[0], (NetUidStorageIndex(92), paid[0].1.clone()));
        assert_eq!((paid[0].1[3].0, paid[1].1[4].0), (stake(3), stake(4)));
    });
}

#[test]
fn mechanisms_are_paid_by_their_split_when_one_is_chosen() {
    let run = |split: &[u16]| {
        Ext::plain().externalities().execute_with(|| {
            run_to(1);
            MechanismEmissionSplit::<Test>::insert(NETUID, List::truncated(split.to_vec()));
            for validator in [ALICE, BOB] {
                set(validator, 0, &[(3, 1)]);
                set(validator, 1, &[(4, 1)]);
            }
            run_to(10);
            SubtensorModule::do_try_state().unwrap();
            (stake(3), stake(4), Consensus::<Test>::get(NETUID)[4].deconstruct())
        })
    };
    let whole = 10 * yuma::split_41_41_18(Rao(TAO), 11_796, 0).server.get();
    let (first, second, consensus) = run(&[13_107, 52_428]);
    assert!(
        first.abs_diff(whole / 5) < 1_000 && second.abs_diff(whole * 4 / 5) < 1_000,
        "{first} and {second} of {whole}"
    );
    // What readers see of both is weighed by the split, too.
    assert!(consensus.abs_diff(52_428) < 3, "{consensus}");
    // A mechanism that the split does not name gets nothing.
    assert!(run(&[65_535]).0.abs_diff(whole) < 1_000);
    assert_eq!(run(&[65_535]).1, 0);
}

#[test]
fn result_is_that_of_the_primitive_when_run_on_the_same_state() {
    Ext::plain().build_and_execute(|| {
        set(ALICE, 0, &[(3, 5), (4, 2), (5, 1)]);
        set(BOB, 0, &[(3, 1), (4, 1), (6, 9)]);
        run_to(9);
        let index = NetUidStorageIndex(92);
        let pool = PendingServerEmission::<Test>::get(NETUID).0 + PendingValidatorEmission::<Test>::get(NETUID).0;
        let one_block = yuma::split_41_41_18(Rao(TAO), 11_796, 0);
        let pool = pool + one_block.server.get() + one_block.validator.get();
        let input = yuma::YumaInput {
            params: yuma::YumaParams {
                max_allowed_validators: 3,
                activity_cutoff: yuma::activity_cutoff(13_889, 10),
                tempo: 10,
                ..Default::default()
            },
            block: 10,
            owner: Some(OWNER),
            neurons: (0..7)
                .map(|uid| yuma::Neuron {
                    stake: stake(uid),
                    last_update: LastUpdate::<Test>::get(index)[usize::from(uid)],
                    permit: uid == ALICE || uid == BOB,
                    ..Default::default()
                })
                .collect(),
            weights: (0..7).map(|uid| weights_of(0, uid)).collect(),
            bonds: vec![vec![]; 7],
            emission: yuma::split_mechanisms(Rao(pool), &[1, 1])[0],
            ..Default::default()
        };
        let expected = yuma::epoch(&input).unwrap();
        run_to(10);
        assert_eq!(incentive(0), expected.incentive);
        let bonds: Vec<_> = (0..7).map(|uid| Bonds::<Test>::get(index, uid).into_vec()).collect();
        assert_eq!(bonds, expected.bonds);
        assert_eq!(StakeWeight::<Test>::get(NETUID).to_vec(), expected.stake_weight);
        let consensus: Vec<u16> =
            ConsensusByMechanism::<Test>::get(index).iter().map(|part| part.deconstruct()).collect();
        assert_eq!(consensus, expected.consensus);
        assert!(expected.bonds[usize::from(ALICE)].len() == 3);
    });
}

#[test]
fn validators_share_everything_when_nobody_set_weights() {
    Ext::plain().build_and_execute(|| {
        run_to(10);
        let owner_cut = stake(OWNER);
        assert!(owner_cut > 0);
        assert_eq!(incentive(0), [0; 7]);
        let earned = stake(ALICE) + stake(BOB) - 3_000 * TAO;
        assert_eq!(earned + owner_cut + SubtensorModule::pending(NETUID), 10 * TAO);
        assert!((stake(ALICE) - 2_000 * TAO).abs_diff(2 * (stake(BOB) - 1_000 * TAO)) < 1_000_000);
    });
}

#[test]
fn emission_stays_pending_when_nobody_has_stake() {
    let mut ext = Ext::plain();
    ext.config.subnets[0].neurons.iter_mut().for_each(|neuron| neuron.stake = 0);
    ext.build_and_execute(|| {
        run_to(10);
        let cut = stake(OWNER);
        assert_eq!(SubtensorModule::pending(NETUID) + cut, 10 * TAO);
        assert_eq!(SubnetEpochIndex::<Test>::get(NETUID), 1);
    });
}

#[test]
fn incentive_is_burned_when_the_miner_is_the_owners() {
    let mut ext = Ext::plain();
    ext.config.subnets[0].neurons[3].coldkey = cold(OWNER);
    ext.build_and_execute(|| {
        for validator in [ALICE, BOB] {
            set(validator, 0, &[(3, 1), (4, 1)]);
            set(validator, 1, &[(3, 1), (4, 1)]);
        }
        let issued = Balances::total_issuance();
        run_to(10);
        assert_eq!(stake(3), 0);
        assert!(stake(4) > TAO);
        let burned: u64 = events()
            .into_iter()
            .map(|event| match event {
                Event::AlphaBurned(coldkey, hotkey, alpha, NETUID) => {
                    assert_eq!((coldkey, hotkey), (cold(OWNER), hot(3)));
                    alpha.0
                }
                _ => 0,
            })
            .sum();
        assert!(burned.abs_diff(stake(4)) <= 2);
        assert_eq!(Balances::total_issuance(), issued + 9 * TAO - burned);
        assert_eq!(TotalIssuance::<Test>::get().0, Balances::total_issuance());
    });
}

#[test]
fn permits_go_to_the_largest_stakes_when_an_epoch_runs() {
    let mut ext = Ext::plain();
    ext.config.subnets[0].hyperparameters.max_allowed_validators = Some(2);
    ext.build_and_execute(|| {
        assert_ok!(SubtensorModule::add_stake(RuntimeOrigin::signed(cold(5)), hot(5), NETUID, TaoBalance(5_000 * TAO)));
        assert!(!SubtensorModule::has_validator_permit(NETUID, 5));
        run_to(10);
        let permits = ValidatorPermit::<Test>::get(NETUID).to_vec();
        // The two largest, and the owner whatever its stake.
        assert_eq!(permits, [true, true, false, false, false, true, false]);
    });
}

#[test]
fn stake_below_the_threshold_counts_nothing_when_an_epoch_runs() {
    let mut ext = Ext::plain();
    ext.config.stake_threshold = Some(1_500 * TAO);
    ext.build_and_execute(|| {
        assert!(!SubtensorModule::has_validator_permit(NETUID, BOB));
        run_to(10);
        assert!(!SubtensorModule::has_validator_permit(NETUID, BOB));
        assert_eq!(stake(BOB), 1_000 * TAO);
        assert!(stake(ALICE) > 2_000 * TAO);
    });
}

#[test]
fn root_stake_counts_by_its_weight_when_it_is_added() {
    Ext::plain().build_and_execute(|| {
        let before = SubtensorModule::stake_weight(NETUID, &hot(5));
        assert_ok!(SubtensorModule::add_stake(
            RuntimeOrigin::signed(cold(5)),
            hot(5),
            NetUid::ROOT,
            TaoBalance(1_000 * TAO)
        ));
        let counted = SubtensorModule::stake_weight(NETUID, &hot(5)) - before;
        // 971,718,665,099,567,868 / (2^64 - 1) of 1,000 TAO.
        assert_eq!(counted, 52_676_974_387);
        assert_eq!(SubtensorModule::stake_weight(NetUid::ROOT, &hot(5)), 1_000 * TAO);
    });
}

#[test]
fn block_emission_is_shared_when_two_subnets_run() {
    let mut ext = Ext::plain();
    let mut other = ext.config.subnets[0].clone();
    other.netuid = NetUid(3);
    ext.config.subnets.push(other);
    ext.build_and_execute(|| {
        run_to(3);
        assert_eq!(SubtensorModule::pending(NETUID), 3 * TAO / 2);
        SubnetEmissionEnabled::<Test>::insert(NetUid(3), false);
        run_to(4);
        assert_eq!(SubtensorModule::pending(NETUID), 5 * TAO / 2);
        assert_eq!(SubtensorModule::pending(NetUid(3)), 3 * TAO / 2);
    });
}

#[test]
fn weights_on_a_replaced_neuron_earn_nothing_when_they_are_older() {
    Ext::plain().build_and_execute(|| {
        for validator in [ALICE, BOB] {
            set(validator, 0, &[(3, 1), (4, 1)]);
            set(validator, 1, &[(3, 1), (4, 1)]);
        }
        SubtensorModule::seat(NETUID, 3, &hot(50));
        Owner::<Test>::insert(hot(50), cold(50));
        run_to(10);
        assert_eq!((stake(3), stake(50)), (0, 0));
        assert_eq!(incentive(0)[3], 0);
        assert!(stake(4) > TAO);
    });
}

#[test]
fn epoch_is_skipped_and_pays_nothing_when_the_state_is_inconsistent() {
    Ext::plain().build_and_execute(|| {
        set(ALICE, 0, &[(3, 1)]);
        run_to(9);
        let before = TotalStake::<Test>::get();
        Uids::<Test>::insert(NETUID, hot(OWNER), 99);
        run_to(10);
        assert!(events().contains(&Event::EpochSkipped { netuid: NETUID, block: 10 }));
        assert_eq!(TotalStake::<Test>::get(), before);
        assert_eq!(SubtensorModule::pending(NETUID), 10 * TAO);
        assert_eq!(SubnetEpochIndex::<Test>::get(NETUID), 1);
        Uids::<Test>::insert(NETUID, hot(OWNER), OWNER);
        // The next one pays for both.
        run_to(20);
        assert!(SubtensorModule::pending(NETUID) < 100);
        assert!(stake(3) > 3 * TAO);
    });
}
