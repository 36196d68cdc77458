// SPDX-License-Identifier: Apache-2.0

use core::fmt;

use clawrank_emission::{CapParams, Shortfall};
use clawrank_gate::{GateParams, tail::MAX_TRIALS};
use clawrank_scoring::{IntelParams, MAX_PROBE_HISTORY, ServingParams};
use clawrank_units::Ppb;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Version of the layout of [`Params`].
pub const PARAMS_VERSION: u16 = 1;

/// How serving is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum ServingRule {
    /// Shares of two pools (rules §1.2).
    Shares,
    /// Points that saturate (rules §1.3).
    #[cfg_attr(feature = "serde", serde(rename = "tensorclaw-v1"))]
    TensorclawV1,
}

/// How much a validator asks for (rules §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ChallengeParams {
    /// Leaves that each bundle must open.
    pub leaves: u32,
    /// Tasks replayed per cell; at most 256.
    pub replays_per_cell: u32,
}

/// Every parameter of the rules (`docs/rules.md`).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Params {
    /// [`PARAMS_VERSION`].
    pub version: u16,
    /// How serving is scored.
    pub serving_rule: ServingRule,
    /// Part of serving where the chain runs the subnet with one mechanism; intel has the rest.
    pub serving_share: Ppb,
    /// Serving.
    pub serving: ServingParams,
    /// Intel.
    pub intel: IntelParams,
    /// Gate.
    pub gate: GateParams,
    /// Challenges.
    pub challenge: ChallengeParams,
    /// Cap on a miner's share, and what to do when it cannot hold.
    pub cap: CapParams,
}

/// Why parameters are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamsError {
    /// Another layout.
    Version {
        /// Version found.
        found: u16,
    },
    /// Weights that must sum to 1 do not.
    Weights {
        /// Whose weights.
        of: &'static str,
        /// Their sum, parts per billion.
        sum: u64,
    },
    /// A value outside its range.
    OutOfRange {
        /// Which value.
        name: &'static str,
        /// What it was, in its own unit.
        found: u64,
    },
}

impl fmt::Display for ParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { found } => write!(f, "parameters of version {found}, expected {PARAMS_VERSION}; upgrade"),
            Self::Weights { of, sum } => write!(f, "weights of {of} sum to {sum} ppb; make it 1000000000"),
            Self::OutOfRange { name, found } => write!(f, "{name} is {found}, outside its range; see docs/rules.md"),
        }
    }
}

impl core::error::Error for ParamsError {}

impl Params {
    /// Names of the presets, the default first.
    pub const PRESETS: [&'static str; 3] = ["clawrank", "local", "tensorclaw-v1"];

    /// Part of the tempo, from the epoch's first block on, in which a bundle's root must be on chain (rules §2.2). Chain,
    /// miners and validators must agree on it, so it is not a setting; blocks are rounded down by
    /// [`part_of_tempo`](crate::schedule::part_of_tempo).
    pub const BUNDLE_DEADLINE: Ppb = Ppb::from_percent(60);

    /// The subnet's parameters.
    #[must_use]
    pub const fn clawrank() -> Self {
        Self {
            version: PARAMS_VERSION,
            serving_rule: ServingRule::Shares,
            serving_share: Ppb::from_percent(50),
            serving: ServingParams::clawrank(),
            intel: IntelParams::clawrank(),
            gate: GateParams::clawrank(),
            challenge: ChallengeParams { leaves: 32, replays_per_cell: 32 },
            cap: CapParams { cap: Ppb::from_percent(15), shortfall: Shortfall::Uniform },
        }
    }

    /// Parameters for local chains: no minimum fee, one payer may be all traffic, short epochs. See [`Params::notice`].
    #[must_use]
    pub const fn local() -> Self {
        Self {
            serving: ServingParams::local(),
            gate: GateParams::local(),
            challenge: ChallengeParams { leaves: 8, replays_per_cell: 16 },
            ..Self::clawrank()
        }
    }

    /// The older rule of serving, for comparison (rules §1.3).
    #[must_use]
    pub const fn tensorclaw_v1() -> Self {
        Self { serving_rule: ServingRule::TensorclawV1, ..Self::clawrank() }
    }

    /// The preset of this name.
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "clawrank" => Some(Self::clawrank()),
            "local" => Some(Self::local()),
            "tensorclaw-v1" => Some(Self::tensorclaw_v1()),
            _ => None,
        }
    }

    /// What every report made under these parameters must say, if anything.
    #[must_use]
    pub fn notice(&self) -> Option<&'static str> {
        let free = self.serving.tokens_per_micro_usd.is_none();
        let single = self.serving.payer_cap.is_one();
        match (self.serving_rule, free, single) {
            (ServingRule::TensorclawV1, ..) => {
                Some("tensorclaw-v1: volume saturates and may be bought from oneself; for comparison only")
            }
            (_, true, true) => {
                Some("no minimum fee and no limit per payer: volume can be bought from oneself; for local chains only")
            }
            (_, true, false) => Some("no minimum fee: volume can be bought from oneself; for local chains only"),
            (_, false, true) => {
                Some("no limit per payer: one payer can be all of a miner's traffic; for local chains only")
            }
            (_, false, false) => None,
        }
    }

    /// Checks that the parameters make sense together.
    ///
    /// # Errors
    ///
    /// [`ParamsError`], the first found.
    pub fn ensure_valid(&self) -> Result<(), ParamsError> {
        if self.version != PARAMS_VERSION {
            return Err(ParamsError::Version { found: self.version });
        }
        let (serving, intel) = (&self.serving, &self.intel);
        ensure_sum(
            "base",
            [serving.weight_whitelist, serving.weight_answered, serving.weight_response, serving.weight_reliability],
        )?;
        ensure_sum(
            "intel",
            [intel.weight_accuracy, intel.weight_usefulness, intel.weight_freshness, intel.weight_coverage],
        )?;
        let within = |name: &'static str, found: u64, least: u64, most: u64| {
            if (least..=most).contains(&found) { Ok(()) } else { Err(ParamsError::OutOfRange { name, found }) }
        };
        let (trials, billion) = (u64::from(MAX_TRIALS), u64::from(Ppb::PARTS));
        within("serving.window_minutes", serving.window_minutes.into(), 1, 44_640)?;
        within("serving.probe_history", serving.probe_history.into(), 1, MAX_PROBE_HISTORY.into())?;
        within("serving.probe_deadline_ms", serving.probe_deadline_ms.into(), 1, 600_000)?;
        within("serving.recount_factor", serving.recount_factor.into(), 1, 1_000)?;
        within("serving.tokens_per_micro_usd", serving.tokens_per_micro_usd.unwrap_or(1), 1, u64::MAX)?;
        within("serving.payer_cap", serving.payer_cap.parts().into(), 1, billion)?;
        let tiers = serving.response_tiers.map(|tier| tier.below_ms);
        if !tiers.is_sorted() {
            return Err(ParamsError::OutOfRange {
                name: "serving.response_tiers",
                found: tiers.map(u64::from).into_iter().max().unwrap_or(0),
            });
        }
        within("intel.band", intel.band.parts().into(), 1, billion)?;
        within("intel.half_life_epochs", intel.half_life_epochs.into(), 1, u32::MAX.into())?;
        within("intel.n_min", intel.n_min.into(), 1, u32::MAX.into())?;
        within("gate.alpha", self.gate.alpha.parts().into(), 1, billion / 2)?;
        within("gate.noise", self.gate.noise.parts().into(), 1, billion)?;
        within("gate.tol", self.gate.tol.parts().into(), 0, billion / 2)?;
        within("gate.k_min", self.gate.k_min.into(), 1, trials)?;
        within("gate.n_min", self.gate.n_min.into(), 1, u32::MAX.into())?;
        within("challenge.replays_per_cell", self.challenge.replays_per_cell.into(), self.gate.k_min.into(), trials)?;
        within("cap.cap", self.cap.cap.parts().into(), CapParams::MIN_CAP.parts().into(), billion)
    }
}

impl Default for Params {
    fn default() -> Self {
        Self::clawrank()
    }
}

fn ensure_sum(of: &'static str, weights: [Ppb; 4]) -> Result<(), ParamsError> {
    let sum = weights.iter().fold(0u64, |sum, weight| sum.saturating_add(weight.parts().into()));
    if sum == u64::from(Ppb::PARTS) { Ok(()) } else { Err(ParamsError::Weights { of, sum }) }
}

#[cfg(test)]
mod tests;
