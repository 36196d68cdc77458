// SPDX-License-Identifier: Apache-2.0
//! Why a division of emission is refused.

use core::fmt;

/// Why emission cannot be divided as asked. Nothing is paid when one of these is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmissionError {
    /// Every score is zero, and the shortfall rule does not name a receiver.
    NoScore,
    /// Fewer positive scores than the cap needs: `positives · cap < 1` (rules §4.3).
    CapInfeasible {
        /// Scores above zero.
        positives: u32,
        /// Positive scores that the cap needs: `⌈1/cap⌉`.
        needed: u32,
    },
    /// The cap is below [`CapParams::MIN_CAP`](crate::CapParams::MIN_CAP), so that chain units would not fit into `u32`.
    CapTooSmall {
        /// The cap, in parts per billion.
        cap_ppb: u32,
    },
    /// The shortfall goes to the owner, but no owner's index was given.
    OwnerMissing,
    /// An index is not below the number of entries.
    IndexOutOfRange {
        /// The index given.
        index: u32,
        /// Number of entries.
        len: u32,
    },
    /// Two inputs that belong together have different lengths.
    LengthMismatch {
        /// Length of the first.
        expected: u32,
        /// Length of the other.
        found: u32,
    },
}

impl fmt::Display for EmissionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoScore => f.write_str("every score is zero; keep the emission until somebody earns it"),
            Self::CapInfeasible { positives, needed } => write!(
                f,
                "only {positives} positive scores where the cap needs {needed}; choose a shortfall rule or a higher cap"
            ),
            Self::CapTooSmall { cap_ppb } => {
                write!(f, "a cap of {cap_ppb} ppb is too small for chain units; use at least 20000 ppb (0.002%)")
            }
            Self::OwnerMissing => f.write_str("the shortfall goes to the owner, but the owner has no uid; register it"),
            Self::IndexOutOfRange { index, len } => {
                write!(f, "index {index} is outside the {len} entries; give an index below {len}")
            }
            Self::LengthMismatch { expected, found } => {
                write!(f, "inputs of {expected} and {found} entries belong together; give one entry per uid in both")
            }
        }
    }
}

impl core::error::Error for EmissionError {}
