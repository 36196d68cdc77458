// SPDX-License-Identifier: Apache-2.0

//! The payment of one epoch (rules §4.5).

use alloc::{collections::BTreeMap, vec::Vec};
use clawrank_emission::{Finding, Shortfall, judge, payouts, quorum};
use clawrank_units::Rao;
use frame_support::{
    pallet_prelude::Weight,
    traits::{
        Get,
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Preservation},
    },
};
use pallet_subtensor::{NetUid, SubnetInfo};
use sp_runtime::traits::AccountIdConversion;

use crate::{
    pallet::*,
    types::{Payout, PayoutList, Settlement, Verdict},
    weights::WeightInfo,
};

/// One validator's stake weight and what it found, by uid.
struct Report {
    stake: u128,
    verdicts: BTreeMap<u16, Verdict>,
}

impl Report {
    /// What it says of `uid`.
    fn on(&self, uid: u16) -> Option<Finding> {
        self.verdicts.get(&uid).map(|verdict| Finding { tripped: verdict.tripped, score: verdict.score })
    }
}

/// Who reported on an epoch.
struct Reporting {
    reports: Vec<Report>,
    stake: u64,
    total: u64,
}

impl<T: Config> Pallet<T> {
    /// The account that pays.
    pub fn pot() -> T::AccountId {
        T::PotId::get().into_account_truncating()
    }

    /// What the pot can pay at once, in rao, and live on.
    pub(crate) fn pot_balance() -> u64 {
        T::Currency::reducible_balance(&Self::pot(), Preservation::Preserve, Fortitude::Polite)
    }

    /// Settles an epoch for good: pays it, or notes that nothing is paid.
    pub(crate) fn settle(netuid: NetUid, epoch: u64, block: u64) -> Weight {
        let Some(mut state) = Epochs::<T>::get(netuid, epoch) else { return T::WeightInfo::settle(0, 0) };
        let weight = T::WeightInfo::settle(state.bundles, state.reports);
        let reporting = Self::reporting(netuid, epoch);
        let quorum = quorum(reporting.stake, reporting.total);
        let mut miners = Self::judged(netuid, epoch, &reporting.reports);
        let emission = if quorum { Self::emission(netuid) } else { 0 };
        let dust = Self::pay(netuid, epoch, emission, &mut miners);

        for miner in miners.iter().filter(|miner| miner.tripped) {
            let (uid, hotkey) = (miner.uid, miner.hotkey.clone());
            Self::deposit_event(Event::GateTripped { netuid, epoch, uid, hotkey });
        }
        let (reporting_stake, total_stake) = (reporting.stake, reporting.total);
        if !quorum {
            Self::deposit_event(Event::QuorumMissed { netuid, epoch, reporting_stake, total_stake });
        }
        let paid = emission.saturating_sub(dust);
        Settlements::<T>::insert(
            netuid,
            epoch,
            Settlement {
                block,
                emission,
                dust,
                reporting_stake,
                total_stake,
                // One per uid, so the bound holds.
                payouts: PayoutList::truncate_from(miners),
            },
        );
        state.settled = true;
        Epochs::<T>::insert(netuid, epoch, state);
        Self::deposit_event(Event::EpochSettled { netuid, epoch, paid, dust });
        weight
    }

    /// What the pot offers for an epoch of `netuid`.
    fn emission(netuid: NetUid) -> u64 {
        EpochEmission::<T>::get(netuid).unwrap_or_default().min(Self::pot_balance())
    }

    /// The reports of those who hold a permit now, with the stake that they have now.
    fn reporting(netuid: NetUid, epoch: u64) -> Reporting {
        let mut reporting = Reporting { reports: Vec::new(), stake: 0, total: 0 };
        for (validator, stake) in T::Subnets::validators(netuid) {
            reporting.total = reporting.total.saturating_add(stake);
            if let Some(verdicts) = Reports::<T>::get((netuid, epoch, validator)) {
                reporting.stake = reporting.stake.saturating_add(stake);
                let verdicts = verdicts.into_iter().map(|verdict| (verdict.uid, verdict)).collect();
                reporting.reports.push(Report { stake: stake.into(), verdicts });
            }
        }
        reporting
    }

    /// Every miner with a bundle that still has the uid it committed with, judged; by ascending uid.
    fn judged(netuid: NetUid, epoch: u64, reports: &[Report]) -> Vec<Payout<T::AccountId>> {
        let mut miners: Vec<Payout<T::AccountId>> = Bundles::<T>::iter_prefix((netuid, epoch))
            .filter(|(hotkey, bundle)| T::Subnets::uid(netuid, hotkey) == Some(bundle.uid))
            .map(|(hotkey, bundle)| {
                let found: Vec<(Option<Finding>, u128)> =
                    reports.iter().map(|report| (report.on(bundle.uid), report.stake)).collect();
                let Finding { tripped, score } = judge(&found);
                Payout { uid: bundle.uid, hotkey, tripped, score, amount: 0 }
            })
            .collect();
        miners.sort_unstable_by_key(|miner| miner.uid);
        miners
    }

    /// Pays the miners from the pot and notes their amounts; what of `emission` stays in the pot.
    ///
    /// An amount that an account cannot take (below the existential deposit of a new account) stays too, and so does all
    /// of it when the cap's rule says so or nobody has a score. What [`Shortfall::ToOwner`] withholds from miners, all of it
    /// when nobody has a score, goes to the owner's hotkey, who is then among `miners`; it stays while that hotkey has no uid.
    fn pay(netuid: NetUid, epoch: u64, emission: u64, miners: &mut Vec<Payout<T::AccountId>>) -> u64 {
        if emission == 0 {
            return emission;
        }
        let cap = EpochCaps::<T>::get(netuid, epoch).unwrap_or_else(T::Cap::get);
        let owner = if cap.shortfall == Shortfall::ToOwner { Self::join_owner(netuid, miners) } else { None };
        let place = owner.map(|owner| owner.unwrap_or_else(|joined| joined));
        // After the miners stands the pot, in the place of an owner who is not among them: it has no score.
        let scores: Vec<u128> = miners.iter().map(|miner| miner.score).chain([0]).collect();
        let division = payouts(&scores, &cap, Some(place.unwrap_or(miners.len())), Rao(emission)).ok();
        let pot = Self::pot();
        let mut dust = emission;
        for (miner, amount) in miners.iter_mut().zip(division.into_iter().flat_map(|division| division.amounts)) {
            let Some(rest) = dust.checked_sub(amount.get()).filter(|_| !amount.is_zero()) else { continue };
            if T::Currency::transfer(&pot, &miner.hotkey, amount.get(), Preservation::Preserve).is_ok() {
                dust = rest;
                miner.amount = amount.get();
                let hotkey = miner.hotkey.clone();
                Self::deposit_event(Event::Paid { netuid, epoch, hotkey, amount: miner.amount });
            }
        }
        if let Some(Err(joined)) = owner
            && miners.get(joined).is_some_and(|owner| owner.amount == 0)
        {
            miners.remove(joined);
        }
        dust
    }

    /// Puts the hotkey of the owner among the miners, by ascending uid: its place, an error where it was not there before,
    /// and `None` while it has no uid.
    fn join_owner(netuid: NetUid, miners: &mut Vec<Payout<T::AccountId>>) -> Option<Result<usize, usize>> {
        let uid = T::Subnets::owner_uid(netuid)?;
        let hotkey = T::Subnets::hotkey(netuid, uid)?;
        let place = miners.binary_search_by_key(&uid, |miner| miner.uid);
        if let Err(place) = place {
            miners.insert(place, Payout { uid, hotkey, tripped: false, score: 0, amount: 0 });
        }
        Some(place)
    }
}
