// SPDX-License-Identifier: Apache-2.0

use std::{collections::HashMap, sync::Arc};

use arc_swap::{ArcSwap, Guard};
use clawrank_protocol::needs::Needs;
use clawrank_units::Ppb;

/// Who can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A connected miner, by the number of its connection.
    Miner(u64),
    /// An endpoint of the catalogue, by its position there.
    Endpoint(u32),
}

/// What a candidate can do beyond text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// Tools.
    pub tools: bool,
    /// Images.
    pub vision: bool,
    /// JSON output.
    pub json: bool,
}

impl Support {
    /// Everything: of candidates that do not say otherwise.
    pub const ALL: Self = Self { tools: true, vision: true, json: true };

    /// Everything but what is lacking.
    #[must_use]
    pub const fn without(lacking: Needs) -> Self {
        Self { tools: !lacking.tools, vision: !lacking.vision, json: !lacking.json }
    }

    /// What of `needs` it cannot do.
    #[must_use]
    pub const fn lacks(self, needs: Needs) -> Needs {
        needs.and(Needs { tools: !self.tools, vision: !self.vision, json: !self.json })
    }
}

/// Time to the first byte, in milliseconds; all zero before the first request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Moving average.
    pub ewma_ms: u32,
    /// Median.
    pub p50_ms: u32,
    /// 95th percentile.
    pub p95_ms: u32,
    /// 99th percentile.
    pub p99_ms: u32,
}

/// One line of the table: a target that serves a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub target: Target,
    /// Longest prompt and answer together, in tokens.
    pub context_tokens: u32,
    /// Price of a million input tokens, micro-USD.
    pub price_in_micro_usd_per_mtok: u64,
    /// Price of a million output tokens, micro-USD.
    pub price_out_micro_usd_per_mtok: u64,
    /// How fast it was.
    pub latency: Latency,
    /// Recent requests that failed, parts per million.
    pub error_ppm: u32,
    /// Requests in flight when the snapshot was taken.
    pub in_flight: u32,
    /// Requests it takes at the same time.
    pub limit: u32,
    /// Whether it may be chosen at all.
    pub online: bool,
    /// Verified quality of the cell; [`Ppb::ONE`] where nothing is known.
    pub quality: Ppb,
    /// Only to be used after all candidates that are not a fallback.
    pub fallback: bool,
    /// What it can do.
    pub support: Support,
}

/// How seconds, money and risk are traded against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Milliseconds that 1,000 micro-USD are worth.
    pub ms_per_milli_usd: u64,
    /// Milliseconds that a failure costs.
    pub failure_ms: u64,
    /// Milliseconds between a cell of quality 1 and one of quality 0.
    pub quality_ms: u64,
    /// Latency assumed of a candidate that has served nothing yet, so that it gets its chance.
    pub unknown_ms: u64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { ms_per_milli_usd: 100, failure_ms: 5_000, quality_ms: 1_000, unknown_ms: 300 }
    }
}

/// The table at one instant.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub(crate) models: HashMap<Arc<str>, Box<[Candidate]>>,
    pub(crate) weights: Weights,
}

impl Snapshot {
    /// The candidates of a model.
    #[must_use]
    pub fn candidates(&self, model: &str) -> Option<&[Candidate]> {
        self.models.get(model).map(AsRef::as_ref)
    }

    /// Names of all models, in no order.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(AsRef::as_ref)
    }
}

/// Collects candidates for a [`Snapshot`].
#[derive(Debug, Default)]
pub struct SnapshotBuilder {
    models: HashMap<Arc<str>, Vec<Candidate>>,
    weights: Weights,
}

impl SnapshotBuilder {
    /// An empty table under these weights.
    #[must_use]
    pub fn new(weights: Weights) -> Self {
        Self { models: HashMap::new(), weights }
    }

    /// Adds a line.
    pub fn push(&mut self, model: &Arc<str>, candidate: Candidate) {
        match self.models.get_mut(model) {
            Some(candidates) => candidates.push(candidate),
            None => {
                self.models.insert(Arc::clone(model), vec![candidate]);
            }
        }
    }

    /// The table.
    #[must_use]
    pub fn build(self) -> Snapshot {
        Snapshot {
            models: self.models.into_iter().map(|(model, list)| (model, list.into_boxed_slice())).collect(),
            weights: self.weights,
        }
    }
}

/// Where the newest snapshot is found. Readers never wait for a writer.
#[derive(Debug, Default)]
pub struct Router {
    current: ArcSwap<Snapshot>,
}

impl Router {
    /// The newest snapshot. Hold it for one decision, not longer.
    #[must_use]
    pub fn load(&self) -> Guard<Arc<Snapshot>> {
        self.current.load()
    }

    /// Replaces the snapshot.
    pub fn publish(&self, snapshot: Snapshot) {
        self.current.store(Arc::new(snapshot));
    }
}
