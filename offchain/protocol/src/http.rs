// SPDX-License-Identifier: Apache-2.0

//! Bodies and header names of the gateway's own routes.

use serde::{Deserialize, Serialize};

use crate::{
    encoding::{Hex, HexBytes, Hotkey},
    frames::{ModelOffer, OpenedLeaf, Role},
};

/// Response header: identity of the request.
pub const HEADER_REQUEST_ID: &str = "x-clawrank-request-id";
/// Response header: the miner that served. Request header of a probe: the only miner that may serve.
pub const HEADER_MINER: &str = "x-clawrank-miner";
/// Response header: the endpoint of the catalogue that served.
pub const HEADER_ENDPOINT: &str = "x-clawrank-endpoint";
/// Request header: kind of task, for the demand report; `chat` where absent.
pub const HEADER_TASK: &str = "x-clawrank-task";

/// `GET /v1/info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// Version of the gateway.
    pub version: String,
    /// Its hotkey.
    pub gateway: Hotkey,
    /// Genesis hash of the chain it follows.
    pub genesis: Hex<32>,
    /// Subnet.
    pub netuid: u16,
    /// Its clock, Unix milliseconds.
    pub time_ms: u64,
}

/// One miner in `GET /v1/miners`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MinerInfo {
    /// Who.
    pub hotkey: Hotkey,
    /// What the connection is for.
    pub role: Role,
    /// What it offers.
    pub models: Vec<ModelOffer>,
    /// Whether routing may choose it: connected, registered, and the last probe (if any) answered.
    pub online: bool,
    /// Requests in flight.
    pub in_flight: u32,
    /// Median time to the first byte over all its models, milliseconds; 0 before the first request.
    pub p50_ms: u32,
    /// 95th percentile of the same.
    pub p95_ms: u32,
    /// Health, parts per million: 1,000,000 = no recent failure.
    pub health_ppm: u32,
}

/// `GET /v1/miners`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Miners {
    /// All connected miners.
    pub miners: Vec<MinerInfo>,
}

/// One receipt of `GET /v1/receipts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptEntry {
    /// Position in the gateway's ledger, growing without end.
    pub seq: u64,
    /// SCALE of [`clawrank_proof::SignedReceipt`].
    pub receipt: HexBytes,
}

/// `GET /v1/receipts?since=SEQ&limit=N`: receipts with `seq > since`, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptsPage {
    /// The receipts.
    pub receipts: Vec<ReceiptEntry>,
    /// Pass as `since` for the next page; the given `since` where the page is empty.
    pub next: u64,
    /// Whether there are more now.
    pub more: bool,
}

/// Demand of one (model, task type).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemandCell {
    /// Model.
    pub model: String,
    /// Kind of task.
    pub task_type: String,
    /// Requests in the window, probes not counted.
    pub requests: u64,
    /// Input and output tokens in the window.
    pub tokens: u64,
}

/// `GET /v1/demand`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// All cells with a request.
    pub cells: Vec<DemandCell>,
    /// Length of the window up to now.
    pub window_ms: u64,
}

/// Answer to `PUT /v1/bundles/{root}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleStored {
    /// Root of the bundle.
    pub root: Hex<32>,
    /// Whether it was stored before (200) or now (201).
    pub known: bool,
}

/// Body of `POST /v1/bundles/{root}/open`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenBody {
    /// Leaves to open, at most [`MAX_OPEN_LEAVES`](crate::limits::MAX_OPEN_LEAVES).
    pub leaves: Vec<u32>,
}

/// Answer to `POST /v1/bundles/{root}/open`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Openings {
    /// The leaves; fewer than asked for where the miner no longer has them.
    pub openings: Vec<OpenedLeaf>,
}

/// `GET /healthz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`, or `degraded` with a reason; requests are served in both.
    pub status: String,
    /// What is degraded.
    pub reasons: Vec<String>,
    /// Newest finalised block known.
    pub block: u64,
    /// Time since that block was first seen, milliseconds.
    pub head_age_ms: u64,
    /// Connected miners.
    pub miners: u32,
}
