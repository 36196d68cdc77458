// SPDX-License-Identifier: Apache-2.0

use clawrank_primitives::Params;

use super::refuse;
use crate::error::CliError;

/// The preset with this name.
pub(super) fn preset(name: &str) -> Result<Params, CliError> {
    Params::preset(name)
        .ok_or_else(|| refuse("--preset", format!("`{name}` is unknown; use one of {}", Params::PRESETS.join(", "))))
}
