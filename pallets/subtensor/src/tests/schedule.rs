// SPDX-License-Identifier: Apache-2.0

//! When epochs run.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

/// The default subnet and `count` others with the same tempo, from netuid 1.
fn with_others(count: u16) -> Ext {
    let mut ext = Ext::default();
    let template = ext.config.subnets[0].clone();
    for netuid in 1..=count {
        let mut subnet = template.clone();
        subnet.netuid = NetUid(netuid);
        ext.config.subnets.push(subnet);
    }
    ext
}

#[test]
fn epochs_run_once_per_tempo_when_nothing_intervenes() {
    Ext::default().build_and_execute(|| {
        for block in 1..=35 {
            run_to(block);
            assert_eq!(SubnetEpochIndex::<Test>::get(NETUID), block / 10, "block {block}");
            assert_eq!(LastEpochBlock::<Test>::get(NETUID), block / 10 * 10);
            assert_eq!(BlocksSinceLastStep::<Test>::get(NETUID), block % 10);
            assert_eq!(SubtensorModule::next_epoch_start_block(NETUID), Some(block / 10 * 10 + 10));
            assert!(!SubtensorModule::should_run_epoch(NETUID, block));
            assert_eq!(SubtensorModule::current_epoch_with_lookahead(NETUID), block / 10);
        }
        assert_eq!(LastMechansimStepBlock::<Test>::get(NETUID), 30);
    });
}

#[test]
fn next_epoch_is_that_of_the_public_vectors_when_state_is_set() {
    Ext::default().build_and_execute(|| {
        let next = |last: u64, pending: u64, tempo: u16| {
            LastEpochBlock::<Test>::insert(NETUID, last);
            PendingEpochAt::<Test>::insert(NETUID, pending);
            Tempo::<Test>::insert(NETUID, tempo);
            SubtensorModule::next_epoch_start_block(NETUID)
        };
        assert_eq!(next(10, 0, 0), None);
        assert_eq!(next(10, 0, 50), Some(60));
        assert_eq!(next(80, 95, 20), Some(95));
        assert_eq!(SubtensorModule::next_epoch_start_block(NetUid(1)), None);
    });
}

#[test]
fn epoch_is_due_when_any_of_three_conditions_holds() {
    Ext::default().build_and_execute(|| {
        let due = |block, last, pending, since, tempo| {
            LastEpochBlock::<Test>::insert(NETUID, last);
            PendingEpochAt::<Test>::insert(NETUID, pending);
            BlocksSinceLastStep::<Test>::insert(NETUID, since);
            Tempo::<Test>::insert(NETUID, tempo);
            SubtensorModule::should_run_epoch(NETUID, block)
        };
        assert!(!due(59, 10, 0, 49, 50));
        assert!(due(60, 10, 0, 50, 50));
        assert!(due(58, 10, 58, 48, 50));
        assert!(!due(57, 10, 58, 47, 50));
        assert!(due(59, 10, 0, 50_401, 50));
        assert!(!due(59, 10, 0, 50_400, 50));
        assert!(!due(99_999, 10, 58, 50_401, 0));
    });
}

#[test]
fn epochs_are_put_off_by_a_block_when_too_many_are_due() {
    let mut ext = with_others(4);
    ext.config.max_epochs_per_block = Some(2);
    ext.build_and_execute(|| {
        let index = |netuid| SubnetEpochIndex::<Test>::get(NetUid(netuid));
        run_to(10);
        assert_eq!([1, 2, 3, 4, 92].map(index), [1, 1, 0, 0, 0]);
        let deferred =
            |netuid, from_block| Event::EpochDeferred { netuid: NetUid(netuid), from_block, to_block: from_block + 1 };
        assert_eq!([3, 4, 92].map(|netuid| events().contains(&deferred(netuid, 10))), [true; 3]);
        assert_eq!(PendingEpochAt::<Test>::get(NETUID), 11);
        // A call in this block belongs to the epoch that is due.
        assert_eq!(SubtensorModule::current_epoch_with_lookahead(NETUID), 1);
        run_to(11);
        assert_eq!([1, 2, 3, 4, 92].map(index), [1, 1, 1, 1, 0]);
        assert!(events().contains(&deferred(92, 11)));
        run_to(12);
        assert_eq!([1, 2, 3, 4, 92].map(index), [1; 5]);
        assert_eq!(PendingEpochAt::<Test>::get(NETUID), 0);
        assert_eq!(LastEpochBlock::<Test>::get(NETUID), 12);
    });
}

#[test]
fn epochs_stop_when_the_tempo_is_zero() {
    Ext::with(|parameters| parameters.tempo = Some(0)).build_and_execute(|| {
        run_to(30);
        assert_eq!(SubnetEpochIndex::<Test>::get(NETUID), 0);
        assert_eq!(BlocksSinceLastStep::<Test>::get(NETUID), 30);
    });
}

#[test]
fn running_epoch_begins_anew_when_the_owner_sets_the_tempo() {
    let mut ext = Ext::default();
    ext.config.admin_freeze_window = Some(0);
    ext.build_and_execute(|| {
        run_to(7);
        let call = |number, netuid, tempo| {
            SubtensorModule::set_tempo(RuntimeOrigin::signed(cold(number)), NetUid(netuid), tempo)
        };
        assert_noop!(call(ALICE, 92, 5), DispatchError::BadOrigin);
        assert_noop!(call(OWNER, 91, 5), Error::<Test>::SubnetNotExists);
        assert_noop!(call(OWNER, 92, 1), Error::<Test>::TempoOutOfBounds);
        assert_noop!(call(OWNER, 92, 50_401), Error::<Test>::TempoOutOfBounds);
        assert_ok!(call(OWNER, 92, 5));
        assert_eq!(last_event(), Event::TempoSet(NETUID, 5));
        assert_eq!(SubtensorModule::next_epoch_start_block(NETUID), Some(12));
        run_to(12);
        assert_eq!(SubnetEpochIndex::<Test>::get(NETUID), 1);
    });
}
