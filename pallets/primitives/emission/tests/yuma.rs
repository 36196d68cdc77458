// SPDX-License-Identifier: Apache-2.0
//! Yuma epochs against the figures that the public chain's own tests publish.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use clawrank_emission::yuma::{ConsensusMode, LiquidAlpha, Neuron, YumaInput, YumaOutput, YumaParams, epoch};
use clawrank_units::Rao;
use std::collections::BTreeMap;

#[path = "yuma/published.rs"]
mod published;

const FULL: u16 = u16::MAX;
const HALF: u16 = u16::MAX / 2;

#[derive(serde::Deserialize)]
struct Golden {
    tolerance: f64,
    scenarios: BTreeMap<String, Scenario>,
}

#[derive(serde::Deserialize)]
struct Scenario {
    dividends: Vec<Vec<f64>>,
    bonds: Vec<Vec<Vec<f64>>>,
}

/// A chain of one subnet: runs epochs and writes their changes back, as the pallet does.
struct Subnet {
    input: YumaInput,
}

impl Subnet {
    fn new(params: YumaParams, stakes: &[u64], miners: usize) -> Self {
        let count = stakes.len() + miners;
        let neuron =
            |uid: usize| Neuron { stake: stakes.get(uid).copied().unwrap_or(0), last_update: 1, ..Neuron::default() };
        let mut subnet = Self {
            input: YumaInput {
                params,
                block: 1,
                neurons: (0..count).map(neuron).collect(),
                weights: vec![Vec::new(); count],
                bonds: vec![Vec::new(); count],
                emission: Rao(1_000_000_000),
                ..YumaInput::default()
            },
        };
        // One epoch without weights hands out the permits.
        subnet.run();
        subnet
    }

    fn run(&mut self) -> YumaOutput {
        let output = epoch(&self.input).unwrap();
        self.input.bonds = output.bonds.clone();
        self.input.previous_consensus = output.consensus.clone();
        for (neuron, &permit) in self.input.neurons.iter_mut().zip(&output.permits) {
            neuron.permit = permit;
        }
        self.input.last_step_block = self.input.block;
        self.input.block += 1;
        output
    }

    fn set_weights(&mut self, validator: usize, first: u16, weights: &[u16]) {
        self.input.weights[validator] = (first..).zip(weights.iter().copied()).collect();
        self.input.neurons[validator].last_update = self.input.block;
    }
}

fn yuma3_params(liquid: bool) -> YumaParams {
    let liquid_alpha =
        LiquidAlpha { alpha_low: 6_553, alpha_high: 19_660, steepness: 1_000, consensus: ConsensusMode::Current };
    YumaParams {
        kappa: 32_767,
        bonds_penalty: 0,
        bonds_moving_average: 975_000,
        max_allowed_validators: 3,
        liquid_alpha: liquid.then_some(liquid_alpha),
        ..YumaParams::default()
    }
}

fn close(value: u16, expected: f64, tolerance: f64) -> bool {
    (f64::from(value) / 65_535.0 - expected).abs() <= tolerance
}

/// The row that more than half of the stake sets, and what miners earn when every row is cut down to it: in 1/65,535, what
/// the scenarios have for consensus and incentive, of which their source publishes no figures.
fn agreed(stakes: &[u64; 3], rows: &[Vec<u16>; 3]) -> (Vec<f64>, Vec<f64>) {
    let total: u64 = stakes.iter().sum();
    let with = |row: &Vec<u16>| -> u64 {
        let same = stakes.iter().zip(rows).filter(|(_, other)| *other == row);
        same.map(|(stake, _)| stake).sum()
    };
    let normalised = |row: &[f64]| {
        let sum: f64 = row.iter().sum();
        row.iter().map(|weight| weight / sum).collect::<Vec<f64>>()
    };
    let dense = |row: &Vec<u16>| normalised(&row.iter().map(|weight| f64::from(*weight)).collect::<Vec<f64>>());
    let consensus = dense(rows.iter().find(|row| 2 * with(row) > total).unwrap());
    let earned = |miner: usize| {
        let counted = rows.iter().map(|row| dense(row)[miner].min(consensus[miner]));
        stakes.iter().zip(counted).map(|(stake, weight)| *stake as f64 * weight).sum()
    };
    let incentive = normalised(&(0..consensus.len()).map(earned).collect::<Vec<f64>>());
    (consensus, incentive)
}

/// Compares what one epoch gives the validators, in front, and the miners behind them; half of 10^9 rao is for either.
fn assert_shares(what: &str, found: &[u16], paid: &[Rao], expected: &[f64], tolerance: f64) {
    assert_eq!((found.len(), paid.len()), (expected.len(), expected.len()), "{what}");
    for (uid, &expected) in expected.iter().enumerate() {
        assert!(close(found[uid], expected, tolerance), "{what} of {uid}: {} {expected}", found[uid]);
        let share = paid[uid].get() as f64 / 500_000_000.0;
        assert!((share - expected).abs() <= tolerance, "{what} of {uid}: paid {share} {expected}");
    }
}

/// Runs a scenario: `weights(epoch)` are the three validators' rows over the miners.
fn check(name: &str, stakes: &[u64; 3], miners: usize, liquid: bool, weights: impl Fn(usize) -> [Vec<u16>; 3]) {
    let golden: Golden = serde_json::from_str(include_str!("data/subtensor_yuma3.json")).unwrap();
    let scenario = &golden.scenarios[name];
    let mut subnet = Subnet::new(yuma3_params(liquid), stakes, miners);
    assert_eq!(scenario.dividends.len(), 6);
    for (number, (dividends, bonds)) in scenario.dividends.iter().zip(&scenario.bonds).enumerate() {
        let rows = weights(number);
        for (validator, row) in rows.iter().enumerate() {
            assert_eq!(row.len(), miners);
            subnet.set_weights(validator, 3, row);
        }
        let output = subnet.run();
        let (what, tolerance) = (format!("{name} {number}"), golden.tolerance);
        let (consensus, incentive) = agreed(stakes, &rows);
        let behind = |shares: &[f64]| [&[0.0; 3], shares].concat();
        for (uid, &expected) in behind(&consensus).iter().enumerate() {
            let found = output.consensus[uid];
            assert!(close(found, expected, tolerance), "{what}: consensus of {uid}: {found} {expected}");
        }
        let (servers, validators) = (&output.server_emission, &output.validator_emission);
        assert_shares(&format!("{what}: incentive"), &output.incentive, servers, &behind(&incentive), tolerance);
        assert_shares(&format!("{what}: dividend"), &output.dividends, validators, dividends, tolerance);
        for (uid, both) in output.emission.iter().enumerate() {
            let parts = servers[uid].get() + validators[uid].get();
            assert!(both.get().abs_diff(parts) <= 1, "{what}: {both:?} of {uid} is {parts}");
        }
        assert_eq!((bonds.len(), output.bonds.len()), (3, 3 + miners));
        assert!(output.bonds[3..].iter().all(Vec::is_empty), "{what}: a miner has bonds");
        for (uid, row) in bonds.iter().enumerate() {
            let stored: BTreeMap<u16, u16> = output.bonds[uid].iter().copied().collect();
            // The source's table without liquid alpha has a column of zeros too many in front.
            let extra = row.len().saturating_sub(miners);
            assert!(
                row[..extra].iter().all(|bond| *bond == 0.0) && stored.keys().all(|uid| *uid > 2),
                "{what}: {stored:?}"
            );
            for (miner, &expected) in (3..).zip(row.iter().skip(extra)) {
                let found = stored.get(&miner).copied().unwrap_or(0);
                let right = close(found, expected, tolerance);
                assert!(right, "{what}: bond of {uid} to {miner}: {found} {expected}");
            }
        }
    }
}

/// The two-miner rows of validators that move from the first miner to the second at the epoch given for each.
fn movers(at: [usize; 3]) -> impl Fn(usize) -> [Vec<u16>; 3] {
    move |epoch| at.map(|at| if epoch < at { vec![FULL, 0] } else { vec![0, FULL] })
}

#[test]
fn yuma3_matches_golden_when_the_majority_moves_first() {
    check("kappa_moves_first", &[8, 1, 1], 2, true, movers([1, 2, 3]));
}

#[test]
fn yuma3_matches_golden_when_the_majority_moves_second() {
    check("kappa_moves_second", &[8, 1, 1], 2, true, movers([2, 1, 3]));
}

#[test]
fn yuma3_matches_golden_when_the_majority_moves_last() {
    check("kappa_moves_last", &[8, 1, 1], 2, true, movers([3, 1, 2]));
}

/// The third validator weighs the second miner in the third epoch only.
fn one_switch(epoch: usize) -> [Vec<u16>; 3] {
    let third = if epoch == 2 { vec![0, FULL] } else { vec![FULL, 0] };
    [vec![FULL, 0], vec![FULL, 0], third]
}

#[test]
fn yuma3_matches_golden_when_one_validator_switches_for_an_epoch() {
    check("one_epoch_switch", &[33, 33, 34], 2, true, one_switch);
}

#[test]
fn yuma3_matches_golden_when_liquid_alpha_is_off() {
    check("liquid_alpha_disabled", &[33, 33, 34], 2, false, one_switch);
}

#[test]
fn yuma3_matches_golden_when_one_miner_is_stable() {
    let moves_at = [2, 1, 3];
    check("stable_miner", &[8, 1, 1], 3, true, |epoch| {
        moves_at.map(|at| if epoch < at { vec![HALF, 0, HALF] } else { vec![0, HALF, HALF] })
    });
}
