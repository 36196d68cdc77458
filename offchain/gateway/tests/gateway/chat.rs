// SPDX-License-Identifier: Apache-2.0

use clawrank_protocol::{
    Hotkey,
    http::{HEADER_MINER, HEADER_REQUEST_ID},
};
use clawrank_store::ledger::KeyKind;
use serde_json::{Value, json};

use crate::{
    miner::Miner,
    money::receipts,
    support::{Gateway, chat, events, key, refusal, streamed_text},
};

#[tokio::test]
async fn answer_is_passed_on_when_miner_is_honest() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 1_000_000).await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Hello", " there."]);
    let response = gateway.post(&secret, &chat("llama", false)).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[HEADER_MINER], Hotkey(key("Bob").public()).to_string());
    assert_eq!(response.headers()[HEADER_REQUEST_ID].len(), 32);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["choices"][0]["message"]["content"], "Hello there.");
}

#[tokio::test]
async fn stream_ends_with_done_when_miner_is_honest() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 1_000_000).await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Hello", " there", "."]);
    let response = gateway.post(&secret, &chat("llama", true)).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.unwrap();
    assert_eq!(streamed_text(&text), "Hello there.");
    assert_eq!(events(&text).last(), Some(&"[DONE]"));
    assert!(!text.contains("usage"));
}

#[tokio::test]
async fn usage_is_reported_once_when_asked_for() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 1_000_000).await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Hello", " there", "."]);
    let mut body = chat("llama", true);
    body["stream_options"] = json!({"include_usage": true});
    let text = gateway.post(&secret, &body).await.text().await.unwrap();
    let events = events(&text);
    let usage: Value = serde_json::from_str(events[events.len() - 2]).unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"], json!({"prompt_tokens": 6, "completion_tokens": 3, "total_tokens": 9}));
    assert_eq!(text.matches("\"usage\"").count(), 1);
}

#[tokio::test]
async fn body_reaches_the_miner_unchanged_when_it_has_unknown_fields() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 1_000_000).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let mut body = chat("llama", false);
    body["thinking"] = json!({"signature": "Zm9v==", "budget": 1.50});
    let (sent, http, url) = (body.clone(), gateway.http.clone(), gateway.url("/v1/chat/completions"));
    let call = tokio::spawn(async move { http.post(url).bearer_auth(secret).json(&sent).send().await.unwrap() });
    let request = miner.request().await;
    assert_eq!(serde_json::from_str::<Value>(request.body.get()).unwrap(), body);
    miner.serve(&request, &["Hi."]).await;
    assert_eq!(call.await.unwrap().status(), 200);
}

#[tokio::test]
async fn max_tokens_is_added_when_the_customer_gives_none() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 1_000_000).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let mut body = chat("llama", false);
    body.as_object_mut().unwrap().remove("max_tokens");
    let (http, url) = (gateway.http.clone(), gateway.url("/v1/chat/completions"));
    let call = tokio::spawn(async move { http.post(url).bearer_auth(secret).json(&body).send().await.unwrap() });
    let request = miner.request().await;
    let sent: Value = serde_json::from_str(request.body.get()).unwrap();
    assert_eq!(sent["max_tokens"], 1_024);
    miner.serve(&request, &["Hi."]).await;
    assert_eq!(call.await.unwrap().status(), 200);
}

#[tokio::test]
async fn model_is_found_when_written_in_other_letters() {
    let gateway = Gateway::start().await;
    let secret = gateway.api_key("acme", KeyKind::Free).await;
    Miner::connect(&gateway, "Bob", "Meta/Llama-3").await.spawn_honest(&["Hi."]);
    assert_eq!(gateway.post(&secret, &chat("meta/llama-3", false)).await.status(), 200);
}

#[tokio::test]
async fn request_is_refused_with_a_clear_error_when_its_body_is_wrong() {
    let gateway = Gateway::with(|config| config.limits.max_body_bytes = 2_000).await;
    let secret = gateway.customer("acme", 1_000_000).await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Hi."]);
    let mut empty = chat("llama", false);
    empty["messages"] = json!([]);
    let mut large = chat("llama", false);
    large["messages"][0]["content"] = "x".repeat(2_000).into();
    let mut long = chat("llama", false);
    long["max_tokens"] = 9_000.into();
    for (body, status, code, word) in [
        (chat("unknown", false), 404, "model_not_found", "unknown"),
        (empty, 400, "invalid_request_error", "messages"),
        (json!({"messages": []}), 400, "invalid_request_error", "model"),
        (json!([1]), 400, "invalid_request_error", "chat request"),
        (large, 413, "body_too_large", "2000"),
        (long, 400, "invalid_request_error", "8192"),
    ] {
        let (found, found_code, message) = refusal(gateway.post(&secret, &body).await).await;
        assert_eq!((found, found_code.as_str()), (status, code), "{message}");
        assert!(message.contains(word), "{message}");
    }
    // Everything else goes on, and nothing was charged.
    assert_eq!(gateway.balance("acme").await, 1_000_000);
    assert_eq!(gateway.post(&secret, &chat("llama", false)).await.status(), 200);
}

#[tokio::test]
async fn key_is_refused_when_missing_malformed_unknown_or_revoked() {
    let gateway = Gateway::start().await;
    let secret = gateway.api_key("acme", KeyKind::Free).await;
    let unknown = format!("sk-claw-{}", "0".repeat(44));
    for bad in ["", "sk-other", unknown.as_str()] {
        let (status, code, _) = refusal(gateway.post(bad, &chat("llama", false)).await).await;
        assert_eq!((status, code.as_str()), (401, "invalid_api_key"), "{bad}");
    }
    let bare = gateway.http.post(gateway.url("/v1/chat/completions")).json(&chat("llama", false)).send().await.unwrap();
    assert_eq!(refusal(bare).await.0, 401);
    let id = clawrank_store::Ledger::keys(gateway.server.ledger()).await.unwrap()[0].id;
    assert!(clawrank_store::Ledger::revoke_key(gateway.server.ledger(), id, 1).await.unwrap());
    assert_eq!(refusal(gateway.post(&secret, &chat("llama", false)).await).await.0, 401);
}

#[tokio::test]
async fn caller_is_slowed_down_when_over_its_quota() {
    let gateway = Gateway::with(|config| config.limits.requests_per_minute = 3).await;
    let secret = gateway.api_key("acme", KeyKind::Free).await;
    for _ in 0..3 {
        assert_eq!(refusal(gateway.post(&secret, &chat("x", false)).await).await.0, 404);
    }
    assert_eq!(refusal(gateway.post(&secret, &chat("x", false)).await).await.0, 429);
    let other = gateway.api_key("other", KeyKind::Free).await;
    assert_eq!(refusal(gateway.post(&other, &chat("x", false)).await).await.0, 404);
}

#[tokio::test]
async fn good_key_is_heard_when_bad_ones_come_from_the_same_address() {
    let gateway = Gateway::with(|config| config.limits.refusals_per_minute = 2).await;
    let secret = gateway.api_key("acme", KeyKind::Free).await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Hi."]);
    let unknown = |digit: &str| format!("sk-claw-{}", digit.repeat(44));
    for (guess, status, code) in [
        ("sk-guess".to_owned(), 401, "invalid_api_key"),
        (unknown("0"), 401, "invalid_api_key"),
        (unknown("1"), 429, "rate_limit_exceeded"),
        (unknown("1"), 429, "rate_limit_exceeded"),
    ] {
        let (found, found_code, message) = refusal(gateway.post(&guess, &chat("llama", false)).await).await;
        assert_eq!((found, found_code.as_str()), (status, code), "{message}");
        // Why it was refused is told in either case.
        assert!(message.contains("API key is"), "{message}");
        assert_eq!(gateway.post(&secret, &chat("llama", false)).await.status(), 200);
    }
    // Also a key that the gateway has not seen before, and a validator.
    let other = gateway.api_key("other", KeyKind::Free).await;
    assert_eq!(gateway.post(&other, &chat("llama", false)).await.status(), 200);
    assert!(receipts(&gateway, 0).await.more);
}

#[tokio::test]
async fn routes_tell_what_is_there_when_asked() {
    let gateway = Gateway::start().await;
    Miner::connect(&gateway, "Bob", "llama").await.spawn_honest(&["Hi."]);
    let info: Value = gateway.get("/v1/info").await.json().await.unwrap();
    assert_eq!(info["gateway"], Hotkey(gateway.keypair.public()).to_string());
    assert_eq!(info["netuid"], 92);
    let models: Value = gateway.get("/v1/models").await.json().await.unwrap();
    assert_eq!(models["data"][0]["id"], "llama");
    let bob = gateway.miner_info("Bob").await.unwrap();
    assert!(bob.online && bob.health_ppm == 1_000_000 && bob.models[0].id == "llama");
    assert_eq!(gateway.health().await.status, "ok");
    assert!(gateway.metric("clawrank_miners").await >= 1.0);
    assert_eq!(refusal(gateway.get("/v1/nothing").await).await.0, 404);
    assert_eq!(refusal(gateway.get("/v1/chat/completions").await).await.0, 405);
    assert_eq!(refusal(gateway.get("/v1/miner").await).await.0, 400);
}
