// SPDX-License-Identifier: Apache-2.0
//! What a timelocked commit of 256 weights costs to make and to open, and a pulse to verify, on one core.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use clawrank_timelock::{DevBeacon, WeightsPayload, decrypt, encrypt, verify_pulse};
use criterion::{Criterion, criterion_group, criterion_main};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

fn benches(c: &mut Criterion) {
    let beacon = DevBeacon::default();
    let (key, signature) = (beacon.public_key(), beacon.sign(1_000));
    let payload =
        WeightsPayload { hotkey: [1; 32], uids: (0..256).collect(), values: (0..256).collect(), version_key: 1 };
    let plaintext = payload.encode();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let commit = encrypt(&key, 1_000, &plaintext, &mut rng).unwrap();
    let mut group = c.benchmark_group("timelock");
    group.sample_size(20);
    group.bench_function("encrypt/256", |b| b.iter(|| encrypt(&key, 1_000, black_box(&plaintext), &mut rng).unwrap()));
    group.bench_function("decrypt/256", |b| b.iter(|| decrypt(black_box(&commit), &signature).unwrap()));
    group.bench_function("verify_pulse", |b| b.iter(|| verify_pulse(&key, 1_000, black_box(&signature)).unwrap()));
    group.finish();
}

criterion_group!(timelock, benches);
criterion_main!(timelock);
