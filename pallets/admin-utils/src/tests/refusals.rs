// SPDX-License-Identifier: Apache-2.0

//! Each bound, from both sides, with the public chain's error.

use super::{cases::*, mock::*};
use crate::{Call, Error};
use frame_support::{BoundedVec, assert_noop, assert_ok};
use pallet_subtensor::{EpochConsensus, Error as Refused, FixedU128, MechId, TaoBalance};
use sp_runtime::DispatchError;

/// Root may not make `call`, for this reason.
fn refused(call: Call<Test>, error: impl Into<DispatchError>) {
    assert_noop!(dispatch(call, root()), error.into());
}

fn taken(call: Call<Test>) {
    assert_ok!(dispatch(call, root()));
}

#[test]
fn price_bounds_are_refused_when_they_are_out_of_line() {
    build_and_execute(|| {
        let min = |rao| Call::sudo_set_min_burn { netuid: NETUID, min_burn: TaoBalance(rao) };
        let max = |rao| Call::sudo_set_max_burn { netuid: NETUID, max_burn: TaoBalance(rao) };
        refused(min(TAO), Error::<Test>::ValueNotInBounds);
        refused(max(TAO / 10), Error::<Test>::ValueNotInBounds);
        taken(max(TAO / 10 + 1));
        refused(min(TAO / 10 + 1), Error::<Test>::ValueNotInBounds);
        taken(min(TAO / 10));
        refused(max(TAO / 10), Error::<Test>::ValueNotInBounds);
    });
}

#[test]
fn neurons_are_refused_when_they_do_not_fit() {
    build_and_execute(|| {
        let most = |max_allowed_uids| Call::sudo_set_max_allowed_uids { netuid: NETUID, max_allowed_uids };
        let least = |min_allowed_uids| Call::sudo_set_min_allowed_uids { netuid: NETUID, min_allowed_uids };
        refused(most(63), Error::<Test>::MaxAllowedUidsLessThanMinAllowedUids);
        refused(least(7), Error::<Test>::MinAllowedUidsGreaterThanCurrentUids);
        refused(least(128), Error::<Test>::MinAllowedUidsGreaterThanMaxAllowedUids);
        taken(least(2));
        refused(most(6), Error::<Test>::MaxAllowedUIdsLessThanCurrentUIds);
        refused(most(257), Error::<Test>::MaxAllowedUidsGreaterThanDefaultMaxAllowedUids);
        refused(most(129), Refused::<Test>::TooManyUIDsPerMechanism);
        taken(most(128));
        taken(most(7));
        let permits = |count| Call::sudo_set_max_allowed_validators { netuid: NETUID, max_allowed_validators: count };
        refused(permits(8), Error::<Test>::MaxValidatorsLargerThanMaxUIds);
        taken(permits(7));
    });
}

#[test]
fn bonds_of_an_owner_are_refused_when_they_would_hardly_move() {
    build_and_execute(|| {
        let call = |bonds_moving_average| Call::sudo_set_bonds_moving_average { netuid: NETUID, bonds_moving_average };
        assert_noop!(dispatch(call(975_001), owner()), Error::<Test>::BondsMovingAverageMaxReached);
        taken(call(975_001));
        let steepness = |steepness| Call::sudo_set_alpha_sigmoid_steepness { netuid: NETUID, steepness };
        assert_noop!(dispatch(steepness(-1), owner()), Error::<Test>::NegativeSigmoidSteepness);
        taken(steepness(-1));
    });
}

#[test]
fn alpha_values_are_refused_when_they_are_off_low_or_crossed() {
    build_and_execute(|| {
        let off = Call::sudo_set_alpha_values { netuid: NETUID, alpha_low: 2_000, alpha_high: 3_000 };
        refused(off, Refused::<Test>::LiquidAlphaDisabled);
        refused(alpha_values(1_638, 1_637), Refused::<Test>::AlphaHighTooLow);
        refused(alpha_values(1_637, 65_535), Refused::<Test>::AlphaLowOutOfRange);
        refused(alpha_values(3_001, 3_000), Refused::<Test>::AlphaLowOutOfRange);
        taken(alpha_values(1_638, 1_638));
    });
}

#[test]
fn reveal_period_is_refused_when_it_is_zero_or_long() {
    build_and_execute(|| {
        let call = |interval| Call::sudo_set_commit_reveal_weights_interval { netuid: NETUID, interval };
        refused(call(0), Refused::<Test>::RevealPeriodTooSmall);
        refused(call(101), Refused::<Test>::RevealPeriodTooLarge);
        taken(call(1));
        taken(call(100));
    });
}

#[test]
fn activity_is_refused_when_it_is_out_of_bounds() {
    build_and_execute(|| {
        let factor = |factor_milli| Call::sudo_set_activity_cutoff_factor { netuid: NETUID, factor_milli };
        refused(factor(999), Refused::<Test>::ActivityCutoffFactorMilliOutOfBounds);
        refused(factor(50_001), Refused::<Test>::ActivityCutoffFactorMilliOutOfBounds);
        taken(factor(1_000));
        let cutoff = |activity_cutoff| Call::sudo_set_activity_cutoff { netuid: NETUID, activity_cutoff };
        refused(cutoff(359), Refused::<Test>::ActivityCutoffTooLow);
        taken(cutoff(360));
    });
}

#[test]
fn price_movement_is_refused_when_it_is_out_of_bounds() {
    build_and_execute(|| {
        let half_life = |burn_half_life| Call::sudo_set_burn_half_life { netuid: NETUID, burn_half_life };
        refused(half_life(0), Error::<Test>::InvalidValue);
        refused(half_life(36_101), Error::<Test>::InvalidValue);
        taken(half_life(1));
        let factor =
            |bits| Call::sudo_set_burn_increase_mult { netuid: NETUID, burn_increase_mult: FixedU128 { bits } };
        refused(factor((1 << 64) - 1), Error::<Test>::InvalidValue);
        refused(factor((3 << 64) + 1), Error::<Test>::InvalidValue);
        taken(factor(1 << 64));
    });
}

#[test]
fn mechanisms_are_refused_when_there_are_none_or_too_many() {
    build_and_execute(|| {
        let count = |count| Call::sudo_set_mechanism_count { netuid: NETUID, mechanism_count: MechId(count) };
        let most = |count| Call::sudo_set_max_mechanism_count { max_mechanism_count: MechId(count) };
        refused(count(0), Refused::<Test>::InvalidValue);
        refused(count(3), Refused::<Test>::InvalidValue);
        refused(most(0), Refused::<Test>::InvalidValue);
        refused(most(17), Refused::<Test>::InvalidValue);
        taken(most(3));
        refused(count(3), Refused::<Test>::TooManyUIDsPerMechanism);
        taken(Call::sudo_set_max_allowed_uids { netuid: NETUID, max_allowed_uids: 85 });
        taken(count(3));
    });
}

#[test]
fn split_is_refused_when_it_does_not_sum_up() {
    build_and_execute(|| {
        let split = |parts: &[u16]| Call::sudo_set_mechanism_emission_split {
            netuid: NETUID,
            maybe_split: Some(parts.to_vec()),
        };
        for parts in [&[][..], &[65_534], &[65_535, 1], &[1, 2], &[65_535, 65_535], &[1, 1, 65_533], &[65_535, 0, 0]] {
            refused(split(parts), Refused::<Test>::InvalidValue);
        }
        taken(split(&[65_535, 0]));
        taken(split(&[65_535]));
    });
}

#[test]
fn value_is_refused_when_this_chain_cannot_have_it() {
    build_and_execute(|| {
        refused(
            Call::sudo_set_network_pow_registration_allowed { netuid: NETUID, registration_allowed: true },
            Error::<Test>::POWRegistrationDisabled,
        );
        refused(
            Call::sudo_set_epoch_consensus { netuid: NETUID, mode: EpochConsensus::Null },
            Error::<Test>::InvalidValue,
        );
        refused(Call::sudo_set_max_epochs_per_block { max_epochs_per_block: 0 }, Error::<Test>::ValueNotInBounds);
        let epochs = Call::sudo_set_max_epochs_per_block { max_epochs_per_block: 0 };
        assert_noop!(dispatch(epochs, owner()), DispatchError::BadOrigin);
        refused(Call::swap_authorities { new_authorities: BoundedVec::default() }, Error::<Test>::InvalidValue);
        let immune = |immune_neurons| Call::sudo_set_owner_immune_neuron_limit { netuid: NETUID, immune_neurons };
        refused(immune(0), Refused::<Test>::InvalidValue);
        refused(immune(11), Refused::<Test>::InvalidValue);
        let own = SubtensorModule::account();
        refused(
            Call::sudo_set_sn_owner_hotkey { netuid: NETUID, hotkey: own },
            Refused::<Test>::CannotUseSystemAccount,
        );
    });
}

#[test]
fn trimming_is_refused_when_it_is_out_of_bounds() {
    build_and_execute(|| {
        let trim = |max_n| Call::sudo_trim_to_max_allowed_uids { netuid: NETUID, max_n };
        refused(trim(63), Refused::<Test>::InvalidValue);
        refused(trim(129), Refused::<Test>::InvalidValue);
        taken(trim(128));
    });
}

#[test]
fn collateral_and_takes_are_refused_when_they_are_out_of_bounds() {
    build_and_execute(|| {
        let share = |lock_share| Call::sudo_set_collateral_lock_share { netuid: NETUID, lock_share };
        refused(share(62_259), Error::<Test>::CollateralLockShareTooHigh);
        taken(share(62_258));
        taken(share(0));
        let ratio = |bits| Call::sudo_set_collateral_drain_ratio { netuid: NETUID, drain_ratio: FixedU128 { bits } };
        refused(ratio(0), Error::<Test>::CollateralDrainRatioOutOfBounds);
        refused(ratio((10 << 64) + 1), Error::<Test>::CollateralDrainRatioOutOfBounds);
        taken(ratio(1));
        let take = |parts| Call::sudo_set_min_childkey_take_per_subnet {
            netuid: NETUID,
            take: sp_runtime::PerU16::from_parts(parts),
        };
        refused(take(11_797), Error::<Test>::InvalidValue);
        taken(take(0));
    });
}
