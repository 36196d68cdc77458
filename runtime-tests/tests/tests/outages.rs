// SPDX-License-Identifier: Apache-2.0
//! A whole market, every part of it a real process, on a chain whose beacon nobody feeds: the validator commits with a
//! salt and reveals by itself, in both mechanisms, whatever ends or hangs meanwhile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_runtime::VERSION;
use clawrank_runtime_tests::{
    chain::{account, keys},
    history::submit,
    market::{Market, SLOW_MODEL, Shape, VALIDATOR, Worker},
    salted::{Salted, both_in},
};
use frame_support::weights::Weight;
use pallet_subtensor::NetUid;
use serde_json::json;
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// For what takes some seconds when the machine does nothing else.
const PATIENCE: Duration = Duration::from_secs(240);
/// The market without a beacon.
const NODE: [&str; 1] = ["--no-beacon"];
const SALTED: [&str; 2] = ["--commit", "salted"];
/// The key of a miner that is not there at first.
const NEWCOMER: &str = "//newcomer";

/// Waits until a validator has reported weights of both mechanisms, of an epoch after `after`, in one of `states`.
fn wait_both(market: &mut Market, validator: &mut Worker, states: &[&str], after: Option<u64>) -> u64 {
    let what = format!("{states:?} weights in both mechanisms after epoch {after:?}");
    market.wait(&what, PATIENCE, validator, |market| both_in(market, "validator", states, after))
}

/// Starts a miner like those who serve already, with a key that nobody has registered.
fn newcomer(market: &Market) -> Worker {
    let url = |file: &str, key: &str| {
        let text = std::fs::read_to_string(market.path(file)).unwrap();
        text.split(key).nth(1).and_then(|rest| rest.split('"').nth(1)).unwrap().to_owned()
    };
    let backend = url("endpoints.toml", "base_url").replace("/aurora/", "/backend-0/");
    let mut args: Vec<String> = ["miner", "serve", "--dev-key", NEWCOMER].map(String::from).into();
    for (flag, path) in [("--config", "serve-0.toml"), ("--data-dir", "newcomer")] {
        args.extend([flag.to_owned(), market.path(path).display().to_string()]);
    }
    args.extend(["--gateway".to_owned(), url("validator.toml", "url"), "--backend".to_owned(), backend]);
    Worker::start(&market.path("newcomer.log"), args)
}

fn audit(market: &Market, may_miss: impl Fn(u64) -> bool) -> Salted {
    // The reports are read after the chain: whatever is in a final block was in the journal before.
    let salted = Salted::read(&market.node, &account(VALIDATOR));
    salted.audit(&market.reports("validator"), may_miss);
    salted
}

#[test]
fn salted_weights_are_revealed_once_when_the_validator_is_killed_between_commit_and_reveal() {
    let mut market = Market::with(Shape { measuring: 1, ..Shape::new(72) }, &NODE);
    let mut validator = market.validator("validator", &SALTED);
    let committed = wait_both(&mut market, &mut validator, &["committed"], None);
    validator.kill();
    let stopped = Salted::read(&market.node, &account(VALIDATOR));
    sleep(Duration::from_secs(1));
    validator = market.validator("validator", &SALTED);
    market.wait("reveal of what was committed", PATIENCE, &mut validator, |market| {
        both_in(market, "validator", &["revealed"], committed.checked_sub(1)).filter(|epoch| *epoch == committed)
    });
    // Once more, and this time right after the next commit was handed over.
    let sealed = |log: &str| log.matches("weights are sealed").count();
    let (log, before) = (validator.log_path(), sealed(&validator.log()));
    market.wait("next commit", PATIENCE, &mut validator, |_| {
        (sealed(&std::fs::read_to_string(&log).unwrap_or_default()) > before).then_some(())
    });
    validator.kill();
    validator = market.validator("validator", &SALTED);
    wait_both(&mut market, &mut validator, &["revealed"], Some(committed));

    let salted = audit(&market, |_| false);
    let reveals = |mecid: u8| salted.reveals.iter().filter(|seen| seen.mecid == mecid).count();
    assert!(reveals(0) >= 2 && reveals(1) >= 2, "{salted:?}");
    let before: Vec<_> =
        stopped.commits.iter().filter(|seen| stopped.reveals.iter().all(|r| r.hash != seen.hash)).collect();
    assert!(before.len() >= 2, "it was killed between commit and reveal: {stopped:?}");
    assert!(before.iter().all(|seen| salted.reveals.iter().any(|reveal| reveal.hash == seen.hash)), "{salted:?}");
}

#[test]
fn stall_is_named_and_work_goes_on_after_it_when_one_of_two_authorities_hangs() {
    let shape = Shape { block_time_ms: 500, authorities: 2, measuring: 1, ..Shape::new(64) };
    let mut market = Market::with(shape, &NODE);
    let mut validator = market.validator("validator", &SALTED);
    let first = wait_both(&mut market, &mut validator, &["revealed"], None);
    market.wait("health", PATIENCE, &mut validator, |market| (market.health()["status"] == "ok").then_some(()));

    // When it hurts: a commit is on its way, in a block that nobody makes final.
    let sealed = |log: &str| log.matches("weights are sealed").count();
    let (log, before) = (validator.log_path(), sealed(&validator.log()));
    market.wait("next commit", PATIENCE, &mut validator, |_| {
        (sealed(&std::fs::read_to_string(&log).unwrap_or_default()) > before).then_some(())
    });
    market.other.as_ref().unwrap().pause();
    market.wait("alarm of the validator", PATIENCE, &mut validator, |_| {
        std::fs::read_to_string(&log)
            .unwrap_or_default()
            .contains("no finalised block: weights cannot be sent")
            .then_some(())
    });
    let reason = market.wait("alarm of the gateway", PATIENCE, &mut validator, |market| {
        let health = market.health();
        (health["status"] == "degraded").then(|| health["reasons"][0].as_str().unwrap().to_owned())
    });
    assert!(reason.starts_with("the newest finalised block "), "{reason}");
    let stalled_at = market.node.finalized().unwrap();
    let answer = market.ask("llama-3-8b").whole();
    assert!(!answer.is_empty(), "customers are served while nothing becomes final");
    assert!(market.node.finalized().unwrap() <= stalled_at + 1, "it was a stall");
    let uploads = |market: &Market| std::fs::read_to_string(market.path("measure-0.log")).unwrap_or_default();
    let uploads = |market: &Market| uploads(market).matches("the gateway has the bundle").count();
    let before = uploads(&market);

    market.other.as_ref().unwrap().resume();
    market
        .wait("finality", PATIENCE, &mut validator, |market| (market.node.finalized()? > stalled_at + 4).then_some(()));
    market.wait("health", PATIENCE, &mut validator, |market| (market.health()["status"] == "ok").then_some(()));
    market.wait("upload", PATIENCE, &mut validator, |market| (uploads(market) > before).then_some(()));
    let newest = market.reports("validator").last().unwrap()["epoch"].as_u64();
    wait_both(&mut market, &mut validator, &["revealed"], newest.or(Some(first)));
    let salted = audit(&market, |_| false);
    println!("{} commits, {} reveals", salted.commits.len(), salted.reveals.len());
}

#[test]
fn request_and_upload_in_flight_end_well_when_the_node_is_killed_and_started_again() {
    let mut market = Market::with(Shape { measuring: 1, ..Shape::new(72) }, &NODE);
    let mut validator = market.validator("validator", &SALTED);
    let miner = market.path("measure-0.log");
    let said = |what: &str| std::fs::read_to_string(&miner).unwrap_or_default().matches(what).count();
    const HAS: &str = "the gateway has the bundle";
    market.wait("first bundle", PATIENCE, &mut validator, |_| (said(HAS) > 0).then_some(()));

    let (measured, committed, stored) = (said(" measured "), said(" committed "), said(HAS));
    market.wait("measurements", PATIENCE, &mut validator, |_| (said(" measured ") > measured).then_some(()));
    let mut answer = market.ask(SLOW_MODEL);
    answer.wait_begun();
    // The upload begins as soon as the root is on chain, and waits for a gateway that does not read.
    market.gateway.pause();
    market.wait("root on chain", PATIENCE, &mut validator, |_| (said(" committed ") > committed).then_some(()));
    sleep(Duration::from_millis(300));
    assert_eq!(said(HAS), stored, "the upload is in flight");
    market.node.kill();
    market.gateway.resume();
    // Neither needs the chain to end.
    let words = answer.whole();
    println!("the answer came whole: {words}");
    let end = Instant::now() + PATIENCE;
    while said(HAS) == stored {
        assert!(
            Instant::now() < end,
            "the gateway has no bundle: {}",
            std::fs::read_to_string(&miner).unwrap_or_default()
        );
        assert!(validator.ended().is_none(), "{}", validator.log());
        sleep(Duration::from_millis(50));
    }
    // The gateway notices that the node is gone, and later that it is back.
    let gone = loop {
        let health = market.health();
        if health["status"] == "degraded" {
            break health["block"].as_u64().unwrap();
        }
        assert!(Instant::now() < end, "the gateway does not miss its node: {health}");
        sleep(Duration::from_millis(50));
    };
    market.restart_node(&NODE);
    market.wait("heads in the gateway", PATIENCE, &mut validator, |market| {
        let health = market.health();
        (health["status"] == "ok" && health["block"].as_u64()? > gone + 4).then_some(())
    });
    assert!(!market.ask("llama-3-8b").whole().is_empty());

    // Nothing is lost: the bundle of that epoch is checked, and the tokens of the answer are counted.
    let log = std::fs::read_to_string(&miner).unwrap();
    let line = log.lines().rfind(|line| line.contains(" committed ")).unwrap();
    let epoch = line.split("epoch=").nth(1).unwrap().split_whitespace().next().unwrap().parse::<u64>().unwrap();
    let report = market.wait("report of that epoch", PATIENCE, &mut validator, |market| {
        market.reports("validator").into_iter().find(|report| report["epoch"] == epoch)
    });
    let of = |uid: u64| report["miners"].as_array().unwrap().iter().find(|miner| miner["uid"] == uid).cloned().unwrap();
    // uids: the owner, a validator, three who serve, one who measures.
    let (served, found) = (of(2), of(5));
    assert_eq!(found["intel"]["gate"], "open", "{found}");
    assert!(found["intel"]["cells_covered"] == 1, "{found}");
    let tokens = served["serving"]["tokens"].as_u64().unwrap();
    assert!(tokens >= u64::try_from(words.len() / 4).unwrap() && tokens > 0, "{served}");
    wait_both(&mut market, &mut validator, &["revealed"], epoch.checked_sub(1));
    audit(&market, |_| false);

    // The gateway reads the subnet anew, too: who registers only now is let in.
    let miners = market.health()["miners"].as_u64().unwrap();
    let _newcomer = newcomer(&market);
    market.wait("refusal of a stranger", PATIENCE, &mut validator, |market| {
        std::fs::read_to_string(market.path("newcomer.log")).unwrap_or_default().contains("unregistered").then_some(())
    });
    assert_eq!(market.health()["miners"], miners);
    let call = pallet_subtensor::Call::burned_register { netuid: NetUid(92), hotkey: account(NEWCOMER) };
    submit(&market.node, &keys("//Bob"), call);
    market.wait("newcomer", PATIENCE, &mut validator, |market| (market.health()["miners"] == miners + 1).then_some(()));
}

#[test]
fn commits_reveals_and_uploads_go_on_when_the_chain_replaces_its_runtime_under_way() {
    let Some(wasm) = std::env::var_os("CLAWRANK_UPGRADE_WASM") else {
        eprintln!("SKIPPED: no later runtime; set CLAWRANK_UPGRADE_WASM");
        return;
    };
    let mut market = Market::with(Shape { measuring: 1, ..Shape::new(72) }, &NODE);
    let mut validator = market.validator("validator", &SALTED);
    // Committed by one runtime, revealed by the other.
    let committed = wait_both(&mut market, &mut validator, &["committed"], None);
    let call = frame_system::Call::set_code { code: std::fs::read(wasm).unwrap() };
    let call = pallet_sudo::Call::sudo_unchecked_weight { call: Box::new(call.into()), weight: Weight::zero() };
    submit(&market.node, &keys("//Alice"), call);
    let upgraded = market.wait("later runtime", PATIENCE, &mut validator, |market| {
        let head = market.node.rpc("chain_getFinalizedHead", json!([])).ok()?;
        let version = market.node.rpc("state_getRuntimeVersion", json!([head])).ok()?;
        (version["specVersion"].as_u64()? > VERSION.spec_version.into()).then(|| market.node.finalized())?
    });
    let told = |market: &Market| std::fs::read_to_string(market.path("measure-0.log")).unwrap_or_default();
    let uploads = |market: &Market| told(market).matches("the gateway has the bundle").count();
    let before = uploads(&market);
    market.wait("upload", PATIENCE, &mut validator, |market| (uploads(market) > before).then_some(()));
    wait_both(&mut market, &mut validator, &["revealed"], Some(committed));
    let salted = audit(&market, |_| false);
    let commits =
        |is_before: bool| salted.commits.iter().filter(|s| (u64::from(s.block) <= upgraded) == is_before).count();
    assert!(commits(true) >= 2 && commits(false) >= 2, "{upgraded}: {salted:?}");
}
