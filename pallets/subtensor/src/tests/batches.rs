// SPDX-License-Identifier: Apache-2.0

//! Weight calls for several subnets, or several commits, at once.

use super::mock::*;
use crate::*;
use codec::Compact;
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{DispatchResult, GetDispatchInfo, Pays},
};
use sp_core::H256;
use sp_runtime::DispatchError;

const OTHER: NetUid = NetUid(7);

/// The default subnet and another with the same neurons and plain weights.
fn two() -> Ext {
    let mut ext = Ext::default();
    let mut other = ext.config.subnets[0].clone();
    other.netuid = OTHER;
    other.hyperparameters.commit_reveal_weights_enabled = Some(false);
    ext.config.subnets.push(other);
    ext
}

fn netuids(list: &[u16]) -> Vec<Compact<NetUid>> {
    list.iter().map(|netuid| Compact(NetUid(*netuid))).collect()
}

fn set(number: u16, list: &[u16], rows: &[&[(u16, u16)]], keys: &[u64]) -> DispatchResult {
    let row = |row: &&[(u16, u16)]| row.iter().map(|(uid, value)| (Compact(*uid), Compact(*value))).collect();
    let (rows, keys) = (rows.iter().map(row).collect(), keys.iter().map(|key| Compact(*key)).collect());
    SubtensorModule::batch_set_weights(signed(number), netuids(list), rows, keys)
}

fn commit(number: u16, list: &[u16], hashes: &[H256]) -> DispatchResult {
    SubtensorModule::batch_commit_weights(signed(number), netuids(list), hashes.to_vec())
}

fn failed(netuid: u16, error: Error<Test>) -> Event<Test> {
    Event::BatchWeightItemFailed(NetUid(netuid), error.into())
}

#[test]
fn batch_of_weights_is_whole_when_every_item_is_valid() {
    two().build_and_execute(|| {
        CommitRevealWeightsEnabled::<Test>::insert(NETUID, false);
        assert_ok!(set(ALICE, &[92, 7], &[&[(3, 1)], &[(4, 2), (5, 1)]], &[0, 0]));
        assert_eq!(weights_of(0, ALICE), [(3, 65_535)]);
        assert_eq!(Weights::<Test>::get(NetUidStorageIndex(7), ALICE).to_vec(), [(4, 65_535), (5, 32_768)]);
        let seen = events();
        assert_eq!(
            seen[seen.len() - 3..],
            [
                Event::WeightsSet(NetUidStorageIndex(92), ALICE),
                Event::WeightsSet(NetUidStorageIndex(7), ALICE),
                Event::BatchWeightsCompleted(netuids(&[92, 7]), hot(ALICE)),
            ]
        );
    });
}

#[test]
fn other_items_of_a_batch_come_into_force_when_one_is_refused() {
    two().build_and_execute(|| {
        let rows: [&[(u16, u16)]; 3] = [&[(3, 1)], &[(4, 2)], &[(5, 1)]];
        assert_ok!(set(ALICE, &[92, 7, 7], &rows, &[0; 3]));
        assert_eq!(weights_of(0, ALICE), []);
        assert_eq!(Weights::<Test>::get(NetUidStorageIndex(7), ALICE).to_vec(), [(4, 65_535)]);
        let seen = events();
        assert_eq!(
            seen[seen.len() - 4..],
            [
                failed(92, Error::CommitRevealEnabled),
                Event::WeightsSet(NetUidStorageIndex(7), ALICE),
                failed(7, Error::SettingWeightsTooFast),
                Event::BatchCompletedWithErrors,
            ]
        );
        assert_ok!(set(ALICE, &[55], &rows[..1], &[0]));
        let seen = events();
        assert_eq!(seen[seen.len() - 2..], [failed(55, Error::CommitRevealEnabled), Event::BatchCompletedWithErrors]);
    });
}

#[test]
fn batch_is_refused_when_its_lists_differ_in_length() {
    two().build_and_execute(|| {
        let unequal = || Error::<Test>::InputLengthsUnequal;
        assert_noop!(set(ALICE, &[7, 92], &[&[(3, 1)]], &[0, 0]), unequal());
        assert_noop!(set(ALICE, &[7], &[&[(3, 1)]], &[]), unequal());
        assert_noop!(set(ALICE, &[], &[], &[0]), unequal());
        assert_noop!(commit(ALICE, &[92], &[]), unequal());
        assert_noop!(commit(ALICE, &[], &[H256::zero()]), unequal());
        let one = || vec![vec![3_u16]];
        for (uids, values, salts, keys) in [
            (vec![], one(), one(), vec![0]),
            (one(), vec![], one(), vec![0]),
            (one(), one(), vec![], vec![0]),
            (one(), one(), one(), vec![]),
        ] {
            let call = SubtensorModule::batch_reveal_weights(signed(ALICE), NETUID, uids, values, salts, keys);
            assert_eq!(call, Err(unequal().into()));
        }
        assert_noop!(
            SubtensorModule::batch_commit_weights(RuntimeOrigin::none(), vec![], vec![]),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn batch_is_refused_when_it_is_empty_or_has_more_items_than_there_are_networks() {
    two().build_and_execute(|| {
        let length = || Error::<Test>::InvalidBatchLength;
        assert_noop!(set(ALICE, &[], &[], &[]), length());
        assert_noop!(commit(ALICE, &[], &[]), length());
        // The two subnets and the root network.
        let (row, values): (&[(u16, u16)], &[u16]) = (&[(3, 1)], &[1, 1]);
        assert_noop!(set(ALICE, &[7; 4], &[row; 4], &[0; 4]), length());
        assert_noop!(commit(ALICE, &[92; 4], &[H256::zero(); 4]), length());

        assert_ok!(set(ALICE, &[7; 3], &[row; 3], &[0; 3]));
        assert_ok!(commit(ALICE, &[92; 3], &[H256::zero(); 3]));
        // Reveals are of one network, as many as there are commits.
        assert_noop!(reveal(&[values; 4]), Error::<Test>::InvalidRevealCommitHashNotMatch);
        NetworksAdded::<Test>::insert(NetUid::ROOT, false);
        assert_noop!(set(ALICE, &[7; 3], &[row; 3], &[0; 3]), length());
        assert_noop!(commit(ALICE, &[92; 3], &[H256::zero(); 3]), length());
    });
}

#[test]
fn batch_of_commits_stores_what_it_can_when_one_is_refused() {
    two().build_and_execute(|| {
        let hashes = [H256::repeat_byte(1), H256::repeat_byte(2), H256::repeat_byte(3)];
        assert_ok!(commit(ALICE, &[7, 92, 92], &hashes));
        let queue = WeightCommits::<Test>::get(NetUidStorageIndex(92), hot(ALICE)).unwrap();
        assert_eq!(queue.to_vec(), [(hashes[1], 0, 1, 0)]);
        let seen = events();
        assert_eq!(
            seen[seen.len() - 4..],
            [
                failed(7, Error::CommitRevealDisabled),
                Event::WeightsCommitted(hot(ALICE), NetUidStorageIndex(92), hashes[1]),
                failed(92, Error::CommittingWeightsTooFast),
                Event::BatchCompletedWithErrors,
            ]
        );
        assert_ok!(commit(BOB, &[92], &hashes[..1]));
        assert_eq!(last_event(), Event::BatchWeightsCompleted(netuids(&[92]), hot(BOB)));
    });
}

fn hash(values: &[u16]) -> H256 {
    SubtensorModule::commit_hash(&hot(ALICE), NetUidStorageIndex(92), &[3, 4], values, &[9], 0)
}

fn reveal(rows: &[&[u16]]) -> DispatchResult {
    let values: Vec<_> = rows.iter().map(|values| values.to_vec()).collect();
    let (uids, salts, keys) = (vec![vec![3, 4]; rows.len()], vec![vec![9]; rows.len()], vec![0; rows.len()]);
    SubtensorModule::batch_reveal_weights(signed(ALICE), NETUID, uids, values, salts, keys)
}

/// Commits `rows` in block 1, one after the other, and waits for the epoch to reveal them in.
fn committed(rows: &[&[u16]]) {
    WeightsSetRateLimit::<Test>::insert(NETUID, 0);
    for values in rows {
        assert_ok!(SubtensorModule::commit_weights(signed(ALICE), NETUID, hash(values)));
    }
    run_to(10);
}

#[test]
fn last_reveal_of_a_batch_is_in_force_when_all_are_valid() {
    Ext::default().build_and_execute(|| {
        let rows: [&[u16]; 3] = [&[1, 1], &[1, 2], &[2, 1]];
        committed(&rows);
        assert_ok!(reveal(&[rows[2], rows[1]]));
        assert_eq!(weights_of(0, ALICE), [(3, 32_768), (4, 65_535)]);
        let revealed = vec![hash(rows[2]), hash(rows[1])];
        assert_eq!(last_event(), Event::WeightsBatchRevealed(hot(ALICE), NETUID, revealed));
        // The one that was not revealed waits.
        let queue = WeightCommits::<Test>::get(NetUidStorageIndex(92), hot(ALICE)).unwrap();
        assert_eq!(queue.to_vec(), [(hash(rows[0]), 0, 1, 0)]);
        assert_ok!(reveal(&[rows[0], rows[0]]));
        assert!(!WeightCommits::<Test>::contains_key(NetUidStorageIndex(92), hot(ALICE)));
        assert_eq!(last_event(), Event::WeightsBatchRevealed(hot(ALICE), NETUID, vec![hash(rows[0])]));
        assert_noop!(reveal(&[rows[0]]), Error::<Test>::NoWeightsCommitFound);
    });
}

#[test]
fn no_reveal_of_a_batch_counts_when_one_is_refused() {
    Ext::default().build_and_execute(|| {
        let rows: [&[u16]; 2] = [&[1, 1], &[1, 2]];
        assert_noop!(reveal(&rows), Error::<Test>::NoWeightsCommitFound);
        WeightsSetRateLimit::<Test>::insert(NETUID, 0);
        assert_ok!(SubtensorModule::commit_weights(signed(ALICE), NETUID, hash(rows[0])));
        assert_noop!(reveal(&rows[..1]), Error::<Test>::RevealTooEarly);
        run_to(10);
        assert_noop!(reveal(&rows), Error::<Test>::InvalidRevealCommitHashNotMatch);
        MinAllowedWeights::<Test>::insert(NETUID, 3);
        // The dispatch is undone as a whole, the storage layer being that of the call.
        let result = frame_support::storage::with_storage_layer(|| reveal(&rows[..1]));
        assert_eq!(result, Err(Error::<Test>::WeightVecLengthIsLow.into()));
        assert_eq!(weights_of(0, ALICE), []);
        run_to(20);
        assert_noop!(reveal(&rows[..1]), Error::<Test>::ExpiredWeightCommit);
        assert_noop!(reveal(&rows[1..]), Error::<Test>::InvalidRevealCommitHashNotMatch);
        CommitRevealWeightsEnabled::<Test>::insert(NETUID, false);
        assert_noop!(reveal(&rows[..1]), Error::<Test>::CommitRevealDisabled);
        assert_noop!(
            SubtensorModule::batch_reveal_weights(
                signed(ALICE),
                NetUid(55),
                vec![vec![]],
                vec![vec![]],
                vec![vec![]],
                vec![0]
            ),
            Error::<Test>::SubnetNotExists
        );
    });
}

#[test]
fn batch_is_free_and_weighs_its_items_when_dispatched() {
    let info = |items: usize| {
        Call::<Test>::batch_set_weights {
            netuids: netuids(&vec![92; items]),
            weights: vec![vec![(Compact(1), Compact(1)); 8]; items],
            version_keys: vec![Compact(0); items],
        }
        .get_dispatch_info()
    };
    let one = Call::<Test>::set_weights { netuid: NETUID, dests: vec![1; 8], weights: vec![1; 8], version_key: 0 };
    assert_eq!(info(5).call_weight, one.get_dispatch_info().call_weight.saturating_mul(5));
    assert_eq!(info(5).pays_fee, Pays::No);
    let commits =
        Call::<Test>::batch_commit_weights { netuids: netuids(&[92; 5]), commit_hashes: vec![H256::zero(); 5] };
    let one = Call::<Test>::commit_weights { netuid: NETUID, commit_hash: H256::zero() };
    assert_eq!(commits.get_dispatch_info().call_weight, one.get_dispatch_info().call_weight.saturating_mul(5));
}
