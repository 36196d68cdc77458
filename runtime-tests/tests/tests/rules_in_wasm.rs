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
    emission::{CapParams, Shortfall},
    gate::{GateParams, Replay},
    proof::{AnswerVerdict, Attempt, AttemptStatus, SchemaVerdict},
    scoring::{CellInput, IntelParams, ServingInput, ServingParams},
    units::{MicroUsd, Ppb},
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
