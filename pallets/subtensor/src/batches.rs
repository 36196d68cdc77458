// SPDX-License-Identifier: Apache-2.0

//! Weight calls for several subnets, or several commits, at once.

use alloc::{collections::BTreeSet, vec::Vec};
use codec::Compact;
use frame_support::{ensure, pallet_prelude::DispatchResult, storage::with_storage_layer};
use sp_core::H256;

use crate::{pallet::*, types::*, weight_setting::NewWeights};

/// The weights of one subnet in a batch: (uid, value).
type CompactWeights = Vec<(Compact<u16>, Compact<u16>)>;

/// The lists of [`Pallet::do_batch_reveal_weights`], one entry per reveal.
pub(crate) struct Reveals {
    pub(crate) uids: Vec<Vec<u16>>,
    pub(crate) values: Vec<Vec<u16>>,
    pub(crate) salts: Vec<Vec<u16>>,
    pub(crate) version_keys: Vec<u64>,
}

impl<T: Config> Pallet<T> {
    /// Sets plain weights of the main mechanism on several subnets. An item that is refused leaves nothing behind and
    /// stops no other.
    ///
    /// # Errors
    ///
    /// [`Error::InputLengthsUnequal`], [`Error::InvalidBatchLength`]; what is wrong with an item is in
    /// [`Event::BatchWeightItemFailed`].
    pub(crate) fn do_batch_set_weights(
        hotkey: &T::AccountId,
        netuids: Vec<Compact<NetUid>>,
        weights: Vec<CompactWeights>,
        version_keys: Vec<Compact<u64>>,
    ) -> DispatchResult {
        let same = netuids.len() == weights.len() && netuids.len() == version_keys.len();
        ensure!(same, Error::<T>::InputLengthsUnequal);
        Self::ensure_batch_length(netuids.len())?;
        let mut items = weights.into_iter().zip(version_keys);
        Self::batch(hotkey, netuids, |netuid| {
            let Some((row, key)) = items.next() else { return Ok(()) };
            ensure!(!CommitRevealWeightsEnabled::<T>::get(netuid), Error::<T>::CommitRevealEnabled);
            let (uids, values) = row.into_iter().map(|(uid, value)| (uid.0, value.0)).unzip();
            let new = NewWeights { netuid, mecid: MechId::MAIN, uids, values, version_key: key.0 };
            Self::do_set_weights(hotkey, new)
        });
        Ok(())
    }

    /// Commits hashes of weights of the main mechanism on several subnets. An item that is refused leaves nothing behind
    /// and stops no other.
    ///
    /// # Errors
    ///
    /// [`Error::InputLengthsUnequal`], [`Error::InvalidBatchLength`]; what is wrong with an item is in
    /// [`Event::BatchWeightItemFailed`].
    pub(crate) fn do_batch_commit_weights(
        hotkey: &T::AccountId,
        netuids: Vec<Compact<NetUid>>,
        commit_hashes: Vec<H256>,
    ) -> DispatchResult {
        ensure!(netuids.len() == commit_hashes.len(), Error::<T>::InputLengthsUnequal);
        Self::ensure_batch_length(netuids.len())?;
        let mut hashes = commit_hashes.into_iter();
        Self::batch(hotkey, netuids, |netuid| {
            Self::do_commit_weights(hotkey, netuid, MechId::MAIN, hashes.next().unwrap_or_default())
        });
        Ok(())
    }

    /// A batch has one item at least and one per network at most, the root network among them: on the public chain
    /// `TotalNetworks` counts it too.
    fn ensure_batch_length(items: usize) -> Result<(), Error<T>> {
        let root = usize::from(NetworksAdded::<T>::get(NetUid::ROOT));
        let networks = usize::from(TotalNetworks::<T>::get()).saturating_add(root);
        ensure!((1..=networks).contains(&items), Error::<T>::InvalidBatchLength);
        Ok(())
    }

    /// Runs `item` for every netuid, each in a storage layer of its own, and says what came of it.
    fn batch(hotkey: &T::AccountId, netuids: Vec<Compact<NetUid>>, mut item: impl FnMut(NetUid) -> DispatchResult) {
        let mut failed = false;
        for netuid in &netuids {
            if let Err(error) = with_storage_layer(|| item(netuid.0)) {
                failed = true;
                Self::deposit_event(Event::BatchWeightItemFailed(netuid.0, error));
            }
        }
        Self::deposit_event(if failed {
            Event::BatchCompletedWithErrors
        } else {
            Event::BatchWeightsCompleted(netuids, hotkey.clone())
        });
    }

    /// Reveals several commits of the main mechanism, all or none, in the order given; the weights of the last are in
    /// force afterwards. Other than a single reveal, commits before the revealed ones stay.
    ///
    /// # Errors
    ///
    /// [`Error::InputLengthsUnequal`], [`Error::SubnetNotExists`], [`Error::CommitRevealDisabled`],
    /// [`Error::NoWeightsCommitFound`], or for any of the reveals what [`Self::do_reveal_weights`] says, but that a hash
    /// beside expired commits alone is [`Error::InvalidRevealCommitHashNotMatch`].
    pub(crate) fn do_batch_reveal_weights(hotkey: &T::AccountId, netuid: NetUid, reveals: Reveals) -> DispatchResult {
        let Reveals { uids, values, salts, version_keys } = reveals;
        let count = uids.len();
        let same = [values.len(), salts.len(), version_keys.len()].into_iter().all(|len| len == count);
        ensure!(same, Error::<T>::InputLengthsUnequal);
        Self::ensure_subnet_and_mechanism_exist(netuid, MechId::MAIN)?;
        ensure!(CommitRevealWeightsEnabled::<T>::get(netuid), Error::<T>::CommitRevealDisabled);
        let index = NetUidStorageIndex::from(netuid);
        let mut queue = WeightCommits::<T>::get(index, hotkey).ok_or(Error::<T>::NoWeightsCommitFound)?;

        let items: Vec<_> = uids.into_iter().zip(values).zip(salts.into_iter().zip(version_keys)).collect();
        let mut hashes = Vec::new();
        for ((uids, values), (salt, version_key)) in &items {
            let hash = Self::commit_hash(hotkey, index, uids, values, salt, *version_key);
            Self::ensure_revealable(netuid, &queue, hash).map_err(|error| match error {
                // There are commits, if only expired ones.
                Error::NoWeightsCommitFound => Error::InvalidRevealCommitHashNotMatch,
                error => error,
            })?;
            hashes.push(hash);
        }
        for (((uids, values), (_, version_key)), hash) in items.into_iter().zip(&hashes) {
            // Gone already when the same reveal comes twice: once is enough.
            if let Some(position) = queue.iter().position(|(committed, ..)| committed == hash) {
                queue.remove(position);
                Self::do_set_weights(hotkey, NewWeights { netuid, mecid: MechId::MAIN, uids, values, version_key })?;
            }
        }
        let expired = Self::expired(netuid, &queue);
        queue.drop_front(expired);
        if queue.is_empty() {
            WeightCommits::<T>::remove(index, hotkey);
        } else {
            WeightCommits::<T>::insert(index, hotkey, queue);
        }
        let mut seen = BTreeSet::new();
        hashes.retain(|hash| seen.insert(*hash));
        Self::deposit_event(Event::WeightsBatchRevealed(hotkey.clone(), netuid, hashes));
        Ok(())
    }
}
