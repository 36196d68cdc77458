// SPDX-License-Identifier: Apache-2.0

//! The HTTP surface: an OpenAI-compatible API for each endpoint of a profile, and a switch for outages.
//!
//! | route | answers |
//! |---|---|
//! | `GET /` | what this is, and its endpoints |
//! | `GET /{endpoint}/v1/models` | the models |
//! | `POST /{endpoint}/v1/chat/completions` | JSON, or server-sent events with `stream: true` |
//! | `PUT /{endpoint}/override` | sets an [`Override`] from JSON |

mod chat;
mod reply;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock, atomic::AtomicU64},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderName, HeaderValue, StatusCode},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post, put},
    serve::ListenerExt,
};
use clawrank_protocol::limits::MAX_BODY_BYTES;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    EmulatorError, EndpointProfile, ModelProfile, Profile,
    latency::{Sampler, seed_of},
};

/// Header of every response.
pub const HEADER_EMULATOR: &str = "x-clawrank-emulator";

/// Time that open connections have to end after the cancellation.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// A change of an endpoint's behaviour while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Override {
    /// All times are multiplied by this; between 0 and 1,000.
    pub latency_factor: f64,
    /// Whether every request gets status 500.
    pub down: bool,
}

impl Default for Override {
    fn default() -> Self {
        Self { latency_factor: 1.0, down: false }
    }
}

/// Switches of a running emulator. Clones share them.
#[derive(Clone)]
pub struct Control(Arc<Shared>);

impl Control {
    /// Sets the override of an endpoint; false when there is no such endpoint or the factor is out of range.
    pub fn set(&self, endpoint: &str, change: Override) -> bool {
        let Some(endpoint) = self.0.endpoints.get(endpoint) else {
            return false;
        };
        if !(0.0..=1_000.0).contains(&change.latency_factor) {
            return false;
        }
        *endpoint.change.write().unwrap_or_else(PoisonError::into_inner) = change;
        true
    }

    /// Chat requests that an endpoint has had, refused ones included; 0 when there is no such endpoint.
    #[must_use]
    pub fn requests(&self, endpoint: &str) -> u64 {
        let count = |endpoint: &Served| endpoint.requests.load(std::sync::atomic::Ordering::Relaxed);
        self.0.endpoints.get(endpoint).map_or(0, count)
    }
}

struct Shared {
    endpoints: BTreeMap<String, Served>,
}

struct Served {
    profile: EndpointProfile,
    models: BTreeMap<String, ServedModel>,
    permits: Option<Arc<Semaphore>>,
    change: RwLock<Override>,
    requests: AtomicU64,
    seed: u64,
}

struct ServedModel {
    profile: ModelProfile,
    sampler: Sampler,
}

impl Served {
    fn new(profile: EndpointProfile, seed: u64) -> Result<Self, EmulatorError> {
        let mut models = BTreeMap::new();
        for model in &profile.models {
            let place = format!("endpoint `{}`, model `{}`", profile.id, model.id);
            let own_seed = seed_of(seed, &[&profile.id, &model.id]);
            let sampler = Sampler::new(model, &place, own_seed, seed)?;
            models.insert(model.id.clone(), ServedModel { profile: model.clone(), sampler });
        }
        let permits = profile.max_concurrency.and_then(|limit| usize::try_from(limit).ok());
        Ok(Self {
            models,
            permits: permits.map(|limit| Arc::new(Semaphore::new(limit))),
            change: RwLock::default(),
            requests: AtomicU64::new(0),
            seed,
            profile,
        })
    }
}

/// A running emulator.
pub struct Emulator {
    address: SocketAddr,
    control: Control,
    cancel: CancellationToken,
    server: JoinHandle<io::Result<()>>,
}

impl Emulator {
    /// Checks the profile, reads its telemetry, binds `listen` and serves until `cancel`.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::Field`], [`EmulatorError::Csv`] and [`EmulatorError::Io`] of the profile;
    /// [`EmulatorError::Listen`] when the address is taken.
    pub async fn start(profile: Profile, listen: SocketAddr, cancel: CancellationToken) -> Result<Self, EmulatorError> {
        profile.check()?;
        let mut endpoints = BTreeMap::new();
        for endpoint in profile.endpoints {
            endpoints.insert(endpoint.id.clone(), Served::new(endpoint, profile.seed)?);
        }
        let unavailable = |source| EmulatorError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(unavailable)?;
        let address = listener.local_addr().map_err(unavailable)?;
        let names: Vec<&str> = endpoints.keys().map(String::as_str).collect();
        tracing::warn!(
            %address,
            endpoints = names.join(", "),
            "this is an EMULATOR of LLM endpoints for development: its answers come from no model"
        );
        let shared = Arc::new(Shared { endpoints });
        let listener = listener.tap_io(|stream| {
            // Without it small chunks wait for acknowledgements; failing to set it costs time only.
            let _ = stream.set_nodelay(true);
        });
        let stop = cancel.clone().cancelled_owned();
        let serve = axum::serve(listener, router(Arc::clone(&shared))).with_graceful_shutdown(stop);
        let server = tokio::spawn(serve.into_future());
        Ok(Self { address, control: Control(shared), cancel, server })
    }

    /// The bound address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL of an endpoint, as a client configures it.
    #[must_use]
    pub fn base_url(&self, endpoint: &str) -> String {
        format!("http://{}/{endpoint}/v1", self.address)
    }

    /// The switches.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Waits for the cancellation, then for open connections to end, at most one second.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::Serve`] when the server ended by itself.
    pub async fn wait(mut self) -> Result<(), EmulatorError> {
        let ended = tokio::select! {
            ended = &mut self.server => ended,
            () = self.cancel.cancelled() => match tokio::time::timeout(SHUTDOWN, &mut self.server).await {
                Ok(ended) => ended,
                Err(_) => {
                    self.server.abort();
                    return Ok(());
                }
            },
        };
        ended.map_err(io::Error::other).and_then(|ended| ended).map_err(EmulatorError::Serve)
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(banner))
        .route("/{endpoint}/v1/models", get(models))
        .route("/{endpoint}/v1/chat/completions", post(chat::complete))
        .route("/{endpoint}/override", put(change))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::map_response(mark))
        .with_state(shared)
}

/// Puts the emulator's header on every response, the errors of the router included.
async fn mark(mut response: Response) -> Response {
    response.headers_mut().insert(HeaderName::from_static(HEADER_EMULATOR), HeaderValue::from_static("1"));
    response
}

async fn banner(State(shared): State<Arc<Shared>>) -> Json<serde_json::Value> {
    Json(serde_json::json!({
        "emulator": true,
        "about": "an emulator of LLM endpoints for development; its answers come from no model",
        "version": env!("CARGO_PKG_VERSION"),
        "endpoints": shared.endpoints.keys().collect::<Vec<_>>(),
    }))
}

async fn models(State(shared): State<Arc<Shared>>, Path(endpoint): Path<String>) -> Response {
    let Some(endpoint) = shared.endpoints.get(&endpoint) else {
        return reply::unknown_endpoint(&endpoint);
    };
    let data: Vec<serde_json::Value> = endpoint
        .profile
        .models
        .iter()
        .map(|model| {
            serde_json::json!({
                "id": model.id,
                "object": "model",
                "created": 0,
                "owned_by": "clawrank-emulator",
                "context_tokens": model.context_tokens,
                "price_in_micro_usd_per_mtok": model.price_in_micro_usd_per_mtok,
                "price_out_micro_usd_per_mtok": model.price_out_micro_usd_per_mtok,
            })
        })
        .collect();
    Json(serde_json::json!({ "object": "list", "data": data })).into_response()
}

async fn change(
    State(shared): State<Arc<Shared>>,
    Path(endpoint): Path<String>,
    Json(change): Json<Override>,
) -> Response {
    if !shared.endpoints.contains_key(&endpoint) {
        return reply::unknown_endpoint(&endpoint);
    }
    if Control(shared).set(&endpoint, change) {
        return Json(change).into_response();
    }
    let message = format!("latency_factor {} is outside 0 ..= 1000", change.latency_factor);
    reply::error(StatusCode::BAD_REQUEST, "invalid_request_error", &message)
}
