// SPDX-License-Identifier: Apache-2.0
//! What the chain pays miners who measure is what the rules give for what real validators found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_primitives::{
    emission::{CapParams, gate_majority, payouts, weighted_median},
    units::Rao,
};
use clawrank_runtime::{AccountId, Runtime, RuntimeEvent, SubtensorModule};
use clawrank_runtime_tests::{
    chain::account,
    history::{events, state, whole_state},
    market::{Market, Shape, Worker},
};
use pallet_provider_rank::{Bundles, Event, Reports, Settlement, Settlements, Verdict};
use pallet_subtensor::{NetUid, SubnetInfo};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

const NETUID: NetUid = NetUid(92);
const VALIDATORS: u32 = 3;
/// With fewer than seven scores the cap cannot hold and all get the same.
const MEASURING: usize = 8;
const PATIENCE: Duration = Duration::from_secs(300);

/// The verdicts that a validator's report of an epoch comes to, by uid.
fn verdicts(report: &Value) -> Vec<Verdict> {
    let miners = report["miners"].as_array().unwrap().iter();
    let checked = miners.filter(|miner| miner["intel"]["gate"] != "no_bundle");
    checked
        .map(|miner| Verdict {
            uid: miner["uid"].as_u64().unwrap().try_into().unwrap(),
            tripped: miner["intel"]["gate"] == "tripped",
            reason: miner["intel"]["reason_code"].as_u64().unwrap().try_into().unwrap(),
            score: miner["intel"]["score"].as_str().unwrap().parse().unwrap(),
        })
        .collect()
}

fn settlement(market: &Market, epoch: u64) -> Option<Settlement<AccountId>> {
    let key = Settlements::<Runtime>::hashed_key_for(NETUID, epoch);
    let head = market.node.rpc("chain_getFinalizedHead", json!([])).unwrap();
    state(&market.node, &key, &head)
}

#[test]
fn payouts_are_what_the_rules_give_for_the_reports_of_real_validators() {
    let shape = Shape { validators: VALIDATORS, measuring: MEASURING, ..Shape::new(96) };
    let mut market = Market::with(shape, &[]);
    let names: Vec<String> = (0..VALIDATORS).map(|place| format!("validator-{place}")).collect();
    let key = |place: usize| format!("//validator//{place}");
    let mut validators: Vec<Worker> =
        names.iter().enumerate().map(|(place, name)| market.validator_of(&key(place), name, &[])).collect();

    // An epoch that every validator judged and in which most miners have a score; who started late is in the next one.
    let (epoch, paid) = market.wait("settlement of scores", PATIENCE, &mut validators[0], |market| {
        let reports = market.reports(&names[0]);
        let epochs = reports.iter().map(|report| report["epoch"].as_u64().unwrap());
        let mut settled = epochs.filter_map(|epoch| Some((epoch, settlement(market, epoch)?)));
        settled.find(|(_, settlement)| settlement.payouts.iter().filter(|payout| payout.amount > 0).count() >= 7)
    });
    let hash = |block: u64| market.node.rpc("chain_getBlockHash", json!([block])).unwrap();
    let (block, before) = (hash(paid.block), hash(paid.block - 1));

    // What was found: the files of the validators, and who they are by the chain's own word before it paid.
    let found: BTreeMap<AccountId, Vec<Verdict>> = (0..)
        .zip(&names)
        .filter_map(|(place, name)| {
            let report = market.reports(name).into_iter().find(|report| report["epoch"] == epoch)?;
            Some((account(&key(place)), verdicts(&report)))
        })
        .collect();
    let mut chain = whole_state(&market.node, &before);
    let (stakes, bundles) = chain.execute_with(|| {
        let stakes = <SubtensorModule as SubnetInfo<AccountId>>::validators(NETUID);
        let mut bundles: Vec<(u16, AccountId)> =
            Bundles::<Runtime>::iter_prefix((NETUID, epoch)).map(|(who, bundle)| (bundle.uid, who)).collect();
        bundles.sort();
        for (who, _) in &stakes {
            if let Some(sent) = Reports::<Runtime>::get((NETUID, epoch, who)) {
                assert_eq!(sent.into_inner(), found[who], "the chain was told what the report of {who:?} says");
            }
        }
        (stakes, bundles)
    });
    let mut sent = |who: &AccountId| chain.execute_with(|| Reports::<Runtime>::contains_key((NETUID, epoch, who)));
    let reports: Vec<(u128, &Vec<Verdict>)> =
        stakes.iter().filter(|(who, _)| sent(who)).map(|(who, stake)| (u128::from(*stake), &found[who])).collect();
    assert!(reports.len() >= 2, "{} of {VALIDATORS} validators reported", reports.len());

    let judged: Vec<(bool, u128)> = bundles.iter().map(|(uid, _)| judge(*uid, &reports)).collect();
    let scores: Vec<u128> = judged.iter().map(|(_, score)| *score).collect();
    let amounts =
        payouts(&scores, &CapParams::default(), None, Rao(paid.emission)).expect("somebody has a score").amounts;
    let expected: Vec<_> = bundles
        .iter()
        .zip(judged)
        .zip(&amounts)
        .map(|(((uid, who), (tripped, score)), amount)| (*uid, who.clone(), tripped, score, amount.get()))
        .collect();
    let got: Vec<_> = paid
        .payouts
        .iter()
        .map(|paid| (paid.uid, paid.hotkey.clone(), paid.tripped, paid.score, paid.amount))
        .collect();
    assert_eq!(got, expected);
    assert_eq!(
        amounts.iter().map(|amount| amount.get()).sum::<u64>() + paid.dust,
        paid.emission,
        "Σ payouts + dust = pot"
    );
    assert!(amounts.iter().any(|amount| *amount != amounts[0]), "not all the same: {amounts:?}");

    let transfers: Vec<(AccountId, u64)> = events(&market.node, &block)
        .into_iter()
        .filter_map(|event| match event {
            RuntimeEvent::ProviderRank(Event::Paid { epoch: of, hotkey, amount, .. }) if of == epoch => {
                Some((hotkey, amount))
            }
            _ => None,
        })
        .collect();
    let due: Vec<_> = expected.iter().filter(|paid| paid.4 > 0).map(|paid| (paid.1.clone(), paid.4)).collect();
    assert_eq!(transfers, due, "and that is what was moved");
    println!("epoch {epoch}: {} reports, scores {scores:?}, {} rao paid as {amounts:?}", reports.len(), paid.emission);
    assert!(validators.iter_mut().all(|validator| validator.ended().is_none()));
}

/// Whether a majority of the reporting stake trips the gate of `uid`, and the median of its scores (rules §4.5).
fn judge(uid: u16, reports: &[(u128, &Vec<Verdict>)]) -> (bool, u128) {
    let of = |verdicts: &[Verdict]| verdicts.iter().find(|verdict| verdict.uid == uid).copied();
    let votes: Vec<_> =
        reports.iter().map(|(stake, all)| (of(all).is_some_and(|verdict| verdict.tripped), *stake)).collect();
    if gate_majority(&votes) {
        return (true, 0);
    }
    let score = |verdict: Verdict| if verdict.tripped { 0 } else { verdict.score };
    let scores: Vec<_> = reports.iter().map(|(stake, all)| (of(all).map_or(0, score), *stake)).collect();
    (false, weighted_median(&scores).unwrap_or_default())
}
