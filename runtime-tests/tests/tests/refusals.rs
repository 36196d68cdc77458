// SPDX-License-Identifier: Apache-2.0
//! Weights that the chain refuses, in the Wasm: the transaction pool says what the public chain's pool says, by its number,
//! and everything else gets into a block and fails there with the public chain's error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_runtime::Runtime;
use clawrank_runtime_tests::chain::{Chain, Options, keys};
use codec::{Compact, Encode};
use pallet_subtensor::{self as subtensor, Call as Weights, MechId, NetUid};
use sp_core::H256;
use sp_runtime::{
    DispatchError, ModuleError,
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

const NETUID: NetUid = NetUid(92);
/// The index of `SubtensorModule`.
const PALLET: u8 = 7;
const VALIDATOR: &str = "//validator//0";
const MINER: &str = "//miner//0";
/// Owns TAO, and no uid.
const STRANGER: &str = "//Alice";

/// A chain in its second block, without commit-reveal where `plain`.
fn chain(plain: bool) -> Chain {
    let mut chain = Chain::with_options(&Options::default());
    chain.run_to(2);
    chain.write(|| {
        for netuid in [NetUid::ROOT, NETUID] {
            subtensor::CommitRevealWeightsEnabled::<Runtime>::insert(netuid, !plain);
        }
    });
    chain
}

/// The pool refuses `call` with `code`, and so does a block.
fn pool_says(chain: &mut Chain, signer: &str, call: &Weights<Runtime>, code: u8) {
    let bytes = chain.sign(&keys(signer), call.clone()).encode();
    let refused = TransactionValidityError::Invalid(InvalidTransaction::Custom(code));
    assert_eq!(chain.validate(&bytes).unwrap(), Err(refused), "{call:?}");
    assert_eq!(chain.apply_raw(&bytes).unwrap(), Err(refused), "{call:?}");
}

/// The pool takes `call`, and it fails in a block with the error of this index.
fn block_says(chain: &mut Chain, signer: &str, call: &Weights<Runtime>, index: u8) {
    let bytes = chain.sign(&keys(signer), call.clone()).encode();
    assert!(chain.validate(&bytes).unwrap().is_ok(), "{call:?}");
    let result = chain.apply_raw(&bytes).unwrap().unwrap();
    let Err(DispatchError::Module(ModuleError { index: pallet, error, .. })) = result else {
        panic!("{call:?}: {result:?}");
    };
    assert_eq!((pallet, error), (PALLET, [index, 0, 0, 0]), "{call:?}");
}

fn set(uids: &[u16], values: &[u16]) -> Weights<Runtime> {
    Weights::set_weights { netuid: NETUID, dests: uids.to_vec(), weights: values.to_vec(), version_key: 0 }
}

fn commit() -> Weights<Runtime> {
    Weights::commit_weights { netuid: NETUID, commit_hash: H256::zero() }
}

fn timelocked(netuid: u16, mecid: u8, len: usize, version: u16) -> Weights<Runtime> {
    Weights::commit_timelocked_mechanism_weights {
        netuid: NetUid(netuid),
        mecid: MechId(mecid),
        commit: vec![1; len].try_into().unwrap(),
        reveal_round: u64::MAX,
        commit_reveal_version: version,
    }
}

#[test]
fn plain_weights_fail_with_the_public_chains_error_when_a_check_fails() {
    let mut chain = chain(true);
    let on_root = Weights::set_weights { netuid: NetUid::ROOT, dests: vec![5], weights: vec![1], version_key: 0 };
    block_says(&mut chain, VALIDATOR, &on_root, 47);
    block_says(&mut chain, VALIDATOR, &set(&[5], &[1, 2]), 16);
    let elsewhere = Weights::set_mechanism_weights {
        netuid: NETUID,
        mecid: MechId(7),
        dests: vec![5],
        weights: vec![1],
        version_key: 0,
    };
    block_says(&mut chain, VALIDATOR, &elsewhere, 74);
    block_says(&mut chain, VALIDATOR, &set(&[5; 9], &[1; 9]), 32);
    block_says(&mut chain, STRANGER, &set(&[5], &[1]), 4);
    block_says(&mut chain, MINER, &set(&[5], &[1]), 15);
    block_says(&mut chain, VALIDATOR, &set(&[5, 5], &[1, 2]), 17);
    block_says(&mut chain, VALIDATOR, &set(&[200], &[1]), 18);
    block_says(&mut chain, VALIDATOR, &commit(), 54);
    chain.write(|| subtensor::MinAllowedWeights::<Runtime>::insert(NETUID, 3));
    block_says(&mut chain, VALIDATOR, &set(&[5], &[1]), 19);
    chain.write(|| subtensor::WeightsVersionKey::<Runtime>::insert(NETUID, 5));
    block_says(&mut chain, VALIDATOR, &set(&[5], &[1]), 30);
}

#[test]
fn commits_fail_with_the_public_chains_error_when_a_check_fails() {
    let mut chain = chain(false);
    block_says(&mut chain, VALIDATOR, &set(&[5], &[1]), 53);
    block_says(&mut chain, VALIDATOR, &timelocked(92, 0, 9, 5), 111);
    block_says(&mut chain, VALIDATOR, &timelocked(92, 0, 5_001, 4), 173);
    block_says(&mut chain, VALIDATOR, &timelocked(92, 7, 9, 4), 74);
    block_says(&mut chain, VALIDATOR, &timelocked(91, 0, 9, 4), 74);
    block_says(&mut chain, STRANGER, &timelocked(92, 0, 9, 4), 4);
    block_says(&mut chain, STRANGER, &commit(), 4);
    chain.write(|| subtensor::WeightsSetRateLimit::<Runtime>::insert(NETUID, 100));
    let first = chain.sign(&keys(VALIDATOR), timelocked(92, 0, 9, 4));
    chain.block_ok(vec![first]);
    // The rate limit of a timelocked commit is not the pool's.
    block_says(&mut chain, VALIDATOR, &timelocked(92, 0, 9, 4), 81);
    pool_says(&mut chain, VALIDATOR, &commit(), 6);
    chain.write(|| subtensor::CommitRevealWeightsEnabled::<Runtime>::insert(NETUID, false));
    pool_says(&mut chain, VALIDATOR, &set(&[5], &[1]), 6);
    block_says(&mut chain, "//validator//1", &timelocked(92, 0, 9, 4), 54);
}

#[test]
fn pool_answers_with_the_public_chains_number_when_it_refuses() {
    let mut chain = chain(false);
    let reveal =
        Weights::reveal_weights { netuid: NETUID, uids: vec![5], values: vec![1], salt: vec![1], version_key: 0 };
    pool_says(&mut chain, VALIDATOR, &reveal, 16);
    let hash = chain.read(|| {
        let validator = clawrank_runtime_tests::chain::account(VALIDATOR);
        subtensor::Pallet::<Runtime>::commit_hash(&validator, NETUID.into(), &[5], &[1], &[1], 0)
    });
    let first = chain.sign(&keys(VALIDATOR), Weights::commit_weights { netuid: NETUID, commit_hash: hash });
    chain.block_ok(vec![first]);
    pool_says(&mut chain, VALIDATOR, &reveal, 17);
    let batch = Weights::batch_commit_weights { netuids: vec![Compact(NETUID)], commit_hashes: vec![] };
    pool_says(&mut chain, VALIDATOR, &batch, 18);
    pool_says(&mut chain, "//nobody", &commit(), 19);
    chain.write(|| pallet_drand::LastStoredRound::<Runtime>::put(100));
    let late = Weights::commit_timelocked_weights {
        netuid: NETUID,
        commit: vec![1; 9].try_into().unwrap(),
        reveal_round: 99,
        commit_reveal_version: 4,
    };
    pool_says(&mut chain, VALIDATOR, &late, 15);
    chain.write(|| subtensor::StakeThreshold::<Runtime>::put(u64::MAX));
    for call in [set(&[5], &[1]), commit(), reveal, timelocked(92, 0, 9, 4)] {
        pool_says(&mut chain, VALIDATOR, &call, 1);
    }
}
