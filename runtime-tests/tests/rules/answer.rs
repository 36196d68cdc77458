// SPDX-License-Identifier: Apache-2.0
//! The rules, asked in SCALE and answered in words, so that native code and Wasm can be compared on the same questions.

use alloc::{format, string::String, vec::Vec};
use codec::{Decode, Encode};

use crate::rules::{
    emission::{
        self, CapParams, Finding,
        yuma::{self, Neuron, YumaInput, YumaParams},
    },
    gate::{self, GateParams, Replay},
    proof::{Attempt, CellTelemetry, EndpointName, Hash, challenge, summarise},
    scoring::{self, CellInput, EndpointCost, IntelParams, ServingInput, ServingMiner, ServingParams},
    units::{Ppb, Rao},
};

/// What can be asked.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) enum Question {
    /// Shares, chain units, weights and payouts (rules §4.2 – §4.5).
    Allocate {
        /// Scores by uid.
        scores: Vec<u128>,
        /// The ceiling.
        cap: CapParams,
        /// The owner's place.
        owner: Option<u32>,
        /// What is paid.
        pool: u64,
    },
    /// Two lists of shares in one (rules §1).
    Blend {
        /// Of serving.
        serving: Vec<u32>,
        /// Of intel.
        intel: Vec<u32>,
        /// How much the first weighs.
        part: Ppb,
    },
    /// What validators found together (rules §4.5).
    Judge {
        /// Scores with stake.
        scores: Vec<(u128, u128)>,
        /// Trips with stake.
        votes: Vec<(bool, u128)>,
    },
    /// Bases, eligible tokens and serving scores (rules §1).
    Serving {
        /// What is known of each miner, and the tokens of its payers.
        miners: Vec<(ServingInput, Vec<u64>)>,
        /// The rules.
        params: ServingParams,
    },
    /// Telemetry of attempts, and accuracy against that of others (rules §2.3, §4.1).
    Telemetry {
        /// Of the miner.
        attempts: Vec<Attempt>,
        /// Of the validator.
        reference: Vec<Attempt>,
        /// Relative error at which accuracy is 0.
        band: Ppb,
    },
    /// The statistical part of the gate (rules §3).
    Gate {
        /// Of the miner.
        attempts: Vec<Attempt>,
        /// Of the validator.
        replays: Vec<Replay>,
        /// The rules.
        params: GateParams,
    },
    /// Usefulness, freshness, coverage and the scores of cells (rules §4.1).
    Intel {
        /// Places in `costs` that a signal names, best first.
        signal: Vec<u8>,
        /// What the endpoints cost.
        costs: Vec<(u32, u64)>,
        /// Age and number of attempts.
        ages: Vec<(u64, u32)>,
        /// Cells with their value.
        cells: Vec<(CellInput, u64)>,
        /// The rules.
        params: IntelParams,
    },
    /// One epoch of Yuma consensus: a [`YumaInput`], part by part.
    Yuma {
        /// The subnet's hyperparameters.
        params: YumaParams,
        /// The block, and that of the epoch before.
        blocks: (u64, u64),
        /// The owner's uid.
        owner: Option<u16>,
        /// Stake, last update, registration, permit and first commit of every uid.
        neurons: Vec<(u64, u64, u64, bool, Option<u64>)>,
        /// Weights by uid.
        weights: Vec<Vec<(u16, u16)>>,
        /// Bonds by uid.
        bonds: Vec<Vec<(u16, u16)>>,
        /// Consensus of the epoch before.
        previous_consensus: Vec<u16>,
        /// What is paid.
        emission: u64,
    },
    /// Leaves and tasks that follow from a seed (rules §2.2).
    Challenge {
        /// The seed.
        seed: Hash,
        /// Of the validator.
        validator: Hash,
        /// Of the bundle.
        root: Hash,
        /// Its attempts.
        count: u32,
        /// How many of them are opened.
        most: u8,
    },
}

/// What the rules say, errors included: every field of every result.
pub(crate) fn answer(question: &Question) -> String {
    match question {
        Question::Allocate { scores, cap, owner, pool } => {
            let owner = owner.map(|owner| owner as usize);
            let allocation = emission::allocate(scores, cap, owner);
            let weights: Option<Vec<_>> = allocation.as_ref().ok().map(|found| found.nonzero_weights().collect());
            let payouts = emission::payouts(scores, cap, owner, Rao(*pool));
            let units = emission::divide(scores, cap, owner, u128::from(*pool));
            format!("{allocation:?} {weights:?} {payouts:?} {units:?}")
        }
        Question::Blend { serving, intel, part } => format!("{:?}", emission::blend(serving, intel, *part)),
        Question::Judge { scores, votes } => {
            let reports: Vec<_> = votes
                .iter()
                .zip(scores)
                .map(|((tripped, stake), (score, _))| (Some(Finding { tripped: *tripped, score: *score }), *stake))
                .chain(scores.iter().map(|(_, stake)| (None, *stake)).take(1))
                .collect();
            let (median, majority) = (emission::weighted_median(scores), emission::gate_majority(votes));
            format!("{median:?} {majority:?} {:?}", emission::judge(&reports))
        }
        Question::Serving { miners, params } => {
            let known = |(input, payers): &(ServingInput, Vec<u64>)| ServingMiner {
                base: scoring::base(input, params),
                eligible_tokens: scoring::eligible_tokens(payers, params.payer_cap),
                ghost: input.is_ghost(),
            };
            let miners: Vec<ServingMiner> = miners.iter().map(known).collect();
            format!("{miners:?} {:?}", scoring::serving_scores(&miners, params))
        }
        Question::Telemetry { attempts, reference, band } => {
            let (claim, reference) = (summarise(attempts), summarise(reference));
            let accuracy = |claim: &CellTelemetry| {
                let of = reference.iter().find(|found| found.cell == claim.cell)?;
                Some(scoring::cell_accuracy(claim, of, *band))
            };
            let accuracies: Vec<_> = claim.iter().map(accuracy).collect();
            format!("{claim:?} {accuracies:?}")
        }
        Question::Gate { attempts, replays, params } => {
            format!("{:?}", gate::check_statistics(&summarise(attempts), replays, params))
        }
        Question::Intel { signal, costs, ages, cells, params } => {
            let name = |place: usize| EndpointName::normalised(&format!("endpoint-{place}")).unwrap_or_default();
            let signal: Vec<EndpointName> = signal.iter().map(|place| name(usize::from(*place))).collect();
            let cost = |(place, (ms, price)): (usize, &(u32, u64))| EndpointCost {
                endpoint: name(place),
                cost: scoring::endpoint_cost(*ms, *price, params),
            };
            let costs: Vec<EndpointCost> = costs.iter().enumerate().map(cost).collect();
            let fresh: Vec<Ppb> = ages.iter().map(|(age, n)| scoring::cell_freshness(*age, 360, *n, params)).collect();
            let mut sum = scoring::IntelScore::new();
            let mut values = (0_u128, 0_u128);
            let scores: Vec<Ppb> = cells
                .iter()
                .map(|(cell, value)| {
                    let score = scoring::cell_score(cell, params);
                    sum.add(*value, score);
                    values.1 = values.1.saturating_add(u128::from(*value));
                    if cell.gate {
                        values.0 = values.0.saturating_add(u128::from(*value));
                    }
                    score
                })
                .collect();
            let covered = scoring::coverage(values.0, values.1);
            format!("{:?} {fresh:?} {scores:?} {sum:?} {covered:?}", scoring::usefulness(&signal, &costs))
        }
        Question::Yuma { params, blocks, owner, neurons, weights, bonds, previous_consensus, emission } => {
            let known =
                |&(stake, last_update, registered_at, permit, first_commit): &(u64, u64, u64, bool, Option<u64>)| {
                    Neuron { stake, last_update, registered_at, permit, first_commit }
                };
            let input = YumaInput {
                params: params.clone(),
                block: blocks.0,
                last_step_block: blocks.1,
                owner: *owner,
                neurons: neurons.iter().map(known).collect(),
                weights: weights.clone(),
                bonds: bonds.clone(),
                previous_consensus: previous_consensus.clone(),
                emission: Rao(*emission),
            };
            format!("{:?}", yuma::epoch(&input))
        }
        Question::Challenge { seed, validator, root, count, most } => {
            let leaves = challenge::leaves_to_open(seed, validator, root, *count, u32::from(*most));
            format!("{leaves:?} {:?}", challenge::tasks_to_replay(seed, validator, root, u32::from(*most)))
        }
    }
}
