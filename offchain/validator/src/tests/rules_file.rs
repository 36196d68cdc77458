// SPDX-License-Identifier: Apache-2.0
//! Rules from a TOML file, as `params = "rules.toml"` names it.

use super::*;

/// `local` as a file, with every first replaced by its second.
fn file(folder: &Path, changes: &[(&str, &str)]) -> Config {
    let mut text = toml::to_string(&Params::local()).unwrap();
    for (old, new) in changes {
        assert!(text.contains(old), "`{old}` is not in:\n{text}");
        text = text.replacen(old, new, 1);
    }
    let path = folder.join(format!("rules-{}.toml", changes.len()));
    std::fs::write(&path, text).unwrap();
    Config { params: path.to_str().unwrap().to_owned(), ..Config::default() }
}

fn refused(folder: &Path, old: &str, new: &str) -> String {
    match file(folder, &[(old, new)]).rules() {
        Err(error @ Error::Config { field: "params", .. }) if !error.is_retryable() => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn shares_follow_the_file_when_it_changes_a_number() {
    let world = World::new().await;
    for name in ["Miner1", "Miner2"] {
        world.gateway.connect(key(name).public(), ProbeMode::Answers);
    }
    // All traffic is miner 1's.
    for payer in 1..=4 {
        world.gateway.push_receipt(&key("Miner1"), payer, 100, |_| {});
    }
    let shares = async |params: &str| {
        let data_dir = world.folder.path().join(format!("data of {}", params.replace('/', "_")));
        let config = Config { params: params.to_owned(), data_dir, ..world.config.clone() };
        let chain: Arc<dyn ChainPort> = Arc::clone(&world.chain) as _;
        let report = dry_run(config, key("Vali"), chain).await.unwrap();
        assert_eq!(report.preset, params);
        [1, 2].map(|uid| find(&report, uid).serving.earned.share_ppb)
    };
    // Two miners cannot share all under a cap of 15 %: then both have alike.
    assert_eq!(shares("local").await, [500_000_000, 500_000_000]);
    // A pool of 10 % by base, which both have alike, and 90 % by tokens.
    let no_cap = ("\ncap = 150000000", "\ncap = \"100%\"");
    let free = file(world.folder.path(), &[no_cap]);
    assert_eq!(shares(&free.params).await, [950_000_000, 50_000_000]);
    let half = file(world.folder.path(), &[no_cap, ("base_pool = 100000000", "base_pool = \"50%\"")]);
    assert_eq!(shares(&half.params).await, [750_000_000, 250_000_000]);
}

#[test]
fn rules_are_those_of_the_preset_when_the_file_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(file(folder.path(), &[]).rules().unwrap(), Some(Params::local()));
    // What the configuration itself says comes last.
    let config = Config {
        replays_per_cell: Some(9),
        ..file(folder.path(), &[("replays_per_cell = 16", "replays_per_cell = 12")])
    };
    assert_eq!(config.rules().unwrap().unwrap().challenge.replays_per_cell, 9);
}

#[test]
fn file_is_refused_by_name_when_it_makes_no_sense() {
    let folder = tempfile::tempdir().unwrap();
    let unknown = refused(folder.path(), "payer_cap", "payer_kap");
    assert!(unknown.contains("payer_kap") && unknown.contains("rules-1.toml"), "{unknown}");
    let missing = refused(folder.path(), "window_minutes = 1440\n", "");
    assert!(missing.contains("window_minutes"), "{missing}");
    let out_of_range = refused(folder.path(), "window_minutes = 1440", "window_minutes = 0");
    assert!(out_of_range.contains("serving.window_minutes is 0"), "{out_of_range}");
    let above_one = refused(folder.path(), "base_pool = 100000000", "base_pool = \"101%\"");
    assert!(above_one.contains("base_pool"), "{above_one}");
    let sum = refused(folder.path(), "weight_whitelist = 300000000", "weight_whitelist = 400000000");
    assert!(sum.contains("weights of base sum to 1100000000"), "{sum}");
    let version = refused(folder.path(), "version = 1", "version = 2");
    assert!(version.contains("version 2, expected 1"), "{version}");
}
