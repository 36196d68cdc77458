// SPDX-License-Identifier: Apache-2.0

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    response::Response,
};
use clawrank_protocol::{
    ApiError, ErrorCode, Hotkey,
    cells::{CellTable, CellsTaken, RoutedCells},
    limits::MAX_CELLS_BODY_BYTES,
    signed::HEADER_HOTKEY,
};

use super::{json, read_body, refuse};
use crate::{app::App, peer::Peer};

/// `PUT /v1/cells`, for validators.
pub(super) async fn take(State(app): State<Arc<App>>, peer: Peer, request: Request) -> Response {
    table(&app, peer, request).await.unwrap_or_else(|error| refuse(&error))
}

async fn table(app: &App, peer: Peer, request: Request) -> Result<Response, ApiError> {
    // Whoever cannot be a validator is refused before its body takes memory.
    let claimed: Option<Hotkey> =
        request.headers().get(HEADER_HOTKEY).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    if !claimed.and_then(|hotkey| app.registry.standing(&hotkey.0)).is_some_and(|standing| standing.permit) {
        let message = "sign the table with a hotkey that has a validator permit on the subnet";
        return Err(ApiError::new(ErrorCode::PermissionDenied, message));
    }
    let (parts, body) = request.into_parts();
    let body = read_body(app, body, MAX_CELLS_BODY_BYTES).await?;
    let sender = app.validator(&parts.method, &parts.uri, &parts.headers, &body, peer.0).await?;
    let table = CellTable::parse(&body)?;
    let taken = CellsTaken { cells: u32::try_from(table.cells.len()).unwrap_or(u32::MAX) };
    app.cells.take(sender.hotkey, table, Instant::now());
    app.merge_cells();
    Ok(json(&taken))
}

/// `GET /v1/cells`: what is routed by.
pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    json(&RoutedCells { cells: app.cells.to_wire() })
}
