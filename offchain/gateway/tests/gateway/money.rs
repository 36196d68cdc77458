// SPDX-License-Identifier: Apache-2.0

use std::time::Duration;

use clawrank_protocol::{
    http::{Demand, ReceiptsPage},
    proof::{Method, SignedReceipt, blake2_256},
};
use clawrank_store::ledger::KeyKind;
use clawrank_units::MicroUsd;
use futures::{StreamExt, future::join_all};

use crate::{
    miner::{Miner, offer},
    support::{Gateway, PRICES, chat, key, refusal},
};

pub(crate) async fn receipts(gateway: &Gateway, since: u64) -> ReceiptsPage {
    let path = format!("/v1/receipts?since={since}&limit=2");
    gateway.signed(&key("Eve"), Method::Get, &path, b"").send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn receipt_holds_for_both_parties_when_a_request_was_served() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 10_000).await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Hello", " there."]);
    for stream in [false, true, false] {
        gateway.post(&secret, &chat("llama", stream)).await.text().await.unwrap();
    }
    // 6 input and 3 output tokens at 1 and 2 micro-USD.
    assert_eq!(gateway.balance("acme").await, 10_000 - 3 * 12);
    let page = receipts(&gateway, 0).await;
    assert_eq!((page.receipts.len(), page.next, page.more), (2, 2, true));
    let last = receipts(&gateway, page.next).await;
    assert_eq!((last.receipts.len(), last.next, last.more), (1, 3, false));
    let bob = key("Bob").public();
    for (entry, stream) in page.receipts.iter().chain(&last.receipts).zip([false, true, false]) {
        let signed = SignedReceipt::decode_limited(&entry.receipt.0).unwrap();
        signed.verify(&gateway.keypair.public(), |miner| *miner == bob).unwrap();
        let receipt = &signed.receipt;
        assert_eq!((receipt.fee, receipt.payer), (MicroUsd(12), blake2_256(b"acme")));
        assert_eq!((receipt.tokens(), receipt.recount_tokens), (9, 10));
        assert_eq!((receipt.claim.stream, receipt.claim.ok), (stream, true));
        assert!(receipt.total_ms >= receipt.first_byte_ms);
    }
    let request = gateway.signed(&key("Bob"), Method::Get, "/v1/demand", b"");
    let demand: Demand = request.send().await.unwrap().json().await.unwrap();
    assert_eq!((demand.cells[0].model.as_str(), demand.cells[0].requests, demand.cells[0].tokens), ("llama", 3, 27));
}

#[tokio::test]
async fn fee_follows_the_models_own_price_or_the_default_when_it_has_none() {
    let gateway = Gateway::with(|config| {
        let line = |model: &str, input: u64, output: u64| {
            format!(
                "[[price]]\nmodel = \"{model}\"\nin_micro_usd_per_mtok = {input}\nout_micro_usd_per_mtok = {output}\n"
            )
        };
        let prices = [line("Dear", 10_000_000, 30_000_000), line("cheap", 500_000, 250_000), PRICES.to_owned()];
        std::fs::write(config.prices_path.as_ref().unwrap(), prices.concat()).unwrap();
    })
    .await;
    let secret = gateway.customer("acme", 10_000).await;
    let offers = ["dear", "cheap", "other"].map(offer).to_vec();
    Miner::connect_with(&gateway, "Bob", offers).await.spawn_honest(&["Hello", " there."]);
    let mut balance = 10_000;
    // 6 input and 3 output tokens each: at 10 and 30 micro-USD, at 0.5 and 0.25 rounded up, at the default of 1 and 2.
    for (seq, model, stream, fee) in [(0, "dear", false, 150), (1, "cheap", true, 4), (2, "other", false, 12)] {
        let response = gateway.post(&secret, &chat(model, stream)).await;
        assert_eq!(response.status(), 200, "{model}");
        response.text().await.unwrap();
        balance -= fee;
        assert_eq!(gateway.balance("acme").await, balance, "{model}");
        let page = receipts(&gateway, seq).await;
        assert_eq!(page.receipts.len(), 1, "{model}");
        let receipt = SignedReceipt::decode_limited(&page.receipts[0].receipt.0).unwrap().receipt;
        assert_eq!((receipt.claim.model.as_str(), receipt.fee), (model, MicroUsd(fee)));
    }
}

#[tokio::test]
async fn request_is_refused_when_the_balance_is_too_low_and_others_go_on() {
    let gateway = Gateway::start().await;
    let (poor, rich) = (gateway.customer("poor", 205).await, gateway.customer("rich", 10_000).await);
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Hi."]);
    let (status, code, message) = refusal(gateway.post(&poor, &chat("llama", false)).await).await;
    assert_eq!((status, code.as_str()), (402, "insufficient_balance"));
    assert!(message.contains("205") && message.contains("deposit"), "{message}");
    assert_eq!(gateway.post(&rich, &chat("llama", false)).await.status(), 200);
    assert_eq!(gateway.balance("poor").await, 205);
    let free = gateway.api_key("poor", KeyKind::Free).await;
    assert_eq!(gateway.post(&free, &chat("llama", false)).await.status(), 200);
    assert_eq!(gateway.balance("poor").await, 205);
}

#[tokio::test]
async fn balance_never_goes_below_zero_when_requests_race() {
    let gateway = Gateway::start().await;
    // A request may cost 7 + 200 micro-USD, so three fit at a time; each costs 8 in the end.
    let secret = gateway.customer("acme", 650).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let body = chat("llama", false);
    let calls = tokio::spawn({
        let (http, url) = (gateway.http.clone(), gateway.url("/v1/chat/completions"));
        async move {
            let call = || http.post(&url).bearer_auth(&secret).json(&body).send();
            join_all((0..20).map(|_| call())).await
        }
    });
    let mut requests = Vec::new();
    for _ in 0..3 {
        requests.push(miner.request().await);
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(gateway.balance("acme").await < 207);
    for request in &requests {
        miner.serve(request, &["Hi."]).await;
    }
    let statuses: Vec<_> = calls.await.unwrap().into_iter().map(|one| one.unwrap().status().as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 3, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 402).count(), 17, "{statuses:?}");
    assert_eq!(gateway.balance("acme").await, 650 - 3 * 8);
}

#[tokio::test]
async fn partial_stream_is_paid_by_the_miners_claim_when_the_customer_leaves() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 10_000).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let (http, url, body) = (gateway.http.clone(), gateway.url("/v1/chat/completions"), chat("llama", true));
    let call = tokio::spawn(async move {
        let response = http.post(url).bearer_auth(secret).json(&body).send().await.unwrap();
        let mut parts = response.bytes_stream();
        parts.next().await.unwrap().unwrap()
        // Dropped here: the customer leaves after the first part.
    });
    let request = miner.request().await;
    miner.chunk(request.id, 0, "Hello").await;
    assert!(String::from_utf8(call.await.unwrap().to_vec()).unwrap().contains("Hello"));
    // The cancel arrives although the miner says nothing more.
    match miner.next().await.unwrap() {
        clawrank_protocol::frames::GatewayFrame::Cancel { id } => assert_eq!(id, request.id),
        other => panic!("{other:?}"),
    }
    miner.chunk(request.id, 1, " there.").await;
    let mut claim = miner.claim(&request, "Hello there.");
    claim.ok = false;
    miner.done(&claim).await;
    gateway.await_balance("acme", 10_000 - 12).await;
    let page = receipts(&gateway, 0).await;
    let signed = SignedReceipt::decode_limited(&page.receipts[0].receipt.0).unwrap();
    assert!(!signed.receipt.claim.ok && signed.receipt.fee == MicroUsd(12));
}

#[tokio::test]
async fn partial_stream_is_paid_by_recount_when_the_miner_claims_nothing() {
    let gateway = Gateway::with(|config| config.timing.cancel_grace_ms = 50).await;
    let secret = gateway.customer("acme", 10_000).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let (http, url, body) = (gateway.http.clone(), gateway.url("/v1/chat/completions"), chat("llama", true));
    let call = tokio::spawn(async move {
        let response = http.post(url).bearer_auth(secret).json(&body).send().await.unwrap();
        response.bytes_stream().next().await.unwrap().unwrap()
    });
    let request = miner.request().await;
    miner.chunk(request.id, 0, "Hello there.").await;
    call.await.unwrap();
    // 7 input and 3 output tokens by the gateway's own count.
    gateway.await_balance("acme", 10_000 - 13).await;
    assert!(receipts(&gateway, 0).await.receipts.is_empty());
}

#[tokio::test]
async fn nothing_is_paid_when_the_customer_leaves_before_the_first_text() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 10_000).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let (http, url, body) = (gateway.http.clone(), gateway.url("/v1/chat/completions"), chat("llama", false));
    let call = tokio::spawn(async move { http.post(url).bearer_auth(secret).json(&body).send().await });
    let request = miner.request().await;
    call.abort();
    match miner.next().await.unwrap() {
        clawrank_protocol::frames::GatewayFrame::Cancel { id } => assert_eq!(id, request.id),
        other => panic!("{other:?}"),
    }
    gateway.await_balance("acme", 10_000).await;
}
