// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::Path;

use clawrank_client::{ClientError, Runtime};
use clawrank_primitives::{emission::Shortfall, units::Ppb};
use codec::Encode;

use super::*;

/// Every preset, and one that differs from them in what the chain's names may get wrong.
fn all() -> Vec<Params> {
    let mut odd = Params::local();
    odd.serving.tokens_per_micro_usd = Some(u64::MAX);
    odd.cap.cap = Ppb::from_percent(20);
    let shortfalls = [Shortfall::Uniform, Shortfall::ToOwner, Shortfall::Skip];
    let odd = shortfalls.into_iter().map(|shortfall| {
        let mut params = odd.clone();
        params.cap.shortfall = shortfall;
        params
    });
    Params::PRESETS.iter().filter_map(|name| Params::preset(name)).chain(odd).collect()
}

#[test]
fn file_gives_the_same_parameters_when_it_was_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.toml");
    for params in all() {
        std::fs::write(&path, text(92, 7, Some(&params)).unwrap()).unwrap();
        assert_eq!(load(path.to_str().unwrap()).unwrap(), params);
    }
    assert_eq!(text(92, 7, None).unwrap(), "# netuid 92 stores no parameters at block 7");
}

#[test]
fn call_has_the_bytes_of_the_parameters_when_the_runtime_takes_them() {
    let metadata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node-client/client/artifacts/clawrank.scale");
    let runtime = Runtime::load(metadata).unwrap();
    for params in all() {
        match runtime.encode_json(CALL, &arguments(92, &params).unwrap()) {
            Ok(call) => {
                let expected = [vec![call.pallet_index, call.call_index], 92u16.encode(), params.encode()].concat();
                assert_eq!(call.bytes, expected);
            }
            // A runtime that stores none.
            Err(ClientError::UnsupportedRuntime { item, .. }) => assert_eq!(item, CALL),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn file_is_refused_by_name_when_it_makes_no_sense() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.toml");
    let name = path.to_str().unwrap();
    let refused = |file: &str| match load(file) {
        Err(error @ CliError::Input { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(refused(name).starts_with(&format!("{name}: cannot be read")), "{}", refused(name));
    let good = text(92, 7, Some(&Params::clawrank())).unwrap();
    std::fs::write(&path, good.replace("window_minutes = 1440", "window_minutes = 0")).unwrap();
    assert!(refused(name).contains("serving.window_minutes is 0"), "{}", refused(name));
    std::fs::write(&path, good.replace("payer_cap", "payer_kap")).unwrap();
    let error = refused(name);
    assert!(error.starts_with(name) && error.contains("payer_kap") && !error.contains('\n'), "{error}");
    assert!(refused("chain").contains("is `chain`"));
}
