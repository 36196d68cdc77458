// SPDX-License-Identifier: Apache-2.0
//! Both miners with the gateway itself.

use std::{path::Path, sync::Arc, time::Duration};

use clawrank_client::ChainPort;
use clawrank_gateway::{Config, Server};
use clawrank_miner::{measure, now_ms, serve};
use clawrank_primitives::proof::{Bundle, Keypair, Method, Opening, SignedReceipt};
use clawrank_protocol::{
    Hotkey,
    http::{HEADER_MINER, Miners, OpenBody, Openings, ReceiptsPage},
    signed::{SignedParts, sign_request},
};
use clawrank_store::{
    Ledger,
    ledger::{ApiSecret, KeyKind},
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    FAST,
    chain::{FakeChain, NETUID},
    emulator,
    measure::two_endpoints,
    serve::{chat, keypair},
};

struct Gateway {
    server: Server,
    keypair: Keypair,
    http: reqwest::Client,
}

fn validator() -> Keypair {
    Keypair::dev("//Validator").unwrap()
}

impl Gateway {
    async fn start(folder: &Path, chain: Arc<FakeChain>) -> Self {
        let mut config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            netuid: NETUID,
            ledger_path: folder.join("gateway.db"),
            ..Config::default()
        };
        config.timing.snapshot_ms = 5;
        let keypair = Keypair::dev("//Gateway").unwrap();
        let chain: Arc<dyn ChainPort> = chain;
        let server = Server::start(config, keypair.clone(), chain, CancellationToken::new()).await.unwrap();
        Self { server, keypair, http: reqwest::Client::new() }
    }

    fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    async fn signed(&self, method: Method, route: &str, body: Vec<u8>) -> reqwest::Response {
        let receiver = self.keypair.public();
        let parts = SignedParts { method, path_and_query: route, body: &body, receiver };
        let verb = reqwest::Method::from_bytes(method.as_str().as_bytes()).unwrap();
        let mut request = self.http.request(verb, format!("{}{route}", self.url()));
        for (name, value) in sign_request(&validator(), parts, now_ms()).unwrap() {
            request = request.header(name, value);
        }
        request.header("content-type", "application/json").body(body).send().await.unwrap()
    }

    async fn until_connected(&self, hotkey: Hotkey) {
        for _ in 0..400 {
            let response = self.http.get(format!("{}/v1/miners", self.url())).send().await.unwrap();
            let response =
                if response.status() == 200 { response } else { self.signed(Method::Get, "/v1/miners", vec![]).await };
            let miners: Miners = response.json().await.unwrap();
            if miners.miners.iter().any(|miner| miner.hotkey == hotkey) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{hotkey} did not connect");
    }
}

#[tokio::test]
async fn customer_is_served_and_both_sides_keep_the_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let chain = FakeChain::new(&[validator().public(), keypair().public()], true);
    let (gateway, emulator) = (Gateway::start(folder.path(), chain).await, emulator(FAST).await);
    let config = serve::Config {
        gateway_url: gateway.url(),
        gateway_hotkey: Some(Hotkey(gateway.keypair.public())),
        backend_url: emulator.base_url("a"),
        models: vec![serde_json::from_value(serde_json::json!({ "id": "m" })).unwrap()],
        data_dir: folder.path().join("miner"),
        ..serve::Config::default()
    };
    let cancel = CancellationToken::new();
    let miner = tokio::spawn(serve::run(config, keypair(), cancel.clone()));
    gateway.until_connected(Hotkey(keypair().public())).await;
    let secret = ApiSecret::generate().unwrap();
    gateway.server.ledger().create_key("test", "acme", KeyKind::Free, secret.hash(), now_ms()).await.unwrap();
    for stream in [false, true] {
        let mut body = chat(24);
        body["stream"] = stream.into();
        let request = gateway.http.post(format!("{}/v1/chat/completions", gateway.url())).json(&body);
        let response = request.bearer_auth(secret.expose()).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[HEADER_MINER], Hotkey(keypair().public()).to_string().as_str());
        let text = response.text().await.unwrap();
        if stream {
            assert!(text.trim_end().ends_with("data: [DONE]"), "{text}");
        } else {
            let answer: Value = serde_json::from_str(&text).unwrap();
            assert!(!answer["choices"][0]["message"]["content"].as_str().unwrap().is_empty());
        }
    }
    let page: ReceiptsPage =
        gateway.signed(Method::Get, "/v1/receipts?since=0&limit=10", vec![]).await.json().await.unwrap();
    assert_eq!(page.receipts.len(), 2);
    for entry in &page.receipts {
        let receipt = SignedReceipt::decode_limited(&entry.receipt.0).unwrap();
        receipt.verify(&gateway.keypair.public(), |miner| *miner == keypair().public()).unwrap();
        assert!(receipt.receipt.claim.output_tokens > 0);
    }
    let copies = folder.path().join("miner").join("receipts.jsonl");
    for _ in 0..200 {
        if std::fs::read_to_string(&copies).is_ok_and(|text| text.lines().count() == 2) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(std::fs::read_to_string(&copies).unwrap().lines().count(), 2);
    cancel.cancel();
    miner.await.unwrap().unwrap();
}

#[tokio::test]
async fn bundle_is_stored_and_opened_through_the_gateway() {
    let mut setup = two_endpoints(FAST).await;
    setup.chain = FakeChain::new(&[validator().public(), setup.keypair.public()], true);
    let gateway = Gateway::start(setup.folder.path(), setup.chain.clone()).await;
    setup.config.gateway_url = gateway.url();
    setup.config.gateway_hotkey = Some(Hotkey(gateway.keypair.public()));
    let cancel = CancellationToken::new();
    let chain: Arc<dyn ChainPort> = setup.chain.clone();
    let miner = tokio::spawn(measure::run(setup.config.clone(), setup.keypair.clone(), chain, cancel.clone()));
    let root = loop {
        let commits = setup.chain.bundle_commits(NETUID, 5).await.unwrap();
        if let Some(commit) = commits.first() {
            break commit.root;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let (path, whose) = (format!("/v1/bundles/{}", hex::encode(root)), Hotkey(setup.keypair.public()));
    let route = format!("{path}?hotkey={whose}");
    let mut response = gateway.signed(Method::Get, &route, vec![]).await;
    for _ in 0..200 {
        if response.status() == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        response = gateway.signed(Method::Get, &route, vec![]).await;
    }
    let bundle = Bundle::decode_limited(&response.bytes().await.unwrap()).unwrap();
    bundle.verify().unwrap();
    assert_eq!((bundle.hotkey, bundle.header.root), (setup.keypair.public(), root));
    gateway.until_connected(Hotkey(setup.keypair.public())).await;
    let body = serde_json::to_vec(&OpenBody { leaves: vec![0, 3, 19] }).unwrap();
    let opened: Openings =
        gateway.signed(Method::Post, &format!("{path}/open?hotkey={whose}"), body).await.json().await.unwrap();
    assert_eq!(opened.openings.len(), 3);
    for leaf in opened.openings {
        let opening = Opening::try_from(leaf).unwrap();
        opening.verify(&bundle.attempts_root().unwrap(), bundle.header.count).unwrap();
    }
    cancel.cancel();
    miner.await.unwrap().unwrap();
}
