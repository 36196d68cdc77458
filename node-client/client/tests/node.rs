// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

//! The client against the real node.
//!
//! The binary is looked for in `CLAWRANK_NODE_BIN`, else as `release/clawrank-node` in the folder of Cargo's builds. A
//! run without it says so and proves nothing. `CLAWRANK_UPGRADE_WASM` is the code of a runtime with a higher
//! `spec_version` than the node's own: with it, a chain replaces its runtime under a client that works.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clawrank_client::{
    Chain, ChainConfig, ChainPort, ClientError, ItemState, LinkState, check, storage_index,
    types::{Call, SubnetSnapshot},
};
use clawrank_proof::{Keypair, weights_commit_hash};
use serde_json::Value;
use subxt::rpcs::{RpcClient, rpc_params};
use tokio::time::timeout;

const NETUID: u16 = 92;
const TEMPO: u16 = 40;
const PATIENCE: Duration = Duration::from_secs(120);

fn binary() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    let path =
        std::env::var_os("CLAWRANK_NODE_BIN").map_or_else(|| target.join("release/clawrank-node"), PathBuf::from);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: no node at {}; build clawrank-node or set CLAWRANK_NODE_BIN", path.display());
    None
}

/// A node with one authority and 250 ms blocks. Killed on drop, and its data with it.
struct Node {
    binary: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    flags: &'static [&'static str],
    child: Option<Child>,
}

impl Node {
    fn start(binary: PathBuf) -> Self {
        Self::start_with(binary, &["--force-authoring"])
    }

    fn start_with(binary: PathBuf, flags: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spec = Command::new(&binary)
            .args([
                "chain-spec",
                "--preset",
                "fast",
                "--miners",
                "4",
                "--validators",
                "3",
                "--tempo",
                &TEMPO.to_string(),
            ])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(spec.status.success(), "the specification is built");
        std::fs::write(folder.path().join("spec.json"), spec.stdout).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut node = Self { binary, folder, port, flags, child: None };
        node.launch();
        node
    }

    fn launch(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let child = Command::new(&self.binary)
            .arg("--chain")
            .arg(self.folder.path().join("spec.json"))
            .arg("--base-path")
            .arg(self.folder.path().join("data"))
            .args(["--alice", "--validator", "--unsafe-force-node-key-generation"])
            .args(self.flags)
            .args(["--no-prometheus", "--no-telemetry", "--no-mdns", "--listen-addr", "/ip4/127.0.0.1/tcp/0"])
            .args(["--rpc-port", &self.port.to_string()])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    async fn connect(&self) -> Chain {
        let config = ChainConfig {
            start_timeout_ms: 60_000,
            stall_after_ms: 20_000,
            backoff_max_ms: 500,
            ..ChainConfig::at(format!("ws://127.0.0.1:{}", self.port))
        };
        match Chain::connect(&config).await {
            Ok(chain) => chain,
            Err(error) => panic!("{error}; log:\n{}", std::fs::read_to_string(self.folder.path().join("log")).unwrap()),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

fn key(path: &str) -> Keypair {
    Keypair::dev(path).unwrap()
}

/// Waits until the subnet is as wanted.
async fn until(chain: &Chain, what: &str, wanted: impl Fn(&SubnetSnapshot) -> bool) -> SubnetSnapshot {
    let mut heads = chain.heads();
    let found = timeout(PATIENCE, async {
        loop {
            if let Ok(subnet) = chain.subnet(NETUID).await
                && wanted(&subnet)
            {
                return subnet;
            }
            heads.changed().await.unwrap();
        }
    });
    found.await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// The epoch that a commit or reveal in the next block belongs to.
fn epoch(subnet: &SubnetSnapshot) -> u64 {
    let due = subnet.next_epoch_block().is_some_and(|block| block <= subnet.head.number);
    subnet.epoch_index + u64::from(due)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn validator_keeps_its_commit_when_the_node_is_killed_before_the_reveal() {
    let Some(binary) = binary() else { return };
    let mut node = Node::start(binary);
    let chain = node.connect().await;

    // Every item is there in the shape expected.
    let runtime = chain.runtime().unwrap();
    for status in check(&runtime) {
        assert!(!status.is_fatal(), "{status:?}");
        assert!(status.optional || status.state == ItemState::Ok, "{status:?}");
    }
    assert!(chain.has_provider_rank());
    assert_eq!(chain.block_time_ms(), 250);

    let subnet = chain.subnet(NETUID).await.unwrap();
    assert_eq!((subnet.tempo, subnet.neurons.len()), (TEMPO, 8));
    assert_eq!(subnet.owner_uid, Some(0));
    assert_eq!(subnet.neurons[0].hotkey, key("//owner").public());
    let (validator, miner) = (key("//validator//0"), key("//miner//0"));
    assert!(subnet.by_hotkey(&validator.public()).unwrap().stake_rao > 0);
    assert!(matches!(chain.subnet(77).await, Err(ClientError::UnknownSubnet { netuid: 77 })));

    // Registration, by the coldkey.
    let fresh = key("//fresh");
    assert!(chain.registration_cost_rao(NETUID).await.unwrap() > 0);
    assert!(chain.balance_rao(&key("//Alice").public()).await.unwrap() > 0);
    let done =
        chain.submit(&key("//Alice"), Call::BurnedRegister { netuid: NETUID, hotkey: fresh.public() }).await.unwrap();
    assert!(done.events.iter().any(|event| event.name == "NeuronRegistered"), "{done:?}");
    let subnet = until(&chain, "the registration", |subnet| subnet.by_hotkey(&fresh.public()).is_some()).await;
    assert_eq!(subnet.by_hotkey(&fresh.public()).unwrap().coldkey, key("//Alice").public());

    // A commitment, and a bundle root.
    chain.submit(&miner, Call::SetCommitment { netuid: NETUID, data: b"CRB1 of miner 0".to_vec() }).await.unwrap();
    let commitments = chain.commitments(NETUID).await.unwrap();
    assert!(commitments.iter().any(|one| one.hotkey == miner.public() && one.data == b"CRB1 of miner 0"));
    let subnet = until(&chain, "the start of an epoch", |subnet| {
        subnet.head.number.saturating_sub(subnet.last_epoch_block) < u64::from(TEMPO) / 4
    })
    .await;
    let bundle = Call::CommitBundle { netuid: NETUID, epoch: subnet.epoch_index, root: [6; 32], count: 10 };
    chain.submit(&miner, bundle).await.unwrap();
    let bundles = chain.bundle_commits(NETUID, subnet.epoch_index).await.unwrap();
    assert_eq!((bundles.len(), bundles[0].hotkey, bundles[0].root, bundles[0].count), (1, miner.public(), [6; 32], 10));

    // What is refused is named.
    let stranger = chain.submit(&key("//stranger"), Call::SetCommitment { netuid: NETUID, data: vec![1] }).await;
    assert!(matches!(&stranger, Err(ClientError::Pool { .. } | ClientError::Dispatch { .. })), "{stranger:?}");

    // Commit, then kill the node.
    let (uids, values, salt) = (vec![4u16, 5], vec![65_535u16, 30_000], vec![11u16, 12, 13, 14]);
    let index = storage_index(NETUID, 0).unwrap();
    let subnet = until(&chain, "the start of an epoch", |subnet| {
        subnet.head.number.saturating_sub(subnet.last_epoch_block) < u64::from(TEMPO) / 4
    })
    .await;
    let version_key = subnet.weights_version_key;
    let hash = weights_commit_hash(&validator.public(), index, &uids, &values, &salt, version_key);
    let done = chain.submit(&validator, Call::CommitWeights { netuid: NETUID, commit_hash: hash }).await.unwrap();
    let commits = chain.weight_commits(NETUID, 0, &validator.public()).await.unwrap();
    let commit = *commits.iter().find(|commit| commit.hash == hash).unwrap();
    assert_eq!(commit.block, done.block_number);

    let before = chain.heads().borrow().unwrap().number;
    node.kill();
    let mut status = chain.status();
    timeout(PATIENCE, status.wait_for(|status| status.state != LinkState::Live)).await.unwrap().unwrap();
    node.launch();
    timeout(PATIENCE, status.wait_for(|status| status.state == LinkState::Live)).await.unwrap().unwrap();
    let mut heads = chain.heads();
    timeout(PATIENCE, heads.wait_for(|head| head.is_some_and(|head| head.number > before))).await.unwrap().unwrap();
    assert!(chain.status().borrow().reconnects >= 1);

    // Reveal in its epoch.
    let opens = commit.epoch + subnet.reveal_period_epochs;
    let subnet = until(&chain, "the epoch of the reveal", |subnet| epoch(subnet) >= opens).await;
    assert_eq!(epoch(&subnet), opens, "the window has not passed");
    let reveal = Call::RevealWeights { netuid: NETUID, uids: uids.clone(), values: values.clone(), salt, version_key };
    let done = chain.submit(&validator, reveal).await.unwrap();
    assert!(done.events.iter().any(|event| event.name == "WeightsRevealed"), "{done:?}");
    let uid = subnet.by_hotkey(&validator.public()).unwrap().uid;
    let weights = chain.weights(NETUID, 0).await.unwrap();
    assert_eq!(weights, [(uid, uids.into_iter().zip(values).collect::<Vec<_>>())]);
    assert!(chain.weight_commits(NETUID, 0, &validator.public()).await.unwrap().is_empty());
    chain.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_submissions_succeed_when_two_clients_race_for_one_nonce() {
    let Some(binary) = binary() else { return };
    let node = Node::start(binary);
    let (first, second) = (node.connect().await, node.connect().await);
    let signer = key("//miner//1");
    for round in 0..3u8 {
        let call = |who: u8| Call::SetCommitment { netuid: NETUID, data: vec![b'r', round, who] };
        let (a, b) = tokio::join!(first.submit(&signer, call(1)), second.submit(&signer, call(2)));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_ne!(a.extrinsic, b.extrinsic);
    }
    assert_eq!(first.next_nonce(&signer.public()).await.unwrap(), 6);
}

/// Has the node make a block on `parent`, which leaves its finality alone; the block's hash.
async fn seal(rpc: &RpcClient, parent: &str) -> String {
    let made: Value = rpc.request("engine_createBlock", rpc_params![true, false, parent]).await.unwrap();
    made["hash"].as_str().unwrap().to_owned()
}

async fn extrinsics(rpc: &RpcClient, block: &str) -> usize {
    let block: Value = rpc.request("chain_getBlock", rpc_params![block]).await.unwrap();
    block["block"]["extrinsics"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submission_ends_in_the_final_block_when_the_one_that_had_it_first_is_left() {
    let Some(binary) = binary() else { return };
    let node = Node::start_with(binary, &["--sealing", "manual", "--no-beacon"]);
    let chain = Arc::new(node.connect().await);
    let rpc = RpcClient::from_insecure_url(format!("ws://127.0.0.1:{}", node.port)).await.unwrap();
    let genesis: String = rpc.request("chain_getBlockHash", rpc_params![0]).await.unwrap();
    let root = seal(&rpc, &genesis).await;
    let empty = extrinsics(&rpc, &root).await;
    let _: Value = rpc.request("engine_finalizeBlock", rpc_params![&root, Value::Null]).await.unwrap();

    let signer = key("//miner//1");
    let call = Call::SetCommitment { netuid: NETUID, data: b"on which branch".to_vec() };
    let submission = tokio::spawn({
        let (chain, signer) = (Arc::clone(&chain), signer.clone());
        async move { chain.submit(&signer, call).await }
    });
    let pending = timeout(PATIENCE, async {
        while !chain.has_pending(&signer.public()).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    pending.await.expect("the transaction reaches the pool");
    let left = seal(&rpc, &root).await;
    assert_eq!(extrinsics(&rpc, &left).await, empty + 1, "the first branch has the transaction");

    // Another branch from the same block becomes the longer one.
    let mut branch = vec![seal(&rpc, &root).await];
    while branch.len() < 4 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let next = seal(&rpc, branch.last().unwrap()).await;
        branch.push(next);
    }
    let best: String = rpc.request("chain_getBlockHash", rpc_params![]).await.unwrap();
    assert_eq!(Some(&best), branch.last());
    assert!(!branch.contains(&left) && !submission.is_finished(), "nothing is told before a block is final");
    let _: Value = rpc.request("engine_finalizeBlock", rpc_params![&best, Value::Null]).await.unwrap();

    let done = timeout(PATIENCE, submission).await.expect("the submission ends").unwrap().unwrap();
    let block = format!("0x{}", hex::encode(done.block));
    assert!(branch.contains(&block), "{block} is not in {branch:?}");
    assert_eq!(extrinsics(&rpc, &block).await, empty + 1);
    assert_eq!(chain.next_nonce(&signer.public()).await.unwrap(), 1, "it is there once");
}

#[cfg(feature = "substrate-api-client")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn second_client_reports_the_same_as_the_first_when_both_submit() {
    use clawrank_client::{SubmissionPort, api_client::ApiClient};

    let Some(binary) = binary() else { return };
    let node = Node::start(binary);
    let first = node.connect().await;
    let second = ApiClient::connect(&format!("ws://127.0.0.1:{}", node.port)).await.unwrap();
    let call = Call::SetCommitment { netuid: NETUID, data: b"the same".to_vec() };
    let a = first.submit_call(&key("//miner//0"), &call).await.unwrap();
    let b = second.submit_call(&key("//miner//1"), &call).await.unwrap();
    assert_eq!(a.events, b.events);
    let mut heads = first.heads();
    let known = heads.wait_for(|head| head.is_some_and(|head| head.number >= b.block_number));
    timeout(PATIENCE, known).await.unwrap().unwrap();
    assert_eq!(first.block(b.block_number).await.unwrap().map(|head| head.hash), Some(b.block));
    let stranger = key("//stranger");
    let (a, b) = (first.submit_call(&stranger, &call).await, second.submit_call(&stranger, &call).await);
    assert!(a.is_err() && b.is_err(), "{a:?} {b:?}");
}

/// Has a validator commit weights by timelock under the chain's version of them, which is `version`, and under no other.
async fn commit_timelocked(chain: &Chain, version: u16) {
    assert_eq!(chain.subnet(NETUID).await.unwrap().commit_reveal_version, version);
    let call = |version| Call::CommitTimelockedWeights {
        netuid: NETUID,
        mecid: 0,
        commit: vec![7; 64],
        reveal_round: 1 << 40,
        version,
    };
    let done = chain.submit(&key("//validator//0"), call(version)).await.unwrap();
    assert!(done.events.iter().any(|event| event.name == "TimelockedWeightsCommitted"), "{done:?}");
    let other = chain.submit(&key("//validator//0"), call(version - 1)).await;
    assert!(other.is_err(), "{other:?}");
}

/// More than the code of any runtime takes.
const MOST_CODE_BYTES: usize = 64 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_on_when_the_chain_replaces_its_runtime() {
    let Some(binary) = binary() else { return };
    let Some(wasm) = std::env::var_os("CLAWRANK_UPGRADE_WASM") else {
        eprintln!("SKIPPED: no later runtime; set CLAWRANK_UPGRADE_WASM");
        return;
    };
    let node = Node::start(binary);
    let chain = node.connect().await;
    let before = chain.runtime().unwrap().spec_version();
    let commitment = |data: &[u8]| Call::SetCommitment { netuid: NETUID, data: data.to_vec() };
    chain.submit(&key("//miner//0"), commitment(b"before")).await.unwrap();

    // A value that validators work with, and that the later runtime has in another type.
    let set = serde_json::json!({ "call": { "AdminUtils": { "sudo_set_commit_reveal_version": { "version": 5 } } } });
    chain.submit_json(&key("//Alice"), "Sudo.sudo", set).await.unwrap();
    commit_timelocked(&chain, 5).await;

    // Another key works all the while, so that some of its transactions are signed for the old runtime and too late.
    let (worker, stop) = (chain.clone(), Arc::new(AtomicBool::new(false)));
    let working = tokio::spawn({
        let stop = stop.clone();
        async move {
            let mut made = 0u32;
            while !stop.load(Ordering::Relaxed) {
                let data = made.to_le_bytes().to_vec();
                let call = Call::SetCommitment { netuid: NETUID, data };
                worker.submit(&key("//miner//1"), call).await.unwrap();
                made += 1;
            }
            made
        }
    });
    let code = sp_maybe_compressed_blob::compress_strongly(&std::fs::read(wasm).unwrap(), MOST_CODE_BYTES).unwrap();
    let code = format!("0x{}", hex::encode(code));
    let args = serde_json::json!({
        "call": { "System": { "set_code": { "code": code } } },
        "weight": { "ref_time": 0, "proof_size": 0 },
    });
    let done = chain.submit_json(&key("//Alice"), "Sudo.sudo_unchecked_weight", args).await.unwrap();
    assert!(done.events.iter().any(|event| event.name == "CodeUpdated"), "{done:?}");

    let mut status = chain.status();
    let after = timeout(PATIENCE, status.wait_for(|status| status.spec_version.is_some_and(|now| now > before)));
    assert!(after.await.unwrap().unwrap().unsupported.is_empty(), "the new runtime serves all that workers need");
    // Calls and a value have other types by now: they are encoded and decoded as the new metadata says.
    let items = check(&chain.runtime().unwrap());
    for (name, part) in [
        ("Commitments.set_commitment()", "netuid: u32"),
        ("SubtensorModule.CommitRevealWeightsVersion", "() -> u32"),
        ("SubtensorModule.commit_timelocked_mechanism_weights()", "commit_reveal_version: u32"),
    ] {
        let item = items.iter().find(|item| item.item == name).unwrap();
        let widened = |found: &str| found.contains(part);
        assert!(matches!(&item.state, ItemState::Changed { found, usable: true, .. } if widened(found)), "{item:?}");
    }
    commit_timelocked(&chain, 5).await;
    chain.submit(&key("//miner//0"), commitment(b"after")).await.unwrap();
    let commitments = chain.commitments(NETUID).await.unwrap();
    assert!(commitments.iter().any(|one| one.data == b"after"), "{commitments:?}");
    stop.store(true, Ordering::Relaxed);
    let made = timeout(PATIENCE, working).await.unwrap().unwrap();
    assert!(made >= 1, "the other key was at work");
    // A block from before is read by the runtime that made it.
    let old = chain.block(done.block_number).await.unwrap().unwrap();
    let subnet = chain.subnet_at(NETUID, old.hash).await.unwrap();
    assert_eq!((subnet.tempo, subnet.commit_reveal_version), (TEMPO, 5));
    assert!(chain.runtime().unwrap().spec_version() > before);
    chain.close().await;
}
