// SPDX-License-Identifier: Apache-2.0

use std::path::PathBuf;

use clawrank_primitives::{Params, proof::Cell, scoring::IntelParams, units::Ppb};
use clawrank_protocol::Hotkey;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Error, link::miner_url};

/// Largest answer that can be opened later: request, response and their encoding go into one frame.
const MAX_ANSWER_BYTES: u64 = 512 * 1024;

/// Which cells of the catalogue are measured; an empty list takes all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CellFilter {
    /// Models.
    pub models: Vec<String>,
    /// Endpoints.
    pub endpoints: Vec<String>,
    /// Task types.
    pub task_types: Vec<String>,
}

impl CellFilter {
    /// Whether a cell passes all three lists; names are compared in normal form.
    #[must_use]
    pub fn admits(&self, cell: &Cell) -> bool {
        let passes = |list: &[String], name: &str| {
            list.is_empty() || list.iter().any(|wanted| wanted.trim().eq_ignore_ascii_case(name))
        };
        passes(&self.models, cell.model.as_str())
            && passes(&self.endpoints, cell.endpoint.as_str())
            && passes(&self.task_types, cell.task_type.as_str())
    }
}

/// Settings of an intel miner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Subnet. Default 92.
    pub netuid: u16,
    /// The gateway that takes bundles: `http` or `https`. Default `http://127.0.0.1:8092`.
    pub gateway_url: String,
    /// Hotkey that the gateway must have. Without it whoever answers at the URL is believed: for local chains only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub gateway_hotkey: Option<Hotkey>,
    /// File of the endpoints. Default `endpoints.toml`.
    pub catalogue: PathBuf,
    /// Folder of attempts and bundles; created where missing. Default `miner-data`.
    pub data_dir: PathBuf,
    /// Cells to measure. Default all of the catalogue.
    pub cells: CellFilter,
    /// Attempts per cell and epoch, at most. The gate counts no cell with fewer than `n_min` (30) answered ones. Default
    /// 40.
    pub max_attempts_per_cell: u32,
    /// Cost of all attempts of an epoch, at most, micro-USD: no call is made that could go beyond. Calls in flight when
    /// the process is killed are not counted. Default 1,000,000.
    pub max_cost_micro_usd_per_epoch: u64,
    /// Calls at the same time per endpoint. Default 2.
    pub concurrency_per_endpoint: u32,
    /// Whether attempts are spread over the time for measuring instead of made as fast as possible. Default true.
    pub spread: bool,
    /// Deadline of one call, milliseconds; one that passes it is recorded as `Timeout`. Default 30,000.
    pub call_deadline_ms: u32,
    /// Longest answer that is read, bytes, framing included; a longer one is recorded as `Malformed`. Default 262,144,
    /// at most 524,288.
    pub max_answer_bytes: u64,
    /// Part of the tempo after which nothing is measured any more, percent; below 60. Default 50.
    pub measure_until_percent: u8,
    /// Blocks kept free between the last attempt and the deadline for committing. Default 3.
    pub commit_blocks: u64,
    /// What a second of waiting costs in the ranking of endpoints, micro-USD. Default: what the rules say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_usd_per_second: Option<u64>,
    /// Epochs whose attempts are kept for openings. Default 3.
    pub keep_epochs: u32,
    /// Deadline of an upload to the gateway, milliseconds. Default 30,000.
    pub upload_deadline_ms: u64,
    /// Shortest pause before connecting to the gateway again, milliseconds. Default 500.
    pub reconnect_min_ms: u64,
    /// Longest pause before connecting to the gateway again, milliseconds. Default 30,000.
    pub reconnect_max_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            netuid: 92,
            gateway_url: "http://127.0.0.1:8092".to_owned(),
            gateway_hotkey: None,
            catalogue: PathBuf::from("endpoints.toml"),
            data_dir: PathBuf::from("miner-data"),
            cells: CellFilter::default(),
            max_attempts_per_cell: 40,
            max_cost_micro_usd_per_epoch: 1_000_000,
            concurrency_per_endpoint: 2,
            spread: true,
            call_deadline_ms: 30_000,
            max_answer_bytes: 256 * 1024,
            measure_until_percent: 50,
            commit_blocks: 3,
            micro_usd_per_second: None,
            keep_epochs: 3,
            upload_deadline_ms: 30_000,
            reconnect_min_ms: 500,
            reconnect_max_ms: 30_000,
        }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with the field.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |field, problem: String| Err(Error::Config { field, problem });
        match Url::parse(&self.gateway_url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && miner_url(&url).is_some() => {}
            Ok(url) => return refuse("gateway_url", format!("scheme `{}`; use http or https", url.scheme())),
            Err(error) => return refuse("gateway_url", error.to_string()),
        }
        if self.max_attempts_per_cell == 0 {
            return refuse("max_attempts_per_cell", "0 measures nothing; use at least 1".to_owned());
        }
        if self.concurrency_per_endpoint == 0 {
            return refuse("concurrency_per_endpoint", "0 measures nothing; use at least 1".to_owned());
        }
        if self.call_deadline_ms == 0 {
            return refuse("call_deadline_ms", "0; give the call some time".to_owned());
        }
        if self.max_answer_bytes == 0 || self.max_answer_bytes > MAX_ANSWER_BYTES {
            let problem = format!("{} is outside 1 ..= {MAX_ANSWER_BYTES}", self.max_answer_bytes);
            return refuse("max_answer_bytes", problem);
        }
        let until = Ppb::from_percent(self.measure_until_percent.into());
        if until.is_zero() || until >= Params::BUNDLE_DEADLINE {
            let problem =
                format!("{}% is not above 0% and below {}", self.measure_until_percent, Params::BUNDLE_DEADLINE);
            return refuse("measure_until_percent", problem);
        }
        if self.keep_epochs < 2 {
            return refuse("keep_epochs", "validators ask about the last epoch too; keep at least 2".to_owned());
        }
        Ok(())
    }

    /// The rules' parameters for the ranking, with this operator's exchange rate.
    #[must_use]
    pub fn intel(&self) -> IntelParams {
        let mut params = IntelParams::clawrank();
        params.micro_usd_per_second = self.micro_usd_per_second.unwrap_or(params.micro_usd_per_second);
        params
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn setting_is_named_when_it_is_bad() {
        type Change = fn(&mut Config);
        let cases: [(&str, Change); 8] = [
            ("gateway_url", |c| c.gateway_url = "nowhere".into()),
            ("gateway_url", |c| c.gateway_url = "ws://x".into()),
            ("max_attempts_per_cell", |c| c.max_attempts_per_cell = 0),
            ("concurrency_per_endpoint", |c| c.concurrency_per_endpoint = 0),
            ("call_deadline_ms", |c| c.call_deadline_ms = 0),
            ("max_answer_bytes", |c| c.max_answer_bytes = 1 << 20),
            ("measure_until_percent", |c| c.measure_until_percent = 60),
            ("keep_epochs", |c| c.keep_epochs = 1),
        ];
        Config::default().check().unwrap();
        for (field, change) in cases {
            let mut config = Config::default();
            change(&mut config);
            assert!(config.check().unwrap_err().to_string().contains(field), "{field}");
        }
    }

    #[test]
    fn filter_takes_all_cells_when_its_lists_are_empty() {
        let cell = Cell::new("M", "E", "chat").unwrap();
        assert!(CellFilter::default().admits(&cell));
        let only = |models: &[&str], task_types: &[&str]| CellFilter {
            models: models.iter().map(|name| (*name).to_owned()).collect(),
            task_types: task_types.iter().map(|name| (*name).to_owned()).collect(),
            ..CellFilter::default()
        };
        assert!(only(&["x", " M "], &[]).admits(&cell));
        assert!(!only(&["m"], &["math"]).admits(&cell));
    }
}
