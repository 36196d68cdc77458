// SPDX-License-Identifier: Apache-2.0

use std::{fs::File, sync::Arc};

use clawrank_client::ChainPort;
use clawrank_gateway::{Error, Server};
use clawrank_protocol::{http::ReceiptsPage, proof::Method};
use clawrank_small_disk::SmallDisk;
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
async fn gateway_serves_again_by_itself_when_a_full_disk_has_room_again() {
    let Some(disk) = SmallDisk::mount(3_072) else { return };
    let gateway = Gateway::with(|config| config.ledger_path = disk.path().join("gateway.db")).await;
    let secret = gateway.customer("acme", 1_000_000).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let ask = |stream: bool| {
        let request =
            gateway.http.post(gateway.url("/v1/chat/completions")).bearer_auth(&secret).json(&chat("llama", stream));
        tokio::spawn(async move { request.send().await.unwrap() })
    };
    let served = ask(false);
    let request = miner.request().await;
    miner.serve(&request, &["Hi."]).await;
    assert_eq!(served.await.unwrap().status(), 200);
    assert_eq!(gateway.balance("acme").await, 1_000_000 - 8);
    // Two requests are reserved and under way when the disk fills up.
    let (whole, streamed) = (ask(false), ask(true));
    let under_way = [miner.request().await, miner.request().await];
    gateway.await_balance("acme", 1_000_000 - 8 - 2 * 207).await;
    disk.fill();
    for request in &under_way {
        miner.serve(request, &["Hi."]).await;
    }
    // No answer is given out whose receipt is not on disk.
    let (status, code, message) = refusal(whole.await.unwrap()).await;
    assert_eq!((status, code.as_str()), (503, "ledger_unavailable"), "{message}");
    assert!(message.contains("full"), "{message}");
    let text = streamed.await.unwrap().text().await.unwrap();
    assert!(text.contains("ledger_unavailable") && !text.contains("[DONE]"), "{text}");
    // Nor is a new request taken; the health says why, and what only reads goes on.
    let (status, code, message) = refusal(ask(false).await.unwrap()).await;
    assert_eq!((status, code.as_str()), (503, "ledger_unavailable"), "{message}");
    let health = gateway.health().await;
    assert!(health.status == "degraded" && health.reasons[0].contains("ledger is full"), "{health:?}");
    assert!(gateway.get("/v1/models").await.text().await.unwrap().contains("llama"));
    assert_eq!(gateway.balance("acme").await, 1_000_000 - 8 - 2 * 207);
    assert_eq!(gateway.server.ledger().receipts(0, 10).await.unwrap().len(), 1);
    disk.free();
    // Nobody asks meanwhile: it finds out by itself, and gives back what was reserved.
    eventually("healthy again", async || gateway.health().await.status == "ok").await;
    gateway.await_balance("acme", 1_000_000 - 8).await;
    let again = ask(true);
    // A request that was refused may have been on its way before its row failed; it is passed over.
    miner.spawn_honest(&["Hi."]);
    assert!(again.await.unwrap().text().await.unwrap().ends_with("data: [DONE]\n\n"));
    assert_eq!(gateway.balance("acme").await, 1_000_000 - 2 * 8);
    assert_eq!(gateway.server.ledger().receipts(0, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn signed_reads_go_on_and_are_taken_once_when_the_disk_is_full() {
    let Some(disk) = SmallDisk::mount(3_072) else { return };
    let gateway = Gateway::with(|config| config.ledger_path = disk.path().join("gateway.db")).await;
    let secret = gateway.customer("acme", 1_000_000).await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Hi."]);
    assert_eq!(gateway.post(&secret, &chat("llama", false)).await.status(), 200);
    let read = || gateway.signed(&key("Eve"), Method::Get, "/v1/receipts", b"");
    let replayed = async |request: &reqwest::RequestBuilder| {
        let (status, code, _) = refusal(request.try_clone().unwrap().send().await.unwrap()).await;
        assert_eq!((status, code.as_str()), (409, "replayed_nonce"));
    };
    let before = read();
    assert_eq!(before.try_clone().unwrap().send().await.unwrap().status(), 200);
    disk.fill();
    eventually("the disk is full", async || gateway.post(&secret, &chat("llama", false)).await.status() == 503).await;
    // Those that came before it was full, and those that come now, are taken once.
    replayed(&before).await;
    let while_full = read();
    let response = while_full.try_clone().unwrap().send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.json::<ReceiptsPage>().await.unwrap().receipts.len(), 1);
    replayed(&while_full).await;
    let at_once = read();
    let answers = futures::future::join_all((0..8).map(|_| at_once.try_clone().unwrap().send())).await;
    let taken = answers.into_iter().filter(|answer| answer.as_ref().unwrap().status() == 200);
    assert_eq!(taken.count(), 1);
    // What changes something is not heard.
    let body = chat("llama", false).to_string();
    let probe = gateway.signed(&key("Eve"), Method::Post, "/v1/chat/completions", body.as_bytes());
    let (status, code, message) = refusal(probe.send().await.unwrap()).await;
    assert_eq!((status, code.as_str()), (503, "ledger_unavailable"), "{message}");
    assert_eq!(gateway.health().await.status, "degraded");
    disk.free();
    eventually("healthy again", async || gateway.health().await.status == "ok").await;
    for request in [&before, &while_full, &at_once] {
        replayed(request).await;
    }
    assert_eq!(read().send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn health_recovers_when_only_reservations_failed() {
    let Some(disk) = SmallDisk::mount(3_072) else { return };
    let gateway = Gateway::with(|config| config.ledger_path = disk.path().join("gateway.db")).await;
    let secret = gateway.customer("acme", 1_000_000).await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Hi."]);
    disk.fill();
    eventually("the disk is full", async || gateway.post(&secret, &chat("llama", false)).await.status() == 503).await;
    assert_eq!(gateway.health().await.status, "degraded");
    disk.free();
    eventually("healthy again", async || gateway.health().await.status == "ok").await;
    let response = gateway.post(&secret, &chat("llama", false)).await;
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
}

#[tokio::test]
async fn start_is_refused_with_what_is_missing_when_the_ledgers_log_was_cut() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 1_000_000).await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Hi."]);
    for _ in 0..5 {
        assert_eq!(gateway.post(&secret, &chat("llama", false)).await.status(), 200);
    }
    // What a crash leaves, without the last bytes of the log.
    let crashed = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal", ".mark"] {
        let name = format!("gateway.db{suffix}");
        std::fs::copy(gateway.folder.path().join(&name), crashed.path().join(&name)).unwrap();
    }
    let log = File::options().write(true).open(crashed.path().join("gateway.db-wal")).unwrap();
    log.set_len(log.metadata().unwrap().len() - 1).unwrap();
    let chain: Arc<dyn ChainPort> = FakeChain::new(&[], &[]);
    let start = Server::start(config(&crashed), key("Gateway"), chain, CancellationToken::new());
    let error = start.await.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("lacks the last 1 of 5 receipts") && error.contains("gateway.db.lost"), "{error}");
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
