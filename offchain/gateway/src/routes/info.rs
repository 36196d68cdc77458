// SPDX-License-Identifier: Apache-2.0

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use clawrank_protocol::{
    Hex, Hotkey,
    frames::Role,
    http::{Health, Info, MinerInfo, Miners},
};
use serde::Serialize;

use super::json;
use crate::{
    app::App,
    clock::{millis, now_ms},
};

/// `GET /v1/info`.
pub(super) async fn info(State(app): State<Arc<App>>) -> Response {
    json(&Info {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        gateway: Hotkey(app.me),
        genesis: Hex(app.genesis),
        netuid: app.config.netuid,
        time_ms: now_ms(),
    })
}

#[derive(Serialize)]
struct ModelList {
    object: &'static str,
    data: Vec<ModelEntry>,
}

#[derive(Serialize)]
struct ModelEntry {
    id: String,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

/// `GET /v1/models`, as OpenAI lists them.
pub(super) async fn models(State(app): State<Arc<App>>) -> Response {
    let snapshot = app.router.load();
    let names: BTreeSet<&str> = snapshot
        .models()
        .filter(|model| snapshot.candidates(model).is_some_and(|list| list.iter().any(|one| one.online)))
        .collect();
    let entry = |id: &str| ModelEntry { id: id.to_owned(), object: "model", created: 0, owned_by: "clawrank" };
    json(&ModelList { object: "list", data: names.into_iter().map(entry).collect() })
}

/// `GET /v1/miners`.
pub(super) async fn miners(State(app): State<Arc<App>>) -> Response {
    let mut miners: Vec<MinerInfo> = app
        .hub
        .all()
        .iter()
        .map(|session| {
            let latency = session.stats.overall();
            MinerInfo {
                hotkey: Hotkey(session.hotkey),
                role: session.role,
                models: session.offers.iter().map(crate::hub::Offer::to_wire).collect(),
                online: session.role == Role::Serve && !session.is_leaving() && !session.stats.is_ghost(),
                in_flight: session.in_flight(),
                p50_ms: latency.p50_ms,
                p95_ms: latency.p95_ms,
                health_ppm: session.stats.health_ppm(),
            }
        })
        .collect();
    miners.sort_by_key(|miner| miner.hotkey);
    json(&Miners { miners })
}

/// `GET /healthz`: 200 as long as requests are served, also when degraded.
pub(super) async fn healthz(State(app): State<Arc<App>>) -> Response {
    let (block, age) = app.registry.head();
    let head_age_ms = millis(age);
    let mut reasons = Vec::new();
    if !app.registry.members().is_known() {
        reasons.push("the subnet could not be read yet; no hotkey is known".to_owned());
    }
    if head_age_ms > app.config.timing.chain_stall_ms {
        reasons
            .push(format!("the newest finalised block {block} is {head_age_ms} ms old; the last known members stay"));
    }
    if let Some(error) = app.ledger_failure.load().as_deref() {
        reasons.push(format!("the ledger refused the last write: {error}"));
    }
    let status = if reasons.is_empty() { "ok" } else { "degraded" }.to_owned();
    let miners = u32::try_from(app.hub.len()).unwrap_or(u32::MAX);
    json(&Health { status, reasons, block, head_age_ms, miners })
}

/// `GET /metrics`.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    app.metrics.head_age.set(app.registry.head().1.as_secs_f64());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4");
    ([(CONTENT_TYPE, kind)], app.metrics.render()).into_response()
}
