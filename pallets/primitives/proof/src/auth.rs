// SPDX-License-Identifier: Apache-2.0

use core::{fmt, str::FromStr};

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{Domain, Hash, HotkeyId, ProofError, Signature, Text, signing_payload, verify};

/// How far the time of a signed request may be from the receiver's clock, either way, in milliseconds.
pub const REQUEST_WINDOW_MS: u64 = 5_000;

/// Version of the handshake.
pub const HELLO_VERSION: u16 = 1;

/// Method of an HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "UPPERCASE"))]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
}

impl Method {
    /// The method as HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, ProofError> {
        [Self::Get, Self::Post, Self::Put, Self::Delete]
            .into_iter()
            .find(|method| method.as_str() == text)
            .ok_or(ProofError::Malformed)
    }
}

/// What a hotkey signs when it sends an HTTP request: bound to receiver, path, body and time, and usable once.
///
/// The receiver keeps the nonces of the window and refuses one it has seen.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RequestAuth {
    /// Method.
    pub method: Method,
    /// Path and query as they stand in the request line.
    pub path_and_query: Text<2048>,
    /// blake2-256 of the body; of the empty string without one.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub body_hash: Hash,
    /// Who is asked.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub receiver: HotkeyId,
    /// Who asks and signs.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub sender: HotkeyId,
    /// When, Unix milliseconds.
    pub time_ms: u64,
    /// Fresh randomness.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub nonce: [u8; 16],
}

impl RequestAuth {
    /// The 32 bytes that the sender signs.
    #[must_use]
    pub fn signing_payload(&self) -> Hash {
        signing_payload(Domain::Request, self)
    }

    /// Checks that the request is at most [`REQUEST_WINDOW_MS`] older or newer than `now_ms`.
    ///
    /// # Errors
    ///
    /// [`ProofError::OutsideWindow`].
    pub fn check_window(&self, now_ms: u64) -> Result<(), ProofError> {
        if self.time_ms.abs_diff(now_ms) <= REQUEST_WINDOW_MS {
            Ok(())
        } else {
            Err(ProofError::OutsideWindow { time_ms: self.time_ms, now_ms })
        }
    }

    /// Checks receiver, window and signature; the nonce is for the caller to look up.
    ///
    /// # Errors
    ///
    /// [`ProofError::WrongParty`], [`ProofError::OutsideWindow`] and those of [`verify`].
    pub fn verify(&self, receiver: &HotkeyId, now_ms: u64, signature: &Signature) -> Result<(), ProofError> {
        if self.receiver != *receiver {
            return Err(ProofError::WrongParty);
        }
        self.check_window(now_ms)?;
        verify(&self.sender, &self.signing_payload(), signature)
    }
}

/// What a miner signs to open a connection, over the nonce the gateway has just sent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Hello {
    /// [`HELLO_VERSION`].
    pub version: u16,
    /// Genesis hash of the chain.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub genesis: Hash,
    /// Subnet.
    pub netuid: u16,
    /// The gateway's hotkey.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub gateway: HotkeyId,
    /// The gateway's nonce of this connection.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub nonce: Hash,
    /// The miner's hotkey.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub hotkey: HotkeyId,
    /// blake2-256 of what the miner announces about itself.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub body_hash: Hash,
}

impl Hello {
    /// The 32 bytes that the miner signs.
    #[must_use]
    pub fn signing_payload(&self) -> Hash {
        signing_payload(Domain::Hello, self)
    }

    /// Checks version and signature. That genesis, netuid, gateway and nonce are the gateway's own is for the caller.
    ///
    /// # Errors
    ///
    /// [`ProofError::UnknownVersion`] and those of [`verify`].
    pub fn verify(&self, signature: &Signature) -> Result<(), ProofError> {
        if self.version != HELLO_VERSION {
            return Err(ProofError::UnknownVersion { found: self.version });
        }
        verify(&self.hotkey, &self.signing_payload(), signature)
    }
}

#[cfg(test)]
mod tests;
