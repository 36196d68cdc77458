// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;

/// `validators` with equal stake, permits and the same weights on the miners behind them.
fn subnet(validators: u16, miners: &[u16]) -> YumaInput {
    let count = validators + miners.len() as u16;
    let neuron = |uid| Neuron {
        stake: if uid < validators { 1_000 } else { 0 },
        last_update: 90,
        registered_at: 0,
        permit: uid < validators,
        first_commit: None,
    };
    let row: Vec<(u16, u16)> = (validators..).zip(miners.iter().copied()).collect();
    YumaInput {
        params: YumaParams { activity_cutoff: 50, ..YumaParams::default() },
        block: 100,
        neurons: (0..count).map(neuron).collect(),
        weights: (0..count).map(|uid| if uid < validators { row.clone() } else { Vec::new() }).collect(),
        bonds: vec![Vec::new(); count.into()],
        emission: Rao(1_000_000_000),
        ..YumaInput::default()
    }
}

fn total(amounts: &[Rao]) -> u64 {
    amounts.iter().map(|amount| amount.get()).sum()
}

#[test]
fn graph_of_512_gives_equal_figures_when_all_agree() {
    let mut input = subnet(64, &[1; 448]);
    input.params.bonds_penalty = 0;
    // A tenth of 1/448 in Yuma 3; a column's largest in the classic form.
    for (yuma3, bond) in [(true, 14), (false, 65_535)] {
        input.params.yuma3 = yuma3;
        let output = epoch(&input).unwrap();
        let row: Vec<(u16, u16)> = (64..512).map(|uid| (uid, bond)).collect();
        for uid in 0..512 {
            let validator = uid < 64;
            // 1/448 and 1/64 of 65,535, rounded down.
            assert_eq!(output.consensus[uid], if validator { 0 } else { 146 });
            assert_eq!(output.incentive[uid], if validator { 0 } else { 146 });
            assert_eq!(output.dividends[uid], if validator { 1_023 } else { 0 });
            assert_eq!(output.permits[uid], validator);
            // And of half of the emission.
            let (server, valued) = if validator { (0, 7_812_500) } else { (1_116_071, 0) };
            let paid =
                [&output.server_emission, &output.validator_emission, &output.emission].map(|all| all[uid].get());
            let right = [server, valued, server + valued];
            assert!(paid.iter().zip(right).all(|(a, b)| a.abs_diff(b) <= 1), "{uid}: {paid:?} where {right:?}");
            assert_eq!(output.bonds[uid], if validator { row.clone() } else { vec![] }, "yuma3 {yuma3}");
        }
    }
}

#[test]
fn consensus_follows_the_majority_when_a_minority_inflates() {
    let mut input = subnet(3, &[30_000, 30_000]);
    input.weights[2] = vec![(3, 0), (4, 60_000)];
    let output = epoch(&input).unwrap();
    assert_eq!(output.consensus[3..], [32_767, 32_767]);
    // The inflated weight is clipped to one half.
    assert_eq!(output.validator_trust[..3], [65_535, 65_535, 32_767]);
    assert!(output.incentive[4] < 40_000);
    assert!(output.dividends[2] < output.dividends[0]);
}

#[test]
fn validator_gets_nothing_when_inactive() {
    let mut input = subnet(2, &[1, 1]);
    input.neurons[1].last_update = 49;
    let output = epoch(&input).unwrap();
    assert_eq!(output.active, [true, false, true, true]);
    assert_eq!(output.dividends[..2], [65_535, 0]);
    assert!(output.stake_weight[1] > 32_000, "stake is kept while inactive");
}

#[test]
fn weights_are_ignored_when_older_than_their_target() {
    let mut input = subnet(2, &[1, 1]);
    input.neurons[3].registered_at = 90;
    let output = epoch(&input).unwrap();
    assert_eq!(output.incentive, [0, 0, 65_535, 0]);
    input.neurons[3].registered_at = 89;
    input.neurons[0].first_commit = Some(88);
    input.neurons[1].first_commit = Some(88);
    assert_eq!(epoch(&input).unwrap().incentive, [0, 0, 65_535, 0]);
    input.neurons[0].first_commit = Some(89);
    input.neurons[1].first_commit = None;
    assert_eq!(epoch(&input).unwrap().incentive[3], 32_767);
}

#[test]
fn bonds_are_dropped_when_their_target_was_replaced_since_the_last_epoch() {
    let mut input = subnet(1, &[1, 1]);
    input.last_step_block = 60;
    input.bonds[0] = vec![(1, 40_000), (2, 40_000)];
    input.neurons[2].registered_at = 61;
    let output = epoch(&input).unwrap();
    let row = &output.bonds[0];
    assert!(row[0].1 > 36_000 && row[1].1 < 4_000, "{row:?}");
    input.neurons[2].registered_at = 60;
    assert!(epoch(&input).unwrap().bonds[0][1].1 > 36_000);
    // Without an epoch so far, a tempo ago counts.
    input.last_step_block = 0;
    input.params.tempo = 40;
    assert!(epoch(&input).unwrap().bonds[0][1].1 < 4_000);
}

#[test]
fn permits_go_to_the_largest_stakes_when_they_are_fewer_than_uids() {
    let mut input = subnet(5, &[1]);
    input.params.max_allowed_validators = 2;
    for (uid, stake) in [(0, 7), (1, 9), (2, 7), (3, 0), (4, 1)] {
        input.neurons[uid].stake = stake;
    }
    input.owner = Some(4);
    let output = epoch(&input).unwrap();
    // Uid 2 before uid 0 at equal stake; the owner comes on top.
    assert_eq!(output.permits, [false, true, true, false, true, false]);
    assert!(output.bonds[0].is_empty() && !output.bonds[1].is_empty());
    input.params.stake_threshold = 8;
    assert_eq!(epoch(&input).unwrap().permits, [false, true, false, false, true, false]);
}

#[test]
fn self_weight_counts_only_when_set_by_the_owner() {
    let mut input = subnet(2, &[1]);
    input.neurons[0].stake = 5_000;
    input.weights[0] = vec![(0, 65_535)];
    let output = epoch(&input).unwrap();
    assert_eq!((output.incentive[0], output.validator_trust[0]), (0, 0));
    input.owner = Some(0);
    let output = epoch(&input).unwrap();
    assert_eq!((output.incentive[0], output.validator_trust[0]), (65_535, 65_535));
}

#[test]
fn validators_share_by_stake_when_there_are_no_weights() {
    let mut input = subnet(2, &[1]);
    input.neurons[1].stake = 3_000;
    input.weights = vec![Vec::new(); 3];
    let output = epoch(&input).unwrap();
    assert_eq!(output.validator_emission, [250_000_000, 750_000_000, 0].map(Rao));
    assert_eq!(output.emission, output.validator_emission);
    assert_eq!(total(&output.server_emission), 0);
    input.neurons.iter_mut().for_each(|neuron| neuron.last_update = 0);
    assert_eq!(epoch(&input).unwrap().validator_emission, [250_000_000, 750_000_000, 0].map(Rao));
}

#[test]
fn epoch_gives_nothing_when_there_are_no_uids_or_no_stake() {
    let empty = epoch(&YumaInput::default()).unwrap();
    assert_eq!((empty.emission.len(), empty.bonds.len()), (0, 0));
    let mut input = subnet(2, &[1]);
    input.neurons.iter_mut().for_each(|neuron| neuron.stake = 0);
    let output = epoch(&input).unwrap();
    assert_eq!(total(&output.emission), 0);
    assert_eq!(output.permits, [false; 3]);
}

#[test]
fn rows_are_read_safely_when_malformed() {
    let mut input = subnet(2, &[10, 10]);
    let expected = epoch(&input).unwrap();
    input.weights[0] = vec![(2, 10), (3, 10), (2, 65_535), (999, 5)];
    input.bonds[0] = vec![(999, 7)];
    assert_eq!(epoch(&input).unwrap(), expected);
}

#[test]
fn epoch_is_refused_when_parts_do_not_fit() {
    let mut input = subnet(2, &[1]);
    input.owner = Some(3);
    assert_eq!(epoch(&input), Err(EmissionError::IndexOutOfRange { index: 3, len: 3 }));
    input.owner = None;
    input.bonds.pop();
    assert_eq!(epoch(&input), Err(EmissionError::LengthMismatch { expected: 3, found: 2 }));
}

#[test]
fn liquid_alpha_drops_a_bond_when_its_weight_is_absent_and_decays_it_when_zero() {
    let mut input = subnet(1, &[1, 1]);
    input.params.liquid_alpha = Some(LiquidAlpha { consensus: ConsensusMode::Current, ..LiquidAlpha::default() });
    input.last_step_block = 50;
    input.bonds[0] = vec![(2, 60_000)];
    input.weights[0] = vec![(1, 1), (2, 0)];
    let decayed = epoch(&input).unwrap().bonds[0].clone();
    assert!(decayed.iter().any(|&(uid, bond)| uid == 2 && bond > 5_000 && bond < 20_000), "{decayed:?}");
    input.weights[0] = vec![(1, 1)];
    let dropped = epoch(&input).unwrap().bonds[0].clone();
    assert!(dropped.iter().all(|&(uid, _)| uid != 2), "{dropped:?}");
    // Without liquid alpha the bond decays in both cases.
    input.params.liquid_alpha = None;
    assert!(epoch(&input).unwrap().bonds[0].contains(&(2, 53_999)));
}

#[test]
fn consensus_mode_selects_the_vector_when_liquid_alpha_is_on() {
    let mut input = subnet(1, &[1, 1]);
    input.params.bonds_penalty = 0;
    let speed = |consensus, penalty, previous: &[u16], input: &mut YumaInput| {
        input.params.bonds_penalty = penalty;
        input.params.liquid_alpha =
            Some(LiquidAlpha { alpha_low: 6_553, alpha_high: 58_982, steepness: 1_000, consensus });
        input.previous_consensus = previous.to_vec();
        epoch(input).unwrap().bonds[0][0].1
    };
    // The weights are one half; against a previous consensus near zero they lead by a half, the middle of the curve.
    let (near_zero, current) = ([0, 1, 1], speed(ConsensusMode::Current, 0, &[], &mut input));
    let previous = speed(ConsensusMode::Previous, 0, &near_zero, &mut input);
    assert!(previous > current * 2, "{previous} {current}");
    assert_eq!(speed(ConsensusMode::Auto, 0, &near_zero, &mut input), current);
    assert_eq!(speed(ConsensusMode::Auto, u16::MAX, &near_zero, &mut input), previous);
    // An empty previous consensus switches to the common speed, one tenth.
    assert_eq!(speed(ConsensusMode::Previous, 0, &[], &mut input), 3_276);
}

#[test]
fn activity_cutoff_is_at_least_one_block_when_the_factor_is_small() {
    assert_eq!(activity_cutoff(13_889, 360), 5_000);
    assert_eq!(activity_cutoff(1, 10), 1);
}
