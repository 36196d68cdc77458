// SPDX-License-Identifier: Apache-2.0

//! Tables of caps and codes.

use clawrank_protocol::{
    ErrorCode,
    frames::RefusalCode,
    limits,
    proof::{MAX_ATTEMPTS, MAX_CELLS, MAX_ENDPOINTS, MAX_OPENED_BYTES, MAX_RECEIPT_BYTES},
    tasks::MAX_CHECKED_BYTES,
    text::RECOUNT_SLACK_TOKENS,
};

use crate::page::Examples;

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn caps(examples: &mut Examples) {
    let caps: [(&str, u64); 26] = [
        ("PROTOCOL_VERSION", limits::PROTOCOL_VERSION.into()),
        ("MAX_MINER_FRAME_BYTES", limits::MAX_MINER_FRAME_BYTES as u64),
        ("MAX_GATEWAY_FRAME_BYTES", limits::MAX_GATEWAY_FRAME_BYTES as u64),
        ("MAX_BODY_BYTES", limits::MAX_BODY_BYTES as u64),
        ("MAX_BUNDLE_BODY_BYTES", limits::MAX_BUNDLE_BODY_BYTES as u64),
        ("MAX_DELIVERED_BYTES", limits::MAX_DELIVERED_BYTES),
        ("MAX_MODELS", limits::MAX_MODELS as u64),
        ("MAX_MODEL_BYTES", limits::MAX_MODEL_BYTES as u64),
        ("MAX_AGENT_BYTES", limits::MAX_AGENT_BYTES as u64),
        ("MAX_MESSAGE_BYTES", limits::MAX_MESSAGE_BYTES as u64),
        ("MAX_HEX_DIGITS", limits::MAX_HEX_DIGITS as u64),
        ("MAX_OPEN_LEAVES", limits::MAX_OPEN_LEAVES as u64),
        ("MAX_PATH_NODES", limits::MAX_PATH_NODES as u64),
        ("MAX_MESSAGES", limits::MAX_MESSAGES as u64),
        ("MAX_CHOICES", limits::MAX_CHOICES.into()),
        ("MAX_OUTPUT_TOKENS", limits::MAX_OUTPUT_TOKENS.into()),
        ("MAX_RECEIPTS_PAGE", limits::MAX_RECEIPTS_PAGE.into()),
        ("MAX_RECEIPT_BYTES", MAX_RECEIPT_BYTES.into()),
        ("MAX_ATTEMPTS", MAX_ATTEMPTS.into()),
        ("MAX_CELLS", MAX_CELLS.into()),
        ("MAX_ENDPOINTS", MAX_ENDPOINTS.into()),
        ("MAX_OPENED_BYTES", MAX_OPENED_BYTES.into()),
        ("MAX_CHECKED_BYTES", MAX_CHECKED_BYTES as u64),
        ("OUTBOUND_QUEUE", limits::OUTBOUND_QUEUE as u64),
        ("RECOUNT_SLACK_TOKENS", RECOUNT_SLACK_TOKENS.into()),
        ("MISSED_PINGS", limits::MISSED_PINGS.into()),
    ];
    let times: [(&str, u64); 5] = [
        ("AUTH_DEADLINE_MS", limits::AUTH_DEADLINE_MS),
        ("PING_INTERVAL_MS", limits::PING_INTERVAL_MS),
        ("STUCK_MS", limits::STUCK_MS),
        ("OPEN_DEADLINE_MS", limits::OPEN_DEADLINE_MS),
        ("SIGNED_WINDOW_MS", limits::SIGNED_WINDOW_MS),
    ];
    for (name, value) in caps.into_iter().chain(times) {
        examples.row(&[&format!("`{name}`"), &grouped(value)]);
    }
}

fn codes(examples: &mut Examples) {
    for code in [
        RefusalCode::BadSignature,
        RefusalCode::Unregistered,
        RefusalCode::ReplayedNonce,
        RefusalCode::Version,
        RefusalCode::TooManyModels,
        RefusalCode::Quota,
        RefusalCode::BadFrame,
        RefusalCode::FrameTooLarge,
        RefusalCode::AuthTimeout,
        RefusalCode::Stuck,
        RefusalCode::Shutdown,
    ] {
        examples.row(&[&format!("`{}`", code.as_str()), if code.is_retryable() { "yes" } else { "no" }]);
    }
    for code in [
        ErrorCode::InvalidRequestError,
        ErrorCode::InvalidApiKey,
        ErrorCode::InsufficientBalance,
        ErrorCode::PermissionDenied,
        ErrorCode::ModelNotFound,
        ErrorCode::NotFound,
        ErrorCode::ReplayedNonce,
        ErrorCode::BodyTooLarge,
        ErrorCode::RateLimitExceeded,
        ErrorCode::InternalError,
        ErrorCode::UpstreamError,
        ErrorCode::NoMinerAvailable,
        ErrorCode::LedgerUnavailable,
        ErrorCode::Timeout,
    ] {
        let retry = if code.is_retryable() { "yes" } else { "no" };
        let names = [code.as_str(), code.kind()].map(|name| format!("`{name}`"));
        examples.row(&[&code.status().to_string(), &names[0], &names[1], retry]);
    }
}

pub(crate) fn examples(examples: &mut Examples) {
    caps(examples);
    codes(examples);
}
