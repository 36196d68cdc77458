// SPDX-License-Identifier: Apache-2.0

//! Carriers, and what may be inside them.

use crate::{Call, Config};
use clawrank_shield::MAX_PLAINTEXT_BYTES;
use codec::{Decode, DecodeLimit};
use core::fmt;
use frame_support::traits::IsSubType;
use sp_runtime::generic::{Preamble, UncheckedExtrinsic};

/// How deep calls may lie in each other, as for extrinsics that come in the open.
pub const MAX_DEPTH: u32 = frame_support::MAX_EXTRINSIC_DEPTH;

/// Why a plaintext is not executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InnerError {
    /// No extrinsic of this chain, or bytes behind it.
    Undecodable,
    /// Nobody signed it: an inherent, or a call that proves itself.
    NotSigned,
    /// It carries an envelope itself.
    Carrier,
}

impl fmt::Display for InnerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Undecodable => "no extrinsic of this chain",
            Self::NotSigned => "not a signed extrinsic",
            Self::Carrier => "an envelope inside an envelope",
        })
    }
}

impl core::error::Error for InnerError {}

/// The envelope that a signed extrinsic carries, if it is a carrier.
pub fn carried<T, A, S, E>(extrinsic: &UncheckedExtrinsic<A, T::RuntimeCall, S, E>) -> Option<&[u8]>
where
    T: Config,
    T::RuntimeCall: IsSubType<Call<T>>,
{
    match (&extrinsic.preamble, extrinsic.function.is_sub_type()) {
        (Preamble::Signed(..), Some(Call::submit_encrypted { ciphertext })) => Some(ciphertext),
        _ => None,
    }
}

/// Checks that a plaintext is one signed extrinsic that an author may put into its block; whether it is valid there, the
/// block itself decides.
///
/// An inherent in this place would make the whole block invalid, and would speak for its author: whoever encrypts one
/// must not get it executed.
///
/// # Errors
///
/// Why it may not.
pub fn read_inner<T, A, S, E>(plaintext: &[u8]) -> Result<UncheckedExtrinsic<A, T::RuntimeCall, S, E>, InnerError>
where
    T: Config,
    T::RuntimeCall: IsSubType<Call<T>>,
    UncheckedExtrinsic<A, T::RuntimeCall, S, E>: Decode,
{
    if plaintext.len() > MAX_PLAINTEXT_BYTES {
        return Err(InnerError::Undecodable);
    }
    let extrinsic =
        UncheckedExtrinsic::<A, T::RuntimeCall, S, E>::decode_all_with_depth_limit(MAX_DEPTH, &mut &*plaintext)
            .map_err(|_| InnerError::Undecodable)?;
    if !matches!(extrinsic.preamble, Preamble::Signed(..)) {
        return Err(InnerError::NotSigned);
    }
    if carried::<T, A, S, E>(&extrinsic).is_some() {
        return Err(InnerError::Carrier);
    }
    Ok(extrinsic)
}
