// SPDX-License-Identifier: Apache-2.0

//! Endpoints of the catalogue as candidates: OpenAI-compatible HTTP, translated to the events a miner would send.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use clawrank_protocol::{
    Hex,
    catalogue::{Catalogue, Endpoint},
    frames::{Fail, shorten},
    openai::ChatRequest,
};
use eventsource_stream::Eventsource;
use futures::{Stream, StreamExt};
use reqwest::{Client, StatusCode, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    hub::{Call, Ended, Event, StartError},
    stats::TargetStats,
};

/// Events that may wait for one customer.
const EVENTS: usize = 256;

/// Largest error body that is read.
const MAX_ERROR_BYTES: usize = 16 * 1024;

/// One endpoint and its state.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) endpoint: Endpoint,
    pub(crate) stats: Arc<TargetStats>,
    pub(crate) in_flight: Arc<AtomicU32>,
    pub(crate) limit: u32,
    /// Names of its models, in the order of the catalogue.
    pub(crate) models: Vec<Arc<str>>,
    url: String,
    key: Option<SecretString>,
}

/// All endpoints.
#[derive(Debug)]
pub(crate) struct Endpoints {
    client: Client,
    pub(crate) list: Vec<Upstream>,
}

struct InFlight(Arc<AtomicU32>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Endpoints {
    /// Endpoints of a catalogue; none without one. API keys come from the environment.
    pub(crate) fn new(catalogue: Option<Catalogue>, limit: u32) -> Result<Self, Error> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .tcp_nodelay(true)
            .pool_max_idle_per_host(64)
            .build()
            .map_err(|source| Error::HttpClient { source })?;
        let mut list = Vec::new();
        for endpoint in catalogue.map(|catalogue| catalogue.endpoints).unwrap_or_default() {
            list.push(Upstream {
                url: format!("{}/chat/completions", endpoint.base_url.as_str().trim_end_matches('/')),
                models: endpoint.models.iter().map(|model| Arc::from(model.id.as_str())).collect(),
                stats: Arc::default(),
                in_flight: Arc::default(),
                limit,
                key: endpoint.api_key()?,
                endpoint,
            });
        }
        Ok(Self { client, list })
    }

    pub(crate) fn get(&self, index: u32) -> Option<&Upstream> {
        self.list.get(usize::try_from(index).ok()?)
    }

    /// Sends a request to an endpoint.
    pub(crate) fn start(
        &self,
        index: u32,
        model: &str,
        request: &ChatRequest,
        max_tokens: u32,
        budget: usize,
    ) -> Result<Call, StartError> {
        let upstream = self.get(index).ok_or(StartError::Gone)?;
        let model = upstream.endpoint.model(model).ok_or(StartError::Gone)?;
        let take = |held: u32| (held < upstream.limit).then(|| held.saturating_add(1));
        if upstream.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            return Err(StartError::Busy);
        }
        let in_flight = InFlight(Arc::clone(&upstream.in_flight));
        let mut fields = vec![("model", model.upstream_id.as_str().into())];
        if request.max_tokens.is_none() {
            fields.push(("max_tokens", max_tokens.into()));
        }
        let body = request.with_fields(&fields).map_err(|_| StartError::Gone)?;
        let mut call = self
            .client
            .post(&upstream.url)
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(String::from(Box::<str>::from(body)));
        if let Some(key) = &upstream.key {
            call = call.bearer_auth(key.expose_secret());
        }
        let (sender, events) = mpsc::channel(EVENTS);
        let token = CancellationToken::new();
        let guard = token.clone().drop_guard();
        let (attempt, ended) = Call::from_endpoint(events, guard);
        let stream = request.stream;
        tokio::spawn(async move {
            let _in_flight = in_flight;
            tokio::select! {
                () = token.cancelled() => {}
                end = relay(call, stream, budget, &sender) => {
                    if let Err(end) = end {
                        ended(end);
                    }
                }
            }
        });
        Ok(attempt)
    }
}

/// Turns one HTTP answer into events.
async fn relay(
    call: reqwest::RequestBuilder,
    stream: bool,
    budget: usize,
    events: &mpsc::Sender<Event>,
) -> Result<(), Ended> {
    let response = match call.send().await {
        Ok(response) => response,
        Err(error) => {
            // The URL is left out: it is the operator's business.
            let error = error.without_url();
            return push(events, failed("unreachable", shorten(&error.to_string()), true)).await;
        }
    };
    let status = response.status();
    if !status.is_success() {
        let body = read_all(response.bytes_stream(), MAX_ERROR_BYTES).await.unwrap_or_default();
        return push(events, refusal(status, &body)).await;
    }
    if !stream {
        let body = read_all(response.bytes_stream(), budget).await?;
        push(events, Event::Answer(raw(&body).ok_or(Ended::Breach("answer is not JSON"))?)).await?;
        return push(events, Event::Done(None)).await;
    }
    let mut left = budget;
    let limited = response.bytes_stream().map(move |part| {
        let part = part.map_err(|_| Ended::Lost)?;
        left = left.checked_sub(part.len()).ok_or(Ended::Breach("answer is larger than its max_tokens allow"))?;
        Ok::<Bytes, Ended>(part)
    });
    let mut lines = limited.eventsource();
    let mut is_empty = true;
    while let Some(line) = lines.next().await {
        let line = line.map_err(|error| match error {
            eventsource_stream::EventStreamError::Transport(ended) => ended,
            _ => Ended::Breach("stream is not server-sent events"),
        })?;
        if line.data == "[DONE]" {
            return push(events, Event::Done(None)).await;
        }
        is_empty = false;
        push(events, Event::Chunk(raw(line.data.as_bytes()).ok_or(Ended::Breach("chunk is not JSON"))?)).await?;
    }
    // The answer ended without `[DONE]`.
    Err(if is_empty { Ended::Breach("stream is not server-sent events") } else { Ended::Lost })
}

async fn push(events: &mpsc::Sender<Event>, event: Event) -> Result<(), Ended> {
    events.send(event).await.map_err(|_| Ended::TooSlow)
}

fn raw(bytes: &[u8]) -> Option<Box<RawValue>> {
    RawValue::from_string(core::str::from_utf8(bytes).ok()?.to_owned()).ok()
}

async fn read_all(
    mut parts: impl Stream<Item = Result<Bytes, reqwest::Error>> + Unpin,
    max: usize,
) -> Result<Vec<u8>, Ended> {
    let mut body = Vec::new();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Ended::Lost)?;
        if body.len().saturating_add(part.len()) > max {
            return Err(Ended::Breach("answer is larger than its max_tokens allow"));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

fn failed(code: &str, message: String, retryable: bool) -> Event {
    Event::Fail(Box::new(Fail { id: Hex([0; 16]), code: code.to_owned(), message, retryable }))
}

/// A status that is the request's own fault ends it; all others are the endpoint's and another may do better.
fn refusal(status: StatusCode, body: &[u8]) -> Event {
    let said = serde_json::from_slice::<clawrank_protocol::error::ErrorBody>(body)
        .map_or_else(|_| status.to_string(), |body| shorten(&body.error.message));
    match status {
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            failed("bad_request", said, false)
        }
        StatusCode::TOO_MANY_REQUESTS => failed("busy", said, true),
        _ => failed("upstream_error", said, true),
    }
}
