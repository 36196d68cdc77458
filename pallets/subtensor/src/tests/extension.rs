// SPDX-License-Identifier: Apache-2.0

//! What the pool refuses.

use super::mock::*;
use crate::*;
use codec::Encode;
use frame_support::{
    assert_ok,
    dispatch::GetDispatchInfo,
    traits::{
        Get,
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Precision, Preservation},
    },
};
use sp_core::H256;
use sp_runtime::{
    traits::{DispatchTransaction, Dispatchable, TransactionExtension},
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
fn codes_are_the_public_chains_numbers_when_an_error_has_one() {
    let codes: [(Error<Test>, u8); 24] = [
        (Error::NotEnoughStakeToSetWeights, 1),
        (Error::CommittingWeightsTooFast, 6),
        (Error::SettingWeightsTooFast, 6),
        (Error::NetworkTxRateLimitExceeded, 6),
        (Error::HotKeyNotRegisteredInNetwork, 10),
        (Error::InvalidIpAddress, 11),
        (Error::ServingRateLimitExceeded, 12),
        (Error::InvalidPort, 13),
        (Error::InvalidRevealRound, 15),
        (Error::NoWeightsCommitFound, 16),
        (Error::InvalidRevealCommitHashNotMatch, 16),
        (Error::RevealTooEarly, 17),
        (Error::ExpiredWeightCommit, 17),
        (Error::InputLengthsUnequal, 18),
        (Error::HotKeyNotRegisteredInSubNet, 19),
        (Error::HotKeyAccountNotExists, 4),
        (Error::NonAssociatedColdKey, 25),
        (Error::DelegateTakeTooLow, 26),
        (Error::DelegateTakeTooHigh, 27),
        (Error::InvalidIpType, 255),
        (Error::MechanismDoesNotExist, 255),
        (Error::WeightVecNotEqualSize, 255),
        (Error::CommitRevealEnabled, 255),
        (Error::CommitRevealDisabled, 255),
    ];
    for (error, number) in codes {
        assert_eq!(error.code(), number, "{error:?}");
    }
}

/// The pool takes `call`, and the block refuses it with `error`.
fn fails_in_a_block(number: u16, call: Call<Test>, error: Error<Test>) {
    check(number, call.clone(), None);
    let error: sp_runtime::DispatchError = error.into();
    frame_support::assert_noop!(
        RuntimeCall::SubtensorModule(call).dispatch(signed(number)).map(|_| ()).map_err(|failed| failed.error),
        error
    );
}

/// Gives the hotkey of a number TAO of its own.
fn fund(number: u16) {
    assert_ok!(Balances::mint_into(&hot(number), TAO));
}

#[test]
fn plain_weights_are_refused_with_the_public_codes_when_a_check_fails() {
    Ext::plain().build_and_execute(|| {
        check(ALICE, set(&[3], &[1]), None);
        let mechanism = |mecid| Call::set_mechanism_weights {
            netuid: NETUID,
            mecid: MechId(mecid),
            dests: vec![3],
            weights: vec![1],
            version_key: 0,
        };
        assert_ok!(SubtensorModule::set_weights(signed(ALICE), NETUID, vec![3], vec![1], 0));
        check(ALICE, set(&[3], &[1]), Some(6));
        check(ALICE, mechanism(1), None);
        assert_ok!(SubtensorModule::set_mechanism_weights(signed(ALICE), NETUID, MechId(1), vec![3], vec![1], 0));
        check(ALICE, mechanism(1), Some(6));
        StakeThreshold::<Test>::put(5_000 * TAO);
        check(BOB, set(&[3], &[1]), Some(1));
        check(BOB, mechanism(0), Some(1));
        check(OWNER, set(&[3], &[1]), None);
    });
}

#[test]
fn weights_fail_in_a_block_with_the_error_that_says_why_when_the_pool_takes_them() {
    Ext::plain().build_and_execute(|| {
        fails_in_a_block(ALICE, set(&[3], &[1, 2]), Error::WeightVecNotEqualSize);
        fails_in_a_block(ALICE, set(&[0; 8], &[1; 8]), Error::UidsLengthExceedUidsInSubNet);
        fails_in_a_block(ALICE, set(&[3, 3], &[1, 2]), Error::DuplicateUids);
        fails_in_a_block(ALICE, set(&[7], &[1]), Error::UidVecContainInvalidOne);
        fails_in_a_block(3, set(&[4], &[1]), Error::NeuronNoValidatorPermit);
        fails_in_a_block(ALICE, commit(H256::zero()), Error::CommitRevealDisabled);
        let call = Call::set_mechanism_weights {
            netuid: NETUID,
            mecid: MechId(2),
            dests: vec![3],
            weights: vec![1],
            version_key: 0,
        };
        fails_in_a_block(ALICE, call, Error::MechanismDoesNotExist);
        fund(200);
        fails_in_a_block(200, set(&[3], &[1]), Error::HotKeyNotRegisteredInSubNet);
        CommitRevealWeightsEnabled::<Test>::insert(NETUID, true);
        fails_in_a_block(ALICE, set(&[3], &[1]), Error::CommitRevealEnabled);
        // The rate limit of plain weights is not asked while there are none.
        assert_ok!(SubtensorModule::commit_weights(signed(ALICE), NETUID, H256::zero()));
        fails_in_a_block(ALICE, set(&[3], &[1]), Error::CommitRevealEnabled);
    });
}

#[test]
fn strangers_pay_when_they_call_as_if_they_were_neurons() {
    Ext::default().build_and_execute(|| {
        let calls = [
            set(&[3], &[1]),
            commit(H256::zero()),
            Call::batch_set_weights { netuids: vec![], weights: vec![], version_keys: vec![] },
            Call::batch_commit_weights { netuids: vec![], commit_hashes: vec![] },
            Call::batch_commit_weights { netuids: vec![codec::Compact(NETUID)], commit_hashes: vec![H256::zero()] },
        ];
        for call in calls {
            check(200, call.clone(), Some(19));
            let len = 150;
            let send = || {
                let call = RuntimeCall::SubtensorModule(call.clone());
                let info = call.get_dispatch_info();
                Extension::new().validate_and_prepare(signed(200), &call, &info, len, 0).map(|_| ())
            };
            // The fee, a rao for every byte, and what keeps the account alive.
            assert_ok!(Balances::mint_into(&hot(200), 100_000 + 150 + 500));
            let issuance = Balances::total_issuance();
            assert_ok!(send());
            assert_eq!(Balances::balance(&hot(200)), 500, "{call:?}");
            assert_eq!(Balances::total_issuance(), issuance - 100_150, "burned");
            let refused = TransactionValidityError::Invalid(InvalidTransaction::Custom(19));
            assert_eq!(send(), Err(refused), "{call:?}");
            assert_ok!(Balances::burn_from(
                &hot(200),
                500,
                Preservation::Expendable,
                Precision::Exact,
                Fortitude::Polite
            ));
        }
    });
}

#[test]
fn neurons_pay_nothing_when_their_weights_fail() {
    Ext::default().build_and_execute(|| {
        assert_ok!(Balances::mint_into(&hot(ALICE), TAO));
        for call in [set(&[3], &[1]), commit(H256::zero())] {
            let call = RuntimeCall::SubtensorModule(call);
            let info = call.get_dispatch_info();
            assert_ok!(Extension::new().validate_and_prepare(signed(ALICE), &call, &info, 150, 0).map(|_| ()));
        }
        assert_eq!(Balances::balance(&hot(ALICE)), TAO);
    });
}

#[test]
fn commits_and_reveals_are_refused_with_the_public_codes_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        let commit_on =
            |mecid, commit_hash| Call::commit_mechanism_weights { netuid: NETUID, mecid: MechId(mecid), commit_hash };
        let reveal_on = |mecid, values: &[u16]| Call::reveal_mechanism_weights {
            netuid: NETUID,
            mecid: MechId(mecid),
            uids: vec![3],
            values: values.to_vec(),
            salt: vec![1],
            version_key: 0,
        };
        check(ALICE, reveal(&[3], &[1]), Some(16));
        for mecid in [0, 1] {
            let index = NetUidStorageIndex::new(NETUID, MechId(mecid));
            let hash = SubtensorModule::commit_hash(&hot(ALICE), index, &[3], &[1], &[1], 0);
            check(ALICE, commit_on(mecid, hash), None);
            assert_ok!(SubtensorModule::commit_mechanism_weights(signed(ALICE), NETUID, MechId(mecid), hash));
            check(ALICE, commit_on(mecid, hash), Some(6));
            check(ALICE, reveal_on(mecid, &[1]), Some(17));
        }
        check(ALICE, commit(H256::zero()), Some(6));
        check(ALICE, reveal(&[3], &[1]), Some(17));
        run_to(10);
        check(ALICE, reveal(&[3], &[2]), Some(16));
        check(ALICE, reveal_on(1, &[2]), Some(16));
        check(ALICE, reveal(&[3], &[1, 1]), Some(16));
        check(ALICE, reveal(&[3], &[1]), None);
        check(ALICE, reveal_on(1, &[1]), None);
        run_to(20);
        check(ALICE, reveal(&[3], &[1]), Some(17));
        check(ALICE, reveal_on(1, &[1]), Some(17));
        StakeThreshold::<Test>::put(5_000 * TAO);
        for call in [commit(H256::zero()), commit_on(1, H256::zero()), reveal(&[3], &[1]), reveal_on(1, &[1])] {
            check(ALICE, call, Some(1));
        }
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
        check(200, serve(9, 80), Some(10));
        check(3, serve(0x7f00_0001, 80), Some(11));
        check(3, serve(9, 0), Some(13));
        let of_no_type = Call::serve_axon {
            netuid: NETUID,
            version: 1,
            ip: 9,
            port: 80,
            ip_type: 5,
            protocol: 4,
            placeholder1: 0,
            placeholder2: 0,
        };
        check(3, of_no_type, Some(255));
        assert_ok!(SubtensorModule::serve_axon(signed(3), NETUID, 1, 9, 80, 4, 4, 0, 0));
        check(3, serve(9, 80), Some(12));
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
        check(201, Call::register_network { hotkey: hot(201) }, Some(6));
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
        let bytes = || vec![1; 9].try_into().unwrap();
        let main = |reveal_round| Call::commit_timelocked_weights {
            netuid: NETUID,
            commit: bytes(),
            reveal_round,
            commit_reveal_version: 4,
        };
        let old = |reveal_round| Call::commit_crv3_mechanism_weights {
            netuid: NETUID,
            mecid: MechId(0),
            commit: bytes(),
            reveal_round,
        };
        for call in [commit(92, 0, 9, 8, 4), main(8), old(8)] {
            check(ALICE, call, None);
        }
        for call in [commit(92, 0, 9, 7, 4), main(7), old(7)] {
            check(ALICE, call, Some(15));
        }
        fails_in_a_block(ALICE, commit(92, 2, 9, 8, 4), Error::MechanismDoesNotExist);
        fails_in_a_block(ALICE, commit(92, 0, 9, 8, 5), Error::IncorrectCommitRevealVersion);
        fails_in_a_block(ALICE, commit(92, 0, 5_001, 8, 4), Error::CommitPayloadTooLarge);
        check(200, commit(92, 0, 9, 8, 4), Some(19));
        fund(200);
        fails_in_a_block(200, commit(92, 0, 9, 8, 4), Error::HotKeyNotRegisteredInSubNet);
        fails_in_a_block(200, commit(91, 0, 9, 8, 4), Error::MechanismDoesNotExist);
        // What comes too early is not the pool's to refuse.
        assert_ok!(SubtensorModule::commit_timelocked_weights(signed(ALICE), NETUID, bytes(), 8, 4));
        fails_in_a_block(ALICE, commit(92, 0, 9, 8, 4), Error::CommittingWeightsTooFast);
        StakeThreshold::<Test>::put(5_000 * TAO);
        for call in [commit(92, 0, 9, 8, 4), main(8), old(8)] {
            check(BOB, call, Some(1));
        }
        CommitRevealWeightsEnabled::<Test>::insert(NETUID, false);
        fails_in_a_block(OWNER, commit(92, 0, 9, 8, 4), Error::CommitRevealDisabled);
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
        check(ALICE, commits(1), Some(18));
        check(ALICE, sets(3), Some(18));
        check(ALICE, reveals(2), Some(18));
        // Items that dispatch refuses one by one pass.
        check(ALICE, commits(2), None);
        check(ALICE, sets(2), None);
        let (netuids, commit_hashes) = (netuids(3), vec![H256::zero(); 3]);
        let many = Call::batch_commit_weights { netuids, commit_hashes };
        fails_in_a_block(ALICE, many, Error::InvalidBatchLength);
        check(ALICE, reveals(1), Some(16));
        let hash = SubtensorModule::commit_hash(&hot(ALICE), NetUidStorageIndex(92), &[3], &[1], &[1], 0);
        assert_ok!(SubtensorModule::commit_weights(signed(ALICE), NETUID, hash));
        check(ALICE, reveals(1), Some(17));
        run_to(10);
        check(ALICE, reveals(1), None);
        StakeThreshold::<Test>::put(5_000 * TAO);
        for call in [commits(2), sets(2), reveals(1)] {
            check(ALICE, call, Some(1));
        }
    });
}

#[test]
fn other_announcements_are_refused_with_the_public_codes_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        let metrics = |ip, port| Call::serve_prometheus { netuid: NETUID, version: 1, ip, port, ip_type: 4 };
        check(3, metrics(9, 80), None);
        check(3, metrics(0, 80), Some(11));
        check(3, metrics(9, 0), Some(13));
        check(200, metrics(9, 80), Some(10));
        assert_ok!(SubtensorModule::serve_prometheus(signed(3), NETUID, 1, 9, 80, 4));
        check(3, metrics(9, 80), Some(12));
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
        check(3, tls(0), Some(13));
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
    // The fee is written once.
    let db: frame_support::weights::RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
    let looks = |count| weight(count) - db.writes(1);
    assert_eq!(looks(6), looks(1).saturating_mul(6));
    assert!(weight(0).all_gte(weight(1)));
}

#[test]
fn takes_are_refused_with_the_public_codes_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        let take = |hotkey, parts, raises| {
            let (hotkey, take) = (hot(hotkey), sp_runtime::PerU16::from_parts(parts));
            if raises { Call::increase_take { hotkey, take } } else { Call::decrease_take { hotkey, take } }
        };
        MinDelegateTake::<Test>::put(sp_runtime::PerU16::from_parts(10));
        let pool = |call: Call<Test>, refused: Option<u8>| {
            let refused = refused.map(|code| TransactionValidityError::Invalid(InvalidTransaction::Custom(code)));
            assert_eq!(validate(RuntimeOrigin::signed(cold(ALICE)), call.clone()).err(), refused, "{call:?}");
        };
        for raises in [true, false] {
            pool(take(77, 11, raises), Some(4));
            pool(take(BOB, 11, raises), Some(25));
            pool(take(ALICE, 9, raises), Some(26));
            pool(take(ALICE, 11_797, raises), Some(27));
            // Whether it is on the right side of the take before is asked in the block.
            pool(take(ALICE, 11_796, raises), None);
        }
    });
}
