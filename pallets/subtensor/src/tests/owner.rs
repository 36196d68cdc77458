// SPDX-License-Identifier: Apache-2.0

//! What the owner of a subnet may change, and when.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use sp_runtime::DispatchError;

fn owner(number: u16) -> RuntimeOrigin {
    RuntimeOrigin::signed(cold(number))
}

/// Plain weights, an epoch every 100 blocks, the last 10 of which are frozen.
fn long() -> Ext {
    let mut ext = Ext::plain();
    ext.config.subnets[0].hyperparameters.tempo = Some(100);
    ext
}

#[test]
fn tempo_is_refused_when_an_epoch_is_near() {
    long().build_and_execute(|| {
        run_to(90);
        assert!(!SubtensorModule::is_in_admin_freeze_window(NETUID, 90));
        run_to(91);
        assert!(SubtensorModule::is_in_admin_freeze_window(NETUID, 91));
        let call = || SubtensorModule::set_tempo(owner(OWNER), NETUID, 50);
        assert_noop!(call(), Error::<Test>::AdminActionProhibitedDuringWeightsWindow);
        run_to(100);
        assert_ok!(call());
        PendingEpochAt::<Test>::insert(NETUID, 101);
        assert_noop!(call(), Error::<Test>::AdminActionProhibitedDuringWeightsWindow);
        Tempo::<Test>::insert(NETUID, 0);
        assert_ok!(call());
    });
}

#[test]
fn activity_cutoff_changes_when_the_owner_or_root_sets_it() {
    long().build_and_execute(|| {
        let call = |origin, netuid, factor| SubtensorModule::set_activity_cutoff_factor(origin, NetUid(netuid), factor);
        let out = Error::<Test>::ActivityCutoffFactorMilliOutOfBounds;
        assert_noop!(call(RuntimeOrigin::none(), 92, 2_000), DispatchError::BadOrigin);
        assert_noop!(call(owner(ALICE), 92, 2_000), DispatchError::BadOrigin);
        assert_noop!(call(owner(OWNER), 91, 2_000), Error::<Test>::SubnetNotExists);
        assert_noop!(call(RuntimeOrigin::root(), 91, 2_000), Error::<Test>::SubnetNotExists);
        assert_noop!(call(owner(OWNER), 92, 999), out);
        assert_noop!(call(owner(OWNER), 92, 50_001), Error::<Test>::ActivityCutoffFactorMilliOutOfBounds);
        assert_ok!(call(owner(OWNER), 92, 1_000));
        assert_eq!(last_event(), Event::ActivityCutoffFactorMilliSet { netuid: NETUID, factor_milli: 1_000 });
        assert_eq!(ActivityCutoffFactorMilli::<Test>::get(NETUID), 1_000);
        // Two tempos from block 1.
        run_to(200);
        assert_noop!(call(owner(OWNER), 92, 50_000), Error::<Test>::TxRateLimitExceeded);
        run_to(201);
        assert_ok!(call(owner(OWNER), 92, 50_000));
        run_to(295);
        assert_noop!(call(owner(OWNER), 92, 2_000), Error::<Test>::AdminActionProhibitedDuringWeightsWindow);
        assert_ok!(call(RuntimeOrigin::root(), 92, 2_000));
    });
}

#[test]
fn epoch_comes_forward_when_the_owner_triggers_it() {
    long().build_and_execute(|| {
        let call = |number, netuid| SubtensorModule::trigger_epoch(owner(number), NetUid(netuid));
        run_to(20);
        assert_noop!(call(ALICE, 92), DispatchError::BadOrigin);
        assert_noop!(call(OWNER, 91), Error::<Test>::SubnetNotExists);
        CommitRevealWeightsEnabled::<Test>::insert(NETUID, true);
        assert_noop!(call(OWNER, 92), Error::<Test>::DynamicTempoBlockedByCommitReveal);
        CommitRevealWeightsEnabled::<Test>::insert(NETUID, false);
        assert_ok!(call(OWNER, 92));
        assert_eq!(last_event(), Event::EpochTriggered { netuid: NETUID, by: cold(OWNER), fires_at: 30 });
        assert_noop!(call(OWNER, 92), Error::<Test>::EpochTriggerAlreadyPending);
        assert_eq!(SubtensorModule::next_epoch_start_block(NETUID), Some(30));
        run_to(29);
        assert_eq!(SubnetEpochIndex::<Test>::get(NETUID), 0);
        run_to(30);
        assert_eq!((SubnetEpochIndex::<Test>::get(NETUID), LastEpochBlock::<Test>::get(NETUID)), (1, 30));
        assert_noop!(call(OWNER, 92), Error::<Test>::TxRateLimitExceeded);
        run_to(121);
        assert_noop!(call(OWNER, 92), Error::<Test>::AutoEpochAlreadyImminent);
        run_to(130);
        assert_eq!(SubnetEpochIndex::<Test>::get(NETUID), 2);
        run_to(220);
        assert_ok!(call(OWNER, 92));
    });
}

fn identity(call: impl Fn(usize) -> usize) -> DispatchResult {
    let field = |place: usize| vec![b'x'; call(place)];
    SubtensorModule::set_subnet_identity(
        owner(OWNER),
        NETUID,
        field(0),
        field(1),
        field(2),
        field(3),
        field(4),
        field(5),
        field(6),
        field(7),
    )
}

#[test]
fn identity_is_stored_when_every_field_fits() {
    let most = |place: usize| if place == 0 || place == 4 { 256 } else { 1_024 };
    Ext::default().build_and_execute(|| {
        assert_ok!(identity(most));
        assert_eq!(last_event(), Event::SubnetIdentitySet(NETUID));
        let stored = SubnetIdentitiesV3::<Test>::get(NETUID).unwrap();
        assert!(stored.is_valid());
        assert_eq!(codec::Encode::encoded_size(&stored), <SubnetIdentityV3 as codec::MaxEncodedLen>::max_encoded_len());
        for long in 0..8 {
            let result = identity(|place| most(place) + usize::from(place == long));
            assert_eq!(result, Err(Error::<Test>::InvalidIdentity.into()), "field {long}");
        }
        let call = |number, netuid| {
            let none = Vec::new;
            let origin = owner(number);
            SubtensorModule::set_subnet_identity(
                origin,
                NetUid(netuid),
                none(),
                none(),
                none(),
                none(),
                none(),
                none(),
                none(),
                none(),
            )
        };
        assert_noop!(call(ALICE, 92), Error::<Test>::NotSubnetOwner);
        assert_noop!(call(OWNER, 91), Error::<Test>::SubnetNotExists);
    });
}
