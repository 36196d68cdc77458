// SPDX-License-Identifier: Apache-2.0

//! Opening timelocked commits, in every block before epochs run.
//!
//! As on the public chain, commits of the epoch that lies `RevealPeriodEpochs` back are opened as soon as the pulse of
//! their round is there, older ones are deleted, and one that cannot be opened or whose weights are refused is dropped
//! alone. Other than there, no more than [`reveals_per_block`] are opened in one block: ten commits of each of 256
//! hotkeys may wait, and opening all of them at once would take longer than a block lasts. The others stay for the next
//! blocks of the same epoch. The order is fair: mechanisms share what a block can open, and within a mechanism hotkeys take
//! turns, so that nobody who commits often delays another by more than one of its commits at a time.

use alloc::{collections::BTreeMap, vec::Vec};
use clawrank_timelock::{PulseSource, TimelockError, WeightsPayload};
use codec::Encode;
use frame_support::{pallet_prelude::Weight, storage::with_storage_layer, traits::Get};

use super::kibibytes;
use crate::{pallet::*, types::*, weight_setting::NewWeights, weights::WeightInfo};

/// Timelocked commits that are opened in one block at most, over all subnets.
///
/// One takes 10 ms in Wasm on a quiet core and up to 37 ms on a busy one, so all of them 0.2 to 0.6 s; 64 validators with a
/// commit each are through in four blocks.
pub const MAX_REVEALS_PER_BLOCK: u32 = 16;

/// What opening a commit is counted as where blocks come fast, in ms: what it takes and as much again for the rest of the block.
const REVEAL_MS: u64 = 50;

/// Timelocked commits that are opened in one block where a block comes every `slot_ms`: one at least.
pub fn reveals_per_block(slot_ms: u64) -> u32 {
    let in_time = u32::try_from(slot_ms / REVEAL_MS).unwrap_or(u32::MAX);
    in_time.clamp(1, MAX_REVEALS_PER_BLOCK)
}

/// A queue whose commits can be opened now.
pub(crate) struct DueQueue {
    pub(crate) netuid: NetUid,
    pub(crate) mecid: MechId,
    pub(crate) epoch: u64,
}

impl DueQueue {
    fn index(&self) -> NetUidStorageIndex {
        NetUidStorageIndex::new(self.netuid, self.mecid)
    }
}

impl<T: Config> Pallet<T> {
    /// Opens the commits whose turn it is in `block`, and deletes those whose epoch is over.
    pub(crate) fn reveal_timelocked(block: u64, netuids: &[NetUid]) -> Weight {
        let mut due: Vec<DueQueue> = netuids.iter().flat_map(|netuid| Self::due_queues(*netuid)).collect();
        // Whoever comes first may get one more: another in every block.
        if let Some(first) = usize::try_from(block).ok().and_then(|block| block.checked_rem(due.len())) {
            due.rotate_left(first);
        }
        let mut weight = Weight::zero();
        let mut allowed = T::RevealsPerBlock::get();
        // What one queue leaves of its share goes to those that used theirs up.
        while allowed > 0 && !due.is_empty() {
            let mut left = u32::try_from(due.len()).unwrap_or(u32::MAX);
            due.retain(|queue| {
                let share = allowed.div_ceil(left.max(1));
                left = left.saturating_sub(1);
                if share == 0 {
                    return true;
                }
                let (opened, spent) = Self::reveal_queue(queue, share);
                allowed = allowed.saturating_sub(opened);
                weight = weight.saturating_add(spent);
                opened == share
            });
        }
        weight
    }

    /// The queues of `netuid` that hold commits of the epoch to open; those of older epochs are deleted.
    fn due_queues(netuid: NetUid) -> Vec<DueQueue> {
        let now = Self::current_epoch_with_lookahead(netuid);
        let Some(epoch) = now.checked_sub(RevealPeriodEpochs::<T>::get(netuid)) else { return Vec::new() };
        let mut due = Vec::new();
        for index in Self::mechanisms(netuid) {
            let epochs: Vec<u64> =
                TimelockedWeightCommits::<T>::iter_key_prefix(index).filter(|stored| *stored <= epoch).collect();
            for stored in epochs {
                if stored < epoch {
                    TimelockedWeightCommits::<T>::remove(index, stored);
                } else {
                    due.push(DueQueue { netuid, mecid: index.split().1, epoch });
                }
            }
        }
        due
    }

    /// Opens up to `most` commits of a queue; how many it opened, and the weight of it.
    fn reveal_queue(due: &DueQueue, most: u32) -> (u32, Weight) {
        let queue = TimelockedWeightCommits::<T>::get(due.index(), due.epoch);
        let kib = kibibytes(&queue);
        let newest = T::Pulses::last_stored_round();
        let mut pulses: BTreeMap<u64, Option<[u8; 48]>> = BTreeMap::new();
        let mut opened = 0_u32;
        let mut rest = Vec::new();
        for commit in Self::in_turns(queue.into_vec()) {
            let round = commit.3;
            let pulse = if opened < most && round <= newest {
                *pulses.entry(round).or_insert_with(|| T::Pulses::signature(round))
            } else {
                None
            };
            match pulse {
                Some(signature) => {
                    opened = opened.saturating_add(1);
                    Self::reveal(due, &commit, &signature);
                }
                None => rest.push(commit),
            }
        }
        if opened > 0 {
            if rest.is_empty() {
                TimelockedWeightCommits::<T>::remove(due.index(), due.epoch);
            } else {
                TimelockedWeightCommits::<T>::insert(due.index(), due.epoch, TimelockedQueue::truncated(rest));
            }
        }
        let lookups = u32::try_from(pulses.len()).unwrap_or(u32::MAX);
        let weight = T::WeightInfo::timelocked_queue(kib, lookups)
            .saturating_add(T::WeightInfo::timelocked_reveal(MAX_UIDS).saturating_mul(opened.into()));
        (opened, weight)
    }

    /// Opens one commit and puts its weights in force, or drops it.
    pub(crate) fn reveal(due: &DueQueue, commit: &TimelockedCommit<T::AccountId>, signature: &[u8; 48]) {
        let (hotkey, _, ciphertext, round) = commit;
        let (netuid, mecid) = (due.netuid, due.mecid);
        let payload = match Self::open(hotkey, ciphertext, signature) {
            Ok(payload) => payload,
            Err(error) => {
                log::debug!(target: "subtensor", "{netuid}/{mecid}: dropped a commit to round {round}: {error}");
                return;
            }
        };
        let WeightsPayload { uids, values, version_key, .. } = payload;
        let new = NewWeights { netuid, mecid, uids, values, version_key };
        match with_storage_layer(|| Self::do_set_weights(hotkey, new)) {
            Ok(()) => Self::deposit_event(Event::TimelockedWeightsRevealed(due.index(), hotkey.clone())),
            Err(error) => {
                log::debug!(target: "subtensor", "{netuid}/{mecid}: dropped a commit to round {round}: {error:?}");
            }
        }
    }

    fn open(hotkey: &T::AccountId, commit: &[u8], signature: &[u8; 48]) -> Result<WeightsPayload, TimelockError> {
        let plain = clawrank_timelock::decrypt(commit, signature)?;
        let committer: [u8; 32] = hotkey.encode().try_into().map_err(|_| TimelockError::WrongHotkey)?;
        WeightsPayload::decode(&plain, &committer)
    }
}
