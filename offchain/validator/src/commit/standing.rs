// SPDX-License-Identifier: Apache-2.0
//! Where the validator stands with the chain right now, apart from any epoch: `reports/standing.json`.

use clawrank_client::types::{Beacon, SubnetSnapshot};
use serde::{Deserialize, Serialize};

use super::{
    blocked::BlockedReport,
    round::{RevealPlan, published_ms},
};

/// Blocks by which final heads may lag behind the clock without a warning.
const FINALITY_BLOCKS: u64 = 8;

/// Periods of the beacon by which the chain may lag behind it without a warning.
const BEACON_PERIODS: u64 = 20;

/// What a timelocked commit that is sent now would be revealed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeaconReport {
    /// Newest round that the chain has stored.
    pub last_stored_round: u64,
    /// When that round was published, Unix milliseconds.
    pub last_stored_ms: u64,
    /// Round for a commit that is sent now.
    pub round: Option<u64>,
    /// First block that can reveal it.
    pub first_reveal_block: Option<u64>,
}

impl BeaconReport {
    pub(crate) fn of(beacon: &Beacon, plan: Option<RevealPlan>) -> Self {
        Self {
            last_stored_round: beacon.last_stored_round,
            last_stored_ms: published_ms(beacon, beacon.last_stored_round),
            round: plan.map(|plan| plan.round),
            first_reveal_block: plan.map(|plan| plan.first_block),
        }
    }
}

/// What the chain would say to weights now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Block that all of this was read at.
    pub block: u64,
    /// That block's time, Unix milliseconds.
    pub block_time_ms: u64,
    /// Epoch that the chain counts the next block to.
    pub epoch: u64,
    /// First block of the next epoch.
    pub next_epoch_block: u64,
    /// `plain`, `salted` or `timelocked`; absent where the chain's way is not known.
    pub form: Option<String>,
    /// The chain's beacon, if it has one.
    pub beacon: Option<BeaconReport>,
    /// Why weights cannot be set now, and when they can; empty where they can.
    pub blocked: Vec<BlockedReport>,
    /// What somebody should look at.
    pub warnings: Vec<String>,
}

impl Standing {
    /// Whether what an operator acts on is the same.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let reasons = |standing: &Self| -> Vec<(u8, String)> {
            standing.blocked.iter().map(|blocked| (blocked.mecid, blocked.message.clone())).collect()
        };
        self.form == other.form && self.warnings == other.warnings && reasons(self) == reasons(other)
    }
}

/// What is wrong with the subnet's settings, this machine's clock or the beacon's arrival, in words.
///
/// `seen_ms` is this machine's time when the head became known. A final head is some blocks old when it does, so a clock
/// that is ahead shows only beyond [`FINALITY_BLOCKS`]; one that is behind shows at once.
#[must_use]
pub fn warnings(subnet: &SubnetSnapshot, beacon: Option<&Beacon>, seen_ms: u64) -> Vec<String> {
    let mut warnings = Vec::new();
    let gap = subnet.reveal_period_epochs.saturating_mul(subnet.tempo.into());
    if subnet.commit_reveal && u64::from(subnet.immunity_period) <= gap {
        warnings.push(format!(
            "immunity period {} blocks is not above commit-reveal's {gap}: miners can be pruned before any weight for \
             them is revealed; ask the subnet's owner to raise it",
            subnet.immunity_period
        ));
    }
    let round_ms = beacon.map_or(subnet.block_time_ms, |beacon| u64::from(beacon.period).saturating_mul(1_000));
    let chain_ms = subnet.head.timestamp_ms;
    if seen_ms.saturating_add(round_ms) < chain_ms {
        warnings.push("this machine's clock is behind the chain's by more than a round; set it by NTP".to_owned());
    }
    let lag_ms = FINALITY_BLOCKS.saturating_mul(subnet.block_time_ms).saturating_add(round_ms);
    if seen_ms > chain_ms.saturating_add(lag_ms) {
        warnings.push(format!(
            "the newest final block is more than {FINALITY_BLOCKS} blocks older than this machine's clock: the chain or \
             the node is late, or the clock is ahead"
        ));
    }
    if let Some(beacon) = beacon {
        let stored_ms = published_ms(beacon, beacon.last_stored_round);
        let tolerated = round_ms.saturating_mul(BEACON_PERIODS).saturating_add(lag_ms);
        if beacon.last_stored_round > 0 && stored_ms.saturating_add(tolerated) < chain_ms {
            warnings
                .push("the chain's newest round of its beacon is old: reveals wait until rounds come again".to_owned());
        }
    }
    warnings
}
