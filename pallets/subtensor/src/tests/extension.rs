// SPDX-License-Identifier: Apache-2.0

//! What the pool refuses.

use super::mock::*;
use crate::*;
use codec::Encode;
use frame_support::{assert_ok, dispatch::GetDispatchInfo};
use sp_core::H256;
use sp_runtime::{
    traits::{DispatchTransaction, TransactionExtension},
    transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
};

type Extension = SubtensorTransactionExtension<Test>;

fn validate(origin: RuntimeOrigin, call: Call<Test>) -> Result<(), TransactionValidityError> {
    let call = RuntimeCall::SubtensorModule(call);
    let info = call.get_dispatch_info();
    Extension::new().validate_only(origin, &call, &info, 0, TransactionSource::External, 0).map(|_| ())
}

fn check(number: u16, call: Call<Test>, expected: Option<u8>) {
    let refused = expected.map(|code| TransactionValidityError::Invalid(InvalidTransaction::Custom(code)));
    assert_eq!(validate(signed(number), call.clone()).err(), refused, "{call:?}");
}

fn set(uids: &[u16], values: &[u16]) -> Call<Test> {
    Call::set_weights { netuid: NETUID, dests: uids.to_vec(), weights: values.to_vec(), version_key: 0 }
}

fn commit(commit_hash: H256) -> Call<Test> {
    Call::commit_weights { netuid: NETUID, commit_hash }
}

fn reveal(uids: &[u16], values: &[u16]) -> Call<Test> {
    let (uids, values) = (uids.to_vec(), values.to_vec());
    Call::reveal_weights { netuid: NETUID, uids, values, salt: vec![1], version_key: 0 }
}

#[test]
fn extension_takes_no_bytes_when_encoded() {
    assert_eq!(Extension::new().encode(), Vec::<u8>::new());
    assert_eq!(<Extension as TransactionExtension<RuntimeCall>>::IDENTIFIER, "SubtensorTransactionExtension");
}

#[test]
fn plain_weights_are_refused_with_the_public_codes_when_a_check_fails() {
    Ext::plain().build_and_execute(|| {
        check(ALICE, set(&[3], &[1]), None);
        check(ALICE, set(&[3], &[1, 2]), Some(code::INPUT_LENGTHS_UNEQUAL));
        check(ALICE, set(&[0; 8], &[1; 8]), Some(code::BAD_REQUEST));
        check(200, set(&[3], &[1]), Some(code::HOTKEY_NOT_REGISTERED));
        check(ALICE, commit(H256::zero()), Some(code::BAD_REQUEST));
        let call = Call::set_mechanism_weights {
            netuid: NETUID,
            mecid: MechId(2),
            dests: vec![3],
            weights: vec![1],
            version_key: 0,
        };
        check(ALICE, call, Some(code::SUBNET_NOT_EXISTS));
        assert_ok!(SubtensorModule::set_weights(signed(ALICE), NETUID, vec![3], vec![1], 0));
        check(ALICE, set(&[3], &[1]), Some(code::RATE_LIMIT_EXCEEDED));
        StakeThreshold::<Test>::put(5_000 * TAO);
        check(BOB, set(&[3], &[1]), Some(code::STAKE_AMOUNT_TOO_LOW));
        check(OWNER, set(&[3], &[1]), None);
    });
}

#[test]
fn commits_and_reveals_are_refused_with_the_public_codes_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        check(ALICE, set(&[3], &[1]), Some(code::BAD_REQUEST));
        check(ALICE, reveal(&[3], &[1]), Some(code::COMMIT_NOT_FOUND));
        let index = NetUidStorageIndex(92);
        let hash = SubtensorModule::commit_hash(&hot(ALICE), index, &[3], &[1], &[1], 0);
        check(ALICE, commit(hash), None);
        assert_ok!(SubtensorModule::commit_weights(signed(ALICE), NETUID, hash));
        check(ALICE, commit(hash), Some(code::RATE_LIMIT_EXCEEDED));
        check(ALICE, reveal(&[3], &[1]), Some(code::COMMIT_BLOCK_NOT_IN_REVEAL_RANGE));
        run_to(10);
        check(ALICE, reveal(&[3], &[2]), Some(code::COMMIT_NOT_FOUND));
        check(ALICE, reveal(&[3], &[1, 1]), Some(code::INPUT_LENGTHS_UNEQUAL));
        check(ALICE, reveal(&[3], &[1]), None);
        run_to(20);
        check(ALICE, reveal(&[3], &[1]), Some(code::COMMIT_BLOCK_NOT_IN_REVEAL_RANGE));
    });
}

#[test]
fn axons_are_refused_with_the_public_codes_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        let serve = |ip, port| Call::serve_axon {
            netuid: NETUID,
            version: 1,
            ip,
            port,
            ip_type: 4,
            protocol: 4,
            placeholder1: 0,
            placeholder2: 0,
        };
        check(3, serve(9, 80), None);
        check(200, serve(9, 80), Some(code::HOTKEY_NOT_REGISTERED));
        check(3, serve(0x7f00_0001, 80), Some(code::INVALID_IP_ADDRESS));
        check(3, serve(9, 0), Some(code::INVALID_PORT));
        assert_ok!(SubtensorModule::serve_axon(signed(3), NETUID, 1, 9, 80, 4, 4, 0, 0));
        check(3, serve(9, 80), Some(code::SERVING_RATE_LIMIT_EXCEEDED));
    });
}

#[test]
fn other_calls_pass_when_they_pay_for_themselves() {
    let mut ext = Ext::default();
    ext.config.network_min_lock_cost = Some(TaoBalance(TAO));
    ext.build_and_execute(|| {
        check(200, Call::burned_register { netuid: NETUID, hotkey: hot(200) }, None);
        check(200, Call::register_network { hotkey: hot(200) }, None);
        assert_ok!(SubtensorModule::register_network(RuntimeOrigin::signed(cold(200)), hot(200)));
        check(201, Call::register_network { hotkey: hot(201) }, Some(code::RATE_LIMIT_EXCEEDED));
        // Whoever is not a signer is for others to refuse.
        assert_eq!(validate(RuntimeOrigin::root(), set(&[3], &[1])), Ok(()));
    });
}

#[test]
fn timelocked_commits_are_refused_with_the_public_codes_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        publish(8);
        let commit = |netuid, mecid, len, reveal_round, version| Call::commit_timelocked_mechanism_weights {
            netuid: NetUid(netuid),
            mecid: MechId(mecid),
            commit: vec![1; len].try_into().unwrap(),
            reveal_round,
            commit_reveal_version: version,
        };
        check(ALICE, commit(92, 0, 9, 8, 4), None);
        check(ALICE, commit(92, 0, 9, 7, 4), Some(code::INVALID_REVEAL_ROUND));
        check(ALICE, commit(92, 2, 9, 8, 4), Some(code::SUBNET_NOT_EXISTS));
        check(ALICE, commit(91, 0, 9, 8, 4), Some(code::SUBNET_NOT_EXISTS));
        check(ALICE, commit(92, 0, 9, 8, 5), Some(code::BAD_REQUEST));
        check(ALICE, commit(92, 0, 5_001, 8, 4), Some(code::BAD_REQUEST));
        check(200, commit(92, 0, 9, 8, 4), Some(code::HOTKEY_NOT_REGISTERED));
        let bytes = || vec![1; 9].try_into().unwrap();
        let main = Call::commit_timelocked_weights {
            netuid: NETUID,
            commit: bytes(),
            reveal_round: 7,
            commit_reveal_version: 4,
        };
        check(ALICE, main, Some(code::INVALID_REVEAL_ROUND));
        let old =
            Call::commit_crv3_mechanism_weights { netuid: NETUID, mecid: MechId(0), commit: bytes(), reveal_round: 7 };
        check(ALICE, old, Some(code::INVALID_REVEAL_ROUND));
        // What comes too early is not the pool's to refuse.
        assert_ok!(SubtensorModule::commit_timelocked_weights(signed(ALICE), NETUID, bytes(), 8, 4));
        check(ALICE, commit(92, 0, 9, 8, 4), None);
        StakeThreshold::<Test>::put(5_000 * TAO);
        check(BOB, commit(92, 0, 9, 8, 4), Some(code::STAKE_AMOUNT_TOO_LOW));
        CommitRevealWeightsEnabled::<Test>::insert(NETUID, false);
        check(OWNER, commit(92, 0, 9, 8, 4), Some(code::BAD_REQUEST));
    });
}

#[test]
fn batches_are_refused_with_the_public_codes_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        let netuids = |count| vec![codec::Compact(NETUID); count];
        let commits =
            |count: usize| Call::batch_commit_weights { netuids: netuids(count), commit_hashes: vec![H256::zero(); 2] };
        let sets = |count: usize| Call::batch_set_weights {
            netuids: netuids(count),
            weights: vec![vec![]; 2],
            version_keys: vec![codec::Compact(0); 2],
        };
        let reveals = |count: usize| Call::batch_reveal_weights {
            netuid: NETUID,
            uids_list: vec![vec![3]; count],
            values_list: vec![vec![1]; 1],
            salts_list: vec![vec![1]; 1],
            version_keys: vec![0; 1],
        };
        check(ALICE, commits(1), Some(code::INPUT_LENGTHS_UNEQUAL));
        check(ALICE, sets(3), Some(code::INPUT_LENGTHS_UNEQUAL));
        check(ALICE, reveals(2), Some(code::INPUT_LENGTHS_UNEQUAL));
        // Items that dispatch refuses one by one pass.
        check(ALICE, commits(2), None);
        check(ALICE, sets(2), None);
        check(ALICE, reveals(1), Some(code::COMMIT_NOT_FOUND));
        let hash = SubtensorModule::commit_hash(&hot(ALICE), NetUidStorageIndex(92), &[3], &[1], &[1], 0);
        assert_ok!(SubtensorModule::commit_weights(signed(ALICE), NETUID, hash));
        check(ALICE, reveals(1), Some(code::COMMIT_BLOCK_NOT_IN_REVEAL_RANGE));
        run_to(10);
        check(ALICE, reveals(1), None);
        StakeThreshold::<Test>::put(5_000 * TAO);
        for call in [commits(2), sets(2), reveals(1)] {
            check(ALICE, call, Some(code::STAKE_AMOUNT_TOO_LOW));
        }
    });
}

#[test]
fn other_announcements_are_refused_with_the_public_codes_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        let metrics = |ip, port| Call::serve_prometheus { netuid: NETUID, version: 1, ip, port, ip_type: 4 };
        check(3, metrics(9, 80), None);
        check(3, metrics(0, 80), Some(code::INVALID_IP_ADDRESS));
        check(3, metrics(9, 0), Some(code::INVALID_PORT));
        check(200, metrics(9, 80), Some(code::HOTKEY_NOT_REGISTERED));
        assert_ok!(SubtensorModule::serve_prometheus(signed(3), NETUID, 1, 9, 80, 4));
        check(3, metrics(9, 80), Some(code::SERVING_RATE_LIMIT_EXCEEDED));
        let tls = |port| Call::serve_axon_tls {
            netuid: NETUID,
            version: 1,
            ip: 9,
            port,
            ip_type: 4,
            protocol: 4,
            placeholder1: 0,
            placeholder2: 0,
            certificate: vec![1],
        };
        check(3, tls(80), None);
        check(3, tls(0), Some(code::INVALID_PORT));
    });
}

#[test]
fn extension_weighs_every_item_when_the_call_is_a_batch() {
    let weight = |count: usize| {
        let call = Call::batch_commit_weights {
            netuids: vec![codec::Compact(NETUID); count],
            commit_hashes: vec![H256::zero(); count],
        };
        Extension::new().weight(&RuntimeCall::SubtensorModule(call))
    };
    assert_eq!(weight(6), weight(1).saturating_mul(6));
    assert!(weight(0).all_gte(weight(1)));
}
