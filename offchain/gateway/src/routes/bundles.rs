// SPDX-License-Identifier: Apache-2.0

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Path, Query, Request, State},
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use clawrank_protocol::{
    ApiError, ErrorCode, Hex, Hotkey, RequestId,
    frames::Role,
    http::{BundleStored, OpenBody, Openings},
    limits::{MAX_BUNDLE_BODY_BYTES, MAX_OPEN_LEAVES},
    proof::Bundle,
};
use clawrank_store::ledger::BundleRow;
use serde::Deserialize;

use super::{json, read_body, refuse};
use crate::{app::App, auth::Sender, clock::now_ms, peer::Peer};

/// Largest body of `open`.
const MAX_OPEN_BODY_BYTES: usize = 16 * 1024;

fn root_of(text: &str) -> Result<Hex<32>, ApiError> {
    text.parse().map_err(|error| ApiError::invalid("root", format!("root of the bundle: {error}")))
}

/// `PUT /v1/bundles/{root}`, signed by the bundle's hotkey.
pub(super) async fn upload(
    State(app): State<Arc<App>>,
    peer: Peer,
    Path(root): Path<String>,
    request: Request,
) -> Response {
    store(&app, peer, &root, request).await.unwrap_or_else(|error| refuse(&error))
}

async fn store(app: &Arc<App>, peer: Peer, root: &str, request: Request) -> Result<Response, ApiError> {
    let root = root_of(root)?;
    // Whoever cannot be a sender is refused before its body takes memory.
    let claimed: Option<Hotkey> = request
        .headers()
        .get(clawrank_protocol::signed::HEADER_HOTKEY)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    if claimed.is_none_or(|hotkey| app.registry.standing(&hotkey.0).is_none()) {
        let message = "sign the upload with a hotkey that is registered on the subnet";
        return Err(ApiError::new(ErrorCode::PermissionDenied, message));
    }
    let _permit = app.uploads.try_acquire().map_err(|_| {
        ApiError::new(ErrorCode::RateLimitExceeded, "too many uploads at the same time; try again in a second")
    })?;
    let (parts, body) = request.into_parts();
    let body = read_body(app, body, MAX_BUNDLE_BODY_BYTES).await?;
    let sender = app.signed(&parts.method, &parts.uri, &parts.headers, &body, peer.0).await?;
    let (genesis, netuid) = (app.genesis, app.config.netuid);
    // Hashing tens of thousands of leaves takes a while.
    let checked =
        tokio::task::spawn_blocking(move || check(&body, root, &sender, genesis, netuid).map(|epoch| (epoch, body)))
            .await
            .map_err(|_| ApiError::new(ErrorCode::InternalError, "the check of the bundle did not end"))?;
    let (epoch, body) = checked?;
    let row = BundleRow { root: root.0, hotkey: sender.hotkey, epoch, bytes: body.to_vec() };
    let stored = app.ledger.put_bundle(row, app.config.limits.bundles_per_hotkey, now_ms()).await;
    let new = stored.map_err(|error| app.ledger_error(&error))?;
    app.ledger_works();
    let mut response = json(&BundleStored { root, known: !new });
    *response.status_mut() = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(response)
}

/// Decodes and checks a bundle; returns its epoch.
fn check(body: &[u8], root: Hex<32>, sender: &Sender, genesis: [u8; 32], netuid: u16) -> Result<u64, ApiError> {
    let invalid = |what: String| ApiError::invalid("body", what);
    let bundle = Bundle::decode_limited(body).map_err(|error| invalid(format!("bundle cannot be decoded: {error}")))?;
    if bundle.hotkey != sender.hotkey {
        return Err(invalid(format!(
            "bundle is of {}, the request of {}",
            Hotkey(bundle.hotkey),
            Hotkey(sender.hotkey)
        )));
    }
    if bundle.header.root != root.0 {
        return Err(invalid(format!("bundle has root {}, the path {root}", Hex(bundle.header.root))));
    }
    if bundle.header.genesis != genesis || bundle.header.netuid != netuid {
        return Err(invalid(format!("bundle is of another chain or subnet than {netuid}")));
    }
    bundle.verify().map_err(|error| invalid(format!("bundle does not verify: {error}")))?;
    Ok(bundle.header.epoch)
}

/// `GET /v1/bundles/{root}?hotkey=SS58`, for validators.
pub(super) async fn download(
    State(app): State<Arc<App>>,
    peer: Peer,
    Path(root): Path<String>,
    request: Request,
) -> Response {
    fetch(&app, peer, &root, &request.into_parts().0).await.unwrap_or_else(|error| refuse(&error))
}

/// Whose bundle is meant: hotkeys may have the same root.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whose {
    hotkey: Hotkey,
}

impl Whose {
    fn of(parts: &Parts) -> Result<Hotkey, ApiError> {
        let query: Result<Query<Self>, _> = Query::try_from_uri(&parts.uri);
        let Query(Self { hotkey }) = query
            .map_err(|_| ApiError::invalid("hotkey", "the query is `hotkey=SS58`: the one that committed the root"))?;
        Ok(hotkey)
    }
}

async fn find(app: &App, root: Hex<32>, hotkey: Hotkey) -> Result<BundleRow, ApiError> {
    let found = app.ledger.bundle(&root.0, &hotkey.0).await.map_err(|error| app.ledger_error(&error))?;
    found.ok_or_else(|| {
        ApiError::new(ErrorCode::NotFound, format!("{hotkey} has uploaded no bundle with root {root} here"))
    })
}

async fn fetch(app: &App, peer: Peer, root: &str, parts: &Parts) -> Result<Response, ApiError> {
    let root = root_of(root)?;
    app.validator(&parts.method, &parts.uri, &parts.headers, b"", peer.0).await?;
    let bundle = find(app, root, Whose::of(parts)?).await?;
    let kind = HeaderValue::from_static("application/octet-stream");
    Ok(([(CONTENT_TYPE, kind)], Body::from(bundle.bytes)).into_response())
}

/// `POST /v1/bundles/{root}/open?hotkey=SS58`, for validators: relayed to the bundle's miner.
pub(super) async fn open(
    State(app): State<Arc<App>>,
    peer: Peer,
    Path(root): Path<String>,
    request: Request,
) -> Response {
    relay(&app, peer, &root, request).await.unwrap_or_else(|error| refuse(&error))
}

async fn relay(app: &Arc<App>, peer: Peer, root: &str, request: Request) -> Result<Response, ApiError> {
    let root = root_of(root)?;
    let (parts, body) = request.into_parts();
    let body = read_body(app, body, MAX_OPEN_BODY_BYTES).await?;
    app.validator(&parts.method, &parts.uri, &parts.headers, &body, peer.0).await?;
    let whose = Whose::of(&parts)?;
    let asked: OpenBody = serde_json::from_slice(&body)
        .map_err(|error| ApiError::invalid("leaves", format!("body is `{{\"leaves\":[..]}}`: {error}")))?;
    if asked.leaves.is_empty() || asked.leaves.len() > MAX_OPEN_LEAVES {
        let message = format!("{} leaves; ask for 1 to {MAX_OPEN_LEAVES}", asked.leaves.len());
        return Err(ApiError::invalid("leaves", message));
    }
    let bundle = find(app, root, whose).await?;
    let deadline_ms = app.config.timing.open_deadline_ms;
    let most = asked.leaves.len();
    let gone = || {
        let message = format!("{} is not connected; it cannot open its bundle", Hotkey(bundle.hotkey));
        ApiError::new(ErrorCode::NoMinerAvailable, message)
    };
    let session = app.hub.of_hotkey(&bundle.hotkey, Role::Measure).into_iter().next().ok_or_else(gone)?;
    let id = RequestId::random().map_err(|_| ApiError::new(ErrorCode::InternalError, "no randomness"))?;
    let mut call = session.open(id, root.0, asked.leaves, deadline_ms).map_err(|_| gone())?;
    match tokio::time::timeout(Duration::from_millis(deadline_ms), call.collect(most)).await {
        Ok(Some(openings)) => Ok(json(&Openings { openings })),
        Ok(None) => Err(gone()),
        Err(_) => {
            let message = format!("{} did not open within {deadline_ms} ms", Hotkey(bundle.hotkey));
            Err(ApiError::new(ErrorCode::Timeout, message))
        }
    }
}
