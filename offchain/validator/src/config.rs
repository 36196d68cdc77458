// SPDX-License-Identifier: Apache-2.0

use std::path::PathBuf;

use clawrank_primitives::{Params, schedule::BEACON_WAIT, units::Ppb};
use clawrank_protocol::Hotkey;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Error, commit::CommitMode};

/// What [`Config::params`] says where the rules are the chain's.
pub const CHAIN: &str = "chain";

/// A gateway whose receipts and bundles are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// Where it is: `http://` or `https://`, without a path.
    #[schemars(with = "String")]
    pub url: Url,
    /// Hotkey it must have. Without it the first answer is believed, which is for local chains only: whoever answers at
    /// the URL can then sign receipts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub hotkey: Option<Hotkey>,
}

/// Settings of a validator. Ratios of the tempo are in parts per billion or texts such as `"60%"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Subnet. Default 92.
    pub netuid: u16,
    /// Gateways to read. Default none, which leaves serving unscored.
    pub gateways: Vec<GatewayConfig>,
    /// File of endpoints to replay on. Default `endpoints.toml`.
    pub catalogue: PathBuf,
    /// Folder of the journal, the bundles and the reports; created where missing. Default `validator-data`.
    pub data_dir: PathBuf,
    /// Rules: the name of a preset (`clawrank`, `local`, `tensorclaw-v1`), a TOML file, or `chain` for those that the
    /// subnet's owner has stored on the chain, as they are at the first block of the epoch that is judged. Default
    /// `clawrank`.
    pub params: String,
    /// Models that count as whitelisted; every model of the catalogue where empty. Default empty.
    pub whitelist: Vec<String>,
    /// Version key sent with weights; the chain refuses one below its own. Default 1.
    pub version_key: u64,

    /// Replays per cell and epoch, pooled over all miners; at most 256. Default: what the rules say.
    pub replays_per_cell: Option<u32>,
    /// Leaves that each miner must open; at most 256. Default: what the rules say.
    pub leaves_per_bundle: Option<u32>,
    /// Replays at the same time per endpoint. Default 2.
    pub replay_concurrency: usize,
    /// Deadline of one replay, milliseconds. Default 60,000.
    pub replay_deadline_ms: u64,

    /// Time between two probes of a miner, milliseconds, give or take a quarter. Default 60,000.
    pub probe_interval_ms: u64,
    /// Probes at the same time. Default 16.
    pub probe_concurrency: usize,

    /// Time between two reads of a gateway's receipts, milliseconds. Default 10,000.
    pub receipts_interval_ms: u64,
    /// Receipts on one page; at most 1,000. Default 500.
    pub receipts_page: u32,
    /// Pages read in a row from one gateway. Default 50.
    pub receipts_pages: u32,

    /// Part of the tempo after which scores are made from the replays there are. Default 80 %.
    #[schemars(with = "String")]
    pub replay_until: Ppb,
    /// Part of the tempo by which weights should be sent. Default 90 %.
    #[schemars(with = "String")]
    pub commit_by: Ppb,
    /// How weights are committed: `auto` (timelocked where the chain has a beacon, salted elsewhere), `timelock` or
    /// `salted`. Default `auto`.
    #[schemars(with = "String")]
    pub commit: CommitMode,
    /// Whether to go on although the chain has weights of this hotkey that the journal does not know, adopting them:
    /// for one start, after the other validator was stopped. Default false.
    pub take_over: bool,
    /// Blocks after which a transaction of unknown outcome, not seen on chain, is sent again. Default 8.
    pub resubmit_after_blocks: u64,

    /// Deadline of a request to a gateway, milliseconds. Default 15,000.
    pub gateway_deadline_ms: u64,
    /// Deadline of a read of the chain, milliseconds. Default 60,000.
    pub chain_deadline_ms: u64,
    /// Time without a finalised block after which an alarm is logged, milliseconds. Default 120,000.
    pub stall_after_ms: u64,
    /// Epochs kept in the journal. Default 16.
    pub keep_epochs: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            netuid: 92,
            gateways: Vec::new(),
            catalogue: PathBuf::from("endpoints.toml"),
            data_dir: PathBuf::from("validator-data"),
            params: "clawrank".to_owned(),
            whitelist: Vec::new(),
            version_key: 1,
            replays_per_cell: None,
            leaves_per_bundle: None,
            replay_concurrency: 2,
            replay_deadline_ms: 60_000,
            probe_interval_ms: 60_000,
            probe_concurrency: 16,
            receipts_interval_ms: 10_000,
            receipts_page: 500,
            receipts_pages: 50,
            replay_until: Ppb::from_percent(80),
            commit_by: Ppb::from_percent(90),
            commit: CommitMode::Auto,
            take_over: false,
            resubmit_after_blocks: 8,
            gateway_deadline_ms: 15_000,
            chain_deadline_ms: 60_000,
            stall_after_ms: 120_000,
            keep_epochs: 16,
        }
    }
}

impl Config {
    /// The rules that [`Config::params`] names, with the overrides of this configuration; `None` where the chain has them.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it names a file that cannot be read, [`Error::Config`] when the rules make no sense.
    pub fn rules(&self) -> Result<Option<Params>, Error> {
        if self.params == CHAIN {
            return Ok(None);
        }
        let refuse = |why: String| Error::Config { field: "params", why };
        let params = match Params::preset(&self.params) {
            Some(params) => params,
            None => {
                let path = PathBuf::from(&self.params);
                let text = std::fs::read_to_string(&path).map_err(|source| Error::File { path, source })?;
                toml::from_str(&text).map_err(|error| refuse(format!("{} is no set of rules: {error}", self.params)))?
            }
        };
        self.overridden(params).map(Some)
    }

    /// Rules with the overrides of this configuration.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when they make no sense together.
    pub(crate) fn overridden(&self, mut params: Params) -> Result<Params, Error> {
        if let Some(replays) = self.replays_per_cell {
            params.challenge.replays_per_cell = replays;
        }
        if let Some(leaves) = self.leaves_per_bundle {
            params.challenge.leaves = leaves;
        }
        params.ensure_valid().map_err(|error| Error::Config { field: "params", why: error.to_string() })?;
        Ok(params)
    }

    /// Checks what the types cannot.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with the field at fault.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |field, why: String| Err(Error::Config { field, why });
        for (field, value) in [
            ("replay_concurrency", self.replay_concurrency as u64),
            ("replay_deadline_ms", self.replay_deadline_ms),
            ("probe_interval_ms", self.probe_interval_ms),
            ("probe_concurrency", self.probe_concurrency as u64),
            ("receipts_interval_ms", self.receipts_interval_ms),
            ("receipts_page", u64::from(self.receipts_page)),
            ("receipts_pages", u64::from(self.receipts_pages)),
            ("gateway_deadline_ms", self.gateway_deadline_ms),
            ("chain_deadline_ms", self.chain_deadline_ms),
            ("stall_after_ms", self.stall_after_ms),
            ("leaves_per_bundle", self.leaves_per_bundle.map_or(1, u64::from)),
            ("replays_per_cell", self.replays_per_cell.map_or(1, u64::from)),
        ] {
            if value == 0 {
                return refuse(field, "must be above 0".into());
            }
        }
        for (field, value, most) in [
            ("replays_per_cell", self.replays_per_cell.unwrap_or(1), 256),
            ("leaves_per_bundle", self.leaves_per_bundle.unwrap_or(1), 256),
            ("receipts_page", self.receipts_page, clawrank_protocol::limits::MAX_RECEIPTS_PAGE),
        ] {
            if value > most {
                return refuse(field, format!("{value} is above {most}"));
            }
        }
        if self.keep_epochs < 4 {
            return refuse(
                "keep_epochs",
                format!("{} is below 4: scores look back one epoch, reveals more", self.keep_epochs),
            );
        }
        let drawn = Params::BUNDLE_DEADLINE.saturating_add(BEACON_WAIT);
        if !(drawn < self.replay_until && self.replay_until < self.commit_by && self.commit_by < Ppb::ONE) {
            return refuse(
                "replay_until",
                format!(
                    "challenge drawn by {drawn} < replay_until {} < commit_by {} < 100% must hold",
                    self.replay_until, self.commit_by
                ),
            );
        }
        for gateway in &self.gateways {
            // A path would be lost when a route is put behind it, and a password would be logged with the URL.
            if !matches!(gateway.url.scheme(), "http" | "https") || gateway.url.host_str().is_none() {
                return refuse("gateways", format!("{} is not an http:// or https:// URL", gateway.url));
            }
        }
        Ok(())
    }
}
