// SPDX-License-Identifier: Apache-2.0

use std::sync::Arc;

use axum::{
    extract::{Query, Request, State},
    http::request::Parts,
    response::Response,
};
use clawrank_protocol::{
    ApiError, HexBytes,
    http::{Demand, DemandCell, ReceiptEntry, ReceiptsPage},
    limits::MAX_RECEIPTS_PAGE,
};
use serde::Deserialize;

use super::{json, refuse};
use crate::{app::App, clock::now_ms, peer::Peer};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    since: u64,
    limit: Option<u32>,
}

/// `GET /v1/receipts?since=SEQ&limit=N`, for validators.
pub(super) async fn receipts(State(app): State<Arc<App>>, peer: Peer, request: Request) -> Response {
    page(&app, peer, &request.into_parts().0).await.unwrap_or_else(|error| refuse(&error))
}

async fn page(app: &App, peer: Peer, parts: &Parts) -> Result<Response, ApiError> {
    app.validator(&parts.method, &parts.uri, &parts.headers, b"", peer.0).await?;
    let Query(page): Query<Page> = Query::try_from_uri(&parts.uri)
        .map_err(|_| ApiError::invalid("since", "the query is `since=SEQ&limit=N`, both numbers"))?;
    let limit = page.limit.unwrap_or(MAX_RECEIPTS_PAGE).clamp(1, MAX_RECEIPTS_PAGE);
    // One more than asked for tells whether there are more.
    let read = app.ledger.receipts(page.since, limit.saturating_add(1)).await;
    let mut rows = read.map_err(|error| app.ledger_error(&error))?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().map_or(page.since, |row| row.seq);
    let entry = |row: clawrank_store::ledger::ReceiptRow| ReceiptEntry { seq: row.seq, receipt: HexBytes(row.bytes) };
    Ok(json(&ReceiptsPage { receipts: rows.into_iter().map(entry).collect(), next, more }))
}

/// `GET /v1/demand`, for registered hotkeys.
pub(super) async fn demand(State(app): State<Arc<App>>, peer: Peer, request: Request) -> Response {
    seen(&app, peer, &request.into_parts().0).await.unwrap_or_else(|error| refuse(&error))
}

async fn seen(app: &App, peer: Peer, parts: &Parts) -> Result<Response, ApiError> {
    app.signed(&parts.method, &parts.uri, &parts.headers, b"", peer.0).await?;
    let window_ms = app.config.timing.demand_window_ms;
    let read = app.ledger.demand(now_ms().saturating_sub(window_ms)).await;
    let rows = read.map_err(|error| app.ledger_error(&error))?;
    let cell = |row: clawrank_store::ledger::DemandRow| DemandCell {
        model: row.model,
        task_type: row.task_type,
        requests: row.requests,
        tokens: row.tokens,
    };
    Ok(json(&Demand { cells: rows.into_iter().map(cell).collect(), window_ms }))
}
