// SPDX-License-Identifier: Apache-2.0

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::Response,
};
use clawrank_protocol::{
    ApiError, ErrorCode, Hotkey, RequestId,
    http::{HEADER_ENDPOINT, HEADER_MINER, HEADER_REQUEST_ID, HEADER_TASK},
    openai::ChatRequest,
    proof::{TaskType, blake2_256},
};
use clawrank_store::ledger::KeyKind;
use futures::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::{read_body, refuse};
use crate::{
    app::App,
    auth::is_signed,
    clock::now_ms,
    hub::model_key,
    peer::Peer,
    serve::{self, Customer, Head, Job, ServedBy},
};

/// `POST /v1/chat/completions`.
pub(super) async fn completions(State(app): State<Arc<App>>, peer: Peer, request: Request) -> Response {
    let (received, received_ms) = (Instant::now(), now_ms());
    let id = match RequestId::random() {
        Ok(id) => id,
        Err(_) => return refuse(&ApiError::new(ErrorCode::InternalError, "no randomness from the system")),
    };
    let mut response = match prepare(&app, peer, request, received, received_ms).await {
        Err(error) => {
            app.metrics.refused.increment(1);
            refuse(&error)
        }
        Ok(job) => match serve::start(&app, id, job).await {
            Ok(Ok(head)) => answer(head),
            Ok(Err(error)) => refuse(&error),
            Err(_) => refuse(&ApiError::new(ErrorCode::InternalError, "the request ended without an answer")),
        },
    };
    set(&mut response, HEADER_REQUEST_ID, &id.to_string());
    response
}

/// Who asks, and for what.
async fn prepare(
    app: &Arc<App>,
    peer: Peer,
    request: Request,
    received: Instant,
    received_ms: u64,
) -> Result<Job, ApiError> {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    let max = app.config.limits.max_body_bytes;
    let (customer, body) = if is_signed(headers) {
        let body = read_body(app, body, max).await?;
        app.validator(&parts.method, &parts.uri, headers, &body, peer.0).await?;
        (Customer::Probe { miner: pinned(headers)? }, body)
    } else {
        // The key comes first: strangers' bodies are not read.
        let key = app.bearer(headers, peer.0).await?;
        let hash = blake2_256(key.payer.as_bytes());
        (Customer::Payer { id: key.payer_id, hash, free: key.kind == KeyKind::Free }, read_body(app, body, max).await?)
    };
    let request = ChatRequest::parse(&body)?;
    let model = Arc::from(model_key(&request.model));
    let task_type = task_type(headers)?;
    Ok(Job { request, model, task_type, customer, received, received_ms })
}

fn pinned(headers: &HeaderMap) -> Result<[u8; 32], ApiError> {
    let text = headers.get(HEADER_MINER).and_then(|value| value.to_str().ok());
    let hotkey: Option<Hotkey> = text.and_then(|text| text.parse().ok());
    let message = "a signed request is a probe; name its miner, an ss58 hotkey, in this header";
    hotkey.map(|hotkey| hotkey.0).ok_or_else(|| ApiError::invalid(HEADER_MINER, message))
}

fn task_type(headers: &HeaderMap) -> Result<String, ApiError> {
    let Some(value) = headers.get(HEADER_TASK) else { return Ok("chat".to_owned()) };
    value
        .to_str()
        .ok()
        .and_then(|text| TaskType::normalised(text).ok())
        .map(TaskType::into_string)
        .ok_or_else(|| ApiError::invalid(HEADER_TASK, "task type must have 1 to 32 printable characters"))
}

fn answer(head: Head) -> Response {
    let (by, mut response) = match head {
        Head::Whole { by, body } => {
            let mut response = Response::new(Body::from(body));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            (by, response)
        }
        Head::Stream { by, parts } => {
            let parts = ReceiverStream::new(parts).map(Ok::<_, core::convert::Infallible>);
            let mut response = Response::new(Body::from_stream(parts));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            (by, response)
        }
    };
    match by {
        ServedBy::Miner(hotkey) => set(&mut response, HEADER_MINER, &Hotkey(hotkey).to_string()),
        ServedBy::Endpoint(id) => set(&mut response, HEADER_ENDPOINT, &id),
    }
    response
}

fn set(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}
