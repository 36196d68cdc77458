// SPDX-License-Identifier: Apache-2.0

//! The operator's list of provider endpoints: what can be measured, replayed and fallen back to.
//!
//! One file, `endpoints.toml`, is read by gateway, intel miners and validators. Its URLs come from the operator of the
//! process that reads it, never from a peer, so calling them opens no way to make a worker call an address of someone
//! else's choosing. Peers name an endpoint by its `id` only.
//!
//! ```toml
//! [[endpoint]]
//! id = "emu-a"
//! base_url = "http://127.0.0.1:9101/a/v1"
//! api_key_env = "EMU_A_KEY"
//! models = [{ id = "llama-3-8b", price_in_micro_usd_per_mtok = 50_000, price_out_micro_usd_per_mtok = 100_000, context_tokens = 8192 }]
//! task_types = ["chat", "math", "json"]
//! ```

mod error;
mod file;

#[cfg(test)]
mod tests;

use std::path::Path;

use clawrank_proof::Cell;
use secrecy::SecretString;
use serde::Serialize;
use url::Url;

use crate::needs::Need;
pub use error::CatalogueError;

/// Largest catalogue file, in bytes.
pub const MAX_CATALOGUE_BYTES: u64 = 1024 * 1024;

/// Most cells of one catalogue: models × task types, over all endpoints.
pub const MAX_CATALOGUE_CELLS: usize = 4_096;

/// All endpoints, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Catalogue {
    /// The endpoints; their ids are distinct.
    #[serde(rename = "endpoint")]
    pub endpoints: Vec<Endpoint>,
}

/// One place that answers OpenAI-compatible requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Stable name, normalised: the `endpoint` of its cells.
    pub id: String,
    /// Where `/chat/completions` and `/models` are, without a slash at the end.
    pub base_url: Url,
    /// Environment variable that holds the API key; none when the endpoint wants no key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// Models served, by distinct name.
    pub models: Vec<Model>,
    /// Task types to measure each model with.
    pub task_types: Vec<String>,
}

/// A model of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Model {
    /// Name of the model, normalised: the `model` of its cells.
    pub id: String,
    /// Name that the endpoint itself uses, as it is written there; by default the `id` as written in the file.
    pub upstream_id: String,
    /// Price of a million input tokens, micro-USD.
    pub price_in_micro_usd_per_mtok: u64,
    /// Price of a million output tokens, micro-USD.
    pub price_out_micro_usd_per_mtok: u64,
    /// Size of the context, tokens.
    pub context_tokens: u32,
    /// What it cannot do: `tools`, `vision`, `json`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Need>,
}

impl Catalogue {
    /// Reads and checks a catalogue file.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::Io`] when the file cannot be read, [`CatalogueError::TooLarge`] above [`MAX_CATALOGUE_BYTES`],
    /// [`CatalogueError::Syntax`] and [`CatalogueError::Field`] with file, line and field otherwise.
    pub fn load(path: &Path) -> Result<Self, CatalogueError> {
        let origin = path.display().to_string();
        let io = |source| CatalogueError::Io { origin: origin.clone(), source };
        let bytes = std::fs::metadata(path).map_err(io)?.len();
        if bytes > MAX_CATALOGUE_BYTES {
            return Err(CatalogueError::TooLarge { origin, bytes });
        }
        let text = std::fs::read_to_string(path).map_err(io)?;
        Self::parse(&text, &origin)
    }

    /// Checks the text of a catalogue; `origin` names it in errors.
    ///
    /// # Errors
    ///
    /// As [`Catalogue::load`], without reading a file.
    pub fn parse(text: &str, origin: &str) -> Result<Self, CatalogueError> {
        file::parse(text, origin)
    }

    /// All cells: for each endpoint, in order, its models × its task types.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        self.endpoints.iter().flat_map(Endpoint::cells).collect()
    }

    /// The endpoint with this id.
    #[must_use]
    pub fn endpoint(&self, id: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.id == id)
    }

    /// Endpoint and model of a cell; `None` when the catalogue has no such cell.
    #[must_use]
    pub fn resolve(&self, cell: &Cell) -> Option<(&Endpoint, &Model)> {
        let endpoint = self.endpoint(cell.endpoint.as_str())?;
        let known = endpoint.task_types.iter().any(|task_type| task_type == cell.task_type.as_str());
        let model = endpoint.model(cell.model.as_str())?;
        known.then_some((endpoint, model))
    }
}

impl Endpoint {
    /// The model with this (normalised) name.
    #[must_use]
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.id == id)
    }

    /// Models × task types of this endpoint.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        let pairs =
            self.models.iter().flat_map(|model| self.task_types.iter().map(move |task_type| (model, task_type)));
        // Parsing refused every triple that makes no cell, so none is dropped here.
        pairs.filter_map(|(model, task_type)| Cell::new(&model.id, &self.id, task_type).ok()).collect()
    }

    /// URL for chat completions.
    #[must_use]
    pub fn chat_url(&self) -> String {
        format!("{}/chat/completions", self.base_url.as_str().trim_end_matches('/'))
    }

    /// URL for the list of models.
    #[must_use]
    pub fn models_url(&self) -> String {
        format!("{}/models", self.base_url.as_str().trim_end_matches('/'))
    }

    /// The API key from the environment, if the endpoint wants one.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::KeyMissing`] when the variable is not set or empty.
    pub fn api_key(&self) -> Result<Option<SecretString>, CatalogueError> {
        let Some(variable) = &self.api_key_env else {
            return Ok(None);
        };
        match std::env::var(variable) {
            Ok(key) if !key.trim().is_empty() => Ok(Some(SecretString::from(key.trim().to_owned()))),
            _ => Err(CatalogueError::KeyMissing { endpoint: self.id.clone(), variable: variable.clone() }),
        }
    }
}

impl Model {
    /// Price of a call: both prices times their tokens, together rounded up to a whole micro-USD.
    #[must_use]
    pub fn cost_micro_usd(&self, input_tokens: u32, output_tokens: u32) -> u64 {
        let part = |tokens: u32, price: u64| u128::from(tokens).saturating_mul(u128::from(price));
        let sum = part(input_tokens, self.price_in_micro_usd_per_mtok)
            .saturating_add(part(output_tokens, self.price_out_micro_usd_per_mtok));
        u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}
