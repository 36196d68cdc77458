// SPDX-License-Identifier: Apache-2.0

//! What each emulated endpoint does.
//!
//! ```toml
//! seed = 7
//!
//! [[endpoint]]
//! id = "a"
//! task_types = ["chat", "math", "json"]
//!
//! [[endpoint.model]]
//! id = "llama-3-8b"
//! price_in_micro_usd_per_mtok = 50_000
//! price_out_micro_usd_per_mtok = 100_000
//! latency = { ttft_median_ms = 120.0, ttft_sigma = 0.3, tokens_per_second = 90.0 }
//! failures = { status_500 = 0.01 }
//! answers = { right = 0.95, json_valid = 0.98 }
//! ```

#[cfg(test)]
mod tests;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clawrank_protocol::{
    catalogue::{Catalogue, CatalogueError},
    tasks::TASK_TYPES,
};
use serde::{Deserialize, Serialize};

use crate::EmulatorError;

/// All emulated endpoints.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Seed of everything random.
    #[serde(default)]
    pub seed: u64,
    /// The endpoints, by distinct id.
    #[serde(rename = "endpoint")]
    pub endpoints: Vec<EndpointProfile>,
}

/// One emulated endpoint, served under `/{id}/v1`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointProfile {
    /// Name in the path: letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// Key that requests must bear; none takes every request. Not a secret: it guards nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// Requests at the same time, above which it answers 429; none for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u32>,
    /// Task types to list in the catalogue.
    #[serde(default = "all_task_types")]
    pub task_types: Vec<String>,
    /// The models.
    #[serde(rename = "model")]
    pub models: Vec<ModelProfile>,
}

/// One model of an emulated endpoint.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelProfile {
    /// Name.
    pub id: String,
    /// Price of a million input tokens, micro-USD.
    #[serde(default)]
    pub price_in_micro_usd_per_mtok: u64,
    /// Price of a million output tokens, micro-USD.
    #[serde(default)]
    pub price_out_micro_usd_per_mtok: u64,
    /// Size of the context, tokens.
    #[serde(default = "default_context")]
    pub context_tokens: u32,
    /// Latencies from a distribution. Exactly one of this and `recorded` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Lognormal>,
    /// Latencies and failures from telemetry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
    /// How often it fails.
    #[serde(default)]
    pub failures: Failures,
    /// How often it is right.
    #[serde(default)]
    pub answers: Answers,
}

/// Lognormal time to first token, then tokens at a steady speed.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lognormal {
    /// Median time to the first token, milliseconds.
    pub ttft_median_ms: f64,
    /// Standard deviation of its logarithm.
    #[serde(default)]
    pub ttft_sigma: f64,
    /// Median speed after the first token.
    pub tokens_per_second: f64,
    /// Standard deviation of the logarithm of the speed, from request to request.
    #[serde(default)]
    pub tokens_per_second_sigma: f64,
}

/// Latencies and failures drawn from telemetry rows of one (provider, model).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The CSV file, relative to the profile; without it the rows are generated from the profile's seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csv: Option<PathBuf>,
    /// Rows of this provider.
    pub provider: String,
    /// Rows of this model.
    pub model: String,
    /// Rows of this region only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Rows one after the other, from the start again after the last; otherwise any row.
    #[serde(default)]
    pub sequential: bool,
    /// All times are multiplied by this.
    #[serde(default = "one")]
    pub time_scale: f64,
}

/// Probabilities of each kind of failure; what is left is answered. A request fails in at most one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Failures {
    /// Status 500.
    pub status_500: f64,
    /// Status 429.
    pub status_429: f64,
    /// No byte for `hang_ms`, then a closed connection.
    pub hang: f64,
    /// JSON that does not parse.
    pub malformed: f64,
    /// A stream that breaks off in the middle; without streaming a closed connection.
    pub broken: f64,
    /// Time that a hanging request hangs, milliseconds; 0 means 120,000.
    pub hang_ms: u64,
}

/// Probabilities of right answers to the tasks that have one.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answers {
    /// A right value, where the answer can be checked.
    pub right: f64,
    /// JSON of the asked shape, where a shape is asked for.
    pub json_valid: f64,
}

impl Default for Answers {
    fn default() -> Self {
        Self { right: 1.0, json_valid: 1.0 }
    }
}

fn all_task_types() -> Vec<String> {
    TASK_TYPES.map(str::to_owned).to_vec()
}

fn default_context() -> u32 {
    8_192
}

fn one() -> f64 {
    1.0
}

impl Profile {
    /// Reads and checks a profile file; paths in it become relative to its folder.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::Io`], and as [`Profile::parse`].
    pub fn load(path: &Path) -> Result<Self, EmulatorError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| EmulatorError::Io { path: path.to_owned(), source })?;
        let mut profile = Self::parse(&text, &path.display().to_string())?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let recorded = profile.endpoints.iter_mut().flat_map(|endpoint| &mut endpoint.models);
        for csv in recorded.filter_map(|model| model.recorded.as_mut()?.csv.as_mut()) {
            *csv = folder.join(&*csv);
        }
        Ok(profile)
    }

    /// Reads and checks the text of a profile; `origin` names it in errors.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::Syntax`] with the line; [`EmulatorError::Field`] with endpoint, model and field.
    pub fn parse(text: &str, origin: &str) -> Result<Self, EmulatorError> {
        let profile: Self = toml::from_str(text)
            .map_err(|error| EmulatorError::Syntax { origin: origin.to_owned(), message: error.to_string() })?;
        profile.check()?;
        Ok(profile)
    }

    /// Checks every field.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::Field`].
    pub fn check(&self) -> Result<(), EmulatorError> {
        if self.endpoints.is_empty() {
            return Err(field("endpoint", "the profile", "absent; give at least one".to_owned()));
        }
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            endpoint.check()?;
            if self.endpoints.iter().take(index).any(|other| other.id == endpoint.id) {
                return Err(field("id", &endpoint.place(), "taken by an earlier endpoint".to_owned()));
            }
        }
        Ok(())
    }

    /// The catalogue of these endpoints when they are served at `address`.
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] when a name cannot stand in a catalogue.
    pub fn catalogue(&self, address: SocketAddr) -> Result<Catalogue, CatalogueError> {
        let entries = self.endpoints.iter().map(|endpoint| {
            let models = endpoint.models.iter().map(|model| {
                format!(
                    "{{ id = {:?}, price_in_micro_usd_per_mtok = {}, price_out_micro_usd_per_mtok = {}, context_tokens = {} }}",
                    model.id, model.price_in_micro_usd_per_mtok, model.price_out_micro_usd_per_mtok, model.context_tokens
                )
            });
            format!(
                "[[endpoint]]\nid = {:?}\nbase_url = \"http://{address}/{}/v1\"\nmodels = [{}]\ntask_types = {:?}\n",
                endpoint.id,
                endpoint.id,
                models.collect::<Vec<_>>().join(", "),
                endpoint.task_types
            )
        });
        Catalogue::parse(&entries.collect::<String>(), "of the emulator")
    }
}

fn field(field: &'static str, place: &str, problem: String) -> EmulatorError {
    EmulatorError::Field { field, place: place.to_owned(), problem }
}

impl EndpointProfile {
    fn place(&self) -> String {
        format!("endpoint `{}`", self.id)
    }

    fn check(&self) -> Result<(), EmulatorError> {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        if self.id.is_empty() || self.id.len() > 64 || !self.id.chars().all(allowed) || self.id.starts_with('.') {
            return Err(field("id", &self.place(), "use 1 to 64 letters, digits, `-`, `_` or `.`".to_owned()));
        }
        if self.max_concurrency == Some(0) {
            return Err(field(
                "max_concurrency",
                &self.place(),
                "0 serves nobody; leave it out or raise it".to_owned(),
            ));
        }
        if let Some(unknown) = self.task_types.iter().find(|name| !TASK_TYPES.contains(&name.as_str())) {
            let problem = format!("unknown task type `{unknown}`; use some of {}", TASK_TYPES.join(", "));
            return Err(field("task_types", &self.place(), problem));
        }
        if self.models.is_empty() {
            return Err(field("model", &self.place(), "absent; give at least one".to_owned()));
        }
        for (index, model) in self.models.iter().enumerate() {
            let place = format!("{}, model `{}`", self.place(), model.id);
            if model.id.trim().is_empty() || self.models.iter().take(index).any(|other| other.id == model.id) {
                return Err(field("id", &place, "empty or taken by an earlier model".to_owned()));
            }
            model.check(&place)?;
        }
        Ok(())
    }
}

impl ModelProfile {
    fn check(&self, place: &str) -> Result<(), EmulatorError> {
        match (&self.latency, &self.recorded) {
            (Some(latency), None) => latency.check(place)?,
            (None, Some(recorded)) => in_range("time_scale", place, recorded.time_scale, 1e-6, 1e6)?,
            _ => return Err(field("latency", place, "give exactly one of `latency` and `recorded`".to_owned())),
        }
        let failures = &self.failures;
        let rates = [failures.status_500, failures.status_429, failures.hang, failures.malformed, failures.broken];
        for rate in rates {
            in_range("failures", place, rate, 0.0, 1.0)?;
        }
        in_range("failures", place, rates.iter().sum(), 0.0, 1.0 + 1e-9)?;
        in_range("answers.right", place, self.answers.right, 0.0, 1.0)?;
        in_range("answers.json_valid", place, self.answers.json_valid, 0.0, 1.0)
    }
}

impl Lognormal {
    fn check(&self, place: &str) -> Result<(), EmulatorError> {
        in_range("latency.ttft_median_ms", place, self.ttft_median_ms, 0.0, 3_600_000.0)?;
        in_range("latency.ttft_sigma", place, self.ttft_sigma, 0.0, 5.0)?;
        in_range("latency.tokens_per_second", place, self.tokens_per_second, 0.1, 1e6)?;
        in_range("latency.tokens_per_second_sigma", place, self.tokens_per_second_sigma, 0.0, 5.0)
    }
}

fn in_range(name: &'static str, place: &str, value: f64, low: f64, high: f64) -> Result<(), EmulatorError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(field(name, place, format!("{value} is outside {low} ..= {high}")))
}
