// SPDX-License-Identifier: Apache-2.0
//! Bytes from strangers: refused, with the runtime and the node unharmed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_runtime::{RuntimeCall, UncheckedExtrinsic};
use clawrank_runtime_tests::{
    chain::{Chain, Options, keys},
    node::Node,
};
use codec::{Compact, Encode};
use pallet_subtensor::NetUid;
use proptest::{
    prelude::{any, prop},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::json;
use std::time::{Duration, Instant};

/// Deeper than any call that makes sense, and than the decoder goes.
const DEPTH: usize = 2_000;

fn good(chain: &mut Chain) -> Vec<u8> {
    let call = pallet_subtensor::Call::set_weights {
        netuid: NetUid(92),
        dests: (0..200).collect(),
        weights: vec![7; 200],
        version_key: 0,
    };
    chain.sign(&keys("//validator//0"), call).encode()
}

/// A signed extrinsic whose call is replaced by `call`, its length prefix made right again.
fn with_call(chain: &mut Chain, call: &[u8]) -> Vec<u8> {
    let signed = chain.sign(&keys("//validator//0"), frame_system::Call::remark { remark: vec![] });
    let whole = signed.encode();
    let tail = RuntimeCall::from(frame_system::Call::remark { remark: vec![] }).encode().len();
    let prefix = Compact(u32::try_from(whole.len()).unwrap()).encode().len();
    let mut body = whole[prefix..whole.len() - tail].to_vec();
    body.extend_from_slice(call);
    let mut bytes = Compact(u32::try_from(body.len()).unwrap()).encode();
    bytes.extend(body);
    bytes
}

/// Extrinsics that no honest client sends, by name.
fn attacks(chain: &mut Chain) -> Vec<(String, Vec<u8>)> {
    let good = good(chain);
    let mut attacks: Vec<(String, Vec<u8>)> =
        [0, 1, 2, 3, 4, 40, 99, 120, good.len() - 1].map(|n| (format!("truncated to {n}"), good[..n].to_vec())).into();

    let nested: Vec<u8> = std::iter::repeat_n([12u8, 0], DEPTH).flatten().chain([0, 0, 0]).collect();
    attacks.push(("nested sudo".into(), with_call(chain, &nested)));
    for (name, len) in [("4 GiB", Compact(u32::MAX).encode()), ("2^62", Compact(u64::MAX >> 2).encode())] {
        let weights = [[7u8, 0, 92, 0].as_slice(), &len].concat();
        attacks.push((format!("weights of length {name}"), with_call(chain, &weights)));
        let remark = [[0u8, 0].as_slice(), &len, &[0; 64]].concat();
        attacks.push((format!("remark of length {name}"), with_call(chain, &remark)));
        attacks.push((format!("extrinsic of length {name}"), [len.as_slice(), &good[2..]].concat()));
    }
    let verdicts = [[92u8, 3, 92, 0].as_slice(), &[0; 8], &Compact(100_000u32).encode(), &[0xff; 190_000]].concat();
    attacks.push(("verdicts beyond their bound".into(), with_call(chain, &verdicts)));
    attacks.push(("no such pallet".into(), with_call(chain, &[255, 255, 1, 2, 3])));
    attacks.push(("no such call".into(), with_call(chain, &[7, 255])));
    attacks.push(("a bit of the signature flipped".into(), {
        let mut bytes = good.clone();
        bytes[60] ^= 1;
        bytes
    }));
    attacks.push(("bytes behind the call".into(), with_call(chain, &[0, 0, 0, 1, 2, 3])));
    attacks.push(("an inherent from outside".into(), {
        let call = RuntimeCall::from(pallet_timestamp::Call::set { now: 1 });
        UncheckedExtrinsic::new_bare(call).encode()
    }));
    attacks.push(("zeros".into(), vec![0; 100_000]));
    attacks.push(("ones".into(), vec![0xff; 100_000]));
    attacks
}

/// Whether the runtime says no, in the pool and in a block.
fn is_refused(chain: &mut Chain, bytes: &[u8]) -> bool {
    let pool = chain.validate(bytes).is_ok_and(|validity| validity.is_ok());
    let block = chain.apply_raw(bytes).is_ok_and(|result| result.is_ok());
    !pool && !block
}

#[test]
fn runtime_refuses_and_lives_on_when_extrinsics_are_hostile() {
    let mut chain = Chain::with_options(&Options::default());
    chain.run_to(3);
    let root = chain.root();
    for (name, bytes) in attacks(&mut chain) {
        let start = Instant::now();
        assert!(is_refused(&mut chain, &bytes), "{name} is accepted");
        assert!(start.elapsed() < Duration::from_secs(2), "{name} took {:?}", start.elapsed());
    }
    assert_eq!(chain.root(), root, "the state is as it was");
    let honest = chain.sign(&keys("//validator//0"), frame_system::Call::remark { remark: vec![1] });
    chain.block_ok(vec![honest]);
}

#[test]
fn runtime_refuses_when_extrinsics_are_random_bytes() {
    let mut chain = Chain::with_options(&Options::default());
    chain.run_to(2);
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let chain = std::cell::RefCell::new(chain);
    runner
        .run(&prop::collection::vec(any::<u8>(), 0..400), |bytes| {
            assert!(is_refused(&mut chain.borrow_mut(), &bytes));
            Ok(())
        })
        .unwrap();
    chain.borrow_mut().block(Vec::new());
}

#[test]
fn runtime_refuses_when_single_bytes_of_a_good_extrinsic_are_changed() {
    let mut chain = Chain::with_options(&Options::default());
    chain.run_to(2);
    let honest = chain.sign(&keys("//Alice"), frame_system::Call::remark { remark: vec![1, 2, 3] }).encode();
    assert!(!is_refused(&mut chain, &honest), "the extrinsic is good before it is changed");
    let mut rng = StdRng::seed_from_u64(3);
    for at in 0..honest.len() {
        let mut bytes = honest.clone();
        bytes[at] ^= rng.random_range(1..=255u8);
        assert!(is_refused(&mut chain, &bytes), "byte {at} changed");
    }
}

#[test]
fn node_refuses_and_lives_on_when_extrinsics_are_hostile() {
    let mut chain = Chain::with_options(&Options::default());
    chain.run_to(1);
    let mut node = Node::start(&["--dev", "--block-time-ms", "250"]);
    node.wait("first block", Duration::from_secs(60), |node| node.best().filter(|best| *best >= 1));
    for (name, bytes) in attacks(&mut chain) {
        let hex = format!("0x{}", hex::encode(&bytes));
        let answer = node.rpc("author_submitExtrinsic", json!([hex]));
        assert!(answer.is_err(), "{name}: {answer:?}");
    }
    let best = node.best().unwrap();
    node.wait("further blocks", Duration::from_secs(20), |node| node.best().filter(|now| *now > best + 2));
}
