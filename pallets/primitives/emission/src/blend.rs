// SPDX-License-Identifier: Apache-2.0
//! Two mechanisms' shares as one score vector, for a chain that runs the subnet with one mechanism.

use alloc::vec::Vec;
use clawrank_units::Ppb;

use crate::error::EmissionError;

#[cfg(test)]
mod tests;

/// Blends two share vectors: `serving_share · serving_i + (1 - serving_share) · intel_i`, exact, in parts of 10^18.
///
/// Both inputs are shares in parts per billion, one entry per uid, as [`allocate`](crate::allocate()) gives them. The
/// result is a score vector for `allocate`, which applies the cap again: the blend of two capped vectors is
/// itself capped, but not so after a shortfall. A mechanism in which nobody earned (all zeros) leaves its part to the
/// other, since scores are relative. Rules, introduction.
///
/// # Errors
///
/// [`EmissionError::LengthMismatch`]: the vectors have different lengths.
pub fn blend(serving_shares: &[u32], intel_shares: &[u32], serving_share: Ppb) -> Result<Vec<u128>, EmissionError> {
    if serving_shares.len() != intel_shares.len() {
        return Err(EmissionError::LengthMismatch {
            expected: u32::try_from(serving_shares.len()).unwrap_or(u32::MAX),
            found: u32::try_from(intel_shares.len()).unwrap_or(u32::MAX),
        });
    }
    let (serving_part, intel_part) = (u64::from(serving_share.parts()), u64::from(serving_share.complement().parts()));
    // Below 2^32 · 10^9 each, so neither product nor sum overflows.
    let blended = |(&serving, &intel): (&u32, &u32)| {
        let serving = u64::from(serving).wrapping_mul(serving_part);
        u128::from(serving.wrapping_add(u64::from(intel).wrapping_mul(intel_part)))
    };
    Ok(serving_shares.iter().zip(intel_shares).map(blended).collect())
}
