// SPDX-License-Identifier: Apache-2.0
//! Good inputs of every rule.

use serde_json::{Value, json};

use crate::gate::Case;

/// Arguments and inputs of a rule, such that together they use every field.
pub(crate) fn of(rule: &str) -> Vec<(Vec<&'static str>, Value)> {
    match rule {
        "allocate" => vec![
            (vec!["allocate"], json!({ "scores": ["1000", 10, 10, 10, 10, 10, 10, "10", "0"] })),
            (vec!["allocate", "--shortfall", "to-owner", "--owner", "1"], json!({ "scores": ["5", "0"] })),
        ],
        "yuma" => vec![(vec!["yuma"], yuma())],
        "gate" => vec![
            (vec!["gate"], Case::new("Alice").json()),
            (vec!["gate"], Case::new("Alice").tripped().json()),
            (vec!["gate"], Case::new("Alice").encoded()),
            (vec!["gate", "--preset", "local"], claims()),
        ],
        "serving" => {
            vec![(vec!["serving"], serving()), (vec!["serving", "--preset", "tensorclaw-v1"], serving())]
        }
        "intel" => vec![(vec!["intel"], intel_by_parts()), (vec!["intel"], intel_by_attempts())],
        "merkle" => vec![
            (vec!["merkle"], json!({ "attempts": ["0x0102", "03"], "prove": [1] })),
            (
                vec!["merkle"],
                json!({ "leaves": [hash(1), hash(2)], "verify": { "index": 0, "leaf": hash(1), "path": [hash(2)] } }),
            ),
        ],
        other => panic!("no rule is called {other}"),
    }
}

/// 32 equal bytes.
pub(crate) fn hash(byte: u8) -> String {
    hex::encode([byte; 32])
}

pub(crate) fn yuma() -> Value {
    let second = json!({
        "stake": [8, 1, 1, 0], "sparse_weights": [[[2, 65535], [3, 9000]], [[3, 65535]], [], []],
        "bonds": [[[2, 30000]], [[3, 20000]], [], []], "permits": [true, true, false, false],
        "last_update": [719, 719, 0, 0], "registered_at": [0, 0, 0, 0], "first_commit": [null, 700, null, null],
        "owner": 2, "block": 720, "last_step_block": 360, "previous_consensus": [0, 0, 20000, 40000], "emission": 41,
    });
    json!({
        "params": { "liquid_alpha": true, "liquid_alpha_consensus": "previous", "alpha_low": 6553, "alpha_high": 19660 },
        "epochs": [{ "stake": [8, 1, 1, 0], "weights": [[0, 0, 65535, 9000], [0, 0, 0, 65535]] }, second],
    })
}

pub(crate) fn claims() -> Value {
    let replay = |i: u8| json!({ "cell": hash(0x11), "task_id": hash(i), "ok": true, "ttft_ms": 200, "total_ms": 400 });
    json!({
        "claims": [{ "cell": hash(0x11), "n": 40, "ok": 40, "answers_checked": 0, "answers_right": 0, "p50_ttft_ms": 200,
            "p50_total_ms": 400 }],
        "replays": (0..32).map(replay).collect::<Vec<_>>(),
    })
}

pub(crate) fn serving() -> Value {
    let payers = json!([{ "tokens": 1000, "fee_micro_usd": 1_000_000 }]);
    json!({ "miners": [
        { "whitelisted": true, "last_probe_ms": 80, "answered": 10, "probes": 10, "payers": payers, "tier": 20 },
        { "whitelisted": false, "last_probe_ms": null, "answered": 0, "probes": 10 },
    ] })
}

pub(crate) fn intel_by_parts() -> Value {
    let cell =
        json!({ "value": 10, "metrics": [[100, 100]], "usefulness_ppb": 1_000_000_000, "age_blocks": 0, "n": 10 });
    json!({ "total_value": 10, "epoch_blocks": 360, "miners": [{ "gate": true, "cells": [cell] }] })
}

/// One cell of two: calls of 400 ms by the miner, of 500 ms by the validator; the signal names the second best of three.
pub(crate) fn intel_by_attempts() -> Value {
    let calls = |total_ms: u32, count: u32| (0..count).map(|i| attempt(i, total_ms)).collect::<Vec<_>>();
    let measured =
        |endpoint: &str, total_ms: u32| json!({ "endpoint": endpoint, "total_ms": total_ms, "price_nano_usd": 0 });
    let cell = json!({
        "value": 10, "attempts": calls(400, 10), "replays": calls(500, 32), "signal": ["beta", "alpha"],
        "measured": [measured("alpha", 100), measured("beta", 150), measured("gamma", 300)], "age_blocks": 0,
    });
    json!({ "total_value": 20, "epoch_blocks": 360, "miners": [{ "gate": true, "cells": [cell] }] })
}

pub(crate) fn attempt(sequence: u32, total_ms: u32) -> Value {
    json!({
        "cell": hash(0x11), "sequence": sequence, "task_id": hash(sequence as u8), "request_hash": hash(1),
        "response_hash": hash(2), "start_ms": 1000 * sequence, "ttft_ms": 100, "total_ms": total_ms, "input_tokens": 20,
        "output_tokens": 0, "status": "ok", "schema": "not_checked", "answer": "right", "cost": 10,
    })
}
