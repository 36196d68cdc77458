// SPDX-License-Identifier: Apache-2.0

//! One call to an endpoint, measured.

use std::time::Duration;

use bytes::Bytes;
use clawrank_primitives::proof::{AnswerVerdict, AttemptStatus, SchemaVerdict};
use clawrank_protocol::{
    catalogue::{Endpoint, Model},
    openai::{Usage, answer_text, read_answer},
    tasks::{Message, Task},
    text::{DeliveredText, coarse_tokens},
};
use reqwest::Client;
use secrecy::SecretString;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::{
    UpstreamError, now_ms,
    upstream::{self, DONE, Events, Limits},
};

/// What a call gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallResult {
    /// When it began, Unix milliseconds.
    pub start_ms: u64,
    /// Time to the first text, milliseconds; the total where there was none.
    pub ttft_ms: u32,
    /// Time to the end, milliseconds.
    pub total_ms: u32,
    /// How it ended.
    pub status: AttemptStatus,
    /// The text that came, also where the call failed in the middle.
    pub text: String,
    /// Tokens, as the endpoint reports them, else by the coarse count.
    pub usage: Usage,
    /// Verdict of the schema check; only complete answers are checked.
    pub schema: SchemaVerdict,
    /// Verdict of the answer check; only complete answers are checked.
    pub answer: AnswerVerdict,
    /// The request body.
    pub request: Vec<u8>,
}

/// Calls an endpoint with a task, streaming, and measures it.
///
/// What goes wrong at the endpoint is the attempt's status. `deadline` counts from the call's begin.
///
/// # Errors
///
/// What says nothing about the endpoint and is no attempt, for validators as for miners: no connection, a refused key or
/// model, or the caller's own rate limit.
pub async fn call(
    client: &Client,
    endpoint: &Endpoint,
    model: &Model,
    key: Option<&SecretString>,
    task: &Task,
    deadline: Duration,
    max_bytes: u64,
) -> Result<CallResult, UpstreamError> {
    let request = task.request_bytes(&model.upstream_id, true);
    let body = Bytes::from(request.clone());
    let mut progress = Progress::default();
    let start_ms = now_ms();
    let started = Instant::now();
    let limits = Limits::new(u64::from(millis(deadline)), max_bytes);
    let result = stream(client, &endpoint.chat_url(), key, body, &limits, started, &mut progress).await;
    let total_ms = millis(started.elapsed());
    let status = match result {
        Ok(()) => AttemptStatus::Ok,
        Err(error) => status(error)?,
    };
    let (schema, answer) = task.verdicts(status, &progress.text);
    let counted = |reported: u32, coarse: u32| if reported > 0 { reported } else { coarse };
    let usage = progress.usage.unwrap_or_default();
    Ok(CallResult {
        start_ms,
        ttft_ms: progress.first.map_or(total_ms, millis).min(total_ms),
        total_ms,
        status,
        usage: Usage::new(
            counted(usage.prompt_tokens, prompt_tokens(&task.messages)),
            counted(usage.completion_tokens, coarse_tokens(&progress.text)),
        ),
        text: progress.text,
        schema,
        answer,
        request,
    })
}

/// What has come so far.
#[derive(Default)]
struct Progress {
    first: Option<Duration>,
    text: String,
    usage: Option<Usage>,
}

async fn stream(
    client: &Client,
    url: &str,
    key: Option<&SecretString>,
    body: Bytes,
    limits: &Limits,
    started: Instant,
    progress: &mut Progress,
) -> Result<(), UpstreamError> {
    let response = upstream::post(client, url, key, body, limits).await?;
    let mut events = Events::new(response, *limits);
    let mut finished = false;
    loop {
        let Some(data) = events.next().await? else {
            // Some endpoints close the stream without the last event.
            if finished {
                break;
            }
            return Err(malformed("stream ended in the middle"));
        };
        let data = data.trim();
        if data == DONE {
            break;
        }
        if data.is_empty() {
            continue;
        }
        let raw: &RawValue = serde_json::from_str(data).map_err(|_| malformed("a chunk is not JSON"))?;
        let facts = read_answer(raw, &mut DeliveredText::new(&[0; 16])).map_err(UpstreamError::Malformed)?;
        if facts.error {
            return Err(UpstreamError::Transport("an error inside the stream".to_owned()));
        }
        if facts.text {
            progress.first.get_or_insert_with(|| started.elapsed());
            progress.text.push_str(&answer_text(data).map_err(UpstreamError::Malformed)?);
        }
        finished |= facts.finished;
        progress.usage = facts.usage.or(progress.usage);
    }
    if progress.text.is_empty() { Err(malformed("stream without text")) } else { Ok(()) }
}

fn malformed(what: &str) -> UpstreamError {
    UpstreamError::Malformed(what.to_owned())
}

fn status(error: UpstreamError) -> Result<AttemptStatus, UpstreamError> {
    Ok(match error {
        UpstreamError::NoConnection(_)
        | UpstreamError::Request(_)
        | UpstreamError::Status { status: 401 | 402 | 403 | 404 | 429, .. } => return Err(error),
        UpstreamError::Deadline { .. } => AttemptStatus::Timeout,
        UpstreamError::Status { status: 500.., .. } | UpstreamError::Transport(_) => AttemptStatus::ServerError,
        UpstreamError::Status { .. } => AttemptStatus::ClientError,
        UpstreamError::TooLarge { .. } | UpstreamError::Malformed(_) => AttemptStatus::Malformed,
    })
}

/// Coarse count of a prompt.
pub(super) fn prompt_tokens(messages: &[Message]) -> u32 {
    messages.iter().fold(0u32, |sum, message| sum.saturating_add(coarse_tokens(&message.content)))
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
