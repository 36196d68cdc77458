// SPDX-License-Identifier: Apache-2.0

use std::{collections::HashMap, path::Path};

use clawrank_units::MicroUsd;
use serde::Deserialize;

use crate::Error;

/// Largest price table, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// What a million tokens of a model cost the payer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Input, micro-USD.
    pub in_micro_usd_per_mtok: u64,
    /// Output, micro-USD.
    pub out_micro_usd_per_mtok: u64,
}

impl Price {
    /// `(input · price_in + output · price_out) / 1,000,000` micro-USD, rounded up once.
    #[must_use]
    pub fn fee(self, input_tokens: u64, output_tokens: u64) -> MicroUsd {
        let part = |tokens: u64, price: u64| u128::from(tokens).saturating_mul(u128::from(price));
        let sum = part(input_tokens, self.in_micro_usd_per_mtok)
            .saturating_add(part(output_tokens, self.out_micro_usd_per_mtok));
        MicroUsd(u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

/// Prices by model, with a default for all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceTable {
    models: HashMap<String, Price>,
    default: Price,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    price: Vec<Line>,
    #[serde(default)]
    default: Price,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    model: String,
    in_micro_usd_per_mtok: u64,
    out_micro_usd_per_mtok: u64,
}

impl PriceTable {
    /// Reads `prices.toml`: `[[price]]` lines with `model`, `in_micro_usd_per_mtok`, `out_micro_usd_per_mtok`, and a
    /// table `[default]` for all other models, 0 where absent.
    ///
    /// # Errors
    ///
    /// [`Error::Prices`] with file and line: not readable, over 1 MiB, malformed, or a model twice.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let failed = |message: String| Error::Prices { path: path.to_owned(), message };
        let bytes = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
        if bytes > MAX_BYTES {
            return Err(failed(format!("{bytes} bytes exceed {MAX_BYTES}")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        Self::parse(&text).map_err(failed)
    }

    /// As [`PriceTable::load`], from text.
    ///
    /// # Errors
    ///
    /// What is wrong, with the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut models = HashMap::new();
        for line in file.price {
            let price = Price {
                in_micro_usd_per_mtok: line.in_micro_usd_per_mtok,
                out_micro_usd_per_mtok: line.out_micro_usd_per_mtok,
            };
            // Requests look prices up by the normal form of the name.
            if models.insert(line.model.trim().to_ascii_lowercase(), price).is_some() {
                return Err(format!("model `{}` has two prices; remove one", line.model));
            }
        }
        Ok(Self { models, default: file.default })
    }

    /// The price of a model.
    #[must_use]
    pub fn price(&self, model: &str) -> Price {
        self.models.get(model).copied().unwrap_or(self.default)
    }
}

#[cfg(test)]
mod tests;
