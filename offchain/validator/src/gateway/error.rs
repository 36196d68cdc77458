// SPDX-License-Identifier: Apache-2.0

use clawrank_protocol::signed::SignedError;

/// Why a request to a gateway gave nothing usable. Gateways are named by scheme, host and port only.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The HTTP client cannot be made.
    #[error("cannot set up the HTTP client: {source}")]
    Client {
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// It is not the gateway that the configuration means.
    #[error("gateway {gateway} has {what} {found}, expected {expected}; check its URL and the pinned hotkey")]
    Identity {
        /// Which gateway.
        gateway: String,
        /// `chain`, `subnet` or `hotkey`.
        what: &'static str,
        /// What it has.
        found: String,
        /// What is expected.
        expected: String,
    },
    /// The request cannot be signed.
    #[error("request to {gateway} cannot be signed: {source}")]
    Unsigned {
        /// Which gateway.
        gateway: String,
        /// Why.
        #[source]
        source: SignedError,
    },
    /// No connection, or it broke.
    #[error("gateway {gateway}, {route}: {source}")]
    Transport {
        /// Which gateway.
        gateway: String,
        /// Path and query.
        route: String,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// No answer in time.
    #[error("gateway {gateway} did not answer {route} within {after_ms} ms")]
    Deadline {
        /// Which gateway.
        gateway: String,
        /// Path and query.
        route: String,
        /// The deadline.
        after_ms: u64,
    },
    /// It refused, or failed.
    #[error("gateway {gateway} answered {status} to {route}: {message}")]
    Status {
        /// Which gateway.
        gateway: String,
        /// Path and query.
        route: String,
        /// HTTP status.
        status: u16,
        /// Its words, shortened.
        message: String,
    },
    /// The answer is larger than this route's may be.
    #[error("gateway {gateway} answered {route} with more than {most} bytes")]
    TooLarge {
        /// Which gateway.
        gateway: String,
        /// Path and query.
        route: String,
        /// The cap, in bytes.
        most: usize,
    },
    /// The answer is not what this route gives.
    #[error("gateway {gateway} gave a malformed answer to {route}: {why}")]
    Malformed {
        /// Which gateway.
        gateway: String,
        /// Path and query.
        route: String,
        /// What is wrong.
        why: String,
    },
}

impl GatewayError {
    /// Whether the same request may succeed later without anyone changing a setting.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::Deadline { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Client { .. }
            | Self::Identity { .. }
            | Self::Unsigned { .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. } => false,
        }
    }
}
