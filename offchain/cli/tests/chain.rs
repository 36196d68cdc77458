// SPDX-License-Identifier: Apache-2.0
//! `clawrank chain encode` and `clawrank chain check`, as their user runs them.
//!
//! The public chain's metadata and the SDK's golden bytes are no part of the source tree: they are looked for in the
//! folder that `CLAWRANK_REFERENCE_DATA` names, else in `shared` beside the checkout. A run without them says so.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

const BOB: &str = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
const CHARLIE: &str = "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y";

fn reference(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("CLAWRANK_REFERENCE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = folder.join("metadata").join(file);
    if path.exists() {
        return Some(path);
    }
    let _ = writeln!(std::io::stderr(), "\nSKIPPED: no {}; set CLAWRANK_REFERENCE_DATA\n", path.display());
    None
}

fn public() -> Option<PathBuf> {
    reference("subtensor-spec461-v15.scale")
}

/// The metadata of our own chain, as committed.
fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node-client/client/artifacts/clawrank.scale")
}

/// Our metadata with one text in the place of another, as an upgrade would rename it.
fn renamed(folder: &Path, from: &str, to: &str) -> PathBuf {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(own()).unwrap();
    // Names are preceded by their length, a compact integer.
    let length = u8::try_from(from.len() * 4).unwrap();
    let named = |name: &str| [&[length], name.as_bytes()].concat();
    let found: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(&named(from))).collect();
    assert!(!found.is_empty(), "{from} is in no place");
    for at in found {
        bytes[at..=at + from.len()].copy_from_slice(&named(to));
    }
    let file = folder.join(format!("{to}.scale"));
    std::fs::write(&file, bytes).unwrap();
    file
}

fn chain(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_clawrank")).args(["chain"]).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap().trim_end()
}

fn encode(metadata: &Path, call: &str, args: &Value, more: &[&str]) -> Output {
    let args = args.to_string();
    let given = ["encode", "--metadata", metadata.to_str().unwrap(), "--call", call, "--args", &args];
    chain(&[&given, more].concat())
}

fn bytes_of(metadata: &Path, call: &str, args: &Value) -> String {
    let done = encode(metadata, call, args, &[]);
    assert!(done.status.success(), "{call}: {}", text(&done.stderr));
    text(&done.stdout).to_owned()
}

/// Calls that validators and miners sign, and their bytes by hand: pallet 7, the call's index, then the arguments.
fn calls() -> Vec<(&'static str, Value, String)> {
    let weights = "0801002c0108ffff0200";
    let (uids, values, salt) = (json!([1, 300]), json!([65_535, 2]), json!([1, 2, 3]));
    let hash = "07".repeat(32);
    let version = "0700000000000000";
    vec![
        (
            "set_weights",
            json!({ "netuid": 92, "dests": uids, "weights": values, "version_key": 7 }),
            format!("0x07005c00{weights}{version}"),
        ),
        ("commit_weights", json!({ "netuid": 92, "commit_hash": format!("0x{hash}") }), format!("0x07605c00{hash}")),
        (
            "reveal_weights",
            json!({ "netuid": 92, "uids": uids, "values": values, "salt": salt, "version_key": 7 }),
            format!("0x07615c00{weights}0c010002000300{version}"),
        ),
        (
            "set_mechanism_weights",
            json!({ "netuid": 92, "mecid": 1, "dests": uids, "weights": values, "version_key": 7 }),
            format!("0x07775c0001{weights}{version}"),
        ),
        (
            "commit_mechanism_weights",
            json!({ "netuid": 92, "mecid": 1, "commit_hash": format!("0x{hash}") }),
            format!("0x07735c0001{hash}"),
        ),
        (
            "reveal_mechanism_weights",
            json!({ "netuid": 92, "mecid": 1, "uids": uids, "values": values, "salt": salt, "version_key": 7 }),
            format!("0x07745c0001{weights}0c010002000300{version}"),
        ),
        (
            "commit_timelocked_mechanism_weights",
            json!({ "netuid": 92, "mecid": 1, "commit": "0x090909", "reveal_round": 1000, "commit_reveal_version": 4 }),
            "0x07765c00010c090909e8030000000000000400".to_owned(),
        ),
        (
            "serve_axon",
            json!({ "netuid": 92, "version": 7, "ip": "1.2.3.4", "port": 8091, "ip_type": 4, "protocol": 4 }),
            "0x07045c0007000000040302010000000000000000000000009b1f04040000".to_owned(),
        ),
    ]
}

#[test]
fn bytes_are_the_golden_ones_when_a_call_is_encoded() {
    for metadata in public().into_iter().chain([own()]) {
        for (call, args, golden) in calls() {
            assert_eq!(bytes_of(&metadata, call, &args), golden, "{call} of {}", metadata.display());
        }
    }
}

#[test]
fn bytes_are_the_sdks_when_its_fixture_has_the_call() {
    let (Some(metadata), Some(golden)) = (public(), reference("bittensor-sdk-golden.json")) else { return };
    let golden: Value = serde_json::from_slice(&std::fs::read(golden).unwrap()).unwrap();
    let transfer =
        |value: u32, dest: &str| json!({ "Balances": { "transfer_keep_alive": { "dest": dest, "value": value } } });
    let cases = golden["calls"].as_array().unwrap();
    for case in cases {
        let function = case["function"].as_str().unwrap();
        let mut args = case["params"].clone();
        // The fixture writes calls inside calls in words.
        match function {
            "sudo" => args = json!({ "call": { "System": { "remark": { "remark": args["call"]["remark"] } } } }),
            "batch" => args = json!({ "calls": [transfer(1, BOB), transfer(2, CHARLIE)] }),
            "proxy" => args["call"] = transfer(1, BOB),
            _ => {}
        }
        let call = format!("{}.{function}", case["module"].as_str().unwrap());
        assert_eq!(json!(bytes_of(&metadata, &call, &args)), case["data_hex"], "{call}");
    }
    assert_eq!(cases.len(), 10);
}

#[test]
fn every_argument_is_shown_when_json_is_asked_for() {
    for (call, args, golden) in calls() {
        let done = encode(&own(), call, &args, &["--json"]);
        let shown: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!((&shown["hex"], &shown["pallet"]), (&json!(golden), &json!("SubtensorModule")), "{call}");
        let indices =
            format!("0x{:02x}{:02x}", shown["pallet_index"].as_u64().unwrap(), shown["call_index"].as_u64().unwrap());
        let fields = shown["fields"].as_array().unwrap();
        let joined: String = fields.iter().map(|field| &field["hex"].as_str().unwrap()[2..]).collect();
        assert_eq!(format!("{indices}{joined}"), golden, "{call}");
        assert!(shown["spec_version"].as_u64().unwrap() > 0);
    }
}

#[test]
fn arguments_are_taken_when_a_file_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let (call, args, golden) = calls().remove(0);
    let file = folder.path().join("args.json");
    std::fs::write(&file, args.to_string()).unwrap();
    let (metadata, from) = (own(), format!("@{}", file.display()));
    let done = chain(&["encode", "--metadata", metadata.to_str().unwrap(), "--call", call, "--args", &from]);
    assert_eq!(text(&done.stdout), golden);
}

/// Exit code, and the one line on standard error.
fn refusal(done: &Output) -> (Option<i32>, &str) {
    let line = text(&done.stderr);
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(done.stdout.is_empty(), "{line}");
    (done.status.code(), line)
}

#[test]
fn fault_is_named_on_one_line_when_a_call_cannot_be_encoded() {
    let (call, good, _) = calls().remove(0);
    let with = |field: &str, value: Value| {
        let mut args = good.clone();
        args[field] = value;
        args
    };
    for (args, line) in [
        (with("dests", json!([1, 70_000])), "error: dests[1]: must be an integer of type u16"),
        (with("colour", json!(1)), "error: colour: is unknown"),
        (json!({ "netuid": 92 }), "error: dests: is missing"),
    ] {
        let done = encode(&own(), call, &args, &[]);
        let (code, found) = refusal(&done);
        assert_eq!(code, Some(2), "{found}");
        assert!(found.starts_with(line), "{found}");
    }
    let done = encode(&own(), "set_weightz", &good, &[]);
    assert_eq!(refusal(&done).0, Some(1));
    assert!(refusal(&done).1.contains("set_weightz"));
    let done = encode(Path::new("/absent.scale"), call, &good, &[]);
    assert_eq!(refusal(&done).0, Some(2));
    assert!(refusal(&done).1.starts_with("error: /absent.scale: cannot be read"));
    // Neither file nor chain, and both.
    for source in [&[][..], &["--metadata", "x", "--network", "local"]] {
        let done = chain(&[&["check"], source].concat());
        assert_eq!(refusal(&done).0, Some(2));
        assert!(refusal(&done).1.contains("--metadata <FILE>"), "{}", refusal(&done).1);
    }
}

fn check(metadata: &Path) -> (Output, Value) {
    let file = metadata.to_str().unwrap();
    let printed = chain(&["check", "--metadata", file, "--json"]);
    (chain(&["check", "--metadata", file]), serde_json::from_slice(&printed.stdout).unwrap())
}

fn item<'a>(report: &'a Value, name: &str) -> &'a Value {
    let found = report["items"].as_array().unwrap().iter().find(|item| item["item"] == name);
    found.unwrap_or_else(|| panic!("{name} is not in the report"))
}

/// Words of the table's row on an item.
fn row<'a>(table: &'a Output, name: &str) -> Vec<&'a str> {
    let row = text(&table.stdout).lines().find(|line| line.split_whitespace().next() == Some(name));
    row.unwrap_or_else(|| panic!("{name} has no row")).split_whitespace().collect()
}

#[test]
fn check_finds_everything_when_the_chain_is_our_own() {
    let (table, report) = check(&own());
    assert_eq!(table.status.code(), Some(0), "{}", text(&table.stderr));
    assert_eq!((&report["ok"], &report["spec_version"].is_u64()), (&json!(true), &true));
    let items = report["items"].as_array().unwrap();
    assert!(items.iter().all(|item| item["status"] == "ok"), "{report}");
    let lines: Vec<&str> = text(&table.stdout).lines().collect();
    let last = format!("{0} items, {0} ok, 0 changed, 0 missing", items.len());
    assert!(lines.last().unwrap().ends_with(&last), "{:?}", lines.last());
    // Head, rule, one row per item, an empty line and the sum.
    assert_eq!(lines.len(), items.len() + 4);
    for item in items {
        let name = item["item"].as_str().unwrap();
        assert_eq!(row(&table, name), [name, item["kind"].as_str().unwrap(), "ok"]);
    }
}

#[test]
fn check_passes_over_what_is_optional_when_the_chain_is_the_public_one() {
    let Some(metadata) = public() else { return };
    let (table, report) = check(&metadata);
    assert_eq!(table.status.code(), Some(0), "{}", text(&table.stderr));
    assert_eq!((&report["ok"], &report["spec_version"]), (&json!(true), &json!(461)));
    for item in report["items"].as_array().unwrap() {
        let name = item["item"].as_str().unwrap();
        let status = if name.starts_with("ProviderRank.") { "missing" } else { "ok" };
        assert_eq!(item["status"], status, "{name}");
    }
    assert_eq!(
        row(&table, "ProviderRank.commit_bundle()"),
        ["ProviderRank.commit_bundle()", "call", "missing", "optional"]
    );
}

#[test]
fn check_fails_and_says_what_when_a_call_is_missing_or_changed() {
    let folder = tempfile::tempdir().unwrap();
    let name = "SubtensorModule.set_weights()";
    let (table, report) = check(&renamed(folder.path(), "set_weights", "set_weightz"));
    assert_eq!(table.status.code(), Some(1));
    assert!(text(&table.stderr).starts_with("error: runtime ") && text(&table.stderr).ends_with(name), "{table:?}");
    assert_eq!((&report["ok"], &item(&report, name)["status"]), (&json!(false), &json!("missing")));
    assert_eq!(row(&table, name), [name, "call", "missing", "needed"]);
    let missing = report["items"].as_array().unwrap().iter().filter(|item| item["status"] == "missing").count();
    let last = format!(" 0 changed, {missing} missing");
    assert!(text(&table.stdout).ends_with(&last), "{}", text(&table.stdout));

    let (table, report) = check(&renamed(folder.path(), "dests", "desty"));
    assert_eq!(table.status.code(), Some(1));
    let found = item(&report, name);
    assert_eq!((&found["status"], &found["usable"]), (&json!("changed"), &json!(false)));
    assert_eq!(found["found"], "netuid: u16, desty: Vec<u16>, weights: Vec<u16>, version_key: u64");
    assert_eq!(found["expected"], "netuid: u16, dests: Vec<u16>, weights: Vec<u16>, version_key: u64");
    assert_eq!(item(&report, "SubtensorModule.commit_weights()")["status"], "ok");
    let row = row(&table, name).join(" ");
    assert!(row.starts_with(&format!("{name} call changed not served: found netuid: u16, desty: Vec<u16>,")), "{row}");
}
