// SPDX-License-Identifier: Apache-2.0
//! Bundles, attempts and openings as JSON writes them: the shapes of `clawrank-proof`, with unknown fields refused.

use std::fmt;

use clawrank_primitives::{
    gate::{Committed, EpochWindow, OpenedLeaf},
    proof::{
        self, AnswerVerdict, AttemptStatus, BundleHeader, CellTelemetry, Commitment, EndpointName, Hash, HotkeyId,
        InclusionProof, ModelName, Salt, SchemaVerdict, Signature, SubnetEpoch, TaskType, serde_hex,
    },
    units::MicroUsd,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::scalar::Hex32;

/// What a miner submitted for an epoch, what the chain says of it, and what the validator found.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Submission {
    /// Public key of the miner, as the chain knows it.
    pub(super) hotkey: Hex32,
    /// The miner's uid.
    pub(super) uid: u16,
    /// Chain, subnet, mechanism and epoch that the bundle has to be of.
    pub(super) subject: Subject,
    /// When the epoch was.
    pub(super) window: Window,
    /// Hash of the epoch's first block, from which the miner's tasks follow; tasks go unchecked when left out.
    #[serde(default)]
    pub(super) epoch_seed: Option<Hex32>,
    /// Last block at which a commitment counts.
    pub(super) deadline: u64,
    /// The miner's commitment on chain; left out when there is none.
    #[serde(default)]
    pub(super) committed: Option<CommittedInput>,
    pub(super) bundle: Bundle,
    /// Leaves that had to be opened.
    #[serde(default)]
    pub(super) challenge: Vec<u32>,
    /// Leaves that were opened.
    #[serde(default)]
    pub(super) opened: Vec<Opened>,
    /// Authentic bundles of other miners for the epoch; those committed earlier make a copy a duplicate.
    #[serde(default)]
    pub(super) others: Vec<Other>,
}

/// Chain, subnet, mechanism and epoch.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Subject {
    /// Genesis hash of the chain.
    genesis: Hex32,
    netuid: u16,
    mecid: u8,
    epoch: u64,
}

impl From<&Subject> for SubnetEpoch {
    fn from(s: &Subject) -> Self {
        Self { genesis: s.genesis.0, netuid: s.netuid, mecid: s.mecid, epoch: s.epoch }
    }
}

/// Unix milliseconds, both ends included.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    /// Time of the epoch's first block.
    start_ms: u64,
    /// Time of its last block.
    end_ms: u64,
}

impl From<&Window> for EpochWindow {
    fn from(w: &Window) -> Self {
        Self { start_ms: w.start_ms, end_ms: w.end_ms }
    }
}

/// A commitment as the chain has it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CommittedInput {
    epoch: u64,
    /// Attempts in the bundle.
    count: u32,
    /// Root of the bundle.
    root: Hex32,
    /// Block of the commitment.
    block: u64,
}

impl From<&CommittedInput> for Committed {
    fn from(c: &CommittedInput) -> Self {
        Self { commitment: Commitment { epoch: c.epoch, count: c.count, root: c.root.0 }, block: c.block }
    }
}

/// Another miner's bundle.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Other {
    /// Block of its commitment.
    pub(super) block: u64,
    /// Uid of the miner.
    pub(super) uid: u16,
    pub(super) bundle: Bundle,
}

/// A bundle: an object, or its SCALE encoding in hexadecimal as gateways serve it.
#[derive(Debug)]
pub(super) struct Bundle(pub(super) proof::Bundle);

impl<'de> Deserialize<'de> for Bundle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Bundle;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a bundle as an object, or its SCALE encoding in hexadecimal")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bundle, E> {
                let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text))
                    .map_err(|e| E::custom(format!("is not hexadecimal: {e}")))?;
                proof::Bundle::decode_limited(&bytes).map(Bundle).map_err(E::custom)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Bundle, A::Error> {
                let object = BundleObject::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Bundle(object.into()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Bundle {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Bundle".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let object = generator.subschema_for::<BundleObject>();
        json_schema!({
            "description": "a bundle as an object, or its SCALE encoding in hexadecimal",
            "anyOf": [object, { "type": "string", "pattern": "^(0x)?([0-9a-fA-F]{2})+$" }],
        })
    }
}

/// All attempts of one miner in one epoch, in order, with telemetry and signal (rules 2.1).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BundleObject {
    /// Public key that signs.
    #[serde(with = "serde_hex")]
    #[schemars(with = "Hex32")]
    hotkey: HotkeyId,
    header: Header,
    /// sr25519, 64 bytes.
    #[serde(with = "serde_hex")]
    #[schemars(with = "String", extend("pattern" = "^(0x)?[0-9a-fA-F]{128}$"))]
    signature: Signature,
    attempts: Vec<Attempt>,
    /// By id, ascending.
    cells: Vec<Cell>,
    /// By id of the cell, ascending.
    telemetry: Vec<Telemetry>,
    signal: Vec<Signal>,
}

impl From<BundleObject> for proof::Bundle {
    fn from(b: BundleObject) -> Self {
        Self {
            hotkey: b.hotkey,
            header: b.header.into(),
            signature: b.signature,
            attempts: b.attempts.into_iter().map(Into::into).collect(),
            cells: b.cells.into_iter().map(Into::into).collect(),
            telemetry: b.telemetry.into_iter().map(|telemetry| telemetry.0).collect(),
            signal: b.signal.into_iter().map(Into::into).collect(),
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u16,
    /// Genesis hash of the chain.
    genesis: Hex32,
    netuid: u16,
    mecid: u8,
    epoch: u64,
    /// Root of attempts, cells, telemetry and signal.
    root: Hex32,
    /// Attempts.
    count: u32,
}

impl From<Header> for BundleHeader {
    fn from(h: Header) -> Self {
        let Header { version, genesis, netuid, mecid, epoch, root, count } = h;
        Self { version, genesis: genesis.0, netuid, mecid, epoch, root: root.0, count }
    }
}

/// One call that was made to an endpoint for a task.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Attempt {
    /// Id of the cell.
    cell: Hex32,
    sequence: u32,
    /// Id of the task.
    task_id: Hex32,
    /// Salted.
    request_hash: Hex32,
    /// Salted.
    response_hash: Hex32,
    /// Unix milliseconds.
    start_ms: u64,
    /// Time to the first token, milliseconds.
    ttft_ms: u32,
    /// Total time, milliseconds.
    total_ms: u32,
    input_tokens: u32,
    output_tokens: u32,
    #[schemars(
        with = "String",
        extend("enum" = ["ok", "timeout", "rate_limited", "server_error", "client_error", "malformed"])
    )]
    status: AttemptStatus,
    #[schemars(with = "String", extend("enum" = ["not_checked", "valid", "invalid"]))]
    schema: SchemaVerdict,
    #[schemars(with = "String", extend("enum" = ["not_checked", "right", "wrong"]))]
    answer: AnswerVerdict,
    /// Micro-USD.
    cost: u64,
}

impl From<Attempt> for proof::Attempt {
    fn from(a: Attempt) -> Self {
        Self {
            cell: a.cell.0,
            sequence: a.sequence,
            task_id: a.task_id.0,
            request_hash: a.request_hash.0,
            response_hash: a.response_hash.0,
            start_ms: a.start_ms,
            ttft_ms: a.ttft_ms,
            total_ms: a.total_ms,
            input_tokens: a.input_tokens,
            output_tokens: a.output_tokens,
            status: a.status,
            schema: a.schema,
            answer: a.answer,
            cost: MicroUsd(a.cost),
        }
    }
}

/// A model, served by an endpoint, for a kind of task; at most 96, 128 and 32 bytes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cell {
    #[schemars(with = "String")]
    model: ModelName,
    #[schemars(with = "String")]
    endpoint: EndpointName,
    #[schemars(with = "String")]
    task_type: TaskType,
}

impl From<Cell> for proof::Cell {
    fn from(c: Cell) -> Self {
        Self { model: c.model, endpoint: c.endpoint, task_type: c.task_type }
    }
}

/// What the attempts of one cell amount to; latencies and speed are over those that were answered.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Telemetry(
    #[serde(with = "TelemetryFields")]
    #[schemars(with = "TelemetryFields")]
    pub(super) CellTelemetry,
);

/// How [`CellTelemetry`] is written and read here.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(remote = "CellTelemetry", deny_unknown_fields)]
struct TelemetryFields {
    /// Id of the cell.
    #[serde(with = "serde_hex")]
    #[schemars(with = "Hex32")]
    cell: Hash,
    /// Attempts.
    n: u32,
    /// Attempts that were answered.
    ok: u32,
    timeouts: u32,
    schema_valid: u32,
    schema_checked: u32,
    answers_right: u32,
    answers_checked: u32,
    p50_ttft_ms: u32,
    p95_ttft_ms: u32,
    p50_total_ms: u32,
    p95_total_ms: u32,
    /// Output tokens per 1,000 seconds.
    tokens_per_second_milli: u64,
    /// 10^-9 dollars per 1,000 tokens.
    cost_per_1k_tokens_nano_usd: u64,
}

/// Endpoints for a model and kind of task, best first (rules 2.4).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Signal {
    #[schemars(with = "String")]
    model: ModelName,
    #[schemars(with = "String")]
    task_type: TaskType,
    #[schemars(with = "Vec<String>")]
    endpoints: Vec<EndpointName>,
}

impl From<Signal> for proof::SignalEntry {
    fn from(s: Signal) -> Self {
        Self { model: s.model, task_type: s.task_type, endpoints: s.endpoints }
    }
}

/// A leaf that the miner opened.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Opened {
    /// Index of the leaf.
    index: u32,
    attempt: Attempt,
    proof: Path,
    /// 16 bytes.
    #[serde(with = "serde_hex")]
    #[schemars(with = "String", extend("pattern" = "^(0x)?[0-9a-fA-F]{32}$"))]
    request_salt: Salt,
    /// 16 bytes.
    #[serde(with = "serde_hex")]
    #[schemars(with = "String", extend("pattern" = "^(0x)?[0-9a-fA-F]{32}$"))]
    response_salt: Salt,
    /// Bytes as they were sent.
    #[serde(with = "serde_hex")]
    #[schemars(with = "String", extend("pattern" = "^(0x)?([0-9a-fA-F]{2})*$"))]
    request: Vec<u8>,
    /// Bytes as they were received.
    #[serde(with = "serde_hex")]
    #[schemars(with = "String", extend("pattern" = "^(0x)?([0-9a-fA-F]{2})*$"))]
    response: Vec<u8>,
    /// What the validator's own schema check of the response gives.
    #[schemars(with = "String", extend("enum" = ["not_checked", "valid", "invalid"]))]
    found_schema: SchemaVerdict,
}

/// Sibling hashes, from the leaf upwards.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Path {
    path: Vec<Hex32>,
}

impl From<Opened> for OpenedLeaf {
    fn from(o: Opened) -> Self {
        let path: Vec<Hash> = o.proof.path.iter().map(|node| node.0).collect();
        let opening = proof::Opening {
            index: o.index,
            attempt: o.attempt.into(),
            proof: InclusionProof { path },
            request_salt: o.request_salt,
            response_salt: o.response_salt,
            request: o.request,
            response: o.response,
        };
        Self { opening, schema: o.found_schema }
    }
}
