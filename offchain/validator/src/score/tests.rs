// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use clawrank_primitives::proof::AttemptStatus;
use codec::Encode;

use super::*;
use crate::{
    Config,
    clock::Schedule,
    report::GateState,
    summary::Summary,
    testing::{BLOCK_MS, Measurer, genesis, key, snapshot},
};

const END_MS: u64 = 100_000_000;

fn cell(endpoint: &str, task_type: &str) -> Cell {
    Cell::new("m", endpoint, task_type).unwrap()
}

/// Epoch 5 of a subnet with eight miners and the cells a/chat, b/chat; nothing measured yet.
fn inputs() -> Inputs {
    let mut subnet = snapshot(1_085, 8);
    subnet.head.timestamp_ms = END_MS + 1_000;
    let clock = EpochClock::at(&subnet, &Schedule::from(&Config::default())).unwrap();
    let cells = [cell("a", "chat"), cell("b", "chat")];
    Inputs {
        genesis: genesis(),
        validator: key("Vali").public(),
        subnet: Arc::new(subnet),
        clock,
        params: Params::clawrank(),
        preset: "clawrank".into(),
        whitelist: ["m".to_owned()].into(),
        cells: cells.into_iter().map(|cell| (cell.id(), cell)).collect(),
        seed: Some([1; 32]),
        window: EpochWindow { start_ms: END_MS - 60 * BLOCK_MS, end_ms: END_MS },
        replay_deadline_ms: 60_000,
        minute: 30_000,
        probes: Vec::new(),
        traffic: Vec::new(),
        bundles: Vec::new(),
        previous: Vec::new(),
        replays: Vec::new(),
        demand: Vec::new(),
    }
}

fn miner(i: u16) -> HotkeyId {
    key(&format!("Miner{i}")).public()
}

fn probe(i: u16, answered: bool, response_ms: u32) -> ProbeRow {
    ProbeRow {
        hotkey: miner(i),
        gateway: [1; 32],
        model: "M".into(),
        at_ms: 1,
        answered,
        response_ms,
        detail: if answered { String::new() } else { "503: busy".into() },
    }
}

fn traffic(i: u16, payer: u8, tokens: u64) -> TrafficRow {
    TrafficRow { miner: miner(i), payer: [payer; 32], minute: 29_999, tokens, fee_micro_usd: tokens }
}

/// Replays of a cell at about `ms`, as the validator would measure.
fn replays(cell: &Cell, k: u8, ms: u32) -> Vec<ReplayRow> {
    (0..k)
        .map(|i| ReplayRow {
            epoch: 5,
            cell: cell.id(),
            task_id: [i; 32],
            started_ms: END_MS,
            ttft_ms: ms,
            total_ms: ms + u32::from(i % 5),
            input_tokens: 20,
            output_tokens: 4,
            status: 0,
            schema: 0,
            answer: 0,
            cost_micro_usd: 2,
        })
        .collect()
}

/// A bundle that passed its checks: `n` attempts at `ms` on each cell.
fn bundle(i: u16, epoch: u64, cells: &[Cell], ms: u32, signal: &[&str]) -> BundleRow {
    let mut measurer = Measurer::new(key(&format!("Miner{i}")));
    for cell in cells {
        measurer.measure(cell, 40, ms, END_MS - 50 * BLOCK_MS);
    }
    if !signal.is_empty() {
        measurer.recommend("m", "chat", signal);
    }
    let bundle = measurer.bundle(epoch).bundle;
    BundleRow {
        epoch,
        hotkey: miner(i),
        root: bundle.header.root,
        count: bundle.header.count,
        block: 1_050,
        reason: 0,
        evidence: String::new(),
        summary: Summary::of(&bundle).encode(),
    }
}

fn find(report: &Report, i: u16) -> &MinerReport {
    report.miners.iter().find(|miner| miner.uid == i).unwrap()
}

#[test]
fn base_and_tokens_give_shares_when_miners_serve() {
    let mut inputs = inputs();
    for i in 1..=8 {
        inputs.probes.push(probe(i, true, 70));
        inputs.traffic.extend((1..=4).map(|payer| traffic(i, payer, 1_000 * u64::from(i))));
    }
    let report = score(&inputs).unwrap();
    let best = find(&report, 8);
    assert_eq!((best.serving.base_ppb, best.serving.payers), (1_000_000_000, 4));
    assert_eq!((best.serving.tokens, best.serving.eligible_tokens), (32_000, 32_000));
    assert!(best.serving.whitelisted && !best.serving.ghost);
    assert!(best.serving.earned.share_ppb <= 150_000_000);
    let total: u64 = report.miners.iter().map(|miner| u64::from(miner.serving.earned.share_ppb)).sum();
    assert_eq!(total, 1_000_000_000);
    let serving = &report.mechanisms[0];
    assert_eq!((serving.mecid, serving.name.as_str(), serving.uids.len()), (0, "serving", 8));
    assert!(serving.weights.contains(&65_535));
    // Nobody committed a bundle: no weights for intel, and a reason.
    assert!(report.mechanisms[1].skipped.is_some() && report.mechanisms[1].uids.is_empty());
    assert!(best.why.contains("32000 of 32000 tokens from 4 payers count"), "{}", best.why);
    assert_eq!(report.notice, None);
}

#[test]
fn ghost_has_no_share_when_its_last_probe_failed() {
    let mut inputs = inputs();
    inputs.probes = vec![probe(1, true, 70), probe(1, false, 8_000), probe(2, false, 8_000), probe(2, true, 600)];
    inputs.traffic.extend((1..=4).flat_map(|payer| [traffic(1, payer, 5_000), traffic(2, payer, 1)]));
    let report = score(&inputs).unwrap();
    let ghost = find(&report, 1);
    assert!(ghost.serving.ghost);
    assert_eq!((ghost.serving.base_ppb, ghost.serving.score), (0, 0));
    assert_eq!(ghost.serving.earned.weight, 0);
    assert!(ghost.why.contains("ghost") && ghost.why.contains("503: busy"), "{}", ghost.why);
    // Whitelist 30, answered 40, below a second 60 % of 20, one of two probes 10/2.
    assert_eq!(find(&report, 2).serving.base_ppb, 870_000_000);
    assert_eq!(report.mechanisms[0].uids, [2]);
}

#[test]
fn washer_gets_no_tokens_counted_when_it_pays_itself() {
    let mut inputs = inputs();
    for i in 1..=8 {
        inputs.probes.push(probe(i, true, 70));
        inputs.traffic.extend((1..=4).map(|payer| traffic(i, payer, 1_000)));
    }
    // A million tokens of one payer, and of two.
    inputs.traffic.retain(|row| row.miner != miner(1) && row.miner != miner(2));
    inputs.traffic.push(traffic(1, 9, 1_000_000));
    inputs.traffic.extend([traffic(2, 9, 500_000), traffic(2, 10, 500_000)]);
    let report = score(&inputs).unwrap();
    for washer in [1, 2] {
        let washer = find(&report, washer);
        assert_eq!((washer.serving.tokens, washer.serving.eligible_tokens), (1_000_000, 0));
        assert!(washer.serving.score < find(&report, 3).serving.score / 5);
        assert!(washer.serving.earned.share_ppb < find(&report, 3).serving.earned.share_ppb / 2);
        assert!(washer.why.contains("none of 1000000 tokens"), "{}", washer.why);
    }
    // Under the rules for local chains it counts, and the report says so.
    inputs.params = Params::local();
    let local = score(&inputs).unwrap();
    assert_eq!(find(&local, 1).serving.eligible_tokens, 1_000_000);
    assert!(local.notice.unwrap().contains("bought from oneself"));
}

#[test]
fn traffic_counts_for_registered_miners_of_the_window_only_when_scored() {
    let mut inputs = inputs();
    inputs.probes.push(probe(1, true, 70));
    inputs.traffic = (1..=4).map(|payer| traffic(1, payer, 10)).collect();
    inputs.traffic.push(TrafficRow { minute: 30_000 - 1_440, ..traffic(1, 5, 1_000) });
    inputs.traffic.push(TrafficRow { miner: key("Stranger").public(), ..traffic(1, 6, 1_000) });
    let report = score(&inputs).unwrap();
    assert_eq!(find(&report, 1).serving.tokens, 40);
    assert_eq!(report.miners.len(), 1);
}

#[test]
fn honest_miner_scores_when_replays_agree() {
    let mut inputs = inputs();
    let (a, b) = (cell("a", "chat"), cell("b", "chat"));
    inputs.replays = [replays(&a, 32, 100), replays(&b, 32, 100)].concat();
    inputs.bundles = vec![bundle(1, 5, &[a.clone(), b], 100, &["a", "b"]), bundle(2, 5, &[a], 100, &[])];
    let report = score(&inputs).unwrap();
    let (full, half) = (find(&report, 1), find(&report, 2));
    assert_eq!(
        (full.intel.gate, full.intel.cells_verified, full.intel.coverage_ppb),
        (GateState::Open, 2, 1_000_000_000)
    );
    assert_eq!((half.intel.cells_verified, half.intel.coverage_ppb), (1, 500_000_000));
    assert!(full.intel.score > 2 * half.intel.score, "coverage counts");
    let cell = &full.intel.cells[0];
    assert!(cell.accuracy_ppb > 950_000_000, "{cell:?}");
    // The first epoch has no earlier signal to judge.
    assert_eq!(cell.usefulness_ppb, 0);
    assert!(cell.freshness_ppb > 500_000_000);
    assert!(full.why.contains("gate open, 2 of 2 cells verified"), "{}", full.why);
}

#[test]
fn liar_trips_the_gate_when_it_halves_its_latency() {
    let mut inputs = inputs();
    let a = cell("a", "chat");
    inputs.replays = replays(&a, 32, 200);
    inputs.bundles =
        vec![bundle(1, 5, std::slice::from_ref(&a), 200, &[]), bundle(2, 5, std::slice::from_ref(&a), 100, &[])];
    let report = score(&inputs).unwrap();
    assert_eq!(find(&report, 1).intel.gate, GateState::Open);
    let liar = &find(&report, 2).intel;
    assert_eq!((liar.gate, liar.reason.as_deref()), (GateState::Tripped, Some("LatencyOutOfTolerance")));
    assert_eq!((liar.reason_code, liar.score), (8, 0));
    assert!(liar.evidence.contains("32 of 32 replays were slower"), "{}", liar.evidence);
    let verdicts = report.verdicts();
    assert_eq!(verdicts.len(), 2);
    assert!(!verdicts[0].tripped && verdicts[0].score > 0);
    assert!(verdicts[1].tripped && verdicts[1].score == 0 && verdicts[1].reason == 8);
}

#[test]
fn boaster_trips_the_gate_when_the_endpoint_fails_more_than_claimed() {
    let mut inputs = inputs();
    let a = cell("a", "chat");
    inputs.replays = replays(&a, 32, 100);
    for row in inputs.replays.iter_mut().take(20) {
        row.status = AttemptStatus::ServerError.encode()[0];
    }
    inputs.bundles = vec![bundle(1, 5, &[a], 100, &[])];
    let report = score(&inputs).unwrap();
    assert_eq!(find(&report, 1).intel.reason.as_deref(), Some("SuccessOutOfTolerance"));
}

#[test]
fn cell_stays_unverified_when_there_are_few_replays() {
    let mut inputs = inputs();
    let a = cell("a", "chat");
    inputs.replays = replays(&a, 7, 900);
    inputs.bundles = vec![bundle(1, 5, &[a], 100, &[])];
    let report = score(&inputs).unwrap();
    let miner = &find(&report, 1).intel;
    assert_eq!((miner.gate, miner.cells_covered, miner.cells_verified, miner.score), (GateState::Open, 1, 0, 0));
}

#[test]
fn signal_of_the_last_bundle_is_judged_when_endpoints_differ() {
    let mut inputs = inputs();
    let (a, b) = (cell("a", "chat"), cell("b", "chat"));
    inputs.replays = [replays(&a, 32, 100), replays(&b, 32, 400)].concat();
    inputs.bundles = (1..=3).map(|i| bundle(i, 5, std::slice::from_ref(&a), 100, &[])).collect();
    // Yesterday 1 said a, 2 said b, and 3's bundle did not pass its checks.
    let mut failed = bundle(3, 4, std::slice::from_ref(&a), 100, &["a", "b"]);
    failed.reason = 4;
    inputs.previous = vec![
        bundle(1, 4, std::slice::from_ref(&a), 100, &["a", "b"]),
        bundle(2, 4, std::slice::from_ref(&a), 100, &["b", "a"]),
        failed,
    ];
    let report = score(&inputs).unwrap();
    let usefulness = |i| find(&report, i).intel.cells[0].usefulness_ppb;
    assert_eq!((usefulness(1), usefulness(2), usefulness(3)), (1_000_000_000, 0, 0));
}

#[test]
fn failing_endpoint_is_no_choice_when_it_fails_fast() {
    let mut inputs = inputs();
    let (a, b) = (cell("a", "chat"), cell("b", "chat"));
    let mut failing = replays(&a, 32, 1);
    for row in &mut failing {
        row.status = AttemptStatus::ServerError.encode()[0];
    }
    inputs.replays = [failing, replays(&b, 32, 400)].concat();
    inputs.bundles = vec![bundle(1, 5, &[b], 400, &[])];
    inputs.previous = vec![bundle(1, 4, &[a], 100, &["a", "b"])];
    assert_eq!(find(&score(&inputs).unwrap(), 1).intel.cells[0].usefulness_ppb, 0);
}

#[test]
fn cells_weigh_by_demand_when_there_is_some() {
    let mut inputs = inputs();
    inputs.cells = [cell("a", "chat"), cell("a", "json")].into_iter().map(|cell| (cell.id(), cell)).collect();
    let demand =
        |task_type: &str, tokens| DemandCell { model: "m".into(), task_type: task_type.into(), requests: 1, tokens };
    // Two gateways saw chat.
    inputs.demand = vec![demand("chat", 300), demand("chat", 600), demand("other", 5_000)];
    inputs.replays = replays(&cell("a", "chat"), 32, 100);
    inputs.bundles = vec![bundle(1, 5, &[cell("a", "chat")], 100, &[])];
    let report = score(&inputs).unwrap();
    let miner = &find(&report, 1).intel;
    // json was asked for by nobody and is worth one token.
    assert_eq!((miner.cells[0].value, miner.coverage_ppb), (900, 998_890_122));
}

#[test]
fn mechanisms_are_blended_when_the_chain_runs_one() {
    let mut inputs = inputs();
    let a = cell("a", "chat");
    Arc::make_mut(&mut inputs.subnet).mechanism_count = 1;
    inputs.probes = (1..=8).map(|i| probe(i, true, 70)).collect();
    inputs.replays = replays(&a, 32, 100);
    inputs.bundles = vec![bundle(3, 5, &[a], 100, &[])];
    let report = score(&inputs).unwrap();
    assert_eq!(report.mechanisms.len(), 1);
    let blended = &report.mechanisms[0];
    assert_eq!((blended.mecid, blended.name.as_str(), blended.uids.len()), (0, "blended", 8));
    let share = |i| find(&report, i).blended.unwrap().share_ppb;
    // Half of the emission is intel's, all of it uid 3's; the cap holds.
    assert_eq!(share(3), 150_000_000);
    assert!(share(1) > 100_000_000 && share(1).abs_diff(share(8)) <= 1);
    let shares: u64 = (1..=8).map(|i| u64::from(share(i))).sum();
    assert_eq!(shares, 1_000_000_000);
}

#[test]
fn no_weights_are_made_when_nobody_has_a_score() {
    let report = score(&inputs()).unwrap();
    assert!(report.miners.is_empty());
    for mechanism in &report.mechanisms {
        assert!(mechanism.uids.is_empty() && mechanism.skipped.is_some());
    }
}

#[test]
fn report_is_the_same_byte_for_byte_when_made_again() {
    let mut inputs = inputs();
    let (a, b) = (cell("a", "chat"), cell("b", "chat"));
    inputs.replays = [replays(&a, 32, 100), replays(&b, 32, 300)].concat();
    for i in 1..=8 {
        inputs.probes.push(probe(i, i != 4, u32::from(i) * 90));
        inputs.traffic.extend((1..=5).map(|payer| traffic(i, payer, 777 * u64::from(i) * u64::from(payer))));
        inputs.bundles.push(bundle(i, 5, &[a.clone(), b.clone()], 100 + u32::from(i), &["a", "b"]));
        inputs.previous.push(bundle(i, 4, std::slice::from_ref(&a), 100, &["b", "a"]));
    }
    let first = serde_json::to_string(&score(&inputs).unwrap()).unwrap();
    // Rows in another order, as another database might give them.
    inputs.replays.reverse();
    inputs.traffic.reverse();
    inputs.bundles.reverse();
    inputs.previous.reverse();
    let second = serde_json::to_string(&score(&inputs).unwrap()).unwrap();
    assert_eq!(first, second);
    let back: Report = serde_json::from_str(&first).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), first);
}

#[test]
fn older_rule_saturates_when_it_is_chosen() {
    let mut inputs = inputs();
    inputs.params = Params::tensorclaw_v1();
    inputs.probes = vec![probe(1, true, 70), probe(2, true, 70)];
    inputs.traffic = vec![traffic(1, 1, 700_000), traffic(2, 1, 70_000_000)];
    let report = score(&inputs).unwrap();
    assert_eq!(find(&report, 1).serving.score, find(&report, 2).serving.score);
    assert!(report.notice.unwrap().contains("tensorclaw-v1"));
}
