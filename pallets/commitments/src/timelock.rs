// SPDX-License-Identifier: Apache-2.0

//! Commitments that are shown later: which wait, and opening them.
//!
//! In every block at most [`MAX_EXAMINED`] of the neurons that wait are looked at, in turns, and at most [`MAX_OPENED`] of
//! their fields opened: an opening is a pairing on a curve. A field that cannot be opened is marked and left in its place,
//! and hinders neither the other fields nor other neurons.

use alloc::vec::Vec;
use clawrank_timelock::{PulseSource, TimelockError, decrypt};
use frame_support::{BoundedVec, weights::Weight};
use pallet_subtensor::{List, NetUid};

use crate::{pallet::*, types::*, weights::WeightInfo};

/// Neurons, over all subnets, whose commitment may wait to be opened.
pub const MAX_TIMELOCKED_NEURONS: u32 = 1_024;
/// Opened fields of a neuron that are kept.
pub const MAX_REVEALED: u32 = 10;
/// Neurons that are looked at in one block.
pub const MAX_EXAMINED: u32 = 32;
/// Fields that are opened in one block.
pub const MAX_OPENED: u32 = 4;

/// What became of one field.
enum Outcome {
    /// It is not timelocked, its round is to come, or the block has opened enough.
    Stays(Data),
    /// It hid this.
    Opened(Vec<u8>),
    /// It could not be opened.
    Failed(Ciphertext, u64, RevealFailure),
}

impl<T: Config> Pallet<T> {
    /// Notes whether `who` waits now; the round of its first timelocked field.
    ///
    /// # Errors
    ///
    /// [`Error::SpaceLimitExceeded`]: as many neurons wait as may.
    pub(crate) fn track(
        netuid: NetUid,
        who: &T::AccountId,
        info: &CommitmentInfo<T::MaxFields>,
    ) -> Result<Option<u64>, Error<T>> {
        let round = info.fields.iter().find_map(|field| match field {
            Data::TimelockEncrypted { reveal_round, .. } => Some(*reveal_round),
            _ => None,
        });
        if round.is_none() {
            Self::untrack(netuid, who);
            return Ok(None);
        }
        TimelockedIndex::<T>::try_mutate(|waiting| waiting.try_insert((netuid, who.clone())))
            .map_err(|_| Error::<T>::SpaceLimitExceeded)?;
        Ok(round)
    }

    /// Forgets that `who` waits.
    pub(crate) fn untrack(netuid: NetUid, who: &T::AccountId) {
        let key = (netuid, who.clone());
        if TimelockedIndex::<T>::get().contains(&key) {
            TimelockedIndex::<T>::mutate(|waiting| waiting.remove(&key));
        }
    }

    /// Opens what is due, as far as one block may.
    pub(crate) fn reveal_due(block: u64) -> Weight {
        let newest = T::Pulses::last_stored_round();
        let mut waiting: Vec<(NetUid, T::AccountId)> = TimelockedIndex::<T>::get().into_iter().collect();
        if newest == 0 || waiting.is_empty() {
            return T::WeightInfo::reveal(0, 0);
        }
        // Another neuron comes first in every block, and everyone's turn comes.
        let len = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
        let first = block.saturating_mul(u64::from(MAX_EXAMINED)).checked_rem(len).unwrap_or_default();
        waiting.rotate_left(usize::try_from(first).unwrap_or_default());
        let mut examined = 0_u32;
        let mut allowed = MAX_OPENED;
        for (netuid, who) in waiting.into_iter().take(MAX_EXAMINED as usize) {
            if allowed == 0 {
                break;
            }
            examined = examined.saturating_add(1);
            allowed = allowed.saturating_sub(Self::reveal_of(netuid, &who, block, newest, allowed));
        }
        T::WeightInfo::reveal(examined, MAX_OPENED.saturating_sub(allowed))
    }

    /// Opens up to `most` fields of one neuron; how many it tried.
    fn reveal_of(netuid: NetUid, who: &T::AccountId, block: u64, newest: u64, most: u32) -> u32 {
        let Some(mut registration) = CommitmentOf::<T>::get(netuid, who) else {
            Self::untrack(netuid, who);
            return 0;
        };
        let mut tried = 0_u32;
        let mut shown = Vec::new();
        let mut left = Vec::new();
        for field in registration.info.fields {
            match Self::open(field, newest, tried < most) {
                Outcome::Stays(field) => left.push(field),
                Outcome::Opened(bytes) => {
                    tried = tried.saturating_add(1);
                    shown.push(bytes);
                }
                Outcome::Failed(encrypted, reveal_round, error) => {
                    tried = tried.saturating_add(1);
                    let event = Event::CommitmentRevealFailed { netuid, who: who.clone(), reveal_round, error };
                    Self::deposit_event(event);
                    left.push(Data::TimelockRevealFailed { encrypted, reveal_round });
                }
            }
        }
        if tried == 0 {
            return 0;
        }
        if !left.iter().any(|field| matches!(field, Data::TimelockEncrypted { .. })) {
            Self::untrack(netuid, who);
        }
        if left.is_empty() {
            CommitmentOf::<T>::remove(netuid, who);
        } else {
            // As many fields as before at most.
            registration.info.fields = BoundedVec::truncate_from(left);
            CommitmentOf::<T>::insert(netuid, who, registration);
        }
        if !shown.is_empty() {
            Self::show(netuid, who, shown, block);
        }
        tried
    }

    fn open(field: Data, newest: u64, may_open: bool) -> Outcome {
        let (encrypted, round) = match field {
            Data::TimelockEncrypted { encrypted, reveal_round } if reveal_round <= newest && may_open => {
                (encrypted, reveal_round)
            }
            other => return Outcome::Stays(other),
        };
        let Some(signature) = T::Pulses::signature(round) else {
            return Outcome::Failed(encrypted, round, RevealFailure::PulseExpired);
        };
        match decrypt(&encrypted, &signature) {
            Ok(bytes) if bytes.is_empty() => Outcome::Failed(encrypted, round, RevealFailure::EmptyPlaintext),
            Ok(bytes) => Outcome::Opened(bytes),
            Err(error) => Outcome::Failed(encrypted, round, failure(error)),
        }
    }

    /// Adds to what the neuron has shown, dropping the oldest.
    fn show(netuid: NetUid, who: &T::AccountId, shown: Vec<Vec<u8>>, block: u64) {
        RevealedCommitments::<T>::mutate(netuid, who, |revealed| {
            let list = revealed.get_or_insert_default();
            for bytes in shown {
                let over = list.len().saturating_add(1).saturating_sub(MAX_REVEALED as usize);
                list.drop_front(over);
                // There is room, and a plaintext is shorter than its ciphertext.
                let _ = list.try_push((List::truncated(bytes), block));
            }
        });
        Self::deposit_event(Event::CommitmentRevealed { netuid, who: who.clone() });
    }

    /// # Errors
    ///
    /// What does not hold.
    #[cfg(any(feature = "try-runtime", feature = "std"))]
    pub(crate) fn try_state_timelocked() -> Result<(), sp_runtime::TryRuntimeError> {
        let waits = |netuid, who: &T::AccountId| {
            CommitmentOf::<T>::get(netuid, who).is_some_and(|registration| {
                registration.info.fields.iter().any(|field| matches!(field, Data::TimelockEncrypted { .. }))
            })
        };
        let index = TimelockedIndex::<T>::get();
        frame_support::ensure!(
            index.iter().all(|(netuid, who)| waits(*netuid, who)),
            "a neuron waits without a timelocked field"
        );
        let waiting = CommitmentOf::<T>::iter_keys().filter(|(netuid, who)| waits(*netuid, who)).count();
        frame_support::ensure!(waiting == index.len(), "a timelocked field is not waited for");
        Ok(())
    }
}

/// The public chain's name for what was wrong.
fn failure(error: TimelockError) -> RevealFailure {
    match error {
        TimelockError::BadSignature => RevealFailure::SignatureDeserialize,
        TimelockError::WrongRound => RevealFailure::RoundMismatch,
        TimelockError::BodyAltered => RevealFailure::Decrypt,
        _ => RevealFailure::CiphertextDeserialize,
    }
}
