// SPDX-License-Identifier: Apache-2.0
//! The serving miner where something goes wrong.

use std::time::Duration;

use axum::{Router, body::Body, http::StatusCode, response::Response, routing::post};
use clawrank_miner::{Error, LinkError};
use clawrank_primitives::proof::Keypair;
use clawrank_protocol::{
    Hotkey,
    frames::{Fail, GatewayFrame, MinerFrame, RefusalCode},
};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    FAST,
    gateway::{Connection, Reception},
    serve::{chat, complete, keypair, request_frame, start},
};

/// Frames up to `fail`.
async fn failure(connection: &mut Connection) -> Fail {
    loop {
        match connection.next().await {
            MinerFrame::Fail(fail) => return fail,
            MinerFrame::Chunk(_) => {}
            other => panic!("unexpected {other:?}"),
        }
    }
}

/// A backend that answers every request with this body.
async fn backend(status: StatusCode, kind: &'static str, body: String) -> String {
    let answer = move || async move {
        Response::builder().status(status).header("content-type", kind).body(Body::from(body)).unwrap()
    };
    let router = Router::new().route("/chat/completions", post(answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, router).into_future());
    format!("http://{address}")
}

fn event(content: &str, finish: bool) -> String {
    let reason = if finish { json!("stop") } else { json!(null) };
    let chunk = json!({ "choices": [{ "index": 0, "delta": { "content": content }, "finish_reason": reason }] });
    format!("data: {chunk}\n\n")
}

async fn fails_with(stream: bool, status: StatusCode, body: String) -> Fail {
    let kind = if stream { "text/event-stream" } else { "application/json" };
    let url = backend(status, kind, body).await;
    let running = start(FAST, |config| {
        config.backend_url = url;
        config.max_answer_bytes = 20_000;
    })
    .await;
    let mut connection = running.gateway.accept().await;
    connection.request(1, stream, &chat(20)).await;
    failure(&mut connection).await
}

#[tokio::test]
async fn request_fails_as_busy_when_all_slots_are_taken() {
    let running = start("latency = { ttft_median_ms = 400.0, tokens_per_second = 1000.0 }", |_| {}).await;
    let mut connection = running.gateway.accept().await;
    for id in 1..=3 {
        connection.request(id, true, &chat(8)).await;
    }
    let fail = failure(&mut connection).await;
    assert_eq!((fail.id.0, fail.code.as_str(), fail.retryable), ([3; 16], "busy", true));
    let mut done = 0;
    while done < 2 {
        done += usize::from(matches!(connection.next().await, MinerFrame::Done(_)));
    }
    connection.request(4, true, &chat(8)).await;
    assert_eq!(complete(&mut connection, true).await.1.request_id, [4; 16]);
}

#[tokio::test]
async fn slot_is_free_and_nothing_is_said_when_a_request_is_cancelled() {
    let running =
        start(&format!("{FAST}failures = {{ hang = 1.0 }}"), |config| config.models[0].max_concurrency = 1).await;
    let mut connection = running.gateway.accept().await;
    for round in 1..=3u8 {
        let id = connection.request(round, true, &chat(8)).await;
        while running.emulator.control().requests("a") < u64::from(round) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        connection.send(GatewayFrame::Cancel { id }).await;
        // The slot is taken until the task has ended, so ask until it is not busy.
        connection.send(GatewayFrame::Ping { n: u64::from(round) }).await;
        assert!(matches!(connection.next().await, MinerFrame::Pong { n } if n == u64::from(round)));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(running.emulator.control().requests("a"), 3);
}

#[tokio::test]
async fn request_fails_retryably_when_the_backend_is_down() {
    let running = start(FAST, |config| config.backend_url = "http://127.0.0.1:9/v1".into()).await;
    let mut connection = running.gateway.accept().await;
    connection.request(1, true, &chat(8)).await;
    let fail = failure(&mut connection).await;
    assert_eq!((fail.code.as_str(), fail.retryable), ("upstream_error", true));
}

#[tokio::test]
async fn request_fails_when_the_backends_stream_is_malformed() {
    for model in ["malformed = 1.0", "broken = 1.0", "status_500 = 1.0", "status_429 = 1.0"] {
        let running = start(&format!("{FAST}failures = {{ {model} }}"), |_| {}).await;
        let mut connection = running.gateway.accept().await;
        connection.request(1, true, &chat(20)).await;
        let fail = failure(&mut connection).await;
        assert_eq!((fail.code.as_str(), fail.retryable), ("upstream_error", true), "{model}");
    }
    for body in [
        "data: {\"choices\":\n\n".to_owned(),
        "no events at all".to_owned(),
        "data: [DONE]\n\n".to_owned(),
        event("half an answer", false),
        format!("{}data: {{\"error\":{{\"message\":\"x\"}}}}\n\n", event("half", false)),
    ] {
        let fail = fails_with(true, StatusCode::OK, body.clone()).await;
        assert_eq!((fail.code.as_str(), fail.retryable), ("upstream_error", true), "{body}");
    }
}

#[tokio::test]
async fn request_fails_for_good_when_the_backend_refuses_it() {
    let body = json!({ "error": { "message": "context too long" } }).to_string();
    let fail = fails_with(false, StatusCode::BAD_REQUEST, body).await;
    assert_eq!((fail.code.as_str(), fail.retryable), ("upstream_refused", false));
    assert!(fail.message.contains("context too long"), "{}", fail.message);
    let fail = fails_with(false, StatusCode::OK, "{}".to_owned()).await;
    assert_eq!(fail.code, "upstream_error");
}

#[tokio::test]
async fn request_fails_when_the_answer_is_larger_than_accepted() {
    let large = "x".repeat(30_000);
    let whole = json!({ "choices": [{ "message": { "content": large } }] }).to_string();
    let fail = fails_with(false, StatusCode::OK, whole).await;
    assert_eq!((fail.code.as_str(), fail.retryable), ("answer_too_large", false));
    let fail = fails_with(true, StatusCode::OK, event(&large, true)).await;
    assert_eq!(fail.code, "answer_too_large");
    let many: String = (0..300).map(|_| event("some more words of an endless answer", false)).collect();
    assert_eq!(fails_with(true, StatusCode::OK, many).await.code, "answer_too_large");
}

#[tokio::test]
async fn request_fails_when_its_deadline_passes() {
    let running = start(&format!("{FAST}failures = {{ hang = 1.0 }}"), |config| config.request_deadline_ms = 100).await;
    let mut connection = running.gateway.accept().await;
    connection.request(1, true, &chat(8)).await;
    let fail = failure(&mut connection).await;
    assert_eq!((fail.code.as_str(), fail.retryable), ("timeout", true));
}

#[tokio::test]
async fn request_fails_when_it_cannot_be_served() {
    let running = start(FAST, |_| {}).await;
    let mut connection = running.gateway.accept().await;
    let GatewayFrame::Request(mut foreign) = request_frame(&chat(8)) else { unreachable!() };
    foreign.model = "other".to_owned();
    connection.send(GatewayFrame::Request(foreign)).await;
    assert_eq!(failure(&mut connection).await.code, "unknown_model");
    connection.send(request_frame(&json!({ "model": "m", "messages": [] }))).await;
    let fail = failure(&mut connection).await;
    assert_eq!((fail.code.as_str(), fail.retryable), ("bad_request", false));
}

#[tokio::test]
async fn tokens_are_counted_coarsely_when_the_backend_reports_none() {
    let body = format!("{}{}data: [DONE]\n\n", event("A short ", false), event("answer.", true));
    let url = backend(StatusCode::OK, "text/event-stream", body).await;
    let running = start(FAST, |config| config.backend_url = url).await;
    let mut connection = running.gateway.accept().await;
    connection.request(1, true, &chat(20)).await;
    let (text, claim) = complete(&mut connection, true).await;
    assert_eq!((text.as_str(), claim.output_tokens), ("A short answer.", 4));
    assert!(claim.input_tokens >= 5);
}

#[tokio::test]
async fn miner_ends_when_the_gateway_refuses_it_for_good() {
    let running = start(FAST, |config| config.reconnect_min_ms = 300).await;
    running.gateway.receive(Reception::Refuse(RefusalCode::BadSignature));
    drop(running.gateway.accept_if_any().await);
    let error = running.miner.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Link(LinkError::Refused { code: RefusalCode::BadSignature, .. })), "{error}");
}

#[tokio::test]
async fn miner_tries_again_when_the_gateway_refuses_it_for_now() {
    let running = start(FAST, |_| {}).await;
    running.gateway.receive(Reception::Refuse(RefusalCode::Unregistered));
    drop(running.gateway.accept_if_any().await);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!running.miner.is_finished());
    running.gateway.receive(Reception::Welcome);
    assert_eq!(running.gateway.accept().await.hello.hotkey, Hotkey(keypair().public()));
}

#[tokio::test]
async fn nothing_is_signed_when_the_gateway_has_another_hotkey() {
    let other = Hotkey(Keypair::dev("//Other").unwrap().public());
    let running = start(FAST, |config| config.gateway_hotkey = Some(other)).await;
    let error = running.miner.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Link(LinkError::WrongHotkey { .. })), "{error}");
    assert!(running.gateway.accept_if_any().await.is_none());
}

#[tokio::test]
async fn miner_ends_when_the_gateway_serves_another_subnet() {
    let running = start(FAST, |config| config.netuid = Some(1)).await;
    let error = running.miner.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Link(LinkError::WrongSubnet { what: "netuid", .. })), "{error}");
}
