// SPDX-License-Identifier: Apache-2.0

//! When a subnet's epochs run, for chain and workers alike.
//!
//! The tempo can change in the middle of an epoch, an epoch can be brought forward or put off, so nothing here follows
//! from a block number alone: [`EpochState`] is the chain's own state, [`EpochState::step`] what one block does to it.
//! A worker that wants to know the future steps a copy.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::float_arithmetic))]

use clawrank_units::Ppb;

#[cfg(test)]
mod tests;

/// Blocks since the last epoch, by count, after which one runs whatever the tempo says.
pub const MAX_BLOCKS_SINCE_STEP: u64 = 50_400;

/// Epochs that [`EpochState::first_block_of`] looks ahead: ten times the longest reveal period.
pub const MAX_EPOCHS_AHEAD: u64 = 1_000;

/// A subnet's schedule after some block. A tempo of 0 means that no epoch ever runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EpochState {
    /// Blocks per epoch.
    pub tempo: u16,
    /// Block in which the last epoch ran.
    pub last_epoch_block: u64,
    /// Block that an epoch was put off to or brought forward to; 0 for none.
    pub pending_epoch_at: u64,
    /// How many epochs have run.
    pub epoch_index: u64,
    /// Blocks counted since the last epoch.
    pub blocks_since_last_step: u64,
}

/// What a block did to a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// No epoch was due; the block was counted.
    Idle,
    /// An epoch ran.
    Ran,
    /// One was due and was put off to the next block.
    Deferred,
}

impl EpochState {
    /// Whether an epoch is due in `block`: it was put off or brought forward to it or before, the tempo has passed since
    /// the last one, or more than [`MAX_BLOCKS_SINCE_STEP`] blocks were counted.
    #[must_use]
    pub const fn is_due(&self, block: u64) -> bool {
        self.tempo != 0
            && ((self.pending_epoch_at > 0 && block >= self.pending_epoch_at)
                || self.blocks_since_last_step > MAX_BLOCKS_SINCE_STEP
                || block.saturating_sub(self.last_epoch_block) >= self.tempo as u64)
    }

    /// The epoch that calls of `block` count to: one more than have run while one is due.
    #[must_use]
    pub const fn epoch_at(&self, block: u64) -> u64 {
        self.epoch_index.saturating_add(self.is_due(block) as u64)
    }

    /// The block in which the next epoch is due, `min(last + tempo, pending)`; `None` with tempo 0.
    #[must_use]
    pub fn next_epoch_block(&self) -> Option<u64> {
        if self.tempo == 0 {
            return None;
        }
        let regular = self.last_epoch_block.saturating_add(u64::from(self.tempo));
        Some(if self.pending_epoch_at > 0 { regular.min(self.pending_epoch_at) } else { regular })
    }

    /// Does what `block` does before its calls: counts it, and runs an epoch that is due, or puts it off to the next
    /// block where `may_run` is false because the block has run all the epochs it can.
    pub const fn step(&mut self, block: u64, may_run: bool) -> Step {
        self.blocks_since_last_step = self.blocks_since_last_step.saturating_add(1);
        if !self.is_due(block) {
            return Step::Idle;
        }
        if !may_run {
            self.pending_epoch_at = block.saturating_add(1);
            return Step::Deferred;
        }
        self.last_epoch_block = block;
        self.pending_epoch_at = 0;
        self.blocks_since_last_step = 0;
        self.epoch_index = self.epoch_index.saturating_add(1);
        Step::Ran
    }

    /// The first block after `head` that the chain counts to `epoch` or a later one, when `self` is the state after
    /// `head` and nothing intervenes.
    ///
    /// Nothing intervenes means: no epoch is put off from now on, nobody changes the tempo. Both make the true block a
    /// later one, or an earlier one where the tempo is cut: ask again at the next head. `None` with tempo 0, and for an
    /// epoch more than [`MAX_EPOCHS_AHEAD`] away. O(epochs).
    #[must_use]
    pub fn first_block_of(mut self, head: u64, epoch: u64) -> Option<u64> {
        if self.tempo == 0 || epoch.saturating_sub(self.epoch_index) > MAX_EPOCHS_AHEAD {
            return None;
        }
        let mut block = head;
        loop {
            let next = block.checked_add(1)?;
            if self.epoch_at(next) >= epoch {
                return Some(next);
            }
            block = next;
            if !matches!(self.step(next, true), Step::Idle) {
                continue;
            }
            block = self.quiet_until(next);
            self.blocks_since_last_step = self.blocks_since_last_step.saturating_add(block.saturating_sub(next));
        }
    }

    /// The first block in which the chain reveals a commit that gets into the block after `head`; the commit's epoch is
    /// `epoch_at(head + 1)`. `None` as for [`Self::first_block_of`].
    #[must_use]
    pub fn first_reveal_block(&self, head: u64, reveal_period_epochs: u64) -> Option<u64> {
        let committed_in = self.epoch_at(head.saturating_add(1));
        self.first_block_of(head, committed_in.saturating_add(reveal_period_epochs))
    }

    /// A block not before `block` up to which every step is idle.
    fn quiet_until(&self, block: u64) -> u64 {
        let by_count = MAX_BLOCKS_SINCE_STEP.saturating_sub(self.blocks_since_last_step);
        let due = self.next_epoch_block().unwrap_or(u64::MAX).min(block.saturating_add(by_count).saturating_add(1));
        due.saturating_sub(1).max(block)
    }
}

/// Part of the tempo that a challenge waits for its round of the beacon at most.
pub const BEACON_WAIT: Ppb = Ppb::from_percent(2);

/// Most blocks that a challenge waits for its round of the beacon.
const MAX_BEACON_WAIT: u64 = 10;

/// Blocks that a challenge waits for its round of the beacon to be stored: [`BEACON_WAIT`] of the tempo, 10 at most; 0
/// where an epoch has no time for it.
#[must_use]
pub fn beacon_wait(tempo: u16) -> u64 {
    part_of_tempo(tempo, BEACON_WAIT).min(MAX_BEACON_WAIT)
}

/// `⌊part · tempo⌋` blocks: at most the tempo.
#[must_use]
pub fn part_of_tempo(tempo: u16, part: Ppb) -> u64 {
    u64::try_from(part.mul_floor(tempo.into())).unwrap_or(u64::from(tempo))
}
