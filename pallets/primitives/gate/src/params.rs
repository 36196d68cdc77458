// SPDX-License-Identifier: Apache-2.0

use clawrank_units::Ppb;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Parameters of the gate (rules §3).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct GateParams {
    /// Probability with which all statistical tests on one honest submission together may trip.
    pub alpha: Ppb,
    /// Probability, per test of a median, below which the sampling noise of the claim itself is no explanation.
    pub noise: Ppb,
    /// How far a claim may be from the truth before it is wrong, relative to the claim.
    pub tol: Ppb,
    /// Fewer replays than this decide nothing on a cell.
    pub k_min: u32,
    /// Fewer `Ok` attempts than this decide nothing on a cell.
    pub n_min: u32,
    /// Absolute difference in latency that is never a lie, milliseconds; for endpoints faster than the clock is fine.
    pub latency_slack_ms: u32,
    /// How far an attempt may lie outside the epoch, for clocks that differ, milliseconds.
    pub window_slack_ms: u32,
    /// Attempts with the same task, cell, times and tokens as another miner's from which on they count as copied.
    pub duplicate_attempts: u32,
}

impl GateParams {
    /// The subnet's parameters.
    #[must_use]
    pub const fn clawrank() -> Self {
        Self {
            alpha: Ppb::from_ppb_clamped(500_000),
            noise: Ppb::from_ppb_clamped(200_000),
            tol: Ppb::from_percent(25),
            k_min: 8,
            n_min: 30,
            latency_slack_ms: 5,
            window_slack_ms: 2_000,
            duplicate_attempts: 3,
        }
    }

    /// Parameters for local chains with short epochs: cells with few attempts are verified too.
    #[must_use]
    pub const fn local() -> Self {
        Self { n_min: 8, window_slack_ms: 10_000, ..Self::clawrank() }
    }
}

impl Default for GateParams {
    fn default() -> Self {
        Self::clawrank()
    }
}
