// SPDX-License-Identifier: Apache-2.0
//! The intel miner on a real chain whose node dies, or whose blocks stop being final, in the middle of an epoch.

use std::{sync::Arc, time::Duration};

use clawrank_client::{Chain, ChainConfig, ChainPort, LinkState, types::SubnetSnapshot};
use clawrank_miner::{
    measure::{AttemptLog, EpochFolder, EpochPlan},
    now_ms,
};
use clawrank_primitives::proof::{Commitment, Keypair};
use tokio::time::{sleep, timeout};

use crate::{
    FAST,
    chain::NETUID,
    gateway::StubGateway,
    measure::{Run, check, open, two_endpoints, verify},
    node::{Node, free_port, program, specification},
};

const PATIENCE: Duration = Duration::from_secs(120);

/// 40 s; the root has to be on chain after 24 s.
const TEMPO: u16 = 80;

/// Part of the tempo in which is measured: 10 s.
const MEASURE_PERCENT: u8 = 25;

async fn connect(node: &Node) -> Arc<Chain> {
    let config = ChainConfig {
        start_timeout_ms: 90_000,
        stall_after_ms: 3_000,
        backoff_max_ms: 500,
        ..ChainConfig::at(node.url())
    };
    match Chain::connect(&config).await {
        Ok(chain) => Arc::new(chain),
        Err(error) => panic!("{error}; log:\n{}", node.log()),
    }
}

async fn until(what: &str, chain: &Chain, is_so: impl Fn(&SubnetSnapshot) -> bool) {
    let waiting = async {
        while !chain.subnet(NETUID).await.is_ok_and(|subnet| is_so(&subnet)) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("waited in vain for {what}"));
}

/// Runs a miner over an epoch in which the chain fails from the first attempts until after the last.
async fn survive(chain: Arc<Chain>, mut fail: impl FnMut(), mut repair: impl FnMut()) {
    let mut setup = two_endpoints(FAST).await;
    setup.keypair = Keypair::dev("//miner//0").unwrap();
    setup.config.spread = true;
    setup.config.measure_until_percent = MEASURE_PERCENT;
    let run = Run::at(StubGateway::of(chain.genesis_hash(), 64).await, setup);
    until("the begin of an epoch", &chain, |subnet| {
        (1..4).contains(&subnet.head.number.saturating_sub(subnet.last_epoch_block))
    })
    .await;
    let plan = EpochPlan::read(chain.as_ref(), &run.setup.config).await.unwrap().unwrap();
    let log = EpochFolder::path_of(&run.setup.config.data_dir, &plan).join("attempts.log");
    let on_disk = || AttemptLog::read(&log).map_or(0, |records| records.len());
    let (cancel, miner) = run.start_on(chain.clone());
    let mut connection = run.gateway.accept().await;
    let waiting = async {
        while on_disk() < 4 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("attempts are made");

    fail();
    let before = on_disk();
    let mut status = chain.status();
    timeout(PATIENCE, status.wait_for(|status| status.state != LinkState::Live)).await.unwrap().unwrap();
    chain.subnet(NETUID).await.expect_err("the chain cannot be read");
    sleep(Duration::from_millis((plan.measure_end_ms + 2_000).saturating_sub(now_ms()))).await;
    assert!(before < 20 && on_disk() == 20, "measuring goes on without a chain: {before}, then {}", on_disk());
    assert!(run.gateway.bundle_if_any().await.is_none() && !miner.is_finished());
    repair();

    let bundle = run.gateway.bundle().await;
    check(&bundle, &plan);
    assert_eq!((bundle.header.epoch, bundle.header.count, run.setup.requests()), (plan.epoch, 20, 20));
    let own = run.setup.keypair.public();
    let commits = chain.bundle_commits(NETUID, plan.epoch).await.unwrap();
    assert_eq!(commits.len(), 1);
    assert_eq!((commits[0].hotkey, commits[0].root), (own, bundle.header.root));
    assert!(commits[0].block <= plan.deadline_block, "{} is after {}", commits[0].block, plan.deadline_block);
    let data = Commitment::from(&bundle.header).to_bytes().to_vec();
    let known = chain.commitments(NETUID).await.unwrap();
    assert!(known.iter().any(|found| found.hotkey == own && found.data == data));
    assert_eq!(chain.next_nonce(&own).await.unwrap(), 2, "each is sent once");
    verify(&open(&mut connection, &bundle, &[0, 7, 19]).await, &bundle);
    cancel.cancel();
    miner.await.unwrap().unwrap();
    chain.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bundle_is_committed_uploaded_and_opened_when_the_node_was_killed_in_the_epoch() {
    let Some(program) = program() else { return };
    let folder = tempfile::tempdir().unwrap();
    let spec = specification(&program, &folder, 1, TEMPO);
    let node = Node::start(&program, &spec, &["--alice"]);
    let chain = connect(&node).await;
    let node = std::cell::RefCell::new(node);
    survive(chain, || node.borrow_mut().kill(), || node.borrow_mut().launch()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bundle_is_committed_uploaded_and_opened_when_blocks_were_not_final_for_a_while() {
    let Some(program) = program() else { return };
    let folder = tempfile::tempdir().unwrap();
    let spec = specification(&program, &folder, 2, TEMPO);
    let port = free_port();
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    let key = "01".repeat(32);
    let first = Node::start(&program, &spec, &["--alice", "--listen-addr", &address, "--node-key", &key]);
    let chain = connect(&first).await;
    let boot = format!("{address}/p2p/{}", peer_id(&first).await);
    let second =
        Node::start(&program, &spec, &["--bob", "--listen-addr", "/ip4/127.0.0.1/tcp/0", "--bootnodes", &boot]);
    // Two of two authorities are needed for a final block, one for a block.
    survive(chain, || second.freeze(), || second.thaw()).await;
}

async fn peer_id(node: &Node) -> String {
    let url = node.url().replace("ws://", "http://");
    let body = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": "system_localPeerId", "params": [] });
    let answer: serde_json::Value =
        reqwest::Client::new().post(url).json(&body).send().await.unwrap().json().await.unwrap();
    answer["result"].as_str().unwrap().to_owned()
}
