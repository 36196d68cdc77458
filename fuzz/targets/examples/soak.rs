// SPDX-License-Identifier: Apache-2.0
//! Makes random calls on the runtime for so many seconds: `cargo run --release -p clawrank-fuzz-targets --example soak --
//! 600 1 failures`.
//!
//! The second argument seeds the inputs. Each panic leaves its input in the folder of the third, to be replayed from the
//! corpus.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::arithmetic_side_effects)]

use std::{
    collections::BTreeSet,
    env, fs,
    panic::catch_unwind,
    path::PathBuf,
    time::{Duration, Instant},
};

use clawrank_fuzz_targets::{runtime_call_names, runtime_calls};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn main() {
    let mut args = env::args().skip(1);
    let mut next = || args.next().expect("usage: soak <seconds> <seed> <folder>");
    let (seconds, seed, folder) = (next().parse().unwrap(), next().parse().unwrap(), PathBuf::from(next()));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (start, limit) = (Instant::now(), Duration::from_secs(seconds));
    let (mut runs, mut failures) = (0_u64, 0_u64);
    let mut done = BTreeSet::new();
    while start.elapsed() < limit {
        let mut data = vec![0; rng.random_range(16..2_000)];
        rng.fill_bytes(&mut data);
        match catch_unwind(|| runtime_calls(&data)) {
            Ok(names) => done.extend(names),
            Err(_) => {
                failures += 1;
                fs::write(folder.join(format!("runtime-calls-{seed}-{runs}")), &data).unwrap();
            }
        }
        runs += 1;
    }
    let never: Vec<_> = runtime_call_names().difference(&done).copied().collect();
    println!("{runs} inputs, {failures} failures, {} calls succeeded, never: {never:?}", done.len());
}
