// SPDX-License-Identifier: Apache-2.0

//! Who may commit, how much, and for how long it stays.

use super::mock::*;
use crate::*;
use frame_support::{BoundedVec, assert_noop, assert_ok, dispatch::DispatchResult};
use sp_runtime::DispatchError;

fn commit(uid: u8, len: usize) -> DispatchResult {
    Commitments::set_commitment(RuntimeOrigin::signed(hot(uid)), NETUID, info(len))
}

#[test]
fn commitment_is_stored_when_a_neuron_makes_it() {
    build_and_execute(|| {
        run_to(4);
        assert_ok!(commit(1, 200));
        let stored = CommitmentOf::<Test>::get(NETUID, hot(1)).unwrap();
        assert_eq!((stored.block, stored.deposit.0, stored.info), (4, 0, *info(200)));
        assert_eq!(LastCommitment::<Test>::get(NETUID, hot(1)), Some(4));
        assert_eq!(UsedSpaceOf::<Test>::get(NETUID, hot(1)), Some(UsageTracker { last_epoch: 0, used_space: 200 }));
        let event = System::read_events_for_pallet::<Event<Test>>().pop();
        assert_eq!(event, Some(Event::Commitment { netuid: NETUID, who: hot(1) }));
        assert_ok!(commit(1, 10));
        assert_eq!(CommitmentOf::<Test>::get(NETUID, hot(1)).unwrap().info, *info(10));
    });
}

#[test]
fn commitment_is_refused_when_the_signer_is_no_neuron() {
    build_and_execute(|| {
        assert_noop!(commit(9, 10), Error::<Test>::AccountNotAllowedCommit);
        assert_noop!(
            Commitments::set_commitment(RuntimeOrigin::signed(hot(1)), NetUid(91), info(10)),
            Error::<Test>::AccountNotAllowedCommit
        );
        assert_noop!(Commitments::set_commitment(RuntimeOrigin::none(), NETUID, info(10)), DispatchError::BadOrigin);
    });
}

#[test]
fn commitment_is_refused_when_the_space_of_the_epoch_is_used() {
    build_and_execute(|| {
        // Each counts as 100 bytes at least: 31 fill 3,100.
        for _ in 0..31 {
            assert_ok!(commit(1, 1));
        }
        assert_noop!(commit(1, 1), Error::<Test>::SpaceLimitExceeded);
        assert_ok!(commit(2, 1));
        run_to(9);
        assert_noop!(commit(1, 1), Error::<Test>::SpaceLimitExceeded);
        run_to(10);
        assert_ok!(commit(1, 384));
        assert_eq!(UsedSpaceOf::<Test>::get(NETUID, hot(1)), Some(UsageTracker { last_epoch: 1, used_space: 384 }));
    });
}

#[test]
fn space_changes_when_root_says_so() {
    build_and_execute(|| {
        assert_noop!(Commitments::set_max_space(RuntimeOrigin::signed(hot(1)), 99), DispatchError::BadOrigin);
        assert_ok!(Commitments::set_max_space(RuntimeOrigin::root(), 99));
        assert_noop!(commit(1, 1), Error::<Test>::SpaceLimitExceeded);
        assert_ok!(Commitments::set_max_space(RuntimeOrigin::root(), 1_536));
        let field = Data::BigRaw(BoundedVec::truncate_from(vec![1; 512]));
        let fields = BoundedVec::truncate_from(vec![field; 3]);
        assert_ok!(Commitments::set_commitment(
            RuntimeOrigin::signed(hot(1)),
            NETUID,
            Box::new(CommitmentInfo { fields })
        ));
    });
}

#[test]
fn nothing_is_left_when_the_neuron_has_to_go() {
    build_and_execute(|| {
        for uid in 0..3 {
            assert_ok!(commit(uid, 10));
        }
        assert_ok!(SubtensorModule::burned_register(RuntimeOrigin::signed(cold(7)), NETUID, hot(7)));
        let gone: Vec<u8> =
            (0..3).filter(|uid| pallet_subtensor::Uids::<Test>::get(NETUID, hot(*uid)).is_none()).collect();
        assert_eq!(gone.len(), 1);
        assert!(!CommitmentOf::<Test>::contains_key(NETUID, hot(gone[0])));
        assert!(!UsedSpaceOf::<Test>::contains_key(NETUID, hot(gone[0])));
        assert_eq!(CommitmentOf::<Test>::iter().count(), 2);
        assert!(!CommitmentOf::<Test>::contains_key(NETUID, hot(7)));
    });
}
