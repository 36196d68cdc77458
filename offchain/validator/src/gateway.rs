// SPDX-License-Identifier: Apache-2.0
//! A gateway as a validator sees it: signed requests out, bounded answers in.
//!
//! Nothing a gateway says is believed beyond its own clock: bodies are capped before they are read, redirects are not
//! followed, and every item is checked by whoever asked for it.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use clawrank_primitives::proof::{Hash, HotkeyId, Keypair, Method};
use clawrank_protocol::{
    Hotkey,
    cells::{CellTable, CellsTaken},
    http::{Demand, Info, Miners, OpenBody, Openings},
    limits,
    signed::{SignedError, SignedParts, sign_request},
};
use futures::StreamExt;
use reqwest::{Client, StatusCode, Url, redirect::Policy};
use serde::Deserialize;

use crate::{GatewayConfig, now_ms};

mod error;
mod probe;

pub use error::GatewayError;
pub use probe::{ProbeOutcome, ProbeRequest};

/// Largest answer to `/v1/info`, in bytes.
const MAX_INFO_BYTES: usize = 16 * 1024;
/// Largest answer to `/v1/miners` and `/v1/demand`, in bytes.
const MAX_LIST_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of one receipt on a page: twice its encoding in digits, and the JSON around it.
const RECEIPT_JSON_BYTES: usize = 2 * 1_024 + 128;
/// Largest error text kept of an answer, in bytes.
const MAX_ERROR_BYTES: usize = 4 * 1024;

/// One entry of a page of receipts, not yet decoded: a malformed one must not hide the others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RawReceipt {
    /// Position in the gateway's ledger.
    pub seq: u64,
    /// SCALE of the signed receipt as hexadecimal text, unchecked.
    pub receipt: String,
}

/// A page of receipts, entries not yet decoded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RawPage {
    /// Entries, oldest first.
    pub receipts: Vec<RawReceipt>,
    /// Where to read on.
    pub next: u64,
    /// Whether there are more.
    pub more: bool,
}

/// What a gateway must be to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// Subnet.
    pub netuid: u16,
    /// Hotkey, where it is pinned.
    pub hotkey: Option<HotkeyId>,
}

/// One gateway, known by its hotkey.
#[derive(Clone)]
pub struct Gateway {
    http: Client,
    base: Url,
    hotkey: HotkeyId,
    keypair: Arc<Keypair>,
    deadline: Duration,
}

impl core::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Gateway").field("base", &self.base.as_str()).field("hotkey", &Hotkey(self.hotkey)).finish()
    }
}

/// A client that follows no redirect and uses no proxy of the environment.
///
/// # Errors
///
/// [`GatewayError::Client`] when the TLS library cannot be set up.
pub fn http_client(deadline: Duration) -> Result<Client, GatewayError> {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(deadline.min(Duration::from_secs(5)))
        .user_agent(concat!("clawrank-validator/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|source| GatewayError::Client { source })
}

impl Gateway {
    /// Asks the gateway who it is and checks that it is the expected one.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Identity`] when chain, subnet or hotkey differ; those of a request otherwise.
    pub async fn connect(
        http: Client,
        config: &GatewayConfig,
        expected: Expected,
        keypair: Arc<Keypair>,
        deadline: Duration,
    ) -> Result<Self, GatewayError> {
        let mut gateway = Self { http, base: config.url.clone(), hotkey: [0; 32], keypair, deadline };
        let body = gateway.send(Method::Get, "/v1/info", Vec::new(), &[], false, MAX_INFO_BYTES, deadline).await?;
        let info: Info = gateway.parse("/v1/info", &body)?;
        let differs = |what, found: String, wanted: String| {
            Err(GatewayError::Identity { gateway: gateway.name(), what, found, expected: wanted })
        };
        if info.genesis.0 != expected.genesis {
            return differs("chain", info.genesis.to_string(), hex::encode(expected.genesis));
        }
        if info.netuid != expected.netuid {
            return differs("subnet", info.netuid.to_string(), expected.netuid.to_string());
        }
        if let Some(hotkey) = expected.hotkey.filter(|hotkey| *hotkey != info.gateway.0) {
            return differs("hotkey", info.gateway.to_string(), Hotkey(hotkey).to_string());
        }
        let skew_ms = info.time_ms.abs_diff(now_ms());
        if skew_ms > limits::SIGNED_WINDOW_MS {
            tracing::warn!(
                gateway = gateway.name(),
                skew_ms,
                "clocks differ by more than a signed request may; check both"
            );
        }
        gateway.hotkey = info.gateway.0;
        Ok(gateway)
    }

    /// Whether it answers at all, within two seconds.
    pub async fn is_alive(&self) -> bool {
        let deadline = self.deadline.min(Duration::from_secs(2));
        self.send(Method::Get, "/v1/info", Vec::new(), &[], false, MAX_INFO_BYTES, deadline).await.is_ok()
    }

    /// Who it is.
    #[must_use]
    pub fn hotkey(&self) -> HotkeyId {
        self.hotkey
    }

    /// Its URL without user name, password and query, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        let port = self.base.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}", self.base.scheme(), self.base.host_str().unwrap_or("?"))
    }

    /// All connected miners.
    ///
    /// # Errors
    ///
    /// See [`GatewayError`].
    pub async fn miners(&self) -> Result<Miners, GatewayError> {
        let body = self.get("/v1/miners", true, MAX_LIST_BYTES).await?;
        self.parse("/v1/miners", &body)
    }

    /// Demand by (model, task type).
    ///
    /// # Errors
    ///
    /// See [`GatewayError`].
    pub async fn demand(&self) -> Result<Demand, GatewayError> {
        let body = self.get("/v1/demand", true, MAX_LIST_BYTES).await?;
        self.parse("/v1/demand", &body)
    }

    /// Receipts after `since`, at most `limit`.
    ///
    /// # Errors
    ///
    /// See [`GatewayError`]; [`GatewayError::Malformed`] also for a page with more entries than asked for, entries that
    /// do not rise, or a `next` behind its entries.
    pub async fn receipts(&self, since: u64, limit: u32) -> Result<RawPage, GatewayError> {
        let route = format!("/v1/receipts?since={since}&limit={limit}");
        let entries = usize::try_from(limit).unwrap_or(usize::MAX);
        let most = entries.saturating_mul(RECEIPT_JSON_BYTES).saturating_add(1_024);
        let body = self.get(&route, true, most).await?;
        let page: RawPage = self.parse(&route, &body)?;
        let mut last = since;
        for entry in &page.receipts {
            if entry.seq <= last {
                return Err(self.malformed(&route, format!("sequence {} follows {last}", entry.seq)));
            }
            last = entry.seq;
        }
        if page.receipts.len() > entries {
            return Err(self.malformed(&route, format!("{} entries where {limit} were asked for", page.receipts.len())));
        }
        if page.next != last {
            return Err(self.malformed(&route, format!("next {} is not the last sequence {last}", page.next)));
        }
        Ok(page)
    }

    /// The bytes of a hotkey's bundle; `None` when the gateway has none of this root.
    ///
    /// # Errors
    ///
    /// See [`GatewayError`].
    pub async fn bundle(&self, root: &Hash, hotkey: &HotkeyId) -> Result<Option<Bytes>, GatewayError> {
        let route = format!("/v1/bundles/{}?hotkey={}", hex::encode(root), Hotkey(*hotkey));
        match self.get(&route, true, limits::MAX_BUNDLE_BODY_BYTES).await {
            Ok(body) => Ok(Some(body)),
            Err(GatewayError::Status { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends the cell table of an epoch, for routing.
    ///
    /// # Errors
    ///
    /// See [`GatewayError`]; status 403 while the gateway knows of no permit, 400 when it has a newer table already.
    pub async fn put_cells(&self, table: &CellTable) -> Result<CellsTaken, GatewayError> {
        let route = "/v1/cells";
        let body = serde_json::to_vec(table).map_err(|error| self.malformed(route, error.to_string()))?;
        let headers = [("content-type", "application/json".to_owned())];
        let answer = self.send(Method::Put, route, body, &headers, true, MAX_INFO_BYTES, self.deadline).await?;
        self.parse(route, &answer)
    }

    /// Asks the miner behind a bundle to open leaves.
    ///
    /// # Errors
    ///
    /// See [`GatewayError`]; status 504 when the miner did not answer in time, 503 when it is not connected.
    pub async fn open(&self, root: &Hash, hotkey: &HotkeyId, leaves: &[u32]) -> Result<Openings, GatewayError> {
        let route = format!("/v1/bundles/{}/open?hotkey={}", hex::encode(root), Hotkey(*hotkey));
        let body = serde_json::to_vec(&OpenBody { leaves: leaves.to_vec() }).unwrap_or_default();
        // The miner has ten seconds behind the gateway; each leaf is two texts of at most a frame together.
        let deadline = self.deadline.saturating_add(Duration::from_millis(limits::OPEN_DEADLINE_MS));
        let most = limits::MAX_MINER_FRAME_BYTES.saturating_mul(2);
        let headers = [("content-type", "application/json".to_owned())];
        let answer = self.send(Method::Post, &route, body, &headers, true, most, deadline).await?;
        self.parse(&route, &answer)
    }

    async fn get(&self, route: &str, signed: bool, most: usize) -> Result<Bytes, GatewayError> {
        self.send(Method::Get, route, Vec::new(), &[], signed, most, self.deadline).await
    }

    #[allow(clippy::too_many_arguments)]
    async fn send(
        &self,
        method: Method,
        route: &str,
        body: Vec<u8>,
        headers: &[(&'static str, String)],
        signed: bool,
        most: usize,
        deadline: Duration,
    ) -> Result<Bytes, GatewayError> {
        let work = async {
            let response = self.request(method, route, body, headers, signed)?.send().await;
            let response = response.map_err(|source| self.transport(route, source))?;
            let status = response.status();
            if status.is_success() {
                return self.read(route, response, most).await;
            }
            let text = self.read(route, response, MAX_ERROR_BYTES).await.unwrap_or_default();
            Err(GatewayError::Status {
                gateway: self.name(),
                route: route.to_owned(),
                status: status.as_u16(),
                message: error_message(&text),
            })
        };
        match tokio::time::timeout(deadline, work).await {
            Ok(result) => result,
            Err(_) => Err(GatewayError::Deadline {
                gateway: self.name(),
                route: route.to_owned(),
                after_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
            }),
        }
    }

    fn request(
        &self,
        method: Method,
        route: &str,
        body: Vec<u8>,
        headers: &[(&'static str, String)],
        signed: bool,
    ) -> Result<reqwest::RequestBuilder, GatewayError> {
        let url = self.base.join(route).map_err(|error| self.malformed(route, error.to_string()))?;
        let verb = match method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = self.http.request(verb, url);
        if signed {
            let parts = SignedParts { method, path_and_query: route, body: &body, receiver: self.hotkey };
            for (name, value) in sign_request(&self.keypair, parts, now_ms()).map_err(|e| self.unsigned(e))? {
                request = request.header(name, value);
            }
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        Ok(if body.is_empty() { request } else { request.body(body) })
    }

    /// Reads a body up to its cap; the rest is never taken off the wire.
    async fn read(&self, route: &str, response: reqwest::Response, most: usize) -> Result<Bytes, GatewayError> {
        let too_large = || GatewayError::TooLarge { gateway: self.name(), route: route.to_owned(), most };
        if response.content_length().is_some_and(|length| length > most as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        let mut stream = response.bytes_stream();
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|source| self.transport(route, source))?;
            if body.len().saturating_add(piece.len()) > most {
                return Err(too_large());
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }

    fn parse<'b, T: Deserialize<'b>>(&self, route: &str, body: &'b [u8]) -> Result<T, GatewayError> {
        serde_json::from_slice(body).map_err(|error| self.malformed(route, error.to_string()))
    }

    fn malformed(&self, route: &str, why: String) -> GatewayError {
        GatewayError::Malformed { gateway: self.name(), route: route.to_owned(), why }
    }

    fn unsigned(&self, source: SignedError) -> GatewayError {
        GatewayError::Unsigned { gateway: self.name(), source }
    }

    fn transport(&self, route: &str, source: reqwest::Error) -> GatewayError {
        // The URL is in the message already, and may hold a secret.
        GatewayError::Transport { gateway: self.name(), route: route.to_owned(), source: source.without_url() }
    }
}

/// The message of an OpenAI error body, or the beginning of whatever else it is.
fn error_message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Envelope {
        error: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        message: String,
    }
    let text = match serde_json::from_slice::<Envelope>(body) {
        Ok(envelope) => envelope.error.message,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    clawrank_protocol::frames::shorten(&text)
}

/// Whether a status says that the miner, not the gateway, failed.
fn is_miners_fault(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}
