// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;

use axum::{Router, body::Body, http::HeaderMap, response::Response as Answer, routing::post};
use tokio::{net::TcpListener, sync::Mutex};

use super::*;

/// A server that answers with these pieces and keeps the authorization it saw.
async fn server(status: u16, pieces: &'static [&'static [u8]]) -> (String, Arc<Mutex<Option<String>>>) {
    let seen = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&seen);
    let handler = move |headers: HeaderMap| async move {
        *keep.lock().await = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let body = futures::stream::iter(pieces.iter().map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece))));
        Answer::builder().status(status).body(Body::from_stream(body)).unwrap()
    };
    let router = Router::new().route("/", post(handler));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, router).into_future());
    (format!("http://{address}/"), seen)
}

async fn events(pieces: &'static [&'static [u8]], max_bytes: u64) -> Result<Vec<String>, UpstreamError> {
    let (url, _) = server(200, pieces).await;
    let limits = Limits::new(5_000, max_bytes);
    let response = post_to(&url, None, &limits).await?;
    let mut events = Events::new(response, limits);
    let mut data = Vec::new();
    while let Some(event) = events.next().await? {
        data.push(event);
    }
    Ok(data)
}

async fn post_to(url: &str, key: Option<&SecretString>, limits: &Limits) -> Result<Response, UpstreamError> {
    super::post(&client(2).unwrap(), url, key, Bytes::from_static(b"{}"), limits).await
}

#[tokio::test]
async fn events_are_read_when_split_anywhere() {
    let data = events(&[b"da", b"ta: {\"a\":1}\n", b"\nda", b"ta: [DONE]\n\n: comment\n\n"], 1_000).await.unwrap();
    assert_eq!(data, ["{\"a\":1}", DONE]);
}

#[tokio::test]
async fn events_are_refused_when_not_utf8() {
    let error = events(&[b"data: \xff\xfe\n\n"], 1_000).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Malformed(_)), "{error}");
}

#[tokio::test]
async fn answer_is_refused_when_larger_than_its_cap() {
    let error = events(&[b"data: 12345\n\n", b"data: 67890\n\n"], 20).await.unwrap_err();
    assert!(matches!(error, UpstreamError::TooLarge { max: 20 }), "{error}");
    let (url, _) = server(200, &[b"12345", b"67890"]).await;
    let limits = Limits::new(5_000, 9);
    let error = read_all(post_to(&url, None, &limits).await.unwrap(), &limits).await.unwrap_err();
    assert!(matches!(error, UpstreamError::TooLarge { max: 9 }), "{error}");
    let limits = Limits::new(5_000, 10);
    let whole = read_all(post_to(&url, None, &limits).await.unwrap(), &limits).await.unwrap();
    assert_eq!(whole, "1234567890");
}

#[tokio::test]
async fn error_has_the_servers_message_and_never_the_key() {
    let (url, seen) = server(503, &[b"{\"error\":{\"message\":\"over", b"loaded\"}}"]).await;
    let key = SecretString::from("sk-very-secret".to_owned());
    let error = post_to(&url, Some(&key), &Limits::new(5_000, 100)).await.unwrap_err();
    assert_eq!(error.to_string(), "status 503: overloaded");
    assert_eq!(seen.lock().await.as_deref(), Some("Bearer sk-very-secret"));
    let error = post_to("http://127.0.0.1:9/?secret=1", Some(&key), &Limits::new(5_000, 100)).await.unwrap_err();
    assert!(matches!(error, UpstreamError::NoConnection(_)));
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let (url, _) = server(302, &[b"elsewhere"]).await;
    let error = post_to(&url, None, &Limits::new(5_000, 100)).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Status { status: 302, .. }), "{error}");
}
