// SPDX-License-Identifier: Apache-2.0

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use clawrank_client::{
    ChainPort, ClientError,
    types::{
        AccountId, Beacon, BundleCommit, Call, Commitment, EpochPayout, Hash, Head, Neuron, Submitted, SubnetSnapshot,
        TimelockedCommit, WeightCommit,
    },
};
use clawrank_gateway::{Config, Server};
use clawrank_primitives::Params;
use clawrank_protocol::{
    error::ErrorBody,
    http::Health,
    proof::{HotkeyId, Keypair, Method},
    signed::{SignedParts, sign_request},
};
use clawrank_store::{
    Ledger,
    ledger::{ApiSecret, KeyKind},
};
use clawrank_units::MicroUsd;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) const GENESIS: Hash = [0xab; 32];
pub(crate) const NETUID: u16 = 92;

pub(crate) fn key(name: &str) -> Keypair {
    Keypair::dev(&format!("//{name}")).unwrap()
}

/// A chain whose members a test decides.
pub(crate) struct FakeChain {
    head: watch::Sender<Option<Head>>,
    neurons: Mutex<Vec<Neuron>>,
}

impl FakeChain {
    pub(crate) fn new(miners: &[&str], validators: &[&str]) -> Arc<Self> {
        let head = Head { number: 1, hash: [1; 32], timestamp_ms: now_ms() };
        let chain = Self { head: watch::Sender::new(Some(head)), neurons: Mutex::default() };
        let all = miners.iter().map(|name| (name, false)).chain(validators.iter().map(|name| (name, true)));
        *chain.neurons.lock().unwrap() =
            all.enumerate().map(|(uid, (name, permit))| neuron(uid as u16, key(name).public(), permit)).collect();
        Arc::new(chain)
    }

    /// Takes a hotkey off the subnet, and finalises a block.
    pub(crate) fn remove(&self, hotkey: &HotkeyId) {
        self.neurons.lock().unwrap().retain(|neuron| &neuron.hotkey != hotkey);
        self.finalise();
    }

    pub(crate) fn finalise(&self) {
        self.head.send_modify(|head| {
            let number = head.map_or(0, |head| head.number) + 1;
            *head = Some(Head { number, hash: [number as u8; 32], timestamp_ms: now_ms() });
        });
    }
}

fn neuron(uid: u16, hotkey: HotkeyId, validator_permit: bool) -> Neuron {
    Neuron {
        uid,
        hotkey,
        coldkey: [9; 32],
        stake_rao: 1,
        validator_permit,
        active: true,
        registered_at: 0,
        axon: None,
        last_update: vec![],
        incentive: vec![],
        dividends: 0,
        emission_rao: 0,
    }
}

#[async_trait]
impl ChainPort for FakeChain {
    fn genesis_hash(&self) -> Hash {
        GENESIS
    }

    fn heads(&self) -> watch::Receiver<Option<Head>> {
        self.head.subscribe()
    }

    fn has_provider_rank(&self) -> bool {
        false
    }

    async fn subnet(&self, netuid: u16) -> Result<SubnetSnapshot, ClientError> {
        Ok(SubnetSnapshot {
            head: self.head.borrow().unwrap(),
            netuid,
            tempo: 20,
            epoch_index: 0,
            last_epoch_block: 0,
            pending_epoch_at: 0,
            blocks_since_last_step: 0,
            owner_coldkey: None,
            owner_uid: None,
            commit_reveal: true,
            commit_reveal_version: 4,
            reveal_period_epochs: 1,
            weights_rate_limit: 0,
            weights_version_key: 0,
            min_allowed_weights: 0,
            max_allowed_uids: 256,
            immunity_period: 5_000,
            mechanism_count: 2,
            max_mechanisms: 2,
            stake_threshold_rao: 0,
            block_time_ms: 12_000,
            neurons: self.neurons.lock().unwrap().clone(),
        })
    }

    async fn subnet_at(&self, netuid: u16, _: Hash) -> Result<SubnetSnapshot, ClientError> {
        self.subnet(netuid).await
    }

    async fn block(&self, _: u64) -> Result<Option<Head>, ClientError> {
        Ok(*self.head.borrow())
    }

    async fn weights(&self, _: u16, _: u8) -> Result<Vec<(u16, Vec<(u16, u16)>)>, ClientError> {
        Ok(vec![])
    }

    async fn weight_commits(&self, _: u16, _: u8, _: &AccountId) -> Result<Vec<WeightCommit>, ClientError> {
        Ok(vec![])
    }

    async fn timelocked_commits(&self, _: u16, _: u8, _: u64) -> Result<Vec<TimelockedCommit>, ClientError> {
        Ok(vec![])
    }

    async fn beacon(&self) -> Result<Option<Beacon>, ClientError> {
        Ok(None)
    }

    async fn pulse(&self, _: u64) -> Result<Option<[u8; 48]>, ClientError> {
        Ok(None)
    }

    async fn pulse_at(&self, _: u64, _: Hash) -> Result<Option<[u8; 48]>, ClientError> {
        Ok(None)
    }

    async fn commitments(&self, _: u16) -> Result<Vec<Commitment>, ClientError> {
        Ok(vec![])
    }

    async fn bundle_commits(&self, _: u16, _: u64) -> Result<Vec<BundleCommit>, ClientError> {
        Ok(vec![])
    }

    async fn payouts(&self, _: u16) -> Result<Vec<EpochPayout>, ClientError> {
        Ok(vec![])
    }

    async fn params(&self, _netuid: u16, _block: Hash) -> Result<Option<Params>, ClientError> {
        Ok(None)
    }

    async fn submit(&self, _: &Keypair, _: Call) -> Result<Submitted, ClientError> {
        unreachable!("a gateway submits nothing")
    }
}

pub(crate) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

/// A running gateway, its chain and a client.
pub(crate) struct Gateway {
    pub(crate) folder: TempDir,
    pub(crate) server: Server,
    pub(crate) chain: Arc<FakeChain>,
    pub(crate) keypair: Keypair,
    pub(crate) http: reqwest::Client,
    pub(crate) cancel: CancellationToken,
    pub(crate) config: Config,
}

pub(crate) const PRICES: &str = "[default]\nin_micro_usd_per_mtok = 1_000_000\nout_micro_usd_per_mtok = 2_000_000\n";

/// Settings for tests: quick deadlines, one micro-USD for an input token, two for an output token.
pub(crate) fn config(folder: &TempDir) -> Config {
    let prices = folder.path().join("prices.toml");
    std::fs::write(&prices, PRICES).unwrap();
    let mut config = Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        netuid: NETUID,
        ledger_path: folder.path().join("gateway.db"),
        prices_path: Some(prices),
        ..Config::default()
    };
    config.timing.request_deadline_ms = 5_000;
    config.timing.first_byte_ms = 400;
    config.timing.slow_token_ms = 1;
    config.timing.probe_deadline_ms = 1_200;
    config.timing.auth_deadline_ms = 500;
    config.timing.registry_ms = 1;
    config.timing.drain_ms = 200;
    config.timing.snapshot_ms = 1;
    config.limits.requests_per_minute = 100_000;
    config.limits.refusals_per_minute = 1_000;
    config
}

impl Gateway {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_miners(&["Bob", "Carol", "Dave"], change).await
    }

    pub(crate) async fn with_miners<S: AsRef<str>>(miners: &[S], change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder);
        change(&mut config);
        let chain = FakeChain::new(&miners.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), &["Eve"]);
        let (keypair, cancel) = (key("Gateway"), CancellationToken::new());
        let port: Arc<dyn ChainPort> = chain.clone();
        let server = Server::start(config.clone(), keypair.clone(), port, cancel.clone()).await.unwrap();
        // The nearest thing to a customer: no proxy, no pool surprises.
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { folder, server, chain, keypair, http, cancel, config }
    }

    /// Ends it and starts it again on the ledger it had.
    pub(crate) async fn restart(self) -> Self {
        let Self { folder, server, chain, keypair, http, cancel, config } = self;
        cancel.cancel();
        server.wait().await;
        let cancel = CancellationToken::new();
        let port: Arc<dyn ChainPort> = chain.clone();
        let server = Server::start(config.clone(), keypair.clone(), port, cancel.clone()).await.unwrap();
        Self { folder, server, chain, keypair, http, cancel, config }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// A paid key with this balance.
    pub(crate) async fn customer(&self, payer: &str, balance: u64) -> String {
        self.server.ledger().deposit(payer, MicroUsd(balance)).await.unwrap();
        self.api_key(payer, KeyKind::Paid).await
    }

    pub(crate) async fn api_key(&self, payer: &str, kind: KeyKind) -> String {
        let secret = ApiSecret::generate().unwrap();
        self.server.ledger().create_key("test", payer, kind, secret.hash(), now_ms()).await.unwrap();
        secret.expose().to_owned()
    }

    pub(crate) async fn balance(&self, payer: &str) -> u64 {
        let payers = self.server.ledger().payers().await.unwrap();
        payers.iter().find(|one| one.name == payer).unwrap().balance.get()
    }

    /// Waits until a payer's balance is this; settlements of left requests come a moment later.
    pub(crate) async fn await_balance(&self, payer: &str, expected: u64) {
        eventually(&format!("balance of {payer} {expected}"), async || self.balance(payer).await == expected).await;
    }

    pub(crate) async fn post(&self, secret: &str, body: &Value) -> reqwest::Response {
        let request = self.http.post(self.url("/v1/chat/completions")).bearer_auth(secret).json(body);
        request.send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }

    pub(crate) async fn health(&self) -> Health {
        self.get("/healthz").await.json().await.unwrap()
    }

    /// A request signed by a hotkey.
    pub(crate) fn signed(&self, signer: &Keypair, method: Method, path: &str, body: &[u8]) -> reqwest::RequestBuilder {
        let parts = SignedParts { method, path_and_query: path, body, receiver: self.keypair.public() };
        let headers = sign_request(signer, parts, now_ms()).unwrap();
        let method = reqwest::Method::from_bytes(method.as_str().as_bytes()).unwrap();
        let request = self.http.request(method, self.url(path)).body(body.to_vec());
        headers.into_iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    /// A line of `/metrics`.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.text().await.unwrap();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    pub(crate) async fn miner_info(&self, who: &str) -> Option<clawrank_protocol::http::MinerInfo> {
        let miners: clawrank_protocol::http::Miners = self.get("/v1/miners").await.json().await.unwrap();
        miners.miners.into_iter().find(|miner| miner.hotkey.0 == key(who).public())
    }
}

/// Waits for something that other tasks are about to make true; fails after five seconds.
pub(crate) async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
    while !check().await {
        assert!(tokio::time::Instant::now() < deadline, "not within 5 s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn chat(model: &str, stream: bool) -> Value {
    json!({"model": model, "stream": stream, "max_tokens": 100, "messages": [{"role": "user", "content": "Say hello."}]})
}

/// Status and code of an error response.
pub(crate) async fn refusal(response: reqwest::Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let body: ErrorBody = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{status} {text}: {error}"));
    (status, body.error.code.unwrap_or_default(), body.error.message)
}

/// The `data:` lines of a stream.
pub(crate) fn events(text: &str) -> Vec<&str> {
    text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).collect()
}

/// The text of a stream's chunks.
pub(crate) fn streamed_text(text: &str) -> String {
    let piece = |event: &&str| {
        let value: Value = serde_json::from_str(event).ok()?;
        Some(value["choices"][0]["delta"]["content"].as_str()?.to_owned())
    };
    events(text).iter().filter_map(piece).collect()
}
