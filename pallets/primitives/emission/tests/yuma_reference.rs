// SPDX-License-Identifier: Apache-2.0
//! Yuma epochs against a second, slow implementation: dense matrices of floats, medians by sorting.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use clawrank_emission::yuma::{ConsensusMode, LiquidAlpha, Neuron, YumaInput, YumaParams, epoch};
use clawrank_units::Rao;
use proptest::prelude::*;

type Matrix = Vec<Vec<f64>>;

fn part(value: u16) -> f64 {
    f64::from(value) / 65_535.0
}

fn normalised(values: &[f64]) -> Vec<f64> {
    let sum: f64 = values.iter().sum();
    values.iter().map(|value| if sum > 0.0 { value / sum } else { 0.0 }).collect()
}

fn columns_normalised(matrix: &Matrix) -> Matrix {
    let count = matrix.len();
    let sums: Vec<f64> = (0..count).map(|column| matrix.iter().map(|row| row[column]).sum()).collect();
    let cell = |row: usize, column: usize| if sums[column] > 0.0 { matrix[row][column] / sums[column] } else { 0.0 };
    (0..count).map(|row| (0..count).map(|column| cell(row, column)).collect()).collect()
}

/// What the reference computes: consensus, incentive, dividends, trust, and bonds in the stored scale.
struct Reference {
    consensus: Vec<f64>,
    incentive: Vec<f64>,
    dividends: Vec<f64>,
    trust: Vec<f64>,
    bonds: Matrix,
}

#[expect(clippy::needless_range_loop, reason = "written like the formulas")]
fn reference(input: &YumaInput) -> Reference {
    let (params, count) = (&input.params, input.neurons.len());
    let stake = normalised(&input.neurons.iter().map(|neuron| neuron.stake as f64).collect::<Vec<_>>());
    let counts = |neuron: &Neuron| neuron.permit && neuron.last_update + params.activity_cutoff >= input.block;
    let active: Vec<f64> = stake.iter().zip(&input.neurons).map(|(s, n)| if counts(n) { *s } else { 0.0 }).collect();
    let active = normalised(&active);

    let (mut weights, mut present) = (vec![vec![0.0; count]; count], vec![vec![false; count]; count]);
    for (i, row) in input.weights.iter().enumerate().filter(|(i, _)| input.neurons[*i].permit) {
        for &(j, weight) in row {
            let j = usize::from(j);
            if i != j && input.neurons[i].last_update > input.neurons[j].registered_at {
                weights[i][j] = f64::from(weight);
                present[i][j] = true;
            }
        }
        weights[i] = normalised(&weights[i]);
    }

    let kappa = part(params.kappa);
    let mut consensus = vec![0.0; count];
    for j in 0..count {
        let mut votes: Vec<(f64, f64)> =
            (0..count).filter(|&i| active[i] > 0.0).map(|i| (weights[i][j], active[i])).collect();
        votes.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let mut below = 0.0;
        consensus[j] = votes.last().map_or(0.0, |vote| vote.0);
        for (weight, stake) in votes {
            below += stake;
            if below > 1.0 - kappa {
                consensus[j] = weight;
                break;
            }
        }
    }
    let clipped: Matrix =
        weights.iter().map(|row| row.iter().zip(&consensus).map(|(w, c)| w.min(*c)).collect()).collect();
    let trust = clipped.iter().map(|row| row.iter().sum()).collect();
    let rank = |j: usize| (0..count).map(|i| clipped[i][j] * active[i]).sum();
    let incentive = normalised(&(0..count).map(rank).collect::<Vec<f64>>());

    let penalty = part(params.bonds_penalty);
    let mut goals = vec![vec![0.0; count]; count];
    for i in 0..count {
        for j in 0..count {
            goals[i][j] = weights[i][j] + penalty * (clipped[i][j] - weights[i][j]);
            // A weight that the penalty takes to nothing is no goal any more.
            let gone = penalty == 1.0 && weights[i][j] > 0.0 && consensus[j] <= 0.0;
            let zero = penalty > 0.0 && penalty < 1.0 && goals[i][j] <= 0.0;
            present[i][j] &= !gone && !zero;
        }
    }
    let mut stored = vec![vec![0.0; count]; count];
    for (i, row) in input.bonds.iter().enumerate() {
        for &(j, bond) in
            row.iter().filter(|(j, _)| input.neurons[usize::from(*j)].registered_at <= input.last_step_block)
        {
            stored[i][usize::from(j)] = part(bond);
        }
    }
    let common = 1.0 - params.bonds_moving_average as f64 / 1e6;
    let mut bonds = vec![vec![0.0; count]; count];
    let dividends;
    if params.yuma3 {
        for i in 0..count {
            for j in 0..count {
                let (goal, bond) = (goals[i][j], stored[i][j]);
                bonds[i][j] = match params.liquid_alpha.filter(|_| consensus.iter().any(|c| *c > 0.0)) {
                    Some(_) if !present[i][j] => 0.0,
                    liquid => {
                        let speed = liquid.map_or(common, |liquid| {
                            let lead = if goal >= bond { goal - consensus[j] } else { bond - goal };
                            let steepness = f64::from(liquid.steepness) / 100.0;
                            let rise = 1.0 / (1.0 + (-steepness * (lead.clamp(0.0, 1.0) - 0.5)).exp());
                            part(liquid.alpha_low) + rise * (part(liquid.alpha_high) - part(liquid.alpha_low))
                        });
                        (1.0 - speed) * bond + speed * goal
                    }
                };
            }
        }
        let shares = columns_normalised(&bonds);
        let earned = |i: usize| active[i] * (0..count).map(|j| shares[i][j] * incentive[j]).sum::<f64>();
        dividends = normalised(&(0..count).map(earned).collect::<Vec<_>>());
    } else {
        let bought: Matrix = (0..count).map(|i| goals[i].iter().map(|goal| goal * active[i]).collect()).collect();
        let (bought, stored) = (columns_normalised(&bought), columns_normalised(&stored));
        for i in 0..count {
            for j in 0..count {
                bonds[i][j] = (1.0 - common) * stored[i][j] + common * bought[i][j];
            }
        }
        bonds = columns_normalised(&bonds);
        let earned = |i: usize| (0..count).map(|j| bonds[i][j] * incentive[j]).sum::<f64>();
        dividends = normalised(&(0..count).map(earned).collect::<Vec<_>>());
        for j in 0..count {
            let largest = (0..count).map(|i| bonds[i][j]).fold(0.0, f64::max);
            (0..count).filter(|_| largest > 0.0).for_each(|i| bonds[i][j] /= largest);
        }
    }
    Reference { consensus, incentive, dividends, trust, bonds }
}

/// Three to eight validators and three to ten miners; inactive and replaced uids, zero and missing weights.
fn any_input() -> impl Strategy<Value = YumaInput> {
    let liquid = (1_000_u16..30_000, 0_u16..30_000, 0_i16..3_000).prop_map(|(alpha_low, more, steepness)| {
        LiquidAlpha { alpha_low, alpha_high: alpha_low + more, steepness, consensus: ConsensusMode::Current }
    });
    let penalty = prop_oneof![Just(0), Just(u16::MAX), any::<u16>()];
    let params = (any::<bool>(), prop::option::of(liquid), penalty, 500_000_u64..=1_000_000, 20_000_u16..50_000);
    (3_usize..=8, 3_usize..=10, params).prop_flat_map(|(validators, miners, params)| {
        let (yuma3, liquid_alpha, bonds_penalty, bonds_moving_average, kappa) = params;
        let count = validators + miners;
        // Odd stakes of many sizes: no subset of them is exactly at kappa, where rounding would decide.
        let neuron = (1_000_000_u64..2_000_000_000, prop_oneof![9 => 60_u64..100, 1 => 0_u64..40], 0_u64..60);
        let cell = prop_oneof![1 => Just(None), 1 => Just(Some(0)), 4 => (100_u16..u16::MAX).prop_map(Some)];
        let row = prop::collection::vec(cell, count);
        (
            prop::collection::vec(neuron, count),
            prop::collection::vec(row.clone(), validators),
            prop::collection::vec(row, validators),
        )
            .prop_map(move |(neurons, weights, bonds)| {
                let sparse = |rows: &[Vec<Option<u16>>]| -> Vec<Vec<(u16, u16)>> {
                    let pairs = |row: &Vec<Option<u16>>| (0..).zip(row).filter_map(|(j, v)| Some((j, (*v)?))).collect();
                    let mut rows: Vec<_> = rows.iter().map(pairs).collect();
                    rows.resize(count, Vec::new());
                    rows
                };
                let neurons =
                    neurons.into_iter().enumerate().map(|(uid, (stake, last_update, registered_at))| Neuron {
                        stake: if uid < validators { stake } else { 0 },
                        last_update,
                        registered_at,
                        permit: uid < validators,
                        first_commit: None,
                    });
                YumaInput {
                    params: YumaParams {
                        kappa,
                        bonds_penalty,
                        bonds_moving_average,
                        activity_cutoff: 60,
                        yuma3,
                        liquid_alpha,
                        ..YumaParams::default()
                    },
                    block: 100,
                    last_step_block: 50,
                    neurons: neurons.collect(),
                    weights: sparse(&weights),
                    bonds: sparse(&bonds),
                    emission: Rao(1_000_000_000),
                    ..YumaInput::default()
                }
            })
    })
}

/// Half a step of the stored `u16` is 8e-6; the rest is rounding on the way.
const TOLERANCE: f64 = 1e-4;

/// Of bonds: a steep liquid alpha makes much of small differences. It is that of the published vectors.
const BONDS_TOLERANCE: f64 = 1e-3;

fn assert_close(what: &str, found: &[u16], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (uid, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let difference = (part(found) - expected.min(1.0)).abs();
        assert!(difference < tolerance, "{what} of {uid}: {found} where {expected} is right");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn epoch_matches_the_float_reference_when_any_input(input in any_input()) {
        let (output, expected) = (epoch(&input).unwrap(), reference(&input));
        assert_close("consensus", &output.consensus, &expected.consensus, TOLERANCE);
        assert_close("incentive", &output.incentive, &expected.incentive, TOLERANCE);
        assert_close("dividend", &output.dividends, &expected.dividends, TOLERANCE);
        assert_close("trust", &output.validator_trust, &expected.trust, TOLERANCE);
        let total: f64 = expected.incentive.iter().chain(&expected.dividends).sum();
        if total > 0.0 {
            let one = input.emission.get() as f64 / total;
            let parts = [(&output.server_emission, &expected.incentive), (&output.validator_emission, &expected.dividends)];
            for (paid, shares) in parts {
                for (amount, share) in paid.iter().zip(shares) {
                    let found = amount.get() as f64 / one;
                    assert!((found - share).abs() < TOLERANCE, "{found} is paid where {share} is right");
                }
            }
        }
        for (uid, row) in output.bonds.iter().enumerate().filter(|(uid, _)| output.permits[*uid]) {
            let mut dense = vec![0; output.bonds.len()];
            row.iter().for_each(|&(target, bond)| dense[usize::from(target)] = bond);
            assert_close("bonds", &dense, &expected.bonds[uid], BONDS_TOLERANCE);
        }
    }

    #[test]
    fn epoch_never_pays_more_than_the_emission_when_any_input(input in any_input(), emission in any::<u64>()) {
        let input = YumaInput { emission: Rao(emission), ..input };
        let output = epoch(&input).unwrap();
        let sum = |amounts: &[Rao]| amounts.iter().map(|amount| u128::from(amount.get())).sum::<u128>();
        prop_assert!(sum(&output.server_emission) + sum(&output.validator_emission) <= u128::from(emission));
        prop_assert!(sum(&output.emission) <= u128::from(emission));
        prop_assert!(output.consensus.len() == input.neurons.len() && output.bonds.len() == input.neurons.len());
    }
}
