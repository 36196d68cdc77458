// SPDX-License-Identifier: Apache-2.0

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{ClientError, types::Hash};

/// How to reach a chain and how patient to be with it.
///
/// Every duration is in milliseconds. A request that is not answered in time condemns its connection: the next endpoint
/// of the list is tried, in turn, with a pause that doubles from `backoff_min_ms` to `backoff_max_ms` after each round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChainConfig {
    /// Endpoints in order of preference: `ws://` or `wss://` URLs, or names that [`network_urls`] knows, each of which
    /// may be several parted by commas. Default `local`.
    pub endpoints: Vec<String>,
    /// Genesis hash that an endpoint must have, as hexadecimal text; by default Bittensor's own where the first
    /// endpoint is `finney` or `archive`, else that of the first endpoint reached.
    pub genesis: Option<String>,
    /// Deadline of the first connection, over all endpoints. Default 30,000.
    pub start_timeout_ms: u64,
    /// Deadline of one connection to one endpoint. Default 10,000.
    pub connect_timeout_ms: u64,
    /// Deadline of one request. Default 20,000.
    pub request_timeout_ms: u64,
    /// Without a new finalised block for this long the connection is rebuilt and reads fail with
    /// [`ClientError::ChainStalled`]. 0 switches the watchdog off, for chains that only make blocks on demand.
    /// Default 120,000.
    pub stall_after_ms: u64,
    /// First pause between rounds of connection attempts. Default 250.
    pub backoff_min_ms: u64,
    /// Longest pause between rounds of connection attempts. Default 15,000.
    pub backoff_max_ms: u64,
    /// For how many blocks a transaction is valid; a power of two in 4 ..= 4,096. Default 64.
    pub era_blocks: u64,
    /// How many transactions are built for one call before giving up with [`ClientError::Expired`]. Default 5.
    pub max_attempts: u32,
    /// How many submissions of one key may wait. Default 64.
    pub queue: usize,
}

impl Default for ChainConfig {
    fn default() -> Self {
        Self {
            endpoints: vec!["local".into()],
            genesis: None,
            start_timeout_ms: 30_000,
            connect_timeout_ms: 10_000,
            request_timeout_ms: 20_000,
            stall_after_ms: 120_000,
            backoff_min_ms: 250,
            backoff_max_ms: 15_000,
            era_blocks: 64,
            max_attempts: 5,
            queue: 64,
        }
    }
}

impl ChainConfig {
    /// The defaults with one endpoint.
    pub fn at(endpoint: impl Into<String>) -> Self {
        Self { endpoints: vec![endpoint.into()], ..Self::default() }
    }

    /// The defaults with a list of endpoints parted by commas, as flags have it.
    pub fn on(network: &str) -> Self {
        Self { endpoints: split_list(network).map(str::to_owned).collect(), ..Self::default() }
    }

    pub(crate) fn parse(&self) -> Result<Settings, ClientError> {
        let names: Vec<&str> = self.endpoints.iter().flat_map(|entry| split_list(entry)).collect();
        let mut endpoints: Vec<Endpoint> = Vec::with_capacity(names.len());
        for name in &names {
            for endpoint in Endpoint::parse(name)? {
                if !endpoints.contains(&endpoint) {
                    endpoints.push(endpoint);
                }
            }
        }
        if endpoints.is_empty() {
            return Err(ClientError::Config { field: "endpoints", why: "is empty; give at least one".into() });
        }
        let genesis = self
            .genesis
            .as_deref()
            .or_else(|| names.first().and_then(|name| network_genesis(name)))
            .map(|text| {
                let mut hash: Hash = [0; 32];
                hex::decode_to_slice(text.trim_start_matches("0x"), &mut hash).map_err(|error| {
                    ClientError::Config {
                        field: "genesis",
                        why: format!("`{text}` is not 32 bytes of hexadecimal text: {error}"),
                    }
                })?;
                Ok::<_, ClientError>(hash)
            })
            .transpose()?;
        if !self.era_blocks.is_power_of_two() || !(4..=4_096).contains(&self.era_blocks) {
            return Err(ClientError::Config {
                field: "era_blocks",
                why: format!("{} is not a power of two in 4 ..= 4096", self.era_blocks),
            });
        }
        for (field, value) in [
            ("start_timeout_ms", self.start_timeout_ms),
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("request_timeout_ms", self.request_timeout_ms),
            ("backoff_min_ms", self.backoff_min_ms),
            ("max_attempts", u64::from(self.max_attempts)),
            ("queue", u64::try_from(self.queue).unwrap_or(u64::MAX)),
        ] {
            if value == 0 {
                return Err(ClientError::Config { field, why: "must be above 0".into() });
            }
        }
        Ok(Settings {
            endpoints,
            genesis,
            start_timeout: Duration::from_millis(self.start_timeout_ms),
            connect_timeout: Duration::from_millis(self.connect_timeout_ms),
            request_timeout: Duration::from_millis(self.request_timeout_ms),
            stall_after: (self.stall_after_ms > 0).then(|| Duration::from_millis(self.stall_after_ms)),
            backoff_min: Duration::from_millis(self.backoff_min_ms),
            backoff_max: Duration::from_millis(self.backoff_max_ms.max(self.backoff_min_ms)),
            era_blocks: self.era_blocks,
            max_attempts: self.max_attempts,
            queue: self.queue,
        })
    }
}

/// [`ChainConfig`], checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) genesis: Option<Hash>,
    pub(crate) start_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) stall_after: Option<Duration>,
    pub(crate) backoff_min: Duration,
    pub(crate) backoff_max: Duration,
    pub(crate) era_blocks: u64,
    pub(crate) max_attempts: u32,
    pub(crate) queue: usize,
}

/// A URL that shows its scheme, host and port and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Endpoint(Url);

impl Endpoint {
    /// The endpoints that a name means.
    fn parse(name: &str) -> Result<Vec<Self>, ClientError> {
        let urls = network_urls(name).ok_or_else(|| ClientError::Config {
            field: "endpoints",
            why: "has an unknown network; use finney, test, local, archive, devnet, or a ws:// or wss:// URL".into(),
        })?;
        urls.iter().map(|url| Self::parse_url(url)).collect()
    }

    fn parse_url(text: &str) -> Result<Self, ClientError> {
        let refuse = |why: &str| ClientError::Config { field: "endpoints", why: why.into() };
        let url = Url::parse(text).map_err(|error| refuse(&format!("has a URL that cannot be parsed: {error}")))?;
        match url.scheme() {
            "ws" | "wss" if url.has_host() => Ok(Self(url)),
            "ws" | "wss" => Err(refuse("has a URL without a host")),
            other => Err(refuse(&format!("has a URL of scheme `{other}`; use ws:// or wss://"))),
        }
    }

    pub(crate) fn url(&self) -> &str {
        self.0.as_str()
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or("?"))?;
        self.0.port_or_known_default().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// The parts of a list with commas, without blanks and empty ones.
fn split_list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// URLs of a network by its Bittensor name (`finney`, `test`, `archive`, `devnet`, `local`), the main one first and its
/// fallbacks after it, or `name` itself where it is a WebSocket URL; `None` for anything else.
pub fn network_urls(name: &str) -> Option<Vec<String>> {
    let urls: &[&str] = match name {
        "finney" => &[
            "wss://entrypoint-finney.opentensor.ai:443",
            "wss://lite.chain.opentensor.ai:443",
            "wss://lite.sub.latent.to:443",
        ],
        "test" => &["wss://test.finney.opentensor.ai:443"],
        "archive" => &["wss://archive.chain.opentensor.ai:443"],
        "devnet" => &["wss://dev.chain.opentensor.ai:443"],
        "local" => &["ws://127.0.0.1:9944"],
        url if url.starts_with("ws://") || url.starts_with("wss://") => &[url],
        _ => return None,
    };
    Some(urls.iter().map(|url| (*url).to_owned()).collect())
}

/// The main URL of a network, as [`network_urls`] has it.
pub fn network_url(name: &str) -> Option<String> {
    network_urls(name)?.into_iter().next()
}

/// Genesis hash of a network by its Bittensor name, as hexadecimal text, where it never changes.
pub fn network_genesis(name: &str) -> Option<&'static str> {
    match name {
        "finney" | "archive" => Some("2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
