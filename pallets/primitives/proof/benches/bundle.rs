// SPDX-License-Identifier: Apache-2.0
//! What a bundle of 10,000 attempts over 50 cells costs to check, on one core.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::{hint::black_box, time::Duration};

use clawrank_proof::{
    AnswerVerdict, Attempt, AttemptStatus, Bundle, Cell, Hash, Keypair, SchemaVerdict, SubnetEpoch, blake2_256,
    merkle::MerkleTree, summarise,
};
use clawrank_units::MicroUsd;
use codec::Encode;
use criterion::{Criterion, criterion_group, criterion_main};

const ATTEMPTS: u32 = 10_000;
const CELLS: u32 = 50;

fn attempt(sequence: u32, cell: Hash) -> Attempt {
    let digest = blake2_256(&sequence.to_le_bytes());
    let noise = u32::from_le_bytes(*digest.first_chunk().unwrap());
    Attempt {
        cell,
        sequence,
        task_id: digest,
        request_hash: blake2_256(&digest),
        response_hash: digest,
        start_ms: 1_700_000_000_000 + u64::from(sequence) * 400,
        ttft_ms: 200 + noise % 500,
        total_ms: 900 + noise % 4_001,
        input_tokens: 50,
        output_tokens: 20 + noise % 300,
        status: if noise % 40 == 0 { AttemptStatus::Timeout } else { AttemptStatus::Ok },
        schema: SchemaVerdict::Valid,
        answer: AnswerVerdict::Right,
        cost: MicroUsd(u64::from(noise % 100)),
    }
}

fn signed_bundle() -> Bundle {
    let alice = Keypair::dev("//Alice").unwrap();
    let cells: Vec<Cell> = (0..CELLS).map(|i| Cell::new("model", &format!("endpoint:{i}"), "chat").unwrap()).collect();
    let ids: Vec<Hash> = cells.iter().map(Cell::id).collect();
    let attempts = ids.iter().cycle().zip(0..ATTEMPTS).map(|(id, sequence)| attempt(sequence, *id)).collect();
    let subject = SubnetEpoch { genesis: [1; 32], netuid: 92, mecid: 1, epoch: 7 };
    let mut bundle = Bundle::assemble(alice.public(), subject, attempts, cells, Vec::new()).unwrap();
    bundle.sign(&alice).unwrap();
    bundle
}

/// Everything a validator does before it opens or replays anything.
fn check(bytes: &[u8]) -> Bundle {
    let bundle = Bundle::decode_limited(bytes).expect("encoded above; qed");
    bundle.verify().expect("signed above; qed");
    assert!(bundle.is_faithful());
    assert!(bundle.attempts.is_sorted_by(|a, b| a.sequence < b.sequence && a.start_ms <= b.start_ms));
    bundle
}

fn benches(c: &mut Criterion) {
    let bundle = signed_bundle();
    let bytes = bundle.encode();
    let leaves: Vec<Hash> = bundle.attempts.iter().map(Attempt::leaf).collect();
    let mut group = c.benchmark_group("bundle of 10,000 attempts");
    group.measurement_time(Duration::from_secs(5));
    group.bench_function("check", |b| b.iter(|| check(black_box(&bytes))));
    group.bench_function("decode", |b| b.iter(|| Bundle::decode_limited(black_box(&bytes))));
    group.bench_function("attempts root", |b| b.iter(|| black_box(&bundle).attempts_root()));
    group.bench_function("summarise", |b| b.iter(|| summarise(black_box(&bundle.attempts))));
    group.bench_function("32 proofs", |b| {
        b.iter(|| {
            let tree = MerkleTree::new(black_box(&leaves).clone()).unwrap();
            (0..32).map(|i| tree.prove(i * 300).unwrap().path.len()).sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(bundle, benches);
criterion_main!(bundle);
