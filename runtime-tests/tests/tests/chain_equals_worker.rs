// SPDX-License-Identifier: Apache-2.0
//! The rules exist once: what the Wasm runtime computes in an epoch, a worker computes natively, bit for bit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_primitives::{
    emission::{
        CapParams, Finding, judge, payouts,
        yuma::{ConsensusMode, Neuron, YumaInput, YumaOutput},
    },
    units::Rao,
};
use clawrank_runtime::{AccountId, Balances, Runtime, RuntimeCall, SubtensorModule};
use clawrank_runtime_tests::{
    chain::{Chain, Keys, Options, keys},
    node,
    yuma::{self, Whole, Written},
};
use frame_support::traits::fungible::Inspect;
use pallet_provider_rank::{Bundles, Epochs, Reports, RunningEpoch, Settlements, Verdict};
use pallet_subtensor::{self as subtensor, MechId, NetUid, NetUidStorageIndex, WeightRow};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::json;
use sp_core::H256;
use std::{io::Write, process::Command};

const NETUID: NetUid = NetUid(92);

fn chain(validators: u32, miners: u32) -> Chain {
    Chain::with_options(&Options { validators: Some(validators), miners: Some(miners), ..Options::default() })
}

fn next_epoch(chain: &mut Chain) -> u32 {
    let next = chain.read(|| SubtensorModule::next_epoch_start_block(NETUID)).unwrap();
    u32::try_from(next).unwrap()
}

/// What `clawrank rules yuma` prints for the epochs of one mechanism in a row: each begins with what the program made of
/// the one before, the first with what the chain had.
fn on_the_command_line(inputs: &[YumaInput]) -> Vec<serde_json::Value> {
    let params = &inputs[0].params;
    assert!(inputs.iter().all(|input| input.params == *params), "one run of the program has one set of parameters");
    let liquid = params.liquid_alpha.unwrap_or_default();
    let epochs: Vec<serde_json::Value> = inputs
        .iter()
        .enumerate()
        .map(|(place, input)| {
            let by_uid = |of: fn(&Neuron) -> serde_json::Value| input.neurons.iter().map(of).collect::<Vec<_>>();
            let mut epoch = json!({
                "stake": by_uid(|neuron| neuron.stake.into()),
                "sparse_weights": input.weights,
                "last_update": by_uid(|neuron| neuron.last_update.into()),
                "registered_at": by_uid(|neuron| neuron.registered_at.into()),
                "first_commit": by_uid(|neuron| neuron.first_commit.into()),
                "owner": input.owner,
                "block": input.block,
                "emission": input.emission.get(),
            });
            if place == 0 {
                epoch["bonds"] = json!(input.bonds);
                epoch["permits"] = by_uid(|neuron| neuron.permit.into()).into();
                epoch["last_step_block"] = json!(input.last_step_block);
                if !input.previous_consensus.is_empty() {
                    epoch["previous_consensus"] = json!(input.previous_consensus);
                }
            }
            epoch
        })
        .collect();
    let question = json!({
        "params": {
            "kappa": params.kappa,
            "bonds_penalty": params.bonds_penalty,
            "bonds_moving_average": params.bonds_moving_average,
            "max_allowed_validators": params.max_allowed_validators,
            "activity_cutoff": params.activity_cutoff,
            "tempo": params.tempo,
            "stake_threshold": params.stake_threshold,
            "yuma3": params.yuma3,
            "liquid_alpha": params.liquid_alpha.is_some(),
            "alpha_low": liquid.alpha_low,
            "alpha_high": liquid.alpha_high,
            "alpha_sigmoid_steepness": liquid.steepness,
            "liquid_alpha_consensus": match liquid.consensus {
                ConsensusMode::Current => "current",
                ConsensusMode::Previous => "previous",
                ConsensusMode::Auto => "auto",
            },
        },
        "epochs": epochs,
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(question.to_string().as_bytes()).unwrap();
    let answer = Command::new(node::worker()).args(["rules", "yuma"]).arg(file.path()).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
    answer["epochs"].as_array().unwrap().clone()
}

/// The program's answer as the output that it was made from.
fn output(answer: &serde_json::Value) -> YumaOutput {
    let get = |key: &str| answer[key].clone();
    let parts = |key: &str| -> Vec<u16> { serde_json::from_value(get(key)).unwrap() };
    let flags = |key: &str| -> Vec<bool> { serde_json::from_value(get(key)).unwrap() };
    let rao = |key: &str| serde_json::from_value::<Vec<u64>>(get(key)).unwrap().into_iter().map(Rao).collect();
    YumaOutput {
        consensus: parts("consensus"),
        incentive: parts("incentive"),
        dividends: parts("dividends"),
        validator_trust: parts("validator_trust"),
        stake_weight: parts("stake_weight"),
        active: flags("active"),
        permits: flags("permits"),
        server_emission: rao("server_emission"),
        validator_emission: rao("validator_emission"),
        emission: rao("emission"),
        bonds: serde_json::from_value(get("bonds")).unwrap(),
    }
}

/// What an epoch in Wasm wrote: one mechanism after the other, and the whole.
fn written(chain: &mut Chain) -> (Vec<Written>, Whole) {
    chain.read(|| {
        let index = |mecid| NetUidStorageIndex::new(NETUID, MechId(mecid));
        ((0..2).map(|mecid| Written::on_chain(NETUID, index(mecid))).collect(), Whole::on_chain(NETUID))
    })
}

#[test]
fn epochs_in_wasm_equal_those_of_the_command_line_when_one_follows_the_other() {
    let mut rng = StdRng::seed_from_u64(461);
    for round in 0..MODES {
        let (v, m) = (rng.random_range(1..=16u32), rng.random_range(1..=40u32));
        let n = u16::try_from(v + m + 1).unwrap();
        let mut chain = chain(v, m);
        run_to_due(&mut chain);
        set_up(&mut chain, &mut rng, n, round);
        let mut inputs: [Vec<YumaInput>; 2] = [Vec::new(), Vec::new()];
        let mut wrote = Vec::new();
        for _ in 0..EPOCHS {
            let due = run_to_due(&mut chain);
            set_weights(&mut chain, &mut rng, n, due);
            for (all, (_, input)) in inputs.iter_mut().zip(chain.read(|| yuma::inputs(NETUID, due))) {
                all.push(input);
            }
            chain.block(Vec::new());
            wrote.push(written(&mut chain));
        }
        let printed = inputs.each_ref().map(|inputs| on_the_command_line(inputs));
        for (epoch, (mechanisms, whole)) in wrote.iter().enumerate() {
            let outputs: Vec<(Rao, YumaOutput)> =
                (0..2).map(|mecid: usize| (inputs[mecid][epoch].emission, output(&printed[mecid][epoch]))).collect();
            for (mecid, (written, (_, output))) in mechanisms.iter().zip(&outputs).enumerate() {
                assert_eq!(*written, Written::of(output), "round {round}, epoch {epoch}, mechanism {mecid}");
            }
            assert_eq!(*whole, Whole::of(&outputs), "round {round}, epoch {epoch}");
        }
    }
}

/// Runs the next block, in which an epoch is due, and compares what it wrote with what a worker expected.
fn compare_epoch(chain: &mut Chain) {
    let block = u64::from(chain.number() + 1);
    assert_eq!(u64::from(next_epoch(chain)), block, "an epoch is due in the next block");
    let expected = chain.read(|| yuma::epoch(NETUID, block));
    chain.block(Vec::new());
    let (mechanisms, whole) = written(chain);
    for (written, (index, (_, output))) in mechanisms.iter().zip(&expected) {
        assert_eq!(*written, Written::of(output), "mechanism {index:?}");
    }
    let outputs: Vec<_> = expected.into_iter().map(|(_, output)| output).collect();
    assert_eq!(whole, Whole::of(&outputs));
}

fn validators(n: u32) -> Vec<Keys> {
    (0..n).map(|i| keys(&format!("//validator//{i}"))).collect()
}

fn miners(n: u32) -> Vec<Keys> {
    (0..n).map(|i| keys(&format!("//miner//{i}"))).collect()
}

fn id(keys: &Keys) -> AccountId {
    use sp_core::Pair;
    keys.public().into()
}

#[test]
fn epoch_in_wasm_equals_the_workers_when_weights_come_by_commit_and_reveal() {
    let mut chain = chain(3, 4);
    let salt: Vec<u16> = vec![7, 11, 13];
    // Miners have the uids 4 to 7, after the owner and three validators.
    let uids: Vec<u16> = vec![4, 5, 6, 7];
    let weights = |v: usize, mecid: u8| -> Vec<u16> {
        (0..4u16).map(|m| 1 + (m * 9_000 + 777 * v as u16 + 5_000 * u16::from(mecid)) % 65_535).collect()
    };
    let start = next_epoch(&mut chain);
    chain.run_to(start);
    let mut commits = Vec::new();
    for (v, signer) in validators(3).iter().enumerate() {
        for mecid in 0..2 {
            let index = NetUidStorageIndex::new(NETUID, MechId(mecid));
            let hash = SubtensorModule::commit_hash(&id(signer), index, &uids, &weights(v, mecid), &salt, 0);
            let call =
                subtensor::Call::commit_mechanism_weights { netuid: NETUID, mecid: MechId(mecid), commit_hash: hash };
            commits.push(chain.sign_ahead(signer, call, mecid.into()));
        }
    }
    chain.block_ok(commits);

    let start = next_epoch(&mut chain);
    chain.run_to(start);
    let mut reveals = Vec::new();
    for (v, signer) in validators(3).iter().enumerate() {
        for mecid in 0..2 {
            let call = subtensor::Call::reveal_mechanism_weights {
                netuid: NETUID,
                mecid: MechId(mecid),
                uids: uids.clone(),
                values: weights(v, mecid),
                salt: salt.clone(),
                version_key: 0,
            };
            reveals.push(chain.sign_ahead(signer, call, mecid.into()));
        }
    }
    chain.block_ok(reveals);

    let due = next_epoch(&mut chain);
    chain.run_to(due - 1);
    compare_epoch(&mut chain);
    let incentive = chain.read(|| subtensor::Incentive::<Runtime>::get(NetUidStorageIndex::from(NETUID)));
    assert!(incentive.iter().filter(|share| !share.is_zero()).count() == 4, "every miner earns: {incentive:?}");

    // Bonds carry over: once more with the weights as they stand.
    let due = next_epoch(&mut chain);
    chain.run_to(due - 1);
    compare_epoch(&mut chain);
}

/// Epochs that follow each other in one chain.
const EPOCHS: usize = 4;
/// Rounds that cover both kinds of bonds, liquid alpha off and in each of its modes, and a full penalty.
const MODES: u32 = 8;

#[test]
fn epochs_in_wasm_equal_the_workers_when_state_is_random_and_one_follows_the_other() {
    let mut rng = StdRng::seed_from_u64(92);
    let (mut had_consensus, mut paid) = (0, 0);
    for round in 0..2 * MODES {
        let (v, m) = (rng.random_range(1..=24u32), rng.random_range(1..=60u32));
        let mut chain = chain(v, m);
        let n = u16::try_from(v + m + 1).unwrap();
        run_to_due(&mut chain);
        set_up(&mut chain, &mut rng, n, round);
        for _ in 0..EPOCHS {
            let due = run_to_due(&mut chain);
            set_weights(&mut chain, &mut rng, n, due);
            let inputs = chain.read(|| yuma::inputs(NETUID, due));
            had_consensus += inputs.iter().filter(|(_, input)| input.previous_consensus.iter().any(|c| *c > 0)).count();
            compare_epoch(&mut chain);
            paid += usize::from(chain.read(|| Whole::on_chain(NETUID)).emission.iter().any(|amount| *amount > 0));
        }
    }
    println!("{had_consensus} epochs of a mechanism began with a consensus, {paid} of a subnet paid");
    assert!(had_consensus > 40 && paid > 20, "the comparison has something to compare");
}

/// Stops before the block in which the next epoch is due, and returns its number.
fn run_to_due(chain: &mut Chain) -> u64 {
    let due = next_epoch(chain);
    chain.run_to(due - 1);
    due.into()
}

/// Parameters and bonds of any kind.
fn set_up(chain: &mut Chain, rng: &mut StdRng, n: u16, round: u32) {
    use subtensor::ConsensusMode::{Auto, Current, Previous};
    chain.write(|| {
        subtensor::Yuma3On::<Runtime>::insert(NETUID, round.is_multiple_of(2));
        let mode = [None, Some(Current), Some(Previous), Some(Auto)][round as usize / 2 % 4];
        subtensor::LiquidAlphaOn::<Runtime>::insert(NETUID, mode.is_some());
        subtensor::LiquidAlphaConsensusMode::<Runtime>::insert(NETUID, mode.unwrap_or_default());
        // With a full penalty the automatic mode is the previous one.
        let penalty = if rng.random_bool(0.5) { u16::MAX } else { rng.random::<u16>() };
        subtensor::BondsPenalty::<Runtime>::insert(NETUID, penalty);
        subtensor::Kappa::<Runtime>::insert(NETUID, rng.random_range(1..=65_535u16));
        if rng.random_bool(0.5) {
            let split = vec![rng.random_range(1..=u16::MAX), rng.random_range(1..=u16::MAX)];
            subtensor::MechanismEmissionSplit::<Runtime>::insert(NETUID, subtensor::List::truncated(split));
        }
        for mecid in 0..2 {
            let index = NetUidStorageIndex::new(NETUID, MechId(mecid));
            for uid in (0..n).filter(|_| rng.random_bool(0.5)).collect::<Vec<_>>() {
                subtensor::Bonds::<Runtime>::insert(index, uid, random_row(rng, n));
            }
        }
    });
}

/// Weights and updates of any kind for the epoch that is due next; bonds, permits and consensus stay as they are.
fn set_weights(chain: &mut Chain, rng: &mut StdRng, n: u16, due: u64) {
    chain.write(|| {
        for mecid in 0..2 {
            let index = NetUidStorageIndex::new(NETUID, MechId(mecid));
            for uid in 0..n {
                subtensor::Weights::<Runtime>::insert(index, uid, random_row(rng, n));
            }
            subtensor::LastUpdate::<Runtime>::mutate(index, |updates| {
                for update in updates.iter_mut() {
                    *update = rng.random_range(0..due);
                }
            });
        }
    });
}

fn random_row(rng: &mut StdRng, n: u16) -> WeightRow {
    let density = rng.random_range(0.0..1.0);
    let uids: Vec<u16> = (0..n).filter(|_| rng.random_bool(density)).collect();
    WeightRow::truncated(uids.into_iter().map(|uid| (uid, rng.random_range(1..=u16::MAX))).collect())
}

/// The payouts that the rules give for these verdicts, per uid.
fn expected_payouts(reports: &[(u64, Vec<Verdict>)], uids: &[u16], pool: u64) -> Vec<(u16, bool, u128, u64)> {
    let found = |verdicts: &[Verdict], uid| {
        let verdict = verdicts.iter().find(|verdict| verdict.uid == uid)?;
        Some(Finding { tripped: verdict.tripped, score: verdict.score })
    };
    let judged: Vec<Finding> = uids
        .iter()
        .map(|uid| {
            let reports: Vec<_> = reports.iter().map(|(stake, v)| (found(v, *uid), u128::from(*stake))).collect();
            judge(&reports)
        })
        .collect();
    let scores: Vec<u128> = judged.iter().map(|found| found.score).collect();
    let amounts = payouts(&scores, &CapParams::default(), None, Rao(pool)).map(|p| p.amounts).unwrap_or_default();
    uids.iter()
        .zip(judged)
        .enumerate()
        .map(|(i, (uid, Finding { tripped, score }))| {
            (*uid, tripped, score, amounts.get(i).map_or(0, |amount| amount.get()))
        })
        .collect()
}

/// Settles the oldest epoch that is open and compares the payouts with the worker's.
fn compare_settlement(chain: &mut Chain, epoch: u64) {
    let open = chain.read(|| Epochs::<Runtime>::get(NETUID, epoch)).unwrap();
    let reports: Vec<(u64, Vec<Verdict>)> = chain.read(|| {
        <SubtensorModule as subtensor::SubnetInfo<AccountId>>::validators(NETUID)
            .into_iter()
            .filter_map(|(who, stake)| Some((stake, Reports::<Runtime>::get((NETUID, epoch, who))?.into_inner())))
            .collect()
    });
    let mut uids: Vec<u16> =
        chain.read(|| Bundles::<Runtime>::iter_prefix_values((NETUID, epoch)).map(|b| b.uid).collect());
    uids.sort_unstable();
    assert!(!open.settled && !uids.is_empty() && !reports.is_empty());

    let balances = |chain: &mut Chain| -> Vec<u64> {
        chain.read(|| uids.iter().map(|uid| Balances::balance(&subtensor::Keys::<Runtime>::get(NETUID, uid))).collect())
    };
    // Stake moves with every Yuma epoch: stop right before the settlement, whose block is then the one that counts.
    while chain.read(|| !due(epoch)) {
        chain.block(Vec::new());
    }
    let stakes = |chain: &mut Chain| -> Vec<u64> {
        chain.read(|| {
            <SubtensorModule as subtensor::SubnetInfo<AccountId>>::validators(NETUID)
                .into_iter()
                .filter(|(who, _)| Reports::<Runtime>::contains_key((NETUID, epoch, who)))
                .map(|(_, stake)| stake)
                .collect()
        })
    };
    let now = stakes(chain);
    let reports: Vec<_> = now.into_iter().zip(reports).map(|(stake, (_, verdicts))| (stake, verdicts)).collect();
    let before = balances(chain);
    chain.block(Vec::new());
    let after = balances(chain);

    let settlement = chain.read(|| Settlements::<Runtime>::get(NETUID, epoch)).expect("settled in this block");
    let expected = expected_payouts(&reports, &uids, settlement.emission);
    let got: Vec<_> = settlement.payouts.iter().map(|p| (p.uid, p.tripped, p.score, p.amount)).collect();
    assert_eq!(got, expected);
    let paid: u64 = expected.iter().map(|(_, _, _, amount)| amount).sum();
    assert_eq!(paid + settlement.dust, settlement.emission, "Σ payouts + dust = pot");
    assert!(paid > 0, "something was paid");
    let moved: Vec<u64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    assert_eq!(moved, expected.iter().map(|(_, _, _, amount)| *amount).collect::<Vec<_>>(), "balances moved alike");
}

/// Whether `epoch` is settled in the next block: the commit window of the epoch after it ends with this one.
fn due(epoch: u64) -> bool {
    let block = SubtensorModule::block();
    Epochs::<Runtime>::get(NETUID, epoch + 1).is_some_and(|next| block == next.deadline)
}

#[test]
fn payouts_in_wasm_equal_the_workers_when_verdicts_come_by_extrinsics() {
    const MINERS: u32 = 12;
    let mut chain = chain(5, MINERS);
    let mut rng = StdRng::seed_from_u64(15);
    let start = next_epoch(&mut chain);
    chain.run_to(start + 1);
    let epoch = chain.read(|| RunningEpoch::<Runtime>::get(NETUID)).unwrap();
    let commits = miners(MINERS)
        .iter()
        .map(|miner| {
            let call = pallet_provider_rank::Call::commit_bundle {
                netuid: NETUID,
                epoch,
                root: H256::repeat_byte(rng.random_range(1..=255)),
                count: 100,
            };
            chain.sign(miner, call)
        })
        .collect();
    chain.block_ok(commits);

    let deadline = chain.read(|| Epochs::<Runtime>::get(NETUID, epoch)).unwrap().deadline;
    chain.run_to(u32::try_from(deadline).unwrap() + 2);
    let reports = validators(5)
        .iter()
        .map(|validator| {
            // Miners have the uids 6 to 17; heavy tails, a few trips, a few miners not looked at.
            let verdicts: Vec<Verdict> = (6..6 + MINERS as u16)
                .filter_map(|uid| {
                    let tripped = rng.random_bool(0.15);
                    let score = 1 << rng.random_range(0..60u32);
                    rng.random_bool(0.9).then_some(Verdict { uid, tripped, reason: 4 * u8::from(tripped), score })
                })
                .collect();
            let call = pallet_provider_rank::Call::submit_verdicts {
                netuid: NETUID,
                epoch,
                verdicts: verdicts.try_into().unwrap(),
            };
            chain.sign(validator, RuntimeCall::from(call))
        })
        .collect();
    chain.block_ok(reports);
    compare_settlement(&mut chain, epoch);
}

/// The vectors of the capped division, each as the one validator's scores of an epoch.
#[test]
fn payouts_in_wasm_equal_the_workers_when_scores_are_golden() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pallets/primitives/emission/tests/data/waterfill15.json");
    let cases: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut ran = 0;
    for case in cases.as_array().unwrap().iter().filter(|case| case["w"].as_array().unwrap().len() <= 200).take(12) {
        let scores: Vec<u128> =
            case["w"].as_array().unwrap().iter().map(|w| w.as_str().unwrap().parse().unwrap()).collect();
        let mut chain = chain(1, u32::try_from(scores.len()).unwrap());
        let start = next_epoch(&mut chain);
        chain.run_to(start + 1);
        let epoch = chain.read(|| RunningEpoch::<Runtime>::get(NETUID)).unwrap();
        chain.write(|| {
            let mut state = Epochs::<Runtime>::get(NETUID, epoch).unwrap();
            let verdicts: Vec<Verdict> = (2..)
                .zip(&scores)
                .map(|(uid, score)| Verdict { uid, tripped: false, reason: 0, score: *score })
                .collect();
            for verdict in &verdicts {
                let hotkey = subtensor::Keys::<Runtime>::get(NETUID, verdict.uid);
                let bundle =
                    pallet_provider_rank::Bundle { uid: verdict.uid, root: H256::repeat_byte(1), count: 1, block: 1 };
                Bundles::<Runtime>::insert((NETUID, epoch, hotkey), bundle);
                state.bundles += 1;
            }
            let validator = subtensor::Keys::<Runtime>::get(NETUID, 1);
            Reports::<Runtime>::insert(
                (NETUID, epoch, validator),
                pallet_provider_rank::Verdicts::try_from(verdicts).unwrap(),
            );
            state.reports = 1;
            Epochs::<Runtime>::insert(NETUID, epoch, state);
        });
        compare_settlement(&mut chain, epoch);
        ran += 1;
    }
    assert_eq!(ran, 12, "a missing vector is not a passed one");
}

#[test]
fn unfunded_hotkey_sets_weights_when_the_call_is_free() {
    let mut chain = chain(2, 3);
    chain.run_to(1);
    let hotkey = keys("//validator//0");
    let who = id(&hotkey);
    chain.write(|| {
        use frame_support::traits::fungible::Mutate;
        Balances::set_balance(&who, 0);
        frame_system::Account::<Runtime>::remove(&who);
    });
    let call = subtensor::Call::commit_weights { netuid: NETUID, commit_hash: H256::repeat_byte(3) };
    let extrinsic = chain.sign(&hotkey, call);
    chain.block_ok(vec![extrinsic]);
    let costly = chain.sign(&hotkey, frame_system::Call::remark { remark: vec![] });
    let results = chain.block(vec![costly]);
    assert!(results[0].is_err(), "a call with a fee needs a balance: {results:?}");
}
