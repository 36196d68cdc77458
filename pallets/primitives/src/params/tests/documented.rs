// SPDX-License-Identifier: Apache-2.0
//! The tables of `docs/rules.md` against the presets.
#![allow(clippy::expect_used, clippy::indexing_slicing)]

use std::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use clawrank_emission::yuma::{LiquidAlpha, YumaParams};
use clawrank_gate::tail::MAX_TRIALS;
use serde_json::{Value, json};

use super::*;
use crate::schedule::{BEACON_WAIT, beacon_wait};

const PAGE: &str = include_str!("../../../../../docs/rules.md");

/// The rows of the table under a heading of the page: what each names, and its other columns.
fn table(heading: &str) -> BTreeMap<String, Vec<&'static str>> {
    let (_, section) = PAGE.split_once(&format!("\n### {heading}")).expect("the page has the section");
    let section = section.split("\n#").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let mut table = BTreeMap::new();
    for row in rows {
        let (name, columns) = row.split_once("` | ").expect("a name ends before the next column");
        let before = table.insert(name.to_string(), columns.split(" | ").collect());
        assert_eq!(before, None, "{name} is there twice");
    }
    table
}

/// A value as the page writes it: `2,000`, `0.05 %` (in parts per billion), `none`, else a word.
fn value(text: &str) -> Value {
    let digits = |text: &str| text.replace(',', "").parse::<u64>().ok();
    match text.strip_suffix(" %").map(|percent| percent.split_once('.').unwrap_or((percent, ""))) {
        Some((whole, fraction)) => digits(whole)
            .zip(digits(&format!("{fraction:0<7}")))
            .map_or_else(|| panic!("{text} is no percentage"), |(whole, ppb)| json!(whole * 10_000_000 + ppb)),
        None if text == "none" => Value::Null,
        None if text == "yes" => json!(true),
        None => digits(text).map_or_else(|| json!(text), |number| json!(number)),
    }
}

/// Every value of a set of parameters by its path. The steps of a list are one value: `below: score` for each.
fn flatten(path: &str, from: &Value, into: &mut BTreeMap<String, Vec<Value>>) {
    match from {
        Value::Object(fields) => {
            for (name, field) in fields {
                flatten(&format!("{path}.{name}"), field, into);
            }
        }
        Value::Array(steps) => {
            let flat = steps.iter().flat_map(|step| [step["below_ms"].clone(), step["score"].clone()]);
            into.insert(path.to_string(), flat.collect());
        }
        leaf => {
            into.insert(path.to_string(), [leaf.clone()].into());
        }
    }
}

fn flat(from: Value) -> BTreeMap<String, Vec<Value>> {
    let mut values = BTreeMap::new();
    flatten("", &from, &mut values);
    values.into_iter().map(|(path, values)| (path[1..].to_string(), values)).collect()
}

fn preset(name: &str) -> Value {
    serde_json::to_value(Params::preset(name).unwrap()).unwrap()
}

/// One column of a table, as values.
fn column(table: &BTreeMap<String, Vec<&str>>, index: usize) -> BTreeMap<String, Vec<Value>> {
    let values = |cell: &str| cell.split(", ").flat_map(|step| step.split(": ")).map(value).collect();
    table.iter().map(|(name, columns)| (name.clone(), values(columns[index]))).collect()
}

#[test]
fn documented_parameters_are_the_presets_when_compared_one_by_one() {
    let table = table("6.1");
    assert_eq!(column(&table, 0), flat(preset("clawrank")));
    assert_eq!(column(&table, 1), flat(preset("local")));
    // The third preset has no column of its own.
    let mut old = preset("tensorclaw-v1");
    old["serving_rule"] = json!("shares");
    assert_eq!(old, preset("clawrank"));
}

#[test]
fn parameters_are_refused_when_they_leave_the_documented_range() {
    let mut bounds = 0;
    for (name, columns) in table("6.1") {
        let is_refused = |number: u64| {
            let mut params = preset("clawrank");
            *params.pointer_mut(&format!("/{}", name.replace('.', "/"))).unwrap() = json!(number);
            match serde_json::from_value::<Params>(params).map(|params| params.ensure_valid()) {
                Ok(Err(ParamsError::OutOfRange { name: refused, .. })) => refused == name,
                Ok(Err(ParamsError::Version { .. })) => name == "version",
                Ok(_) => false,
                Err(_) => true,
            }
        };
        let range = columns[2];
        let (least, most) = match range.split_once(" ..= ") {
            Some((least, most)) => (value(least), Some(value(most))),
            None if matches!(range, "sum" | "rising") || range.starts_with('`') => continue,
            None if range == "any" => (json!(0), None),
            None => (value(range.strip_suffix(" or more").unwrap_or(range)), None),
        };
        let least = least.as_u64().unwrap();
        assert!(!is_refused(least), "{name} may be {range}");
        assert!(least == 0 || is_refused(least - 1), "{name} may be {range}, and is taken below it");
        if let Some(most) = most.and_then(|most| most.as_u64()) {
            assert!(!is_refused(most), "{name} may be {range}");
            assert!(is_refused(most + 1), "{name} may be {range}, and is taken above it");
            bounds += 1;
        }
    }
    assert!(bounds >= 10, "{bounds} ranges were found");
}

#[test]
fn documented_constants_are_the_codes_when_compared_one_by_one() {
    let cap = CapParams::default();
    let constants = json!({
        "BUNDLE_DEADLINE": Params::BUNDLE_DEADLINE,
        "BEACON_WAIT": BEACON_WAIT,
        "MAX_BEACON_WAIT": beacon_wait(u16::MAX),
        "MAX_TRIALS": MAX_TRIALS,
        "MIN_CAP": CapParams::MIN_CAP,
        "needed": cap.needed().unwrap(),
        "chain_units": cap.chain_units().unwrap(),
    });
    assert_eq!(column(&table("6.2"), 0), flat(constants));
}

#[test]
fn documented_consensus_is_a_new_subnets_when_compared_one_by_one() {
    let mut yuma = serde_json::to_value(YumaParams::default()).unwrap();
    assert_eq!(yuma["liquid_alpha"], Value::Null);
    yuma["liquid_alpha"] = serde_json::to_value(LiquidAlpha::default()).unwrap();
    assert_eq!(column(&table("6.3"), 0), flat(yuma));
}
