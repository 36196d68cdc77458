// SPDX-License-Identifier: Apache-2.0
//! The serving miner where something goes wrong.

use std::{io, sync::Arc, time::Duration};

use axum::{Json, Router, body::Body, http::StatusCode, response::Response, routing::post};
use clawrank_miner::{Error, LinkError};
use clawrank_primitives::proof::{Keypair, salted_hash};
use clawrank_protocol::{
    Hotkey,
    frames::{Fail, GatewayFrame, MinerFrame, RefusalCode},
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};

use crate::{
    FAST,
    gateway::{Connection, Reception},
    serve::{chat, complete, keypair, request_frame, start, verified},
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
    serve(Router::new().route("/chat/completions", post(answer))).await
}

async fn serve(router: Router) -> String {
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

/// How a backend fails requests for `m`.
struct Fault {
    status: u16,
    body: String,
    /// Whether the connection breaks after the body.
    breaks: bool,
}

/// A backend with this fault. Requests for `good` it answers: one half at once, the other when `go_on` allows it.
async fn faulty_backend(fault: Fault, go_on: Arc<Notify>) -> String {
    let fault = Arc::new(fault);
    let answer = move |Json(request): Json<Value>| {
        let (fault, go_on) = (Arc::clone(&fault), Arc::clone(&go_on));
        async move {
            let other_half = async move {
                go_on.notified().await;
                Ok(event("answer.", true))
            };
            let (status, body) = if request["model"] == "m" {
                let end = fault.breaks.then(|| Err(io::Error::other("cut off")));
                let pieces = stream::iter([Ok(fault.body.clone())].into_iter().chain(end));
                (fault.status, Body::from_stream(pieces))
            } else {
                let halves =
                    stream::iter([Ok::<_, io::Error>(event("A whole ", false))]).chain(stream::once(other_half));
                (200, Body::from_stream(halves))
            };
            Response::builder().status(status).header("content-type", "text/event-stream").body(body).unwrap()
        }
    };
    serve(Router::new().route("/chat/completions", post(answer))).await
}

#[tokio::test]
async fn request_fails_alone_when_the_backends_stream_is_malformed() {
    let ok = |body: String| Fault { status: 200, body, breaks: false };
    let error = |status, message: &str| {
        let body = json!({ "error": { "message": message } }).to_string();
        Fault { status, body, breaks: false }
    };
    let half = || event("half an answer", false);
    for (fault, expected) in [
        (error(500, "out of memory"), "status 500: out of memory"),
        (error(429, "slow down"), "status 429: slow down"),
        (Fault { breaks: true, ..ok(half()) }, "connection broke: "),
        (ok("data: {\"choices\":\n\n".to_owned()), "malformed answer: EOF while parsing a value at line 1"),
        (ok(format!("{}data: {{\"choices\":[{{\"delta\":{{\"con\n\n", half())), "malformed answer: EOF while parsing"),
        (ok("no events at all".to_owned()), "malformed answer: stream ended in the middle"),
        (ok("data: [DONE]\n\n".to_owned()), "malformed answer: stream without a chunk"),
        (ok(half()), "malformed answer: stream ended in the middle"),
        (
            ok(format!("{}data: {{\"error\":{{\"message\":\"x\"}}}}\n\n", half())),
            "malformed answer: the backend sent an error inside its answer",
        ),
    ] {
        let go_on = Arc::new(Notify::new());
        let url = faulty_backend(fault, Arc::clone(&go_on)).await;
        let running = start(FAST, |config| {
            config.backend_url = url;
            config.models.push(serde_json::from_value(json!({ "id": "good" })).unwrap());
        })
        .await;
        let mut connection = running.gateway.accept().await;
        // Half of a good answer is there while the other request fails.
        connection.request_of("good", 2, true, &chat(20)).await;
        let first = connection.next().await;
        assert!(matches!(&first, MinerFrame::Chunk(chunk) if chunk.id.0 == [2; 16]), "{expected}: {first:?}");
        connection.request(1, true, &chat(20)).await;
        let fail = failure(&mut connection).await;
        assert_eq!((fail.id.0, fail.code.as_str(), fail.retryable), ([1; 16], "upstream_error", true), "{expected}");
        assert!(fail.message.starts_with(expected), "{}", fail.message);

        go_on.notify_one();
        let last = connection.next().await;
        assert!(matches!(&last, MinerFrame::Chunk(chunk) if (chunk.id.0, chunk.seq) == ([2; 16], 1)), "{last:?}");
        let MinerFrame::Done(done) = connection.next().await else { panic!("done ends the good answer") };
        let claim = verified(&done);
        assert_eq!((claim.request_id, claim.response_hash), ([2; 16], salted_hash(&[9; 16], b"A whole answer.")));

        go_on.notify_one();
        connection.request_of("good", 3, true, &chat(20)).await;
        let (text, claim) = complete(&mut connection, true).await;
        assert_eq!((text.as_str(), claim.request_id), ("A whole answer.", [3; 16]));
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
