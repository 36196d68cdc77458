// SPDX-License-Identifier: Apache-2.0
//! Which pulses are accepted, and what they change.

use alloc::vec::Vec;

use clawrank_timelock::{BeaconParams, PulseSource, SIGNATURE_BYTES, verify_public_key, verify_pulse};
use frame_support::{
    ensure,
    pallet_prelude::*,
    traits::{Get, Time},
    weights::Weight,
};
use sp_runtime::{Saturating, traits::One};

use crate::{
    BeaconConfig, BeaconConfiguration, Config, Error, Event, LastStoredRound, MAX_AHEAD_MS, MAX_CLEARED_PULSES,
    MAX_PULSES_PER_BLOCK, NextUnsignedAt, OldestStoredRound, PRUNED_PER_PULSE, Pallet, Pulse, Pulses, missing::floor,
};

/// Blocks that a pulse waits in the pool at most: a later one carries it then, or it is fetched again.
const LONGEVITY: u64 = 64;

impl<T: Config> PulseSource for Pallet<T> {
    fn last_stored_round() -> u64 {
        LastStoredRound::<T>::get()
    }

    fn signature(round: u64) -> Option<[u8; SIGNATURE_BYTES]> {
        Pulses::<T>::get(round)?.point()
    }

    fn round_at(unix_ms: u64) -> Option<u64> {
        Some(BeaconConfig::<T>::get().params()?.round_at(unix_ms))
    }
}

impl<T: Config> Pallet<T> {
    /// Decides on a call of `write_pulse`, the cheap reasons first.
    pub(crate) fn authorize_pulses(
        source: TransactionSource,
        pulses: &[Pulse],
    ) -> Result<(ValidTransaction, Weight), TransactionValidityError> {
        let params = BeaconConfig::<T>::get().params().ok_or(InvalidTransaction::Call)?;
        let newest = Self::ensure_acceptable(source, pulses, &params)?;
        for pulse in pulses {
            let signature = pulse.point().ok_or(InvalidTransaction::BadProof)?;
            // Also refuses another spelling of the randomness than what follows from the signature.
            ensure!(*pulse == Pulse::new(pulse.round, &signature), InvalidTransaction::BadProof);
            verify_pulse(&params.public_key, pulse.round, &signature).map_err(|_| InvalidTransaction::BadProof)?;
        }
        let valid = ValidTransaction::with_tag_prefix("Drand")
            .priority(T::UnsignedPriority::get().saturating_add(newest))
            .and_provides(newest)
            .longevity(LONGEVITY)
            .propagate(true)
            .build()?;
        Ok((valid, Weight::zero()))
    }

    /// Everything but signatures; the newest round.
    fn ensure_acceptable(
        source: TransactionSource,
        pulses: &[Pulse],
        params: &BeaconParams,
    ) -> Result<u64, TransactionValidityError> {
        let most = T::PulsesPerBlock::get().min(MAX_PULSES_PER_BLOCK);
        ensure!(pulses.len() <= most as usize, InvalidTransaction::Call);
        ensure!(pulses.is_sorted_by(|one, next| one.round < next.round), InvalidTransaction::Call);
        let (Some(first), Some(last)) = (pulses.first(), pulses.last()) else {
            return Err(InvalidTransaction::Call.into());
        };
        let newest = last.round.max(LastStoredRound::<T>::get());
        ensure!(first.round >= floor(newest), InvalidTransaction::Stale);
        ensure!(!pulses.iter().any(|pulse| Pulses::<T>::contains_key(pulse.round)), InvalidTransaction::Stale);
        // Before a block is made its time is not known: an idle chain's clock stands still.
        if source == TransactionSource::InBlock {
            let reached = params.round_at(T::Clock::now().saturating_add(MAX_AHEAD_MS));
            ensure!(last.round <= reached, InvalidTransaction::Future);
            let block = frame_system::Pallet::<T>::block_number();
            ensure!(block >= NextUnsignedAt::<T>::get(), InvalidTransaction::ExhaustsResources);
        }
        Ok(last.round)
    }

    /// Stores authorised pulses and removes what is too old by then.
    pub(crate) fn store(pulses: Vec<Pulse>) {
        let rounds: Vec<u64> = pulses.iter().map(|pulse| pulse.round).collect();
        let (Some(first), Some(last)) = (rounds.first(), rounds.last()) else { return };
        for pulse in pulses {
            Pulses::<T>::insert(pulse.round, pulse);
        }
        let newest = LastStoredRound::<T>::mutate(|newest| {
            *newest = (*newest).max(*last);
            *newest
        });
        OldestStoredRound::<T>::mutate(|oldest| {
            *oldest = if *oldest == 0 { *first } else { (*oldest).min(*first) };
            let room = (rounds.len() as u64).saturating_mul(u64::from(PRUNED_PER_PULSE));
            let until = floor(newest).min(oldest.saturating_add(room));
            Self::remove(*oldest, until);
            *oldest = until.max(*oldest);
        });
        let next = frame_system::Pallet::<T>::block_number().saturating_add(One::one());
        NextUnsignedAt::<T>::put(next);
        Self::deposit_event(Event::NewPulse { rounds });
    }

    fn remove(from: u64, until: u64) {
        for round in from..until {
            Pulses::<T>::remove(round);
        }
    }

    /// Checks that pulses can be verified by `config`.
    pub(crate) fn ensure_usable(config: &BeaconConfiguration) -> Result<(), Error<T>> {
        let params = config.params().ok_or(Error::<T>::PulseVerificationError)?;
        verify_public_key(&params.public_key).map_err(|_| Error::<T>::PulseVerificationError)
    }

    /// `set_beacon_config`, once it is root's.
    pub(crate) fn follow(config: BeaconConfiguration) -> DispatchResult {
        Self::ensure_usable(&config)?;
        if config.params() != BeaconConfig::<T>::get().params() {
            // A round of the former beacon would open nothing that is locked to this one, and hide its own.
            let cleared = Pulses::<T>::clear(MAX_CLEARED_PULSES, None);
            ensure!(cleared.maybe_cursor.is_none(), Error::<T>::StorageOverflow);
            LastStoredRound::<T>::kill();
            OldestStoredRound::<T>::kill();
        }
        BeaconConfig::<T>::put(config);
        Self::deposit_event(Event::BeaconConfigChanged);
        Ok(())
    }

    /// `set_oldest_stored_round`, once it is root's.
    pub(crate) fn forget_before(round: u64) -> DispatchResult {
        let oldest = OldestStoredRound::<T>::get();
        ensure!((oldest..=LastStoredRound::<T>::get()).contains(&round), Error::<T>::InvalidRoundNumber);
        ensure!(round.saturating_sub(oldest) <= u64::from(MAX_CLEARED_PULSES), Error::<T>::InvalidRoundNumber);
        Self::remove(oldest, round);
        OldestStoredRound::<T>::put(round);
        Self::deposit_event(Event::SetOldestStoredRound(round));
        Ok(())
    }

    /// Checks that the bounds hold, and that what is stored verifies: all of it in tests, else the newest rounds.
    ///
    /// # Errors
    ///
    /// What does not hold.
    #[cfg(any(feature = "try-runtime", feature = "std"))]
    pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
        const VERIFIED: u64 = 16;
        let (oldest, newest) = (OldestStoredRound::<T>::get(), LastStoredRound::<T>::get());
        ensure!(oldest <= newest, "the oldest round is newer than the newest");
        ensure!(newest == 0 || Pulses::<T>::contains_key(newest), "the newest round is not stored");
        let config = BeaconConfig::<T>::get();
        Self::ensure_usable(&config).map_err(|_| "no pulse can be verified")?;
        let params = config.params().ok_or("the beacon has no parameters")?;
        for (round, pulse) in Pulses::<T>::iter() {
            ensure!(round == pulse.round, "a pulse lies under another round");
            ensure!((oldest..=newest).contains(&round), "a pulse is out of bounds");
            let signature = pulse.point().ok_or("a pulse has no signature")?;
            ensure!(pulse == Pulse::new(round, &signature), "a pulse has other randomness than its signature's");
            if cfg!(test) || newest.saturating_sub(round) < VERIFIED {
                ensure!(verify_pulse(&params.public_key, round, &signature).is_ok(), "a pulse does not verify");
            }
        }
        Ok(())
    }
}
