// SPDX-License-Identifier: Apache-2.0

//! The miner's side of the WebSocket to a gateway: handshake, frames, deadlines.

use std::time::Duration;

use clawrank_primitives::proof::{Domain, HELLO_VERSION, Hash, Hello as SignedHello, HotkeyId, Keypair};
use clawrank_protocol::{
    Hex, Hotkey,
    frames::{Challenge, GatewayFrame, Hello, MinerFrame, ModelOffer, Role, Welcome, hello_body_hash},
    limits::{AUTH_DEADLINE_MS, MAX_GATEWAY_FRAME_BYTES, PROTOCOL_VERSION, STUCK_MS},
};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use url::Url;

use crate::LinkError;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Size of the read buffer: frames are small, and a connection holds it for its whole life.
const READ_BUFFER_BYTES: usize = 4_096;

/// Bytes that are gathered before they are written, unless a flush comes first.
const WRITE_BUFFER_BYTES: usize = 16_384;

/// Most bytes that wait to be written before writing fails.
const MAX_WRITE_BUFFER_BYTES: usize = 8 * 1024 * 1024;

/// Who the gateway must be. What is `None` is taken as the gateway says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Its hotkey.
    pub gateway: Option<HotkeyId>,
    /// Genesis hash of its chain.
    pub genesis: Option<Hash>,
    /// Its subnet.
    pub netuid: Option<u16>,
}

/// How to introduce oneself.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// What the connection is for.
    pub role: Role,
    /// What is offered; empty with [`Role::Measure`].
    pub models: Vec<ModelOffer>,
    /// Program and version.
    pub agent: String,
}

/// An accepted connection.
pub struct Link {
    /// What the gateway said first.
    pub challenge: Challenge,
    /// The gateway's limits.
    pub welcome: Welcome,
    /// Frames of the gateway.
    pub reader: LinkReader,
    /// Frames of the miner.
    pub writer: LinkWriter,
}

/// The receiving half.
pub struct LinkReader {
    stream: SplitStream<Socket>,
    silence: Duration,
    heard: Instant,
}

/// The sending half.
pub struct LinkWriter {
    sink: SplitSink<Socket, Message>,
}

/// The WebSocket URL of a gateway's base URL: `http` becomes `ws`, `https` becomes `wss`, the path `/v1/miner`.
///
/// `None` when the scheme is none of `http`, `https`, `ws` and `wss`.
#[must_use]
pub fn miner_url(gateway: &Url) -> Option<Url> {
    let scheme = match gateway.scheme() {
        "http" | "ws" => "ws",
        "https" | "wss" => "wss",
        _ => return None,
    };
    let rest = gateway.as_str().split_once("://")?.1;
    let mut url = Url::parse(&format!("{scheme}://{rest}")).ok()?;
    if !url.path().ends_with("/v1/miner") {
        url.set_path(&format!("{}/v1/miner", gateway.path().trim_end_matches('/')));
    }
    Some(url)
}

/// Connects, answers the challenge and waits for the welcome.
///
/// # Errors
///
/// See [`LinkError`]. What `expected` says is checked before anything is signed.
pub async fn connect(
    url: &Url,
    keypair: &Keypair,
    expected: &Expected,
    introduction: Introduction,
    deadline: Duration,
) -> Result<Link, LinkError> {
    choose_tls_provider();
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .max_message_size(Some(MAX_GATEWAY_FRAME_BYTES))
        .max_frame_size(Some(MAX_GATEWAY_FRAME_BYTES));
    let connecting = connect_async_with_config(url.as_str(), Some(config), true);
    let (socket, _) = within(deadline, "connecting", connecting).await?.map_err(Box::new)?;
    let (sink, stream) = socket.split();
    let mut reader = LinkReader { stream, silence: Duration::from_millis(AUTH_DEADLINE_MS), heard: Instant::now() };
    let mut writer = LinkWriter { sink };
    let challenge = match reader.next().await? {
        GatewayFrame::Challenge(challenge) => challenge,
        other => return Err(misplaced(other, "`challenge`")),
    };
    check(&challenge, expected)?;
    let body_hash = hello_body_hash(introduction.role, &introduction.models, &introduction.agent);
    let signed = SignedHello {
        version: HELLO_VERSION,
        genesis: challenge.genesis.0,
        netuid: challenge.netuid,
        gateway: challenge.gateway.0,
        nonce: challenge.nonce.0,
        hotkey: keypair.public(),
        body_hash,
    };
    let hello = Hello {
        version: PROTOCOL_VERSION,
        hotkey: Hotkey(keypair.public()),
        role: introduction.role,
        models: introduction.models,
        agent: introduction.agent,
        signature: Hex(keypair.sign_for(Domain::Hello, &signed)),
    };
    writer.send(&MinerFrame::Hello(hello)).await?;
    let welcome = match reader.next().await? {
        GatewayFrame::Welcome(welcome) => welcome,
        other => return Err(misplaced(other, "`welcome`")),
    };
    // The gateway pings at this interval; three missed ones are silence.
    reader.silence = Duration::from_millis(welcome.ping_interval_ms.saturating_mul(3).max(AUTH_DEADLINE_MS));
    Ok(Link { challenge, welcome, reader, writer })
}

/// Names the process's TLS provider where nobody has: with two of them compiled in, the TLS library would panic.
fn choose_tls_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing the race to another thread leaves a provider in place all the same.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

fn check(challenge: &Challenge, expected: &Expected) -> Result<(), LinkError> {
    if challenge.version != PROTOCOL_VERSION {
        return Err(LinkError::Version { found: challenge.version, expected: PROTOCOL_VERSION });
    }
    if let Some(gateway) = expected.gateway.filter(|gateway| *gateway != challenge.gateway.0) {
        return Err(LinkError::WrongHotkey { found: challenge.gateway, expected: Hotkey(gateway) });
    }
    let differs = |what, found: String, expected: String| Err(LinkError::WrongSubnet { what, found, expected });
    if let Some(netuid) = expected.netuid.filter(|netuid| *netuid != challenge.netuid) {
        return differs("netuid", challenge.netuid.to_string(), netuid.to_string());
    }
    if let Some(genesis) = expected.genesis.filter(|genesis| *genesis != challenge.genesis.0) {
        return differs("genesis", challenge.genesis.to_string(), hex::encode(genesis));
    }
    Ok(())
}

async fn within<T>(deadline: Duration, what: &'static str, work: impl Future<Output = T>) -> Result<T, LinkError> {
    timeout(deadline, work).await.map_err(|_| LinkError::Silent { what, waited_ms: millis(deadline) })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn misplaced(frame: GatewayFrame, expected: &'static str) -> LinkError {
    match frame {
        GatewayFrame::Refused(refused) => LinkError::Refused { code: refused.code, message: refused.message },
        other => LinkError::Unexpected { found: name(&other), expected },
    }
}

/// The frame's type on the wire.
#[must_use]
pub fn name(frame: &GatewayFrame) -> &'static str {
    match frame {
        GatewayFrame::Challenge(_) => "challenge",
        GatewayFrame::Welcome(_) => "welcome",
        GatewayFrame::Refused(_) => "refused",
        GatewayFrame::Request(_) => "request",
        GatewayFrame::Cancel { .. } => "cancel",
        GatewayFrame::Ping { .. } => "ping",
        GatewayFrame::Receipt { .. } => "receipt",
        GatewayFrame::Open(_) => "open",
    }
}

impl LinkReader {
    /// The next frame. A `refused` is an error here; frames of unknown types are skipped. Safe to cancel.
    ///
    /// # Errors
    ///
    /// [`LinkError::Silent`] when nothing came for three intervals of pings, [`LinkError::Closed`],
    /// [`LinkError::Refused`], [`LinkError::Socket`] or [`LinkError::Frame`]. The connection is over then.
    pub async fn next(&mut self) -> Result<GatewayFrame, LinkError> {
        loop {
            let silent = |_| LinkError::Silent { what: "waiting for a frame", waited_ms: millis(self.silence) };
            let message = timeout_at(self.heard + self.silence, self.stream.next()).await.map_err(silent)?;
            self.heard = Instant::now();
            let text = match message.ok_or(LinkError::Closed)?.map_err(Box::new)? {
                Message::Text(text) => text,
                Message::Close(_) => return Err(LinkError::Closed),
                // Protocol pings are answered by the library; binary frames have no meaning.
                _ => continue,
            };
            match GatewayFrame::decode(&text, MAX_GATEWAY_FRAME_BYTES) {
                Ok(GatewayFrame::Refused(refused)) => {
                    return Err(LinkError::Refused { code: refused.code, message: refused.message });
                }
                Ok(frame) => return Ok(frame),
                Err(clawrank_protocol::frames::FrameError::UnknownType { found }) => {
                    tracing::debug!(kind = found, "skipped a frame of unknown type");
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl LinkWriter {
    /// Sends a frame and waits until it is written.
    ///
    /// # Errors
    ///
    /// [`LinkError::Silent`] when the gateway takes nothing for ten seconds, [`LinkError::Socket`].
    pub async fn send(&mut self, frame: &MinerFrame) -> Result<(), LinkError> {
        self.feed(frame.encode()).await?;
        self.flush().await
    }

    /// Puts the text of a frame into the buffer; [`LinkWriter::flush`] sends it at the latest.
    ///
    /// # Errors
    ///
    /// As [`LinkWriter::send`].
    pub async fn feed(&mut self, text: String) -> Result<(), LinkError> {
        let deadline = Duration::from_millis(STUCK_MS);
        within(deadline, "sending", self.sink.feed(Message::text(text))).await?.map_err(Box::new)?;
        Ok(())
    }

    /// Sends what is in the buffer.
    ///
    /// # Errors
    ///
    /// As [`LinkWriter::send`].
    pub async fn flush(&mut self) -> Result<(), LinkError> {
        let deadline = Duration::from_millis(STUCK_MS);
        within(deadline, "sending", self.sink.flush()).await?.map_err(Box::new)?;
        Ok(())
    }

    /// Closes the connection; a failure to do so does not matter any more.
    pub async fn close(&mut self) {
        let _ = within(Duration::from_secs(1), "closing", self.sink.close()).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[tokio::test]
    async fn connecting_fails_in_an_orderly_way_when_the_server_speaks_no_tls() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("wss://{}/v1/miner", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        let introduction = Introduction { role: Role::Measure, models: vec![], agent: String::new() };
        let keypair = Keypair::dev("//Miner").unwrap();
        let deadline = Duration::from_secs(5);
        let error = connect(&url, &keypair, &Expected::default(), introduction, deadline).await.err().unwrap();
        assert!(matches!(error, LinkError::Socket(_)) && error.is_retryable(), "{error}");
    }

    #[test]
    fn url_of_the_socket_follows_from_the_gateways() {
        for (base, expected) in [
            ("http://127.0.0.1:8080", Some("ws://127.0.0.1:8080/v1/miner")),
            ("https://example.org/", Some("wss://example.org/v1/miner")),
            ("https://example.org/claw/", Some("wss://example.org/claw/v1/miner")),
            ("wss://example.org/v1/miner", Some("wss://example.org/v1/miner")),
            ("ftp://example.org", None),
        ] {
            let url = miner_url(&Url::parse(base).unwrap());
            assert_eq!(url.as_ref().map(Url::as_str), expected, "{base}");
        }
    }
}
