// SPDX-License-Identifier: Apache-2.0
//! The serving miner where all goes well.

use std::time::Duration;

use clawrank_emulator::Emulator;
use clawrank_miner::serve::{self, Config, StoredReceipt};
use clawrank_primitives::{
    proof::{Claim, Keypair, RECEIPT_VERSION, Receipt, SignedReceipt, salted_hash},
    units::MicroUsd,
};
use clawrank_protocol::{
    HexBytes,
    frames::{Done, GatewayFrame, MinerFrame, Role},
    openai::answer_text,
    text::coarse_tokens,
};
use codec::{DecodeAll, Encode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    FAST, emulator,
    gateway::{Connection, StubGateway},
};

pub struct Running {
    pub gateway: StubGateway,
    pub emulator: Emulator,
    pub folder: TempDir,
    pub cancel: CancellationToken,
    pub miner: JoinHandle<Result<(), clawrank_miner::Error>>,
}

/// A claim's receipt, as the gateway signs it.
pub fn receipt(miner_signature: [u8; 64], claim: Claim, gateway: &Keypair) -> SignedReceipt {
    let receipt = Receipt {
        version: RECEIPT_VERSION,
        claim,
        miner_signature,
        payer: [1; 32],
        fee: MicroUsd(5),
        received_ms: 1,
        first_byte_ms: 2,
        total_ms: 3,
        recount_tokens: 4,
    };
    let gateway_signature = gateway.sign(&receipt.signing_payload());
    SignedReceipt { receipt, gateway_signature }
}

pub fn keypair() -> Keypair {
    Keypair::dev("//Miner").unwrap()
}

pub fn config(gateway: &StubGateway, backend_url: String, folder: &TempDir) -> Config {
    Config {
        gateway_url: gateway.url(),
        gateway_hotkey: Some(gateway.hotkey()),
        backend_url,
        models: vec![serde_json::from_value(json!({ "id": "m", "max_concurrency": 2 })).unwrap()],
        data_dir: folder.path().to_owned(),
        reconnect_min_ms: 10,
        reconnect_max_ms: 50,
        ..Config::default()
    }
}

pub async fn start(model: &str, change: impl FnOnce(&mut Config)) -> Running {
    let (gateway, emulator) = (StubGateway::start().await, emulator(model).await);
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&gateway, emulator.base_url("a"), &folder);
    change(&mut config);
    let cancel = CancellationToken::new();
    let miner = tokio::spawn(serve::run(config, keypair(), cancel.clone()));
    Running { gateway, emulator, folder, cancel, miner }
}

pub fn chat(max_tokens: u32) -> Value {
    json!({ "model": "m", "messages": [{ "role": "user", "content": "Tell me something." }],
            "max_tokens": max_tokens, "temperature": 0, "stream": true })
}

/// Frames up to `done`, checked to be of one request with rising sequence; returns the delivered text and the claim.
pub async fn complete(connection: &mut Connection, stream: bool) -> (String, Claim) {
    let (mut text, mut next) = (String::new(), 0);
    loop {
        match connection.next().await {
            MinerFrame::Chunk(chunk) => {
                assert!(stream);
                assert_eq!(chunk.seq, next);
                next += 1;
                text.push_str(&answer_text(chunk.data.get()).unwrap());
            }
            MinerFrame::Answer(answer) => {
                assert!(!stream);
                text = answer_text(answer.body.get()).unwrap();
            }
            MinerFrame::Done(done) => return (text, verified(&done)),
            other => panic!("unexpected {other:?}"),
        }
    }
}

pub fn verified(done: &Done) -> Claim {
    let claim = Claim::decode_all(&mut done.claim.0.as_slice()).unwrap();
    claim.verify(&done.signature.0).unwrap();
    assert_eq!(claim.request_id, done.id.0);
    claim
}

#[tokio::test]
async fn hello_offers_the_models_when_connecting() {
    let running = start(FAST, |_| {}).await;
    let connection = running.gateway.accept().await;
    assert_eq!(connection.hello.role, Role::Serve);
    assert_eq!(connection.hello.hotkey.0, keypair().public());
    assert_eq!(connection.hello.models.len(), 1);
    assert_eq!((connection.hello.models[0].id.as_str(), connection.hello.models[0].max_concurrency), ("m", 2));
}

#[tokio::test]
async fn stream_is_passed_on_and_claimed_when_the_backend_answers() {
    let running = start(FAST, |_| {}).await;
    let mut connection = running.gateway.accept().await;
    let id = connection.request(1, true, &chat(40)).await;
    let (text, claim) = complete(&mut connection, true).await;
    assert!(!text.is_empty());
    assert_eq!(claim.response_hash, salted_hash(&[9; 16], text.as_bytes()));
    assert_eq!((claim.request_id, claim.miner), (id.0, keypair().public()));
    assert_eq!(claim.gateway, running.gateway.hotkey().0);
    assert_eq!((claim.stream, claim.ok, claim.model.as_str()), (true, true, "m"));
    assert_eq!(claim.output_tokens, coarse_tokens(&text));
    assert!(claim.input_tokens > 0);
}

#[tokio::test]
async fn answer_is_passed_on_and_claimed_when_not_streamed() {
    let running = start(FAST, |_| {}).await;
    let mut connection = running.gateway.accept().await;
    connection.request(1, false, &chat(40)).await;
    let (text, claim) = complete(&mut connection, false).await;
    assert_eq!(claim.response_hash, salted_hash(&[9; 16], text.as_bytes()));
    assert!(!claim.stream);
}

#[tokio::test]
async fn backends_own_name_of_the_model_is_used_when_configured() {
    let running = start(FAST, |config| {
        config.models = vec![serde_json::from_value(json!({ "id": "public", "upstream_id": "m" })).unwrap()];
    })
    .await;
    let mut connection = running.gateway.accept().await;
    let mut request = chat(8);
    request["model"] = "public".into();
    let GatewayFrame::Request(mut frame) = request_frame(&request) else { unreachable!() };
    frame.model = "public".to_owned();
    connection.send(GatewayFrame::Request(frame)).await;
    assert_eq!(complete(&mut connection, true).await.1.model.as_str(), "public");
}

pub fn request_frame(body: &Value) -> GatewayFrame {
    serde_json::from_value::<clawrank_protocol::frames::Request>(json!({
        "id": "01".repeat(16), "model": "m", "stream": true, "deadline_ms": 5_000, "salt": "09".repeat(16), "body": body,
    }))
    .map(GatewayFrame::Request)
    .unwrap()
}

#[tokio::test]
async fn ping_is_answered_with_its_number() {
    let running = start(FAST, |_| {}).await;
    let mut connection = running.gateway.accept().await;
    connection.send(GatewayFrame::Ping { n: 77 }).await;
    assert!(matches!(connection.next().await, MinerFrame::Pong { n: 77 }));
}

#[tokio::test]
async fn miner_connects_again_when_the_gateway_drops_it() {
    let running = start(FAST, |_| {}).await;
    for _ in 0..3 {
        drop(running.gateway.accept().await);
    }
    let mut connection = running.gateway.accept().await;
    connection.request(1, true, &chat(8)).await;
    complete(&mut connection, true).await;
}

#[tokio::test]
async fn request_in_flight_ends_when_the_miner_leaves() {
    let slow = "latency = { ttft_median_ms = 200.0, tokens_per_second = 100.0 }";
    let running = start(slow, |_| {}).await;
    let mut connection = running.gateway.accept().await;
    connection.request(1, true, &chat(20)).await;
    while running.emulator.control().requests("a") == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    running.cancel.cancel();
    assert!(matches!(connection.next().await, MinerFrame::Bye {}));
    connection.request(2, true, &chat(20)).await;
    let frames = connection.rest().await;
    let refused = frames.iter().any(|frame| matches!(frame, MinerFrame::Fail(fail) if fail.code == "busy"));
    assert!(refused, "a request after goodbye is refused");
    assert!(matches!(frames.last(), Some(MinerFrame::Done(_))), "{:?}", frames.last());
    running.miner.await.unwrap().unwrap();
}

#[tokio::test]
async fn miner_leaves_at_once_when_nothing_is_in_flight() {
    let running = start(FAST, |_| {}).await;
    let mut connection = running.gateway.accept().await;
    // It answers, so it is past its greeting.
    connection.send(GatewayFrame::Ping { n: 1 }).await;
    assert!(matches!(connection.next().await, MinerFrame::Pong { n: 1 }));
    running.cancel.cancel();
    let frames = connection.rest().await;
    assert!(matches!(frames.as_slice(), [MinerFrame::Bye {}]), "{frames:?}");
    running.miner.await.unwrap().unwrap();
}

#[tokio::test]
async fn only_genuine_receipts_are_kept() {
    let running = start(FAST, |_| {}).await;
    let mut connection = running.gateway.accept().await;
    connection.request(1, true, &chat(8)).await;
    let MinerFrame::Done(done) = last(&mut connection).await else { panic!("done ends the answer") };
    let genuine = receipt(done.signature.0, verified(&done), running.gateway.keypair());
    let mut forged = genuine.clone();
    forged.receipt.fee = MicroUsd(6);
    for receipt in [forged.encode(), vec![1, 2, 3], genuine.encode()] {
        connection.send(GatewayFrame::Receipt { receipt: HexBytes(receipt) }).await;
    }
    connection.send(GatewayFrame::Ping { n: 1 }).await;
    assert!(matches!(connection.next().await, MinerFrame::Pong { n: 1 }));
    running.cancel.cancel();
    running.miner.await.unwrap().unwrap();
    let text = std::fs::read_to_string(running.folder.path().join("receipts.jsonl")).unwrap();
    let kept: Vec<StoredReceipt> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].receipt.0, genuine.encode());
}

async fn last(connection: &mut Connection) -> MinerFrame {
    loop {
        let frame = connection.next().await;
        if !matches!(frame, MinerFrame::Chunk(_)) {
            return frame;
        }
    }
}
