// SPDX-License-Identifier: Apache-2.0

use std::collections::BTreeSet;

use clawrank_client::{ChainPort, types::SubnetSnapshot};
use clawrank_primitives::{
    MECID_INTEL, Params,
    proof::{Hash, HotkeyId, SubnetEpoch},
    schedule::part_of_tempo,
    units::Ppb,
};

use super::Config;
use crate::Error;

/// One epoch of a subnet, as an intel miner sees it.
///
/// With the tempo T and the epoch's first block s: attempts are made in blocks `s .. measure_end_block`, the root must be
/// in a block up to `deadline_block = s + ⌊T · d⌋`, d = [`Params::BUNDLE_DEADLINE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochPlan {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// Subnet.
    pub netuid: u16,
    /// Number of the epoch.
    pub epoch: u64,
    /// Hash of the epoch's first block: the seed of its tasks.
    pub seed: Hash,
    /// The epoch's first block.
    pub start_block: u64,
    /// Its time, Unix milliseconds.
    pub start_ms: u64,
    /// First block in which nothing is measured any more.
    pub measure_end_block: u64,
    /// When that block is expected, Unix milliseconds.
    pub measure_end_ms: u64,
    /// Last block for the commitment.
    pub deadline_block: u64,
    /// First block that belongs to the next epoch.
    pub next_epoch_block: u64,
    /// Newest final block when the plan was made.
    pub head_block: u64,
    /// Hotkeys with a uid when the plan was made.
    pub hotkeys: BTreeSet<HotkeyId>,
}

impl EpochPlan {
    /// Reads the subnet and the epoch's first block; `None` when the subnet has no epochs (tempo 0), that block is not final
    /// yet, or the chain has no other than its genesis, which has no time.
    ///
    /// # Errors
    ///
    /// [`Error::Chain`].
    pub async fn read(chain: &dyn ChainPort, config: &Config) -> Result<Option<Self>, Error> {
        let snapshot = chain.subnet(config.netuid).await?;
        let Some(next_epoch_block) = snapshot.next_epoch_block() else {
            return Ok(None);
        };
        let Some(start) = chain.block(snapshot.last_epoch_block).await? else {
            return Ok(None);
        };
        if snapshot.head.timestamp_ms == 0 {
            return Ok(None);
        }
        let block_time_ms = snapshot.block_time_ms.max(1);
        let (measure_end_block, deadline_block) = ends(&snapshot, config);
        let blocks = measure_end_block.saturating_sub(start.number);
        // A first block without a time (genesis) is dated back from the newest one.
        let start_ms = if start.timestamp_ms > 0 {
            start.timestamp_ms
        } else {
            let age = snapshot.head.number.saturating_sub(start.number).saturating_mul(block_time_ms);
            snapshot.head.timestamp_ms.saturating_sub(age)
        };
        Ok(Some(Self {
            genesis: chain.genesis_hash(),
            netuid: snapshot.netuid,
            epoch: snapshot.epoch_index,
            seed: start.hash,
            start_block: start.number,
            start_ms,
            measure_end_block,
            measure_end_ms: start_ms.saturating_add(blocks.saturating_mul(block_time_ms)),
            deadline_block,
            next_epoch_block,
            head_block: snapshot.head.number,
            hotkeys: snapshot.neurons.iter().map(|neuron| neuron.hotkey).collect(),
        }))
    }

    /// Number and seed: the same number on a chain that was started anew is another epoch.
    #[must_use]
    pub fn identity(&self) -> (u64, Hash) {
        (self.epoch, self.seed)
    }

    /// What the bundle's header says about the epoch.
    #[must_use]
    pub fn subnet_epoch(&self) -> SubnetEpoch {
        SubnetEpoch { genesis: self.genesis, netuid: self.netuid, mecid: MECID_INTEL, epoch: self.epoch }
    }

    /// Whether a hotkey had a uid when the plan was made.
    #[must_use]
    pub fn registered(&self, hotkey: &HotkeyId) -> bool {
        self.hotkeys.contains(hotkey)
    }
}

/// First block without measuring, and last block for the commitment.
fn ends(snapshot: &SubnetSnapshot, config: &Config) -> (u64, u64) {
    let start = snapshot.last_epoch_block;
    let after = |part: Ppb| start.saturating_add(part_of_tempo(snapshot.tempo, part));
    let deadline = after(Params::BUNDLE_DEADLINE);
    let until = after(Ppb::from_percent(config.measure_until_percent.into()));
    let latest = deadline.saturating_sub(config.commit_blocks);
    (until.min(latest).max(start.saturating_add(1)), deadline)
}
