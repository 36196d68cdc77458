// SPDX-License-Identifier: Apache-2.0
//! The rules give the same bits in Wasm as natively: one file answers questions in both, and random questions are put to
//! both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

extern crate alloc;

#[path = "../rules/answer.rs"]
mod answer;

use answer::{Question, answer};
use clawrank_primitives as rules;
use codec::Encode;
use proptest::prelude::*;
use rules::{
    emission::{
        CapParams, Shortfall, allocate,
        yuma::{self, ConsensusMode, LiquidAlpha, Neuron, YumaInput, YumaParams},
    },
    gate::{GateParams, Replay},
    proof::{AnswerVerdict, Attempt, AttemptStatus, SchemaVerdict},
    scoring::{CellInput, IntelParams, ServingInput, ServingParams},
    units::{MicroUsd, Ppb, Rao},
};
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_io::{SubstrateHostFunctions, TestExternalities};
use std::{path::Path, process::Command, sync::OnceLock};

/// The cargo that has the Wasm target: the one that runs, or the one that `scripts/lib/setup.sh` found for it.
fn cargo() -> Command {
    let Some(toolchain) = std::env::var_os("WASM_BUILD_TOOLCHAIN") else {
        return Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    };
    let mut cargo = Command::new("rustup");
    cargo.arg("run").arg(toolchain).arg("cargo");
    // They name the compiler that this test was built with.
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        cargo.env_remove(name);
    }
    cargo
}

/// The module, built once for a test run; what was built for the one before is used again.
fn module() -> &'static [u8] {
    static MODULE: OnceLock<Vec<u8>> = OnceLock::new();
    MODULE.get_or_init(|| {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).canonicalize().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rules-in-wasm");
        std::fs::create_dir_all(&folder).unwrap();
        // A package of its own, with the project's versions of everything.
        let of = |part: &str| {
            let path = root.join("pallets/primitives").join(part);
            format!("clawrank-{part} = {{ path = \"{}\", default-features = false }}\n", path.display())
        };
        let parts: String = ["units", "proof", "gate", "scoring", "emission"].map(of).concat();
        let manifest = format!(
            "[package]\nname = \"rules-in-wasm\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
             [lib]\ncrate-type = [\"cdylib\"]\npath = \"{}/runtime-tests/tests/rules/lib.rs\"\n[dependencies]\n{parts}\
             codec = {{ package = \"parity-scale-codec\", version = \"3\", default-features = false, \
             features = [\"derive\"] }}\n[profile.release]\npanic = \"abort\"\n[workspace]\n",
            root.display()
        );
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let built = cargo()
            .args(["build", "--release", "--offline", "--target", "wasm32v1-none", "--manifest-path"])
            .arg(folder.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(folder.join("target"))
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_BUILD_TARGET")
            .output()
            .expect("cargo starts");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        std::fs::read(folder.join("target/wasm32v1-none/release/rules_in_wasm.wasm")).unwrap()
    })
}

/// What the module answers, run as the runtime is.
fn in_wasm(question: &Question) -> String {
    static EXECUTOR: OnceLock<WasmExecutor<SubstrateHostFunctions>> = OnceLock::new();
    let executor = EXECUTOR.get_or_init(|| WasmExecutor::builder().build());
    let fetcher = WrappedRuntimeCode(module().into());
    let hash = sp_io::hashing::blake2_256(module()).to_vec();
    let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash };
    let mut state = TestExternalities::default();
    let (result, _) = executor.call(&mut state.ext(), &code, "answer", &question.encode(), CallContext::Offchain);
    String::from_utf8(result.expect("no trap")).unwrap()
}

fn is_the_same(question: &Question) -> Result<(), TestCaseError> {
    prop_assert_eq!(in_wasm(question), answer(question));
    Ok(())
}

fn ppb() -> impl Strategy<Value = Ppb> {
    prop_oneof![Just(0), Just(1_000_000_000), 0..=1_000_000_000_u64]
        .prop_map(|parts| Ppb::from_ppb_clamped(parts.into()))
}

/// Any size: most are small, some fill the type.
fn score() -> impl Strategy<Value = u128> {
    (any::<u128>(), 0..128_u32).prop_map(|(score, shift)| score >> shift)
}

fn cap() -> impl Strategy<Value = CapParams> {
    let shortfall = prop_oneof![Just(Shortfall::Uniform), Just(Shortfall::ToOwner), Just(Shortfall::Skip)];
    let cap =
        prop_oneof![Just(150_000_000), 0..=1_000_000_000_u64].prop_map(|parts| Ppb::from_ppb_clamped(parts.into()));
    (cap, shortfall).prop_map(|(cap, shortfall)| CapParams { cap, shortfall })
}

/// Times around a median, so that tests of the gate are close to deciding either way.
fn attempt() -> impl Strategy<Value = Attempt> {
    let call = (0..4_u8, 50..200_u32, 1..400_u32, 0..1_000_u32, 0..1_000_u32, 0..5_000_u64);
    let verdicts = (0..10_u8, 0..3_u8, 0..3_u8);
    (call, verdicts, any::<[u8; 32]>()).prop_map(|((cell, ttft_ms, rest, input, output, cost), verdicts, task_id)| {
        let (status, schema, answer) = kinds(verdicts);
        Attempt {
            cell: [cell; 32],
            sequence: 0,
            task_id,
            request_hash: [1; 32],
            response_hash: [2; 32],
            start_ms: 1_800_000_000_000,
            ttft_ms,
            total_ms: ttft_ms + rest,
            input_tokens: input,
            output_tokens: output,
            status,
            schema,
            answer,
            cost: MicroUsd(cost),
        }
    })
}

fn kinds((status, schema, answer): (u8, u8, u8)) -> (AttemptStatus, SchemaVerdict, AnswerVerdict) {
    let status = match status {
        0 => AttemptStatus::Timeout,
        1 => AttemptStatus::Malformed,
        _ => AttemptStatus::Ok,
    };
    let schema = [SchemaVerdict::NotChecked, SchemaVerdict::Valid, SchemaVerdict::Invalid][usize::from(schema)];
    let answer = [AnswerVerdict::NotChecked, AnswerVerdict::Right, AnswerVerdict::Wrong][usize::from(answer)];
    (status, schema, answer)
}

/// Replays that are slower than the attempts by a factor of their own, in percent.
fn replays() -> impl Strategy<Value = Vec<Replay>> {
    let replay = |attempt: Attempt, percent: u32| Replay {
        cell: attempt.cell,
        task_id: attempt.task_id,
        status: attempt.status,
        ttft_ms: attempt.ttft_ms * percent / 100,
        total_ms: attempt.total_ms * percent / 100,
        schema: attempt.schema,
        answer: attempt.answer,
    };
    (prop::collection::vec(attempt(), 0..200), 50..300_u32)
        .prop_map(move |(attempts, percent)| attempts.into_iter().map(|attempt| replay(attempt, percent)).collect())
}

fn cell_input() -> impl Strategy<Value = CellInput> {
    (any::<bool>(), ppb(), ppb(), ppb(), ppb()).prop_map(|(gate, accuracy, usefulness, freshness, coverage)| {
        CellInput { gate, accuracy, usefulness, freshness, coverage }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shares_units_weights_and_payouts_are_the_same_in_wasm(
        scores in prop::collection::vec(score(), 0..300),
        cap in cap(),
        owner in prop::option::of(0..300_u32),
        pool in any::<u64>(),
    ) {
        is_the_same(&Question::Allocate { scores, cap, owner, pool })?;
    }

    #[test]
    fn blended_shares_are_the_same_in_wasm(
        pairs in prop::collection::vec((0..1_000_000_000_u32, 0..1_000_000_000_u32), 0..100),
        part in ppb(),
    ) {
        let (serving, intel) = pairs.into_iter().unzip();
        is_the_same(&Question::Blend { serving, intel, part })?;
    }

    #[test]
    fn medians_and_majorities_are_the_same_in_wasm(
        scores in prop::collection::vec((score(), score()), 0..64),
        votes in prop::collection::vec((any::<bool>(), score()), 0..64),
    ) {
        is_the_same(&Question::Judge { scores, votes })?;
    }

    #[test]
    fn serving_scores_are_the_same_in_wasm(
        miners in prop::collection::vec(
            ((any::<bool>(), prop::option::of(0..3_000_u32), 0..200_u32, 0..200_u32),
             prop::collection::vec(any::<u64>().prop_map(|tokens| tokens >> 16), 0..20)),
            0..100,
        ),
        is_local in any::<bool>(),
    ) {
        let params = if is_local { ServingParams::local() } else { ServingParams::clawrank() };
        let input = |(whitelisted, last_probe_ms, answered, probes)| {
            ServingInput { whitelisted, last_probe_ms, answered, probes }
        };
        let miners = miners.into_iter().map(|(known, payers)| (input(known), payers)).collect();
        is_the_same(&Question::Serving { miners, params })?;
    }

    #[test]
    fn telemetry_and_accuracy_are_the_same_in_wasm(
        attempts in prop::collection::vec(attempt(), 0..200),
        reference in prop::collection::vec(attempt(), 0..200),
        band in ppb(),
    ) {
        is_the_same(&Question::Telemetry { attempts, reference, band })?;
    }

    #[test]
    fn gate_is_the_same_in_wasm(
        attempts in prop::collection::vec(attempt(), 0..400),
        replays in replays(),
        is_local in any::<bool>(),
    ) {
        let params = if is_local { GateParams::local() } else { GateParams::clawrank() };
        is_the_same(&Question::Gate { attempts, replays, params })?;
    }

    #[test]
    fn intel_scores_are_the_same_in_wasm(
        signal in prop::collection::vec(0..12_u8, 0..12),
        costs in prop::collection::vec((any::<u32>(), any::<u64>().prop_map(|price| price >> 20)), 0..12),
        ages in prop::collection::vec((0..100_000_u64, 0..40_u32), 0..40),
        cells in prop::collection::vec((cell_input(), any::<u64>()), 0..40),
    ) {
        is_the_same(&Question::Intel { signal, costs, ages, cells, params: IntelParams::clawrank() })?;
    }

    #[test]
    fn challenges_are_the_same_in_wasm(
        seed in any::<[u8; 32]>(), validator in any::<[u8; 32]>(), root in any::<[u8; 32]>(),
        count in prop_oneof![0..300_u32, any::<u32>()], most in any::<u8>(),
    ) {
        is_the_same(&Question::Challenge { seed, validator, root, count, most })?;
    }
}

/// The comparison above is worth something only where the gate both passes and trips, and shares are cut.
#[test]
fn questions_have_different_answers_when_they_are_random() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut gates = [0, 0];
    for _ in 0..64 {
        let attempts = prop::collection::vec(attempt(), 300..400).new_tree(&mut runner).unwrap().current();
        let replays = replays().new_tree(&mut runner).unwrap().current();
        let said = answer(&Question::Gate { attempts, replays, params: GateParams::clawrank() });
        gates[usize::from(said.contains("Some(Trip"))] += 1;
    }
    println!("the gate stayed open {} times and tripped {} times", gates[0], gates[1]);
    assert!(gates.iter().all(|count| *count > 8), "{gates:?}");
}

/// A file of the emission primitive's own tests; its README names where the figures come from.
fn golden(name: &str) -> serde_json::Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pallets/primitives/emission/tests/data");
    serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

#[test]
fn shares_units_weights_and_payouts_are_the_same_in_wasm_when_scores_are_golden() {
    let cases = golden("waterfill15.json");
    let (mut ran, mut held) = (0, 0);
    for case in cases.as_array().unwrap() {
        let list = |key: &str| case[key].as_array().unwrap().clone();
        let scores: Vec<u128> = list("w").iter().map(|score| score.as_str().unwrap().parse().unwrap()).collect();
        for shortfall in [Shortfall::Uniform, Shortfall::ToOwner, Shortfall::Skip] {
            let cap = CapParams { cap: Ppb::from_percent(15), shortfall };
            for owner in [None, Some(0), Some(u32::try_from(scores.len()).unwrap())] {
                let pool = 123_456_789_012_345_678;
                is_the_same(&Question::Allocate { scores: scores.clone(), cap, owner, pool }).unwrap();
            }
            if case["k"].is_u64() {
                let units: Vec<u64> = allocate(&scores, &cap, None).unwrap().units.iter().map(|&n| n.into()).collect();
                assert_eq!(serde_json::json!(units), case["chain_units_sum436900_cap65535"]);
                held += 1;
            }
        }
        ran += 1;
    }
    println!("{ran} golden lists of scores; the cap holds in {}", held / 3);
    assert_eq!((ran, held / 3), (100, 87));
}

/// A scenario of the public chain: its name, the stake of its three validators, its miners, whether liquid alpha is on, and
/// what a validator's row over the miners is in an epoch.
type Scenario = (&'static str, [u64; 3], usize, bool, fn(usize, usize) -> Vec<u16>);

const FULL: u16 = u16::MAX;

/// The row of a validator who moves from the first of two miners to the second in the epoch that `at` has for it.
fn moves(at: [usize; 3], validator: usize, epoch: usize) -> Vec<u16> {
    if epoch < at[validator] { vec![FULL, 0] } else { vec![0, FULL] }
}

/// The third validator weighs the second miner in the third epoch only.
fn one_switch(validator: usize, epoch: usize) -> Vec<u16> {
    if (validator, epoch) == (2, 2) { vec![0, FULL] } else { vec![FULL, 0] }
}

const SCENARIOS: [Scenario; 6] = [
    ("kappa_moves_first", [8, 1, 1], 2, true, |validator, epoch| moves([1, 2, 3], validator, epoch)),
    ("kappa_moves_second", [8, 1, 1], 2, true, |validator, epoch| moves([2, 1, 3], validator, epoch)),
    ("kappa_moves_last", [8, 1, 1], 2, true, |validator, epoch| moves([3, 1, 2], validator, epoch)),
    ("one_epoch_switch", [33, 33, 34], 2, true, one_switch),
    ("liquid_alpha_disabled", [33, 33, 34], 2, false, one_switch),
    ("stable_miner", [8, 1, 1], 3, true, |validator, epoch| {
        let row = moves([2, 1, 3], validator, epoch);
        vec![row[0] / 2, row[1] / 2, FULL / 2]
    }),
];

/// An epoch natively and in Wasm; what it changes is written back, as the pallet does.
fn next_epoch(input: &mut YumaInput) -> yuma::YumaOutput {
    let known =
        |neuron: &Neuron| (neuron.stake, neuron.last_update, neuron.registered_at, neuron.permit, neuron.first_commit);
    let question = Question::Yuma {
        params: input.params.clone(),
        blocks: (input.block, input.last_step_block),
        owner: input.owner,
        neurons: input.neurons.iter().map(known).collect(),
        weights: input.weights.clone(),
        bonds: input.bonds.clone(),
        previous_consensus: input.previous_consensus.clone(),
        emission: input.emission.get(),
    };
    is_the_same(&question).unwrap();
    let output = yuma::epoch(input).unwrap();
    assert_eq!(answer(&question), format!("{:?}", yuma::epoch(input)), "the question is the input");
    input.bonds.clone_from(&output.bonds);
    input.previous_consensus.clone_from(&output.consensus);
    for (neuron, permit) in input.neurons.iter_mut().zip(&output.permits) {
        neuron.permit = *permit;
    }
    input.last_step_block = input.block;
    input.block += 1;
    output
}

#[test]
fn epochs_are_the_same_in_wasm_when_their_scenario_is_the_public_chains() {
    let golden = golden("subtensor_yuma3.json");
    assert_eq!(golden["scenarios"].as_object().unwrap().len(), SCENARIOS.len(), "every scenario is asked");
    for (name, stakes, miners, is_liquid, row) in SCENARIOS {
        let liquid =
            LiquidAlpha { alpha_low: 6_553, alpha_high: 19_660, steepness: 1_000, consensus: ConsensusMode::Current };
        let params = YumaParams {
            kappa: 32_767,
            bonds_penalty: 0,
            bonds_moving_average: 975_000,
            max_allowed_validators: 3,
            liquid_alpha: is_liquid.then_some(liquid),
            ..YumaParams::default()
        };
        let count = stakes.len() + miners;
        let neuron =
            |uid: usize| Neuron { stake: stakes.get(uid).copied().unwrap_or(0), last_update: 1, ..Neuron::default() };
        let mut input = YumaInput {
            params,
            block: 1,
            neurons: (0..count).map(neuron).collect(),
            weights: vec![Vec::new(); count],
            bonds: vec![Vec::new(); count],
            emission: Rao(1_000_000_000),
            ..YumaInput::default()
        };
        // One epoch without weights hands out the permits.
        next_epoch(&mut input);
        let published = golden["scenarios"][name]["dividends"].as_array().unwrap();
        assert_eq!(published.len(), 6);
        for (epoch, dividends) in published.iter().enumerate() {
            for validator in 0..stakes.len() {
                input.weights[validator] = (3..).zip(row(validator, epoch)).collect();
                input.neurons[validator].last_update = input.block;
            }
            let output = next_epoch(&mut input);
            for (uid, expected) in dividends.as_array().unwrap().iter().enumerate() {
                let apart = (f64::from(output.dividends[uid]) / 65_535.0 - expected.as_f64().unwrap()).abs();
                assert!(
                    apart <= golden["tolerance"].as_f64().unwrap(),
                    "{name} {epoch}: dividend of {uid} is {apart} off"
                );
            }
        }
    }
}
