// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::{
    encode::tests::every_call,
    testing::{every_metadata, golden, own_chain, public_chain, sdk_values, unhex},
};

fn refused(runtime: &Runtime, call: &str, args: Value, field: &str, why: &str) {
    let error = runtime.encode_json(call, &args).unwrap_err();
    assert!(
        matches!(&error, ClientError::Argument { field: found, why: text, .. } if found == field && text.contains(why)),
        "{error:?}"
    );
}

/// The fixture writes calls inside calls in words.
fn spelled_out(function: &str, params: &Value) -> Value {
    let transfer =
        |value: u32, dest: &str| json!({ "Balances": { "transfer_keep_alive": { "dest": dest, "value": value } } });
    let (bob, charlie) =
        ("5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty", "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y");
    match function {
        "sudo" => json!({ "call": { "System": { "remark": { "remark": params["call"]["remark"] } } } }),
        "batch" => json!({ "calls": [transfer(1, bob), transfer(2, charlie)] }),
        "proxy" => json!({
            "real": params["real"], "force_proxy_type": params["force_proxy_type"], "call": transfer(1, bob),
        }),
        _ => params.clone(),
    }
}

#[test]
fn call_bytes_equal_the_sdks_for_every_call_of_its_fixture() {
    let (Some(runtime), Some(golden)) = (public_chain(), golden()) else { return };
    // The older form of the same metadata gives the same bytes.
    let older = Runtime::parse(&unhex(&golden["metadata"]["v14_hex"])).unwrap();
    let cases = golden["calls"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let (module, function) = (case["module"].as_str().unwrap(), case["function"].as_str().unwrap());
        let args = spelled_out(function, &case["params"]);
        let name = format!("{module}.{function}");
        let encoded = runtime.encode_json(&name, &args).unwrap();
        assert_eq!(Value::String(encoded.hex.clone()), case["data_hex"], "{name}");
        assert_eq!(encoded.bytes[..2], [encoded.pallet_index, encoded.call_index]);
        assert_eq!(older.encode_json(&name, &args).unwrap(), encoded, "{name}");
    }
}

#[test]
fn call_bytes_equal_the_sdks_when_the_chain_is_our_own() {
    let Some(runtime) = own_chain() else { return };
    let values = sdk_values();
    let mut compared = 0;
    for case in values["calls"].as_array().unwrap() {
        let module = case["module"].as_str().unwrap();
        if !runtime.has_pallet(module) {
            assert!(matches!(module, "Utility" | "Proxy"), "{module}");
            continue;
        }
        let name = format!("{module}.{}", case["function"].as_str().unwrap());
        let encoded = runtime.encode_json(&name, &case["args"]).unwrap();
        assert_eq!(Value::String(encoded.hex), case["data_hex"], "{name}");
        compared += 1;
    }
    assert_eq!(compared, 8);
}

#[test]
fn both_ways_to_encode_give_equal_bytes_when_a_worker_makes_the_call() {
    for (name, metadata) in every_metadata() {
        let runtime = Runtime::parse(&metadata).unwrap();
        let mut compared = 0;
        for call in every_call() {
            let Ok(bytes) = runtime.encode(&call) else { continue };
            let explained = runtime.explain(&call).unwrap();
            assert_eq!(explained.bytes, bytes, "{name}: {call:?}");
            let fields: String = explained.fields.iter().map(|field| field.hex.trim_start_matches("0x")).collect();
            assert_eq!(format!("{:02x}{:02x}{fields}", bytes[0], bytes[1]), hex::encode(&bytes), "{name}: {call:?}");
            compared += 1;
        }
        assert!(compared >= 11, "{name}: {compared}");
    }
}

#[test]
fn argument_is_named_when_it_is_missing_unknown_or_out_of_range() {
    for (_, metadata) in every_metadata() {
        let runtime = Runtime::parse(&metadata).unwrap();
        let good = json!({ "netuid": 92, "dests": [1, 2], "weights": [3, "4"], "version_key": 0 });
        assert_eq!(runtime.encode_json("set_weights", &good).unwrap().bytes[2..4], [92, 0]);
        let with = |name: &str, value: Value| {
            let mut args = good.clone();
            args[name] = value;
            args
        };
        refused(&runtime, "set_weights", with("netuid", json!(65_536)), "netuid", "0 ..= 65535; found 65536");
        refused(&runtime, "set_weights", with("netuid", json!(-1)), "netuid", "found -1");
        refused(&runtime, "set_weights", with("netuid", json!(1.5)), "netuid", "must be an integer");
        refused(&runtime, "set_weights", with("dests", json!([1, "x"])), "dests[1]", "type u16");
        refused(&runtime, "set_weights", with("dests", json!(7)), "dests", "must be a list");
        refused(&runtime, "set_weights", with("uids", json!([])), "uids", "is unknown; takes netuid, dests");
        refused(&runtime, "set_weights", json!({ "netuid": 92 }), "dests", "is missing");
        refused(&runtime, "set_weights", json!([92]), "args", "must be a JSON object");
        let key = json!({ "netuid": 92, "hotkey": "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694tz" });
        refused(&runtime, "burned_register", key, "hotkey", "32 bytes: 0x text or a list, or an address");
        let hash = json!({ "netuid": 92, "commit_hash": "0xabcd" });
        refused(&runtime, "commit_weights", hash, "commit_hash", "32 bytes");
        let info = json!({ "netuid": 92, "info": { "fields": [{ "Raw999": "0x" }] } });
        refused(&runtime, "set_commitment", info, "info.fields[0]", "must be one of None");
        let data = json!({ "netuid": 92, "data": "abc" });
        refused(&runtime, "set_commitment", data, "data", "0x text");
        let long = json!({ "netuid": 92, "data": vec![1; 129] });
        refused(&runtime, "set_commitment", long, "data", "129 bytes");
        let error = runtime.encode_json("set_everything", &json!({})).unwrap_err();
        assert!(matches!(&error, ClientError::UnsupportedRuntime { item, .. } if item == "set_everything"), "{error}");
    }
}

#[test]
fn short_forms_give_the_bytes_of_the_long_ones_when_they_are_used() {
    for (name, metadata) in every_metadata() {
        let runtime = Runtime::parse(&metadata).unwrap();
        let encode = |call: &str, args: Value| runtime.encode_json(call, &args).unwrap().hex;
        assert_eq!(
            encode("set_commitment", json!({ "netuid": 92, "data": "0x616263" })),
            encode(
                "Commitments.set_commitment",
                json!({ "netuid": 92, "info": { "fields": [{ "Raw3": [97, 98, 99] }] } })
            ),
            "{name}"
        );
        let axon = |ip: Value| json!({ "netuid": 1, "version": 2, "ip": ip, "port": 3, "ip_type": 4, "protocol": 0 });
        assert_eq!(
            encode("serve_axon", axon(json!("1.2.3.4"))),
            encode("serve_axon", axon(json!(0x0102_0304))),
            "{name}"
        );
        assert_eq!(encode("serve_axon", axon(json!("::9"))), encode("serve_axon", axon(json!(9))), "{name}");
        let hotkey = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
        let key = ss58::decode(hotkey).unwrap();
        assert_eq!(
            encode("burned_register", json!({ "netuid": 1, "hotkey": hotkey })),
            encode("burned_register", json!({ "netuid": 1, "hotkey": text(&key) })),
            "{name}"
        );
    }
}
