// SPDX-License-Identifier: Apache-2.0
//! Where in an epoch a block is. Only the chain's own state decides: no modulo of block numbers, no wall clock.

use clawrank_client::types::SubnetSnapshot;
use clawrank_primitives::{
    Params,
    schedule::{beacon_wait, part_of_tempo},
    units::Ppb,
};

use crate::Config;

#[cfg(test)]
mod tests;

/// Parts of the tempo at which an epoch's stages end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// After it scores are made from the replays there are.
    pub replay_until: Ppb,
    /// By then weights should be sent.
    pub commit_by: Ppb,
}

impl From<&Config> for Schedule {
    fn from(config: &Config) -> Self {
        Self { replay_until: config.replay_until, commit_by: config.commit_by }
    }
}

/// The epoch that a snapshot lies in, and the blocks at which its stages end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochClock {
    /// Which epoch.
    pub epoch: u64,
    /// Block of the last epoch step: the epoch's first block.
    pub start_block: u64,
    /// Last block in which a bundle counts: `start + ⌊d · tempo⌋`, d = [`Params::BUNDLE_DEADLINE`].
    pub deadline_block: u64,
    /// The block after it: the challenge seed is the beacon's first round after its time, else its hash.
    pub seed_block: u64,
    /// Last block in which that round may be stored; the seed's block where there is no time to wait for one.
    pub decides_block: u64,
    /// Last block for replays.
    pub replay_until_block: u64,
    /// Block by which weights should be sent.
    pub commit_by_block: u64,
    /// First block that the chain counts to the next epoch.
    pub next_epoch_block: u64,
}

impl EpochClock {
    /// The clock of a snapshot; `None` with tempo 0.
    ///
    /// The deadline follows from the tempo alone, so that miners and validators agree on it. The later stages also end
    /// before an epoch that the chain runs early (`pending_epoch_at`).
    #[must_use]
    pub fn at(snapshot: &SubnetSnapshot, schedule: &Schedule) -> Option<Self> {
        let next_epoch_block = snapshot.next_epoch_block()?;
        let start = snapshot.last_epoch_block;
        let after = |part: Ppb| start.saturating_add(part_of_tempo(snapshot.tempo, part));
        let deadline_block = after(Params::BUNDLE_DEADLINE);
        let seed_block = deadline_block.saturating_add(1);
        let last = next_epoch_block.saturating_sub(2);
        let commit_by_block = after(schedule.commit_by).min(last);
        Some(Self {
            epoch: snapshot.epoch_index,
            start_block: start,
            deadline_block,
            seed_block,
            decides_block: seed_block.saturating_add(beacon_wait(snapshot.tempo)),
            replay_until_block: after(schedule.replay_until).min(commit_by_block.saturating_sub(1)),
            commit_by_block,
            next_epoch_block,
        })
    }

    /// Whether a transaction sent at `head` can still be in a block that the chain counts to this epoch.
    ///
    /// From the due block on the chain counts to the next epoch, also where it has deferred the step itself.
    #[must_use]
    pub fn is_open_at(&self, head: u64) -> bool {
        head.saturating_add(1) < self.next_epoch_block
    }
}
