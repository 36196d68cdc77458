// SPDX-License-Identifier: Apache-2.0
//! Speed of one Yuma epoch.
#![allow(missing_docs, clippy::expect_used)]

use clawrank_emission::yuma::{ConsensusMode, LiquidAlpha, Neuron, YumaInput, YumaParams, epoch};
use clawrank_units::Rao;
use criterion::{Criterion, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;

/// `validators` that weigh each of `miners` with up to 20 % noise, in the second epoch, so that bonds exist.
fn input(validators: u16, miners: u16, params: YumaParams) -> YumaInput {
    let mut rng = ChaCha8Rng::seed_from_u64(92);
    let neuron = |uid: u16| Neuron {
        stake: if uid < validators { 1_000_000_000_000 + u64::from(uid) * 10_000_000_000 } else { 0 },
        last_update: 100,
        registered_at: 0,
        permit: uid < validators,
        first_commit: None,
    };
    let merit: Vec<u32> = (0..miners).map(|_| rng.random_range(1_000..50_000)).collect();
    let mut row = || {
        (validators..)
            .zip(&merit)
            .map(|(uid, merit)| (uid, (merit * rng.random_range(80..=120) / 100) as u16))
            .collect()
    };
    let weights = (0..validators + miners).map(|uid| if uid < validators { row() } else { Vec::new() }).collect();
    let mut input = YumaInput {
        params,
        block: 360,
        neurons: (0..validators + miners).map(neuron).collect(),
        weights,
        bonds: vec![Vec::new(); usize::from(validators + miners)],
        emission: Rao(360_000_000_000),
        ..YumaInput::default()
    };
    let first = epoch(&input).expect("the input is consistent; qed");
    input.bonds = first.bonds;
    input.previous_consensus = first.consensus;
    input
}

fn bench(criterion: &mut Criterion) {
    let liquid =
        LiquidAlpha { alpha_low: 6_553, alpha_high: 19_660, steepness: 1_000, consensus: ConsensusMode::Current };
    let mut group = criterion.benchmark_group("yuma");
    for (name, yuma3, liquid_alpha) in
        [("yuma3_64x192", true, None), ("yuma3_liquid_64x192", true, Some(liquid)), ("classic_64x192", false, None)]
    {
        let input = input(64, 192, YumaParams { yuma3, liquid_alpha, ..YumaParams::default() });
        group.bench_function(name, |bencher| bencher.iter(|| epoch(black_box(&input))));
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
