// SPDX-License-Identifier: Apache-2.0

use super::{MAX_CATALOGUE_BYTES, MAX_CATALOGUE_CELLS};

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The file cannot be read.
    #[error("cannot read catalogue {origin}")]
    Io {
        /// Name of the file.
        origin: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than any catalogue should be.
    #[error("catalogue {origin} has {bytes} bytes, more than {MAX_CATALOGUE_BYTES}; split it or remove endpoints")]
    TooLarge {
        /// Name of the file.
        origin: String,
        /// Its size.
        bytes: u64,
    },
    /// The text is not TOML, or a field is missing, unknown or of another type; the message has the line.
    #[error("catalogue {origin}: {message}")]
    Syntax {
        /// Name of the file.
        origin: String,
        /// What the TOML reader says.
        message: String,
    },
    /// A field has a value that cannot be used.
    #[error("catalogue {origin}, line {line}, `{field}`: {problem}")]
    Field {
        /// Name of the file.
        origin: String,
        /// Line of the value, from 1.
        line: usize,
        /// Name of the field.
        field: &'static str,
        /// The value and what to do.
        problem: String,
    },
    /// More cells than a catalogue may have.
    #[error("catalogue {origin} has {cells} cells, more than {MAX_CATALOGUE_CELLS}; remove models or task types")]
    TooManyCells {
        /// Name of the file.
        origin: String,
        /// Cells found.
        cells: usize,
    },
    /// The environment has no key for an endpoint.
    #[error("endpoint `{endpoint}` wants an API key: set the environment variable {variable}")]
    KeyMissing {
        /// Id of the endpoint.
        endpoint: String,
        /// The variable.
        variable: String,
    },
}

impl CatalogueError {
    /// Whether the same call can succeed later without a change of the file or the environment: never.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        false
    }
}
