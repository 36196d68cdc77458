// SPDX-License-Identifier: Apache-2.0

//! Whom limits hold for when proxies stand in front of the gateway.

use tokio_tungstenite::tungstenite::{Error, client::IntoClientRequest};

use crate::{
    miner::{Socket, read_challenge},
    support::{Gateway, chat, refusal},
};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Asks with a wrong key and this header; returns the status.
async fn guess(gateway: &Gateway, forwarded_for: &str) -> u16 {
    let request = gateway.http.post(gateway.url("/v1/chat/completions")).bearer_auth("sk-guess");
    let request = request.header(FORWARDED_FOR, forwarded_for).json(&chat("llama", false));
    refusal(request.send().await.unwrap()).await.0
}

/// A miner's connection with this header, or the status of its refusal.
async fn connect(gateway: &Gateway, forwarded_for: &str) -> Result<Socket, u16> {
    let mut request = format!("ws://{}/v1/miner", gateway.server.address()).into_client_request().unwrap();
    request.headers_mut().insert(FORWARDED_FOR, forwarded_for.parse().unwrap());
    match tokio_tungstenite::connect_async(request).await {
        Ok((mut socket, _)) => {
            read_challenge(&mut socket).await;
            Ok(socket)
        }
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn forwarded_address_is_ignored_when_the_peer_is_no_trusted_proxy() {
    let gateway = Gateway::with(|config| {
        config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        config.limits.refusals_per_minute = 1;
        config.limits.max_miners_per_address = 1;
    })
    .await;
    assert_eq!(guess(&gateway, "198.51.100.1").await, 401);
    assert_eq!(guess(&gateway, "198.51.100.2").await, 429);
    let _held = connect(&gateway, "198.51.100.3").await.unwrap();
    assert_eq!(connect(&gateway, "198.51.100.4").await.unwrap_err(), 429);
}

#[tokio::test]
async fn clients_are_counted_one_by_one_when_they_come_through_a_trusted_proxy() {
    let gateway = Gateway::with(|config| {
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        config.limits.refusals_per_minute = 1;
        config.limits.max_miners_per_address = 1;
        // The proxy itself has as many connections as its clients need.
        config.limits.max_connections_per_address = 1;
    })
    .await;
    assert_eq!(guess(&gateway, "198.51.100.1").await, 401);
    assert_eq!(guess(&gateway, "198.51.100.2").await, 401);
    assert_eq!(guess(&gateway, "198.51.100.1").await, 429);
    // What a client writes itself stands to the left of what the proxy adds.
    assert_eq!(guess(&gateway, "192.0.2.1, 198.51.100.1").await, 429);
    let _first = connect(&gateway, "198.51.100.3").await.unwrap();
    let _second = connect(&gateway, "198.51.100.4").await.unwrap();
    assert_eq!(connect(&gateway, "192.0.2.1, 198.51.100.3").await.unwrap_err(), 429);
}
