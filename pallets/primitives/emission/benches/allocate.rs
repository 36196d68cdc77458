// SPDX-License-Identifier: Apache-2.0
//! Speed of capped proportional shares.
#![allow(missing_docs)]

use clawrank_emission::{CapParams, allocate, divide, payouts};
use clawrank_units::Rao;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;

/// Heavy-tailed scores: two in a hundred have a thousand times the others'.
fn scores(count: usize) -> Vec<u128> {
    let mut rng = ChaCha8Rng::seed_from_u64(92);
    let mut score = || {
        let base: u64 = rng.random_range(1_000..1_000_000_000);
        u128::from(if rng.random_range(0..100) < 2 { base * 1_000 } else { base })
    };
    (0..count).map(|_| score()).collect()
}

fn bench(criterion: &mut Criterion) {
    let cap = CapParams::default();
    for count in [256, 4096] {
        let scores = scores(count);
        let huge: Vec<u128> = scores.iter().map(|score| score << 85).collect();
        let mut group = criterion.benchmark_group("emission");
        group.bench_with_input(BenchmarkId::new("allocate", count), &scores, |bencher, scores| {
            bencher.iter(|| allocate(black_box(scores), &cap, None));
        });
        group.bench_with_input(BenchmarkId::new("allocate_u128", count), &huge, |bencher, scores| {
            bencher.iter(|| allocate(black_box(scores), &cap, None));
        });
        group.bench_with_input(BenchmarkId::new("divide", count), &scores, |bencher, scores| {
            bencher.iter(|| divide(black_box(scores), &cap, None, 436_900));
        });
        group.bench_with_input(BenchmarkId::new("payouts", count), &scores, |bencher, scores| {
            bencher.iter(|| payouts(black_box(scores), &cap, None, Rao(360_000_000_000)));
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
