// SPDX-License-Identifier: Apache-2.0
//! Measures the on-chain epoch in Wasm: 64 validators, 192 miners, full weights and bonds, one and two mechanisms.
//!
//! Prints one JSON line per case; `native_ms` includes reading the state.
//!
//! `cargo run --release -p clawrank-runtime-tests --example epoch_time`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use clawrank_runtime::{Runtime, SubtensorModule};
use clawrank_runtime_tests::{
    chain::{Chain, Options},
    yuma,
};
use pallet_subtensor::{self as subtensor, MechId, NetUid, NetUidStorageIndex, WeightRow};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::time::{Duration, Instant};

const NETUID: NetUid = NetUid(92);
/// The owner has a permit too, so that 64 neurons set weights.
const VALIDATORS: u32 = 63;
const MINERS: u32 = 192;
const RUNS: u32 = 10;
const BLOCK: Duration = Duration::from_millis(250);

fn main() {
    for mechanisms in [1, 2] {
        let (chain, native, plain) = measure(mechanisms);
        let epoch = chain.saturating_sub(plain);
        let line = serde_json::json!({
            "name": format!("epoch in Wasm, {} x {MINERS}, mechanisms: {mechanisms}", VALIDATORS + 1),
            "median_ms": round(ms(epoch)),
            "percent_of_a_250_ms_block": round(100.0 * epoch.as_secs_f64() / BLOCK.as_secs_f64()),
            "block_without_epoch_ms": round(ms(plain)),
            "native_ms": round(ms(native)),
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

/// The median beginning of a block with an epoch, of the native epoch, and of a block without one.
fn measure(mechanisms: u8) -> (Duration, Duration, Duration) {
    let options = Options {
        validators: Some(VALIDATORS),
        miners: Some(MINERS),
        mechanisms: Some(mechanisms),
        tempo: Some(4),
        ..Options::default()
    };
    let mut chain = Chain::with_options(&options);
    let mut rng = StdRng::seed_from_u64(1);
    let (mut epochs, mut native, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let due = chain.read(|| SubtensorModule::next_epoch_start_block(NETUID)).unwrap();
        chain.run_to(u32::try_from(due).unwrap() - 2);
        chain.write(|| fill(&mut rng, mechanisms));
        chain.block(Vec::new());
        plain.push(chain.last_begin());
        let start = Instant::now();
        let outputs = chain.read(|| yuma::epoch(NETUID, due));
        native.push(start.elapsed());
        assert_eq!(outputs.len(), usize::from(mechanisms));
        chain.block(Vec::new());
        epochs.push(chain.last_begin());
        let written = chain.read(|| yuma::Written::on_chain(NETUID, outputs[0].0));
        assert_eq!(written, yuma::Written::of(&outputs[0].1.1));
    }
    (median(epochs), median(native), median(plain))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Full rows: every validator weighs every miner, and holds bonds of it.
fn fill(rng: &mut StdRng, mechanisms: u8) {
    let first = u16::try_from(VALIDATORS).unwrap() + 1;
    let n = first + u16::try_from(MINERS).unwrap();
    for mecid in 0..mechanisms {
        let index = NetUidStorageIndex::new(NETUID, MechId(mecid));
        for uid in 0..first {
            let mut row =
                || WeightRow::truncated((first..n).map(|miner| (miner, rng.random_range(1..=u16::MAX))).collect());
            subtensor::Weights::<Runtime>::insert(index, uid, row());
            subtensor::Bonds::<Runtime>::insert(index, uid, row());
        }
        subtensor::LastUpdate::<Runtime>::mutate(index, |updates| {
            for update in updates.iter_mut() {
                *update = SubtensorModule::block();
            }
        });
    }
}
