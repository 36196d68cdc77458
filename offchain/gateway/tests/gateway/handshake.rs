// SPDX-License-Identifier: Apache-2.0

use clawrank_protocol::{
    Hex, Hotkey,
    frames::{GatewayFrame, Hello, MinerFrame, ModelOffer, RefusalCode, Role},
};
use futures::SinkExt;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    hostile::ask,
    miner::{Miner, hello, offer, open_socket, read_challenge, read_frame, send_frame},
    support::{GENESIS, Gateway, NETUID, eventually, key, streamed_text},
};

async fn refused_with(gateway: &Gateway, name: &str, models: Vec<ModelOffer>) -> (RefusalCode, String) {
    match Miner::try_connect(gateway, key(name), Role::Serve, models).await {
        Err(refused) => (refused.code, refused.message),
        Ok(_) => panic!("{name} was let in"),
    }
}

/// Sends this instead of a right `hello`.
async fn refused_after(gateway: &Gateway, change: impl FnOnce(&mut Hello)) -> (RefusalCode, String) {
    let mut socket = open_socket(gateway).await;
    let challenge = read_challenge(&mut socket).await;
    let mut hello = hello(&key("Bob"), &challenge, Role::Serve, vec![offer("llama")]);
    change(&mut hello);
    send_frame(&mut socket, &MinerFrame::Hello(hello)).await;
    match read_frame(&mut socket).await {
        Some(GatewayFrame::Refused(refused)) => (refused.code, refused.message),
        other => panic!("{other:?}"),
    }
}

/// A `hello` that is changed so is refused for its signature, and the miner is told that.
async fn check_bad_signature(gateway: &Gateway, change: impl FnOnce(&mut Hello)) {
    let (code, message) = refused_after(gateway, change).await;
    assert_eq!(code, RefusalCode::BadSignature, "{message}");
    assert!(message.contains("hello: signature does not verify"), "{message}");
}

#[tokio::test]
async fn challenge_names_chain_subnet_and_gateway_when_a_miner_connects() {
    let gateway = Gateway::start().await;
    let challenge = read_challenge(&mut open_socket(&gateway).await).await;
    assert_eq!((challenge.genesis, challenge.netuid), (Hex(GENESIS), NETUID));
    assert_eq!(challenge.gateway.0, gateway.keypair.public());
    let other = read_challenge(&mut open_socket(&gateway).await).await;
    assert_ne!(challenge.nonce, other.nonce);
}

#[tokio::test]
async fn miner_is_refused_when_not_registered() {
    let gateway = Gateway::start().await;
    let (code, message) = refused_with(&gateway, "Mallory", vec![offer("llama")]).await;
    assert_eq!(code, RefusalCode::Unregistered);
    assert!(message.contains("subnet 92"), "{message}");
}

#[tokio::test]
async fn miner_is_refused_when_its_hello_is_changed_or_replayed() {
    let gateway = Gateway::start().await;
    check_bad_signature(&gateway, |hello| hello.signature.0[5] ^= 1).await;
    check_bad_signature(&gateway, |hello| hello.agent.push('x')).await;
    check_bad_signature(&gateway, |hello| hello.models[0].id.push('x')).await;
    let (code, message) = refused_after(&gateway, |hello| hello.version = 2).await;
    assert_eq!(code, RefusalCode::Version);
    assert!(message.contains("version 2"), "{message}");
    // A hello for another connection's challenge.
    let mut first = open_socket(&gateway).await;
    let challenge = read_challenge(&mut first).await;
    let captured = hello(&key("Bob"), &challenge, Role::Serve, vec![offer("llama")]);
    check_bad_signature(&gateway, |hello| *hello = captured).await;
}

#[tokio::test]
async fn honest_miner_goes_on_serving_when_wrong_signatures_are_refused() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 10_000).await;
    let mut carol = Miner::connect(&gateway, "Carol", "llama").await;
    let stream = ask(&gateway, &secret, true);
    let streamed = carol.request().await;
    for (seq, piece) in (0..).zip(["Un", "harm", "ed."]) {
        carol.chunk(streamed.id, seq, piece).await;
        check_bad_signature(&gateway, |hello| hello.signature.0[5] ^= 1).await;
        // Bob's signature under Carol's name.
        check_bad_signature(&gateway, |hello| hello.hotkey = Hotkey(key("Carol").public())).await;
        let call = ask(&gateway, &secret, false);
        let request = carol.request().await;
        carol.serve(&request, &["Hi."]).await;
        assert!(call.await.unwrap().text().await.unwrap().contains("Hi."));
    }
    let claim = carol.claim(&streamed, "Unharmed.");
    carol.done(&claim).await;
    assert_eq!(streamed_text(&stream.await.unwrap().text().await.unwrap()), "Unharmed.");
    assert_eq!(gateway.miner_info("Carol").await.unwrap().health_ppm, 1_000_000);
    assert!(gateway.miner_info("Bob").await.is_none());
}

#[tokio::test]
async fn miner_is_refused_when_it_offers_too_much_or_twice_the_same() {
    let gateway = Gateway::with(|config| config.limits.max_models = 2).await;
    let three = ["a", "b", "c"].map(offer).to_vec();
    assert_eq!(refused_with(&gateway, "Bob", three).await.0, RefusalCode::TooManyModels);
    let (code, message) = refused_with(&gateway, "Bob", ["a", "A"].map(offer).to_vec()).await;
    assert_eq!(code, RefusalCode::BadFrame);
    assert!(message.contains("twice"), "{message}");
}

#[tokio::test]
async fn miner_is_refused_when_it_speaks_something_else_or_nothing() {
    let gateway = Gateway::start().await;
    for (message, code) in [
        (Message::Text("hello".into()), RefusalCode::BadFrame),
        (Message::Text(MinerFrame::Bye {}.encode().into()), RefusalCode::BadFrame),
        (Message::Binary(vec![1, 2, 3].into()), RefusalCode::BadFrame),
        (Message::Text("x".repeat(1_100_000).into()), RefusalCode::FrameTooLarge),
    ] {
        let mut socket = open_socket(&gateway).await;
        read_challenge(&mut socket).await;
        socket.send(message).await.unwrap();
        match read_frame(&mut socket).await {
            Some(GatewayFrame::Refused(refused)) => assert_eq!(refused.code, code),
            other => panic!("{other:?}"),
        }
    }
    let mut silent = open_socket(&gateway).await;
    read_challenge(&mut silent).await;
    match read_frame(&mut silent).await {
        Some(GatewayFrame::Refused(refused)) => assert_eq!(refused.code, RefusalCode::AuthTimeout),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn connection_is_refused_when_hotkey_or_address_has_too_many() {
    let gateway = Gateway::with(|config| {
        config.limits.max_sessions_per_hotkey = 1;
        config.limits.max_miners_per_address = 2;
    })
    .await;
    let bob = Miner::connect(&gateway, "Bob", "llama").await;
    assert_eq!(refused_with(&gateway, "Bob", vec![offer("llama")]).await.0, RefusalCode::Quota);
    eventually("the refused connection is gone", async || {
        let _carol = Miner::try_connect(&gateway, key("Carol"), Role::Measure, vec![]).await;
        let url = format!("ws://{}/v1/miner", gateway.server.address());
        matches!(
            tokio_tungstenite::connect_async(url).await,
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) if response.status() == 429
        )
    })
    .await;
    drop(bob);
    eventually("the place is free again", async || {
        Miner::try_connect(&gateway, key("Bob"), Role::Serve, vec![offer("llama")]).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn miner_is_dropped_when_its_hotkey_leaves_the_subnet() {
    let gateway = Gateway::start().await;
    let mut bob = Miner::connect(&gateway, "Bob", "llama").await;
    let _carol = Miner::connect(&gateway, "Carol", "llama").await;
    gateway.chain.remove(&key("Bob").public());
    match bob.next().await {
        Some(GatewayFrame::Refused(refused)) => assert_eq!(refused.code, RefusalCode::Unregistered),
        other => panic!("{other:?}"),
    }
    eventually("only Bob is gone", async || {
        gateway.miner_info("Bob").await.is_none() && gateway.miner_info("Carol").await.is_some()
    })
    .await;
}
