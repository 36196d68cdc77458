// SPDX-License-Identifier: Apache-2.0
//! Replays: the tasks that the seed has chosen, on every cell of the catalogue, spread over the time there is.
//!
//! The same replays serve all miners. Tasks are taken one per cell in turn, so that each cell is measured over the whole
//! stretch rather than at one moment, and no endpoint gets more requests at once than its bound.

use std::{sync::Arc, time::Duration};

use clawrank_primitives::proof::{Cell, Hash, HotkeyId, challenge::tasks_to_replay};
use clawrank_protocol::{
    catalogue::{Catalogue, Endpoint, Model},
    tasks::Task,
};
use clawrank_store::journal::{Journal, ReplayRow};
use codec::Encode;
use futures::{FutureExt, StreamExt, stream};
use reqwest::Client;
use secrecy::SecretString;
use tokio::time::Instant;

use crate::{
    Error,
    checks::Judged,
    heads::Views,
    measure::{Unmeasured, measure},
    now_ms,
};

/// One replay that is to be made.
struct Job<'a> {
    cell: Hash,
    model: &'a Model,
    task_id: Hash,
    task: Task,
}

/// Makes replays.
pub(crate) struct Replayer {
    pub(crate) journal: Arc<Journal>,
    pub(crate) views: Views,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) http: Client,
    pub(crate) me: HotkeyId,
    pub(crate) concurrency: usize,
    pub(crate) deadline: Duration,
}

impl Replayer {
    /// Makes every replay of the epoch that the journal lacks, within `stretch`; none is begun once leaves are no longer
    /// asked for.
    pub(crate) async fn run(&self, judged: &Judged, stretch: Duration) -> Result<(), Error> {
        let (epoch, until_block) = (judged.epoch, judged.open_until_block);
        let done: std::collections::BTreeSet<(Hash, Hash)> =
            self.journal.replays(epoch).await?.into_iter().map(|replay| (replay.cell, replay.task_id)).collect();
        let endpoints = self.catalogue.endpoints.iter().map(|endpoint| {
            let jobs = self.jobs(endpoint, judged, &done);
            self.endpoint(endpoint, jobs, epoch, until_block, stretch)
        });
        for result in futures::future::join_all(endpoints).await {
            result?;
        }
        Ok(())
    }

    /// The jobs of one endpoint, first task of every cell first.
    fn jobs<'a>(
        &self,
        endpoint: &'a Endpoint,
        judged: &Judged,
        done: &std::collections::BTreeSet<(Hash, Hash)>,
    ) -> Vec<Job<'a>> {
        let mut jobs: Vec<(u32, Job<'a>)> = Vec::new();
        for cell in endpoint.cells() {
            let Some(model) = endpoint.model(cell.model.as_str()) else { continue };
            let id = cell.id();
            let tasks = tasks_to_replay(&judged.seed, &self.me, &id, judged.rules.params.challenge.replays_per_cell);
            for (turn, task_id) in (0u32..).zip(tasks) {
                if done.contains(&(id, task_id)) {
                    continue;
                }
                match Task::from_id(cell.task_type.as_str(), &task_id) {
                    Ok(task) => jobs.push((turn, Job { cell: id, model, task_id, task })),
                    Err(error) => {
                        tracing::warn!(endpoint = endpoint.id, %error, "cell cannot be replayed");
                        break;
                    }
                }
            }
        }
        jobs.sort_by_key(|(turn, job)| (*turn, job.task_id));
        jobs.into_iter().map(|(_, job)| job).collect()
    }

    async fn endpoint(
        &self,
        endpoint: &Endpoint,
        jobs: Vec<Job<'_>>,
        epoch: u64,
        until_block: u64,
        stretch: Duration,
    ) -> Result<(), Error> {
        if jobs.is_empty() {
            return Ok(());
        }
        let key = match endpoint.api_key() {
            Ok(key) => key,
            Err(error) => {
                tracing::error!(%error, "endpoint is not replayed; its cells stay unverified");
                return Ok(());
            }
        };
        let pace = stretch / u32::try_from(jobs.len()).unwrap_or(u32::MAX).max(1);
        let began = Instant::now();
        let replays: Vec<_> = (0u32..)
            .zip(jobs)
            .map(|(turn, job)| {
                let (key, at) = (key.as_ref(), began + pace.saturating_mul(turn));
                async move {
                    tokio::time::sleep_until(at).await;
                    let over = self.views.borrow().as_ref().is_some_and(|view| view.block() > until_block);
                    if over { Ok(()) } else { self.replay(endpoint, &job, key, epoch).await }
                }
                .boxed()
            })
            .collect();
        let mut replays = stream::iter(replays).buffer_unordered(self.concurrency.max(1));
        while let Some(result) = replays.next().await {
            result?;
        }
        Ok(())
    }

    async fn replay(
        &self,
        endpoint: &Endpoint,
        job: &Job<'_>,
        key: Option<&SecretString>,
        epoch: u64,
    ) -> Result<(), Error> {
        let started_ms = now_ms();
        let measured = match measure(&self.http, endpoint, job.model, key, &job.task, self.deadline).await {
            Ok(measured) => measured,
            Err(error) => {
                let reason = match &error {
                    Unmeasured::NoConnection { .. } => "no connection",
                    Unmeasured::Refused { .. } => "refused",
                };
                metrics::counter!("clawrank_validator_replays_lost_total", "reason" => reason).increment(1);
                tracing::warn!(epoch, %error, "replay not counted");
                return Ok(());
            }
        };
        metrics::counter!("clawrank_validator_replays_total").increment(1);
        let row = ReplayRow {
            epoch,
            cell: job.cell,
            task_id: job.task_id,
            started_ms,
            ttft_ms: measured.ttft_ms,
            total_ms: measured.total_ms,
            input_tokens: measured.input_tokens,
            output_tokens: measured.output_tokens,
            status: index(&measured.status),
            schema: index(&measured.schema),
            answer: index(&measured.answer),
            cost_micro_usd: measured.cost_micro_usd,
        };
        Ok(self.journal.record_replay(&row).await?)
    }
}

/// SCALE index of a variant without fields.
fn index(variant: &impl Encode) -> u8 {
    variant.encode().first().copied().unwrap_or(0)
}

/// The cells of a catalogue, by id.
pub(crate) fn cells_by_id(catalogue: &Catalogue) -> std::collections::BTreeMap<Hash, Cell> {
    catalogue.cells().into_iter().map(|cell| (cell.id(), cell)).collect()
}
