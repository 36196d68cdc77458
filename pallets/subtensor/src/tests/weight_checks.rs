// SPDX-License-Identifier: Apache-2.0

//! Plain weights: every check, their order, and the scaling.

use super::mock::*;
use crate::{weight_setting::max_upscale, *};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo};
use proptest::prelude::*;
use sp_runtime::DispatchError;

fn set(number: u16, uids: &[u16], values: &[u16]) -> frame_support::dispatch::DispatchResult {
    SubtensorModule::set_weights(signed(number), NETUID, uids.to_vec(), values.to_vec(), 0)
}

#[test]
fn weights_are_stored_scaled_up_when_all_checks_pass() {
    Ext::plain().build_and_execute(|| {
        assert_ok!(set(ALICE, &[3, 4, 5], &[1, 2, 4]));
        assert_eq!(weights_of(0, ALICE), [(3, 16_384), (4, 32_768), (5, 65_535)]);
        assert_eq!(last_event(), Event::WeightsSet(NetUidStorageIndex(92), ALICE));
        assert_eq!(LastUpdate::<Test>::get(NetUidStorageIndex(92))[usize::from(ALICE)], 1);
    });
}

#[test]
fn weights_of_a_mechanism_are_apart_when_set_by_its_own_call() {
    Ext::plain().build_and_execute(|| {
        let call =
            |mecid| SubtensorModule::set_mechanism_weights(signed(ALICE), NETUID, MechId(mecid), vec![4], vec![9], 0);
        assert_ok!(call(1));
        assert_eq!(weights_of(0, ALICE), []);
        assert_eq!(weights_of(1, ALICE), [(4, 65_535)]);
        assert_eq!(last_event(), Event::WeightsSet(NetUidStorageIndex(4096 + 92), ALICE));
        assert_noop!(call(2), Error::<Test>::MechanismDoesNotExist);
    });
}

#[test]
fn weights_are_refused_when_the_subnet_wants_commit_and_reveal() {
    Ext::default().build_and_execute(|| {
        assert_noop!(set(ALICE, &[3], &[1]), Error::<Test>::CommitRevealEnabled);
    });
}

#[test]
fn weights_are_refused_when_the_origin_is_unsigned() {
    Ext::plain().build_and_execute(|| {
        assert_noop!(
            SubtensorModule::set_weights(RuntimeOrigin::none(), NETUID, vec![3], vec![1], 0),
            DispatchError::BadOrigin
        );
    });
}

/// One call at a time has one fault less: each check must come before all that follow.
#[test]
fn checks_come_in_the_order_of_the_public_chain_when_everything_is_wrong() {
    Ext::plain().build_and_execute(|| {
        let stranger = 200;
        let call = |number, netuid, mecid, uids: &[u16], values: &[u16], key| {
            SubtensorModule::set_mechanism_weights(
                signed(number),
                NetUid(netuid),
                MechId(mecid),
                uids.to_vec(),
                values.to_vec(),
                key,
            )
        };
        // Neuron 3 has no stake and no permit; it has just updated; nine uids, one twice, one not there.
        StakeThreshold::<Test>::put(TAO);
        WeightsVersionKey::<Test>::insert(NETUID, 7);
        MinAllowedWeights::<Test>::insert(NETUID, 4);
        LastUpdate::<Test>::mutate(NetUidStorageIndex(92), |blocks| {
            blocks.iter_mut().for_each(|block| *block = 1);
        });
        CommitRevealWeightsEnabled::<Test>::insert(NetUid::ROOT, false);
        let long = [3, 3, 99, 4, 5, 6, 0, 1, 2];
        let wrong = [3, 3, 99];

        assert_noop!(call(stranger, 0, 9, &long, &[1], 0), Error::<Test>::CanNotSetRootNetworkWeights);
        assert_noop!(call(stranger, 92, 9, &long, &[1], 0), Error::<Test>::WeightVecNotEqualSize);
        assert_noop!(call(stranger, 92, 9, &long, &[1; 9], 0), Error::<Test>::MechanismDoesNotExist);
        assert_noop!(call(stranger, 92, 0, &long, &[1; 9], 0), Error::<Test>::UidsLengthExceedUidsInSubNet);
        assert_noop!(call(stranger, 92, 0, &wrong, &[1; 3], 0), Error::<Test>::HotKeyNotRegisteredInSubNet);
        assert_noop!(call(3, 92, 0, &wrong, &[1; 3], 0), Error::<Test>::NotEnoughStakeToSetWeights);
        StakeThreshold::<Test>::kill();
        assert_noop!(call(3, 92, 0, &wrong, &[1; 3], 6), Error::<Test>::IncorrectWeightVersionKey);
        assert_noop!(call(3, 92, 0, &wrong, &[1; 3], 7), Error::<Test>::SettingWeightsTooFast);
        LastUpdate::<Test>::remove(NetUidStorageIndex(92));
        assert_noop!(call(3, 92, 0, &wrong, &[1; 3], 7), Error::<Test>::NeuronNoValidatorPermit);
        assert_noop!(call(ALICE, 92, 0, &wrong, &[1; 3], 7), Error::<Test>::DuplicateUids);
        assert_noop!(call(ALICE, 92, 0, &[3, 99], &[1; 2], 7), Error::<Test>::UidVecContainInvalidOne);
        assert_noop!(call(ALICE, 92, 0, &[3, 4, 5], &[1; 3], 7), Error::<Test>::WeightVecLengthIsLow);
        assert_ok!(call(ALICE, 92, 0, &[3, 4, 5, 6], &[1; 4], 7));
        LastUpdate::<Test>::mutate(NetUidStorageIndex(92), |blocks| blocks.resize_to(7, 0));
    });
}

#[test]
fn self_weight_needs_neither_permit_nor_length_when_it_is_the_only_one() {
    Ext::plain().build_and_execute(|| {
        MinAllowedWeights::<Test>::insert(NETUID, 4);
        assert_ok!(set(3, &[3], &[5]));
        assert_eq!(weights_of(0, 3), [(3, 65_535)]);
        assert_noop!(set(4, &[3], &[5]), Error::<Test>::NeuronNoValidatorPermit);
    });
}

#[test]
fn owner_needs_neither_stake_nor_permit_when_it_sets_weights() {
    Ext::plain().build_and_execute(|| {
        StakeThreshold::<Test>::put(TAO);
        assert!(!SubtensorModule::has_validator_permit(NETUID, OWNER));
        assert_ok!(set(OWNER, &[3, 4], &[5, 5]));
        assert_noop!(set(4, &[4], &[1]), Error::<Test>::NotEnoughStakeToSetWeights);
    });
}

#[test]
fn rate_limit_holds_to_the_block_when_weights_are_set_again() {
    Ext::plain().build_and_execute(|| {
        assert_ok!(set(ALICE, &[3], &[1]));
        run_to(5);
        assert_noop!(set(ALICE, &[3], &[1]), Error::<Test>::SettingWeightsTooFast);
        run_to(6);
        assert_ok!(set(ALICE, &[4], &[1]));
        assert_eq!(weights_of(0, ALICE), [(4, 65_535)]);
    });
}

#[test]
fn version_key_zero_takes_any_when_the_subnet_has_none() {
    Ext::plain().build_and_execute(|| {
        let with = |key| SubtensorModule::set_weights(signed(ALICE), NETUID, vec![3], vec![1], key);
        WeightsVersionKey::<Test>::insert(NETUID, 10);
        assert_noop!(with(9), Error::<Test>::IncorrectWeightVersionKey);
        assert_ok!(with(10));
        WeightsVersionKey::<Test>::remove(NETUID);
        run_to(6);
        assert_ok!(with(0));
    });
}

#[test]
fn call_is_free_and_normal_when_it_sets_weights() {
    let weight = |n: usize| {
        let info = Call::<Test>::set_weights { netuid: NETUID, dests: vec![0; n], weights: vec![0; n], version_key: 0 }
            .get_dispatch_info();
        assert_eq!(info.pays_fee, frame_support::dispatch::Pays::No);
        assert_eq!(info.class, frame_support::dispatch::DispatchClass::Normal);
        info.call_weight
    };
    assert!(weight(256).all_gt(weight(0).saturating_sub(frame_support::weights::Weight::from_parts(0, 1))));
    assert!(weight(0).proof_size() > 0);
}

#[test]
fn scaling_is_that_of_the_public_chain_when_values_are_edges() {
    let check = |values: &[u16], scaled: &[u16]| assert_eq!(max_upscale(values), scaled, "{values:?}");
    check(&[], &[]);
    check(&[0, 0], &[0, 0]);
    check(&[1], &[65_535]);
    check(&[1, 2], &[32_768, 65_535]);
    check(&[1, 3], &[21_845, 65_535]);
    check(&[32_768, 16_384, 1], &[65_535, 32_768, 2]);
    check(&[65_535, 32_768, 1], &[65_535, 32_768, 1]);
    // 65,535 / 40,000 is cut to 32 bits first, so the exact half of 32,767.5 is not reached.
    check(&[40_000, 20_000, 1], &[65_535, 32_767, 2]);
}

proptest! {
    #[test]
    fn scaled_weights_keep_their_order_and_proportion_when_any(values in prop::collection::vec(0_u16.., 1..64)) {
        let scaled = max_upscale(&values);
        let max = u64::from(*values.iter().max().unwrap());
        prop_assert_eq!(scaled.len(), values.len());
        for (value, scaled) in values.iter().zip(&scaled) {
            // Within half a unit, and the 2^-32 that the reciprocal is cut by, of the exact proportion.
            let exact = u64::from(*value) * 65_535;
            let given = u64::from(*scaled) * max;
            prop_assert!(max == 0 || given.abs_diff(exact) <= max / 2 + 1, "{} of {} gave {}", value, max, scaled);
        }
        if max > 0 {
            prop_assert_eq!(*scaled.iter().max().unwrap(), u16::MAX);
        }
    }
}
