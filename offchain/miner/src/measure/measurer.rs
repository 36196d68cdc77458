// SPDX-License-Identifier: Apache-2.0

//! All calls of an epoch: which, when, and within which budget.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clawrank_client::types::Head;
use clawrank_primitives::{
    gate::GateParams,
    proof::{Attempt, AttemptStatus, Cell, Hash, HotkeyId, salted_hash},
    units::MicroUsd,
};
use clawrank_protocol::{
    catalogue::{Catalogue, Endpoint, Model},
    tasks::{Task, measure_task_id},
};
use reqwest::Client;
use secrecy::SecretString;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{CallResult, Config, EpochFolder, EpochPlan, Record, Salts, call, call::prompt_tokens, log::LogWriter};
use crate::{Error, now_ms, upstream};

/// What an epoch's measuring gave, over all runs of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Attempts on disk.
    pub attempts: usize,
    /// Cells with an attempt.
    pub cells: usize,
    /// Cost of all attempts, micro-USD.
    pub cost_micro_usd: u64,
}

/// A cell and how to reach it.
#[derive(Clone)]
struct Target {
    cell: Cell,
    id: Hash,
    endpoint: Endpoint,
    model: Model,
    key: Option<SecretString>,
}

/// Measures the cells that the configuration admits.
pub struct Measurer {
    client: Client,
    hotkey: HotkeyId,
    config: Config,
    /// By endpoint.
    targets: BTreeMap<String, Vec<Arc<Target>>>,
}

/// Cost of an epoch so far, with what calls in flight may add.
struct Budget {
    max: u64,
    spent: Mutex<u64>,
}

impl Budget {
    /// Sets `most` aside; false when that would go beyond the budget.
    fn reserve(&self, most: u64) -> bool {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = spent.saturating_add(most);
        let fits = sum <= self.max;
        if fits {
            *spent = sum;
        }
        fits
    }

    /// Replaces what was set aside by what it was.
    fn settle(&self, reserved: u64, cost: u64) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        *spent = spent.saturating_sub(reserved).saturating_add(cost);
    }
}

/// What the calls of an epoch share.
struct Epoch {
    plan: EpochPlan,
    salts: Salts,
    budget: Budget,
    writer: LogWriter,
    stop: CancellationToken,
}

impl Measurer {
    /// Reads the keys of the endpoints that the configuration admits.
    ///
    /// # Errors
    ///
    /// [`Error::Catalogue`] when a key is missing, [`Error::Config`] when no cell is left or HTTP cannot be set up.
    pub fn new(config: &Config, catalogue: &Catalogue, hotkey: HotkeyId) -> Result<Self, Error> {
        let mut targets: BTreeMap<String, Vec<Arc<Target>>> = BTreeMap::new();
        for endpoint in &catalogue.endpoints {
            let cells: Vec<Cell> = endpoint.cells().into_iter().filter(|cell| config.cells.admits(cell)).collect();
            if cells.is_empty() {
                continue;
            }
            let key = endpoint.api_key()?;
            for cell in cells {
                if let Some(model) = endpoint.model(cell.model.as_str()).cloned() {
                    let target = Target { id: cell.id(), cell, endpoint: endpoint.clone(), model, key: key.clone() };
                    targets.entry(endpoint.id.clone()).or_default().push(Arc::new(target));
                }
            }
        }
        if targets.is_empty() {
            let problem = "no cell of the catalogue is left; check the filter".to_owned();
            return Err(Error::Config { field: "cells", problem });
        }
        let idle = usize::try_from(config.concurrency_per_endpoint).unwrap_or(usize::MAX);
        let client =
            upstream::client(idle).map_err(|error| Error::Config { field: "catalogue", problem: error.to_string() })?;
        Ok(Self { client, hotkey, config: config.clone(), targets })
    }

    /// The cells that are measured.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        self.targets.values().flatten().map(|target| target.cell.clone()).collect()
    }

    /// Makes the attempts of the epoch that are not in its log yet, until all are made, the budget is used up, the time
    /// for measuring is over (by the chain's blocks or by the clock), or `cancel`.
    ///
    /// An attempt that the end of the time cuts off is not recorded. Attempts begin in their order per endpoint; with
    /// `spread`, the i-th of each cell not before its part of the time. While attempts cannot be written, none begins: those
    /// that were made wait for the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when attempts cannot be written at the end of the time either; those written before are in the folder.
    pub async fn measure(
        &self,
        plan: &EpochPlan,
        folder: &mut EpochFolder,
        mut heads: watch::Receiver<Option<Head>>,
        cancel: &CancellationToken,
    ) -> Result<Measured, Error> {
        let before = folder.records()?;
        let made: Arc<BTreeSet<(Hash, u32)>> =
            Arc::new(before.iter().map(|record| (record.attempt.cell, record.index)).collect());
        let spent = before.iter().fold(0u64, |sum, record| sum.saturating_add(self.cost_of(record)));
        let stop = cancel.child_token();
        let _dropped = stop.clone().drop_guard();
        let is_over = |head: &Option<Head>| head.is_some_and(|head| head.number >= plan.measure_end_block);
        if is_over(&heads.borrow_and_update()) || now_ms() >= plan.measure_end_ms {
            stop.cancel();
        }
        if before.is_empty() {
            self.warn_of_small_budget(plan);
        }
        let (writer, writing) = folder.take_log()?.spawn(stop.clone());
        let epoch = Arc::new(Epoch {
            plan: plan.clone(),
            salts: folder.salts(),
            budget: Budget { max: self.config.max_cost_micro_usd_per_epoch, spent: Mutex::new(spent) },
            writer,
            stop: stop.clone(),
        });
        let workers: Vec<AbortOnDropHandle<()>> = self
            .targets
            .values()
            .flat_map(|targets| {
                let queue = Arc::new(Mutex::new(self.queue(targets, &made).into_iter()));
                (0..self.config.concurrency_per_endpoint).map(move |_| Arc::clone(&queue)).collect::<Vec<_>>()
            })
            .map(|queue| {
                let worker = Worker {
                    client: self.client.clone(),
                    hotkey: self.hotkey,
                    config: self.config.clone(),
                    epoch: Arc::clone(&epoch),
                };
                AbortOnDropHandle::new(tokio::spawn(async move { worker.run(&queue).await }))
            })
            .collect();
        drop(epoch);
        let all = futures::future::join_all(workers);
        let over = async {
            loop {
                if is_over(&heads.borrow_and_update()) {
                    return;
                }
                if heads.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::pin!(all);
        tokio::select! {
            _ = &mut all => {}
            () = over => { stop.cancel(); all.await; }
            () = sleep(Duration::from_millis(plan.measure_end_ms.saturating_sub(now_ms()))) => { stop.cancel(); all.await; }
            () = stop.cancelled() => { all.await; }
        }
        writing.await.map_err(|_| Error::Job { job: "the log of attempts" })??;
        let records = folder.records()?;
        let cells: BTreeSet<Hash> = records.iter().map(|record| record.attempt.cell).collect();
        Ok(Measured {
            attempts: records.len(),
            cells: cells.len(),
            cost_micro_usd: records.iter().fold(0u64, |sum, record| sum.saturating_add(self.cost_of(record))),
        })
    }

    /// Says so where the budget ends before the gate counts any cell: attempts go round by round over all cells.
    fn warn_of_small_budget(&self, plan: &EpochPlan) {
        let wanted = u64::from(GateParams::clawrank().n_min);
        let round: u64 = self.targets.values().flatten().fold(0, |sum, target| {
            let task_id = measure_task_id(&plan.seed, &self.hotkey, &target.id, 0);
            let most = Task::from_id(target.cell.task_type.as_str(), &task_id).map_or(0, |task| most_of(target, &task));
            sum.saturating_add(most)
        });
        let budget = self.config.max_cost_micro_usd_per_epoch;
        let Some(rounds) = budget.checked_div(round).filter(|rounds| *rounds < wanted) else { return };
        tracing::warn!(
            epoch = plan.epoch,
            budget_micro_usd = budget,
            cells = self.targets.values().map(Vec::len).sum::<usize>(),
            "the budget may end after {rounds} attempts per cell, and cells with fewer than {wanted} do not count: raise \
             it, or measure fewer cells"
        );
    }

    /// What a record counts in the budget: its tokens at the price, also where the call failed.
    fn cost_of(&self, record: &Record) -> u64 {
        let attempt = &record.attempt;
        let target = self.targets.values().flatten().find(|target| target.id == attempt.cell);
        target.map_or(attempt.cost.get(), |target| {
            target.model.cost_micro_usd(attempt.input_tokens, attempt.output_tokens)
        })
    }

    /// Attempts of an endpoint that are still to be made: round by round, each cell once per round.
    fn queue(&self, targets: &[Arc<Target>], made: &BTreeSet<(Hash, u32)>) -> Vec<(u32, Arc<Target>)> {
        (0..self.config.max_attempts_per_cell)
            .flat_map(|index| targets.iter().map(move |target| (index, Arc::clone(target))))
            .filter(|(index, target)| !made.contains(&(target.id, *index)))
            .collect()
    }
}

/// Makes attempts of one endpoint, one after the other.
struct Worker {
    client: Client,
    hotkey: HotkeyId,
    config: Config,
    epoch: Arc<Epoch>,
}

type Queue = Mutex<std::vec::IntoIter<(u32, Arc<Target>)>>;

impl Worker {
    async fn run(&self, queue: &Queue) {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, target)) = next else {
                return;
            };
            if !self.wait_for_turn(index).await || !self.attempt(index, &target).await {
                return;
            }
        }
    }

    /// Waits until the attempt may begin; false when the time for measuring is over before.
    async fn wait_for_turn(&self, index: u32) -> bool {
        let plan = &self.epoch.plan;
        let window = plan.measure_end_ms.saturating_sub(plan.start_ms);
        let due = if self.config.spread {
            let attempts = u64::from(self.config.max_attempts_per_cell.max(1));
            plan.start_ms.saturating_add(window.saturating_mul(u64::from(index)) / attempts)
        } else {
            plan.start_ms
        };
        let wait = Duration::from_millis(due.saturating_sub(now_ms()));
        tokio::select! {
            biased;
            () = self.epoch.stop.cancelled() => false,
            () = sleep(wait) => true,
        }
    }

    /// One attempt; false when no other should follow.
    async fn attempt(&self, index: u32, target: &Target) -> bool {
        let epoch = &self.epoch;
        let task_id = measure_task_id(&epoch.plan.seed, &self.hotkey, &target.id, index);
        let Ok(task) = Task::from_id(target.cell.task_type.as_str(), &task_id) else {
            // The catalogue admits known types only: qed.
            return true;
        };
        let most = most_of(target, &task);
        if !epoch.budget.reserve(most) {
            tracing::debug!(epoch = epoch.plan.epoch, "budget of the epoch is used up");
            return false;
        }
        let deadline = Duration::from_millis(u64::from(self.config.call_deadline_ms));
        let calling = call(
            &self.client,
            &target.endpoint,
            &target.model,
            target.key.as_ref(),
            &task,
            deadline,
            self.config.max_answer_bytes,
        );
        let started = Instant::now();
        let result = tokio::select! {
            result = calling => result,
            () = epoch.stop.cancelled() => {
                epoch.budget.settle(most, 0);
                return false;
            }
        };
        let result = match result {
            Ok(result) => result,
            Err(error) => {
                epoch.budget.settle(most, 0);
                let (endpoint, model) = (&target.endpoint.id, &target.model.id);
                tracing::warn!(endpoint, model, %error, "not an attempt: the call says nothing about the endpoint");
                // Not to hammer an endpoint that refuses us.
                let pause = Duration::from_millis(250).saturating_sub(started.elapsed());
                tokio::time::sleep(pause).await;
                return true;
            }
        };
        let spent = target.model.cost_micro_usd(result.usage.prompt_tokens, result.usage.completion_tokens);
        epoch.budget.settle(most, spent);
        let record = record(target, index, task_id, result, &epoch.salts);
        epoch.writer.write(record).await
    }
}

/// The most that a task can cost. The estimate of the prompt is coarse; twice of it is above any tokenizer's count.
fn most_of(target: &Target, task: &Task) -> u64 {
    target.model.cost_micro_usd(prompt_tokens(&task.messages).saturating_mul(2), task.max_tokens)
}

fn record(target: &Target, index: u32, task_id: Hash, result: CallResult, salts: &Salts) -> Record {
    let (request_salt, response_salt) = salts.of(&target.id, index);
    let response = result.text.into_bytes();
    let cost = match result.status {
        AttemptStatus::Ok => target.model.cost_micro_usd(result.usage.prompt_tokens, result.usage.completion_tokens),
        // Providers do not bill what they did not deliver, and validators count it alike.
        _ => 0,
    };
    let attempt = Attempt {
        cell: target.id,
        sequence: 0,
        task_id,
        request_hash: salted_hash(&request_salt, &result.request),
        response_hash: salted_hash(&response_salt, &response),
        start_ms: result.start_ms,
        ttft_ms: result.ttft_ms,
        total_ms: result.total_ms,
        input_tokens: result.usage.prompt_tokens,
        output_tokens: result.usage.completion_tokens,
        status: result.status,
        schema: result.schema,
        answer: result.answer,
        cost: MicroUsd(cost),
    };
    Record { index, attempt, request: result.request, response }
}
