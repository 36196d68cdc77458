// SPDX-License-Identifier: Apache-2.0

use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    extract::{Path, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use clawrank_protocol::tasks::Message;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::{
    Served, Shared,
    reply::{self, Step, timed},
};
use crate::{
    answer::{Text, answer, prompt_tokens},
    latency::{Fate, Timing, seed_of},
};

/// The part of a chat request that matters here.
#[derive(Deserialize)]
struct ChatBody {
    model: String,
    messages: Vec<BodyMessage>,
    #[serde(default)]
    max_tokens: Option<u32>,
    #[serde(default)]
    max_completion_tokens: Option<u32>,
    #[serde(default)]
    temperature: Option<f64>,
    #[serde(default)]
    seed: Option<u64>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    response_format: Option<Format>,
}

#[derive(Deserialize)]
struct BodyMessage {
    role: String,
    #[serde(default)]
    content: Value,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
struct Format {
    r#type: String,
}

/// Everything that is the same in all chunks of an answer.
struct Envelope<'a> {
    id: String,
    created: u64,
    model: &'a str,
    usage: Value,
}

pub(super) async fn complete(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let started = Instant::now();
    let Some(endpoint) = shared.endpoints.get(&name) else {
        return reply::unknown_endpoint(&name);
    };
    let number = endpoint.requests.fetch_add(1, Ordering::Relaxed);
    if !is_admitted(endpoint, &headers) {
        return reply::error(StatusCode::UNAUTHORIZED, "invalid_api_key", "send the profile's api_key as bearer token");
    }
    let body: ChatBody = match body
        .map_err(|cause| cause.to_string())
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|cause| cause.to_string()))
    {
        Ok(body) => body,
        Err(cause) => return reply::error(StatusCode::BAD_REQUEST, "invalid_request_error", &cause),
    };
    let Some(model) = endpoint.models.get(&body.model) else {
        let message = format!("endpoint `{name}` has no model `{}`", body.model);
        return reply::error(StatusCode::NOT_FOUND, "model_not_found", &message);
    };
    let permit = match endpoint.permits.as_ref().map(|permits| Arc::clone(permits).try_acquire_owned()) {
        Some(Err(_)) => return rate_limited(),
        Some(Ok(permit)) => Some(permit),
        None => None,
    };
    let change = *endpoint.change.read().unwrap_or_else(PoisonError::into_inner);
    let (fate, timing) = model.sampler.draw();
    let timing = Timing {
        ttft: timing.ttft.mul_f64(change.latency_factor),
        per_token: timing.per_token.mul_f64(change.latency_factor),
    };
    let messages = conversation(&body);
    let text = answer(
        text_seed(endpoint, &name, &body, &messages, number),
        &messages,
        body.response_format.as_ref().is_some_and(|format| format.r#type.starts_with("json")),
        body.max_completion_tokens.or(body.max_tokens),
        &model.profile.answers,
    );
    let completion = u32::try_from(text.pieces.len()).unwrap_or(u32::MAX);
    let prompt = prompt_tokens(&messages);
    let envelope = Envelope {
        id: format!("chatcmpl-{:016x}", seed_of(endpoint.seed, &[&name, &number.to_string()])),
        created: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        model: &body.model,
        usage: json!({
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt.saturating_add(completion),
        }),
    };
    match if change.down { Fate::Status500 } else { fate } {
        Fate::Status429 => rate_limited(),
        Fate::Status500 => {
            sleep_until(started + timing.ttft).await;
            reply::error(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "emulated failure")
        }
        Fate::Hang(time) => {
            sleep_until(started + time).await;
            reply::error(StatusCode::GATEWAY_TIMEOUT, "timeout", "emulated hang")
        }
        fate if body.stream => {
            let usage = body.stream_options.is_some_and(|options| options.include_usage);
            reply::event_stream(timed(started, events(&envelope, &text, timing, fate, usage), permit))
        }
        fate => {
            let steps = whole(&envelope, &text, timing, fate);
            let first = steps.first().map_or(Duration::ZERO, |(Step::Send(at, _) | Step::Break(at))| *at);
            sleep_until(started + first).await;
            reply::json(timed(started, steps, permit))
        }
    }
}

fn is_admitted(endpoint: &Served, headers: &HeaderMap) -> bool {
    let Some(key) = &endpoint.profile.api_key else {
        return true;
    };
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    bearer.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|given| given == key)
}

fn rate_limited() -> Response {
    let mut response = reply::error(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", "emulated rate limit");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// Messages with the text parts of their contents put together.
fn conversation(body: &ChatBody) -> Vec<Message> {
    let text = |content: &Value| match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect::<Vec<_>>().join("")
        }
        _ => String::new(),
    };
    body.messages
        .iter()
        .map(|message| Message { role: message.role.clone(), content: text(&message.content) })
        .collect()
}

/// At temperature 0 the seed follows from the request; otherwise every request has its own.
fn text_seed(endpoint: &Served, name: &str, body: &ChatBody, messages: &[Message], number: u64) -> u64 {
    let (request_seed, number) = (body.seed.unwrap_or(0).to_string(), number.to_string());
    let mut names = vec![name, body.model.as_str(), request_seed.as_str()];
    names.extend(messages.iter().flat_map(|message| [message.role.as_str(), message.content.as_str()]));
    if body.temperature != Some(0.0) {
        names.push(&number);
    }
    seed_of(endpoint.seed, &names)
}

fn events(envelope: &Envelope<'_>, text: &Text, timing: Timing, fate: Fate, usage: bool) -> Vec<Step> {
    let count = text.pieces.len();
    let middle = count.div_ceil(2);
    let mut steps = Vec::with_capacity(count.saturating_add(3));
    for (index, piece) in text.pieces.iter().enumerate() {
        let delta = match index {
            0 => json!({ "role": "assistant", "content": piece }),
            _ => json!({ "content": piece }),
        };
        steps.push(Step::Send(timing.at(index), envelope.chunk(&delta, None)));
        if index.saturating_add(1) == middle && fate == Fate::Malformed {
            steps.push(Step::Send(
                timing.at(index),
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"cont\n\n".to_owned(),
            ));
        }
        if index.saturating_add(1) == middle && fate == Fate::Broken {
            steps.push(Step::Break(timing.at(index)));
            return steps;
        }
    }
    let end = timing.at(count.saturating_sub(1));
    steps.push(Step::Send(end, envelope.chunk(&json!({}), Some(finish_reason(text)))));
    if usage {
        let chunk = json!({
            "id": envelope.id, "object": "chat.completion.chunk", "created": envelope.created,
            "model": envelope.model, "choices": [], "usage": envelope.usage,
        });
        steps.push(Step::Send(end, format!("data: {chunk}\n\n")));
    }
    steps.push(Step::Send(end, "data: [DONE]\n\n".to_owned()));
    steps
}

impl Envelope<'_> {
    fn chunk(&self, delta: &Value, finish_reason: Option<&str>) -> String {
        let chunk = json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model,
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }],
        });
        format!("data: {chunk}\n\n")
    }
}

fn finish_reason(text: &Text) -> &'static str {
    if text.cut { "length" } else { "stop" }
}

fn whole(envelope: &Envelope<'_>, text: &Text, timing: Timing, fate: Fate) -> Vec<Step> {
    let at = timing.at(text.pieces.len().saturating_sub(1));
    let body = json!({
        "id": envelope.id, "object": "chat.completion", "created": envelope.created, "model": envelope.model,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": text.pieces.concat() },
            "finish_reason": finish_reason(text),
        }],
        "usage": envelope.usage,
    })
    .to_string();
    match fate {
        Fate::Malformed => vec![Step::Send(at, body.chars().take(body.len() / 2).collect())],
        Fate::Broken => vec![Step::Send(at, body.chars().take(body.len() / 2).collect()), Step::Break(at)],
        _ => vec![Step::Send(at, body)],
    }
}
