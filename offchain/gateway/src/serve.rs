// SPDX-License-Identifier: Apache-2.0

//! One request from reservation to settlement.
//!
//! It runs as a task of its own, so that it is settled however the customer's connection ends. Candidates are tried one
//! after the other until the first text arrived; from then on the customer has seen part of an answer, and a failure is
//! told as an error event. All attempts share one deadline.

mod attempt;
mod claim;
mod settle;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use clawrank_protocol::{
    ApiError, ErrorCode, Hex, Hotkey, RequestId,
    frames::Role,
    openai::ChatRequest,
    proof::{Hash, HotkeyId, Salt},
};
use clawrank_routing::{Features, MAX_PLANNED, NoPlan, PlanBuf, Target, plan};
use clawrank_store::ledger::{NewRequest, Reservation};
use clawrank_units::MicroUsd;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};

use crate::{
    app::App,
    hub::{Call, Session, StartError, Work},
    prices::Price,
    stats::TargetStats,
};

/// Bytes of frames that an answer may take besides its tokens.
const BUDGET_BASE: usize = 1024 * 1024;

/// Bytes of frames per token: a chunk of one token with its envelope.
const BUDGET_PER_TOKEN: usize = 1024;

/// Bytes of frames that no answer may exceed, however many tokens were asked for.
const MAX_BUDGET: usize = 256 * 1024 * 1024;

/// Who asks, and so who pays.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Customer {
    /// A customer with a key.
    Payer {
        /// The account.
        id: i64,
        /// blake2-256 of its name.
        hash: Hash,
        /// Whether requests cost nothing.
        free: bool,
    },
    /// A validator that probes one miner.
    Probe {
        /// Which.
        miner: HotkeyId,
    },
}

/// A request that was authenticated and checked.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) request: ChatRequest,
    /// The model's name as it is compared.
    pub(crate) model: Arc<str>,
    pub(crate) task_type: String,
    pub(crate) customer: Customer,
    pub(crate) received: Instant,
    pub(crate) received_ms: u64,
}

/// Who serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServedBy {
    Miner(HotkeyId),
    Endpoint(String),
}

impl ServedBy {
    fn label(&self) -> String {
        match self {
            Self::Miner(hotkey) => Hotkey(*hotkey).to_string(),
            Self::Endpoint(id) => format!("endpoint:{id}"),
        }
    }
}

/// The beginning of an answer.
#[derive(Debug)]
pub(crate) enum Head {
    Whole { by: ServedBy, body: String },
    Stream { by: ServedBy, parts: mpsc::Receiver<Bytes> },
}

/// Starts a request; its beginning arrives through the channel. Dropping the channel, or the parts, is leaving.
pub(crate) fn start(app: &Arc<App>, id: RequestId, job: Job) -> oneshot::Receiver<Result<Head, ApiError>> {
    let (head, receiver) = oneshot::channel();
    let price = match job.customer {
        Customer::Payer { free: false, .. } => app.prices.price(&job.model),
        Customer::Payer { .. } | Customer::Probe { .. } => Price::default(),
    };
    let deadline_ms = match job.customer {
        Customer::Payer { .. } => app.config.timing.request_deadline_ms,
        Customer::Probe { .. } => app.config.timing.probe_deadline_ms,
    };
    let max_tokens = job.request.max_tokens.unwrap_or(app.config.limits.default_max_tokens);
    let most_tokens = u64::from(max_tokens).saturating_mul(job.request.choices.into());
    let run = Run {
        app: Arc::clone(app),
        id,
        price,
        reserve: price.fee(job.request.input_tokens.into(), most_tokens),
        max_tokens,
        most_tokens: u32::try_from(most_tokens).unwrap_or(u32::MAX),
        deadline: (job.received + Duration::from_millis(deadline_ms)).into(),
        job,
        head: Some(head),
        reservation: None,
        miner_at_fault: false,
    };
    app.tasks.spawn(run.run());
    receiver
}

/// A request under way.
struct Run {
    app: Arc<App>,
    id: RequestId,
    job: Job,
    price: Price,
    reserve: MicroUsd,
    /// Most tokens of one choice.
    max_tokens: u32,
    /// Most tokens of all choices.
    most_tokens: u32,
    deadline: tokio::time::Instant,
    /// Where the beginning of the answer goes; taken when it went.
    head: Option<oneshot::Sender<Result<Head, ApiError>>>,
    /// Set while the request's row may not be on disk yet.
    reservation: Option<Reservation>,
    /// Whether the last failure was the miner's own, for a probe's verdict.
    miner_at_fault: bool,
}

/// A candidate that the request was sent to.
struct Attempt {
    call: Call,
    by: ServedBy,
    /// Name of the model in the claim.
    model: Arc<str>,
    stats: Arc<TargetStats>,
    salt: Salt,
    started: Instant,
    /// When to give up without a first text.
    first_byte: tokio::time::Instant,
}

impl Attempt {
    fn session(&self) -> Option<&Arc<Session>> {
        self.call.session()
    }
}

/// What an attempt came to.
enum Outcome {
    /// The request is settled and the customer knows.
    Over,
    /// Nothing was shown to the customer; another candidate may be tried.
    Failed(Failure),
}

/// Why an attempt failed.
#[derive(Clone, Debug)]
struct Failure {
    code: ErrorCode,
    message: String,
}

impl Run {
    async fn run(mut self) {
        self.app.metrics.in_flight.increment(1.0);
        match self.reserve().await {
            Ok(()) => {
                if let Err(error) = self.attempts().await {
                    self.app.metrics.failed.increment(1);
                    tracing::info!(id = %self.id, code = error.code.as_str(), "request failed");
                    self.settle_failed().await;
                    self.answer(Err(error));
                }
            }
            Err(error) => {
                self.app.metrics.refused.increment(1);
                self.answer(Err(error));
            }
        }
        if let Customer::Probe { miner } = self.job.customer {
            self.judge(&miner);
        }
        self.app.metrics.in_flight.decrement(1.0);
        self.app.metrics.total.record(self.job.received.elapsed());
        self.app.hub.changed.notify_one();
    }

    /// Hands over the beginning of the answer; `false` when the customer has left.
    fn answer(&mut self, head: Result<Head, ApiError>) -> bool {
        self.head.take().is_some_and(|sender| sender.send(head).is_ok())
    }

    async fn reserve(&mut self) -> Result<(), ApiError> {
        let request = NewRequest {
            id: self.id.0,
            payer_id: match self.job.customer {
                Customer::Payer { id, .. } => Some(id),
                Customer::Probe { .. } => None,
            },
            model: self.job.model.to_string(),
            task_type: self.job.task_type.clone(),
            received_ms: self.job.received_ms,
            reserve: self.reserve,
        };
        // While the ledger fails nobody works for a request that may never have a row.
        let early = self.app.config.early_dispatch && self.app.ledger_failure.load().is_none();
        let reserved = self.app.ledger.reserve(request, early).await;
        self.reservation = Some(reserved.map_err(|error| self.app.ledger_error(&error))?);
        Ok(())
    }

    /// Waits until the request's row is on disk.
    async fn ensure_durable(&mut self) -> Result<(), ApiError> {
        if let Some(reservation) = self.reservation.take() {
            reservation.durable().await.map_err(|error| self.app.ledger_error(&error))?;
            self.app.ledger_works();
        }
        Ok(())
    }

    /// Tries candidates until one serves.
    async fn attempts(&mut self) -> Result<(), ApiError> {
        let targets = self.targets()?;
        let most = usize::try_from(self.app.config.limits.max_attempts.max(1)).unwrap_or(usize::MAX);
        let (mut tried, mut last, mut refused) = (0usize, None::<Failure>, 0u32);
        for (index, target) in targets.iter().enumerate() {
            if tokio::time::Instant::now() >= self.deadline {
                last = Some(timed_out());
            }
            if tried >= most
                || last.as_ref().is_some_and(|failure| failure.code == ErrorCode::Timeout && self.is_late())
            {
                break;
            }
            if tried > 0 {
                self.app.metrics.rerouted.increment(1);
            }
            let is_last = index.saturating_add(1) >= targets.len() || tried.saturating_add(1) >= most;
            let attempt = match self.send(*target, is_last) {
                Ok(attempt) => attempt,
                Err(StartError::Busy | StartError::Gone) => continue,
            };
            tried = tried.saturating_add(1);
            let outcome = if self.job.request.stream { self.stream(attempt).await } else { self.whole(attempt).await };
            match outcome {
                Outcome::Over => return Ok(()),
                Outcome::Failed(failure) => {
                    tracing::debug!(id = %self.id, message = failure.message, "attempt failed");
                    if failure.code == ErrorCode::InvalidRequestError {
                        // One miner's word is not enough to refuse a customer; a second one's is.
                        refused = refused.saturating_add(1);
                    }
                    last = Some(failure);
                    if refused >= 2 {
                        break;
                    }
                }
            }
        }
        Err(match last {
            Some(failure) => ApiError::new(failure.code, failure.message),
            None => ApiError::new(ErrorCode::NoMinerAvailable, "everyone who serves this model is busy; try again"),
        })
    }

    fn is_late(&self) -> bool {
        tokio::time::Instant::now() >= self.deadline
    }

    /// Who may serve, best first.
    fn targets(&self) -> Result<Vec<Target>, ApiError> {
        let model = &self.job.model;
        if let Customer::Probe { miner } = self.job.customer {
            let sessions = self.app.hub.of_hotkey(&miner, Role::Serve);
            let session = sessions.iter().find(|session| session.offer_of(model).is_some()).ok_or_else(|| {
                let message = format!("{} is not connected with model `{model}`", Hotkey(miner));
                ApiError::new(ErrorCode::NoMinerAvailable, message)
            })?;
            return Ok(vec![Target::Miner(session.id)]);
        }
        let features = Features {
            model,
            stream: self.job.request.stream,
            input_tokens: self.job.request.input_tokens,
            max_tokens: self.most_tokens,
            needs: self.job.request.needs,
            affinity: self.job.request.conversation,
        };
        let mut buf = PlanBuf::default();
        let plan = plan(&features, &self.app.router.load(), &mut buf);
        let mut targets = Vec::with_capacity(MAX_PLANNED);
        targets.extend(plan.attempts().map(|planned| planned.target));
        match plan.empty_because() {
            None => Ok(targets),
            Some(why) => Err(no_plan(why, model)),
        }
    }

    /// Sends the request to a candidate.
    fn send(&self, target: Target, is_last: bool) -> Result<Attempt, StartError> {
        let salt = Hex::<16>::random().map_err(|_| StartError::Gone)?.0;
        let started = Instant::now();
        let tokens = usize::try_from(self.most_tokens).unwrap_or(usize::MAX);
        let budget = tokens.saturating_mul(BUDGET_PER_TOKEN).saturating_add(BUDGET_BASE).min(MAX_BUDGET);
        let first_byte = self.first_byte_deadline(is_last);
        match target {
            Target::Miner(id) => {
                let session = self.app.hub.get(id).ok_or(StartError::Gone)?;
                let offer = session.offer_of(&self.job.model).ok_or(StartError::Gone)?;
                let model = session.offers.get(offer).map(|offer| Arc::clone(&offer.model)).ok_or(StartError::Gone)?;
                let with_limit = self.with_limit()?;
                let work = Work {
                    id: self.id,
                    stream: self.job.request.stream,
                    // The same for customers and probes, so that a miner cannot tell them apart by it.
                    deadline_ms: self.app.config.timing.request_deadline_ms,
                    salt,
                    body: with_limit.as_deref().unwrap_or_else(|| self.job.request.raw()),
                    budget,
                };
                let call = session.start(offer, work)?;
                let (by, stats) = (ServedBy::Miner(session.hotkey), Arc::clone(&session.stats));
                Ok(Attempt { call, by, model, stats, salt, started, first_byte })
            }
            Target::Endpoint(index) => {
                let upstream = self.app.endpoints.get(index).ok_or(StartError::Gone)?;
                let request = &self.job.request;
                let call = self.app.endpoints.start(index, &self.job.model, request, self.max_tokens, budget)?;
                let by = ServedBy::Endpoint(upstream.endpoint.id.clone());
                let (model, stats) = (Arc::clone(&self.job.model), Arc::clone(&upstream.stats));
                Ok(Attempt { call, by, model, stats, salt, started, first_byte })
            }
        }
    }

    /// The body with `max_tokens`, where the customer gave none: what is reserved must bound what is served.
    fn with_limit(&self) -> Result<Option<Box<RawValue>>, StartError> {
        if self.job.request.max_tokens.is_some() {
            return Ok(None);
        }
        let fields = [("max_tokens", self.max_tokens.into())];
        self.job.request.with_fields(&fields).map(Some).map_err(|_| StartError::Gone)
    }

    /// A streamed attempt has `first_byte_ms` for its first text. One that is not says nothing before its end, so it has
    /// `slow_token_ms` more for each token, but at most half of what is left. The last candidate has all that is left.
    fn first_byte_deadline(&self, is_last: bool) -> tokio::time::Instant {
        if is_last {
            return self.deadline;
        }
        let now = tokio::time::Instant::now();
        let timing = &self.app.config.timing;
        let first_byte = Duration::from_millis(timing.first_byte_ms);
        let patience = if self.job.request.stream {
            first_byte
        } else {
            let tokens = Duration::from_millis(timing.slow_token_ms).saturating_mul(self.most_tokens);
            let half = self.deadline.saturating_duration_since(now) / 2;
            first_byte.max(first_byte.saturating_add(tokens).min(half))
        };
        // An addition that overflows would only mean a limit that never comes.
        now.checked_add(patience).map_or(self.deadline, |limit| limit.min(self.deadline))
    }

    /// A probe's verdict on its miner (rules §1.2). Nothing is learnt when the gateway itself failed.
    fn judge(&self, miner: &HotkeyId) {
        let stats = self.app.stats.of(miner);
        let was = if self.miner_at_fault { stats.set_ghost(true) } else { stats.is_ghost() };
        if self.miner_at_fault && !was {
            tracing::warn!(miner = %Hotkey(*miner), "probe failed; offline for routing until one is answered");
        }
    }
}

fn timed_out() -> Failure {
    Failure { code: ErrorCode::Timeout, message: "no answer within the deadline of the request".to_owned() }
}

fn no_plan(why: NoPlan, model: &str) -> ApiError {
    match why {
        NoPlan::UnknownModel => {
            let message = format!("model `{model}` is not served here; see GET /v1/models");
            ApiError { code: ErrorCode::ModelNotFound, message, param: Some("model".to_owned()) }
        }
        NoPlan::Offline => ApiError::new(ErrorCode::NoMinerAvailable, format!("nobody serves `{model}` right now")),
        NoPlan::Busy => {
            ApiError::new(ErrorCode::NoMinerAvailable, format!("everyone who serves `{model}` is busy; try again"))
        }
        NoPlan::Unsupported(needs) => {
            let message = format!("nobody who serves `{model}` right now supports {needs}, which the request needs");
            ApiError::new(ErrorCode::NoMinerAvailable, message)
        }
        NoPlan::TooLong(longest) => {
            let message = format!("prompt and max_tokens together exceed the {longest} tokens of `{model}`");
            ApiError::invalid("messages", message)
        }
    }
}
