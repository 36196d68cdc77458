// SPDX-License-Identifier: Apache-2.0
//! Replays the corpus of every target, and seeded mutations of it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{collections::BTreeSet, fs, path::Path};

use clawrank_fuzz_targets::{CHAIN_TARGETS, EXCLUDED, TARGETS, Target, runtime_call_names, runtime_calls};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

const MUTATIONS: usize = 2_000;
/// Of targets that run a chain.
const CHAIN_MUTATIONS: usize = 40;
/// Inputs at random of which each makes up to 120 calls on the runtime, at most.
const RANDOM_RUNS: usize = 600;

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(&dir)
        .unwrap_or_else(|e| panic!("{} must hold at least one seed: {e}", dir.display()))
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} must hold at least one seed", dir.display());
    files.iter().map(|f| fs::read(f).unwrap()).collect()
}

fn mutate(rng: &mut ChaCha8Rng, seed: &[u8]) -> Vec<u8> {
    let mut data = seed.to_vec();
    for _ in 0..rng.random_range(1..8) {
        let at = rng.random_range(0..=data.len());
        match rng.random_range(0..5) {
            0 if at < data.len() => data[at] ^= 1 << rng.random_range(0..8),
            1 if at < data.len() => data[at] = *[0, 1, 0x7f, 0x80, 0xff].get(rng.random_range(0..5)).unwrap(),
            2 => data.insert(at, rng.random()),
            3 if at < data.len() => drop(data.drain(at..(at + rng.random_range(1..9)).min(data.len()))),
            _ => data.truncate(at),
        }
    }
    data
}

fn replay(name: &str, target: Target, mutations: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(92);
    let seeds = corpus(name);
    seeds.iter().for_each(|seed| target(seed));
    for i in 0..mutations {
        target(&mutate(&mut rng, &seeds[i % seeds.len()]));
    }
    println!("{name}: {} seeds, {mutations} mutations", seeds.len());
}

#[test]
fn decoders_return_when_given_the_corpus_and_mutations_of_it() {
    for (name, target) in TARGETS {
        replay(name, target, MUTATIONS);
    }
}

#[test]
fn chains_keep_their_invariants_when_given_the_corpus_and_mutations_of_it() {
    for (name, target) in CHAIN_TARGETS {
        replay(name, target, CHAIN_MUTATIONS);
    }
}

/// Stops early once every call has succeeded, so that a healthy target takes seconds.
#[test]
fn every_call_succeeds_at_least_once_when_calls_are_made_at_random() {
    let mut rng = ChaCha8Rng::seed_from_u64(92);
    let mut left: BTreeSet<_> = runtime_call_names();
    let all = left.len();
    let mut runs = 0;
    for seed in corpus("runtime_calls") {
        let done = runtime_calls(&seed);
        left.retain(|name| !done.contains(name));
    }
    while !left.is_empty() && runs < RANDOM_RUNS {
        let mut data = vec![0; 1_500];
        rng.fill_bytes(&mut data);
        let done = runtime_calls(&data);
        left.retain(|name| !done.contains(name));
        runs += 1;
    }
    println!("{all} calls, {} excluded, {} left after the corpus and {runs} random inputs", EXCLUDED.len(), left.len());
    assert!(left.is_empty(), "never succeeded: {left:?}");
}
