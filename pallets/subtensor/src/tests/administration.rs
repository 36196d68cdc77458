// SPDX-License-Identifier: Apache-2.0

//! Fewer neurons, and more or fewer mechanisms.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::PerU16;

/// The default subnet, whose miners 3 to 6 have earned 40, 10, 30 and 20, and nobody is immune.
fn earned() -> Ext {
    Ext::with(|parameters| {
        parameters.commit_reveal_weights_enabled = Some(false);
        parameters.immunity_period = Some(0);
    })
}

fn give_emission() {
    let amounts = [0, 900, 800, 40, 10, 30, 20].map(AlphaBalance);
    Emission::<Test>::insert(NETUID, PerNeuron::truncated(amounts.to_vec()));
    MinAllowedUids::<Test>::insert(NETUID, 1);
    MaxAllowedUids::<Test>::insert(NETUID, 7);
}

fn hotkeys() -> Vec<u16> {
    let number = |key: sp_core::crypto::AccountId32| {
        let bytes: &[u8] = key.as_ref();
        u16::from_be_bytes([bytes[0], bytes[1]])
    };
    (0..SubnetworkN::<Test>::get(NETUID)).map(|uid| number(Keys::<Test>::get(NETUID, uid))).collect()
}

#[test]
fn least_earners_go_and_the_others_move_up_when_uids_are_trimmed() {
    earned().build_and_execute(|| {
        for (mecid, validator) in [(0, ALICE), (0, BOB), (1, ALICE)] {
            let uids = vec![3, 4, 5, 6];
            let values = vec![10, 20, 30, 40];
            assert_ok!(SubtensorModule::set_mechanism_weights(
                signed(validator),
                NETUID,
                MechId(mecid),
                uids,
                values,
                0
            ));
        }
        let index = NetUidStorageIndex::from(NETUID);
        Bonds::<Test>::insert(index, ALICE, WeightRow::truncated(vec![(3, 1), (4, 2), (5, 3), (6, 4)]));
        Incentive::<Test>::mutate(index, |list| {
            for (uid, part) in list.iter_mut().enumerate() {
                *part = PerU16::from_parts(uid as u16);
            }
        });
        run_to(5);
        let registered = BlockAtRegistration::<Test>::get(NETUID, 5);
        give_emission();
        assert_ok!(SubtensorModule::do_trim_uids(NETUID, 5));

        assert_eq!(hotkeys(), [0, 1, 2, 3, 5]);
        assert_eq!(Uids::<Test>::get(NETUID, hot(5)), Some(4));
        assert_eq!(BlockAtRegistration::<Test>::get(NETUID, 4), registered);
        assert_eq!(Uids::<Test>::get(NETUID, hot(4)), None);
        assert_eq!(Uids::<Test>::get(NETUID, hot(6)), None);
        assert_eq!(Removed::take(), [(NETUID, hot(4)), (NETUID, hot(6))]);
        assert_eq!(weights_of(0, ALICE), [(3, 16_384), (4, 49_151)]);
        assert_eq!(weights_of(1, ALICE), [(3, 16_384), (4, 49_151)]);
        assert_eq!(Bonds::<Test>::get(index, ALICE).into_vec(), [(3, 1), (4, 3)]);
        let incentive: Vec<u16> = Incentive::<Test>::get(index).iter().map(|part| part.deconstruct()).collect();
        assert_eq!(incentive, [0, 1, 2, 3, 5]);
        assert_eq!(Emission::<Test>::get(NETUID).to_vec(), [0, 900, 800, 40, 30].map(AlphaBalance));
        assert_eq!(ValidatorPermit::<Test>::get(NETUID).len(), 5);
        assert_eq!(MaxAllowedUids::<Test>::get(NETUID), 5);
        // The epoch runs on what is left.
        run_to(10);
        assert!(!events().contains(&Event::EpochSkipped { netuid: NETUID, block: 10 }));
        assert_eq!(SubnetEpochIndex::<Test>::get(NETUID), 1);
    });
}

#[test]
fn stake_stays_with_the_hotkey_when_its_neuron_is_trimmed() {
    earned().build_and_execute(|| {
        assert_ok!(SubtensorModule::add_stake(RuntimeOrigin::signed(cold(4)), hot(4), NETUID, TaoBalance(TAO)));
        give_emission();
        assert_ok!(SubtensorModule::do_trim_uids(NETUID, 6));
        assert_eq!(Uids::<Test>::get(NETUID, hot(4)), None);
        assert_eq!(TotalHotkeyAlpha::<Test>::get(hot(4), NETUID).0, TAO);
        assert_ok!(SubtensorModule::remove_stake(RuntimeOrigin::signed(cold(4)), hot(4), NETUID, AlphaBalance(TAO)));
    });
}

#[test]
fn owners_and_immune_neurons_stay_when_uids_are_trimmed() {
    earned().build_and_execute(|| {
        run_to(5);
        give_emission();
        ImmunityPeriod::<Test>::insert(NETUID, 3);
        BlockAtRegistration::<Test>::insert(NETUID, 4, 4);
        // Uid 0 earned nothing but is the owner's; uid 4 earned least of the rest but is new.
        assert_ok!(SubtensorModule::do_trim_uids(NETUID, 5));
        assert_eq!(hotkeys(), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn neurons_of_the_owners_coldkey_stay_when_the_limit_lets_them() {
    let mut ext = earned();
    for uid in [5, 6] {
        ext.config.subnets[0].neurons[uid].coldkey = cold(OWNER);
    }
    ext.build_and_execute(|| {
        give_emission();
        assert_eq!(SubtensorModule::owner_immune_uids(NETUID), [0]);
        assert_ok!(SubtensorModule::do_set_immune_owner_uids(NETUID, 2));
        assert_eq!(SubtensorModule::owner_immune_uids(NETUID), [0, 5]);
        SubnetOwnerHotkey::<Test>::insert(NETUID, hot(99));
        // Without a neuron of the owner's hotkey, the oldest of its coldkey.
        assert_eq!(SubtensorModule::owner_immune_uids(NETUID), [0, 5]);
        // The hotkey of the owner comes first, whatever its age.
        SubnetOwnerHotkey::<Test>::insert(NETUID, hot(6));
        assert_eq!(SubtensorModule::owner_immune_uids(NETUID), [6, 0]);
    });
}

#[test]
fn trimming_is_refused_when_too_few_could_go() {
    earned().build_and_execute(|| {
        give_emission();
        ImmunityPeriod::<Test>::insert(NETUID, 1_000);
        // Uids 0 to 3 are immune: 4 of 5 is 80 %.
        for uid in 4..7 {
            BlockAtRegistration::<Test>::insert(NETUID, uid, 0);
        }
        run_to(900);
        give_emission();
        for uid in 1..4 {
            BlockAtRegistration::<Test>::insert(NETUID, uid, 800);
        }
        ImmunityPeriod::<Test>::insert(NETUID, 200);
        assert_noop!(SubtensorModule::do_trim_uids(NETUID, 5), Error::<Test>::TrimmingWouldExceedMaxImmunePercentage);
        assert_ok!(SubtensorModule::do_trim_uids(NETUID, 6));
        assert_noop!(SubtensorModule::do_trim_uids(NETUID, 0), Error::<Test>::InvalidValue);
        assert_noop!(SubtensorModule::do_trim_uids(NETUID, 7), Error::<Test>::InvalidValue);
        assert_noop!(SubtensorModule::do_trim_uids(NetUid(91), 5), Error::<Test>::SubnetNotExists);
    });
}

#[test]
fn nothing_is_left_of_a_mechanism_when_it_goes() {
    Ext::default().build_and_execute(|| {
        MaxAllowedUids::<Test>::insert(NETUID, 128);
        let index = NetUidStorageIndex::new(NETUID, MechId(1));
        let hash = sp_core::H256::repeat_byte(1);
        assert_ok!(SubtensorModule::commit_mechanism_weights(signed(ALICE), NETUID, MechId(1), hash));
        Weights::<Test>::insert(index, ALICE, WeightRow::truncated(vec![(3, 1)]));
        Bonds::<Test>::insert(index, ALICE, WeightRow::truncated(vec![(3, 1)]));
        assert_ok!(SubtensorModule::do_set_emission_split(NETUID, Some(vec![1, 65_534])));

        assert_ok!(SubtensorModule::do_set_mechanism_count(NETUID, MechId(1)));
        assert_eq!(SubtensorModule::mechanisms(NETUID).count(), 1);
        assert!(!WeightCommits::<Test>::contains_key(index, hot(ALICE)));
        assert_eq!(Weights::<Test>::iter_prefix(index).count() + Bonds::<Test>::iter_prefix(index).count(), 0);
        assert!(!LastUpdate::<Test>::contains_key(index) && !Incentive::<Test>::contains_key(index));
        assert!(!MechanismEmissionSplit::<Test>::contains_key(NETUID));
        assert_noop!(
            SubtensorModule::commit_mechanism_weights(signed(ALICE), NETUID, MechId(1), hash),
            Error::<Test>::MechanismDoesNotExist
        );
    });
}

#[test]
fn new_mechanism_takes_weights_and_pays_when_the_number_rises() {
    earned().build_and_execute(|| {
        MaxAllowedUids::<Test>::insert(NETUID, 85);
        assert_ok!(SubtensorModule::do_set_max_mechanism_count(MechId(3)));
        assert_ok!(SubtensorModule::do_set_mechanism_count(NETUID, MechId(3)));
        let third = NetUidStorageIndex::new(NETUID, MechId(2));
        assert_eq!(LastUpdate::<Test>::get(third).to_vec(), [0; 7]);
        run_to(6);
        assert_ok!(SubtensorModule::set_mechanism_weights(signed(ALICE), NETUID, MechId(2), vec![6], vec![1], 0));
        run_to(10);
        assert_eq!(Incentive::<Test>::get(third)[6], PerU16::from_parts(65_535));
        assert!(TotalHotkeyAlpha::<Test>::get(hot(6), NETUID).0 > 0);
    });
}

#[test]
fn miners_are_paid_by_the_split_when_one_is_set() {
    earned().build_and_execute(|| {
        assert_ok!(SubtensorModule::do_set_emission_split(NETUID, Some(vec![49_151, 16_384])));
        for validator in [ALICE, BOB] {
            let set = |mecid, uid| {
                SubtensorModule::set_mechanism_weights(signed(validator), NETUID, MechId(mecid), vec![uid], vec![1], 0)
            };
            assert_ok!(set(0, 3));
            assert_ok!(set(1, 4));
        }
        run_to(10);
        let stake = |uid| TotalHotkeyAlpha::<Test>::get(hot(uid), NETUID).0;
        let pool = stake(3) + stake(4);
        assert!((stake(3) * 65_535 / pool).abs_diff(49_151) <= 1);
        let consensus = Consensus::<Test>::get(NETUID);
        assert!(consensus[3].deconstruct().abs_diff(49_151) <= 1, "{consensus:?}");
        assert!(consensus[4].deconstruct().abs_diff(16_384) <= 1, "{consensus:?}");
    });
}
