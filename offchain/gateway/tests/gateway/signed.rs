// SPDX-License-Identifier: Apache-2.0

use clawrank_protocol::{
    Hotkey,
    http::HEADER_MINER,
    proof::{Keypair, Method, SignedReceipt},
    signed::{SignedParts, sign_request},
};
use clawrank_store::ledger::KeyKind;
use clawrank_units::MicroUsd;

use crate::{
    miner::Miner,
    money::receipts,
    support::{Gateway, chat, eventually, key, now_ms, refusal},
};

const CHAT: &str = "/v1/chat/completions";

/// A validator's probe of one miner.
async fn probe(gateway: &Gateway, validator: &Keypair, miner: &str, model: &str) -> reqwest::Response {
    let body = chat(model, false).to_string();
    let request = gateway.signed(validator, Method::Post, CHAT, body.as_bytes());
    request.header(HEADER_MINER, Hotkey(key(miner).public()).to_string()).send().await.unwrap()
}

#[tokio::test]
async fn probe_reaches_its_miner_free_of_charge_when_a_validator_sends_it() {
    let gateway = Gateway::start().await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Bob."]);
    Miner::connect(&gateway, "Carol", "llama").await.spawn_honest(&["Carol."]);
    for miner in ["Bob", "Carol", "Bob"] {
        let response = probe(&gateway, &key("Eve"), miner, "llama").await;
        assert_eq!(response.status(), 200);
        assert!(response.text().await.unwrap().contains(&format!("{miner}.")));
    }
    for entry in receipts(&gateway, 0).await.receipts {
        let receipt = SignedReceipt::decode_limited(&entry.receipt.0).unwrap().receipt;
        assert_eq!((receipt.fee, receipt.payer), (MicroUsd(0), [0; 32]));
    }
    // Probes are no demand.
    let demand = gateway.signed(&key("Eve"), Method::Get, "/v1/demand", b"").send().await.unwrap();
    assert!(demand.text().await.unwrap().starts_with(r#"{"cells":[]"#));
    let (status, code, _) = refusal(probe(&gateway, &key("Eve"), "Dave", "llama").await).await;
    assert_eq!((status, code.as_str()), (503, "no_miner_available"));
}

#[tokio::test]
async fn ghost_is_offline_for_customers_until_it_answers_a_probe() {
    let gateway = Gateway::start().await;
    let secret = gateway.api_key("acme", KeyKind::Free).await;
    let mut bob = Miner::connect(&gateway, "Bob", "llama").await;
    // Not answered within the probe's deadline.
    let (status, code, _) = refusal(probe(&gateway, &key("Eve"), "Bob", "llama").await).await;
    assert_eq!((status, code.as_str()), (504, "timeout"));
    eventually("Bob is a ghost", async || !gateway.miner_info("Bob").await.unwrap().online).await;
    let (status, code, _) = refusal(gateway.post(&secret, &chat("llama", false)).await).await;
    assert_eq!((status, code.as_str()), (503, "no_miner_available"));
    // Connecting again changes nothing.
    let again = Miner::try_connect(&gateway, key("Bob"), clawrank_protocol::frames::Role::Serve, vec![]).await.unwrap();
    assert!(!gateway.miner_info("Bob").await.unwrap().online);
    drop(again);
    // The probe looks to the miner as a customer's request does.
    let old = bob.request().await;
    let (gateway, answer) = tokio::join!(
        async {
            let response = probe(&gateway, &key("Eve"), "Bob", "llama").await;
            assert_eq!(response.status(), 200);
            gateway
        },
        async {
            let request = bob.request().await;
            assert_eq!(request.deadline_ms, 5_000);
            bob.serve(&request, &["Back."]).await;
            request
        }
    );
    assert_ne!(old.id, answer.id);
    bob.spawn_honest(&["Hi."]);
    eventually("Bob is online", async || gateway.miner_info("Bob").await.is_some_and(|bob| bob.online)).await;
    eventually("customers reach Bob", async || gateway.post(&secret, &chat("llama", false)).await.status() == 200)
        .await;
}

#[tokio::test]
async fn signed_request_is_refused_when_replayed() {
    let gateway = Gateway::start().await;
    let request = gateway.signed(&key("Eve"), Method::Get, "/v1/receipts", b"");
    let again = request.try_clone().unwrap();
    assert_eq!(request.send().await.unwrap().status(), 200);
    let (status, code, message) = refusal(again.send().await.unwrap()).await;
    assert_eq!((status, code.as_str()), (409, "replayed_nonce"));
    assert!(message.contains("sign each request anew"), "{message}");
    assert_eq!(gateway.signed(&key("Eve"), Method::Get, "/v1/receipts", b"").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn fresh_signed_request_is_heard_when_replays_are_over_every_limit() {
    let gateway = Gateway::with(|config| {
        config.limits.refusals_per_minute = 2;
        config.limits.requests_per_minute = 3;
    })
    .await;
    let fresh = || gateway.signed(&key("Eve"), Method::Get, "/v1/receipts", b"");
    let first = fresh();
    let copy = || first.try_clone().unwrap();
    assert_eq!(copy().send().await.unwrap().status(), 200);
    for expected in [409, 409, 429, 429, 429] {
        let (status, _, message) = refusal(copy().send().await.unwrap()).await;
        assert!(status == expected && message.contains("nonce was used before"), "{status} {message}");
    }
    // Neither the address nor the hotkey's own quota is used up by them.
    for expected in [200, 200, 429] {
        assert_eq!(fresh().send().await.unwrap().status(), expected);
    }
}

#[tokio::test]
async fn signed_request_is_refused_when_replayed_to_a_gateway_that_was_restarted() {
    let gateway = Gateway::start().await;
    let request = gateway.signed(&key("Eve"), Method::Get, "/v1/receipts", b"").build().unwrap();
    assert_eq!(gateway.http.execute(request.try_clone().unwrap()).await.unwrap().status(), 200);
    let gateway = gateway.restart().await;
    let mut again = request;
    *again.url_mut() = gateway.url("/v1/receipts").parse().unwrap();
    let (status, code, _) = refusal(gateway.http.execute(again).await.unwrap()).await;
    assert_eq!((status, code.as_str()), (409, "replayed_nonce"));
}

#[tokio::test]
async fn signed_read_is_refused_when_it_was_signed_before_the_gateway_started() {
    // A gateway before this one may have answered it while its disk was full, and had no room for the nonce.
    let before = now_ms() - 1;
    let gateway = Gateway::start().await;
    let receiver = gateway.keypair.public();
    let parts = SignedParts { method: Method::Get, path_and_query: "/v1/receipts", body: b"", receiver };
    let headers = sign_request(&key("Eve"), parts, before).unwrap();
    let request = gateway.http.get(gateway.url("/v1/receipts"));
    let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let (status, code, message) = refusal(request.send().await.unwrap()).await;
    assert_eq!((status, code.as_str()), (409, "replayed_nonce"));
    assert!(message.contains("before this gateway started"), "{message}");
}

#[tokio::test]
async fn signed_request_is_refused_when_sender_signature_or_time_are_wrong() {
    let gateway = Gateway::start().await;
    let send = async |request: reqwest::RequestBuilder| refusal(request.send().await.unwrap()).await;
    // Not registered; registered without a permit.
    let stranger = gateway.signed(&key("Mallory"), Method::Get, "/v1/receipts", b"");
    assert_eq!(send(stranger).await.1, "permission_denied");
    let miner = gateway.signed(&key("Bob"), Method::Get, "/v1/receipts", b"");
    let (status, _, message) = send(miner).await;
    assert!(status == 403 && message.contains("permit"), "{message}");
    // Another body or another path than was signed.
    let changed = gateway.signed(&key("Eve"), Method::Post, CHAT, b"{}").body("{ }");
    assert_eq!(send(changed).await.1, "invalid_api_key");
    let parts = SignedParts {
        method: Method::Get,
        path_and_query: "/v1/receipts?since=0",
        body: b"",
        receiver: gateway.keypair.public(),
    };
    let at = |time_ms: u64, parts: SignedParts<'_>| {
        let headers = sign_request(&key("Eve"), parts, time_ms).unwrap();
        let request = gateway.http.get(gateway.url("/v1/receipts?since=0"));
        headers.into_iter().fold(request, |request, (name, value)| request.header(name, value))
    };
    assert_eq!(at(now_ms(), parts).send().await.unwrap().status(), 200);
    for time_ms in [now_ms() - 6_000, now_ms() + 6_000] {
        let (status, _, message) = send(at(time_ms, parts)).await;
        assert!(status == 401 && message.contains("window"), "{message}");
    }
    let elsewhere = SignedParts { receiver: [1; 32], ..parts };
    assert_eq!(send(at(now_ms(), elsewhere)).await.0, 401);
    assert_eq!(send(at(now_ms(), SignedParts { path_and_query: "/v1/receipts", ..parts })).await.0, 401);
    // No signature at all.
    assert_eq!(refusal(gateway.get("/v1/receipts").await).await.0, 401);
}

#[tokio::test]
async fn probe_is_refused_when_the_sender_is_no_validator_or_names_no_miner() {
    let gateway = Gateway::start().await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Bob."]);
    assert_eq!(refusal(probe(&gateway, &key("Carol"), "Bob", "llama").await).await.0, 403);
    let body = chat("llama", false).to_string();
    let unnamed = gateway.signed(&key("Eve"), Method::Post, CHAT, body.as_bytes()).send().await.unwrap();
    let (status, _, message) = refusal(unnamed).await;
    assert!(status == 400 && message.contains("miner"), "{message}");
}
