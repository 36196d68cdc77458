// SPDX-License-Identifier: Apache-2.0

use std::{net::SocketAddr, path::PathBuf};

use clawrank_protocol::catalogue::CatalogueError;
use clawrank_store::LedgerError;

/// Why the gateway could not start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}; choose another address or stop who uses it")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The catalogue is unusable, or the environment lacks an API key that it names.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The price table is unusable.
    #[error("price table {}: {message}", path.display())]
    Prices {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        message: String,
    },
    /// The HTTP client for endpoints could not be made.
    #[error("cannot make the HTTP client for endpoints")]
    HttpClient {
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
}

impl Error {
    /// Whether starting again, unchanged, can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Listen { .. } => true,
            Self::Ledger(error) => error.is_retryable(),
            _ => false,
        }
    }
}
