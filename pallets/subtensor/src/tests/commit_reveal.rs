// SPDX-License-Identifier: Apache-2.0

//! Salted commits and their reveal.

use super::mock::*;
use crate::*;
use codec::Encode;
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use sp_core::{H256, crypto::Ss58Codec};

const SALT: [u16; 4] = [11, 22, 33, 44];

fn hash(number: u16, mecid: u8, uids: &[u16], values: &[u16]) -> H256 {
    let index = NetUidStorageIndex::new(NETUID, MechId(mecid));
    SubtensorModule::commit_hash(&hot(number), index, uids, values, &SALT, 0)
}

fn commit(number: u16, uids: &[u16], values: &[u16]) -> DispatchResult {
    SubtensorModule::commit_weights(signed(number), NETUID, hash(number, 0, uids, values))
}

fn reveal(number: u16, uids: &[u16], values: &[u16]) -> DispatchResult {
    SubtensorModule::reveal_weights(signed(number), NETUID, uids.to_vec(), values.to_vec(), SALT.to_vec(), 0)
}

fn queue(number: u16) -> Vec<(H256, u64, u64, u64)> {
    WeightCommits::<Test>::get(NetUidStorageIndex(92), hot(number)).unwrap_or_default().into_vec()
}

#[test]
fn hash_is_that_of_the_public_chain_when_compared_with_its_vectors() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/data/commit-hash-vectors.json")).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let list = |name: &str| -> Vec<u16> { serde_json::from_value(vector[name].clone()).unwrap() };
        let number = |name: &str| vector[name].as_u64().unwrap();
        let hotkey = sp_core::crypto::AccountId32::from_ss58check(vector["hotkey"].as_str().unwrap()).unwrap();
        let index = NetUidStorageIndex::new(
            NetUid(u16::try_from(number("netuid")).unwrap()),
            MechId(u8::try_from(number("mecid")).unwrap()),
        );
        let (uids, values, salt, key) = (list("uids"), list("values"), list("salt"), number("version_key"));
        let preimage = (&hotkey, index, &uids, &values, &salt, key).encode();
        let hex: String = preimage.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, vector["preimage"].as_str().unwrap());
        let hash = SubtensorModule::commit_hash(&hotkey, index, &uids, &values, &salt, key);
        assert_eq!(format!("{hash:?}"), vector["hash"].as_str().unwrap());
    }
}

#[test]
fn commit_is_stored_and_counts_as_an_update_when_all_checks_pass() {
    Ext::default().build_and_execute(|| {
        run_to(3);
        assert_ok!(commit(ALICE, &[3], &[1]));
        assert_eq!(queue(ALICE), [(hash(ALICE, 0, &[3], &[1]), 0, 3, 0)]);
        assert_eq!(LastUpdate::<Test>::get(NetUidStorageIndex(92))[usize::from(ALICE)], 3);
        assert_eq!(
            last_event(),
            Event::WeightsCommitted(hot(ALICE), NetUidStorageIndex(92), hash(ALICE, 0, &[3], &[1]))
        );
        assert_eq!(weights_of(0, ALICE), []);
    });
}

#[test]
fn commit_is_refused_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        let call = |number, netuid, mecid| {
            SubtensorModule::commit_mechanism_weights(signed(number), NetUid(netuid), MechId(mecid), H256::zero())
        };
        assert_noop!(call(200, 91, 0), Error::<Test>::MechanismDoesNotExist);
        assert_noop!(call(200, 92, 2), Error::<Test>::MechanismDoesNotExist);
        assert_noop!(call(200, 0, 0), Error::<Test>::CanNotSetRootNetworkWeights);
        assert_noop!(call(200, 92, 0), Error::<Test>::HotKeyNotRegisteredInSubNet);
        StakeThreshold::<Test>::put(TAO);
        assert_noop!(call(3, 92, 0), Error::<Test>::NotEnoughStakeToSetWeights);
        StakeThreshold::<Test>::kill();
        assert_ok!(call(ALICE, 92, 0));
        run_to(5);
        assert_noop!(call(ALICE, 92, 0), Error::<Test>::CommittingWeightsTooFast);
        assert_ok!(call(ALICE, 92, 1));
        run_to(6);
        assert_ok!(call(ALICE, 92, 0));
        CommitRevealWeightsEnabled::<Test>::insert(NETUID, false);
        assert_noop!(call(BOB, 92, 0), Error::<Test>::CommitRevealDisabled);
        assert_noop!(reveal(ALICE, &[3], &[1]), Error::<Test>::CommitRevealDisabled);
    });
}

#[test]
fn weights_come_into_force_when_revealed_in_the_next_epoch() {
    Ext::default().build_and_execute(|| {
        assert_ok!(commit(ALICE, &[3, 4], &[1, 3]));
        run_to(9);
        assert_noop!(reveal(ALICE, &[3, 4], &[1, 3]), Error::<Test>::RevealTooEarly);
        run_to(10);
        assert_eq!(SubnetEpochIndex::<Test>::get(NETUID), 1);
        assert_ok!(reveal(ALICE, &[3, 4], &[1, 3]));
        assert_eq!(weights_of(0, ALICE), [(3, 21_845), (4, 65_535)]);
        assert_eq!(queue(ALICE), []);
        assert!(!WeightCommits::<Test>::contains_key(NetUidStorageIndex(92), hot(ALICE)));
        // The update was the commit's.
        assert_eq!(LastUpdate::<Test>::get(NetUidStorageIndex(92))[usize::from(ALICE)], 1);
        let seen = events();
        assert_eq!(seen[seen.len() - 2], Event::WeightsSet(NetUidStorageIndex(92), ALICE));
        assert_eq!(
            seen[seen.len() - 1],
            Event::WeightsRevealed(hot(ALICE), NetUidStorageIndex(92), hash(ALICE, 0, &[3, 4], &[1, 3]))
        );
        assert_noop!(reveal(ALICE, &[3, 4], &[1, 3]), Error::<Test>::NoWeightsCommitFound);
    });
}

#[test]
fn reveal_is_refused_when_its_epoch_is_over() {
    Ext::default().build_and_execute(|| {
        assert_ok!(commit(ALICE, &[3], &[1]));
        run_to(19);
        assert_eq!(SubnetEpochIndex::<Test>::get(NETUID), 1);
        run_to(20);
        assert_noop!(reveal(ALICE, &[3], &[1]), Error::<Test>::ExpiredWeightCommit);
        // Nothing else could be revealed, so a wrong hash finds no commit at all.
        assert_noop!(reveal(ALICE, &[4], &[1]), Error::<Test>::NoWeightsCommitFound);
    });
}

#[test]
fn reveal_is_refused_when_anything_hashed_differs() {
    Ext::default().build_and_execute(|| {
        assert_ok!(commit(ALICE, &[3], &[1]));
        run_to(10);
        let call = |number, uids: &[u16], values: &[u16], salt: &[u16], key| {
            SubtensorModule::reveal_weights(signed(number), NETUID, uids.to_vec(), values.to_vec(), salt.to_vec(), key)
        };
        let mismatch = Error::<Test>::InvalidRevealCommitHashNotMatch;
        assert_noop!(call(ALICE, &[4], &[1], &SALT, 0), mismatch);
        assert_noop!(call(ALICE, &[3], &[2], &SALT, 0), Error::<Test>::InvalidRevealCommitHashNotMatch);
        assert_noop!(call(ALICE, &[3], &[1], &[11], 0), Error::<Test>::InvalidRevealCommitHashNotMatch);
        assert_noop!(call(ALICE, &[3], &[1], &SALT, 1), Error::<Test>::InvalidRevealCommitHashNotMatch);
        assert_noop!(call(BOB, &[3], &[1], &SALT, 0), Error::<Test>::NoWeightsCommitFound);
        assert_noop!(
            SubtensorModule::reveal_mechanism_weights(
                signed(ALICE),
                NETUID,
                MechId(1),
                vec![3],
                vec![1],
                SALT.to_vec(),
                0
            ),
            Error::<Test>::NoWeightsCommitFound
        );
        assert_ok!(call(ALICE, &[3], &[1], &SALT, 0));
    });
}

#[test]
fn copied_commit_cannot_be_revealed_when_its_weights_have_become_known() {
    Ext::default().build_and_execute(|| {
        assert_ok!(commit(ALICE, &[3], &[1]));
        assert_ok!(SubtensorModule::commit_weights(signed(BOB), NETUID, hash(ALICE, 0, &[3], &[1])));
        run_to(10);
        // The hash is of the one who committed: what the other reveals never has it.
        assert_noop!(reveal(BOB, &[3], &[1]), Error::<Test>::InvalidRevealCommitHashNotMatch);
        assert_ok!(reveal(ALICE, &[3], &[1]));
        assert_noop!(reveal(BOB, &[3], &[1]), Error::<Test>::InvalidRevealCommitHashNotMatch);
        assert_eq!((weights_of(0, ALICE), weights_of(0, BOB)), (vec![(3, 65_535)], vec![]));
    });
}

#[test]
fn earlier_commits_go_when_a_later_one_is_revealed() {
    Ext::with(|parameters| parameters.weights_set_rate_limit = Some(1)).build_and_execute(|| {
        for block in 1..=3_u16 {
            run_to(block.into());
            assert_ok!(commit(ALICE, &[3], &[block]));
        }
        run_to(10);
        assert_ok!(reveal(ALICE, &[3], &[2]));
        assert_eq!(queue(ALICE), [(hash(ALICE, 0, &[3], &[3]), 0, 3, 0)]);
        assert_noop!(reveal(ALICE, &[3], &[1]), Error::<Test>::InvalidRevealCommitHashNotMatch);
        assert_ok!(reveal(ALICE, &[3], &[3]));
    });
}

#[test]
fn eleventh_commit_is_refused_when_none_has_expired() {
    Ext::with(|parameters| {
        parameters.weights_set_rate_limit = Some(0);
        parameters.tempo = Some(20);
    })
    .build_and_execute(|| {
        for value in 1..=10 {
            assert_ok!(commit(ALICE, &[3], &[value]));
        }
        assert_noop!(commit(ALICE, &[3], &[11]), Error::<Test>::TooManyUnrevealedCommits);
        // In epoch 1 they can be revealed; in epoch 2 they make room.
        run_to(20);
        assert_noop!(commit(ALICE, &[3], &[11]), Error::<Test>::TooManyUnrevealedCommits);
        run_to(40);
        assert_ok!(commit(ALICE, &[3], &[11]));
        assert_eq!(queue(ALICE), [(hash(ALICE, 0, &[3], &[11]), 2, 40, 0)]);
    });
}

#[test]
fn commit_stays_when_its_weights_fail_a_check_at_the_reveal() {
    Ext::default().build_and_execute(|| {
        assert_ok!(commit(ALICE, &[3, 3], &[1, 1]));
        assert_ok!(commit(3, &[4], &[1]));
        run_to(10);
        assert_noop!(reveal(ALICE, &[3, 3], &[1, 1]), Error::<Test>::DuplicateUids);
        assert_noop!(reveal(3, &[4], &[1]), Error::<Test>::NeuronNoValidatorPermit);
        assert_eq!(queue(ALICE).len(), 1);
    });
}

#[test]
fn window_follows_the_period_when_it_is_longer() {
    Ext::with(|parameters| parameters.reveal_period_epochs = Some(3)).build_and_execute(|| {
        assert_ok!(commit(ALICE, &[3], &[1]));
        run_to(29);
        assert_noop!(reveal(ALICE, &[3], &[1]), Error::<Test>::RevealTooEarly);
        run_to(39);
        assert_ok!(reveal(ALICE, &[3], &[1]));
    });
}

#[test]
fn mechanisms_are_committed_apart_when_both_are_used() {
    Ext::default().build_and_execute(|| {
        for mecid in [0, 1] {
            assert_ok!(SubtensorModule::commit_mechanism_weights(
                signed(ALICE),
                NETUID,
                MechId(mecid),
                hash(ALICE, mecid, &[3], &[1])
            ));
        }
        assert_ne!(hash(ALICE, 0, &[3], &[1]), hash(ALICE, 1, &[3], &[1]));
        run_to(10);
        assert_ok!(SubtensorModule::reveal_mechanism_weights(
            signed(ALICE),
            NETUID,
            MechId(1),
            vec![3],
            vec![1],
            SALT.to_vec(),
            0
        ));
        assert_eq!((weights_of(0, ALICE), weights_of(1, ALICE)), (vec![], vec![(3, 65_535)]));
    });
}
