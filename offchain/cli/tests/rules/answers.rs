// SPDX-License-Identifier: Apache-2.0
//! Answers that a reader can check by hand.

use serde_json::{Value, json};

use crate::{answer, examples};

/// An epoch stated in full gives what it gives as part of a row.
#[test]
fn yuma_epoch_stands_alone_when_it_says_what_the_one_before_left() {
    let params =
        json!({ "liquid_alpha": true, "liquid_alpha_consensus": "previous", "alpha_low": 6553, "alpha_high": 58_000 });
    let stake = [600, 300, 100, 0, 0];
    let first = json!({ "stake": stake, "weights": [[0, 0, 0, 60_000, 5_000], [0, 0, 0, 20_000, 65_535]] });
    let second = json!({ "stake": stake, "weights": [[0, 0, 0, 10_000, 60_000], [0, 0, 0, 65_535, 1_000]] });
    let run = |epochs: Value| answer(&["yuma"], &json!({ "params": params, "epochs": epochs }))["epochs"].clone();
    let row = run(json!([first, second]));
    let mut alone = second.clone();
    alone["block"] = json!(720);
    alone["last_step_block"] = json!(360);
    alone["bonds"] = row[0]["bonds"].clone();
    alone["permits"] = row[0]["permits"].clone();
    // Without the consensus it would be another epoch.
    assert_ne!(run(json!([alone]))[0], row[1]);
    alone["previous_consensus"] = row[0]["consensus"].clone();
    assert_eq!(run(json!([alone]))[0], row[1]);
}

#[test]
fn intel_measures_accuracy_and_usefulness_when_given_calls_and_a_signal() {
    let out = answer(&["intel"], &examples::intel_by_attempts());
    let cell = &out["cells"][0][0];
    // Of seven metrics five agree; both totals, 400 for 500 ms, lose 100 / (50 % of 500) each. No tokens come out, so
    // speed is 0 on both sides.
    assert_eq!(cell["accuracy_ppb"], (5_000_000_000_u64 + 2 * 600_000_000) / 7);
    // Regret of beta is 50, of a uniform choice (0 + 50 + 200) / 3.
    assert_eq!(cell["usefulness_ppb"], 400_000_000);
    assert_eq!(cell["freshness_ppb"], 1_000_000_000);
    assert_eq!((&cell["telemetry"]["n"], &cell["telemetry"]["p50_total_ms"]), (&json!(10), &json!(400)));
    assert_eq!(out["coverage_ppb"][0], 500_000_000);
}

#[test]
fn intel_gives_the_same_when_attempts_are_summed_up_first() {
    let mut input = examples::intel_by_attempts();
    let by_attempts = answer(&["intel"], &input);
    let telemetry = by_attempts["cells"][0][0]["telemetry"].clone();
    let cell = input["miners"][0]["cells"][0].as_object_mut().unwrap();
    cell.remove("attempts");
    cell.insert("telemetry".into(), telemetry);
    let by_telemetry = answer(&["intel"], &input);
    assert_eq!(by_telemetry["scores"], by_attempts["scores"]);
    let cell = input["miners"][0]["cells"][0].as_object_mut().unwrap();
    let ppb = |name: &str| by_attempts["cells"][0][0][name].clone();
    for name in ["telemetry", "replays", "signal", "measured"] {
        cell.remove(name);
    }
    cell.insert("metrics".into(), json!([[1, 1], [1, 1], [1, 1], [1, 1], [1, 1], [400, 500], [400, 500]]));
    cell.insert("usefulness_ppb".into(), ppb("usefulness_ppb"));
    cell.insert("n".into(), json!(10));
    assert_eq!(answer(&["intel"], &input)["scores"], by_attempts["scores"]);
}
