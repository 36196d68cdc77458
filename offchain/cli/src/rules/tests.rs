// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clap::Parser;
use serde_json::{Value, json};

use super::*;

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: RulesCommand,
}

fn args(words: &[&str]) -> RulesCommand {
    Line::parse_from([&["clawrank"], words].concat()).command
}

/// What the rule prints for this input, without a process around it.
fn ask(words: &[&str], input: &Value) -> Result<Value, CliError> {
    let text = input.to_string();
    let value = |v: Result<Value, serde_json::Error>| v.unwrap();
    Ok(match args(words) {
        RulesCommand::Allocate(a) => value(serde_json::to_value(allocate::allocate(parse(&text)?, &a)?)),
        RulesCommand::Yuma(_) => value(serde_json::to_value(yuma::yuma(parse(&text)?)?)),
        RulesCommand::Gate(a) => value(serde_json::to_value(gate::gate(parse(&text)?, &params::preset(&a.preset)?)?)),
        RulesCommand::Serving(a) => {
            value(serde_json::to_value(serving::serving(parse(&text)?, &params::preset(&a.preset)?)?))
        }
        RulesCommand::Intel(a) => {
            value(serde_json::to_value(intel::intel(parse(&text)?, &params::preset(&a.preset)?)?))
        }
        RulesCommand::Merkle(_) => value(serde_json::to_value(merkle::merkle(parse(&text)?)?)),
    })
}

fn refusal(words: &[&str], input: &Value) -> String {
    let error = ask(words, input).unwrap_err();
    assert_eq!(error.code(), 2);
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}

#[test]
fn allocate_caps_and_shares_again_when_one_score_dominates() {
    let out =
        ask(&["allocate", "--cap", "15%"], &json!({ "scores": ["1000", 10, 10, 10, 10, 10, 10, "10", "0"] })).unwrap();
    assert_eq!(out["shares_ppb"][0], 150_000_000);
    assert_eq!(out["capped"], 1);
    let sum: u64 = out["shares_ppb"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).sum();
    assert_eq!(sum, 1_000_000_000);
    assert_eq!(out["units"][0], 65_535);
    assert_eq!(out["units"][8], 0);
}

#[test]
fn allocate_takes_scores_up_to_the_largest_u128_when_written_as_text() {
    let top = u128::MAX.to_string();
    let out = ask(&["allocate"], &json!({ "scores": vec![top; 8] })).unwrap();
    assert_eq!(out["shares_ppb"], json!(vec![125_000_000; 8]));
}

#[test]
fn allocate_names_the_score_when_it_is_not_a_number() {
    let text = refusal(&["allocate"], &json!({ "scores": ["12", "1.5"] }));
    assert!(text.starts_with("scores[1]"), "{text}");
    let text = refusal(&["allocate"], &json!({ "scores": ["1"], "cap": 3 }));
    assert!(text.contains("cap"), "{text}");
    let text = refusal(&["allocate"], &json!({}));
    assert!(text.contains("scores"), "{text}");
}

#[test]
fn yuma_gives_consensus_and_carries_bonds_when_epochs_follow() {
    let epoch =
        json!({ "stake": [8, 1, 1, 0, 0], "weights": [[0, 0, 0, 65535, 0], [0, 0, 0, 65535, 0], [0, 0, 0, 65535, 0]] });
    let params = json!({ "kappa": 32767, "bonds_penalty": 0, "bonds_moving_average": 975_000, "max_allowed_validators": 3,
        "liquid_alpha": true, "alpha_low": 6553, "alpha_high": 19660, "liquid_alpha_consensus": "current" });
    let out = ask(&["yuma"], &json!({ "params": params, "epochs": [epoch, epoch] })).unwrap();
    let dividend = |e: usize, uid: usize| out["epochs"][e]["dividends"][uid].as_u64().unwrap() as f64 / 65_535.0;
    assert!((dividend(0, 0) - 0.8).abs() < 1e-3);
    let bond = |e: usize| out["epochs"][e]["bonds"][0][0][1].as_u64().unwrap() as f64 / 65_535.0;
    assert!((bond(0) - 0.1013).abs() < 1e-3, "{}", bond(0));
    assert!((bond(1) - 0.1924).abs() < 1e-3, "{}", bond(1));
    assert_eq!(out["epochs"][0]["incentive"], json!([0, 0, 0, 65_535, 0]));
}

#[test]
fn yuma_names_the_field_when_lengths_differ() {
    let text = refusal(&["yuma"], &json!({ "epochs": [{ "stake": [1, 2], "weights": [[1]] }] }));
    assert!(text.starts_with("epochs[0].weights[0]"), "{text}");
    let text = refusal(&["yuma"], &json!({ "epochs": [{ "stake": [1, "x"] }] }));
    assert!(text.starts_with("epochs[0].stake[1]"), "{text}");
}

fn replays(ms: u32) -> Vec<Value> {
    (0..32u8)
        .map(|i| {
            let task = hex::encode([i; 32]);
            json!({ "cell": "11".repeat(32), "task_id": task, "ok": true, "ttft_ms": ms, "total_ms": ms * 2 })
        })
        .collect()
}

#[test]
fn gate_trips_on_latency_when_replays_take_twice_the_claim() {
    let claim = json!({ "cell": "11".repeat(32), "n": 40, "ok": 40, "p50_ttft_ms": 200, "p50_total_ms": 400 });
    let open = ask(&["gate"], &json!({ "claims": [claim], "replays": replays(200) })).unwrap();
    assert_eq!(open["gate"], 1, "{open}");
    assert_eq!(open["cells"][0]["verified"], true);
    let shut = ask(&["gate"], &json!({ "claims": [claim], "replays": replays(400) })).unwrap();
    assert_eq!(shut["gate"], 0);
    assert_eq!(shut["reason"], "LatencyOutOfTolerance");
    assert!(!shut["evidence"].is_null());
}

#[test]
fn serving_pays_nothing_for_traffic_when_it_is_free_or_of_one_payer() {
    let miner = |payers: Value| json!({ "whitelisted": true, "last_probe_ms": 80, "answered": 10, "probes": 10, "payers": payers });
    let paid = json!([{ "tokens": 1000, "fee_micro_usd": 1_000_000 }, { "tokens": 1000, "fee_micro_usd": 1_000_000 },
        { "tokens": 1000, "fee_micro_usd": 1_000_000 }]);
    let input = json!({ "miners": [miner(paid.clone()), miner(json!([{ "tokens": 9_999_999, "fee_micro_usd": 0 }])),
        miner(json!([{ "tokens": 5000, "fee_micro_usd": 9_000_000 }]))] });
    let out = ask(&["serving"], &input).unwrap();
    assert_eq!(out["eligible_tokens"], json!([3000, 0, 0]));
    assert_eq!(out["base_ppb"][0], 1_000_000_000);
    let local = ask(&["serving", "--preset", "local"], &input).unwrap();
    assert!(local["notice"].as_str().unwrap().contains("local"));
    assert!(refusal(&["serving", "--preset", "x"], &input).contains("clawrank"));
}

#[test]
fn intel_scores_nothing_when_the_gate_is_shut() {
    let cells =
        json!([{ "value": 10, "metrics": [[100, 100]], "usefulness_ppb": 1_000_000_000, "age_blocks": 0, "n": 10 }]);
    let out = ask(
        &["intel"],
        &json!({ "total_value": 10, "epoch_blocks": 360, "miners": [{ "gate": true, "cells": cells }, { "gate": false, "cells": cells }] }),
    )
    .unwrap();
    assert_eq!(out["scores"], json!(["10000000000", "0"]));
}

#[test]
fn merkle_proofs_verify_when_made_from_the_same_leaves() {
    let leaves: Vec<String> = (0..5u8).map(|i| hex::encode([i; 32])).collect();
    let made = ask(&["merkle"], &json!({ "leaves": leaves, "prove": [3] })).unwrap();
    let check = json!({ "index": 3, "leaf": leaves[3], "path": made["proofs"][0]["path"] });
    assert_eq!(ask(&["merkle"], &json!({ "leaves": leaves, "verify": check })).unwrap()["valid"], true);
    let wrong = json!({ "index": 2, "leaf": leaves[3], "path": made["proofs"][0]["path"] });
    assert_eq!(ask(&["merkle"], &json!({ "leaves": leaves, "verify": wrong })).unwrap()["valid"], false);
    assert!(refusal(&["merkle"], &json!({ "leaves": [] })).starts_with("leaves"));
    assert!(refusal(&["merkle"], &json!({ "leaves": leaves, "prove": [5] })).starts_with("prove[0]"));
}

#[test]
fn input_is_refused_when_something_follows_it() {
    assert!(parse::<Value>("{} {}").is_err());
}
