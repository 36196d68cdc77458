// SPDX-License-Identifier: Apache-2.0
//! The real validator on a real node whose beacon opens timelocked weights: what it means to set is what the chain
//! stores, once, whatever ends or changes meanwhile.
//!
//! No test here counts on a machine that is fast: where a commit may be made again because blocks came late, the times of
//! the blocks say whether they did.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_runtime::{AdminUtils, Runtime, RuntimeCall, VERSION};
use clawrank_runtime_tests::{
    chain::{account, keys},
    history::{Commit, History, has_pulse, newest_round, state, submit, tempo},
    market::{Market, VALIDATOR, Worker},
};
use frame_support::{dispatch::CallableCallFor, weights::Weight};
use pallet_subtensor::{CommitRevealWeightsVersion, NetUid};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    thread::sleep,
    time::{Duration, Instant},
};

/// Blocks of an epoch: 5 s.
const TEMPO: u16 = 20;
const SLOT_MS: u64 = 250;
/// For what takes some seconds when the machine does nothing else.
const PATIENCE: Duration = Duration::from_secs(240);
/// Blocks from the head that a commit is planned at into its block, at most, when all goes well.
const LANDING: u32 = 8;

/// A commit of mechanism 0 as a report shows it.
#[derive(Clone, Debug)]
struct Reported {
    /// Epoch whose weights it carries.
    epoch: u64,
    seq: u64,
    state: String,
    detail: String,
    hash: String,
    row: Vec<(u16, u16)>,
}

fn numbers(list: &Value) -> Vec<u16> {
    serde_json::from_value(list.clone()).unwrap()
}

/// All commits of mechanism 0 in a validator's reports, by epoch.
fn reported(market: &Market, data: &str) -> Vec<Reported> {
    let mut found = Vec::new();
    for report in market.reports(data) {
        let mechanism = &report["mechanisms"][0];
        let row: Vec<_> = numbers(&mechanism["uids"]).into_iter().zip(numbers(&mechanism["weights"])).collect();
        for commit in report["commits"].as_array().unwrap().iter().filter(|commit| commit["mecid"] == 0) {
            let text = |key: &str| commit[key].as_str().unwrap().trim_start_matches("0x").to_owned();
            assert!(commit["form"] == "timelocked" || commit["form"].is_null(), "{commit}");
            found.push(Reported {
                epoch: report["epoch"].as_u64().unwrap(),
                seq: commit["seq"].as_u64().unwrap(),
                state: text("state"),
                detail: text("detail"),
                hash: text("hash"),
                row: row.clone(),
            });
        }
    }
    found
}

/// Epochs whose weights a validator reports as revealed.
fn revealed(market: &Market, data: &str) -> Vec<u64> {
    reported(market, data).into_iter().filter(|commit| commit.state == "revealed").map(|commit| commit.epoch).collect()
}

/// Waits until a validator has reported the weights of `more` epochs after the running one as revealed.
fn wait_revealed(market: &mut Market, data: &str, more: usize, validator: &mut Worker) {
    let known = reported(market, data).iter().map(|commit| commit.epoch).max().unwrap_or_default();
    market.wait("revealed weights", PATIENCE, validator, |market| {
        let new = revealed(market, data).into_iter().filter(|epoch| *epoch > known);
        (new.count() >= more).then_some(())
    });
}

/// What became of the validator's weights on chain, once its reports know of all of it.
///
/// # Panics
///
/// - When the chain has a commit that no report shows, or one twice.
/// - When a commit was made again without a reason, or when its round was public already.
/// - When the chain put weights in force that are not those of a commit of the epoch before, or not those of the last.
fn audit(market: &mut Market, data: &[&str], validator: &mut Worker) -> History {
    let history = History::read(&market.node, &account(VALIDATOR));
    let known = market.wait("reports of every commit", PATIENCE, validator, |market| {
        let all = data.iter().flat_map(|data| reported(market, data));
        let known: BTreeMap<String, Reported> = all.map(|commit| (commit.hash.clone(), commit)).collect();
        let complete = history.commits.iter().all(|commit| known.contains_key(&hex::encode(commit.hash)));
        complete.then_some(known)
    });
    let of = |hash: &sp_core::H256| &known[&hex::encode(hash)];
    let mut made: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
    for commit in &history.commits {
        made.entry(of(&commit.hash).epoch).or_default().push(commit.block);
        assert!(!commit.was_public, "anyone could open {commit:?}");
    }
    for (epoch, blocks) in &made {
        let (first, last) = (blocks[0], blocks[blocks.len() - 1]);
        let rows: Vec<_> = known.values().filter(|row| row.epoch == *epoch).collect();
        println!("weights of epoch {epoch}: committed in blocks {blocks:?}");
        // One on chain for each that the validator knows of: those after the first were made in the place of another.
        assert!(blocks.len() <= rows.len(), "epoch {epoch} was committed in blocks {blocks:?}: {rows:#?}");
        let expired = rows.iter().any(|row| row.state == "expired");
        let changed = history.tempo_changed(first.saturating_sub(LANDING)..=last);
        if blocks.len() > 1 && !expired && !changed {
            let planned = first.saturating_sub(LANDING)..=last;
            assert!(!history.is_punctual(planned, SLOT_MS), "no block was late, yet it was committed again: {rows:#?}");
        }
    }
    for reveal in &history.reveals {
        println!("block {}, epoch {}: revealed {:?}", reveal.block, reveal.epoch, reveal.row);
        let mut due = history.commits.iter().filter(|commit| commit.epoch + 1 == reveal.epoch);
        let opened = due.find(|commit| of(&commit.hash).row == reveal.row && commit.round <= reveal.newest_round);
        assert!(opened.is_some(), "{reveal:?} are the weights of no commit that was due: {:?}", history.commits);
    }
    // Of several that were due in one epoch the last stays, where no change of the tempo gave an earlier one a later round.
    let last: BTreeMap<u64, _> = history.reveals.iter().map(|reveal| (reveal.epoch, reveal)).collect();
    for (epoch, reveal) in last {
        let opened = |commit: &&Commit| commit.epoch + 1 == epoch && commit.round <= reveal.newest_round;
        let due: Vec<_> = history.commits.iter().filter(opened).collect();
        if !history.tempo_changed(due[0].block..=reveal.block) {
            assert_eq!(of(&due[due.len() - 1].hash).row, reveal.row, "{reveal:?} is not the last of {due:?}");
        }
    }
    history
}

#[test]
fn chain_stores_what_the_validator_means_when_it_commits_by_timelock() {
    let mut market = Market::open(TEMPO, &[]);
    let mut validator = market.validator("validator", &[]);
    wait_revealed(&mut market, "validator", 2, &mut validator);
    let history = audit(&mut market, &["validator"], &mut validator);

    let at = |block: u32| market.node.rpc("chain_getBlockHash", json!([block])).unwrap();
    let end = *history.times.keys().last().unwrap();
    let (early, late) = (newest_round(&market.node, &at(end / 2)), newest_round(&market.node, &at(end)));
    assert!(0 < early && early < late, "rounds are stored: {early}, then {late}");
    assert!((early..=late).all(|round| has_pulse(&market.node, round, &at(end))), "and all of them");

    let epochs = history.by_epoch();
    let revealed = revealed(&market, "validator");
    assert!(revealed.len() >= 2 && history.reveals.len() >= 2, "{revealed:?} {:?}", history.reveals);
    for (epoch, commits) in &epochs {
        let commit = commits[commits.len() - 1];
        let Some(reveal) = history.reveals.iter().rev().find(|reveal| reveal.epoch == epoch + 1) else {
            assert!(epoch + 2 > market.reports("validator").last().unwrap()["epoch"].as_u64().unwrap());
            continue;
        };
        assert!(!has_pulse(&market.node, commit.round, &at(commit.block)));
        assert!(has_pulse(&market.node, commit.round, &at(reveal.block)));
    }
    // Whatever was not committed has its reason.
    for commit in reported(&market, "validator") {
        assert!(commit.state != "expired" || !commit.detail.is_empty(), "{commit:?}");
    }
    let rows: std::collections::BTreeSet<_> = history.reveals.iter().map(|reveal| reveal.row.clone()).collect();
    println!("{} commits, {} reveals, {} different rows", history.commits.len(), history.reveals.len(), rows.len());
    assert!(validator.ended().is_none());
}

#[test]
fn nothing_is_committed_twice_when_the_validator_is_killed_again_and_again() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut market = Market::open(TEMPO, &[]);
    let mut validator = market.validator("validator", &[]);
    let again = |market: &mut Market, validator: &mut Worker, random: &mut StdRng, most_ms: u64| {
        sleep(Duration::from_millis(random.random_range(0..=most_ms)));
        validator.kill();
        *validator = market.validator("validator", &[]);
    };
    // Where it hurts: sealed and perhaps sent, in a block, seen there.
    for moment in ["weights are sealed", "weights are sealed", "are in a block", "to=committed"] {
        let count = |log: &str| log.matches(moment).count();
        let before = count(&validator.log());
        let log = validator.log_path();
        market.wait(moment, PATIENCE, &mut validator, |_| {
            (count(&std::fs::read_to_string(&log).unwrap_or_default()) > before).then_some(())
        });
        again(&mut market, &mut validator, &mut random, 300);
    }
    // Anywhere.
    for _ in 0..4 {
        again(&mut market, &mut validator, &mut random, 2_500);
    }
    wait_revealed(&mut market, "validator", 1, &mut validator);
    let history = audit(&mut market, &["validator"], &mut validator);
    println!("{} commits, {} reveals", history.commits.len(), history.reveals.len());
}

#[test]
fn missed_weights_are_reported_and_committed_anew_when_pulses_do_not_come() {
    let mut market = Market::open(TEMPO, &["--no-beacon"]);
    let mut validator = market.validator("validator", &["--commit", "timelock"]);
    let missed = market.wait("alarm", PATIENCE, &mut validator, |market| {
        let mut all = reported(market, "validator").into_iter();
        all.find(|commit| commit.state == "expired" && commit.detail.contains("are not on chain"))
    });
    println!("{missed:?}");
    assert!(validator.log().contains("weights were not revealed"), "the log has the alarm");
    market.wait("later commit", PATIENCE, &mut validator, |market| {
        let all = reported(market, "validator").into_iter();
        let mut later = all.filter(|commit| (commit.epoch, commit.seq) > (missed.epoch, missed.seq));
        later.find(|commit| commit.state == "committed")
    });
    let history = History::read(&market.node, &account(VALIDATOR));
    assert!(history.commits.len() >= 2 && history.reveals.is_empty(), "{history:?}");

    market.restart_node(&[]);
    wait_revealed(&mut market, "validator", 1, &mut validator);
    audit(&mut market, &["validator"], &mut validator);
}

/// Waits until a process has ended by itself, and returns what it logged.
fn end_of(worker: &mut Worker) -> String {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(status) = worker.ended() {
            assert!(!status.success(), "it ended with {status}");
            return worker.log();
        }
        sleep(Duration::from_millis(50));
    }
    panic!("it still runs:\n{}", worker.log());
}

#[test]
fn second_validator_is_refused_when_one_runs_with_the_same_hotkey() {
    let mut market = Market::open(TEMPO, &[]);
    let mut first = market.validator("first", &[]);
    market.wait("commit", PATIENCE, &mut first, |market| {
        reported(market, "first").into_iter().find(|commit| commit.state == "committed")
    });
    let mut beside = market.validator("first", &[]);
    let says = market.wait("refusal", PATIENCE, &mut first, |_| beside.ended().map(|_| beside.log()));
    assert!(says.contains("is held by another process"), "{says}");
    let mut second = market.validator("second", &[]);
    let says = end_of(&mut second);
    assert!(says.contains("another validator runs with the same hotkey"), "{says}");
    assert!(says.contains("--take-over"), "{says}");
    wait_revealed(&mut market, "first", 1, &mut first);
    audit(&mut market, &["first"], &mut first);

    first.kill();
    let mut second = market.validator("second", &["--take-over"]);
    wait_revealed(&mut market, "second", 1, &mut second);
    audit(&mut market, &["first", "second"], &mut second);
}

#[test]
fn work_goes_on_when_the_node_is_killed_and_started_again() {
    let mut market = Market::open(TEMPO, &[]);
    let mut validator = market.validator("validator", &[]);
    market.wait("commit", PATIENCE, &mut validator, |market| {
        reported(market, "validator").into_iter().find(|commit| commit.state == "committed")
    });
    market.node.kill();
    sleep(Duration::from_secs(2));
    market.restart_node(&[]);
    wait_revealed(&mut market, "validator", 1, &mut validator);
    audit(&mut market, &["validator"], &mut validator);
}

#[test]
fn weights_still_arrive_when_the_tempo_changes_under_way() {
    type Admin = CallableCallFor<AdminUtils, Runtime>;
    let mut market = Market::open(TEMPO, &[]);
    let mut validator = market.validator("validator", &[]);
    for tempo_blocks in [32, 16] {
        let known = reported(&market, "validator").len();
        market.wait("commit", PATIENCE, &mut validator, |market| {
            let all = reported(market, "validator");
            all.into_iter().skip(known).find(|commit| commit.state == "committed")
        });
        let call: RuntimeCall = Admin::sudo_set_tempo { netuid: NetUid(92), tempo: tempo_blocks }.into();
        submit(&market.node, &keys("//Alice"), pallet_sudo::Call::sudo { call: Box::new(call) });
        market.wait("tempo", PATIENCE, &mut validator, |market| (tempo(&market.node) == tempo_blocks).then_some(()));
        wait_revealed(&mut market, "validator", 1, &mut validator);
    }
    audit(&mut market, &["validator"], &mut validator);
}

#[test]
fn weights_still_arrive_when_the_chain_widens_the_version_that_commits_carry() {
    let Some(wasm) = std::env::var_os("CLAWRANK_UPGRADE_WASM") else {
        eprintln!("SKIPPED: no later runtime; set CLAWRANK_UPGRADE_WASM");
        return;
    };
    let mut market = Market::open(TEMPO, &[]);
    let mut validator = market.validator("validator", &[]);
    let committed = |market: &Market| reported(market, "validator").iter().any(|commit| commit.state == "committed");
    market.wait("commit", PATIENCE, &mut validator, |market| committed(market).then_some(()));
    // Written out, so that the later runtime has a value to translate.
    let version = CallableCallFor::<AdminUtils, Runtime>::sudo_set_commit_reveal_version { version: 4 };
    submit(&market.node, &keys("//Alice"), pallet_sudo::Call::sudo { call: Box::new(version.into()) });
    let key = CommitRevealWeightsVersion::<Runtime>::hashed_key();
    market.wait("version", PATIENCE, &mut validator, |market| {
        (state::<u16>(&market.node, &key, &Value::Null) == Some(4)).then_some(())
    });
    let call = Box::new(frame_system::Call::set_code { code: std::fs::read(wasm).unwrap() }.into());
    submit(&market.node, &keys("//Alice"), pallet_sudo::Call::sudo_unchecked_weight { call, weight: Weight::zero() });
    let upgraded = market.wait("later runtime", PATIENCE, &mut validator, |market| {
        let head = market.node.rpc("chain_getFinalizedHead", json!([])).ok()?;
        let version = market.node.rpc("state_getRuntimeVersion", json!([head])).ok()?;
        (version["specVersion"].as_u64()? > VERSION.spec_version.into()).then(|| market.node.finalized())?
    });
    wait_revealed(&mut market, "validator", 2, &mut validator);
    assert_eq!(state::<u32>(&market.node, &key, &Value::Null), Some(4), "four bytes where two were");

    let history = audit(&mut market, &["validator"], &mut validator);
    let after = |block: u32| u64::from(block) > upgraded;
    let (later, earlier): (Vec<_>, Vec<_>) = history.commits.iter().partition(|commit| after(commit.block));
    assert!(!earlier.is_empty() && later.len() >= 2, "{upgraded}: {history:?}");
    // What one runtime took, and what the other did, is opened by the other.
    let opened = history.reveals.iter().filter(|reveal| after(reveal.block)).count();
    assert!(opened >= 2, "{upgraded}: {:?}", history.reveals);
}
