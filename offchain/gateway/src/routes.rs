// SPDX-License-Identifier: Apache-2.0

//! HTTP handlers.

mod bundles;
mod cells;
mod chat;
mod info;
mod receipts;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use clawrank_protocol::{ApiError, ErrorCode, limits::MAX_GATEWAY_FRAME_BYTES};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;

use crate::{app::App, hub, peer::Peer};

/// Buffer for reading of a miner's connection: small, since thousands are idle.
const READ_BUFFER_BYTES: usize = 4_096;

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat::completions))
        .route("/v1/models", get(info::models))
        .route("/v1/info", get(info::info))
        .route("/v1/miners", get(info::miners))
        .route("/v1/miner", get(miner))
        .route("/v1/receipts", get(receipts::receipts))
        .route("/v1/demand", get(receipts::demand))
        .route("/v1/bundles/{root}", put(bundles::upload).get(bundles::download))
        .route("/v1/bundles/{root}/open", post(bundles::open))
        .route("/v1/cells", put(cells::take).get(cells::show))
        .route("/healthz", get(info::healthz))
        .route("/metrics", get(info::metrics))
        .fallback(|| async { refuse(&ApiError::new(ErrorCode::NotFound, "no such route; see /v1/models")) })
        .method_not_allowed_fallback(|| async {
            let error = ApiError::new(ErrorCode::InvalidRequestError, "this route has another method");
            let mut response = refuse(&error);
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response
        })
        .with_state(app)
}

/// An error as a response.
pub(crate) fn refuse(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], error.to_json()).into_response()
}

fn json<T: Serialize>(value: &T) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response(),
        Err(error) => refuse(&ApiError::new(ErrorCode::InternalError, error.to_string())),
    }
}

/// Reads a body of at most `max` bytes within the deadline for bodies.
async fn read_body(app: &App, body: Body, max: usize) -> Result<Bytes, ApiError> {
    let deadline_ms = app.config.timing.body_read_ms;
    let read = Limited::new(body, max).collect();
    match tokio::time::timeout(Duration::from_millis(deadline_ms), read).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(ApiError::new(ErrorCode::BodyTooLarge, format!("body exceeds {max} bytes; send less")))
        }
        Ok(Err(_)) => Err(ApiError::invalid("body", "body could not be read to its end")),
        Err(_) => Err(ApiError::new(ErrorCode::Timeout, format!("body did not arrive within {deadline_ms} ms"))),
    }
}

/// `GET /v1/miner`: a miner's connection.
async fn miner(
    State(app): State<Arc<App>>,
    peer: Peer,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            let message = format!("this route is for miners' WebSockets: {}", rejection.body_text());
            return refuse(&ApiError::new(ErrorCode::InvalidRequestError, message));
        }
    };
    let Some(held) = app.hub.per_address.take(peer.0) else {
        app.metrics.refused_miners.increment(1);
        let most = app.config.limits.max_miners_per_address;
        let message = format!("this address has {most} miners' connections already");
        return refuse(&ApiError::new(ErrorCode::RateLimitExceeded, message));
    };
    let max = app.config.limits.max_frame_bytes;
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_GATEWAY_FRAME_BYTES.max(app.config.limits.max_body_bytes).saturating_mul(2))
        .max_frame_size(max)
        .max_message_size(max)
        .on_upgrade(move |socket| hub::serve(app, socket, held))
}
