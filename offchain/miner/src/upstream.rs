// SPDX-License-Identifier: Apache-2.0

//! HTTP calls with a deadline and a cap, and the events of a streamed answer.

#[cfg(test)]
mod tests;

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use clawrank_protocol::frames::shorten;
use eventsource_stream::{EventStream, EventStreamError};
use futures::{Stream, StreamExt};
use reqwest::{Client, RequestBuilder, Response, header, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use crate::UpstreamError;

/// Largest error body that is read, in bytes.
const MAX_ERROR_BYTES: u64 = 16 * 1024;

/// A pooled client that keeps connections open, sends small packets at once, follows no redirect and takes no proxy from
/// the environment.
///
/// # Errors
///
/// [`UpstreamError::Request`] when TLS cannot be set up.
pub fn client(idle_connections: usize) -> Result<Client, UpstreamError> {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .tcp_nodelay(true)
        .connect_timeout(Duration::from_secs(10))
        .pool_max_idle_per_host(idle_connections)
        .user_agent(crate::AGENT)
        .build()
        .map_err(|error| UpstreamError::Request(error.to_string()))
}

/// One call: everything about it ends at its deadline.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// When the answer must be complete.
    pub deadline: Instant,
    /// The same, counted from the start, for messages.
    pub deadline_ms: u64,
    /// Longest accepted answer, in bytes, framing included.
    pub max_bytes: u64,
}

impl Limits {
    /// A deadline `deadline_ms` from now.
    #[must_use]
    pub fn new(deadline_ms: u64, max_bytes: u64) -> Self {
        // A deadline beyond a day would overflow nothing but serves nobody.
        let wait = Duration::from_millis(deadline_ms.min(86_400_000));
        Self { deadline: Instant::now() + wait, deadline_ms, max_bytes }
    }

    /// `work`, unless the deadline comes first.
    ///
    /// # Errors
    ///
    /// [`UpstreamError::Deadline`].
    pub async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, UpstreamError> {
        timeout_at(self.deadline, work).await.map_err(|_| UpstreamError::Deadline { after_ms: self.deadline_ms })
    }
}

/// Posts JSON to an OpenAI-compatible endpoint and returns the response once its headers are there and are a success.
///
/// # Errors
///
/// [`UpstreamError::NoConnection`], [`UpstreamError::Transport`], [`UpstreamError::Deadline`];
/// [`UpstreamError::Status`] with the server's message.
pub async fn post(
    client: &Client,
    url: &str,
    key: Option<&SecretString>,
    body: Bytes,
    limits: &Limits,
) -> Result<Response, UpstreamError> {
    let mut request = client.post(url).header(header::CONTENT_TYPE, "application/json").body(body);
    if let Some(key) = key {
        request = request.bearer_auth(key.expose_secret());
    }
    send(request, limits).await
}

/// Sends a request; as [`post`] otherwise.
///
/// # Errors
///
/// As [`post`].
pub async fn send(request: RequestBuilder, limits: &Limits) -> Result<Response, UpstreamError> {
    let response = limits.within(request.send()).await?.map_err(|error| transport(&error))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let limited = Limits { max_bytes: MAX_ERROR_BYTES, ..*limits };
    let text = read_all(response, &limited).await.unwrap_or_default();
    Err(UpstreamError::Status { status: status.as_u16(), message: error_message(&text) })
}

/// The cause without the URL, which may hold a secret.
fn transport(error: &reqwest::Error) -> UpstreamError {
    let mut text = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    let text = shorten(&text);
    if error.is_connect() { UpstreamError::NoConnection(text) } else { UpstreamError::Transport(text) }
}

fn error_message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Body {
        error: Message,
    }
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(body) => shorten(&body.error.message),
        Err(_) => shorten(&String::from_utf8_lossy(body)),
    }
}

/// The whole body.
///
/// # Errors
///
/// [`UpstreamError::TooLarge`] before more than the cap is kept, [`UpstreamError::Transport`],
/// [`UpstreamError::Deadline`].
pub async fn read_all(response: Response, limits: &Limits) -> Result<Bytes, UpstreamError> {
    let max = limits.max_bytes;
    if response.content_length().is_some_and(|length| length > max) {
        return Err(UpstreamError::TooLarge { max });
    }
    let mut body = BytesMut::new();
    let mut stream = response.bytes_stream();
    while let Some(piece) = limits.within(stream.next()).await? {
        let piece = piece.map_err(|error| transport(&error))?;
        if length(body.len()).saturating_add(length(piece.len())) > max {
            return Err(UpstreamError::TooLarge { max });
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

type Pieces = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// Pieces of a body up to a cap; one byte more is an error.
struct Capped {
    pieces: Pieces,
    left: u64,
}

/// Why the pieces of a body end early.
#[derive(Debug)]
enum PieceError {
    Transport(reqwest::Error),
    TooLarge,
}

impl Stream for Capped {
    type Item = Result<Bytes, PieceError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.as_mut().poll_next(context).map(|piece| {
            piece.map(|piece| {
                let piece = piece.map_err(PieceError::Transport)?;
                match self.left.checked_sub(length(piece.len())) {
                    Some(left) => {
                        self.left = left;
                        Ok(piece)
                    }
                    None => Err(PieceError::TooLarge),
                }
            })
        })
    }
}

/// The data of the server-sent events of a streamed answer.
pub struct Events {
    events: EventStream<Capped>,
    limits: Limits,
}

impl Events {
    /// Reads the body of `response`.
    #[must_use]
    pub fn new(response: Response, limits: Limits) -> Self {
        let pieces: Pieces = Box::pin(response.bytes_stream());
        Self { events: EventStream::new(Capped { pieces, left: limits.max_bytes }), limits }
    }

    /// Data of the next event; `None` when the body has ended. The caller knows `[DONE]`.
    ///
    /// # Errors
    ///
    /// [`UpstreamError::TooLarge`], [`UpstreamError::Transport`], [`UpstreamError::Malformed`] when the body is not UTF-8
    /// or no event stream, [`UpstreamError::Deadline`].
    pub async fn next(&mut self) -> Result<Option<String>, UpstreamError> {
        match self.limits.within(self.events.next()).await? {
            None => Ok(None),
            Some(Ok(event)) => Ok(Some(event.data)),
            Some(Err(EventStreamError::Transport(PieceError::TooLarge))) => {
                Err(UpstreamError::TooLarge { max: self.limits.max_bytes })
            }
            Some(Err(EventStreamError::Transport(PieceError::Transport(error)))) => Err(transport(&error)),
            Some(Err(EventStreamError::Utf8(_))) => Err(UpstreamError::Malformed("stream is not UTF-8".to_owned())),
            Some(Err(EventStreamError::Parser(_))) => {
                Err(UpstreamError::Malformed("body is not a stream of events".to_owned()))
            }
        }
    }
}

/// The data of the event that ends a stream.
pub const DONE: &str = "[DONE]";
