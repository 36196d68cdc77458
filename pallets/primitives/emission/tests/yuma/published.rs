// SPDX-License-Identifier: Apache-2.0
//! The figures in the public chain's own tests of an epoch, beside those of Yuma3.

use super::*;

/// Bonds may differ by this much: they are kept in 1/65,535, rounded down.
const BOND: u16 = 1;
/// Emission of 10^9 may differ by this much, since the shares come from such bonds.
const RAO: u64 = 20_000;

fn classic_params(permits: u16) -> YumaParams {
    YumaParams {
        kappa: 32_767,
        bonds_penalty: FULL,
        bonds_moving_average: 900_000,
        max_allowed_validators: permits,
        activity_cutoff: 5_000,
        yuma3: false,
        ..YumaParams::default()
    }
}

/// Compares emission with the source's figures; where anything was earned, incentive and dividends with their halves of it.
fn assert_emission(what: &str, output: &YumaOutput, expected: &[u64]) {
    let found: Vec<u64> = output.emission.iter().map(|amount| amount.get()).collect();
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= RAO), "{what}: {found:?} where {expected:?}");
    if output.incentive.iter().all(|share| *share == 0) {
        assert!(output.dividends.iter().all(|share| *share == 0), "{what}: {output:?}");
        return;
    }
    for (uid, expected) in expected.iter().enumerate() {
        let shares = u64::from(output.incentive[uid]) + u64::from(output.dividends[uid]);
        let earned = 500_000_000 * shares / u64::from(FULL);
        assert!(earned.abs_diff(*expected) <= RAO, "{what}: {uid} has {shares} where {expected} is paid");
    }
}

/// The bonds to `target` of the first uids.
fn assert_bonds(what: &str, output: &YumaOutput, target: u16, expected: &[u16]) {
    let bond = |uid: usize| output.bonds[uid].iter().find(|bond| bond.0 == target).map_or(0, |bond| bond.1);
    let found: Vec<u16> = (0..expected.len()).map(bond).collect();
    assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= BOND), "{what}: {found:?} where {expected:?}");
}

/// Which validator changes to weigh which uid only.
type Change = Option<(usize, u16)>;
/// What the four validators' bonds are to a miner.
type Bonds = (u16, [u16; 4]);

#[test]
fn classic_bonds_match_published_figures_when_validators_leave_and_return() {
    let mut subnet = Subnet::new(classic_params(8), &[1, 2, 3, 4], 4);
    for validator in 0..4 {
        subnet.set_weights(validator, 4, &[16_383, 32_767, 49_149, 65_535]);
    }
    // A row with nothing but a self-weight is empty: the bonds fade. The third comes back for the last miner only.
    let all = [49_998_779, 100_000_610, 149_996_337, 200_004_272];
    let none = [0; 4];
    let last = [0, 0, 0, 500_000_000];
    let table: [(Change, [u64; 4], [u64; 4], Bonds); 8] = [
        (None, [49_999_998, 99_999_999, 150_000_000, 200_000_001], all, (4, [16_383, 32_767, 49_151, 65_535])),
        (Some((0, 0)), [44_998_351, 101_110_561, 151_667_215, 202_223_870], all, (4, [14_582, 32_767, 49_151, 65_535])),
        (Some((1, 1)), [40_496_805, 90_999_783, 157_929_636, 210_573_773], all, (4, [12_603, 28_321, 49_151, 65_535])),
        // Two fifths of the stake are no majority: no consensus, and stake is paid.
        (
            Some((2, 2)),
            [99_999_999, 199_999_999, 299_999_999, 399_999_999],
            none,
            (7, [12_602, 28_320, 49_150, 65_535]),
        ),
        (Some((2, 7)), [36_443_733, 81_898_628, 163_565_493, 218_092_144], last, (7, [10_951, 24_609, 49_150, 65_535])),
        (None, [32_799_427, 73_706_612, 168_638_129, 224_855_830], last, (7, [9_559, 21_482, 49_150, 65_535])),
        (None, [29_518_068, 66_336_137, 173_203_134, 230_942_659], last, (7, [8_376, 18_824, 49_150, 65_535])),
        (None, [26_565_175, 59_701_871, 177_311_856, 236_421_095], last, (7, [7_363, 16_549, 49_150, 65_535])),
    ];
    for (number, (change, validators, miners, (target, bonds))) in table.into_iter().enumerate() {
        if let Some((validator, uid)) = change {
            subnet.input.weights[validator] = vec![(uid, FULL)];
        }
        let output = subnet.run();
        let what = format!("epoch {number}");
        assert_emission(&what, &output, &[validators, miners].concat());
        assert_bonds(&what, &output, target, &bonds);
        if number == 0 {
            assert_eq!(output.validator_emission[..4], validators.map(Rao));
            assert_eq!(output.server_emission[4..], miners.map(Rao));
            let miners = [0, 0, 0, 0, 6_553, 13_107, 19_660, 26_214];
            assert_eq!((output.consensus.as_slice(), output.incentive.as_slice()), (&miners[..], &miners[..]));
            // .1999999983 of 65,535, rounded down, is one less than a fifth.
            assert_eq!(output.dividends, [6_553, 13_106, 19_660, 26_214, 0, 0, 0, 0]);
        }
        if number == 3 {
            assert_eq!((output.consensus.as_slice(), output.incentive.as_slice()), (&[0; 8][..], &[0; 8][..]));
        }
    }
}

#[test]
fn stake_of_inactive_validators_counts_nothing_when_their_weights_are_old() {
    let mut subnet = Subnet::new(classic_params(4), &[1; 4], 0);
    let agree = |subnet: &mut Subnet, uid| subnet.set_weights(uid, 2, &[HALF, HALF]);
    agree(&mut subnet, 0);
    agree(&mut subnet, 1);
    let output = subnet.run();
    assert_eq!(output.dividends, [32_767, 32_767, 0, 0]);
    assert_eq!(
        (output.consensus.as_slice(), output.incentive.as_slice()),
        (&[0, 0, 32_767, 32_767][..], &[0, 0, 32_767, 32_767][..])
    );
    assert_emission("both", &output, &[250_000_000; 4]);
    for target in [2, 3] {
        assert_bonds("both", &output, target, &[FULL, FULL]);
    }

    subnet.input.block += 5_000;
    agree(&mut subnet, 0);
    let output = subnet.run();
    assert_eq!(output.active, [true, false, false, false]);
    assert_eq!(output.dividends, [36_044, 29_490, 0, 0]);
    assert_emission("one", &output, &[274_999_999, 224_999_999, 250_000_000, 250_000_000]);
    for target in [2, 3] {
        assert_bonds("one", &output, target, &[FULL, 53_619]);
    }

    agree(&mut subnet, 1);
    let output = subnet.run();
    assert_eq!(output.active, [true, true, false, false]);
    assert!(output.dividends[0].abs_diff(35_716) <= 1 && output.dividends[1].abs_diff(29_818) <= 1, "{output:?}");
    assert_emission("both again", &output, &[272_501_132, 227_498_866, 250_000_000, 250_000_000]);
    for target in [2, 3] {
        assert_bonds("both again", &output, target, &[FULL, 54_712]);
    }
}

#[test]
fn weights_and_bonds_on_a_replaced_miner_are_dropped_when_they_are_older() {
    let mut subnet = Subnet::new(classic_params(4), &[1; 4], 0);
    let third = |subnet: &mut Subnet, uid| subnet.set_weights(uid, 2, &[2 * (FULL / 3), FULL / 3]);
    for uid in [0, 1] {
        third(&mut subnet, uid);
    }
    for uid in [2, 3] {
        subnet.input.weights[uid] = vec![(uid as u16, FULL)];
        subnet.input.neurons[uid].last_update = subnet.input.block;
    }
    let output = subnet.run();
    assert_emission("before", &output, &[250_000_000, 250_000_000, 333_333_333, 166_666_666]);
    assert!(output.validator_trust[..2].iter().all(|trust| *trust >= 65_534), "{:?}", output.validator_trust);
    for (found, expected) in [(&output.consensus, [0, 0, 43_690, 21_845]), (&output.dividends, [32_767, 32_767, 0, 0])]
    {
        assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 1), "{found:?} where {expected:?}");
    }
    for target in [2, 3] {
        assert_bonds("before", &output, target, &[FULL, FULL]);
    }

    // The last miner is replaced in the block of that epoch and has no stake; only the first validator knows it.
    subnet.input.neurons[3] = Neuron { registered_at: subnet.input.last_step_block, ..Neuron::default() };
    third(&mut subnet, 0);
    let output = subnet.run();
    assert_eq!(output.dividends[..2], [32_767, 32_767]);
    assert_emission("after", &output, &[250_000_000, 250_000_000, 500_000_000, 0]);
    assert_eq!(output.consensus[3], 0);
    assert_bonds("after", &output, 2, &[FULL, FULL]);
}

#[test]
fn validators_get_everything_when_no_weight_counts() {
    let mut subnet = Subnet::new(classic_params(2), &[1, 0], 0);
    let alone = [1_000_000_000, 0];
    assert_emission("no weights", &subnet.run(), &alone);
    // A miner's weight on itself is none.
    subnet.input.weights[1] = vec![(1, FULL)];
    subnet.input.neurons[1].last_update = subnet.input.block;
    assert_emission("self-weight", &subnet.run(), &alone);
    // Neither is one on a miner that was replaced since.
    subnet.set_weights(0, 1, &[FULL]);
    subnet.input.neurons[1] = Neuron { registered_at: subnet.input.block, ..Neuron::default() };
    assert_emission("outdated weight", &subnet.run(), &alone);
    subnet.set_weights(0, 1, &[FULL]);
    assert_emission("weight", &subnet.run(), &[500_000_000, 500_000_000]);
}

#[test]
fn bonds_on_a_deregistered_miner_begin_anew_when_its_successor_is_weighed() {
    for yuma3 in [false, true] {
        let params = YumaParams { yuma3, ..classic_params(4) };
        let mut subnet = Subnet::new(params, &[1; 4], 0);
        for uid in [0, 1] {
            subnet.set_weights(uid, 2, &[2 * (FULL / 3), FULL / 3]);
        }
        let before = subnet.run().bonds[0].clone();
        assert_eq!(before.len(), 2);
        subnet.input.neurons[3] = Neuron { registered_at: subnet.input.block, ..Neuron::default() };
        subnet.input.block += 1;
        for uid in [0, 1] {
            subnet.set_weights(uid, 2, &[2 * (FULL / 3), FULL / 3]);
        }
        let after = subnet.run().bonds[0].clone();
        assert!(after[0].1 >= before[0].1, "yuma3 {yuma3}: {before:?} {after:?}");
        assert!(after[1].1 <= before[1].1, "yuma3 {yuma3}: {before:?} {after:?}");
    }
}

/// The uids of `validators` among `count`: in front, behind, or every other.
fn placed(validators: usize, count: usize, placement: usize) -> Vec<usize> {
    match placement {
        0 => (0..validators).collect(),
        1 => (count - validators..count).collect(),
        _ => (0..validators).map(|uid| uid * count / validators).collect(),
    }
}

#[test]
fn permits_follow_the_largest_stakes_when_these_change_hands() {
    for placement in 0..3 {
        for (count, permits) in [(2, 1), (4, 2), (8, 4)] {
            let validators = placed(permits, count, placement);
            let threshold = permits as u64;
            let stakes: Vec<u64> = (0..count)
                .map(|uid| if validators.contains(&uid) { (uid + count) as u64 } else { uid as u64 })
                .collect();
            let params = YumaParams { stake_threshold: threshold, ..classic_params(permits as u16) };
            let mut subnet = Subnet::new(params, &stakes, 0);
            let holds = |subnet: &Subnet, uid: usize| subnet.input.neurons[uid].permit;
            for uid in 0..count {
                assert_eq!(holds(&subnet, uid), validators.contains(&uid), "{placement} {count} {uid}");
            }
            for uid in (0..count).filter(|uid| !validators.contains(uid)) {
                subnet.input.neurons[uid].stake += 2 * count as u64;
            }
            subnet.run();
            for uid in 0..count {
                assert_eq!(holds(&subnet, uid), !validators.contains(&uid), "{placement} {count} {uid}");
            }
        }
    }
}

#[test]
fn uniform_graph_of_ten_pays_each_a_tenth_when_everyone_weighs_itself() {
    // Everyone validates, only self-weights: what is left is stake.
    let mut subnet = Subnet::new(classic_params(10), &[1; 10], 0);
    for uid in 0..10 {
        subnet.set_weights(uid, uid as u16, &[FULL]);
    }
    let output = subnet.run();
    assert_emission("ten", &output, &[100_000_000; 10]);
    assert_eq!(output.stake_weight, [6_553; 10]);
    assert_eq!((output.dividends, output.incentive, output.consensus), (vec![0; 10], vec![0; 10], vec![0; 10]));
    assert!(output.bonds.iter().all(Vec::is_empty), "{:?}", output.bonds);
}

#[test]
fn only_neuron_gets_everything_when_it_is_alone() {
    let mut subnet = Subnet::new(classic_params(1), &[1], 0);
    subnet.set_weights(0, 0, &[FULL]);
    let output = subnet.run();
    assert_eq!(output.emission, [Rao(1_000_000_000)]);
    assert_eq!((output.consensus, output.incentive, output.dividends), (vec![0], vec![0], vec![0]));
    assert_eq!(output.bonds, [vec![]]);
    assert_eq!(output.permits, [true]);
}
