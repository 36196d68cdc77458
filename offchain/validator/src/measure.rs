// SPDX-License-Identifier: Apache-2.0
//! One replay: a task sent to an endpoint of the validator's own catalogue, timed and checked (rules §3).
//!
//! Time to first token ends with the first chunk that delivers text, total time with the end of the stream.

use std::time::{Duration, Instant};

use clawrank_primitives::proof::{AnswerVerdict, AttemptStatus, SchemaVerdict};
use clawrank_protocol::{
    catalogue::{Endpoint, Model},
    openai::{Usage, answer_text, read_answer},
    tasks::{Message, Task},
    text::{DeliveredText, coarse_tokens},
};
use eventsource_stream::Eventsource;
use futures::StreamExt;
use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;

#[cfg(test)]
mod tests;

/// Largest stream read from an endpoint, in bytes.
const MAX_STREAM_BYTES: usize = 4 * 1024 * 1024;

/// What a replay gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Time to the first token, milliseconds; the time waited where there was none.
    pub ttft_ms: u32,
    /// Time to the last token, milliseconds.
    pub total_ms: u32,
    /// Tokens of the request.
    pub input_tokens: u32,
    /// Tokens of the response.
    pub output_tokens: u32,
    /// How it ended.
    pub status: AttemptStatus,
    /// Verdict of the schema check.
    pub schema: SchemaVerdict,
    /// Verdict of the check against the known answer.
    pub answer: AnswerVerdict,
    /// Price, in millionths of a dollar.
    pub cost_micro_usd: u64,
}

/// Why a call says nothing about the endpoint: the fault may be the validator's own.
#[derive(Debug, thiserror::Error)]
pub enum Unmeasured {
    /// No connection: the network of either side.
    #[error("no connection to endpoint `{endpoint}`: {source}")]
    NoConnection {
        /// Which endpoint.
        endpoint: String,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The endpoint refuses this validator: a wrong key or model name, or its quota.
    #[error("endpoint `{endpoint}` refuses this validator with {status}; check its key, its model names and its quota")]
    Refused {
        /// Which endpoint.
        endpoint: String,
        /// HTTP status.
        status: u16,
    },
}

/// What of the stream arrived.
#[derive(Default)]
struct Received {
    text: String,
    first: Option<Instant>,
    finished: bool,
    failed: bool,
    usage: Option<Usage>,
}

impl Received {
    /// Takes one event; `false` when it is not a chunk of an answer.
    fn take(&mut self, data: &str) -> bool {
        let mut counted = DeliveredText::new(&[0; 16]);
        let Ok(raw) = serde_json::from_str::<&RawValue>(data) else { return false };
        let (Ok(facts), Ok(piece)) = (read_answer(raw, &mut counted), answer_text(data)) else { return false };
        if facts.text && self.first.is_none() {
            self.first = Some(Instant::now());
        }
        self.text.push_str(&piece);
        self.finished |= facts.finished;
        self.failed |= facts.error;
        self.usage = facts.usage.or(self.usage);
        true
    }
}

/// Sends `task` to a model of an endpoint under its pinned parameters.
///
/// # Errors
///
/// [`Unmeasured`]: the call says nothing about the endpoint and must not be held against anyone's claims.
pub async fn measure(
    http: &Client,
    endpoint: &Endpoint,
    model: &Model,
    key: Option<&SecretString>,
    task: &Task,
    deadline: Duration,
) -> Result<Measured, Unmeasured> {
    let mut request = http
        .post(endpoint.chat_url())
        .header("content-type", "application/json")
        .body(task.request_bytes(&model.upstream_id, true));
    if let Some(key) = key {
        request = request.bearer_auth(key.expose_secret());
    }
    let began = Instant::now();
    let mut received = Received::default();
    let outcome = tokio::time::timeout(deadline, receive(request, &mut received)).await;
    let ended = Instant::now();
    let status = match outcome {
        Err(_) => AttemptStatus::Timeout,
        Ok(Ok(status)) => status,
        Ok(Err(Failed::NoConnection(source))) => {
            return Err(Unmeasured::NoConnection { endpoint: endpoint.id.clone(), source: source.without_url() });
        }
        Ok(Err(Failed::Refused(status))) => {
            return Err(Unmeasured::Refused { endpoint: endpoint.id.clone(), status });
        }
    };
    let millis = |until: Instant| u32::try_from(until.duration_since(began).as_millis()).unwrap_or(u32::MAX);
    let total_ms = millis(ended);
    let (schema, answer) = task.verdicts(status, &received.text);
    let counted = |count: u32, text: &dyn Fn() -> u32| if count > 0 { count } else { text() };
    let usage = received.usage.unwrap_or_default();
    let input_tokens = counted(usage.prompt_tokens, &|| {
        // Four tokens frame each message, as the gateway counts.
        let tokens = |message: &Message| coarse_tokens(&message.content).saturating_add(4);
        task.messages.iter().fold(0u32, |sum, message| sum.saturating_add(tokens(message)))
    });
    let output_tokens = counted(usage.completion_tokens, &|| coarse_tokens(&received.text));
    let cost_micro_usd = match status {
        AttemptStatus::Ok => model.cost_micro_usd(input_tokens, output_tokens),
        _ => 0,
    };
    let ttft_ms = received.first.map_or(total_ms, millis);
    Ok(Measured { ttft_ms, total_ms, input_tokens, output_tokens, status, schema, answer, cost_micro_usd })
}

enum Failed {
    NoConnection(reqwest::Error),
    Refused(u16),
}

async fn receive(request: reqwest::RequestBuilder, received: &mut Received) -> Result<AttemptStatus, Failed> {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() || error.is_builder() => return Err(Failed::NoConnection(error)),
        Err(_) => return Ok(AttemptStatus::ServerError),
    };
    match response.status() {
        StatusCode::OK => {}
        status @ (StatusCode::UNAUTHORIZED
        | StatusCode::PAYMENT_REQUIRED
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::TOO_MANY_REQUESTS) => return Err(Failed::Refused(status.as_u16())),
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => return Ok(AttemptStatus::Timeout),
        status if status.is_server_error() => return Ok(AttemptStatus::ServerError),
        _ => return Ok(AttemptStatus::ClientError),
    }
    let mut left = MAX_STREAM_BYTES;
    let mut broken = false;
    let bytes = response.bytes_stream().map(|piece| {
        let piece = piece.map_err(|_| broken = true)?;
        left = left.checked_sub(piece.len()).ok_or(())?;
        Ok::<_, ()>(piece)
    });
    let mut done = false;
    {
        let mut events = Box::pin(bytes.eventsource());
        while let Some(event) = events.next().await {
            let Ok(event) = event else { break };
            if event.data.trim() == "[DONE]" {
                done = true;
                break;
            }
            if !event.data.trim().is_empty() && !received.take(&event.data) {
                return Ok(AttemptStatus::Malformed);
            }
        }
    }
    // As intel miners sort it: a stream may end without its last event once the answer is finished.
    Ok(match (received.failed, broken) {
        (true, _) => AttemptStatus::Malformed,
        (false, _) if received.finished || (done && received.first.is_some()) => AttemptStatus::Ok,
        (false, true) => AttemptStatus::ServerError,
        (false, false) => AttemptStatus::Malformed,
    })
}
