// SPDX-License-Identifier: Apache-2.0
//! Asking miners for the leaves that the seed has chosen.

use std::{collections::BTreeMap, time::Duration};

use clawrank_primitives::{
    gate::{Evidence, OpenedLeaf, Reason, Trip},
    proof::{Bundle, Cell, Opening, ProofError, SchemaVerdict},
};
use clawrank_protocol::tasks::Task;

use super::{Checker, Judged};
use crate::gateway::GatewayError;

/// Leaves asked for at once: their texts must fit one frame of the miner.
const AT_ONCE: usize = 8;
/// How often a miner is asked for the same leaves.
const TRIES: u32 = 3;
/// Pause between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// What asking gave.
pub(super) enum Opened {
    /// The leaves that came; those missing were withheld.
    Leaves(Vec<OpenedLeaf>),
    /// The gateways could not be asked: nothing is known.
    Unknown,
}

impl Checker {
    /// Asks for all leaves of the challenge, a few at a time, each up to three times.
    pub(super) async fn open(&self, judged: &Judged, bundle: &Bundle, challenge: &[u32]) -> Opened {
        let mut opened: BTreeMap<u32, OpenedLeaf> = BTreeMap::new();
        for leaves in challenge.chunks(AT_ONCE) {
            let mut heard = false;
            for attempt in 0..TRIES {
                if attempt > 0 {
                    tokio::time::sleep(PAUSE).await;
                }
                heard |= self.ask(bundle, leaves, &mut opened).await;
                if leaves.iter().all(|leaf| opened.contains_key(leaf)) || self.passed(judged.open_until_block) {
                    break;
                }
            }
            if !heard {
                return Opened::Unknown;
            }
            // One leaf withheld decides; asking for the rest would only cost time.
            if !leaves.iter().all(|leaf| opened.contains_key(leaf)) {
                break;
            }
        }
        Opened::Leaves(opened.into_values().collect())
    }

    /// One round over the gateways; whether any of them could speak for the miner.
    async fn ask(&self, bundle: &Bundle, leaves: &[u32], opened: &mut BTreeMap<u32, OpenedLeaf>) -> bool {
        let mut heard = false;
        for gateway in self.gateways.usable().await {
            let missing: Vec<u32> = leaves.iter().copied().filter(|leaf| !opened.contains_key(leaf)).collect();
            if missing.is_empty() {
                return true;
            }
            match gateway.open(&bundle.header.root, &bundle.hotkey, &missing).await {
                Ok(answer) => {
                    heard = true;
                    for leaf in answer.openings.into_iter().filter(|leaf| missing.contains(&leaf.leaf)) {
                        let index = leaf.leaf;
                        let Ok(opening) = Opening::try_from(leaf) else { continue };
                        let schema = schema(bundle, &opening);
                        opened.insert(index, OpenedLeaf { opening, schema });
                    }
                }
                // The gateway works and the miner is silent or away.
                Err(GatewayError::Status { status: 404 | 502 | 503 | 504, .. }) => heard = true,
                Err(error) => tracing::warn!(%error, "cannot ask for leaves"),
            }
        }
        heard
    }
}

fn cell<'b>(bundle: &'b Bundle, opening: &Opening) -> Option<&'b Cell> {
    bundle.cells.iter().find(|cell| cell.id() == opening.attempt.cell)
}

/// The validator's own schema verdict on an opened response. Only a complete answer is checked.
fn schema(bundle: &Bundle, opening: &Opening) -> SchemaVerdict {
    let task =
        cell(bundle, opening).and_then(|cell| Task::from_id(cell.task_type.as_str(), &opening.attempt.task_id).ok());
    // Bytes that are no text match no schema.
    let text = String::from_utf8_lossy(&opening.response);
    task.map_or(SchemaVerdict::NotChecked, |task| task.verdicts(opening.attempt.status, &text).0)
}

/// Checks that every opened request is the one that its task demands, but for the endpoint's own name of the model: a
/// miner that sends easier prompts measures something else.
///
/// # Errors
///
/// [`Reason::HashMismatch`]: the request that the task demands does not hash to the leaf.
pub(super) fn check_requests(bundle: &Bundle, opened: &[OpenedLeaf]) -> Result<(), Trip> {
    for OpenedLeaf { opening, .. } in opened {
        let task = cell(bundle, opening)
            .and_then(|cell| Task::from_id(cell.task_type.as_str(), &opening.attempt.task_id).ok());
        // A kind of task that this version does not know is not replayed either, and scores nothing.
        let Some(task) = task else { continue };
        let model = serde_json::from_slice::<serde_json::Value>(&opening.request)
            .ok()
            .and_then(|body| body.get("model").and_then(|model| model.as_str().map(str::to_owned)));
        if !model.is_some_and(|model| task.is_request(&model, &opening.request)) {
            let evidence = Evidence::Opening { index: opening.index, error: ProofError::HashMismatch };
            return Err(Trip { reason: Reason::HashMismatch, evidence });
        }
    }
    Ok(())
}
