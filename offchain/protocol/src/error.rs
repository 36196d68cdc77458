// SPDX-License-Identifier: Apache-2.0

//! Error bodies in OpenAI's shape: `{"error":{"message","type","code","param"}}`.

use serde::{Deserialize, Serialize};

/// What went wrong with a request, as a machine reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// 400: a field is missing, malformed or out of range.
    InvalidRequestError,
    /// 401: the API key or the signature is missing or wrong.
    InvalidApiKey,
    /// 402: the payer's balance does not cover the reservation.
    InsufficientBalance,
    /// 403: the key or hotkey may not do this.
    PermissionDenied,
    /// 404: nobody serves this model.
    ModelNotFound,
    /// 404: no such route, bundle or record.
    NotFound,
    /// 409: the nonce was used before.
    ReplayedNonce,
    /// 413: the body is over the limit.
    BodyTooLarge,
    /// 429: over a quota.
    RateLimitExceeded,
    /// 500: the gateway failed.
    InternalError,
    /// 502: every candidate failed.
    UpstreamError,
    /// 503: no candidate is free or online.
    NoMinerAvailable,
    /// 503: the ledger cannot record the request.
    LedgerUnavailable,
    /// 504: the deadline of the whole request passed.
    Timeout,
}

impl ErrorCode {
    /// HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequestError => 400,
            Self::InvalidApiKey => 401,
            Self::InsufficientBalance => 402,
            Self::PermissionDenied => 403,
            Self::ModelNotFound | Self::NotFound => 404,
            Self::ReplayedNonce => 409,
            Self::BodyTooLarge => 413,
            Self::RateLimitExceeded => 429,
            Self::InternalError => 500,
            Self::UpstreamError => 502,
            Self::NoMinerAvailable | Self::LedgerUnavailable => 503,
            Self::Timeout => 504,
        }
    }

    /// The code as it is on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequestError => "invalid_request_error",
            Self::InvalidApiKey => "invalid_api_key",
            Self::InsufficientBalance => "insufficient_balance",
            Self::PermissionDenied => "permission_denied",
            Self::ModelNotFound => "model_not_found",
            Self::NotFound => "not_found",
            Self::ReplayedNonce => "replayed_nonce",
            Self::BodyTooLarge => "body_too_large",
            Self::RateLimitExceeded => "rate_limit_exceeded",
            Self::InternalError => "internal_error",
            Self::UpstreamError => "upstream_error",
            Self::NoMinerAvailable => "no_miner_available",
            Self::LedgerUnavailable => "ledger_unavailable",
            Self::Timeout => "timeout",
        }
    }

    /// OpenAI's coarser `type`.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::InvalidApiKey => "authentication_error",
            Self::PermissionDenied => "permission_error",
            Self::InsufficientBalance => "insufficient_quota",
            Self::RateLimitExceeded => "rate_limit_error",
            Self::InvalidRequestError
            | Self::ModelNotFound
            | Self::NotFound
            | Self::ReplayedNonce
            | Self::BodyTooLarge => "invalid_request_error",
            Self::InternalError
            | Self::UpstreamError
            | Self::NoMinerAvailable
            | Self::LedgerUnavailable
            | Self::Timeout => "server_error",
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimitExceeded
                | Self::InternalError
                | Self::UpstreamError
                | Self::NoMinerAvailable
                | Self::LedgerUnavailable
                | Self::Timeout
        )
    }
}

/// An error that goes to a customer, miner or validator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct ApiError {
    /// What went wrong.
    pub code: ErrorCode,
    /// In words: the value at fault and what to do. Never a prompt, an answer or a secret.
    pub message: String,
    /// The field at fault.
    pub param: Option<String>,
}

/// JSON of an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The only field.
    pub error: ErrorFields,
}

/// Fields of an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorFields {
    /// In words.
    pub message: String,
    /// OpenAI's coarser class.
    #[serde(rename = "type")]
    pub kind: String,
    /// [`ErrorCode::as_str`], or a provider's own code.
    pub code: Option<String>,
    /// The field at fault.
    #[serde(default)]
    pub param: Option<String>,
}

impl ApiError {
    /// An error without a field at fault.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), param: None }
    }

    /// A 400 about one field.
    #[must_use]
    pub fn invalid(param: &str, message: impl Into<String>) -> Self {
        Self { code: ErrorCode::InvalidRequestError, message: message.into(), param: Some(param.to_owned()) }
    }

    /// The JSON body.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            error: ErrorFields {
                message: self.message.clone(),
                kind: self.code.kind().to_owned(),
                code: Some(self.code.as_str().to_owned()),
                param: self.param.clone(),
            },
        }
    }

    /// The JSON body as text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts only: serialisation cannot fail, qed.
        serde_json::to_string(&self.body()).unwrap_or_default()
    }
}
