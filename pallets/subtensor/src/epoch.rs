// SPDX-License-Identifier: Apache-2.0

//! One epoch of a subnet: storage in, [`clawrank_emission::yuma`] once per mechanism, storage and stake out.

use alloc::{collections::BTreeMap, vec, vec::Vec};
use clawrank_emission::yuma::{self, LiquidAlpha, Neuron, YumaInput, YumaOutput, YumaParams};
use clawrank_units::Rao;
use frame_support::{pallet_prelude::Weight, traits::tokens::Preservation};
use sp_runtime::PerU16;

use crate::{pallet::*, staking::StakeTotals, types::*, weights::WeightInfo};

/// What all mechanisms of a subnet share when its epoch begins.
struct Subnet<T: Config> {
    netuid: NetUid,
    block: u64,
    params: YumaParams,
    owner: Option<u16>,
    last_step_block: u64,
    commit_reveal: bool,
    hotkeys: Vec<T::AccountId>,
    /// Staked to each hotkey on the subnet.
    alphas: Vec<AlphaBalance>,
    stakes: Vec<u64>,
    permits: PerNeuron<bool>,
    registered: Vec<u64>,
}

/// What the epoch of one mechanism came to.
struct Outcome {
    index: NetUidStorageIndex,
    /// Its part of the subnet's emission.
    part: Rao,
    /// The uids that had a row of bonds before.
    bonded: Vec<bool>,
    output: YumaOutput,
}

impl<T: Config> Pallet<T> {
    /// Books what a subnet emits in one block as pending: the owner's cut off the top, half of the rest for miners, the
    /// other half for validators.
    pub(crate) fn book_emission(netuid: NetUid, alpha: AlphaBalance) {
        let cut = if OwnerCutEnabled::<T>::get(netuid) { SubnetOwnerCut::<T>::get() } else { 0 };
        let split = yuma::split_41_41_18(Rao(alpha.0), cut, 0);
        let validator = split.validator.saturating_add(split.root);
        let add = |pool: &mut AlphaBalance, part: Rao| pool.0 = pool.0.saturating_add(part.get());
        PendingOwnerCut::<T>::mutate(netuid, |pool| add(pool, split.owner));
        PendingServerEmission::<T>::mutate(netuid, |pool| add(pool, split.server));
        PendingValidatorEmission::<T>::mutate(netuid, |pool| add(pool, validator));
        SubnetAlphaOut::<T>::mutate(netuid, |total| total.0 = total.0.saturating_add(alpha.0));
        if SubnetAlphaOutEmission::<T>::get(netuid) != alpha {
            SubnetAlphaOutEmission::<T>::insert(netuid, alpha);
            SubnetTaoInEmission::<T>::insert(netuid, TaoBalance(alpha.0));
        }
    }

    /// Alpha of `netuid` that waits for the epoch, in rao.
    pub fn pending(netuid: NetUid) -> u64 {
        PendingServerEmission::<T>::get(netuid)
            .0
            .saturating_add(PendingValidatorEmission::<T>::get(netuid).0)
            .saturating_add(PendingOwnerCut::<T>::get(netuid).0)
    }

    /// Runs the epoch of `netuid` that is due in `block`: pays what is pending and writes consensus.
    ///
    /// What rounding leaves, or nobody earned, stays pending for the next epoch. When the state is inconsistent nothing
    /// is written or paid, and [`Event::EpochSkipped`] says so.
    pub(crate) fn run_epoch(netuid: NetUid, block: u64) -> Weight {
        let subnet = Subnet::<T>::load(netuid, block);
        let validators = subnet.permits.iter().filter(|permit| **permit).count().saturating_add(1);
        let mechanisms: Vec<NetUidStorageIndex> = Self::mechanisms(netuid).collect();
        let weight = T::WeightInfo::epoch(narrow(subnet.hotkeys.len()), narrow(validators), narrow(mechanisms.len()));

        let server = PendingServerEmission::<T>::get(netuid);
        let validator = PendingValidatorEmission::<T>::get(netuid);
        let pool = Rao(server.0.saturating_add(validator.0));
        let parts = yuma::split_mechanisms(pool, &Self::emission_split(netuid, mechanisms.len()));
        let mut read = 0_u32;
        let outputs: Option<Vec<Outcome>> = mechanisms
            .into_iter()
            .zip(parts)
            .map(|(index, part)| {
                let (timelocked, kib) = Self::earliest_timelocked(index);
                read = read.saturating_add(kib);
                let (input, bonded) = subnet.input(index, part, &timelocked);
                let output = yuma::epoch(&input).ok()?;
                Some(Outcome { index, part, bonded, output })
            })
            .collect();
        let weight = weight.saturating_add(T::WeightInfo::timelocked_queue(read, 0));
        let Some(outputs) = outputs else {
            Self::deposit_event(Event::EpochSkipped { netuid, block });
            return weight;
        };

        Self::write_mechanisms(&outputs);
        Self::write_subnet(netuid, &outputs);
        LastMechansimStepBlock::<T>::insert(netuid, block);
        let paid = subnet.pay(&outputs);
        let rest = pool.get().saturating_sub(paid);
        PendingServerEmission::<T>::remove(netuid);
        PendingValidatorEmission::<T>::insert(netuid, AlphaBalance(rest));
        subnet.pay_owner();
        weight
    }

    /// Writes what is kept per mechanism.
    fn write_mechanisms(outputs: &[Outcome]) {
        for Outcome { index, bonded, output, .. } in outputs {
            Incentive::<T>::insert(index, parts(&output.incentive));
            ConsensusByMechanism::<T>::insert(index, parts(&output.consensus));
            for ((uid, row), was_bonded) in (0_u16..).zip(&output.bonds).zip(bonded) {
                if !row.is_empty() {
                    Bonds::<T>::insert(index, uid, WeightRow::truncated(row.clone()));
                } else if *was_bonded {
                    Bonds::<T>::remove(index, uid);
                }
            }
        }
    }

    /// The proportions in which the mechanisms of `netuid` share its emission: those chosen, a mechanism without one
    /// getting nothing, or even ones.
    fn emission_split(netuid: NetUid, mechanisms: usize) -> Vec<u16> {
        let Some(chosen) = MechanismEmissionSplit::<T>::get(netuid) else { return vec![1; mechanisms] };
        let mut split = chosen.into_vec();
        split.resize(mechanisms, 0);
        split
    }

    /// Writes what is kept per subnet: of every mechanism alike (stake, permits), of any (activity), the mean of all by
    /// their part of the emission (consensus, dividends, trust), or the sum (emission).
    fn write_subnet(netuid: NetUid, outputs: &[Outcome]) {
        let Some(Outcome { output: first, .. }) = outputs.first() else { return };
        let mean = |of: fn(&YumaOutput) -> &Vec<u16>| {
            parts(&mean(outputs.iter().map(|outcome| (of(&outcome.output), outcome.part.get()))))
        };
        Consensus::<T>::insert(netuid, mean(|output| &output.consensus));
        Dividends::<T>::insert(netuid, mean(|output| &output.dividends));
        ValidatorTrust::<T>::insert(netuid, mean(|output| &output.validator_trust));
        StakeWeight::<T>::insert(netuid, PerNeuron::truncated(first.stake_weight.clone()));
        ValidatorPermit::<T>::insert(netuid, PerNeuron::truncated(first.permits.clone()));
        let mut active = first.active.clone();
        let mut emission = vec![AlphaBalance(0); active.len()];
        for Outcome { output, .. } in outputs {
            for (any, one) in active.iter_mut().zip(&output.active) {
                *any |= *one;
            }
            for (sum, one) in emission.iter_mut().zip(&output.emission) {
                sum.0 = sum.0.saturating_add(one.get());
            }
        }
        Active::<T>::insert(netuid, PerNeuron::truncated(active));
        Emission::<T>::insert(netuid, PerNeuron::truncated(emission));
    }
}

impl<T: Config> Subnet<T> {
    fn load(netuid: NetUid, block: u64) -> Self {
        let n = SubnetworkN::<T>::get(netuid);
        let tao_weight = TaoWeight::<T>::get();
        let hotkeys: Vec<T::AccountId> = (0..n).map(|uid| Keys::<T>::get(netuid, uid)).collect();
        let alphas: Vec<AlphaBalance> =
            hotkeys.iter().map(|hotkey| TotalHotkeyAlpha::<T>::get(hotkey, netuid)).collect();
        let stake = |(hotkey, alpha): (&T::AccountId, &AlphaBalance)| {
            Pallet::<T>::stake_weight_of(netuid, hotkey, alpha.0, tao_weight)
        };
        let tempo = Tempo::<T>::get(netuid);
        Self {
            netuid,
            block,
            params: YumaParams {
                kappa: Kappa::<T>::get(netuid),
                bonds_penalty: BondsPenalty::<T>::get(netuid),
                bonds_moving_average: BondsMovingAverage::<T>::get(netuid),
                max_allowed_validators: MaxAllowedValidators::<T>::get(netuid),
                activity_cutoff: yuma::activity_cutoff(ActivityCutoffFactorMilli::<T>::get(netuid), tempo),
                tempo: tempo.into(),
                stake_threshold: StakeThreshold::<T>::get(),
                yuma3: Yuma3On::<T>::get(netuid),
                liquid_alpha: LiquidAlphaOn::<T>::get(netuid).then(|| liquid_alpha::<T>(netuid)),
            },
            owner: Uids::<T>::get(netuid, SubnetOwnerHotkey::<T>::get(netuid)),
            last_step_block: LastMechansimStepBlock::<T>::get(netuid),
            commit_reveal: CommitRevealWeightsEnabled::<T>::get(netuid),
            stakes: hotkeys.iter().zip(&alphas).map(stake).collect(),
            hotkeys,
            alphas,
            permits: ValidatorPermit::<T>::get(netuid),
            registered: (0..n).map(|uid| BlockAtRegistration::<T>::get(netuid, uid)).collect(),
        }
    }

    /// Block of the oldest commit of `hotkey` that is still to be revealed, of either kind.
    fn first_commit(
        &self,
        index: NetUidStorageIndex,
        hotkey: &T::AccountId,
        timelocked: &BTreeMap<T::AccountId, u64>,
    ) -> Option<u64> {
        if !self.commit_reveal {
            return None;
        }
        let salted = Pallet::<T>::earliest_commit(index, hotkey);
        [salted, timelocked.get(hotkey).copied()].into_iter().flatten().min()
    }

    /// What one mechanism's epoch depends on, with `emission` to pay and the oldest timelocked commit of every hotkey; and
    /// which uids have a row of bonds.
    fn input(
        &self,
        index: NetUidStorageIndex,
        emission: Rao,
        timelocked: &BTreeMap<T::AccountId, u64>,
    ) -> (YumaInput, Vec<bool>) {
        let updates = LastUpdate::<T>::get(index);
        let (weights, _) = self.rows(Weights::<T>::iter_prefix(index));
        let (bonds, bonded) = self.rows(Bonds::<T>::iter_prefix(index));
        let neurons = self
            .hotkeys
            .iter()
            .zip(&weights)
            .enumerate()
            .map(|(uid, (hotkey, row))| Neuron {
                stake: self.stakes.get(uid).copied().unwrap_or_default(),
                last_update: updates.get(uid).copied().unwrap_or_default(),
                registered_at: self.registered.get(uid).copied().unwrap_or_default(),
                permit: self.permits.get(uid).copied().unwrap_or_default(),
                // A commit only matters for the weights that it is to replace.
                first_commit: if row.is_empty() { None } else { self.first_commit(index, hotkey, timelocked) },
            })
            .collect();
        let input = YumaInput {
            params: self.params.clone(),
            block: self.block,
            last_step_block: self.last_step_block,
            owner: self.owner,
            neurons,
            weights,
            bonds,
            previous_consensus: ConsensusByMechanism::<T>::get(index).iter().map(|part| part.deconstruct()).collect(),
            emission,
        };
        (input, bonded)
    }

    /// One row per neuron out of those that are stored, and which are.
    fn rows(&self, stored: impl Iterator<Item = (u16, WeightRow)>) -> (Vec<Vec<(u16, u16)>>, Vec<bool>) {
        let (mut rows, mut is_stored) = (vec![Vec::new(); self.hotkeys.len()], vec![false; self.hotkeys.len()]);
        for (uid, row) in stored {
            if let (Some(slot), Some(mark)) = (rows.get_mut(usize::from(uid)), is_stored.get_mut(usize::from(uid))) {
                *slot = row.into_vec();
                *mark = true;
            }
        }
        (rows, is_stored)
    }

    /// Stakes what miners earned to their hotkeys, for their owners, and what validators earned to theirs, for all who
    /// stake to them; the part of the pool that was paid or burned.
    fn pay(&self, outputs: &[Outcome]) -> u64 {
        let owner = SubnetOwner::<T>::try_get(self.netuid).ok();
        let mut totals = StakeTotals::load::<T>(self.netuid);
        let mut paid = 0_u64;
        for (uid, (hotkey, alpha)) in self.hotkeys.iter().zip(&self.alphas).enumerate() {
            let sum = |of: fn(&YumaOutput) -> &Vec<Rao>| {
                outputs
                    .iter()
                    .filter_map(|outcome| of(&outcome.output).get(uid))
                    .fold(Rao::ZERO, |sum, amount| sum.saturating_add(*amount))
            };
            let (dividends, served) = (sum(|output| &output.validator_emission), sum(|output| &output.server_emission));
            AlphaDividendsPerSubnet::<T>::insert(self.netuid, hotkey, AlphaBalance(dividends.get()));
            let (burned, earned) = self.pay_hotkey((hotkey, *alpha), dividends, served, owner.as_ref(), &mut totals);
            paid = paid.saturating_add(burned);
            if let Some(earned) = earned {
                paid = paid.saturating_add(earned.get());
                LastHotkeyEmissionOnNetuid::<T>::insert(hotkey, self.netuid, AlphaBalance(earned.get()));
            }
        }
        totals.store::<T>();
        for Outcome { index, output, .. } in outputs {
            let emissions = output.server_emission.iter().map(|amount| AlphaBalance(amount.get())).collect();
            Pallet::<T>::deposit_event(Event::IncentiveAlphaEmittedToMiners { netuid: *index, emissions });
        }
        paid
    }

    /// Stakes what a hotkey earned, which has `alpha`; a miner of the subnet's owner has its incentive burned. What was
    /// burned and what was staked; `None` when that was impossible.
    fn pay_hotkey(
        &self,
        (hotkey, alpha): (&T::AccountId, AlphaBalance),
        dividends: Rao,
        mut served: Rao,
        owner: Option<&T::AccountId>,
        totals: &mut StakeTotals,
    ) -> (u64, Option<Rao>) {
        if dividends.is_zero() && served.is_zero() {
            return (0, Some(Rao::ZERO));
        }
        let coldkey = Owner::<T>::get(hotkey);
        let mut burned = 0;
        if !served.is_zero() && owner == Some(&coldkey) {
            burned = self.burn(hotkey, served.get());
            served = Rao::ZERO;
        }
        let credited = Pallet::<T>::credit_earnings((hotkey, &coldkey), alpha, dividends, served, totals);
        (burned, credited.ok().map(|()| dividends.saturating_add(served)))
    }

    /// Burns pending alpha and the TAO behind it; the amount burned.
    fn burn(&self, hotkey: &T::AccountId, amount: u64) -> u64 {
        if Pallet::<T>::burn(&Pallet::<T>::account(), TaoBalance(amount), Preservation::Expendable).is_err() {
            return 0;
        }
        SubnetAlphaOut::<T>::mutate(self.netuid, |total| total.0 = total.0.saturating_sub(amount));
        let (coldkey, alpha) = (SubnetOwner::<T>::get(self.netuid), AlphaBalance(amount));
        Pallet::<T>::deposit_event(Event::AlphaBurned(coldkey, hotkey.clone(), alpha, self.netuid));
        amount
    }

    /// Stakes the owner's cut to the owner's hotkey, for the coldkey that owns that.
    fn pay_owner(&self) {
        let cut = PendingOwnerCut::<T>::get(self.netuid);
        let Ok(hotkey) = SubnetOwnerHotkey::<T>::try_get(self.netuid) else { return };
        if Pallet::<T>::credit_stake(&hotkey, &Owner::<T>::get(&hotkey), self.netuid, cut).is_ok() {
            PendingOwnerCut::<T>::remove(self.netuid);
        }
    }
}

fn liquid_alpha<T: Config>(netuid: NetUid) -> LiquidAlpha {
    let (alpha_low, alpha_high) = AlphaValues::<T>::get(netuid);
    LiquidAlpha {
        alpha_low,
        alpha_high,
        steepness: AlphaSigmoidSteepness::<T>::get(netuid),
        consensus: match LiquidAlphaConsensusMode::<T>::get(netuid) {
            ConsensusMode::Current => yuma::ConsensusMode::Current,
            ConsensusMode::Previous => yuma::ConsensusMode::Previous,
            ConsensusMode::Auto => yuma::ConsensusMode::Auto,
        },
    }
}

fn parts(values: &[u16]) -> PerNeuron<PerU16> {
    PerNeuron::truncated(values.iter().map(|value| PerU16::from_parts(*value)).collect())
}

/// The mean of lists by the weight that comes with each, entry by entry, every part rounded down as on the public chain;
/// without any weight, the first list.
fn mean<'a>(lists: impl Iterator<Item = (&'a Vec<u16>, u64)>) -> Vec<u16> {
    let lists: Vec<_> = lists.collect();
    let whole: u128 = lists.iter().map(|(_, weight)| u128::from(*weight)).fold(0, u128::saturating_add);
    let mut sums: Vec<u16> = vec![0; lists.iter().map(|(list, _)| list.len()).max().unwrap_or_default()];
    for (place, (list, weight)) in lists.iter().enumerate() {
        for (sum, value) in sums.iter_mut().zip(list.iter()) {
            let part = match u128::from(*value).saturating_mul(u128::from(*weight)).checked_div(whole) {
                Some(part) => u16::try_from(part).unwrap_or(u16::MAX),
                None if place == 0 => *value,
                None => 0,
            };
            *sum = sum.saturating_add(part);
        }
    }
    sums
}

fn narrow(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
