// SPDX-License-Identifier: Apache-2.0

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Extension;
use clawrank_client::ChainPort;
use clawrank_protocol::{catalogue::Catalogue, proof::Keypair};
use clawrank_store::{Ledger, SqliteLedger, ledger::LedgerOptions};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Config, Error, PriceTable,
    app::App,
    clock::now_ms,
    endpoints::Endpoints,
    peer::{self, Remote},
    quota::{Counter, Held},
    routes,
};

/// How often the ledger is tidied up.
const TIDY_EVERY: Duration = Duration::from_secs(600);

/// How often what the ledger would not take is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(2);

/// How long the start waits for the first read of the subnet.
const FIRST_READ: Duration = Duration::from_secs(10);

/// Largest head of an HTTP request, in bytes; also the read buffer of a connection.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Serves until `cancel`.
///
/// # Errors
///
/// See [`Error`]; only the start can fail.
pub async fn run(
    config: Config,
    keypair: Keypair,
    chain: Arc<dyn ChainPort>,
    cancel: CancellationToken,
) -> Result<(), Error> {
    Server::start(config, keypair, chain, cancel).await?.wait().await;
    Ok(())
}

/// A gateway that serves.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    ledger: Arc<SqliteLedger>,
    main: JoinHandle<()>,
}

impl Server {
    /// Opens the ledger, gives back what a crash left reserved, binds, and serves until `cancel`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn start(
        config: Config,
        keypair: Keypair,
        chain: Arc<dyn ChainPort>,
        cancel: CancellationToken,
    ) -> Result<Self, Error> {
        let prices = config.prices_path.as_deref().map(PriceTable::load).transpose()?;
        if prices.is_none() {
            tracing::warn!("no price table; every request is free");
        }
        let catalogue = config.catalogue_path.as_deref().map(Catalogue::load).transpose()?;
        let endpoints = Endpoints::new(catalogue, config.limits.max_in_flight_per_endpoint)?;
        let options = LedgerOptions { max_pages: config.ledger_max_pages, exclusive: true, ..LedgerOptions::default() };
        let ledger = Arc::new(SqliteLedger::open(&config.ledger_path, options).await?);
        let recovered = ledger.recover().await?;
        if recovered > 0 {
            tracing::warn!(recovered, "requests of the last run were open; their reservations are given back");
        }
        let failed = |source| Error::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared: Arc<dyn Ledger> = Arc::clone(&ledger) as Arc<dyn Ledger>;
        let prices = prices.unwrap_or_default();
        let app = Arc::new(App::new(config, keypair, chain.genesis_hash(), shared, endpoints, prices, cancel));
        let first = app.registry.refresh(chain.as_ref(), app.config.netuid);
        if tokio::time::timeout(FIRST_READ, first).await.is_err() {
            tracing::warn!("the chain does not answer; no hotkey is known until it does");
        }
        app.rebuild();
        tracing::info!(%address, netuid = app.config.netuid, "gateway serves");
        let main = tokio::spawn(serve(app, listener, chain));
        Ok(Self { address, ledger, main })
    }

    /// Address that was bound.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The ledger it serves from.
    #[must_use]
    pub fn ledger(&self) -> &SqliteLedger {
        &self.ledger
    }

    /// Waits until it has ended.
    pub async fn wait(self) {
        if let Err(error) = self.main.await {
            tracing::error!(%error, "gateway ended by a panic");
        }
    }
}

/// Accepts connections and runs the background tasks until the gateway ends.
async fn serve(app: Arc<App>, listener: TcpListener, chain: Arc<dyn ChainPort>) {
    let background = TaskTracker::new();
    background.spawn(Arc::clone(&app).keep_rebuilding());
    background.spawn(follow(Arc::clone(&app), chain));
    background.spawn(tidy(Arc::clone(&app)));
    background.close();
    let connections = TaskTracker::new();
    accept(&app, listener, &connections).await;
    tracing::info!("gateway is ending; requests in flight may finish");
    app.tasks.close();
    connections.close();
    let drain = Duration::from_millis(app.config.timing.drain_ms);
    if tokio::time::timeout(drain, app.tasks.wait()).await.is_err() {
        tracing::warn!(left = app.tasks.len(), "requests are cut off at the end of the drain");
    }
    app.hub.close_all();
    let _ = tokio::time::timeout(Duration::from_secs(2), connections.wait()).await;
    let _ = tokio::time::timeout(Duration::from_secs(2), background.wait()).await;
}

async fn follow(app: Arc<App>, chain: Arc<dyn ChainPort>) {
    let pause = Duration::from_millis(app.config.timing.registry_ms);
    let on_change = |members: &crate::registry::Members| {
        app.stats.retain(|hotkey| members.standing(hotkey).is_some());
        app.hub.retain(|hotkey| members.standing(hotkey).is_some());
        app.merge_cells();
    };
    app.registry.follow(chain, app.config.netuid, pause, app.cancel.clone(), on_change).await;
}

async fn tidy(app: Arc<App>) {
    let mut next_prune = tokio::time::Instant::now();
    loop {
        tokio::select! {
            () = app.cancel.cancelled() => return,
            () = tokio::time::sleep(RETRY_EVERY) => {}
        }
        app.settle_again().await;
        app.merge_cells();
        if tokio::time::Instant::now() < next_prune {
            continue;
        }
        next_prune = tokio::time::Instant::now() + TIDY_EVERY;
        let before = now_ms().saturating_sub(app.config.timing.keep_ms);
        match app.ledger.prune(before).await {
            Ok(0) => {}
            Ok(rows) => {
                tracing::info!(rows, "old rows of the ledger are gone");
                // Rows go in portions; come back soon for the next.
                next_prune = tokio::time::Instant::now() + RETRY_EVERY;
            }
            Err(error) => tracing::warn!(%error, "ledger could not be tidied up"),
        }
    }
}

async fn accept(app: &Arc<App>, listener: TcpListener, connections: &TaskTracker) {
    let router = routes::router(Arc::clone(app));
    let places = Arc::new(Semaphore::new(app.config.limits.max_connections.max(1)));
    let per_address = Counter::new(app.config.limits.max_connections_per_address);
    loop {
        let accepted = tokio::select! {
            () = app.cancel.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, or a connection that broke at once; the next try is a moment away.
                tracing::warn!(%error, "connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Over a limit the connection is closed at once: whoever floods is not served a page about it.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        // A proxy's connections are its clients'; theirs are counted by the proxy.
        let held = if peer::is_trusted(remote.ip(), &app.config.trusted_proxies) {
            None
        } else {
            let Some(held) = per_address.take(remote.ip().to_canonical()) else { continue };
            Some(held)
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let router = router.clone().layer(Extension(Remote(remote.ip())));
        connections.spawn(connection(Arc::clone(app), stream, router, place, held));
    }
}

/// Serves one HTTP connection.
async fn connection(
    app: Arc<App>,
    stream: TcpStream,
    router: axum::Router,
    _place: OwnedSemaphorePermit,
    _held: Option<Held<IpAddr>>,
) {
    let header_read = Duration::from_millis(app.config.timing.header_read_ms);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_read)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(64)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    let mut connection = Box::pin(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = app.cancel.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}
