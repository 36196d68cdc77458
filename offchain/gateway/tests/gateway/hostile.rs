// SPDX-License-Identifier: Apache-2.0

//! Miners that break the protocol, lie, hang or vanish. Each costs itself, nobody else.

use clawrank_protocol::{
    Hex,
    frames::{Answer, Chunk, GatewayFrame, MinerFrame, ModelOffer, RefusalCode, Request, Role},
    proof::SignedReceipt,
};
use clawrank_store::ledger::KeyKind;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    miner::{Miner, offer, raw},
    money::receipts,
    support::{Gateway, chat, events, eventually, key, refusal, streamed_text},
};

/// What is said of a claim whose signature is not its miner's.
const FOREIGN: &str = "claim's signature does not verify";

/// What is said of JSON that is no answer.
const SHAPELESS: &str = "answer is not of OpenAI's shape";

/// JSON that is no chunk and no answer; the list has its fields in the order in which the gateway reads them.
fn shapeless() -> [Value; 4] {
    let said = json!({"content": "Hi."});
    [json!({"choices": 7}), json!({"choices": [{"delta": {"content": 7}}]}), json!("Hi."), json!([[[said, said]]])]
}

/// Asks in the background.
pub(crate) fn ask(gateway: &Gateway, secret: &str, stream: bool) -> JoinHandle<reqwest::Response> {
    ask_for(gateway, secret, "llama", stream)
}

/// The same for any model.
fn ask_for(gateway: &Gateway, secret: &str, model: &str, stream: bool) -> JoinHandle<reqwest::Response> {
    let request = gateway.http.post(gateway.url("/v1/chat/completions")).bearer_auth(secret).json(&chat(model, stream));
    tokio::spawn(async move { request.send().await.unwrap() })
}

/// Ends a request with the right claim, signed by somebody else.
async fn done_by_another(miner: &mut Miner, request: &Request, text: &str) {
    let claim = miner.claim(request, text);
    let own = core::mem::replace(&mut miner.keypair, key("Mallory"));
    miner.done(&claim).await;
    miner.keypair = own;
}

async fn send_chunk(miner: &mut Miner, request: &Request, seq: u32, data: &Value) {
    miner.send(MinerFrame::Chunk(Chunk { id: request.id, seq, data: raw(data) })).await;
}

/// One hostile miner alone: its request fails with this code, costs nothing, and its health falls. What the customer is
/// told.
async fn check_alone<F>(stream: bool, expected: (u16, &str), hostile: F) -> String
where
    F: AsyncFnOnce(&mut Miner, Request),
{
    let gateway = Gateway::with(|config| config.timing.request_deadline_ms = 700).await;
    let secret = gateway.customer("acme", 10_000).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let call = ask(&gateway, &secret, stream);
    let request = miner.request().await;
    hostile(&mut miner, request).await;
    let (status, code, message) = refusal(call.await.unwrap()).await;
    assert_eq!((status, code.as_str()), expected, "{message}");
    gateway.await_balance("acme", 10_000).await;
    assert!(receipts(&gateway, 0).await.receipts.is_empty());
    if let Some(info) = gateway.miner_info("Bob").await {
        assert!(info.health_ppm < 1_000_000, "{info:?}");
    }
    message
}

/// Two miners: whoever is asked first is hostile, and the customer gets the other's answer.
async fn check_rerouted<F>(stream: bool, hostile: F)
where
    F: AsyncFnOnce(&mut Miner, Request),
{
    check_rerouted_by(Gateway::start().await, stream, hostile).await;
}

/// The same with a gateway of one's own.
async fn check_rerouted_by<F>(gateway: Gateway, stream: bool, hostile: F)
where
    F: AsyncFnOnce(&mut Miner, Request),
{
    let secret = gateway.customer("acme", 10_000).await;
    let mut bob = Miner::connect(&gateway, "Bob", "llama").await;
    let mut carol = Miner::connect(&gateway, "Carol", "llama").await;
    let call = ask(&gateway, &secret, stream);
    let other = tokio::select! {
        request = bob.request() => {
            hostile(&mut bob, request).await;
            &mut carol
        }
        request = carol.request() => {
            hostile(&mut carol, request).await;
            &mut bob
        }
    };
    let request = other.request().await;
    other.serve(&request, &["Honest", " answer."]).await;
    let response = call.await.unwrap();
    assert_eq!(response.status(), 200);
    let text = response.text().await.unwrap();
    assert!(if stream { streamed_text(&text) == "Honest answer." } else { text.contains("Honest answer.") }, "{text}");
    assert_eq!(receipts(&gateway, 0).await.receipts.len(), 1);
    assert_eq!(gateway.balance("acme").await, 10_000 - 14);
}

#[tokio::test]
async fn request_fails_alone_when_the_claim_is_about_another_text() {
    check_alone(false, (502, "upstream_error"), async |miner, request| {
        miner.answer(&request, "What was sent.").await;
        let claim = miner.claim(&request, "What was claimed.");
        miner.done(&claim).await;
    })
    .await;
}

#[tokio::test]
async fn request_fails_alone_when_claimed_tokens_exceed_the_recount() {
    check_alone(false, (502, "upstream_error"), async |miner, request| {
        miner.answer(&request, "Short.").await;
        let mut claim = miner.claim(&request, "Short.");
        claim.output_tokens = 2_000;
        miner.done(&claim).await;
    })
    .await;
}

#[tokio::test]
async fn request_fails_alone_when_the_claim_has_a_foreign_signature() {
    let message = check_alone(false, (502, "upstream_error"), async |miner, request| {
        miner.answer(&request, "Hi.").await;
        done_by_another(miner, &request, "Hi.").await;
    })
    .await;
    assert!(message.contains(FOREIGN), "{message}");
}

#[tokio::test]
async fn honest_miner_goes_on_serving_when_anothers_claims_have_a_foreign_signature() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 10_000).await;
    let mut bob = Miner::connect(&gateway, "Bob", "llama").await;
    let mut carol = Miner::connect(&gateway, "Carol", "qwen").await;
    let stream = ask_for(&gateway, &secret, "qwen", true);
    let streamed = carol.request().await;
    for (seq, piece) in (0..).zip(["Un", "harm", "ed."]) {
        carol.chunk(streamed.id, seq, piece).await;
        let call = ask(&gateway, &secret, false);
        let request = bob.request().await;
        bob.answer(&request, "Hi.").await;
        done_by_another(&mut bob, &request, "Hi.").await;
        let (status, code, message) = refusal(call.await.unwrap()).await;
        assert_eq!((status, code.as_str()), (502, "upstream_error"));
        assert!(message.contains(FOREIGN), "{message}");
    }
    let claim = carol.claim(&streamed, "Unharmed.");
    carol.done(&claim).await;
    assert_eq!(streamed_text(&stream.await.unwrap().text().await.unwrap()), "Unharmed.");
    let call = ask_for(&gateway, &secret, "qwen", false);
    let request = carol.request().await;
    carol.serve(&request, &["Still", " here."]).await;
    assert!(call.await.unwrap().text().await.unwrap().contains("Still here."));
    assert_eq!(gateway.miner_info("Carol").await.unwrap().health_ppm, 1_000_000);
    assert!(gateway.miner_info("Bob").await.unwrap().health_ppm < 1_000_000);
    // Only what Carol served has receipts and is paid.
    let page = receipts(&gateway, 0).await;
    let receipts = page.receipts.iter().map(|entry| SignedReceipt::decode_limited(&entry.receipt.0).unwrap().receipt);
    let (miners, fees): (Vec<_>, Vec<_>) = receipts.map(|receipt| (receipt.claim.miner, receipt.fee.get())).unzip();
    assert_eq!((miners, page.more), (vec![key("Carol").public(); 2], false));
    gateway.await_balance("acme", 10_000 - fees.iter().sum::<u64>()).await;
}

#[tokio::test]
async fn request_fails_alone_when_the_claim_is_another_requests() {
    check_alone(false, (502, "upstream_error"), async |miner, request| {
        miner.answer(&request, "Hi.").await;
        let claim = miner.claim(&request, "Hi.");
        let other = clawrank_protocol::proof::Claim { request_id: [1; 16], ..claim };
        let signature = Hex(miner.keypair.sign(&other.signing_payload()));
        let claim = clawrank_protocol::HexBytes(codec::Encode::encode(&other));
        miner.send(MinerFrame::Done(clawrank_protocol::frames::Done { id: request.id, claim, signature })).await;
    })
    .await;
}

#[tokio::test]
async fn request_fails_alone_when_the_answer_is_not_of_openais_shape() {
    for body in [json!({}), json!({"error": {"message": "overloaded"}})] {
        check_alone(false, (502, "upstream_error"), async |miner, request| {
            miner.send(MinerFrame::Answer(Answer { id: request.id, body: raw(&body) })).await;
        })
        .await;
    }
    for body in shapeless() {
        let whole = check_alone(false, (502, "upstream_error"), async |miner, request| {
            miner.send(MinerFrame::Answer(Answer { id: request.id, body: raw(&body) })).await;
        });
        let streamed = check_alone(true, (502, "upstream_error"), async |miner, request| {
            send_chunk(miner, &request, 0, &body).await;
        });
        for message in [whole.await, streamed.await] {
            assert!(message.contains(SHAPELESS), "{body}: {message}");
        }
    }
}

#[tokio::test]
async fn request_fails_alone_when_chunks_have_a_gap_before_the_first_text() {
    check_alone(true, (502, "upstream_error"), async |miner, request| {
        miner.chunk(request.id, 1, "Second.").await;
    })
    .await;
}

#[tokio::test]
async fn request_is_rerouted_when_the_miner_never_answers() {
    let gateway = Gateway::with(|config| config.timing.request_deadline_ms = 120_000).await;
    let started = std::time::Instant::now();
    check_rerouted_by(gateway, false, async |_, _| {}).await;
    // The wait follows from the tokens asked for: half a second here, where half of the deadline is a minute.
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

#[tokio::test]
async fn request_fails_alone_when_the_miner_never_answers() {
    check_alone(true, (504, "timeout"), async |_, _| {}).await;
    check_alone(false, (504, "timeout"), async |_, _| {}).await;
}

#[tokio::test]
async fn request_fails_alone_when_a_frame_is_over_the_cap() {
    check_alone(false, (502, "upstream_error"), async |miner, request| {
        miner.answer(&request, &"x".repeat(1_100_000)).await;
        match miner.next().await {
            Some(GatewayFrame::Refused(refused)) => assert_eq!(refused.code, RefusalCode::FrameTooLarge),
            other => panic!("{other:?}"),
        }
    })
    .await;
}

#[tokio::test]
async fn other_requests_and_miners_go_on_when_a_frame_is_over_the_cap() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 10_000).await;
    let mut bob = Miner::connect(&gateway, "Bob", "llama").await;
    let mut carol = Miner::connect(&gateway, "Carol", "qwen").await;
    let dear = ModelOffer { price_out_micro_usd_per_mtok: 100_000_000, ..offer("llama") };
    let dave = Miner::try_connect(&gateway, key("Dave"), Role::Serve, vec![dear]).await.unwrap();
    eventually("Dave is routed to", async || gateway.metric("clawrank_miners").await >= 3.0).await;
    // Carol streams to one customer; Bob has two requests.
    let qwen = ask_for(&gateway, &secret, "qwen", true);
    let streamed = carol.request().await;
    carol.chunk(streamed.id, 0, "Un").await;
    let (first, second) = (ask(&gateway, &secret, false), ask(&gateway, &secret, true));
    let held = [bob.request().await, bob.request().await];
    dave.spawn_honest(&["Dave", " here."]);
    let bobs = held.iter().find(|request| !request.stream).unwrap();
    bob.answer(bobs, &"x".repeat(1_100_000)).await;
    match bob.next().await {
        Some(GatewayFrame::Refused(refused)) => assert_eq!(refused.code, RefusalCode::FrameTooLarge),
        other => panic!("{other:?}"),
    }
    // Dave takes over all that Bob's connection held.
    assert!(first.await.unwrap().text().await.unwrap().contains("Dave here."));
    assert_eq!(streamed_text(&second.await.unwrap().text().await.unwrap()), "Dave here.");
    carol.chunk(streamed.id, 1, "harmed.").await;
    let claim = carol.claim(&streamed, "Unharmed.");
    carol.done(&claim).await;
    assert_eq!(streamed_text(&qwen.await.unwrap().text().await.unwrap()), "Unharmed.");
    for other in ["Carol", "Dave"] {
        assert_eq!(gateway.miner_info(other).await.unwrap().health_ppm, 1_000_000);
    }
    // Bob may come back, and knows what it did.
    let _bob = Miner::connect(&gateway, "Bob", "llama").await;
    assert!(gateway.miner_info("Bob").await.unwrap().health_ppm < 1_000_000);
}

#[tokio::test]
async fn request_fails_alone_when_the_answer_is_far_longer_than_asked_for() {
    check_alone(false, (502, "upstream_error"), async |miner, request| {
        miner.answer(&request, &"word ".repeat(1_000)).await;
    })
    .await;
}

#[tokio::test]
async fn next_candidate_serves_when_a_miner_lies_hangs_fails_or_breaks_frames() {
    check_rerouted(false, async |miner, request| {
        miner.answer(&request, "A lie.").await;
        let claim = miner.claim(&request, "Another.");
        miner.done(&claim).await;
    })
    .await;
    check_rerouted(false, async |miner, request| {
        miner.answer(&request, "Hi.").await;
        done_by_another(miner, &request, "Hi.").await;
    })
    .await;
    check_rerouted(true, async |_, _| {}).await;
    check_rerouted(true, async |miner, request| miner.fail(&request, "upstream_error", true).await).await;
    check_rerouted(false, async |miner, request| miner.fail(&request, "bad_request", false).await).await;
    check_rerouted(true, async |miner, request| {
        send_chunk(miner, &request, 0, &role()).await;
        send_chunk(miner, &request, 1, &json!({"error": {"message": "overloaded"}})).await;
    })
    .await;
}

/// A first chunk without text.
fn role() -> Value {
    json!({"choices": [{"index": 0, "delta": {"role": "assistant"}}]})
}

#[tokio::test]
async fn next_candidate_serves_when_chunks_are_not_of_openais_shape_before_the_first_text() {
    for data in shapeless() {
        check_rerouted(true, async |miner, request| {
            send_chunk(miner, &request, 0, &role()).await;
            send_chunk(miner, &request, 1, &data).await;
        })
        .await;
    }
    // Chunks of nothing make no answer, whatever is claimed of them.
    for data in [json!({}), json!({"choices": []})] {
        check_rerouted(true, async |miner, request| {
            send_chunk(miner, &request, 0, &data).await;
            let claim = miner.claim(&request, "");
            miner.done(&claim).await;
        })
        .await;
    }
}

#[tokio::test]
async fn next_candidate_serves_when_the_miner_vanishes_before_the_first_text() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 10_000).await;
    let bad = Miner::connect(&gateway, "Bob", "llama").await;
    let good = Miner::connect(&gateway, "Carol", "llama").await;
    let mut miners = [Some(bad), Some(good)];
    let call = ask(&gateway, &secret, true);
    // Whoever gets it first vanishes; the other serves.
    let [first, second] = miners.each_mut().map(|miner| miner.as_mut().unwrap());
    let (vanishing, request) = tokio::select! {
        request = first.request() => (0, request),
        request = second.request() => (1, request),
    };
    miners[vanishing] = None;
    drop(request);
    let mut left = miners[1 - vanishing].take().unwrap();
    let request = left.request().await;
    left.serve(&request, &["Honest."]).await;
    let text = call.await.unwrap().text().await.unwrap();
    assert_eq!(streamed_text(&text), "Honest.");
    assert!(gateway.metric("clawrank_reroutes_total").await >= 1.0);
}

/// After the first text the customer gets an error event that says this and no `[DONE]`, and pays nothing.
async fn check_broken<F>(said: &str, hostile: F)
where
    F: AsyncFnOnce(Miner, Request) -> Option<Miner>,
{
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 10_000).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let call = ask(&gateway, &secret, true);
    let request = miner.request().await;
    miner.chunk(request.id, 0, "Hello").await;
    let response = call.await.unwrap();
    assert_eq!(response.status(), 200);
    let _miner = hostile(miner, request).await;
    let text = response.text().await.unwrap();
    assert!(text.contains("Hello") && !text.contains("[DONE]"), "{text}");
    let last: Value = serde_json::from_str(events(&text).last().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "upstream_error", "{text}");
    assert!(last["error"]["message"].as_str().unwrap().contains(said), "{text}");
    gateway.await_balance("acme", 10_000).await;
    assert!(receipts(&gateway, 0).await.receipts.is_empty());
    assert!(gateway.metric("clawrank_requests_total{outcome=\"broken\"}").await >= 1.0);
}

#[tokio::test]
async fn stream_ends_with_an_error_event_when_it_breaks_after_the_first_text() {
    check_broken("the connection to who served was lost", async |miner, _| {
        drop(miner);
        None
    })
    .await;
    check_broken("chunks have a gap", async |mut miner, request| {
        miner.chunk(request.id, 5, "gap").await;
        Some(miner)
    })
    .await;
    check_broken("told by the test", async |mut miner, request| {
        miner.fail(&request, "upstream_error", true).await;
        Some(miner)
    })
    .await;
    check_broken("claim is not about the delivered text", async |mut miner, request| {
        let claim = miner.claim(&request, "Another text");
        miner.done(&claim).await;
        Some(miner)
    })
    .await;
    check_broken(FOREIGN, async |mut miner, request| {
        done_by_another(&mut miner, &request, "Hello").await;
        Some(miner)
    })
    .await;
    for data in shapeless() {
        check_broken(SHAPELESS, async |mut miner, request| {
            send_chunk(&mut miner, &request, 1, &data).await;
            Some(miner)
        })
        .await;
    }
}

#[tokio::test]
async fn malformed_frames_cost_health_only_when_a_request_is_under_way() {
    let gateway = Gateway::start().await;
    let secret = gateway.api_key("acme", KeyKind::Free).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let call = ask(&gateway, &secret, true);
    let request = miner.request().await;
    miner.send_text("{not json".into()).await;
    miner.send_text(r#"{"type":"shout"}"#.into()).await;
    miner.chunk(Hex([9; 16]), 0, "of a request that was never sent").await;
    miner.serve(&request, &["Fine", " nonetheless."]).await;
    let text = call.await.unwrap().text().await.unwrap();
    assert_eq!(streamed_text(&text), "Fine nonetheless.");
    // A frame after the end is a breach too.
    miner.chunk(request.id, 2, "afterthought").await;
    eventually("four breaches", async || gateway.metric("clawrank_breaches_total").await >= 4.0).await;
    assert!(gateway.miner_info("Bob").await.unwrap().health_ppm < 400_000);
}

#[tokio::test]
async fn connection_is_ended_when_frames_keep_breaking_the_protocol_and_others_stay() {
    let gateway = Gateway::start().await;
    let secret = gateway.api_key("acme", KeyKind::Free).await;
    let mut bad = Miner::connect(&gateway, "Bob", "llama").await;
    Miner::connect(&gateway, "Carol", "llama").await.spawn_honest(&["Hi."]);
    for _ in 0..16 {
        bad.send_text("nonsense".into()).await;
    }
    match bad.next().await {
        Some(GatewayFrame::Refused(refused)) => assert_eq!(refused.code, RefusalCode::BadFrame),
        other => panic!("{other:?}"),
    }
    eventually("Bob is gone", async || gateway.miner_info("Bob").await.is_none()).await;
    assert_eq!(gateway.post(&secret, &chat("llama", false)).await.status(), 200);
}

#[tokio::test]
async fn miner_gets_no_more_requests_than_it_offered_when_customers_are_many() {
    let gateway = Gateway::start().await;
    let secret = gateway.api_key("acme", KeyKind::Free).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let calls: Vec<_> = (0..6).map(|_| ask(&gateway, &secret, false)).collect();
    let mut requests = Vec::new();
    for _ in 0..4 {
        requests.push(miner.request().await);
    }
    eventually("two are refused", async || gateway.metric("clawrank_requests_total{outcome=\"failed\"}").await >= 2.0)
        .await;
    for request in &requests {
        miner.serve(request, &["Hi."]).await;
    }
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap().status().as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 503, 503]);
}

#[tokio::test]
async fn silent_miner_is_dropped_when_pings_go_unanswered() {
    let gateway = Gateway::with(|config| config.timing.ping_interval_ms = 30).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let refused = loop {
        match crate::miner::read_frame(&mut miner.socket).await {
            Some(GatewayFrame::Ping { .. }) => {}
            Some(GatewayFrame::Refused(refused)) => break refused,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused.code, RefusalCode::Stuck);
    eventually("Bob is gone", async || gateway.miner_info("Bob").await.is_none()).await;
}

#[tokio::test]
async fn leaving_miner_gets_no_new_requests_when_it_said_bye() {
    let gateway = Gateway::start().await;
    let secret = gateway.api_key("acme", KeyKind::Free).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let call = ask(&gateway, &secret, false);
    let request = miner.request().await;
    miner.send(MinerFrame::Bye {}).await;
    eventually("Bob is offline", async || !gateway.miner_info("Bob").await.unwrap().online).await;
    let (status, code, _) = refusal(gateway.post(&secret, &chat("llama", false)).await).await;
    assert_eq!((status, code.as_str()), (503, "no_miner_available"));
    miner.serve(&request, &["Last one."]).await;
    assert_eq!(call.await.unwrap().status(), 200);
}

#[tokio::test]
async fn customer_that_does_not_read_loses_its_request_and_others_go_on() {
    use tokio::io::AsyncWriteExt;
    let gateway = Gateway::with(|config| {
        config.timing.client_stall_ms = 100;
        config.timing.cancel_grace_ms = 50;
    })
    .await;
    let secret = gateway.api_key("acme", KeyKind::Free).await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    let mut body = chat("llama", true);
    body["max_tokens"] = 8_000.into();
    let body = body.to_string();
    let mut deaf = tokio::net::TcpStream::connect(gateway.server.address()).await.unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    deaf.write_all(head.as_bytes()).await.unwrap();
    let request = miner.request().await;
    // Far more than sockets buffer, in small text.
    let padding = "x".repeat(60_000);
    let mut cancelled = false;
    for seq in 0..140 {
        let data = raw(&json!({"choices": [{"index": 0, "delta": {"content": "word "}}], "padding": padding}));
        miner.send(MinerFrame::Chunk(Chunk { id: request.id, seq, data })).await;
        let answer = tokio::time::timeout(std::time::Duration::from_millis(5), miner.next()).await;
        if let Ok(Some(GatewayFrame::Cancel { id })) = answer {
            assert_eq!(id, request.id);
            cancelled = true;
            break;
        }
    }
    if !cancelled {
        match miner.next().await {
            Some(GatewayFrame::Cancel { id }) => assert_eq!(id, request.id),
            other => panic!("{other:?}"),
        }
    }
    let call = ask(&gateway, &secret, false);
    let request = miner.request().await;
    miner.serve(&request, &["Hi."]).await;
    assert_eq!(call.await.unwrap().status(), 200);
    drop(deaf);
}

#[tokio::test]
async fn pong_is_a_breach_when_no_ping_was_sent() {
    let gateway = Gateway::start().await;
    let mut miner = Miner::connect(&gateway, "Bob", "llama").await;
    miner.send(MinerFrame::Pong { n: u64::MAX }).await;
    eventually("a breach", async || gateway.metric("clawrank_breaches_total").await >= 1.0).await;
}
