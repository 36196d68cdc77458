// SPDX-License-Identifier: Apache-2.0
//! From the journal to scores: a pure function of what was measured, the subnet and the rules.
//!
//! Every number comes from `clawrank-primitives`; this module only brings rows together. The same journal, snapshot and
//! rules give the same report, byte for byte.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use clawrank_client::types::SubnetSnapshot;
use clawrank_primitives::{
    MECID_INTEL, MECID_SERVING, Params,
    emission::{Allocation, allocate, blend},
    gate::EpochWindow,
    proof::{Cell, Hash, HotkeyId},
};
use clawrank_protocol::{Hex, Hotkey, http::DemandCell};
use clawrank_store::journal::{BundleRow, ProbeRow, ReplayRow, TrafficRow};

use crate::{
    Error,
    clock::EpochClock,
    report::{Earned, IntelReport, MechanismReport, MinerReport, REPORT_VERSION, Report, ServingReport},
};

mod intel;
mod serving;
#[cfg(test)]
mod tests;
mod why;

/// Everything that scores follow from.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The validator.
    pub validator: HotkeyId,
    /// The subnet: uids, owner, mechanisms.
    pub subnet: Arc<SubnetSnapshot>,
    /// The epoch.
    pub clock: EpochClock,
    /// The rules.
    pub params: Params,
    /// Name of the rules.
    pub preset: String,
    /// Whitelisted models, normalised.
    pub whitelist: BTreeSet<String>,
    /// Cells of the catalogue, by id.
    pub cells: BTreeMap<Hash, Cell>,
    /// Challenge seed, if there is one yet.
    pub seed: Option<Hash>,
    /// When the epoch was, up to the seed's block.
    pub window: EpochWindow,
    /// What a failed replay counts as when endpoints are compared, milliseconds.
    pub replay_deadline_ms: u32,
    /// Minute at which the rolling window ends.
    pub minute: u64,
    /// Probes kept, oldest first within a hotkey.
    pub probes: Vec<ProbeRow>,
    /// Traffic of the rolling window.
    pub traffic: Vec<TrafficRow>,
    /// Checked bundles of this epoch.
    pub bundles: Vec<BundleRow>,
    /// Checked bundles of the epoch before, whose signals are judged now.
    pub previous: Vec<BundleRow>,
    /// Replays of this epoch.
    pub replays: Vec<ReplayRow>,
    /// Demand that the gateways reported.
    pub demand: Vec<DemandCell>,
}

/// Scores every uid and divides the emission.
///
/// # Errors
///
/// [`Error::Stored`] when a bundle's summary cannot be read back.
pub fn score(inputs: &Inputs) -> Result<Report, Error> {
    let uids = inputs.subnet.neurons.len();
    let serving = serving::score(inputs);
    let (intel, cells) = intel::score(inputs)?;

    let mut miners: Vec<MinerReport> = Vec::new();
    for (neuron, (serving, intel)) in inputs.subnet.neurons.iter().zip(serving.iter().zip(&intel)) {
        if serving.is_none() && intel.is_none() {
            continue;
        }
        miners.push(MinerReport {
            uid: neuron.uid,
            hotkey: Hotkey(neuron.hotkey),
            serving: serving.clone().unwrap_or_default(),
            intel: intel.clone().unwrap_or_default(),
            blended: None,
            why: String::new(),
        });
    }
    let vector = |of: &dyn Fn(&MinerReport) -> u128| {
        let mut scores = vec![0u128; uids];
        for miner in &miners {
            if let Some(score) = scores.get_mut(usize::from(miner.uid)) {
                *score = of(miner);
            }
        }
        scores
    };
    let (by_serving, by_intel) = (vector(&|miner| miner.serving.score), vector(&|miner| miner.intel.score));
    let owner = inputs.subnet.owner_uid.map(usize::from);
    let divide = |scores: &[u128]| allocate(scores, &inputs.params.cap, owner);
    let (serving, intel) = (divide(&by_serving), divide(&by_intel));

    let mut mechanisms = Vec::new();
    if inputs.subnet.mechanism_count > 1 {
        for (miner, allocation) in [(MECID_SERVING, &serving), (MECID_INTEL, &intel)] {
            let name = if miner == MECID_SERVING { "serving" } else { "intel" };
            mechanisms.push(mechanism(miner, name, allocation.as_ref().map_err(ToString::to_string)));
        }
        for miner in &mut miners {
            miner.serving.earned = earned(serving.as_ref().ok(), miner.uid);
            miner.intel.earned = earned(intel.as_ref().ok(), miner.uid);
        }
    } else {
        let shares = |allocation: &Result<Allocation, _>| match allocation {
            Ok(allocation) => allocation.shares_ppb.clone(),
            Err(_) => vec![0; uids],
        };
        let blended = blend(&shares(&serving), &shares(&intel), inputs.params.serving_share).and_then(|s| divide(&s));
        mechanisms.push(mechanism(MECID_SERVING, "blended", blended.as_ref().map_err(ToString::to_string)));
        for miner in &mut miners {
            miner.blended = Some(earned(blended.as_ref().ok(), miner.uid));
        }
    }
    for miner in &mut miners {
        miner.why = why::sentence(miner);
    }
    Ok(Report {
        version: REPORT_VERSION,
        genesis: Hex(inputs.genesis),
        netuid: inputs.subnet.netuid,
        epoch: inputs.clock.epoch,
        block: inputs.subnet.head.number,
        block_time_ms: inputs.subnet.head.timestamp_ms,
        start_block: inputs.clock.start_block,
        deadline_block: inputs.clock.deadline_block,
        seed: inputs.seed.map(Hex),
        validator: Hotkey(inputs.validator),
        validator_uid: inputs.subnet.by_hotkey(&inputs.validator).map(|neuron| neuron.uid),
        preset: inputs.preset.clone(),
        notice: inputs.params.notice().map(str::to_owned),
        dry_run: false,
        replays: u32::try_from(inputs.replays.len()).unwrap_or(u32::MAX),
        cells,
        miners,
        mechanisms,
        commits: Vec::new(),
        refused_receipts: Vec::new(),
        blocked: Vec::new(),
        warnings: Vec::new(),
    })
}

fn earned(allocation: Option<&Allocation>, uid: u16) -> Earned {
    let index = usize::from(uid);
    allocation.map_or_else(Earned::default, |allocation| Earned {
        share_ppb: allocation.shares_ppb.get(index).copied().unwrap_or(0),
        units: allocation.units.get(index).copied().unwrap_or(0),
        weight: allocation.weights_u16.get(index).copied().unwrap_or(0),
    })
}

fn mechanism(mecid: u8, name: &str, allocation: Result<&Allocation, String>) -> MechanismReport {
    let mut report = MechanismReport {
        mecid,
        name: name.to_owned(),
        uids: Vec::new(),
        weights: Vec::new(),
        capped: 0,
        shortfall_used: false,
        skipped: None,
    };
    match allocation {
        Ok(allocation) => {
            (report.uids, report.weights) = allocation.nonzero_weights().unzip();
            report.capped = u32::try_from(allocation.capped).unwrap_or(u32::MAX);
            report.shortfall_used = allocation.shortfall_used;
        }
        Err(why) => report.skipped = Some(why),
    }
    report
}

/// A serving or intel part of every uid, absent where there is nothing to say.
type PerUid<T> = Vec<Option<T>>;

/// An empty part for every uid.
fn empty<T: Clone>(inputs: &Inputs) -> PerUid<T> {
    vec![None; inputs.subnet.neurons.len()]
}

/// Position of a hotkey, if it is registered.
fn position(inputs: &Inputs, hotkey: &HotkeyId) -> Option<usize> {
    inputs.subnet.by_hotkey(hotkey).map(|neuron| usize::from(neuron.uid))
}

type ServingParts = PerUid<ServingReport>;
type IntelParts = PerUid<IntelReport>;
