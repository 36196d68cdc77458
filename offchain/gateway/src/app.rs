// SPDX-License-Identifier: Apache-2.0

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use clawrank_protocol::{
    ApiError, ErrorCode, Hex,
    frames::Role,
    proof::{Hash, HotkeyId, Keypair},
};
use clawrank_routing::{Candidate, Latency, Router, SnapshotBuilder, Support, Target, Weights};
use clawrank_store::{
    Ledger, LedgerError,
    ledger::{ApiKey, Settlement},
};
use clawrank_units::Ppb;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    cells::Cells,
    clock::now_ms,
    config::Config,
    endpoints::Endpoints,
    hub::Hub,
    metrics::Metrics,
    nonces::SpareNonces,
    prices::PriceTable,
    quota::Limiter,
    registry::Registry,
    stats::{HEALTHY, Stats},
};

/// Everything that handlers and tasks share.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) keypair: Keypair,
    pub(crate) me: HotkeyId,
    pub(crate) genesis: Hash,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) registry: Registry,
    pub(crate) hub: Hub,
    pub(crate) endpoints: Endpoints,
    pub(crate) prices: PriceTable,
    pub(crate) router: Router,
    pub(crate) stats: Stats,
    pub(crate) cells: Cells,
    pub(crate) metrics: Metrics,
    /// Keys looked up lately, by hash; `None` for hashes that are no key in use.
    pub(crate) keys: Mutex<HashMap<Hash, CachedKey>>,
    /// Requests of a payer's key or a hotkey.
    pub(crate) requests: Limiter<Caller>,
    /// Refused credentials of an address.
    pub(crate) refusals: Limiter<IpAddr>,
    /// The one turn that addresses over their limit of refusals share.
    pub(crate) suspects: Semaphore,
    pub(crate) uploads: Semaphore,
    /// Nonces of reads while the ledger is full.
    pub(crate) nonces: SpareNonces,
    /// Ends of requests that the ledger would not take yet; a crash gives their reservations back as well.
    unsettled: Mutex<VecDeque<Settlement>>,
    /// Why the last write to the ledger failed, if it did.
    pub(crate) ledger_failure: ArcSwapOption<LedgerError>,
    /// Requests that are to end before the process does.
    pub(crate) tasks: TaskTracker,
    pub(crate) cancel: CancellationToken,
}

/// A key, or that there is none, and when that was looked up.
pub(crate) type CachedKey = (Option<Arc<ApiKey>>, Instant);

/// Who a quota is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    Key(i64),
    Hotkey(HotkeyId),
}

/// Ends of requests that wait for the ledger.
const MAX_UNSETTLED: usize = 65_536;

impl App {
    /// Remembers the end of a failed request until the ledger can be written again.
    pub(crate) fn settle_later(&self, settlement: Settlement) {
        let mut unsettled = self.unsettled.lock().unwrap_or_else(PoisonError::into_inner);
        if unsettled.len() < MAX_UNSETTLED {
            unsettled.push_back(settlement);
        }
    }

    /// Tries again what the ledger would not take, so that it is known to work again before the next request comes.
    pub(crate) async fn settle_again(&self) {
        loop {
            let next = self.unsettled.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(settlement) = next else { break };
            match self.ledger.settle(settlement.clone()).await {
                Ok(_) | Err(LedgerError::NotOpen { .. }) => self.ledger_works(),
                Err(_) => return self.settle_later(settlement),
            }
        }
        if self.ledger_failure.load().is_some()
            && let Ok(nonce) = Hex::<16>::random()
        {
            // A write that means nothing to anybody: one more nonce of the gateway's own.
            let now = now_ms();
            if self.ledger.use_nonce(&self.me, &nonce.0, now, now).await.is_ok() {
                self.ledger_works();
            }
        }
    }

    /// Merges what validators measured, and has the routing table rebuilt if that changed anything.
    pub(crate) fn merge_cells(&self) {
        let keep = Duration::from_millis(self.config.timing.cells_keep_ms);
        if self.cells.merge(&self.registry.members(), keep, Instant::now()) {
            self.hub.changed.notify_one();
        }
    }

    /// Rebuilds the routing table from sessions and endpoints.
    pub(crate) fn rebuild(&self) {
        let start = Instant::now();
        let mut builder = SnapshotBuilder::new(Weights::default());
        let sessions = self.hub.all();
        let mut offered: HashMap<&str, ()> = HashMap::new();
        for session in sessions.iter().filter(|session| session.role == Role::Serve) {
            let error_ppm = HEALTHY.saturating_sub(session.stats.health_ppm());
            let online = !session.is_leaving() && !session.stats.is_ghost();
            for offer in &session.offers {
                if online {
                    offered.insert(offer.key.as_ref(), ());
                }
                builder.push(
                    &offer.key,
                    Candidate {
                        target: Target::Miner(session.id),
                        context_tokens: offer.context_tokens,
                        price_in_micro_usd_per_mtok: offer.price_in,
                        price_out_micro_usd_per_mtok: offer.price_out,
                        latency: session.stats.latency(&offer.key),
                        error_ppm,
                        in_flight: offer.in_flight.load(Ordering::Relaxed),
                        limit: offer.max_concurrency,
                        online,
                        quality: Ppb::ONE,
                        fallback: false,
                        support: Support::without(offer.lacks.iter().copied().collect()),
                    },
                );
            }
        }
        let cells = self.cells.load();
        for (index, upstream) in self.endpoints.list.iter().enumerate() {
            let Ok(index) = u32::try_from(index) else { break };
            let measured = cells.get(&upstream.endpoint.id);
            for (model, key) in upstream.endpoint.models.iter().zip(&upstream.models) {
                let fallback = offered.contains_key(key.as_ref());
                if fallback && !self.config.endpoints_fallback {
                    continue;
                }
                let cell = measured.and_then(|models| models.get(key.as_ref()));
                let (mut latency, mut error_ppm) =
                    (upstream.stats.latency(key), HEALTHY.saturating_sub(upstream.stats.health_ppm()));
                // What validators saw stands in until this gateway has seen for itself.
                if let Some(cell) = cell.filter(|_| latency == Latency::default()) {
                    (latency, error_ppm) = (cell.latency, error_ppm.max(cell.error_ppm));
                }
                builder.push(
                    key,
                    Candidate {
                        target: Target::Endpoint(index),
                        context_tokens: model.context_tokens,
                        price_in_micro_usd_per_mtok: model.price_in_micro_usd_per_mtok,
                        price_out_micro_usd_per_mtok: model.price_out_micro_usd_per_mtok,
                        latency,
                        error_ppm,
                        in_flight: upstream.in_flight.load(Ordering::Relaxed),
                        limit: upstream.limit,
                        online: true,
                        quality: cell.map_or(Ppb::ONE, |cell| cell.quality),
                        fallback,
                        support: Support::without(model.lacks.iter().copied().collect()),
                    },
                );
            }
        }
        drop(cells);
        self.router.publish(builder.build());
        self.metrics.miners.set(sessions.len() as f64);
        self.metrics.rebuild.record(start.elapsed());
    }

    /// Rebuilds the table whenever something changed, until the gateway ends. Never spends more than a tenth of its
    /// time on it.
    pub(crate) async fn keep_rebuilding(self: Arc<Self>) {
        let least = Duration::from_millis(self.config.timing.snapshot_ms.max(1));
        loop {
            tokio::select! {
                () = self.cancel.cancelled() => return,
                () = self.hub.changed.notified() => {}
            }
            let start = Instant::now();
            self.rebuild();
            tokio::time::sleep(least.max(start.elapsed().saturating_mul(9))).await;
        }
    }

    /// Turns a ledger's error into the customer's, and remembers whether writing works.
    pub(crate) fn ledger_error(&self, error: &LedgerError) -> ApiError {
        if let LedgerError::InsufficientBalance { .. } = error {
            return ApiError::new(ErrorCode::InsufficientBalance, error.to_string());
        }
        self.ledger_fails(error);
        let message = match error {
            LedgerError::Full => "the gateway's ledger is full; try again later",
            _ => "the gateway's ledger cannot be written; try again later",
        };
        ApiError::new(ErrorCode::LedgerUnavailable, message)
    }

    /// Remembers that a write failed.
    pub(crate) fn ledger_fails(&self, error: &LedgerError) {
        self.metrics.ledger_errors.increment(1);
        tracing::error!(%error, "ledger refused a write");
        self.ledger_failure.store(Some(Arc::new(error.clone())));
    }

    /// Remembers that writing works.
    pub(crate) fn ledger_works(&self) {
        if self.ledger_failure.load().is_some() {
            self.ledger_failure.store(None);
            tracing::info!("the ledger can be written again");
        }
    }
}

impl App {
    /// Everything at its beginning.
    pub(crate) fn new(
        config: Config,
        keypair: Keypair,
        genesis: Hash,
        ledger: Arc<dyn Ledger>,
        endpoints: Endpoints,
        prices: PriceTable,
        cancel: CancellationToken,
    ) -> Self {
        let limits = &config.limits;
        Self {
            me: keypair.public(),
            keypair,
            genesis,
            ledger,
            registry: Registry::default(),
            hub: Hub::new(limits.max_miners_per_address, limits.max_sessions_per_hotkey),
            endpoints,
            prices,
            router: Router::default(),
            stats: Stats::default(),
            cells: Cells::default(),
            metrics: Metrics::new(),
            keys: Mutex::default(),
            requests: Limiter::new(limits.requests_per_minute),
            refusals: Limiter::new(limits.refusals_per_minute),
            suspects: Semaphore::new(1),
            nonces: SpareNonces::default(),
            uploads: Semaphore::new(limits.max_uploads.max(1)),
            unsettled: Mutex::default(),
            ledger_failure: ArcSwapOption::empty(),
            tasks: TaskTracker::new(),
            cancel,
            config,
        }
    }
}

impl core::fmt::Debug for App {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("App").field("keypair", &self.keypair).finish_non_exhaustive()
    }
}
