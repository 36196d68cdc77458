// SPDX-License-Identifier: Apache-2.0

//! HTTP requests signed by a hotkey: four headers over [`RequestAuth`].
//!
//! The signature binds method, path with query, body, receiver, sender, time and nonce. The receiver checks them with
//! [`verify_request`] and keeps the nonce for twice the window; a nonce seen before is a replay.

use clawrank_proof::{HotkeyId, Keypair, Method, ProofError, RequestAuth, Text, blake2_256};

use crate::{
    encoding::{EncodingError, Hex, Hotkey},
    error::{ApiError, ErrorCode},
};

/// Header: the sender, ss58.
pub const HEADER_HOTKEY: &str = "x-clawrank-hotkey";
/// Header: Unix milliseconds of the sender's clock.
pub const HEADER_TIME: &str = "x-clawrank-time";
/// Header: 32 hexadecimal digits, fresh for each request.
pub const HEADER_NONCE: &str = "x-clawrank-nonce";
/// Header: 128 hexadecimal digits.
pub const HEADER_SIGNATURE: &str = "x-clawrank-signature";

/// What is signed about a request, besides time and nonce.
#[derive(Clone, Copy, Debug)]
pub struct SignedParts<'a> {
    /// Method.
    pub method: Method,
    /// Path and query as they stand in the request line.
    pub path_and_query: &'a str,
    /// Body; empty without one.
    pub body: &'a [u8],
    /// The receiver's hotkey.
    pub receiver: HotkeyId,
}

/// Why a signed request was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignedError {
    /// A header is absent.
    #[error("header `{header}` is missing; sign the request")]
    MissingHeader {
        /// Which.
        header: &'static str,
    },
    /// A header cannot be read.
    #[error("header `{header}` is malformed: {cause}")]
    MalformedHeader {
        /// Which.
        header: &'static str,
        /// Why.
        cause: EncodingError,
    },
    /// The time header is not a number.
    #[error("header `x-clawrank-time` is not Unix milliseconds")]
    MalformedTime,
    /// Path too long, outside the window, or the signature does not verify.
    #[error("signed request refused: {0}")]
    Proof(#[from] ProofErrorText),
}

/// A [`ProofError`] as an error source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofErrorText(pub ProofError);

impl core::fmt::Display for ProofErrorText {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for ProofErrorText {}

impl From<SignedError> for ApiError {
    fn from(error: SignedError) -> Self {
        Self::new(ErrorCode::InvalidApiKey, error.to_string())
    }
}

/// A request whose signature and window are right. The nonce is still to be checked against those seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who sent it.
    pub sender: HotkeyId,
    /// When, by the sender's clock.
    pub time_ms: u64,
    /// Its nonce.
    pub nonce: [u8; 16],
}

/// The headers that make a request a signed one.
///
/// # Errors
///
/// [`SignedError::Proof`] when the path is longer than 2,048 bytes, or the system gives no randomness.
pub fn sign_request(
    keypair: &Keypair,
    parts: SignedParts<'_>,
    time_ms: u64,
) -> Result<[(&'static str, String); 4], SignedError> {
    let nonce = Hex::<16>::random().map_err(|_| ProofErrorText(ProofError::BadSecret))?;
    let sender = keypair.public();
    let auth = auth(parts, sender, time_ms, nonce.0)?;
    let signature = Hex(keypair.sign(&auth.signing_payload()));
    Ok([
        (HEADER_HOTKEY, Hotkey(sender).to_string()),
        (HEADER_TIME, time_ms.to_string()),
        (HEADER_NONCE, nonce.to_string()),
        (HEADER_SIGNATURE, signature.to_string()),
    ])
}

/// Checks window and signature of a request whose headers `header` looks up.
///
/// # Errors
///
/// See [`SignedError`].
pub fn verify_request<'h>(
    header: impl Fn(&'static str) -> Option<&'h str>,
    parts: SignedParts<'_>,
    now_ms: u64,
) -> Result<Verified, SignedError> {
    let read = |name: &'static str| header(name).ok_or(SignedError::MissingHeader { header: name });
    let malformed = |header: &'static str| move |cause| SignedError::MalformedHeader { header, cause };
    let sender: Hotkey = read(HEADER_HOTKEY)?.parse().map_err(malformed(HEADER_HOTKEY))?;
    let time_ms: u64 = read(HEADER_TIME)?.parse().map_err(|_| SignedError::MalformedTime)?;
    let nonce: Hex<16> = read(HEADER_NONCE)?.parse().map_err(malformed(HEADER_NONCE))?;
    let signature: Hex<64> = read(HEADER_SIGNATURE)?.parse().map_err(malformed(HEADER_SIGNATURE))?;
    let auth = auth(parts, sender.0, time_ms, nonce.0)?;
    auth.verify(&parts.receiver, now_ms, &signature.0).map_err(ProofErrorText)?;
    Ok(Verified { sender: sender.0, time_ms, nonce: nonce.0 })
}

fn auth(parts: SignedParts<'_>, sender: HotkeyId, time_ms: u64, nonce: [u8; 16]) -> Result<RequestAuth, SignedError> {
    Ok(RequestAuth {
        method: parts.method,
        path_and_query: Text::new(parts.path_and_query).map_err(ProofErrorText)?,
        body_hash: blake2_256(parts.body),
        receiver: parts.receiver,
        sender,
        time_ms,
        nonce,
    })
}

#[cfg(test)]
mod tests;
