// SPDX-License-Identifier: Apache-2.0
//! Measures opening timelocked commits of 256 weights in a block of the Wasm runtime, one and as many as a block opens.
//!
//! Prints one JSON line per case.
//!
//! `cargo run --release -p clawrank-runtime-tests --example reveal_time`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use clawrank_runtime::{AccountId, Runtime, SubtensorModule};
use clawrank_runtime_tests::chain::{Chain, Options};
use clawrank_timelock::{DevBeacon, WeightsPayload, encrypt};
use frame_support::BoundedVec;
use pallet_drand::{LastStoredRound, Pulse, Pulses};
use pallet_subtensor::{self as subtensor, NetUid, NetUidStorageIndex, TimelockedQueue};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::time::Duration;

const NETUID: NetUid = NetUid(92);
const INDEX: NetUidStorageIndex = NetUidStorageIndex(92);
const VALIDATORS: u32 = 64;
const NEURONS: u16 = 256;
const RUNS: u32 = 10;
const BLOCK_MS: u32 = 250;

fn main() {
    let most = subtensor::reveals_per_block(BLOCK_MS.into());
    for commits in [1, most] {
        let (with, without) = measure(commits);
        let block = ms(with);
        let each = (block - ms(without)) / f64::from(commits);
        let line = serde_json::json!({
            "name": format!("timelocked reveals in Wasm, 256 weights, {commits} in one block"),
            "ms_per_reveal": round(each),
            "block_ms": round(block),
            "percent_of_a_250_ms_block": round(100.0 * block / f64::from(BLOCK_MS)),
            "reveals_per_250_ms": (f64::from(BLOCK_MS) / each).floor(),
            "most_per_block": most,
        });
        println!("{line}");
    }
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// The median beginning of a block that opens so many commits, and of one that opens none.
fn measure(commits: u32) -> (Duration, Duration) {
    let options = Options {
        validators: Some(VALIDATORS),
        miners: Some(u32::from(NEURONS) - VALIDATORS - 1),
        tempo: Some(100),
        ..Options::default()
    };
    let topology = options.topology().unwrap();
    let hotkeys: Vec<AccountId> = topology.subnet.validators.iter().map(|neuron| neuron.hotkey.clone()).collect();
    let mut chain = Chain::new(&topology);
    let due = chain.read(|| SubtensorModule::next_epoch_start_block(NETUID)).unwrap();
    chain.run_to(u32::try_from(due).unwrap());
    let mut rng = StdRng::seed_from_u64(1);
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        chain.block(Vec::new());
        without.push(chain.last_begin());
        let round = 1_000 + u64::from(run);
        let chosen = &hotkeys[..commits as usize];
        chain.write(|| queue(&mut rng, chosen, round));
        chain.block(Vec::new());
        with.push(chain.last_begin());
        chain.read(|| {
            assert!(!subtensor::TimelockedWeightCommits::<Runtime>::contains_key(INDEX, 0), "all are opened");
            for hotkey in chosen {
                let uid = subtensor::Uids::<Runtime>::get(NETUID, hotkey).unwrap();
                let row = subtensor::Weights::<Runtime>::take(INDEX, uid);
                assert_eq!(row.len(), usize::from(NEURONS), "and in force");
            }
        });
    }
    (median(with), median(without))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A commit of each hotkey that the next block can open, and the pulse that opens it.
fn queue(rng: &mut StdRng, hotkeys: &[AccountId], round: u64) {
    let beacon = DevBeacon::default();
    Pulses::<Runtime>::insert(round, Pulse::new(round, &beacon.sign(round)));
    LastStoredRound::<Runtime>::put(round);
    let block = SubtensorModule::block();
    let commits = hotkeys.iter().map(|hotkey| {
        let values = (0..NEURONS).map(|_| rng.random_range(1..=u16::MAX)).collect();
        let payload =
            WeightsPayload { hotkey: hotkey.clone().into(), uids: (0..NEURONS).collect(), values, version_key: 0 };
        let bytes = encrypt(&beacon.public_key(), round, &payload.encode(), rng).unwrap();
        (hotkey.clone(), block, BoundedVec::truncate_from(bytes), round)
    });
    let queue = TimelockedQueue::truncated(commits.collect());
    subtensor::TimelockedWeightCommits::<Runtime>::insert(INDEX, 0, queue);
}
