// SPDX-License-Identifier: Apache-2.0

//! Who may change what, how often, and when.

use super::{cases::*, mock::*};
use crate::Call;
use frame_support::{assert_noop, assert_ok};
use pallet_subtensor::{Error as Refused, MechId, NetUid};
use sp_runtime::DispatchError;

#[test]
fn call_is_refused_when_a_stranger_makes_it() {
    for case in cases() {
        build_and_execute(|| {
            assert_noop!(case.dispatch(other()), DispatchError::BadOrigin);
            assert_noop!(case.dispatch(RuntimeOrigin::none()), DispatchError::BadOrigin);
            // The owner's hotkey is not its coldkey.
            assert_noop!(case.dispatch(RuntimeOrigin::signed(hot(0))), DispatchError::BadOrigin);
        });
    }
}

#[test]
fn call_is_refused_when_the_owner_makes_one_of_roots() {
    for case in cases().into_iter().filter(|case| !case.owner) {
        build_and_execute(|| {
            assert_noop!(case.dispatch(owner()), DispatchError::BadOrigin);
        });
    }
}

#[test]
fn owner_has_to_wait_when_it_made_the_same_change() {
    for case in cases().into_iter().filter(|case| case.owner) {
        build_and_execute(|| {
            run_to(10);
            assert_ok!(case.dispatch(owner()));
            run_to(12);
            assert_noop!(case.dispatch(owner()), Refused::<Test>::TxRateLimitExceeded);
            assert_ok!(case.dispatch(root()));
        });
    }
}

#[test]
fn owner_may_change_a_parameter_again_when_two_tempos_have_passed() {
    build_and_execute(|| {
        let set =
            |period| dispatch(Call::sudo_set_immunity_period { netuid: NETUID, immunity_period: period }, owner());
        run_to(10);
        assert_ok!(set(1));
        // Another parameter has a limit of its own.
        assert_ok!(dispatch(Call::sudo_set_min_allowed_weights { netuid: NETUID, min_allowed_weights: 2 }, owner()));
        run_to(10 + 2 * TEMPO - 1);
        assert_noop!(set(2), Refused::<Test>::TxRateLimitExceeded);
        run_to(10 + 2 * TEMPO);
        assert_ok!(set(3));
        assert_ok!(dispatch(Call::sudo_set_owner_hparam_rate_limit { epochs: 0 }, root()));
        assert_ok!(set(4));
    });
}

/// Calls of root on one subnet that wait for no epoch, by the public chain's indices.
const AT_ANY_TIME: [u8; 7] = [7, 8, 16, 39, 65, 84, 94];
/// The activity factor waits for owners alone.
const FOR_OWNERS_ALONE: u8 = 97;

#[test]
fn nobody_may_change_a_subnet_when_an_epoch_is_near() {
    let mut free = 0;
    for case in cases().into_iter().filter(|case| case.subnet) {
        build_and_execute(|| {
            run_to(TEMPO - 9);
            let index = codec::Encode::encode(&case.call)[0];
            if case.owner {
                assert_noop!(case.dispatch(owner()), Refused::<Test>::AdminActionProhibitedDuringWeightsWindow);
            }
            if AT_ANY_TIME.contains(&index) || index == FOR_OWNERS_ALONE {
                assert_ok!(case.dispatch(root()));
                free += 1;
            } else {
                assert_noop!(case.dispatch(root()), Refused::<Test>::AdminActionProhibitedDuringWeightsWindow);
                // Root closes the window.
                assert_ok!(dispatch(Call::sudo_set_admin_freeze_window { window: 0 }, root()));
                assert_ok!(case.dispatch(root()));
            }
        });
    }
    assert_eq!(free, 8);
}

#[test]
fn freeze_window_opens_and_closes_to_the_block_when_time_passes() {
    build_and_execute(|| {
        let frozen = |block| SubtensorModule::is_in_admin_freeze_window(NETUID, block);
        assert!(!frozen(TEMPO - 10));
        assert!(frozen(TEMPO - 9));
        assert!(frozen(TEMPO - 1));
        run_to(TEMPO);
        assert!(!frozen(TEMPO));
        assert!(frozen(2 * TEMPO - 1));
        // An epoch that was put off keeps it shut.
        pallet_subtensor::PendingEpochAt::<Test>::insert(NETUID, TEMPO + 20);
        assert!(frozen(TEMPO + 1));
        pallet_subtensor::PendingEpochAt::<Test>::remove(NETUID);
        assert_ok!(dispatch(Call::sudo_set_admin_freeze_window { window: 0 }, root()));
        assert!(!frozen(2 * TEMPO - 1));
        pallet_subtensor::Tempo::<Test>::insert(NETUID, 0);
        assert!(!frozen(2 * TEMPO));
    });
}

#[test]
fn mechanisms_and_trimming_have_limits_of_their_own_when_the_owner_changes_them() {
    build_and_execute(|| {
        let count = |count| {
            dispatch(Call::sudo_set_mechanism_count { netuid: NETUID, mechanism_count: MechId(count) }, owner())
        };
        let trim = |max_n| dispatch(Call::sudo_trim_to_max_allowed_uids { netuid: NETUID, max_n }, owner());
        run_to(10);
        assert_ok!(count(1));
        assert_ok!(trim(100));
        assert_noop!(count(2), Refused::<Test>::TxRateLimitExceeded);
        assert_noop!(trim(90), Refused::<Test>::TxRateLimitExceeded);
        let at = |block: u64| {
            System::set_block_number(block);
            pallet_subtensor::LastEpochBlock::<Test>::insert(NETUID, block);
        };
        at(10 + 7_199);
        assert_noop!(count(2), Refused::<Test>::TxRateLimitExceeded);
        at(10 + 7_200);
        assert_ok!(count(2));
        at(10 + 215_999);
        assert_noop!(trim(90), Refused::<Test>::TxRateLimitExceeded);
        at(10 + 216_000);
        assert_ok!(trim(90));
    });
}

#[test]
fn tempo_may_change_again_when_the_least_tempo_has_passed() {
    build_and_execute(|| {
        let set = |tempo| dispatch(Call::sudo_set_tempo { netuid: NETUID, tempo }, owner());
        run_to(10);
        assert_ok!(set(200));
        run_to(29);
        assert_noop!(set(300), Refused::<Test>::TxRateLimitExceeded);
        run_to(30);
        assert_noop!(set(19), Refused::<Test>::TempoOutOfBounds);
        assert_noop!(set(50_401), Refused::<Test>::TempoOutOfBounds);
        assert_ok!(set(300));
    });
}

/// What the public chain's `call` says when there is no such subnet.
fn missing(call: &Call<Test>) -> DispatchError {
    match call {
        Call::sudo_set_mechanism_count { .. } | Call::sudo_set_mechanism_emission_split { .. } => {
            Refused::<Test>::MechanismDoesNotExist.into()
        }
        Call::sudo_trim_to_max_allowed_uids { .. } => Refused::<Test>::SubnetNotExists.into(),
        _ => crate::Error::<Test>::SubnetDoesNotExist.into(),
    }
}

#[test]
fn call_is_refused_when_there_is_no_such_subnet() {
    for case in cases().into_iter().filter(|case| case.subnet) {
        build_and_execute(|| {
            let elsewhere = |netuid| dispatch(elsewhere(&case.call, netuid), root());
            assert_noop!(elsewhere(NetUid(91)), missing(&case.call));
            assert_noop!(elsewhere(NetUid::ROOT), crate::Error::<Test>::NotPermittedOnRootSubnet);
        });
    }
}

#[test]
fn every_other_call_of_an_owner_is_refused_when_it_may_not_make_it() {
    for call in other_calls_of_owners() {
        build_and_execute(|| {
            pallet_subtensor::LiquidAlphaOn::<Test>::insert(NETUID, true);
            for origin in [other(), RuntimeOrigin::none(), RuntimeOrigin::signed(hot(0))] {
                assert_noop!(dispatch(call.clone(), origin), DispatchError::BadOrigin);
            }
            assert_noop!(dispatch(elsewhere(&call, NetUid(91)), root()), missing(&call));
            assert_noop!(dispatch(elsewhere(&call, NetUid(91)), owner()), DispatchError::BadOrigin);
            let on_root = crate::Error::<Test>::NotPermittedOnRootSubnet;
            assert_noop!(dispatch(elsewhere(&call, NetUid::ROOT), root()), on_root);
            run_to(TEMPO - 9);
            for origin in [owner(), root()] {
                let frozen = Refused::<Test>::AdminActionProhibitedDuringWeightsWindow;
                assert_noop!(dispatch(call.clone(), origin), frozen);
            }
            assert_ok!(dispatch(Call::sudo_set_admin_freeze_window { window: 0 }, root()));
            assert_ok!(dispatch(call.clone(), root()));
        });
    }
}

#[test]
fn authorities_stay_when_anyone_but_root_swaps_them() {
    build_and_execute(|| {
        let swap = || Call::swap_authorities { new_authorities: frame_support::BoundedVec::default() };
        for origin in [owner(), other(), RuntimeOrigin::none()] {
            assert_noop!(dispatch(swap(), origin), DispatchError::BadOrigin);
        }
    });
}
