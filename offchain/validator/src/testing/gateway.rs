// SPDX-License-Identifier: Apache-2.0
//! A gateway over real HTTP that can also lie.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, Method as HttpMethod, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use clawrank_primitives::{
    proof::{Claim, HotkeyId, Keypair, Method, ModelName, RECEIPT_VERSION, Receipt, SignedReceipt},
    units::MicroUsd,
};
use clawrank_protocol::proof::Opening;
use clawrank_protocol::{
    Hex, Hotkey,
    cells::{CellTable, CellsTaken},
    frames::{ModelOffer, OpenedLeaf, Role},
    http::{Demand, DemandCell, HEADER_MINER, Info, MinerInfo, Miners, OpenBody, Openings},
    signed::{SignedParts, verify_request},
};
use codec::Encode;
use tokio::net::TcpListener;

use super::{NETUID, genesis, key};
use crate::now_ms;

/// How a miner behind the gateway answers probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeMode {
    Answers,
    Fails,
    Empty,
}

/// How the gateway misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evil {
    /// Pages of receipts that say that there are more and hold none.
    EmptyPages,
    /// A page that never ends.
    Endless,
    /// Entries whose sequences fall.
    Falling,
    /// Not JSON.
    Garbage,
    /// Every route answers 500.
    Down,
}

pub(crate) struct Shared {
    key: Keypair,
    miners: Mutex<BTreeMap<HotkeyId, (Role, ProbeMode)>>,
    pub(crate) receipts: Mutex<Vec<String>>,
    bundles: Mutex<BTreeMap<[u8; 32], Vec<u8>>>,
    openings: Mutex<BTreeMap<[u8; 32], Vec<Opening>>>,
    demand: Mutex<Vec<DemandCell>>,
    tables: Mutex<Vec<CellTable>>,
    evil: Mutex<Option<Evil>>,
    pub(crate) requests: AtomicUsize,
    pub(crate) unsigned: AtomicUsize,
}

/// The stub. Its hotkey is `//Gateway`.
pub(crate) struct StubGateway {
    pub(crate) addr: SocketAddr,
    pub(crate) shared: Arc<Shared>,
}

impl StubGateway {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared {
            key: key("Gateway"),
            miners: Mutex::default(),
            receipts: Mutex::default(),
            bundles: Mutex::default(),
            openings: Mutex::default(),
            demand: Mutex::default(),
            tables: Mutex::default(),
            evil: Mutex::default(),
            requests: AtomicUsize::new(0),
            unsigned: AtomicUsize::new(0),
        });
        let app = Router::new()
            .route("/v1/info", get(info))
            .route("/v1/miners", get(miners))
            .route("/v1/demand", get(demand))
            .route("/v1/cells", put(cells))
            .route("/v1/receipts", get(receipts))
            .route("/v1/bundles/{root}", get(bundle))
            .route("/v1/bundles/{root}/open", post(open))
            .route("/v1/chat/completions", post(chat))
            .with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { addr, shared }
    }

    pub(crate) fn config(&self) -> crate::GatewayConfig {
        let hotkey = Some(Hotkey(key("Gateway").public()));
        crate::GatewayConfig { url: format!("http://{}", self.addr).parse().unwrap(), hotkey }
    }

    pub(crate) fn connect(&self, miner: HotkeyId, mode: ProbeMode) {
        self.shared.miners.lock().unwrap().insert(miner, (Role::Serve, mode));
    }

    pub(crate) fn disconnect(&self, miner: &HotkeyId) {
        self.shared.miners.lock().unwrap().remove(miner);
    }

    pub(crate) fn set_evil(&self, evil: Option<Evil>) {
        *self.shared.evil.lock().unwrap() = evil;
    }

    pub(crate) fn set_demand(&self, cells: Vec<DemandCell>) {
        *self.shared.demand.lock().unwrap() = cells;
    }

    /// Cell tables in the order that they came.
    pub(crate) fn tables(&self) -> Vec<CellTable> {
        self.shared.tables.lock().unwrap().clone()
    }

    pub(crate) fn put_bundle(&self, root: [u8; 32], bytes: Vec<u8>) {
        self.shared.bundles.lock().unwrap().insert(root, bytes);
    }

    pub(crate) fn put_openings(&self, root: [u8; 32], openings: Vec<Opening>) {
        self.shared.openings.lock().unwrap().insert(root, openings);
    }

    /// Appends a raw entry to the ledger.
    pub(crate) fn push_raw(&self, receipt: String) {
        self.shared.receipts.lock().unwrap().push(receipt);
    }

    /// Appends a receipt, changed by `change` before the gateway signs it.
    pub(crate) fn push_receipt(&self, miner: &Keypair, payer: u8, tokens: u32, change: impl FnOnce(&mut Receipt)) {
        let signed = receipt(miner, payer, tokens, change);
        self.push_raw(hex::encode(signed.encode()));
    }
}

/// A receipt that both have signed; `change` is made before the gateway signs.
pub(crate) fn receipt(miner: &Keypair, payer: u8, tokens: u32, change: impl FnOnce(&mut Receipt)) -> SignedReceipt {
    let gateway = key("Gateway");
    let claim = Claim {
        request_id: Hex::<16>::random().unwrap().0,
        miner: miner.public(),
        gateway: gateway.public(),
        model: ModelName::new("m").unwrap(),
        input_tokens: tokens / 2,
        output_tokens: tokens - tokens / 2,
        response_hash: [1; 32],
        stream: false,
        ok: true,
    };
    let mut receipt = Receipt {
        version: RECEIPT_VERSION,
        miner_signature: miner.sign(&claim.signing_payload()),
        claim,
        payer: [payer; 32],
        fee: MicroUsd(u64::from(tokens)),
        received_ms: now_ms() - 1_000,
        first_byte_ms: 10,
        total_ms: 20,
        recount_tokens: tokens,
    };
    change(&mut receipt);
    let gateway_signature = gateway.sign(&receipt.signing_payload());
    SignedReceipt { receipt, gateway_signature }
}

impl Shared {
    #[allow(clippy::result_large_err, reason = "the error is the answer itself")]
    /// Counts the request; an answer when the gateway is down or the signature is wrong.
    fn admit(&self, method: &HttpMethod, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<(), Response> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        if *self.evil.lock().unwrap() == Some(Evil::Down) {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        }
        let method: Method = method.as_str().parse().unwrap();
        let path_and_query = uri.path_and_query().unwrap().as_str();
        let parts = SignedParts { method, path_and_query, body, receiver: self.key.public() };
        let header = |name: &'static str| headers.get(name).and_then(|value| value.to_str().ok());
        match verify_request(header, parts, now_ms()) {
            Ok(verified) if verified.sender == key("Vali").public() => Ok(()),
            _ => {
                self.unsigned.fetch_add(1, Ordering::SeqCst);
                Err(StatusCode::UNAUTHORIZED.into_response())
            }
        }
    }
}

type Shares = State<Arc<Shared>>;

async fn info(State(shared): Shares) -> Response {
    if *shared.evil.lock().unwrap() == Some(Evil::Down) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    Json(Info {
        version: "test".into(),
        gateway: Hotkey(shared.key.public()),
        genesis: Hex(genesis()),
        netuid: NETUID,
        time_ms: now_ms(),
    })
    .into_response()
}

async fn miners(State(shared): Shares, method: HttpMethod, uri: Uri, headers: HeaderMap) -> Response {
    if let Err(refused) = shared.admit(&method, &uri, &headers, b"") {
        return refused;
    }
    let offer = ModelOffer {
        id: "m".into(),
        max_concurrency: 4,
        context_tokens: 8_192,
        price_in_micro_usd_per_mtok: 1,
        price_out_micro_usd_per_mtok: 1,
        lacks: Vec::new(),
    };
    let info = |(hotkey, (role, _)): (&HotkeyId, &(Role, ProbeMode))| MinerInfo {
        hotkey: Hotkey(*hotkey),
        role: *role,
        models: vec![offer.clone()],
        online: true,
        in_flight: 0,
        p50_ms: 0,
        p95_ms: 0,
        health_ppm: 1_000_000,
    };
    let miners = shared.miners.lock().unwrap().iter().map(info).collect();
    Json(Miners { miners }).into_response()
}

async fn cells(State(shared): Shares, method: HttpMethod, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(refused) = shared.admit(&method, &uri, &headers, &body) {
        return refused;
    }
    let table = CellTable::parse(&body).unwrap();
    let taken = CellsTaken { cells: table.cells.len() as u32 };
    shared.tables.lock().unwrap().push(table);
    Json(taken).into_response()
}

async fn demand(State(shared): Shares, method: HttpMethod, uri: Uri, headers: HeaderMap) -> Response {
    if let Err(refused) = shared.admit(&method, &uri, &headers, b"") {
        return refused;
    }
    Json(Demand { cells: shared.demand.lock().unwrap().clone(), window_ms: 1 }).into_response()
}

#[derive(serde::Deserialize)]
struct PageQuery {
    since: u64,
    limit: u64,
}

async fn receipts(
    State(shared): Shares,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<PageQuery>,
) -> Response {
    if let Err(refused) = shared.admit(&method, &uri, &headers, b"") {
        return refused;
    }
    match *shared.evil.lock().unwrap() {
        Some(Evil::EmptyPages) => {
            let page = serde_json::json!({ "receipts": [], "next": query.since, "more": true });
            return Json(page).into_response();
        }
        Some(Evil::Endless) => {
            let pieces = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 65_536])));
            return Response::new(Body::from_stream(pieces));
        }
        Some(Evil::Falling) => {
            let entry = |seq: u64| serde_json::json!({ "seq": seq, "receipt": "00" });
            let page = serde_json::json!({ "receipts": [entry(9), entry(8)], "next": 8, "more": false });
            return Json(page).into_response();
        }
        Some(Evil::Garbage) => return "{ not json".into_response(),
        _ => {}
    }
    let all = shared.receipts.lock().unwrap().clone();
    let entries: Vec<_> = (1u64..)
        .zip(all)
        .filter(|(seq, _)| *seq > query.since)
        .take(usize::try_from(query.limit).unwrap())
        .map(|(seq, receipt)| serde_json::json!({ "seq": seq, "receipt": receipt }))
        .collect();
    let next = entries.last().map_or(query.since, |entry| entry["seq"].as_u64().unwrap());
    let more = next < shared.receipts.lock().unwrap().len() as u64;
    Json(serde_json::json!({ "receipts": entries, "next": next, "more": more })).into_response()
}

async fn bundle(
    State(shared): Shares,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
    Path(root): Path<Hex<32>>,
) -> Response {
    if let Err(refused) = shared.admit(&method, &uri, &headers, b"") {
        return refused;
    }
    match shared.bundles.lock().unwrap().get(&root.0) {
        Some(bytes) => bytes.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn open(
    State(shared): Shares,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
    Path(root): Path<Hex<32>>,
    body: Bytes,
) -> Response {
    if let Err(refused) = shared.admit(&method, &uri, &headers, &body) {
        return refused;
    }
    let OpenBody { leaves } = serde_json::from_slice(&body).unwrap();
    let Some(known) = shared.openings.lock().unwrap().get(&root.0).cloned() else {
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    };
    let openings = known.into_iter().filter(|opening| leaves.contains(&opening.index)).map(OpenedLeaf::from).collect();
    Json(Openings { openings }).into_response()
}

async fn chat(State(shared): Shares, method: HttpMethod, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(refused) = shared.admit(&method, &uri, &headers, &body) {
        return refused;
    }
    let pinned: Hotkey = headers[HEADER_MINER].to_str().unwrap().parse().unwrap();
    let mode = shared.miners.lock().unwrap().get(&pinned.0).map(|(_, mode)| *mode);
    let answer = |text: &str| {
        let body = serde_json::json!({ "choices": [{ "message": { "content": text }, "finish_reason": "stop" }] });
        ([(HEADER_MINER, pinned.to_string())], Json(body)).into_response()
    };
    match mode {
        Some(ProbeMode::Answers) => {
            tokio::time::sleep(Duration::from_millis(1)).await;
            answer("five tokens of an answer")
        }
        Some(ProbeMode::Empty) => answer(""),
        Some(ProbeMode::Fails) | None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
