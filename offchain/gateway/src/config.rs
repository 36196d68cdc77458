// SPDX-License-Identifier: Apache-2.0

//! Settings of the gateway. Every field has a default; unknown fields are refused.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

use clawrank_protocol::limits;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address to serve on; port 0 lets the system choose. Default `127.0.0.1:8092`.
    pub listen: SocketAddr,
    /// Proxies in front of the gateway, as addresses or CIDR networks, e.g. `["127.0.0.1", "10.0.0.0/8"]`. A request that
    /// comes from one of them counts for the rightmost address of its `X-Forwarded-For` that is not one of them; the
    /// header of everybody else is ignored. Default none.
    pub trusted_proxies: Vec<Network>,
    /// Subnet. Default 92.
    pub netuid: u16,
    /// The ledger's file. Default `gateway.db`.
    pub ledger_path: PathBuf,
    /// Largest size of the ledger, in pages of 4,096 bytes; none leaves it to the disk.
    pub ledger_max_pages: Option<u32>,
    /// Catalogue of endpoints; none for miners only.
    pub catalogue_path: Option<PathBuf>,
    /// Price table; none makes every request free.
    pub prices_path: Option<PathBuf>,
    /// Whether endpoints of the catalogue also serve models that miners offer, after all miners. Default true.
    pub endpoints_fallback: bool,
    /// Whether a request goes out while its row is still on the way to the disk. The customer sees nothing before the
    /// row is on disk either way, and waits for one write less. Default true.
    pub early_dispatch: bool,
    /// Sizes and counts.
    pub limits: Limits,
    /// Deadlines and intervals.
    pub timing: Timing,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8092)),
            trusted_proxies: Vec::new(),
            netuid: 92,
            ledger_path: PathBuf::from("gateway.db"),
            ledger_max_pages: None,
            catalogue_path: None,
            prices_path: None,
            endpoints_fallback: true,
            early_dispatch: true,
            limits: Limits::default(),
            timing: Timing::default(),
        }
    }
}

/// An address or a CIDR network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Network(IpNet);

impl Network {
    /// Whether it has this address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network
            .map(|network| Self(network.trunc()))
            .map_err(|_| format!("`{text}` is neither an address nor a network such as 10.0.0.0/8"))
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Sizes and counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest body of a request, bytes. Default 4 MiB.
    pub max_body_bytes: usize,
    /// Largest frame of a miner, bytes. Default 1 MiB.
    pub max_frame_bytes: usize,
    /// Connections of all kinds at the same time. Default 16,384.
    pub max_connections: usize,
    /// Connections of one address; trusted proxies have no such limit. Default 4,096.
    pub max_connections_per_address: usize,
    /// Miners' connections of one address. Default 256.
    pub max_miners_per_address: usize,
    /// Connections of one hotkey. Default 4.
    pub max_sessions_per_hotkey: usize,
    /// Models of one miner. Default 64.
    pub max_models: usize,
    /// Requests in flight on one miner's connection. Default 64.
    pub max_in_flight_per_miner: u32,
    /// Requests in flight on one endpoint. Default 256.
    pub max_in_flight_per_endpoint: u32,
    /// Requests a minute of one API key or hotkey. Default 6,000.
    pub requests_per_minute: u32,
    /// Refused credentials a minute of one address. Above it what is refused is answered with 429, and what might be
    /// refused is checked one after the other; what is valid is still served. Default 60.
    pub refusals_per_minute: u32,
    /// `max_tokens` of a request that names none. Default 1,024.
    pub default_max_tokens: u32,
    /// Attempts of one request. Default 4.
    pub max_attempts: u32,
    /// Bundles kept of one hotkey. Default 8.
    pub bundles_per_hotkey: u32,
    /// Bundle uploads at the same time. Default 4.
    pub max_uploads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: limits::MAX_BODY_BYTES,
            max_frame_bytes: limits::MAX_MINER_FRAME_BYTES,
            max_connections: 16_384,
            max_connections_per_address: 4_096,
            max_miners_per_address: 256,
            max_sessions_per_hotkey: 4,
            max_models: limits::MAX_MODELS,
            max_in_flight_per_miner: 64,
            max_in_flight_per_endpoint: 256,
            requests_per_minute: 6_000,
            refusals_per_minute: 60,
            default_max_tokens: 1_024,
            max_attempts: 4,
            bundles_per_hotkey: 8,
            max_uploads: 4,
        }
    }
}

/// Deadlines and intervals, all in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// The whole request, all attempts together. Default 120,000.
    pub request_deadline_ms: u64,
    /// One attempt until its first text, after which the next candidate is tried. Default 15,000.
    pub first_byte_ms: u64,
    /// Added to the above for each token asked for, where the answer comes in one piece. Default 100: a backend slower
    /// than 10 tokens per second loses such requests.
    pub slow_token_ms: u64,
    /// A validator's probe. Default 8,000 (rules §1.2).
    pub probe_deadline_ms: u64,
    /// The head of an HTTP request. Default 10,000.
    pub header_read_ms: u64,
    /// The body of an HTTP request. Default 30,000.
    pub body_read_ms: u64,
    /// A customer that does not read. Default 30,000.
    pub client_stall_ms: u64,
    /// A miner's `hello`. Default 5,000.
    pub auth_deadline_ms: u64,
    /// Between two pings of a miner. Default 30,000.
    pub ping_interval_ms: u64,
    /// A write to a miner that hangs. Default 10,000.
    pub stuck_ms: u64,
    /// A miner's last words on a request that the customer left. Default 2,000.
    pub cancel_grace_ms: u64,
    /// A miner's answer to `open`. Default 10,000.
    pub open_deadline_ms: u64,
    /// Shortest time between two routing tables. Default 5.
    pub snapshot_ms: u64,
    /// Shortest time between two reads of the subnet. Default 3,000.
    pub registry_ms: u64,
    /// Age of the newest finalised block above which the gateway calls itself degraded. Default 120,000.
    pub chain_stall_ms: u64,
    /// Window of `/v1/demand`. Default 24 hours.
    pub demand_window_ms: u64,
    /// How long a validator's cell table is routed by. Default 3 hours: more than two epochs of 360 blocks.
    pub cells_keep_ms: u64,
    /// How long ended requests, receipts and bundles are kept. Default 14 days.
    pub keep_ms: u64,
    /// How long requests in flight may go on after the gateway is told to end. Default 10,000.
    pub drain_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            request_deadline_ms: 120_000,
            first_byte_ms: 15_000,
            slow_token_ms: 100,
            probe_deadline_ms: 8_000,
            header_read_ms: 10_000,
            body_read_ms: 30_000,
            client_stall_ms: 30_000,
            auth_deadline_ms: limits::AUTH_DEADLINE_MS,
            ping_interval_ms: limits::PING_INTERVAL_MS,
            stuck_ms: limits::STUCK_MS,
            cancel_grace_ms: 2_000,
            open_deadline_ms: limits::OPEN_DEADLINE_MS,
            snapshot_ms: 5,
            registry_ms: 3_000,
            chain_stall_ms: 120_000,
            demand_window_ms: 24 * 60 * 60 * 1_000,
            cells_keep_ms: 3 * 60 * 60 * 1_000,
            keep_ms: 14 * 24 * 60 * 60 * 1_000,
            drain_ms: 10_000,
        }
    }
}
