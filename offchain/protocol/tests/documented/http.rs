// SPDX-License-Identifier: Apache-2.0

//! A signed request and the bodies of the gateway's routes.

use clawrank_protocol::{
    ApiError, ErrorCode, Hex, HexBytes, Hotkey,
    cells::{CellTable, MeasuredCell, RoutedCell, RoutedCells},
    frames::Role,
    http::{BundleStored, Demand, DemandCell, Health, Info, MinerInfo, Miners, ReceiptEntry, ReceiptsPage},
    proof::{Domain, Method, RequestAuth, Text, blake2_256},
    signed::{HEADER_HOTKEY, HEADER_NONCE, HEADER_SIGNATURE, HEADER_TIME, SignedParts, verify_request},
};
use codec::Encode;

use crate::{
    bundle,
    keys::{GENESIS, NETUID, NOW_MS, gateway, miner, signature, validator},
    page::Examples,
    serving::{MODEL, offer, receipt},
};

const PATH: &str = "/v1/receipts?since=41&limit=1";

fn signed_request(examples: &mut Examples) {
    let auth = RequestAuth {
        method: Method::Get,
        path_and_query: Text::new(PATH).unwrap(),
        body_hash: blake2_256(b""),
        receiver: gateway().public(),
        sender: validator().public(),
        time_ms: NOW_MS,
        nonce: [0x44; 16],
    };
    let fields = [
        ("method", auth.method.encode()),
        ("path_and_query", auth.path_and_query.encode()),
        ("body_hash", auth.body_hash.encode()),
        ("receiver", auth.receiver.encode()),
        ("sender", auth.sender.encode()),
        ("time_ms", auth.time_ms.encode()),
        ("nonce", auth.nonce.encode()),
    ];
    assert_eq!(examples.fields("request-auth", &fields), auth.encode());
    examples.signed(Domain::Request, &auth.signing_payload());
    let headers = [
        (HEADER_HOTKEY, Hotkey(auth.sender).to_string()),
        (HEADER_TIME, auth.time_ms.to_string()),
        (HEADER_NONCE, Hex(auth.nonce).to_string()),
        (HEADER_SIGNATURE, Hex(signature("request", &validator(), &auth.signing_payload())).to_string()),
    ];
    let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    let parts = SignedParts { method: Method::Get, path_and_query: PATH, body: b"", receiver: gateway().public() };
    assert_eq!(verify_request(header, parts, NOW_MS).unwrap().sender, validator().public());
    let first = [format!("GET {PATH} HTTP/1.1"), "host: gateway.example".to_owned()];
    let rest = headers.iter().map(|(name, value)| format!("{name}: {value}"));
    examples.lines("http signed", first.into_iter().chain(rest).collect());
}

fn bodies() -> [String; 8] {
    let info = Info {
        version: "0.1.0".to_owned(),
        gateway: Hotkey(gateway().public()),
        genesis: Hex(GENESIS),
        netuid: NETUID,
        time_ms: NOW_MS,
    };
    let connected = MinerInfo {
        hotkey: Hotkey(miner().public()),
        role: Role::Serve,
        models: vec![offer()],
        online: true,
        in_flight: 2,
        p50_ms: 210,
        p95_ms: 640,
        health_ppm: 1_000_000,
    };
    let entry = ReceiptEntry { seq: 42, receipt: HexBytes(receipt().encode()) };
    let cell = DemandCell { model: MODEL.to_owned(), task_type: "chat".to_owned(), requests: 1_204, tokens: 815_330 };
    let measured = MeasuredCell {
        model: MODEL.to_owned(),
        endpoint: "aurora".to_owned(),
        task_type: "math".to_owned(),
        replays: 32,
        ok: 31,
        checks: 31,
        passed: 30,
        p50_ttft_ms: 180,
        p95_ttft_ms: 420,
    };
    let table = CellTable { epoch: 7, block: 2_521, cells: vec![measured] };
    let routed = RoutedCell {
        model: MODEL.to_owned(),
        endpoint: "aurora".to_owned(),
        quality_ppb: 967_741_935,
        error_ppm: 31_250,
        p50_ttft_ms: 180,
        p95_ttft_ms: 420,
        validators: 1,
    };
    let health = Health { status: "ok".to_owned(), reasons: Vec::new(), block: 2_521, head_age_ms: 4_180, miners: 17 };
    let stored = BundleStored { root: Hex(bundle::example().bundle.header.root), known: false };
    [
        serde_json::to_string(&info),
        serde_json::to_string(&Miners { miners: vec![connected] }),
        serde_json::to_string(&ReceiptsPage { receipts: vec![entry], next: 42, more: false }),
        serde_json::to_string(&Demand { cells: vec![cell], window_ms: 86_400_000 }),
        serde_json::to_string(&table),
        serde_json::to_string(&RoutedCells { cells: vec![routed] }),
        serde_json::to_string(&health),
        serde_json::to_string(&stored),
    ]
    .map(Result::unwrap)
}

pub(crate) fn examples(examples: &mut Examples) {
    signed_request(examples);
    examples.json("bodies", &bodies());
    let error = ApiError {
        code: ErrorCode::ModelNotFound,
        message: "model `gpt-9` is not served here; see GET /v1/models".to_owned(),
        param: Some("model".to_owned()),
    };
    examples.json("error", &[error.to_json()]);
}
