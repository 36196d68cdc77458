// SPDX-License-Identifier: Apache-2.0

use std::{convert::Infallible, io, time::Duration};

use axum::{
    Json,
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use tokio::time::{Instant, sleep_until};

/// An error in the shape of the OpenAI API.
pub(super) fn error(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = serde_json::json!({ "error": { "message": message, "type": kind, "code": kind, "param": null } });
    (status, Json(body)).into_response()
}

pub(super) fn unknown_endpoint(name: &str) -> Response {
    error(StatusCode::NOT_FOUND, "endpoint_not_found", &format!("the profile has no endpoint `{name}`; see GET /"))
}

/// Time between the last bytes and the break.
const BREAK_PAUSE: Duration = Duration::from_millis(20);

/// What a stream sends and when, counted from its start.
pub(super) enum Step {
    Send(Duration, String),
    /// The connection breaks.
    Break(Duration),
}

/// A body that sends each step at its time; `held` is dropped when it has ended.
pub(super) fn timed(started: Instant, steps: Vec<Step>, held: impl Send + 'static) -> Body {
    Body::from_stream(timed_stream(started, steps, held))
}

fn timed_stream(
    started: Instant,
    steps: Vec<Step>,
    held: impl Send + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let steps = stream::iter(steps).then(move |step| async move {
        match step {
            Step::Send(after, text) => {
                sleep_until(started + after).await;
                Ok(Bytes::from(text))
            }
            Step::Break(after) => {
                // What was sent before must be on the wire first.
                sleep_until((started + after).max(Instant::now() + BREAK_PAUSE)).await;
                Err(io::Error::new(io::ErrorKind::ConnectionReset, "emulated break"))
            }
        }
    });
    let end = stream::once(async move {
        drop(held);
        Ok::<Bytes, Infallible>(Bytes::new())
    });
    steps.chain(end.filter_map(|_| async { None }))
}

pub(super) fn event_stream(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

pub(super) fn json(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
