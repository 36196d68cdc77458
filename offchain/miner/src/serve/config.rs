// SPDX-License-Identifier: Apache-2.0

use std::{collections::BTreeMap, path::PathBuf};

use clawrank_protocol::{
    Hotkey,
    frames::ModelOffer,
    limits::{MAX_AGENT_BYTES, MAX_DELIVERED_BYTES, MAX_MODEL_BYTES, MAX_MODELS},
    needs::Need,
};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    Error,
    link::{Expected, miner_url},
};

/// A model that the miner offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Name that customers ask for.
    pub id: String,
    /// Name that the backend knows it by; the `id` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_id: Option<String>,
    /// Requests at the same time; one more is answered `busy`. Default 8.
    #[serde(default = "default_concurrency")]
    pub max_concurrency: u32,
    /// Longest prompt and answer together, tokens. Default 8,192.
    #[serde(default = "default_context")]
    pub context_tokens: u32,
    /// Price of a million input tokens, micro-USD. Default 0.
    #[serde(default)]
    pub price_in_micro_usd_per_mtok: u64,
    /// Price of a million output tokens, micro-USD. Default 0.
    #[serde(default)]
    pub price_out_micro_usd_per_mtok: u64,
    /// What it cannot do, of `tools`, `vision` and `json`: requests that need it go to others. Default none.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub lacks: Vec<Need>,
}

fn default_concurrency() -> u32 {
    8
}

fn default_context() -> u32 {
    8_192
}

/// Settings of a serving miner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The gateway: `http`, `https`, `ws` or `wss`; the path `/v1/miner` is added. Default `http://127.0.0.1:8092`.
    pub gateway_url: String,
    /// Hotkey that the gateway must have. Without it whoever answers at the URL is believed: for local chains only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub gateway_hotkey: Option<Hotkey>,
    /// Subnet that the gateway must serve; any where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netuid: Option<u16>,
    /// Base URL of the OpenAI-compatible backend; `/chat/completions` is added. Default `http://127.0.0.1:8000/v1`.
    pub backend_url: String,
    /// Environment variable with the backend's API key; none where it wants no key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_key_env: Option<String>,
    /// Models offered; at least one.
    pub models: Vec<ModelConfig>,
    /// Folder of the receipts; created where missing. Default `miner-data`.
    pub data_dir: PathBuf,
    /// What the miner calls itself. Default: program and version.
    pub agent: String,
    /// Longest time for one answer, milliseconds; the gateway may ask for less. Default 300,000.
    pub request_deadline_ms: u64,
    /// Longest answer that is read from the backend, bytes, framing included. Default 33,554,432.
    pub max_answer_bytes: u64,
    /// Deadline for connecting to the gateway, milliseconds. Default 10,000.
    pub connect_deadline_ms: u64,
    /// Shortest pause before connecting again, milliseconds. Default 500.
    pub reconnect_min_ms: u64,
    /// Longest pause before connecting again, milliseconds. Default 30,000.
    pub reconnect_max_ms: u64,
    /// Time that requests in flight have to end when the miner stops, milliseconds. Default 10,000.
    pub drain_ms: u64,
    /// Size at which a file of receipts is closed, bytes. Default 16,777,216.
    pub receipts_max_bytes: u64,
    /// Closed files of receipts that are kept; older ones are deleted. Default 8.
    pub receipts_files: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            gateway_url: "http://127.0.0.1:8092".to_owned(),
            gateway_hotkey: None,
            netuid: None,
            backend_url: "http://127.0.0.1:8000/v1".to_owned(),
            backend_key_env: None,
            models: Vec::new(),
            data_dir: PathBuf::from("miner-data"),
            agent: crate::AGENT.to_owned(),
            request_deadline_ms: 300_000,
            max_answer_bytes: MAX_DELIVERED_BYTES.saturating_mul(4),
            connect_deadline_ms: 10_000,
            reconnect_min_ms: 500,
            reconnect_max_ms: 30_000,
            drain_ms: 10_000,
            receipts_max_bytes: 16 * 1024 * 1024,
            receipts_files: 8,
        }
    }
}

/// A configuration whose fields were checked.
pub(super) struct Plan {
    pub(super) socket_url: Url,
    pub(super) expected: Expected,
    pub(super) chat_url: String,
    pub(super) key: Option<SecretString>,
    pub(super) models: BTreeMap<String, ModelConfig>,
    pub(super) data_dir: PathBuf,
    pub(super) agent: String,
    pub(super) request_deadline_ms: u64,
    pub(super) max_answer_bytes: u64,
    pub(super) connect_deadline_ms: u64,
    pub(super) reconnect_min_ms: u64,
    pub(super) reconnect_max_ms: u64,
    pub(super) drain_ms: u64,
    pub(super) receipts_max_bytes: u64,
    pub(super) receipts_files: u32,
}

impl Plan {
    pub(super) fn offers(&self) -> Vec<ModelOffer> {
        let offer = |model: &ModelConfig| ModelOffer {
            id: model.id.clone(),
            max_concurrency: model.max_concurrency,
            context_tokens: model.context_tokens,
            price_in_micro_usd_per_mtok: model.price_in_micro_usd_per_mtok,
            price_out_micro_usd_per_mtok: model.price_out_micro_usd_per_mtok,
            lacks: model.lacks.clone(),
        };
        self.models.values().map(offer).collect()
    }

    pub(super) fn max_in_flight(&self) -> usize {
        let sum = self.models.values().fold(0u32, |sum, model| sum.saturating_add(model.max_concurrency));
        usize::try_from(sum).unwrap_or(usize::MAX)
    }
}

impl Config {
    /// Checks every field and reads the key.
    pub(super) fn check(self) -> Result<Plan, Error> {
        let refuse = |field, problem: String| Error::Config { field, problem };
        let gateway = Url::parse(&self.gateway_url).map_err(|error| refuse("gateway_url", error.to_string()))?;
        let socket_url = miner_url(&gateway).ok_or_else(|| {
            refuse("gateway_url", format!("scheme `{}`; use http, https, ws or wss", gateway.scheme()))
        })?;
        let backend = Url::parse(&self.backend_url).map_err(|error| refuse("backend_url", error.to_string()))?;
        if !matches!(backend.scheme(), "http" | "https") {
            return Err(refuse("backend_url", format!("scheme `{}`; use http or https", backend.scheme())));
        }
        let key = match &self.backend_key_env {
            None => None,
            Some(variable) => match std::env::var(variable) {
                Ok(key) if !key.trim().is_empty() => Some(SecretString::from(key.trim().to_owned())),
                _ => return Err(refuse("backend_key_env", format!("environment variable {variable} is not set"))),
            },
        };
        if self.models.is_empty() || self.models.len() > MAX_MODELS {
            return Err(refuse("models", format!("{} models; offer 1 to {MAX_MODELS}", self.models.len())));
        }
        let mut models = BTreeMap::new();
        for model in self.models {
            let name = model.id.clone();
            if name.is_empty() || name.len() > MAX_MODEL_BYTES || name.chars().any(char::is_control) {
                return Err(refuse(
                    "models",
                    format!("name `{name}` must have 1 to {MAX_MODEL_BYTES} printable bytes"),
                ));
            }
            if model.max_concurrency == 0 {
                return Err(refuse("models", format!("max_concurrency of `{name}` is 0; serve at least 1")));
            }
            if models.insert(name.clone(), model).is_some() {
                return Err(refuse("models", format!("`{name}` is offered twice; remove one")));
            }
        }
        if self.agent.len() > MAX_AGENT_BYTES {
            return Err(refuse("agent", format!("more than {MAX_AGENT_BYTES} bytes; shorten it")));
        }
        Ok(Plan {
            socket_url,
            expected: Expected {
                gateway: self.gateway_hotkey.map(|hotkey| hotkey.0),
                genesis: None,
                netuid: self.netuid,
            },
            chat_url: format!("{}/chat/completions", self.backend_url.trim_end_matches('/')),
            key,
            models,
            data_dir: self.data_dir,
            agent: self.agent,
            request_deadline_ms: self.request_deadline_ms.max(1),
            max_answer_bytes: self.max_answer_bytes.max(1),
            connect_deadline_ms: self.connect_deadline_ms.max(1),
            reconnect_min_ms: self.reconnect_min_ms,
            reconnect_max_ms: self.reconnect_max_ms,
            drain_ms: self.drain_ms,
            receipts_max_bytes: self.receipts_max_bytes.max(4_096),
            receipts_files: self.receipts_files,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::*;

    fn model(id: &str) -> ModelConfig {
        serde_json::from_value(serde_json::json!({ "id": id })).unwrap()
    }

    fn good() -> Config {
        Config { models: vec![model("a"), model("b")], ..Config::default() }
    }

    fn refused(change: impl FnOnce(&mut Config)) -> String {
        let mut config = good();
        change(&mut config);
        config.check().err().expect("the setting is bad").to_string()
    }

    #[test]
    fn plan_follows_from_the_settings_when_they_are_good() {
        let plan = good().check().unwrap();
        assert_eq!(plan.socket_url.as_str(), "ws://127.0.0.1:8092/v1/miner");
        assert_eq!(plan.chat_url, "http://127.0.0.1:8000/v1/chat/completions");
        assert_eq!(plan.offers().len(), 2);
        assert_eq!(plan.max_in_flight(), 16);
    }

    #[test]
    fn setting_is_named_when_it_is_bad() {
        for (error, expected) in [
            (refused(|c| c.gateway_url = "nowhere".into()), "`gateway_url`"),
            (refused(|c| c.gateway_url = "ftp://x".into()), "`gateway_url`"),
            (refused(|c| c.backend_url = "ws://x".into()), "`backend_url`"),
            (refused(|c| c.backend_key_env = Some("CLAWRANK_TEST_UNSET".into())), "CLAWRANK_TEST_UNSET"),
            (refused(|c| c.models.clear()), "`models`"),
            (refused(|c| c.models.push(model("a"))), "`a` is offered twice"),
            (refused(|c| c.models.push(model(""))), "`models`"),
            (refused(|c| c.models[0].max_concurrency = 0), "max_concurrency of `a`"),
            (refused(|c| c.agent = "x".repeat(200)), "`agent`"),
        ] {
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn unknown_setting_is_refused_when_read() {
        let read = |text: &str| serde_json::from_str::<Config>(text);
        assert_eq!(read("{}").unwrap(), Config::default());
        assert!(read("{\"gatway_url\": \"x\"}").unwrap_err().to_string().contains("gatway_url"));
    }
}
