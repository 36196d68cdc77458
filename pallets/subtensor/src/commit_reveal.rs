// SPDX-License-Identifier: Apache-2.0

//! Salted commits of weights, and their reveal in the epoch that the subnet prescribes.

use alloc::vec::Vec;
use frame_support::{ensure, pallet_prelude::DispatchResult};
use sp_core::H256;

use crate::{pallet::*, types::*, weight_setting::NewWeights};

/// Where a commit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// Its epoch has not begun.
    Early,
    /// It can be revealed.
    Open,
    /// Its epoch is over.
    Expired,
}

impl<T: Config> Pallet<T> {
    /// What is committed, see [`clawrank_proof::weights_commit_hash`].
    pub fn commit_hash(
        hotkey: &T::AccountId,
        index: NetUidStorageIndex,
        uids: &[u16],
        values: &[u16],
        salt: &[u16],
        version_key: u64,
    ) -> H256 {
        H256(clawrank_proof::weights_commit_hash(hotkey, index.0, uids, values, salt, version_key))
    }

    /// Where a commit of `commit_epoch` stands: it can be revealed in exactly one epoch.
    pub(crate) fn window(netuid: NetUid, commit_epoch: u64) -> Window {
        let opens = commit_epoch.saturating_add(RevealPeriodEpochs::<T>::get(netuid));
        match Self::current_epoch_with_lookahead(netuid).cmp(&opens) {
            core::cmp::Ordering::Less => Window::Early,
            core::cmp::Ordering::Equal => Window::Open,
            core::cmp::Ordering::Greater => Window::Expired,
        }
    }

    /// Stores a commit and counts it as an update of the neuron.
    ///
    /// # Errors
    ///
    /// - [`Error::CanNotSetRootNetworkWeights`]: on netuid 0.
    /// - [`Error::MechanismDoesNotExist`], [`Error::CommitRevealDisabled`]: no such mechanism; plain weights only.
    /// - [`Error::HotKeyNotRegisteredInSubNet`], [`Error::NotEnoughStakeToSetWeights`]: the hotkey has no uid; too little
    ///   stake.
    /// - [`Error::CommittingWeightsTooFast`]: fewer than `WeightsSetRateLimit` blocks since the last update.
    /// - [`Error::TooManyUnrevealedCommits`]: ten wait already; expired ones do not count and are dropped.
    pub(crate) fn do_commit_weights(
        hotkey: &T::AccountId,
        netuid: NetUid,
        mecid: MechId,
        commit_hash: H256,
    ) -> DispatchResult {
        Self::ensure_not_root(netuid)?;
        Self::ensure_mechanism_exists(netuid, mecid)?;
        ensure!(CommitRevealWeightsEnabled::<T>::get(netuid), Error::<T>::CommitRevealDisabled);
        let uid = Self::ensure_registered(netuid, hotkey)?;
        Self::ensure_stake_for_weights(netuid, hotkey)?;
        let index = NetUidStorageIndex::new(netuid, mecid);
        let block = Self::block();
        ensure!(Self::is_within_rate_limit(index, uid, block), Error::<T>::CommittingWeightsTooFast);

        let mut queue = WeightCommits::<T>::get(index, hotkey).unwrap_or_default();
        let expired = Self::expired(netuid, &queue);
        queue.drop_front(expired);
        let epoch = Self::current_epoch_with_lookahead(netuid);
        queue.try_push((commit_hash, epoch, block, 0)).map_err(|_| Error::<T>::TooManyUnrevealedCommits)?;
        WeightCommits::<T>::insert(index, hotkey, queue);
        Self::touch(index, uid, block);
        Self::deposit_event(Event::WeightsCommitted(hotkey.clone(), index, commit_hash));
        Ok(())
    }

    /// Puts committed weights in force, and drops their commit and all before it.
    ///
    /// # Errors
    ///
    /// - [`Error::SubnetNotExists`], [`Error::MechanismDoesNotExist`], [`Error::CommitRevealDisabled`]: no such subnet;
    ///   no such mechanism; plain weights only.
    /// - [`Error::NoWeightsCommitFound`], [`Error::InvalidRevealCommitHashNotMatch`]: nothing was committed; something
    ///   else was.
    /// - [`Error::RevealTooEarly`], [`Error::ExpiredWeightCommit`]: outside the epoch to reveal in.
    /// - Any of [`Self::do_set_weights`].
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn do_reveal_weights(
        hotkey: &T::AccountId,
        netuid: NetUid,
        mecid: MechId,
        uids: Vec<u16>,
        values: Vec<u16>,
        salt: Vec<u16>,
        version_key: u64,
    ) -> DispatchResult {
        Self::ensure_subnet_and_mechanism_exist(netuid, mecid)?;
        ensure!(CommitRevealWeightsEnabled::<T>::get(netuid), Error::<T>::CommitRevealDisabled);
        let index = NetUidStorageIndex::new(netuid, mecid);
        let hash = Self::commit_hash(hotkey, index, &uids, &values, &salt, version_key);
        let mut queue = WeightCommits::<T>::get(index, hotkey).ok_or(Error::<T>::NoWeightsCommitFound)?;
        let position = Self::ensure_revealable(netuid, &queue, hash)?;

        queue.drop_front(position.saturating_add(1));
        if queue.is_empty() {
            WeightCommits::<T>::remove(index, hotkey);
        } else {
            WeightCommits::<T>::insert(index, hotkey, queue);
        }
        Self::do_set_weights(hotkey, NewWeights { netuid, mecid, uids, values, version_key })?;
        Self::deposit_event(Event::WeightsRevealed(hotkey.clone(), index, hash));
        Ok(())
    }

    /// The place of the commit with `hash` in the queue, if it can be revealed now.
    ///
    /// # Errors
    ///
    /// [`Error::NoWeightsCommitFound`], [`Error::InvalidRevealCommitHashNotMatch`], [`Error::RevealTooEarly`] or
    /// [`Error::ExpiredWeightCommit`], as [`Self::do_reveal_weights`] says.
    pub(crate) fn ensure_revealable(netuid: NetUid, queue: &WeightCommitQueue, hash: H256) -> Result<usize, Error<T>> {
        let found = queue
            .iter()
            .enumerate()
            .find(|(_, (committed, epoch, _, _))| *committed == hash && Self::window(netuid, *epoch) != Window::Expired)
            .or_else(|| queue.iter().enumerate().find(|(_, (committed, ..))| *committed == hash));
        let Some((position, (_, epoch, _, _))) = found else {
            return Err(if Self::expired(netuid, queue) == queue.len() {
                Error::<T>::NoWeightsCommitFound
            } else {
                Error::<T>::InvalidRevealCommitHashNotMatch
            });
        };
        match Self::window(netuid, *epoch) {
            Window::Early => Err(Error::<T>::RevealTooEarly),
            Window::Expired => Err(Error::<T>::ExpiredWeightCommit),
            Window::Open => Ok(position),
        }
    }

    /// How many commits at the front of the queue have expired.
    pub(crate) fn expired(netuid: NetUid, queue: &WeightCommitQueue) -> usize {
        queue.iter().take_while(|(_, epoch, _, _)| Self::window(netuid, *epoch) == Window::Expired).count()
    }

    /// Block of the oldest commit of `hotkey` that has not expired.
    pub(crate) fn earliest_commit(index: NetUidStorageIndex, hotkey: &T::AccountId) -> Option<u64> {
        let (netuid, _) = index.split();
        WeightCommits::<T>::get(index, hotkey)?
            .iter()
            .filter(|(_, epoch, _, _)| Self::window(netuid, *epoch) != Window::Expired)
            .map(|(_, _, block, _)| *block)
            .min()
    }
}
