// SPDX-License-Identifier: Apache-2.0

//! What the gateway adds to a request: client → gateway → WebSocket miner → backend, against client → backend.
//!
//! Everything runs in this process over loopback, with a real ledger. One JSON line per mode and concurrency:
//!
//! - `early`: dispatch while the row is on its way to the disk (`early_dispatch`, the default of the gateway).
//! - `strict`: the request's row is on disk before dispatch.
//! - `tmpfs`: `strict` with the ledger in memory, which shows what is not the disk's.
//!
//! `cpu_us` is the processor time of all four parties together per request, which other load on the machine hardly
//! changes.
//!
//! `bench_latency [requests per figure, default 2000] [mode ...]`

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "../tests/gateway/miner.rs"]
mod miner;
#[path = "../tests/gateway/support.rs"]
mod support;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, routing::post};
use clawrank_protocol::{
    frames::{GatewayFrame, MinerFrame, ModelOffer, Request, Role},
    limits::MAX_GATEWAY_FRAME_BYTES,
};
use clawrank_store::ledger::KeyKind;
use futures::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use miner::{Miner, offer};
use support::{Gateway, chat, key};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

const ANSWER: &str = r#"{"id":"x","object":"chat.completion","created":0,"model":"llama","choices":[{"index":0,"message":{"role":"assistant","content":"Hello there, how are you today?"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":8,"total_tokens":15}}"#;
const TEXT: &str = "Hello there, how are you today?";

/// A backend that answers at once.
async fn backend() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/v1/chat/completions", post(async |_: bytes::Bytes| ([("content-type", "application/json")], ANSWER)));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let http = hyper::server::conn::http1::Builder::new();
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// A miner in front of the backend: requests in parallel, frames through one writer.
async fn serve_backend(miner: Miner, http: reqwest::Client, url: String) {
    let (mut sink, mut stream, signer) = miner.split();
    let (out, mut frames) = mpsc::channel::<String>(1_024);
    tokio::spawn(async move {
        while let Some(frame) = frames.recv().await {
            sink.send(Message::Text(frame.into())).await.unwrap();
        }
    });
    let signer = Arc::new(signer);
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else { continue };
        match GatewayFrame::decode(&text, MAX_GATEWAY_FRAME_BYTES).unwrap() {
            GatewayFrame::Ping { n } => out.send(MinerFrame::Pong { n }.encode()).await.unwrap(),
            GatewayFrame::Request(request) => {
                let (out, http, url, signer) = (out.clone(), http.clone(), url.clone(), Arc::clone(&signer));
                tokio::spawn(async move { answer(&request, &http, &url, &signer, &out).await });
            }
            _ => {}
        }
    }
}

async fn answer(
    request: &Request,
    http: &reqwest::Client,
    url: &str,
    signer: &miner::Signer,
    out: &mpsc::Sender<String>,
) {
    let body = request.body.get().to_owned();
    let text = http.post(url).body(body).send().await.unwrap().text().await.unwrap();
    let body = serde_json::value::RawValue::from_string(text).unwrap();
    let answer = clawrank_protocol::frames::Answer { id: request.id, body };
    out.send(MinerFrame::Answer(answer).encode()).await.unwrap();
    out.send(MinerFrame::Done(signer.done(request, TEXT)).encode()).await.unwrap();
}

/// Processor time of this process so far, in microseconds; the kernel counts in hundredths of a second.
fn cpu_us() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<u64>().unwrap();
    (ticks(11) + ticks(12)) * 10_000
}

/// Sends `total` requests at this concurrency; latencies in microseconds, and requests per second.
async fn load(
    http: &reqwest::Client,
    url: &str,
    secret: &str,
    concurrency: usize,
    total: usize,
) -> (Histogram<u64>, f64) {
    let body = chat("llama", false).to_string();
    let left = Arc::new(AtomicUsize::new(total));
    let started = Instant::now();
    let workers: Vec<_> = (0..concurrency)
        .map(|_| {
            let (http, url, secret, body) = (http.clone(), url.to_owned(), secret.to_owned(), body.clone());
            let left = Arc::clone(&left);
            tokio::spawn(async move {
                let mut histogram = Histogram::<u64>::new(3).unwrap();
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                    let start = Instant::now();
                    let request = http.post(&url).bearer_auth(&secret).body(body.clone());
                    let response = request.send().await.unwrap();
                    assert_eq!(response.status(), 200);
                    response.bytes().await.unwrap();
                    histogram.record(u64::try_from(start.elapsed().as_micros()).unwrap()).unwrap();
                }
                histogram
            })
        })
        .collect();
    let mut all = Histogram::<u64>::new(3).unwrap();
    for worker in workers {
        all.add(worker.await.unwrap()).unwrap();
    }
    let rps = total as f64 / started.elapsed().as_secs_f64();
    (all, rps)
}

async fn measure(mode: &str, total: usize) {
    let memory = tempfile::Builder::new().tempdir_in("/dev/shm").ok();
    let gateway = Gateway::with(|config| {
        config.early_dispatch = mode == "early";
        config.limits.max_in_flight_per_miner = 256;
        config.limits.requests_per_minute = 100_000_000;
        config.timing.first_byte_ms = 5_000;
        config.timing.snapshot_ms = 5;
        if let ("tmpfs", Some(memory)) = (mode, &memory) {
            config.ledger_path = memory.path().join("gateway.db");
        }
    })
    .await;
    if mode == "tmpfs" && memory.is_none() {
        return;
    }
    let secret = gateway.api_key("bench", KeyKind::Free).await;
    let direct = format!("http://{}/v1/chat/completions", backend().await);
    let offers = vec![ModelOffer { max_concurrency: 256, ..offer("llama") }];
    let miner = Miner::try_connect(&gateway, key("Bob"), Role::Serve, offers).await.unwrap();
    tokio::spawn(serve_backend(miner, gateway.http.clone(), direct.clone()));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let through = gateway.url("/v1/chat/completions");
    for concurrency in [1usize, 16] {
        for url in [&direct, &through] {
            load(&gateway.http, url, &secret, concurrency, total / 10).await;
        }
        let start = cpu_us();
        let (without, direct_rps) = load(&gateway.http, &direct, &secret, concurrency, total).await;
        let between = cpu_us();
        let (with, rps) = load(&gateway.http, &through, &secret, concurrency, total).await;
        let per_request = |used: u64| used / u64::try_from(total.max(1)).unwrap();
        let (direct_cpu, gateway_cpu) = (per_request(between - start), per_request(cpu_us() - between));
        let at = |histogram: &Histogram<u64>, quantile| histogram.value_at_quantile(quantile);
        println!(
            "{}",
            serde_json::json!({
                "bench": "gateway_added_latency", "mode": mode, "concurrency": concurrency, "requests": total,
                "added_p50_us": at(&with, 0.5).saturating_sub(at(&without, 0.5)),
                "added_p99_us": at(&with, 0.99).saturating_sub(at(&without, 0.99)),
                "gateway_p50_us": at(&with, 0.5), "gateway_p99_us": at(&with, 0.99),
                "direct_p50_us": at(&without, 0.5), "direct_p99_us": at(&without, 0.99),
                "gateway_cpu_us": gateway_cpu, "direct_cpu_us": direct_cpu,
                "gateway_rps": rps.round(), "direct_rps": direct_rps.round(),
            })
        );
    }
}

#[tokio::main]
async fn main() {
    let total = std::env::args().nth(1).map_or(2_000, |text| text.parse().expect("a number of requests"));
    let asked: Vec<String> = std::env::args().skip(2).collect();
    for mode in ["early", "strict", "tmpfs"] {
        if asked.is_empty() || asked.iter().any(|one| one == mode) {
            measure(mode, total).await;
        }
    }
}
