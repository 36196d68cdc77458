// SPDX-License-Identifier: Apache-2.0

//! Committing timelocked weights.

use super::mock::*;
use crate::*;
use frame_support::{
    BoundedVec, assert_ok,
    dispatch::{DispatchErrorWithPostInfo, DispatchResultWithPostInfo, GetDispatchInfo, Pays},
};
use sp_runtime::{
    DispatchError,
    traits::{BlakeTwo256, Hash},
};

const INDEX: NetUidStorageIndex = NetUidStorageIndex(92);

fn call(number: u16, netuid: u16, mecid: u8, len: usize, round: u64, version: u16) -> DispatchResultWithPostInfo {
    SubtensorModule::commit_timelocked_mechanism_weights(
        signed(number),
        NetUid(netuid),
        MechId(mecid),
        vec![1; len].try_into().unwrap(),
        round,
        version,
    )
}

fn commit(number: u16) -> DispatchResultWithPostInfo {
    call(number, 92, 0, 100, 9, 4)
}

fn queue(epoch: u64) -> Vec<(u16, u64, usize, u64)> {
    TimelockedWeightCommits::<Test>::get(INDEX, epoch)
        .iter()
        .map(|(who, block, commit, round)| {
            ((0..300).find(|number| hot(*number) == *who).unwrap(), *block, commit.len(), *round)
        })
        .collect()
}

fn refused(result: DispatchResultWithPostInfo) -> Option<DispatchError> {
    result.err().map(|DispatchErrorWithPostInfo { error, .. }| error)
}

#[test]
fn commit_waits_in_its_epoch_when_all_checks_pass() {
    Ext::default().build_and_execute(|| {
        run_to(3);
        let info = commit(ALICE).unwrap();
        assert_eq!(info.pays_fee, Pays::No);
        assert_eq!(queue(0), [(ALICE, 3, 100, 9)]);
        assert_eq!(LastUpdate::<Test>::get(INDEX)[usize::from(ALICE)], 3);
        let hash = BlakeTwo256::hash(&[1; 100]);
        assert_eq!(last_event(), Event::TimelockedWeightsCommitted(hot(ALICE), INDEX, hash, 9));
        run_to(10);
        assert_ok!(commit(ALICE));
        assert_eq!(queue(1), [(ALICE, 10, 100, 9)]);
        assert_eq!(queue(0), [(ALICE, 3, 100, 9)]);
    });
}

#[test]
fn every_call_stores_the_same_when_it_names_the_main_mechanism() {
    Ext::with(|parameters| parameters.weights_set_rate_limit = Some(0)).build_and_execute(|| {
        let bytes = || BoundedVec::try_from(vec![1; 100]).unwrap();
        assert_ok!(SubtensorModule::commit_timelocked_weights(signed(ALICE), NETUID, bytes(), 9, 4));
        assert_ok!(SubtensorModule::commit_crv3_mechanism_weights(signed(ALICE), NETUID, MechId(0), bytes(), 9));
        assert_ok!(commit(ALICE));
        assert_eq!(queue(0), [(ALICE, 1, 100, 9); 3]);
        assert_ok!(call(ALICE, 92, 1, 50, 9, 4));
        let other = TimelockedWeightCommits::<Test>::get(NetUidStorageIndex(4096 + 92), 0);
        assert_eq!(other.len(), 1);
        // The call without a version stands for version 4.
        CommitRevealWeightsVersion::<Test>::put(5);
        let old = SubtensorModule::commit_crv3_mechanism_weights(signed(ALICE), NETUID, MechId(0), bytes(), 9);
        assert_eq!(refused(old), Some(Error::<Test>::IncorrectCommitRevealVersion.into()));
    });
}

#[test]
fn commit_is_refused_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        publish(8);
        StakeThreshold::<Test>::put(TAO);
        for (result, error) in [
            (call(200, 0, 0, 100, 9, 4), Error::<Test>::CanNotSetRootNetworkWeights),
            (call(200, 91, 0, 100, 9, 4), Error::MechanismDoesNotExist),
            (call(200, 92, 2, 100, 9, 4), Error::MechanismDoesNotExist),
            (call(200, 92, 0, 100, 9, 4), Error::HotKeyNotRegisteredInSubNet),
            (call(3, 92, 0, 100, 9, 4), Error::NotEnoughStakeToSetWeights),
            (call(ALICE, 92, 0, 100, 7, 4), Error::InvalidRevealRound),
            (call(ALICE, 92, 0, 100, 9, 3), Error::IncorrectCommitRevealVersion),
            (call(ALICE, 92, 0, 5_001, 9, 4), Error::CommitPayloadTooLarge),
            (call(ALICE, 92, 0, 32_768, 9, 4), Error::CommitPayloadTooLarge),
        ] {
            assert_eq!(refused(result), Some(error.into()));
        }
        assert_eq!(queue(0), []);
        // The newest round itself, and the largest commit, will do.
        assert_ok!(call(ALICE, 92, 0, 5_000, 8, 4));
        assert_eq!(refused(commit(ALICE)), Some(Error::<Test>::CommittingWeightsTooFast.into()));
        // The owner needs no stake.
        assert_ok!(commit(OWNER));
        CommitRevealWeightsEnabled::<Test>::insert(NETUID, false);
        assert_eq!(refused(commit(BOB)), Some(Error::<Test>::CommitRevealDisabled.into()));
        let none = SubtensorModule::commit_timelocked_weights(RuntimeOrigin::none(), NETUID, Default::default(), 9, 4);
        assert_eq!(refused(none), Some(DispatchError::BadOrigin));
    });
}

#[test]
fn argument_does_not_decode_when_it_is_above_32_kibibytes() {
    use codec::{DecodeAll, Encode};
    let call = |len: usize| {
        let mut bytes = vec![113];
        (NETUID, vec![1_u8; len], 9_u64, 4_u16).encode_to(&mut bytes);
        Call::<Test>::decode_all(&mut &bytes[..])
    };
    assert!(call(32_768).is_ok());
    assert!(call(32_769).is_err());
}

#[test]
fn eleventh_commit_of_an_epoch_is_refused_when_ten_wait() {
    Ext::with(|parameters| parameters.weights_set_rate_limit = Some(0)).build_and_execute(|| {
        for _ in 0..10 {
            assert_ok!(commit(ALICE));
        }
        assert_eq!(refused(commit(ALICE)), Some(Error::<Test>::TooManyUnrevealedCommits.into()));
        // Others, another mechanism and the next epoch have room of their own.
        assert_ok!(commit(BOB));
        assert_ok!(call(ALICE, 92, 1, 100, 9, 4));
        run_to(10);
        assert_ok!(commit(ALICE));
        assert_eq!(queue(0).len(), 11);
    });
}

#[test]
fn commit_is_refused_when_the_queue_is_full() {
    Ext::default().build_and_execute(|| {
        let entry = |number| (hot(number), 1, BoundedVec::default(), 9);
        let all = (0..256).flat_map(|number| vec![entry(number + 1_000); 10]).collect();
        TimelockedWeightCommits::<Test>::insert(INDEX, 0, TimelockedQueue::new(all).unwrap());
        assert_eq!(refused(commit(ALICE)), Some(Error::<Test>::CommitQueueFull.into()));
    });
}

#[test]
fn commit_weighs_what_its_queue_holds_when_dispatched() {
    Ext::with(|parameters| parameters.weights_set_rate_limit = Some(0)).build_and_execute(|| {
        let declared = Call::<Test>::commit_timelocked_weights {
            netuid: NETUID,
            commit: Default::default(),
            reveal_round: 9,
            commit_reveal_version: 4,
        }
        .get_dispatch_info();
        assert_eq!(declared.pays_fee, Pays::No);
        let weight = || call(ALICE, 92, 0, 5_000, 9, 4).unwrap().actual_weight.unwrap();
        let (first, second) = (weight(), weight());
        assert!(second.ref_time() > first.ref_time());
        assert!(declared.call_weight.all_gte(second));
        // What one commit may take at most is a fraction of a block of two seconds.
        assert!(declared.call_weight.ref_time() < 200_000_000_000, "{:?}", declared.call_weight);
    });
}
