// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_client::types::{Beacon, Head, Neuron, SubnetSnapshot};
use clawrank_protocol::proof::Keypair;
use clawrank_wallet::{Origin, Overwrite, Protection, Slot, Wallet, keypair_from_uri};

use super::{chain::Reached, keys::Known, *};

const TAO: u64 = 1_000_000_000;
const NOW_MS: u64 = 1_800_000_000_000;

fn key(uri: &str) -> [u8; 32] {
    Keypair::dev(uri).unwrap().public()
}

fn neuron(uid: u16) -> Neuron {
    Neuron {
        uid,
        hotkey: key(&format!("//validator//{uid}")),
        coldkey: key("//cold"),
        stake_rao: 1_000 * TAO,
        validator_permit: true,
        active: true,
        registered_at: 10,
        axon: None,
        last_update: vec![900],
        incentive: vec![0],
        dividends: 0,
        emission_rao: 0,
    }
}

fn subnet() -> SubnetSnapshot {
    SubnetSnapshot {
        head: Head { number: 1_000, hash: [1; 32], timestamp_ms: NOW_MS - 24_000 },
        netuid: 92,
        tempo: 360,
        epoch_index: 5,
        last_epoch_block: 900,
        pending_epoch_at: 0,
        blocks_since_last_step: 100,
        owner_coldkey: Some(key("//owner")),
        owner_uid: None,
        commit_reveal: true,
        commit_reveal_version: 4,
        reveal_period_epochs: 1,
        weights_rate_limit: 100,
        weights_version_key: 7,
        min_allowed_weights: 1,
        max_allowed_uids: 256,
        immunity_period: 5_000,
        mechanism_count: 2,
        max_mechanisms: 2,
        stake_threshold_rao: 100 * TAO,
        block_time_ms: 12_000,
        neurons: vec![neuron(0)],
    }
}

fn beacon() -> Beacon {
    // Round 1,000 was due ten seconds ago.
    let genesis_time = (NOW_MS / 1_000) - 10 - 999 * 3;
    Beacon { public_key: [0; 96], genesis_time, period: 3, last_stored_round: 1_000 }
}

fn facts() -> Reached {
    Reached {
        network: "ws://127.0.0.1:9944".into(),
        endpoint: "ws://127.0.0.1:9944".into(),
        genesis: [1; 32],
        spec_version: Some(461),
        unusable: Vec::new(),
        head: subnet().head,
        best: Ok(1_002),
        moved: None,
        now_ms: NOW_MS,
        block_time_ms: 12_000,
        subnet: Ok(subnet()),
        beacon: Ok(Some(beacon())),
        balance_rao: Some(Ok(TAO)),
        burn_rao: Ok(TAO / 2),
    }
}

fn known() -> Known {
    Known { hotkey: Some(key("//validator//0")), coldkey: Some(key("//cold")) }
}

/// Level and text of one check.
fn found(checks: &[Check], name: &str) -> (Level, String) {
    let check = checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no {name} in {checks:#?}"));
    assert_eq!(check.level == Level::Ok, check.fix.is_none(), "what is wrong has a fix: {check:?}");
    (check.level, format!("{} {}", check.found, check.fix.as_deref().unwrap_or_default()))
}

fn chain_check(name: &str, change: impl FnOnce(&mut Reached)) -> (Level, String) {
    let mut facts = facts();
    change(&mut facts);
    found(&chain::judge(&chain::Facts::Reached(Box::new(facts))), name)
}

fn subnet_check(role: Role, name: &str, change: impl FnOnce(&mut Reached, &mut SubnetSnapshot)) -> (Level, String) {
    let (mut facts, mut subnet) = (facts(), subnet());
    change(&mut facts, &mut subnet);
    facts.subnet = Ok(subnet);
    found(&subnet::judge(role, &facts, &known(), Some(7)), name)
}

#[test]
fn every_check_is_ok_when_nothing_is_wrong() {
    let facts = facts();
    let mut checks = subnet::judge(Role::Validator, &facts, &known(), Some(7));
    checks.extend(subnet::judge(Role::Miner, &facts, &known(), None));
    let owner = Known { hotkey: None, coldkey: Some(key("//owner")) };
    checks.extend(subnet::judge(Role::Owner, &facts, &owner, None));
    checks.extend(chain::judge(&chain::Facts::Reached(Box::new(facts))));
    for check in &checks {
        assert_eq!(check.level, Level::Ok, "{check:?}");
    }
    assert!(checks.len() > 20, "{}", checks.len());
}

#[test]
fn endpoint_fails_alone_when_no_node_answers() {
    let checks = chain::judge(&chain::Facts::Unreached("no connection".into()));
    assert_eq!(checks.len(), 1);
    assert_eq!(found(&checks, "endpoint").0, Level::Fail);
}

#[test]
fn genesis_fails_when_finney_is_asked_for_and_another_chain_answers() {
    let (level, text) = chain_check("genesis", |facts| facts.network = "ws://10.0.0.1:9944,finney".into());
    assert!(level == Level::Fail && text.contains("0x0101"), "{text}");
}

#[test]
fn runtime_fails_when_an_item_is_missing() {
    let (level, text) = chain_check("runtime items", |facts| facts.unusable = vec!["SubtensorModule.Keys".into()]);
    assert!(level == Level::Fail && text.contains("SubtensorModule.Keys"), "{text}");
}

#[test]
fn chain_fails_when_it_stands_still_or_finality_halts() {
    let (level, text) = chain_check("chain moves", |facts| {
        facts.moved = Some(false);
        facts.head.timestamp_ms = NOW_MS - 3_600_000;
    });
    assert!(level == Level::Fail && text.contains("60 min"), "{text}");
    for (best, expected) in [(1_010, Level::Ok), (1_011, Level::Warn), (1_101, Level::Fail)] {
        assert_eq!(chain_check("finality", |facts| facts.best = Ok(best)).0, expected, "{best}");
    }
}

#[test]
fn clock_is_suspected_when_blocks_or_rounds_disagree_with_it() {
    let future = |ms: u64| chain_check("clock", |facts| facts.head.timestamp_ms = NOW_MS + ms).0;
    assert_eq!((future(2_000), future(2_001)), (Level::Ok, Level::Fail));
    let (level, text) = chain_check("clock", |facts| {
        let mut beacon = beacon();
        beacon.genesis_time += 70;
        facts.beacon = Ok(Some(beacon));
    });
    assert!(level == Level::Fail && text.starts_with("60.0 s behind"), "{text}");
    let ahead = chain_check("clock", |facts| {
        facts.moved = Some(true);
        facts.head.timestamp_ms = NOW_MS - 200_000;
    });
    assert_eq!(ahead.0, Level::Warn);
}

#[test]
fn validator_is_told_what_is_missing_when_it_cannot_set_weights() {
    let role = Role::Validator;
    let unregistered = |balance| {
        subnet_check(role, "balance", |facts, subnet| {
            subnet.neurons.clear();
            facts.balance_rao = Some(Ok(balance));
        })
    };
    assert_eq!(unregistered(TAO).0, Level::Ok);
    let (level, text) = unregistered(TAO / 4);
    assert!(level == Level::Fail && text.contains("0.2500 TAO free, 0.5010 needed"), "{text}");
    let (level, text) = subnet_check(role, "registration", |_, subnet| subnet.neurons.clear());
    assert!(level == Level::Fail && text.contains("burns 0.5000 TAO"), "{text}");

    let (level, text) = subnet_check(role, "stake", |_, subnet| subnet.neurons[0].stake_rao = 40 * TAO);
    assert!(level == Level::Fail && text.contains("60.0000 TAO or more"), "{text}");
    let (level, text) = subnet_check(role, "permit", |_, subnet| subnet.neurons[0].validator_permit = false);
    assert!(level == Level::Fail && text.contains("in 260 blocks (about 52 min)"), "{text}");
    let (level, text) = subnet_check(role, "version key", |_, subnet| subnet.weights_version_key = 8);
    assert!(level == Level::Fail && text.contains("version_key = 8"), "{text}");
    let (level, text) = subnet_check(role, "commit-reveal", |_, subnet| subnet.commit_reveal_version = 5);
    assert!(level == Level::Fail && text.contains("version 5"), "{text}");
    let (level, text) = subnet_check(role, "rate limit", |_, subnet| subnet.neurons[0].last_update = vec![5, 950]);
    assert!(level == Level::Ok && text.contains("free in 50 blocks"), "{text}");
    assert_eq!(subnet_check(role, "rate limit", |_, subnet| subnet.weights_rate_limit = 360).0, Level::Warn);
    let other = subnet_check(role, "coldkey owner", |_, subnet| subnet.neurons[0].coldkey = key("//else"));
    assert_eq!(other.0, Level::Warn);
    let absent = subnet_check(role, "subnet", |_, subnet| subnet.tempo = 0);
    assert_eq!(absent.0, Level::Fail);
}

#[test]
fn beacon_is_needed_only_when_commits_are_timelocked() {
    let with = |version, beacon: Option<Beacon>| {
        subnet_check(Role::Validator, "beacon", |facts, subnet| {
            subnet.commit_reveal_version = version;
            facts.beacon = Ok(beacon);
        })
        .0
    };
    let aged = |seconds| Some(Beacon { genesis_time: beacon().genesis_time - seconds, ..beacon() });
    assert_eq!(with(4, None), Level::Fail);
    assert_eq!(with(4, Some(Beacon { last_stored_round: 0, ..beacon() })), Level::Fail);
    assert_eq!((with(4, aged(60)), with(4, aged(700))), (Level::Warn, Level::Fail));
    assert_eq!(with(0, aged(700)), Level::Ok);
}

#[test]
fn immunity_fails_the_owner_when_newcomers_are_judged_too_late() {
    let at = |role, period| subnet_check(role, "immunity", |_, subnet| subnet.immunity_period = period).0;
    assert_eq!((at(Role::Validator, 721), at(Role::Validator, 720)), (Level::Ok, Level::Warn));
    assert_eq!(at(Role::Owner, 720), Level::Fail);
    let (level, text) = subnet_check(Role::Owner, "ownership", |_, subnet| subnet.owner_coldkey = Some(key("//x")));
    assert!(level == Level::Fail && text.contains("--wallet-name"), "{text}");
}

#[test]
fn folder_is_examined_when_it_is_missing_held_or_read_only() {
    let root = tempfile::tempdir().unwrap();
    let fresh = local::folder("data folder", &root.path().join("a/b"), "journal.lock");
    assert!(found(&fresh, "data folder").1.contains("will be made"), "{fresh:?}");
    assert!(!root.path().join("a").exists(), "nothing is left behind");

    let lock = std::fs::File::create(root.path().join("journal.lock")).unwrap();
    let free = local::folder("data folder", root.path(), "journal.lock");
    assert_eq!(found(&free, "one process").0, Level::Ok);
    lock.lock().unwrap();
    let held = local::folder("data folder", root.path(), "journal.lock");
    assert_eq!(found(&held, "one process").0, Level::Warn);
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1, "the probe is removed");

    let file = local::folder("data folder", &root.path().join("journal.lock").join("x"), "journal.lock");
    assert_eq!(found(&file, "data folder").0, Level::Fail);
    let ledger = local::ledger(&root.path().join("gateway.db"));
    assert_eq!(found(&ledger, "ledger folder").0, Level::Ok);
}

#[test]
fn space_and_open_files_are_judged_when_short() {
    let level = |bytes| local::space(std::path::Path::new("/data"), bytes).level;
    assert_eq!((level(0), level(1 << 30), level(1 << 40)), (Level::Fail, Level::Warn, Level::Ok));
    assert_eq!(local::open_files(Some(1_024), 16_384).level, Level::Warn);
    assert_eq!(local::open_files(Some(65_536), 16_384).level, Level::Ok);
    assert_eq!(local::open_files(None, usize::MAX).level, Level::Ok);
}

#[test]
fn gateway_is_judged_by_its_answer_when_asked() {
    let url: Url = "http://user:s3cret@127.0.0.1:8092/x".parse().unwrap();
    let health = |status: &str| gateway::Health { status: status.into(), reasons: vec!["why".into()], miners: 3 };
    assert_eq!(gateway::judge(&url, Ok(health("ok"))).level, Level::Ok);
    let degraded = gateway::judge(&url, Ok(health("degraded")));
    assert!(degraded.level == Level::Warn && degraded.found.contains("degraded: why"), "{degraded:?}");
    let down = gateway::judge(&url, Err("connection refused".into()));
    assert_eq!(down.level, Level::Fail);
    for check in [degraded, down] {
        assert!(!format!("{check:?}").contains("s3cret"), "{check:?}");
    }
}

#[tokio::test]
async fn gateway_fails_when_nobody_answers_and_none_is_named() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url: Url = format!("http://127.0.0.1:{port}").parse().unwrap();
    let checks = gateway::examine(Some(Role::Miner), &[url], 2).await;
    assert_eq!(found(&checks, "gateway").0, Level::Fail);
    let level = async |role| gateway::examine(role, &[], 1).await.first().map(|check| check.level);
    assert_eq!(level(Some(Role::Miner)).await, Some(Level::Fail));
    assert_eq!(level(Some(Role::Validator)).await, Some(Level::Warn));
    assert_eq!(level(None).await, None);
}

fn wallet_args(folder: &std::path::Path) -> WalletArgs {
    WalletArgs {
        wallet_path: folder.display().to_string(),
        wallet_name: "mine".into(),
        wallet_hotkey: "hk".into(),
        dev_key: None,
        password_file: None,
    }
}

#[test]
fn keys_are_examined_when_missing_plain_or_exposed() {
    let folder = tempfile::tempdir().unwrap();
    let args = wallet_args(folder.path());
    let (checks, known) = keys::examine(&args, Some(Role::Validator));
    assert_eq!((found(&checks, "hotkey").0, found(&checks, "coldkey").0), (Level::Fail, Level::Warn));
    assert!(found(&checks, "hotkey").1.contains("clawrank keys new"), "{checks:?}");
    assert_eq!(known.hotkey, None);

    let wallet = Wallet::new(folder.path(), "mine").unwrap();
    let origin = Origin::Key(keypair_from_uri(&"//Alice".into()).unwrap());
    for slot in [Slot::Hotkey("hk"), Slot::Coldkey] {
        wallet.write(slot, &origin, &Protection::Plain, Overwrite::Never).unwrap();
    }
    let (checks, known) = keys::examine(&args, Some(Role::Validator));
    assert_eq!((found(&checks, "hotkey").0, found(&checks, "coldkey").0), (Level::Ok, Level::Ok));
    assert_eq!((known.hotkey, known.coldkey), (Some(key("//Alice")), Some(key("//Alice"))));
    // A coldkey belongs elsewhere: its public half is enough for a worker, not for an owner.
    std::fs::remove_file(wallet.path(Slot::Coldkey).unwrap()).unwrap();
    let (checks, known) = keys::examine(&args, Some(Role::Validator));
    assert_eq!(found(&checks, "coldkey").0, Level::Ok);
    assert_eq!(known.coldkey, Some(key("//Alice")));
    assert_eq!(found(&keys::examine(&args, Some(Role::Owner)).0, "coldkey").0, Level::Fail);

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = wallet.path(Slot::Hotkey("hk")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let (level, text) = found(&keys::examine(&args, Some(Role::Miner)).0, "hotkey");
        assert!(level == Level::Fail && text.contains("chmod 600"), "{text}");
    }
}
