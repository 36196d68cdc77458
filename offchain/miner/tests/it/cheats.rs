// SPDX-License-Identifier: Apache-2.0
//! The emulator's cheating miners do what they are there to be caught for, and nothing else is wrong with them.

use std::{sync::Arc, time::Duration};

use clawrank_client::ChainPort;
use clawrank_emulator::cheats::{GhostConfig, copier, ghost, liar};
use clawrank_miner::measure::{self, Shelf};
use clawrank_primitives::{gate::check_faithfulness, proof::Keypair, units::Ppb};
use clawrank_protocol::frames::{GatewayFrame, MinerFrame};
use tokio_util::sync::CancellationToken;

use crate::{chain::FakeChain, gateway::StubGateway, measure::two_endpoints, serve::chat};

#[tokio::test]
async fn ghost_answers_pings_and_no_requests() {
    let gateway = StubGateway::start().await;
    let config = GhostConfig { gateway_url: gateway.url(), models: vec!["m".into()] };
    let cancel = CancellationToken::new();
    let miner = tokio::spawn(ghost(config, Keypair::dev("//Ghost").unwrap(), cancel.clone()));
    let mut connection = gateway.accept().await;
    connection.request(1, true, &chat(8)).await;
    connection.send(GatewayFrame::Ping { n: 5 }).await;
    assert!(matches!(connection.next().await, MinerFrame::Pong { n: 5 }));
    cancel.cancel();
    miner.await.unwrap().unwrap();
    assert!(connection.rest().await.is_empty());
}

#[tokio::test]
async fn liar_reports_half_of_its_latencies_in_a_bundle_that_agrees_with_itself() {
    let gateway = StubGateway::start().await;
    let mut setup = two_endpoints("latency = { ttft_median_ms = 60.0, tokens_per_second = 2000.0 }").await;
    setup.config.gateway_url = gateway.url();
    let cancel = CancellationToken::new();
    let chain: Arc<dyn ChainPort> = setup.chain.clone();
    let half = Ppb::from_percent(50);
    let miner = tokio::spawn(liar(setup.config.clone(), half, setup.keypair.clone(), chain, cancel.clone()));
    let bundle = gateway.bundle().await;
    bundle.verify().unwrap();
    check_faithfulness(&bundle).unwrap();
    let slow = bundle.cells.iter().find(|cell| cell.endpoint.as_str() == "b").unwrap().id();
    let told: Vec<u32> =
        bundle.attempts.iter().filter(|attempt| attempt.cell == slow).map(|attempt| attempt.ttft_ms).collect();
    assert!(told.iter().all(|millis| (30..55).contains(millis)), "{told:?}");
    let openings = Shelf::open(&setup.config.data_dir).unwrap().openings(&bundle.header.root, &[0, 9]).unwrap();
    let root = bundle.attempts_root().unwrap();
    assert_eq!(openings.len(), 2);
    for opening in openings {
        opening.verify(&root, bundle.header.count).unwrap();
    }
    cancel.cancel();
    miner.await.unwrap().unwrap();
}

#[tokio::test]
async fn copier_signs_the_attempts_of_its_victim() {
    let gateway = StubGateway::start().await;
    let mut setup = two_endpoints(crate::FAST).await;
    let thief = Keypair::dev("//Copier").unwrap();
    setup.chain = FakeChain::new(&[setup.keypair.public(), thief.public()], false);
    setup.config.gateway_url = gateway.url();
    let cancel = CancellationToken::new();
    let chain: Arc<dyn ChainPort> = setup.chain.clone();
    let own = measure::Config { data_dir: setup.folder.path().join("copier"), ..setup.config.clone() };
    let victim_dir = setup.config.data_dir.clone();
    let copying = copier(own, victim_dir, thief.clone(), Arc::clone(&chain), cancel.clone());
    let copying = tokio::spawn(copying);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let victim = measure::run(setup.config.clone(), setup.keypair.clone(), chain, cancel.clone());
    let victim = tokio::spawn(victim);
    let bundles = [gateway.bundle().await, gateway.bundle().await];
    let of = |keypair: &Keypair| bundles.iter().find(|bundle| bundle.hotkey == keypair.public()).unwrap();
    let (original, copy) = (of(&setup.keypair), of(&thief));
    copy.verify().unwrap();
    assert_ne!(original.header.root, copy.header.root);
    let hashes = |bundle: &clawrank_primitives::proof::Bundle| {
        bundle.attempts.iter().map(|attempt| attempt.response_hash).collect::<Vec<_>>()
    };
    assert_eq!(hashes(original), hashes(copy));
    assert_eq!(setup.emulator.control().requests("a") + setup.emulator.control().requests("b"), 20);
    cancel.cancel();
    copying.await.unwrap().unwrap();
    victim.await.unwrap().unwrap();
}
