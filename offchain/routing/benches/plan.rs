// SPDX-License-Identifier: Apache-2.0
//! Time of one decision over 100 models × 8 endpoints: criterion's estimate, and percentiles of single decisions as one
//! JSON line.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{hint::black_box, sync::Arc, time::Instant};

use clawrank_protocol::needs::Needs;
use clawrank_routing::{
    Candidate, Features, Latency, PlanBuf, Router, SnapshotBuilder, Support, Target, Weights, plan,
};
use clawrank_units::Ppb;
use criterion::{Criterion, criterion_group};

const MODELS: u32 = 100;
const ENDPOINTS: u32 = 8;

fn router() -> (Router, Vec<String>) {
    let mut builder = SnapshotBuilder::new(Weights::default());
    let names: Vec<String> = (0..MODELS).map(|model| format!("vendor/model-{model}-instruct")).collect();
    for (model, name) in names.iter().enumerate() {
        let key: Arc<str> = Arc::from(name.as_str());
        for endpoint in 0..ENDPOINTS {
            let noise = (model as u32 * 31 + endpoint * 17) % 97;
            builder.push(
                &key,
                Candidate {
                    target: if endpoint % 2 == 0 {
                        Target::Miner(u64::from(endpoint))
                    } else {
                        Target::Endpoint(endpoint)
                    },
                    context_tokens: 32_768,
                    price_in_micro_usd_per_mtok: 50_000 + u64::from(noise),
                    price_out_micro_usd_per_mtok: 100_000,
                    latency: Latency {
                        ewma_ms: 200 + noise,
                        p50_ms: 190 + noise,
                        p95_ms: 400 + 3 * noise,
                        p99_ms: 700 + 5 * noise,
                    },
                    error_ppm: noise * 10,
                    in_flight: noise % 4,
                    limit: 8,
                    online: !noise.is_multiple_of(11),
                    quality: Ppb::ONE,
                    fallback: endpoint == 7,
                    support: Support::ALL,
                },
            );
        }
    }
    let router = Router::default();
    router.publish(builder.build());
    (router, names)
}

fn decide(router: &Router, names: &[String], index: usize, buf: &mut PlanBuf) -> usize {
    let features = Features {
        model: &names[index % names.len()],
        stream: true,
        input_tokens: 500,
        max_tokens: 256,
        needs: Needs::default(),
        affinity: index as u64,
    };
    plan(black_box(&features), &router.load(), buf).len()
}

fn bench(c: &mut Criterion) {
    let (router, names) = router();
    let mut buf = PlanBuf::default();
    let mut index = 0usize;
    c.bench_function("plan/100_models_x_8_endpoints", |b| {
        b.iter(|| {
            index = index.wrapping_add(1);
            decide(&router, &names, index, &mut buf)
        });
    });
}

fn percentiles() {
    let (router, names) = router();
    let mut buf = PlanBuf::default();
    let mut histogram = hdrhistogram::Histogram::<u64>::new_with_max(1_000_000_000, 3).unwrap();
    for index in 0..1_100_000usize {
        let start = Instant::now();
        black_box(decide(&router, &names, index, &mut buf));
        let elapsed = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if index >= 100_000 {
            histogram.saturating_record(elapsed);
        }
    }
    let at = |quantile| histogram.value_at_quantile(quantile);
    println!(
        "{}",
        serde_json::json!({
            "bench": "routing_decision", "models": MODELS, "endpoints": ENDPOINTS, "samples": histogram.len(),
            "p50_ns": at(0.5), "p99_ns": at(0.99), "p99_bound_ns": 10_000, "p999_ns": at(0.999), "max_ns": histogram.max(),
        })
    );
}

criterion_group!(benches, bench);

fn main() {
    benches();
    percentiles();
}
