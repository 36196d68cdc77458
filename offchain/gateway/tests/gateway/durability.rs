// SPDX-License-Identifier: Apache-2.0

use std::sync::Arc;

use clawrank_client::ChainPort;
use clawrank_gateway::{Error, Server};
use clawrank_store::{Ledger, LedgerError, ledger::KeyKind};
use tokio_util::sync::CancellationToken;

use crate::{
    miner::Miner,
    money::receipts,
    support::{FakeChain, Gateway, chat, config, eventually, key, refusal},
};

#[tokio::test]
async fn start_is_refused_with_the_files_name_when_the_ledger_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let chain: Arc<dyn ChainPort> = FakeChain::new(&[], &[]);
    let start = || Server::start(config.clone(), key("Gateway"), Arc::clone(&chain), CancellationToken::new());
    let first = CancellationToken::new();
    let server = Server::start(config.clone(), key("Gateway"), Arc::clone(&chain), first.clone()).await.unwrap();
    // A second gateway on the same ledger would spend the same money twice.
    assert!(matches!(start().await, Err(Error::Ledger(LedgerError::Locked))));
    first.cancel();
    server.wait().await;
    let whole = std::fs::read(&config.ledger_path).unwrap();
    for beside in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{beside}", config.ledger_path.display()));
    }
    for cut in [0, 100, whole.len() / 2] {
        std::fs::write(&config.ledger_path, &whole[..cut]).unwrap();
        let error = start().await.map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Ledger(LedgerError::Corrupt { .. })), "{cut}: {error:?}");
        assert!(error.to_string().contains("gateway.db"), "{error}");
    }
}

#[tokio::test]
async fn requests_are_refused_and_nothing_is_lost_when_the_disk_is_full() {
    let gateway = Gateway::with(|config| config.ledger_max_pages = Some(60)).await;
    let secret = gateway.customer("acme", 1_000_000).await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Hi."]);
    let mut served = 0u64;
    let refused = loop {
        let response = gateway.post(&secret, &chat("llama", false)).await;
        if response.status() != 200 {
            break refusal(response).await;
        }
        served += 1;
        assert!(served < 5_000, "60 pages hold no more than this");
    };
    assert_eq!((refused.0, refused.1.as_str()), (503, "ledger_unavailable"));
    assert!(refused.2.contains("full"), "{}", refused.2);
    let health = gateway.health().await;
    assert!(health.status == "degraded" && health.reasons[0].contains("ledger"), "{health:?}");
    assert!(served > 5);
    // Every answer that was acknowledged has its receipt and was paid; at most one request is still reserved.
    let stored = gateway.server.ledger().receipts(0, 10_000).await.unwrap();
    assert_eq!(stored.len() as u64, served);
    let spent = 1_000_000 - gateway.balance("acme").await;
    assert!(spent == served * 8 || spent == served * 8 + 207, "{spent}");
}

#[tokio::test]
async fn customers_are_served_when_the_chain_stops_finalising() {
    let gateway = Gateway::with(|config| config.timing.chain_stall_ms = 150).await;
    let secret = gateway.api_key("acme", KeyKind::Free).await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Hi."]);
    eventually("degraded", async || gateway.health().await.status == "degraded").await;
    let health = gateway.health().await;
    assert!(health.reasons[0].contains("finalised block 1"), "{health:?}");
    assert_eq!(gateway.post(&secret, &chat("llama", false)).await.status(), 200);
    // Miners still get in by the last known members.
    Miner::connect(&gateway, "Carol", "qwen").await;
    assert_eq!(receipts(&gateway, 0).await.receipts.len(), 1);
    gateway.chain.finalise();
    eventually("healthy again", async || gateway.health().await.status == "ok").await;
}

#[tokio::test]
async fn requests_in_flight_end_before_the_gateway_does() {
    let gateway = Gateway::with(|config| config.timing.drain_ms = 4_000).await;
    let secret = gateway.customer("acme", 10_000).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let (http, url) = (gateway.http.clone(), gateway.url("/v1/chat/completions"));
    let call =
        tokio::spawn(
            async move { http.post(url).bearer_auth(secret).json(&chat("llama", false)).send().await.unwrap() },
        );
    let request = miner.request().await;
    gateway.cancel.cancel();
    miner.serve(&request, &["Just in time."]).await;
    assert_eq!(call.await.unwrap().status(), 200);
    let Gateway { server, folder, .. } = gateway;
    server.wait().await;
    drop(folder);
}

#[test]
fn reservations_are_given_back_when_the_process_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let settings = config(&folder);
    let chain: Arc<dyn ChainPort> = FakeChain::new(&["Bob"], &["Eve"]);
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    // The first life: one request served, one under way when everything stops at once.
    let first = runtime();
    first.block_on(async {
        let server = Server::start(settings.clone(), key("Gateway"), Arc::clone(&chain), CancellationToken::new())
            .await
            .unwrap();
        let gateway = Gateway {
            folder: tempfile::tempdir().unwrap(),
            server,
            chain: FakeChain::new(&[], &[]),
            keypair: key("Gateway"),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            cancel: CancellationToken::new(),
            config: settings.clone(),
        };
        let secret = gateway.customer("acme", 10_000).await;
        let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
        for under_way in [false, true] {
            let (http, url, secret) = (gateway.http.clone(), gateway.url("/v1/chat/completions"), secret.clone());
            let call = tokio::spawn(async move {
                http.post(url).bearer_auth(secret).json(&chat("llama", false)).send().await.unwrap()
            });
            let request = miner.request().await;
            if !under_way {
                miner.serve(&request, &["Hi."]).await;
                assert_eq!(call.await.unwrap().status(), 200);
            }
        }
        gateway.await_balance("acme", 10_000 - 8 - 207).await;
    });
    first.shutdown_background();
    runtime().block_on(async {
        let mut started = None;
        eventually("the lock is free", async || {
            started = Server::start(settings.clone(), key("Gateway"), Arc::clone(&chain), CancellationToken::new())
                .await
                .ok();
            started.is_some()
        })
        .await;
        let server = started.unwrap();
        assert_eq!(server.ledger().payers().await.unwrap()[0].balance.get(), 10_000 - 8);
        assert_eq!(server.ledger().receipts(0, 10).await.unwrap().len(), 1);
    });
}
