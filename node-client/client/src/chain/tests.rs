// SPDX-License-Identifier: Apache-2.0
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::panic
)]

mod fake;
mod reads;

use codec::{Compact, Decode};

use super::*;
use crate::{LinkState, PoolReason, testing};
use fake::{FakeChain, Reaction};

const PATIENCE: Duration = Duration::from_secs(20);

fn config(urls: &[&str]) -> ChainConfig {
    ChainConfig {
        endpoints: urls.iter().map(|url| (*url).to_owned()).collect(),
        start_timeout_ms: 10_000,
        request_timeout_ms: 2_000,
        backoff_min_ms: 20,
        backoff_max_ms: 50,
        ..ChainConfig::default()
    }
}

fn commit() -> Call {
    Call::CommitWeights { netuid: 92, commit_hash: [5; 32] }
}

fn alice() -> Keypair {
    Keypair::dev("//Alice").unwrap()
}

/// Makes blocks until `done` is.
async fn with_blocks<T>(chain: &FakeChain, done: impl Future<Output = T>) -> T {
    tokio::pin!(done);
    timeout(PATIENCE, async {
        loop {
            tokio::select! {
                value = &mut done => return value,
                () = tokio::time::sleep(Duration::from_millis(30)) => chain.advance(),
            }
        }
    })
    .await
    .expect("it ends in time")
}

/// Makes up to `blocks`, unhurried, until `count` transactions were handed over.
async fn handed_over(chain: &FakeChain, count: usize, blocks: u32) {
    for _ in 0..=blocks {
        for _ in 0..50 {
            if chain.state().submitted.len() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        chain.advance();
    }
    panic!("{} of {count} handed over", chain.state().submitted.len());
}

#[tokio::test]
async fn submission_is_final_when_a_block_has_it() {
    let Some(fake) = FakeChain::new("a") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    assert_eq!(chain.genesis_hash(), fake.genesis());
    assert_eq!((chain.block_time_ms(), chain.status().borrow().state), (250, LinkState::Live));
    let done = with_blocks(&fake, chain.submit(&alice(), commit())).await.unwrap();
    assert_eq!(done.events, [crate::types::ChainEvent { pallet: "System".into(), name: "ExtrinsicSuccess".into() }]);
    assert_eq!(chain.block(done.block_number).await.unwrap().unwrap().hash, done.block);
    assert_eq!(fake.state().submitted.len(), 1);
    assert_eq!(chain.block(1_000_000).await.unwrap(), None);
}

/// The block that a transaction's era starts at, modulo its 64 blocks.
fn birth(extrinsic: &[u8]) -> u16 {
    let mut body = extrinsic;
    Compact::<u32>::decode(&mut body).unwrap();
    // Behind version, address and signature.
    let era = u16::from_le_bytes([body[99], body[100]]);
    assert_eq!(era & 15, 5, "a period of 64 blocks");
    era >> 4
}

#[tokio::test]
async fn submission_is_built_anew_when_its_nonce_is_stale() {
    let Some(fake) = FakeChain::new("b") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    fake.state().reactions.extend([
        Reaction::Refuse(1010, "Transaction is outdated"),
        Reaction::Refuse(1014, "Priority is too low: (0 vs 0)"),
    ]);
    with_blocks(&fake, chain.submit(&alice(), commit())).await.unwrap();
    let submitted = fake.state().submitted.clone();
    assert_eq!(submitted.len(), 3);
    let births: std::collections::BTreeSet<u16> = submitted.iter().map(|bytes| birth(bytes)).collect();
    assert_eq!(births.len(), 3, "each has an era of its own");
}

#[tokio::test]
async fn submission_has_a_new_era_when_the_node_does_not_know_its_birth_block() {
    let Some(fake) = FakeChain::new("w") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&ChainConfig { max_attempts: 2, ..config(&[&url]) }).await.unwrap();
    let ancient = Reaction::Refuse(1010, "Transaction has an ancient birth block");
    fake.state().reactions.push_back(ancient.clone());
    with_blocks(&fake, chain.submit(&alice(), commit())).await.unwrap();
    let submitted = fake.state().submitted.clone();
    assert_eq!(submitted.len(), 2);
    assert_ne!(birth(&submitted[0]), birth(&submitted[1]));
    // A node that never gets to know it is named.
    fake.state().reactions.extend([ancient.clone(), ancient]);
    let error = with_blocks(&fake, chain.submit(&alice(), commit())).await.unwrap_err();
    assert!(matches!(&error, ClientError::Pool { code: 1010, reason: PoolReason::AncientBirthBlock, .. }), "{error}");
    assert!(error.is_retryable() && error.to_string().contains("block the era starts at is unknown"), "{error}");
    assert_eq!(fake.state().submitted.len(), 4);
}

#[tokio::test]
async fn submission_is_refused_at_once_when_the_pool_has_a_reason() {
    let Some(fake) = FakeChain::new("c") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    fake.state().reactions.push_back(Reaction::Refuse(1010, "Custom error: 10"));
    let error = chain.submit(&alice(), commit()).await.unwrap_err();
    let expected = PoolReason::Custom { code: 10, name: Some("HotKeyNotRegisteredInNetwork") };
    assert!(matches!(&error, ClientError::Pool { reason, .. } if *reason == expected), "{error}");
    assert_eq!(fake.state().submitted.len(), 1);
}

#[tokio::test]
async fn submission_is_found_when_the_connection_broke_after_it() {
    let Some(fake) = FakeChain::new("d") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    fake.state().reactions.push_back(Reaction::TakeAndBreak);
    let done = with_blocks(&fake, chain.submit(&alice(), commit())).await.unwrap();
    let state = fake.state();
    assert!(state.connections >= 2, "it reconnected");
    assert!(state.submitted.iter().all(|bytes| bytes == &state.submitted[0]), "the same bytes, never a second nonce");
    assert_eq!(clawrank_proof::blake2_256(&state.submitted[0]), done.extrinsic);
    drop(state);
    assert!(chain.status().borrow().reconnects >= 1);
}

#[tokio::test]
async fn submission_is_handed_over_again_when_the_pool_lost_it() {
    let Some(fake) = FakeChain::new("e") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    fake.state().reactions.push_back(Reaction::Lose);
    with_blocks(&fake, chain.submit(&alice(), commit())).await.unwrap();
    let submitted = fake.state().submitted.clone();
    assert!(submitted.len() >= 2 && submitted[0] == submitted[1]);
}

#[tokio::test]
async fn submission_expires_when_no_block_takes_it() {
    let Some(fake) = FakeChain::new("f") else { return };
    let (url, _stop) = fake.serve().await;
    let config = ChainConfig { era_blocks: 4, max_attempts: 2, ..config(&[&url]) };
    let chain = Chain::connect(&config).await.unwrap();
    fake.state().reactions.extend(std::iter::repeat_n(Reaction::Lose, 50));
    let error = with_blocks(&fake, chain.submit(&alice(), commit())).await.unwrap_err();
    assert!(matches!(error, ClientError::Expired { attempts: 2, .. }), "{error}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn submission_has_an_unknown_outcome_when_blocks_stop() {
    let Some(fake) = FakeChain::new("g") else { return };
    let (url, _stop) = fake.serve().await;
    let config = ChainConfig { stall_after_ms: 400, ..config(&[&url]) };
    let chain = Chain::connect(&config).await.unwrap();
    fake.advance();
    let error = timeout(PATIENCE, chain.submit(&alice(), commit())).await.unwrap().unwrap_err();
    assert!(matches!(error, ClientError::OutcomeUnknown { .. }), "{error}");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn submissions_of_one_key_are_in_order_when_they_come_together() {
    let Some(fake) = FakeChain::new("h") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    let signer = alice();
    let calls = (0..4).map(|mecid| {
        chain.submit(&signer, Call::CommitMechanismWeights { netuid: 92, mecid, commit_hash: [mecid; 32] })
    });
    let done = with_blocks(&fake, futures::future::try_join_all(calls)).await.unwrap();
    let numbers: Vec<u64> = done.iter().map(|done| done.block_number).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    assert_eq!(fake.state().submitted.len(), 4);
}

#[tokio::test]
async fn client_moves_to_the_next_endpoint_when_one_dies_or_falls_silent() {
    let Some(fake) = FakeChain::new("i") else { return };
    let (first, stop) = fake.serve().await;
    let (second, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&first, &second])).await.unwrap();
    let mut heads = chain.heads();
    stop.cancel();
    let before = heads.borrow_and_update().unwrap().number;
    with_blocks(&fake, async {
        while heads.borrow().unwrap().number < before + 5 {
            heads.changed().await.unwrap();
        }
    })
    .await;
    assert_eq!(format!("{}/", chain.status().borrow().endpoint), format!("{second}/"));
}

#[tokio::test]
async fn stall_is_reported_and_ends_when_blocks_come_again() {
    let Some(fake) = FakeChain::new("j") else { return };
    let (url, _stop) = fake.serve().await;
    let config = ChainConfig { stall_after_ms: 300, ..config(&[&url]) };
    let chain = Chain::connect(&config).await.unwrap();
    let mut status = chain.status();
    timeout(PATIENCE, status.wait_for(|status| status.state == LinkState::Stalled)).await.unwrap().unwrap();
    let error = chain.subnet(92).await.unwrap_err();
    assert!(matches!(error, ClientError::ChainStalled { last: 1, .. }), "{error}");
    with_blocks(&fake, status.wait_for(|status| status.state == LinkState::Live)).await.unwrap();
    assert!(fake.state().connections >= 2, "the connection was rebuilt");
    assert!(matches!(chain.subnet(92).await, Err(ClientError::UnknownSubnet { netuid: 92 })));
}

#[tokio::test]
async fn connection_is_given_up_when_requests_go_unanswered() {
    let Some(fake) = FakeChain::new("k") else { return };
    let (url, _stop) = fake.serve().await;
    let config = ChainConfig { request_timeout_ms: 200, ..config(&[&url]) };
    let chain = Chain::connect(&config).await.unwrap();
    fake.state().mute = true;
    let error = timeout(PATIENCE, chain.next_nonce(&[1; 32])).await.unwrap().unwrap_err();
    assert!(error.is_retryable(), "{error}");
    fake.state().mute = false;
    let nonce = async {
        loop {
            if let Ok(nonce) = chain.next_nonce(&[1; 32]).await {
                return nonce;
            }
        }
    };
    assert_eq!(timeout(PATIENCE, nonce).await.unwrap(), 7);
}

#[tokio::test]
async fn endpoint_is_refused_when_it_serves_another_chain() {
    let Some(fake) = FakeChain::new("l") else { return };
    let (url, _stop) = fake.serve().await;
    let config = ChainConfig { genesis: Some(hex::encode([9; 32])), start_timeout_ms: 500, ..config(&[&url]) };
    let error = Chain::connect(&config).await.unwrap_err();
    assert!(matches!(&error, ClientError::WrongChain { found, .. } if *found == fake.genesis()), "{error}");
    assert!(error.to_string().contains("serves chain") && !error.is_retryable(), "{error}");
}

#[tokio::test]
async fn endpoint_is_passed_over_when_its_genesis_is_not_the_firsts() {
    let (Some(fake), Some(other)) = (FakeChain::new("q"), FakeChain::new("another")) else { return };
    let (first, stop) = fake.serve().await;
    let (alien, _stop) = other.serve().await;
    let (third, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&first, &alien, &third])).await.unwrap();
    let before = chain.heads().borrow().unwrap().number;
    let mut status = chain.status();
    stop.cancel();
    let third = third.trim_end_matches('/').to_owned();
    let moved = status.wait_for(|status| status.endpoint == third && status.state == LinkState::Live);
    with_blocks(&fake, async {
        other.advance();
        moved.await.unwrap();
        chain.heads().wait_for(|head| head.unwrap().number > before + 2).await.unwrap();
    })
    .await;
    assert_eq!(chain.genesis_hash(), fake.genesis());
    let head = chain.heads().borrow().unwrap();
    assert_eq!(chain.block(head.number).await.unwrap().unwrap().hash, head.hash, "no head of the other chain");
    assert_eq!(other.state().connections, 1, "it is not asked again at once");
}

#[tokio::test]
async fn submission_is_handed_over_again_when_another_took_its_place() {
    let Some(fake) = FakeChain::new("r") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    let usurped = serde_json::json!({ "usurped": "0x01" });
    fake.state().reactions.push_back(Reaction::LoseSaying(usurped));
    let signer = alice();
    let mut done = std::pin::pin!(chain.submit(&signer, commit()));
    tokio::select! {
        early = &mut done => panic!("{early:?}"),
        // Sooner than a transaction of which nothing is known.
        () = handed_over(&fake, 2, 7) => {}
    }
    with_blocks(&fake, done).await.unwrap();
    let state = fake.state();
    assert!(state.submitted.iter().all(|bytes| bytes == &state.submitted[0]), "the same bytes, never a second nonce");
}

#[tokio::test]
async fn submission_is_built_anew_when_the_dropped_one_lost_its_nonce() {
    let Some(fake) = FakeChain::new("s") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    fake.state()
        .reactions
        .extend([Reaction::LoseSaying("dropped".into()), Reaction::Refuse(1010, "Transaction is outdated")]);
    with_blocks(&fake, chain.submit(&alice(), commit())).await.unwrap();
    let submitted = fake.state().submitted.clone();
    assert_eq!(submitted.len(), 3);
    assert_eq!(submitted[0], submitted[1]);
    assert_ne!(submitted[1], submitted[2]);
}

#[tokio::test]
async fn submission_is_final_when_the_node_watches_no_transactions() {
    let Some(fake) = FakeChain::new("t") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    fake.state().watchless = true;
    with_blocks(&fake, chain.submit(&alice(), commit())).await.unwrap();
    assert_eq!(fake.state().requests["author_submitExtrinsic"], 1);
}

#[tokio::test]
async fn call_is_refused_by_name_when_the_upgraded_runtime_takes_it_otherwise() {
    let Some(fake) = FakeChain::new("u") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    assert!(chain.status().borrow().unsupported.is_empty());
    let upgraded = testing::mutate(&fake.state().metadata, |metadata| {
        let ty = testing::u16_type(metadata);
        let fields = testing::call_fields(metadata, "SubtensorModule", "commit_mechanism_weights");
        fields.push(testing::field("priority", ty));
    });
    fake.state().metadata = upgraded;
    fake.state().spec_version = 2;
    let mut status = chain.status();
    with_blocks(&fake, status.wait_for(|status| status.spec_version == Some(2))).await.unwrap();
    let item = "SubtensorModule.commit_mechanism_weights";
    assert_eq!(chain.status().borrow().unsupported, [format!("{item}()")]);
    let changed = Call::CommitMechanismWeights { netuid: 92, mecid: 1, commit_hash: [5; 32] };
    let error = with_blocks(&fake, chain.submit(&alice(), changed)).await.unwrap_err();
    assert!(
        matches!(&error, ClientError::UnsupportedRuntime { item: found, spec_version: 2, why } if found == item && why.contains("priority: u16")),
        "{error}"
    );
    assert!(fake.state().submitted.is_empty(), "nothing was sent");
    with_blocks(&fake, chain.submit(&alice(), commit())).await.unwrap();
}

#[tokio::test]
async fn submission_is_signed_anew_when_the_runtime_is_upgraded_under_it() {
    let Some(fake) = FakeChain::new("v") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    fake.state().reactions.push_back(Reaction::Lose);
    let signer = alice();
    let mut done = std::pin::pin!(chain.submit(&signer, commit()));
    tokio::select! {
        early = &mut done => panic!("{early:?}"),
        () = async {
            handed_over(&fake, 1, 1).await;
            fake.state().spec_version = 2;
            // Sooner than the end of its era, and than it would be handed over again.
            handed_over(&fake, 2, 7).await;
        } => {}
    }
    let done = with_blocks(&fake, done).await.unwrap();
    let submitted = fake.state().submitted.clone();
    assert_ne!(submitted[0], submitted[1]);
    assert_eq!(clawrank_proof::blake2_256(&submitted[1]), done.extrinsic);
}

#[tokio::test]
async fn runtime_is_followed_when_it_is_upgraded() {
    let Some(fake) = FakeChain::new("m") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    assert_eq!(chain.runtime().unwrap().spec_version(), 1);
    fake.state().spec_version = 2;
    let mut status = chain.status();
    with_blocks(&fake, status.wait_for(|status| status.spec_version == Some(2))).await.unwrap();
    assert_eq!(chain.runtime().unwrap().spec_version(), 2);
    with_blocks(&fake, chain.submit(&alice(), commit())).await.unwrap();
}

#[tokio::test]
async fn closed_client_refuses_when_asked() {
    let Some(fake) = FakeChain::new("n") else { return };
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    chain.close().await;
    assert!(matches!(chain.subnet(92).await, Err(ClientError::Closed)));
    assert!(matches!(chain.next_nonce(&[1; 32]).await, Err(ClientError::Closed)));
    assert_eq!(chain.status().borrow().state, LinkState::Closed);
}
