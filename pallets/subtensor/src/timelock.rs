// SPDX-License-Identifier: Apache-2.0

//! Timelocked commits: weights encrypted to a round of the drand beacon, which the chain itself opens.

mod reveal;

use alloc::{collections::BTreeMap, vec::Vec};
use clawrank_timelock::PulseSource;
use frame_support::{
    BoundedVec,
    dispatch::{DispatchResultWithPostInfo, PostDispatchInfo},
    ensure,
    pallet_prelude::Pays,
    traits::Get,
};
use sp_core::ConstU32;
use sp_runtime::traits::{BlakeTwo256, Hash};

use crate::{pallet::*, types::*, weights::WeightInfo};

#[cfg(feature = "runtime-benchmarks")]
pub(crate) use reveal::DueQueue;
pub use reveal::{MAX_REVEALS_PER_BLOCK, reveals_per_block};

/// The version of timelocked commits.
#[cfg(not(feature = "next-version"))]
pub type CommitRevealVersion = u16;

/// A wider version of timelocked commits, as a later version of a chain may have it: for tests of whoever follows a change
/// of runtime.
#[cfg(feature = "next-version")]
pub type CommitRevealVersion = u32;

/// The version that calls without one stand for, and that commits have to carry until root decides otherwise.
pub(crate) const COMMIT_REVEAL_VERSION: CommitRevealVersion = 4;

/// [`COMMIT_REVEAL_VERSION`] as storage takes it.
pub struct InitialCommitRevealVersion;

impl Get<CommitRevealVersion> for InitialCommitRevealVersion {
    fn get() -> CommitRevealVersion {
        COMMIT_REVEAL_VERSION
    }
}

/// What a timelocked commit carries besides its signer.
pub(crate) struct NewTimelocked<'a> {
    pub(crate) netuid: NetUid,
    pub(crate) mecid: MechId,
    pub(crate) commit: &'a [u8],
    pub(crate) reveal_round: u64,
    pub(crate) version: CommitRevealVersion,
}

/// Bytes that a queue takes in storage, in KiB, rounded up.
fn kibibytes<A>(queue: &[TimelockedCommit<A>]) -> u32 {
    let bytes =
        queue.iter().fold(0_usize, |sum, (_, _, commit, _)| sum.saturating_add(commit.len()).saturating_add(52));
    u32::try_from(bytes.div_ceil(1_024)).unwrap_or(u32::MAX)
}

/// Most KiB that a queue takes in storage.
pub(crate) const MAX_QUEUE_KIB: u32 = MAX_TIMELOCKED_COMMITS * (MAX_COMMIT_BYTES + 52) / 1_024 + 1;

impl<T: Config> Pallet<T> {
    /// Whether `hotkey` may commit this now, but for its rate limit.
    ///
    /// # Errors
    ///
    /// - [`Error::CanNotSetRootNetworkWeights`], [`Error::MechanismDoesNotExist`]: root; no such mechanism.
    /// - [`Error::HotKeyNotRegisteredInSubNet`], [`Error::NotEnoughStakeToSetWeights`]: the hotkey has no uid; too little
    ///   stake.
    /// - [`Error::InvalidRevealRound`]: the chain has a newer pulse already.
    /// - [`Error::CommitRevealDisabled`], [`Error::IncorrectCommitRevealVersion`]: plain weights only; another version.
    /// - [`Error::CommitPayloadTooLarge`]: above 5,000 bytes.
    pub(crate) fn ensure_timelocked(hotkey: &T::AccountId, new: &NewTimelocked<'_>) -> Result<u16, Error<T>> {
        Self::ensure_not_root(new.netuid)?;
        Self::ensure_mechanism_exists(new.netuid, new.mecid)?;
        let uid = Self::ensure_registered(new.netuid, hotkey)?;
        Self::ensure_stake_for_weights(new.netuid, hotkey)?;
        ensure!(new.reveal_round >= T::Pulses::last_stored_round(), Error::<T>::InvalidRevealRound);
        ensure!(CommitRevealWeightsEnabled::<T>::get(new.netuid), Error::<T>::CommitRevealDisabled);
        let version = CommitRevealWeightsVersion::<T>::get();
        ensure!(new.version == version, Error::<T>::IncorrectCommitRevealVersion);
        ensure!(new.commit.len() <= MAX_COMMIT_BYTES as usize, Error::<T>::CommitPayloadTooLarge);
        Ok(uid)
    }

    /// Stores a timelocked commit under the epoch that it belongs to, and counts it as an update of the neuron.
    ///
    /// # Errors
    ///
    /// Those of [`Self::ensure_timelocked`], then:
    /// - [`Error::CommittingWeightsTooFast`]: fewer than `WeightsSetRateLimit` blocks since the last update.
    /// - [`Error::TooManyUnrevealedCommits`]: ten of the hotkey wait for the epoch.
    /// - [`Error::CommitQueueFull`]: as many wait as the mechanism can hold: only when neurons were replaced, since every
    ///   neuron has room for its ten.
    pub(crate) fn do_commit_timelocked(hotkey: &T::AccountId, new: &NewTimelocked<'_>) -> DispatchResultWithPostInfo {
        let uid = Self::ensure_timelocked(hotkey, new)?;
        let index = NetUidStorageIndex::new(new.netuid, new.mecid);
        let block = Self::block();
        ensure!(Self::is_within_rate_limit(index, uid, block), Error::<T>::CommittingWeightsTooFast);

        let commit: BoundedVec<u8, ConstU32<MAX_COMMIT_BYTES>> =
            new.commit.to_vec().try_into().map_err(|_| Error::<T>::CommitPayloadTooLarge)?;
        let epoch = Self::current_epoch_with_lookahead(new.netuid);
        let mut queue = TimelockedWeightCommits::<T>::get(index, epoch);
        let own = queue.iter().filter(|(who, ..)| who == hotkey).count();
        ensure!(own < MAX_UNREVEALED_COMMITS as usize, Error::<T>::TooManyUnrevealedCommits);
        queue.try_push((hotkey.clone(), block, commit, new.reveal_round)).map_err(|_| Error::<T>::CommitQueueFull)?;

        let weight = T::WeightInfo::commit_timelocked_weights(kibibytes(&queue));
        TimelockedWeightCommits::<T>::insert(index, epoch, queue);
        Self::touch(index, uid, block);
        let hash = BlakeTwo256::hash(new.commit);
        Self::deposit_event(Event::TimelockedWeightsCommitted(hotkey.clone(), index, hash, new.reveal_round));
        Ok(PostDispatchInfo { actual_weight: Some(weight), pays_fee: Pays::No })
    }

    /// Block of the oldest timelocked commit of every hotkey that has one which is still to be opened, and the KiB read.
    pub(crate) fn earliest_timelocked(index: NetUidStorageIndex) -> (BTreeMap<T::AccountId, u64>, u32) {
        let mut earliest: BTreeMap<T::AccountId, u64> = BTreeMap::new();
        let mut read = 0_u32;
        let (netuid, _) = index.split();
        for (epoch, queue) in TimelockedWeightCommits::<T>::iter_prefix(index) {
            read = read.saturating_add(kibibytes(&queue));
            if Self::window(netuid, epoch) == crate::commit_reveal::Window::Expired {
                continue;
            }
            for (hotkey, block, ..) in queue.iter() {
                earliest.entry(hotkey.clone()).and_modify(|first| *first = (*first).min(*block)).or_insert(*block);
            }
        }
        (earliest, read)
    }

    /// The commits of a queue by turns: the first of every hotkey, then the second of every hotkey, and so on.
    fn in_turns(queue: Vec<TimelockedCommit<T::AccountId>>) -> Vec<TimelockedCommit<T::AccountId>> {
        let mut turns: BTreeMap<T::AccountId, u32> = BTreeMap::new();
        let mut ranked: Vec<_> = queue
            .into_iter()
            .map(|commit| {
                let next = turns.entry(commit.0.clone()).or_default();
                let turn = *next;
                *next = next.saturating_add(1);
                (turn, commit)
            })
            .collect();
        // Stable: within a turn the order stays.
        ranked.sort_by_key(|(turn, _)| *turn);
        ranked.into_iter().map(|(_, commit)| commit).collect()
    }
}
