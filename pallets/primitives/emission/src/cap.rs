// SPDX-License-Identifier: Apache-2.0
//! The ceiling of one miner's share and what happens when it cannot hold.

use clawrank_units::Ppb;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::error::EmissionError;

/// What to do with fewer positive scores than `⌈1/cap⌉`, when the shares cannot sum to one under the cap.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Shortfall {
    /// Every positive score gets the same share, `1 / positives`: the smallest ceiling that can hold. A zero score,
    /// which may be a tripped gate, still gets nothing; without any positive score the division is refused.
    #[default]
    Uniform,
    /// Every positive score gets the cap and the owner's uid gets the rest. On the public chain this counts as
    /// withheld emission and costs the subnet.
    ToOwner,
    /// Refuse: nothing is paid this epoch.
    Skip,
}

/// The ceiling of one miner's share and the rule for when it cannot hold (rules §4.2, §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CapParams {
    /// Largest share of one miner.
    pub cap: Ppb,
    /// What to do when there are too few positive scores for it.
    pub shortfall: Shortfall,
}

impl Default for CapParams {
    fn default() -> Self {
        Self { cap: Ppb::from_percent(15), shortfall: Shortfall::Uniform }
    }
}

impl CapParams {
    /// The smallest cap that can be used, 0.002 %: below it the chain units would not fit into `u32`.
    pub const MIN_CAP: Ppb = Ppb::from_ppb_clamped(20_000);

    /// Positive scores that the cap needs: `⌈1/cap⌉`; 7 at 15 %.
    ///
    /// # Errors
    ///
    /// [`EmissionError::CapTooSmall`]: the cap is below [`Self::MIN_CAP`].
    pub fn needed(&self) -> Result<u32, EmissionError> {
        if self.cap < Self::MIN_CAP {
            return Err(EmissionError::CapTooSmall { cap_ppb: self.cap.parts() });
        }
        Ok(Ppb::PARTS.div_ceil(self.cap.parts().max(1)))
    }

    /// Total of the chain units, `⌈65,535 / cap⌉`; 436,900 at 15 % (rules §4.4).
    ///
    /// # Errors
    ///
    /// [`EmissionError::CapTooSmall`]: the cap is below [`Self::MIN_CAP`].
    pub fn chain_units(&self) -> Result<u32, EmissionError> {
        self.needed()?;
        let parts = u64::from(self.cap.parts().max(1));
        let units = u64::from(u16::MAX).saturating_mul(u64::from(Ppb::PARTS)).div_ceil(parts);
        u32::try_from(units).map_err(|_| EmissionError::CapTooSmall { cap_ppb: self.cap.parts() })
    }
}
