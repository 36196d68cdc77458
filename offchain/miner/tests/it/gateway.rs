// SPDX-License-Identifier: Apache-2.0
//! A gateway that does what the test says, over real sockets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{
        DefaultBodyLimit, Path, State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{any, get, put},
};
use clawrank_miner::now_ms;
use clawrank_primitives::proof::{Bundle, HELLO_VERSION, Hash, Hello as SignedHello, Keypair, Method};
use clawrank_protocol::{
    Hex, Hotkey, RequestId,
    frames::{Challenge, GatewayFrame, Hello, MinerFrame, RefusalCode, Refused, Request, Welcome},
    http::Info,
    limits::{MAX_MINER_FRAME_BYTES, PROTOCOL_VERSION},
    signed::{SignedParts, verify_request},
};
use serde_json::value::RawValue;
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    time::timeout,
};

use crate::chain::{GENESIS, NETUID};

/// How the gateway welcomes the next miner.
#[derive(Clone, Copy, Debug)]
pub enum Reception {
    Welcome,
    Refuse(RefusalCode),
}

struct Shared {
    genesis: Hash,
    keypair: Keypair,
    reception: std::sync::Mutex<Reception>,
    max_in_flight: u32,
    connections: mpsc::Sender<Connection>,
    bundles: mpsc::Sender<Bundle>,
    /// Status of the next uploads, then 201.
    upload_failures: std::sync::Mutex<Vec<u16>>,
}

pub struct StubGateway {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    connections: Mutex<mpsc::Receiver<Connection>>,
    bundles: Mutex<mpsc::Receiver<Bundle>>,
}

/// A miner that said hello.
pub struct Connection {
    pub hello: Hello,
    to_miner: mpsc::Sender<GatewayFrame>,
    from_miner: mpsc::Receiver<MinerFrame>,
}

const PATIENCE: Duration = Duration::from_secs(60);

impl StubGateway {
    pub async fn start() -> Self {
        Self::with_max_in_flight(64).await
    }

    pub async fn with_max_in_flight(max_in_flight: u32) -> Self {
        Self::of(GENESIS, max_in_flight).await
    }

    /// The gateway of a chain.
    pub async fn of(genesis: Hash, max_in_flight: u32) -> Self {
        let (connections, waiting) = mpsc::channel(16);
        let (bundles, stored) = mpsc::channel(16);
        let shared = Arc::new(Shared {
            genesis,
            keypair: Keypair::dev("//Gateway").unwrap(),
            reception: std::sync::Mutex::new(Reception::Welcome),
            max_in_flight,
            connections,
            bundles,
            upload_failures: std::sync::Mutex::default(),
        });
        let router = Router::new()
            .route("/v1/miner", any(socket))
            .route("/v1/info", get(info))
            .route("/v1/bundles/{root}", put(bundle))
            .layer(DefaultBodyLimit::max(16 << 20))
            .with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { address, shared, connections: Mutex::new(waiting), bundles: Mutex::new(stored) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn hotkey(&self) -> Hotkey {
        Hotkey(self.shared.keypair.public())
    }

    pub fn keypair(&self) -> &Keypair {
        &self.shared.keypair
    }

    pub fn receive(&self, reception: Reception) {
        *self.shared.reception.lock().unwrap() = reception;
    }

    pub fn fail_uploads(&self, statuses: &[u16]) {
        *self.shared.upload_failures.lock().unwrap() = statuses.to_vec();
    }

    pub async fn accept(&self) -> Connection {
        timeout(PATIENCE, self.connections.lock().await.recv()).await.expect("a miner connects").unwrap()
    }

    /// A bundle that has come already.
    pub async fn bundle_if_any(&self) -> Option<Bundle> {
        self.bundles.lock().await.try_recv().ok()
    }

    /// A miner that has connected within a quarter of a second.
    pub async fn accept_if_any(&self) -> Option<Connection> {
        timeout(Duration::from_millis(250), self.connections.lock().await.recv()).await.ok().flatten()
    }

    pub async fn bundle(&self) -> Bundle {
        timeout(PATIENCE, self.bundles.lock().await.recv()).await.expect("a bundle comes").unwrap()
    }
}

impl Connection {
    pub async fn send(&self, frame: GatewayFrame) {
        self.to_miner.send(frame).await.unwrap();
    }

    /// The next frame of the miner.
    pub async fn next(&mut self) -> MinerFrame {
        timeout(PATIENCE, self.from_miner.recv()).await.expect("a frame comes").expect("the connection is open")
    }

    /// Waits for the end of the connection; returns what came before it.
    pub async fn rest(&mut self) -> Vec<MinerFrame> {
        let mut frames = Vec::new();
        while let Some(frame) = timeout(PATIENCE, self.from_miner.recv()).await.expect("the connection ends") {
            frames.push(frame);
        }
        frames
    }

    /// Asks for the model `m`.
    pub async fn request(&self, id: u8, stream: bool, body: &serde_json::Value) -> RequestId {
        self.request_of("m", id, stream, body).await
    }

    pub async fn request_of(&self, model: &str, id: u8, stream: bool, body: &serde_json::Value) -> RequestId {
        let id = Hex([id; 16]);
        self.send(GatewayFrame::Request(Request {
            id,
            model: model.to_owned(),
            stream,
            deadline_ms: 8_000,
            salt: Hex([9; 16]),
            body: RawValue::from_string(body.to_string()).unwrap(),
        }))
        .await;
        id
    }
}

async fn info(State(shared): State<Arc<Shared>>) -> Json<Info> {
    Json(Info {
        version: "stub".to_owned(),
        gateway: Hotkey(shared.keypair.public()),
        genesis: Hex(shared.genesis),
        netuid: NETUID,
        time_ms: now_ms(),
    })
}

async fn bundle(
    State(shared): State<Arc<Shared>>,
    Path(root): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let failure = shared.upload_failures.lock().unwrap().pop();
    if let Some(status) = failure {
        return StatusCode::from_u16(status).unwrap();
    }
    let route = format!("/v1/bundles/{root}");
    let parts =
        SignedParts { method: Method::Put, path_and_query: &route, body: &body, receiver: shared.keypair.public() };
    let verified =
        verify_request(|name| headers.get(name).and_then(|value| value.to_str().ok()), parts, now_ms()).unwrap();
    let bundle = Bundle::decode_limited(&body).unwrap();
    bundle.verify().unwrap();
    assert_eq!((verified.sender, hex::encode(bundle.header.root)), (bundle.hotkey, root));
    shared.bundles.send(bundle).await.unwrap();
    StatusCode::CREATED
}

async fn socket(State(shared): State<Arc<Shared>>, upgrade: WebSocketUpgrade) -> impl IntoResponse {
    upgrade.on_upgrade(move |socket| converse(shared, socket))
}

async fn converse(shared: Arc<Shared>, mut socket: WebSocket) {
    let challenge = Challenge {
        version: PROTOCOL_VERSION,
        nonce: Hex::random().unwrap(),
        genesis: Hex(shared.genesis),
        netuid: NETUID,
        gateway: Hotkey(shared.keypair.public()),
        time_ms: now_ms(),
    };
    say(&mut socket, &GatewayFrame::Challenge(challenge.clone())).await;
    let Some(Ok(Message::Text(text))) = socket.recv().await else {
        return;
    };
    let MinerFrame::Hello(hello) = MinerFrame::decode(&text, MAX_MINER_FRAME_BYTES).unwrap() else {
        panic!("a miner begins with hello");
    };
    let signed = SignedHello {
        version: HELLO_VERSION,
        genesis: shared.genesis,
        netuid: NETUID,
        gateway: shared.keypair.public(),
        nonce: challenge.nonce.0,
        hotkey: hello.hotkey.0,
        body_hash: hello.body_hash(),
    };
    signed.verify(&hello.signature.0).unwrap();
    let reception = *shared.reception.lock().unwrap();
    if let Reception::Refuse(code) = reception {
        say(&mut socket, &GatewayFrame::Refused(Refused { code, message: "as told".to_owned() })).await;
        return;
    }
    let welcome = Welcome {
        session: 1,
        ping_interval_ms: 30_000,
        max_frame_bytes: u64::try_from(MAX_MINER_FRAME_BYTES).unwrap(),
        max_in_flight: shared.max_in_flight,
    };
    say(&mut socket, &GatewayFrame::Welcome(welcome)).await;
    let (to_miner, mut outgoing) = mpsc::channel(64);
    let (incoming, from_miner) = mpsc::channel(4_096);
    shared.connections.send(Connection { hello, to_miner, from_miner }).await.unwrap();
    loop {
        tokio::select! {
            frame = outgoing.recv() => match frame {
                Some(frame) => say(&mut socket, &frame).await,
                // The test dropped its side.
                None => return,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    let frame = MinerFrame::decode(&text, MAX_MINER_FRAME_BYTES).unwrap();
                    let _ = incoming.send(frame).await;
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
}

async fn say(socket: &mut WebSocket, frame: &GatewayFrame) {
    let _ = socket.send(Message::Text(frame.encode().into())).await;
}
