// SPDX-License-Identifier: Apache-2.0

//! A miner that does what a test says.

use std::{net::SocketAddr, time::Duration};

use clawrank_protocol::{
    Hex, HexBytes, Hotkey, RequestId,
    frames::{
        Answer, Challenge, Chunk, Done, Fail, GatewayFrame, Hello, MinerFrame, ModelOffer, Refused, Request, Role,
        hello_body_hash,
    },
    limits::{MAX_GATEWAY_FRAME_BYTES, PROTOCOL_VERSION},
    proof::{self, Claim, Keypair, ModelName, salted_hash},
    text::coarse_tokens,
};
use codec::Encode;
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde_json::{json, value::RawValue};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

use crate::support::{Gateway, eventually, key};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A connected miner.
pub(crate) struct Miner {
    pub(crate) keypair: Keypair,
    pub(crate) socket: Socket,
    gateway: [u8; 32],
}

pub(crate) fn offer(model: &str) -> ModelOffer {
    ModelOffer {
        id: model.into(),
        max_concurrency: 4,
        context_tokens: 8_192,
        price_in_micro_usd_per_mtok: 1,
        price_out_micro_usd_per_mtok: 1,
        lacks: Vec::new(),
    }
}

pub(crate) fn raw(value: &serde_json::Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}

pub(crate) fn delta(text: &str) -> Box<RawValue> {
    raw(&json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}]}))
}

pub(crate) fn message(text: &str) -> Box<RawValue> {
    raw(&json!({"object": "chat.completion", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}))
}

pub(crate) async fn open_socket(gateway: &Gateway) -> Socket {
    open_socket_at(gateway.server.address()).await
}

async fn open_socket_at(gateway: SocketAddr) -> Socket {
    let url = format!("ws://{gateway}/v1/miner");
    // No Nagle: an answer and its claim are two writes.
    tokio_tungstenite::connect_async_with_config(url, None, true).await.unwrap().0
}

pub(crate) async fn read_frame(socket: &mut Socket) -> Option<GatewayFrame> {
    loop {
        match tokio::time::timeout(Duration::from_secs(5), socket.next()).await.expect("a frame within 5 s")? {
            Ok(Message::Text(text)) => return Some(GatewayFrame::decode(&text, MAX_GATEWAY_FRAME_BYTES).unwrap()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

pub(crate) async fn send_frame(socket: &mut Socket, frame: &MinerFrame) {
    socket.send(Message::Text(frame.encode().into())).await.unwrap();
}

/// A right `hello` for a challenge.
pub(crate) fn hello(keypair: &Keypair, challenge: &Challenge, role: Role, models: Vec<ModelOffer>) -> Hello {
    let agent = "test/1".to_owned();
    let signed = proof::Hello {
        version: PROTOCOL_VERSION,
        genesis: challenge.genesis.0,
        netuid: challenge.netuid,
        gateway: challenge.gateway.0,
        nonce: challenge.nonce.0,
        hotkey: keypair.public(),
        body_hash: hello_body_hash(role, &models, &agent),
    };
    let signature = Hex(keypair.sign(&signed.signing_payload()));
    Hello { version: PROTOCOL_VERSION, hotkey: Hotkey(keypair.public()), role, models, agent, signature }
}

/// The challenge, from a socket of any kind.
pub(crate) async fn read_challenge_any(
    socket: &mut (impl StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin),
) -> Challenge {
    match socket.next().await.unwrap().unwrap() {
        Message::Text(text) => match GatewayFrame::decode(&text, MAX_GATEWAY_FRAME_BYTES).unwrap() {
            GatewayFrame::Challenge(challenge) => challenge,
            other => panic!("expected a challenge, got {other:?}"),
        },
        other => panic!("expected text, got {other:?}"),
    }
}

pub(crate) async fn read_challenge(socket: &mut Socket) -> Challenge {
    match read_frame(socket).await {
        Some(GatewayFrame::Challenge(challenge)) => challenge,
        other => panic!("expected a challenge, got {other:?}"),
    }
}

/// What signs a miner's claims.
pub(crate) struct Signer {
    keypair: Keypair,
    gateway: [u8; 32],
}

impl Signer {
    fn claim(&self, request: &Request, text: &str) -> Claim {
        let body: serde_json::Value = serde_json::from_str(request.body.get()).unwrap();
        let prompt = body["messages"][0]["content"].as_str().unwrap_or_default();
        let tools = body.get("tools").map_or(0, |tools| coarse_tokens(&tools.to_string()));
        Claim {
            request_id: request.id.0,
            miner: self.keypair.public(),
            gateway: self.gateway,
            model: ModelName::new(&request.model).unwrap(),
            input_tokens: coarse_tokens(prompt) + tools + 3,
            output_tokens: coarse_tokens(text),
            response_hash: salted_hash(&request.salt.0, text.as_bytes()),
            stream: request.stream,
            ok: true,
        }
    }

    fn sign(&self, claim: &Claim) -> Done {
        let signature = Hex(self.keypair.sign(&claim.signing_payload()));
        Done { id: Hex(claim.request_id), claim: HexBytes(claim.encode()), signature }
    }

    /// The right end of a request that was answered with `text`.
    pub(crate) fn done(&self, request: &Request, text: &str) -> Done {
        self.sign(&self.claim(request, text))
    }
}

impl Miner {
    /// Connects, or tells why it was refused.
    pub(crate) async fn try_connect(
        gateway: &Gateway,
        keypair: Keypair,
        role: Role,
        models: Vec<ModelOffer>,
    ) -> Result<Self, Refused> {
        Self::try_connect_at(gateway.server.address(), keypair, role, models).await
    }

    /// The same at a gateway of another process.
    pub(crate) async fn try_connect_at(
        gateway: SocketAddr,
        keypair: Keypair,
        role: Role,
        models: Vec<ModelOffer>,
    ) -> Result<Self, Refused> {
        let mut socket = open_socket_at(gateway).await;
        let challenge = read_challenge(&mut socket).await;
        send_frame(&mut socket, &MinerFrame::Hello(hello(&keypair, &challenge, role, models))).await;
        match read_frame(&mut socket).await {
            Some(GatewayFrame::Welcome(_)) => Ok(Self { keypair, socket, gateway: challenge.gateway.0 }),
            Some(GatewayFrame::Refused(refused)) => Err(refused),
            other => panic!("expected welcome or refused, got {other:?}"),
        }
    }

    /// Connects and waits until it is in the routing table.
    pub(crate) async fn connect(gateway: &Gateway, name: &str, model: &str) -> Self {
        Self::connect_with(gateway, name, vec![offer(model)]).await
    }

    /// The same with any offers.
    pub(crate) async fn connect_with(gateway: &Gateway, name: &str, offers: Vec<ModelOffer>) -> Self {
        let miner = Self::try_connect(gateway, key(name), Role::Serve, offers).await.unwrap();
        eventually("miner is routed to", async || {
            let connected = f64::from(gateway.health().await.miners);
            gateway.miner_info(name).await.is_some() && gateway.metric("clawrank_miners").await >= connected
        })
        .await;
        miner
    }

    pub(crate) async fn send(&mut self, frame: MinerFrame) {
        send_frame(&mut self.socket, &frame).await;
    }

    pub(crate) async fn send_text(&mut self, text: String) {
        self.socket.send(Message::Text(text.into())).await.unwrap();
    }

    /// The next frame that is not a ping.
    pub(crate) async fn next(&mut self) -> Option<GatewayFrame> {
        loop {
            match read_frame(&mut self.socket).await? {
                GatewayFrame::Ping { n } => self.send(MinerFrame::Pong { n }).await,
                frame => return Some(frame),
            }
        }
    }

    /// The next request; receipts and cancels before it are passed over.
    pub(crate) async fn request(&mut self) -> Request {
        loop {
            match self.next().await.expect("the connection holds") {
                GatewayFrame::Request(request) => return request,
                GatewayFrame::Receipt { .. } | GatewayFrame::Cancel { .. } => {}
                other => panic!("expected a request, got {other:?}"),
            }
        }
    }

    pub(crate) async fn chunk(&mut self, id: RequestId, seq: u32, text: &str) {
        self.send(MinerFrame::Chunk(Chunk { id, seq, data: delta(text) })).await;
    }

    /// Both halves of the socket, and what signs.
    pub(crate) fn split(self) -> (SplitSink<Socket, Message>, SplitStream<Socket>, Signer) {
        let (sink, stream) = self.socket.split();
        (sink, stream, Signer { keypair: self.keypair, gateway: self.gateway })
    }

    /// A right claim over `text`.
    pub(crate) fn claim(&self, request: &Request, text: &str) -> Claim {
        Signer { keypair: self.keypair.clone(), gateway: self.gateway }.claim(request, text)
    }

    pub(crate) async fn done(&mut self, claim: &Claim) {
        let signer = Signer { keypair: self.keypair.clone(), gateway: self.gateway };
        self.send(MinerFrame::Done(signer.sign(claim))).await;
    }

    pub(crate) async fn answer(&mut self, request: &Request, text: &str) {
        self.send(MinerFrame::Answer(Answer { id: request.id, body: message(text) })).await;
    }

    pub(crate) async fn fail(&mut self, request: &Request, code: &str, retryable: bool) {
        let fail = Fail { id: request.id, code: code.into(), message: "told by the test".into(), retryable };
        self.send(MinerFrame::Fail(fail)).await;
    }

    /// Serves one request with these pieces of text.
    pub(crate) async fn serve(&mut self, request: &Request, pieces: &[&str]) {
        let text = pieces.concat();
        if request.stream {
            for (seq, piece) in pieces.iter().enumerate() {
                self.chunk(request.id, u32::try_from(seq).unwrap(), piece).await;
            }
        } else {
            self.answer(request, &text).await;
        }
        let claim = self.claim(request, &text);
        self.done(&claim).await;
    }

    /// Serves everything with these pieces, until the connection ends.
    pub(crate) fn spawn_honest(mut self, pieces: &'static [&'static str]) -> JoinHandle<()> {
        tokio::spawn(async move {
            while let Some(frame) = self.next_quietly().await {
                if let GatewayFrame::Request(request) = frame {
                    self.serve(&request, pieces).await;
                }
            }
        })
    }

    async fn next_quietly(&mut self) -> Option<GatewayFrame> {
        loop {
            match self.socket.next().await?.ok()? {
                Message::Text(text) => match GatewayFrame::decode(&text, MAX_GATEWAY_FRAME_BYTES).unwrap() {
                    GatewayFrame::Ping { n } => self.send(MinerFrame::Pong { n }).await,
                    frame => return Some(frame),
                },
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }
}
