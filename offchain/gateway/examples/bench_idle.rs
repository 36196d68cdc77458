// SPDX-License-Identifier: Apache-2.0

//! Memory of an idle miner's connection: resident set before and after, the clients in a process of their own.
//!
//! `bench_idle [connections, default 5000]`. Both processes need as many open files: `ulimit -n 20000` first.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "../tests/gateway/miner.rs"]
mod miner;
#[path = "../tests/gateway/support.rs"]
mod support;

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::Duration,
};

use clawrank_protocol::frames::{GatewayFrame, MinerFrame, Role};
use clawrank_protocol::limits::MAX_GATEWAY_FRAME_BYTES;
use futures::{SinkExt, StreamExt};
use miner::{hello, offer};
use support::{Gateway, key};
use tokio_tungstenite::tungstenite::{Message, protocol::WebSocketConfig};

/// Hotkeys that the connections share, as many as a subnet has uids.
const HOTKEYS: usize = 256;

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The clients: connect, say so, answer pings until the input closes.
async fn clients(address: &str, connections: usize) {
    let keys: Vec<_> = (0..HOTKEYS).map(|index| key(&format!("m{index}"))).collect();
    for index in 0..connections {
        let config = WebSocketConfig::default().read_buffer_size(2_048).write_buffer_size(0);
        let url = format!("ws://{address}/v1/miner");
        let connected = tokio_tungstenite::connect_async_with_config(url, Some(config), true).await;
        let (mut socket, _) = connected.expect("a connection; raise `ulimit -n`");
        let challenge = miner::read_challenge_any(&mut socket).await;
        let keypair = &keys[index % HOTKEYS];
        let frame = MinerFrame::Hello(hello(keypair, &challenge, Role::Serve, vec![offer("llama")]));
        socket.send(Message::Text(frame.encode().into())).await.unwrap();
        tokio::spawn(async move {
            while let Some(Ok(message)) = socket.next().await {
                let Message::Text(text) = message else { continue };
                if let Ok(GatewayFrame::Ping { n }) = GatewayFrame::decode(&text, MAX_GATEWAY_FRAME_BYTES) {
                    let _ = socket.send(Message::Text(MinerFrame::Pong { n }.encode().into())).await;
                }
            }
        });
    }
    println!("connected");
    std::io::stdout().flush().unwrap();
    let wait = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    let _ = wait.await;
}

async fn server(connections: usize) {
    let names: Vec<String> = (0..HOTKEYS).map(|index| format!("m{index}")).collect();
    let gateway = Gateway::with_miners(&names, |config| {
        config.limits.max_connections = connections + 100;
        config.limits.max_connections_per_address = connections + 100;
        config.limits.max_miners_per_address = connections + 100;
        config.limits.max_sessions_per_hotkey = connections / HOTKEYS + 2;
        config.timing.snapshot_ms = 100;
    })
    .await;
    // Warm: the first connections pay for pools and tables.
    let before = resident_kb();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["clients", &gateway.server.address().to_string(), &connections.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = tokio::task::spawn_blocking(move || lines.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(line, "connected");
    while gateway.health().await.miners < u32::try_from(connections).unwrap() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = resident_kb();
    let connected = gateway.health().await.miners;
    let per_connection = after.saturating_sub(before) * 1_024 / u64::from(connected.max(1));
    println!(
        "{}",
        serde_json::json!({
            "bench": "gateway_idle_connection", "connections": connected, "rss_before_kb": before,
            "rss_after_kb": after, "bytes_per_connection": per_connection, "bound_bytes": 12_000,
        })
    );
    drop(child.stdin.take());
    let _ = child.wait();
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |index: usize| arguments.get(index).map_or(5_000, |text| text.parse().expect("a number"));
    match arguments.get(1).map(String::as_str) {
        Some("clients") => clients(&arguments[2], number(3)).await,
        _ => server(number(1)).await,
    }
}
