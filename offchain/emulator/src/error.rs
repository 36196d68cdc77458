// SPDX-License-Identifier: Apache-2.0

use std::{net::SocketAddr, path::PathBuf};

/// Why an emulator does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// A file cannot be read or written.
    #[error("cannot access {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The profile is not TOML, or a field is missing, unknown or of another type; the message has the line.
    #[error("profile {origin}: {message}")]
    Syntax {
        /// Name of the profile.
        origin: String,
        /// What the TOML reader says.
        message: String,
    },
    /// A field of the profile has a value that cannot be used.
    #[error("profile: `{field}` of {place}: {problem}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// Endpoint and model.
        place: String,
        /// The value and what to do.
        problem: String,
    },
    /// A CSV of telemetry has a value that cannot be used.
    #[error("telemetry {origin}, line {line}, column `{column}`: {problem}")]
    Csv {
        /// Name of the file.
        origin: String,
        /// Line, from 1; the header is line 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// The value and what is expected.
        problem: String,
    },
    /// A CSV of telemetry cannot be written.
    #[error("cannot write telemetry as CSV")]
    CsvWrite(#[source] csv::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}; choose another address or port 0")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The server ended by itself.
    #[error("the emulator's server failed")]
    Serve(#[source] std::io::Error),
}
