// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{SnapshotBuilder, Support};

fn candidate(session: u64) -> Candidate {
    Candidate {
        target: Target::Miner(session),
        context_tokens: 8_192,
        price_in_micro_usd_per_mtok: 50_000,
        price_out_micro_usd_per_mtok: 100_000,
        latency: Latency { ewma_ms: 200, p50_ms: 190, p95_ms: 400, p99_ms: 600 },
        error_ppm: 0,
        in_flight: 0,
        limit: 4,
        online: true,
        quality: Ppb::ONE,
        fallback: false,
        support: Support::ALL,
    }
}

fn features(affinity: u64) -> Features<'static> {
    Features { model: "m", stream: false, input_tokens: 100, max_tokens: 100, needs: Needs::default(), affinity }
}

fn snapshot(candidates: &[Candidate]) -> Snapshot {
    let mut builder = SnapshotBuilder::default();
    let model = Arc::from("m");
    for candidate in candidates {
        builder.push(&model, *candidate);
    }
    builder.build()
}

fn order(candidates: &[Candidate], affinity: u64) -> Vec<Target> {
    let mut buf = PlanBuf::default();
    plan(&features(affinity), &snapshot(candidates), &mut buf).attempts().map(|planned| planned.target).collect()
}

/// `worse` must come after the plain candidate for every conversation.
fn check_worse(worse: Candidate) {
    for affinity in 0..50 {
        assert_eq!(
            order(&[Candidate { target: Target::Miner(9), ..worse }, candidate(1)], affinity)[0],
            Target::Miner(1)
        );
    }
}

fn why(candidates: &[Candidate]) -> Option<NoPlan> {
    plan(&features(0), &snapshot(candidates), &mut PlanBuf::default()).empty_because()
}

#[test]
fn candidate_comes_later_when_slower_busier_failing_dearer_worse_or_a_fallback() {
    let base = candidate(9);
    check_worse(Candidate { latency: Latency { ewma_ms: 300, ..base.latency }, ..base });
    check_worse(Candidate { latency: Latency { p50_ms: 390, ..base.latency }, ..base });
    check_worse(Candidate { latency: Latency { p95_ms: 2_000, ..base.latency }, ..base });
    check_worse(Candidate { latency: Latency { p99_ms: 2_000, ..base.latency }, ..base });
    check_worse(Candidate { in_flight: 3, ..base });
    check_worse(Candidate { error_ppm: 100_000, ..base });
    check_worse(Candidate { price_out_micro_usd_per_mtok: 50_000_000, ..base });
    check_worse(Candidate { quality: Ppb::from_ppb(500_000_000).unwrap(), ..base });
    check_worse(Candidate { fallback: true, latency: Latency { ewma_ms: 1, p50_ms: 1, p95_ms: 1, p99_ms: 1 }, ..base });
    check_worse(Candidate { latency: Latency::default(), ..base });
}

#[test]
fn plan_is_empty_with_the_reason_when_nobody_can_serve() {
    let mut buf = PlanBuf::default();
    let unknown = Features { model: "x", ..features(0) };
    assert_eq!(plan(&unknown, &snapshot(&[]), &mut buf).empty_because(), Some(NoPlan::UnknownModel));
    assert_eq!(why(&[Candidate { online: false, ..candidate(1) }]), Some(NoPlan::Offline));
    assert_eq!(why(&[Candidate { context_tokens: 199, ..candidate(1) }]), Some(NoPlan::TooLong(199)));
    assert_eq!(why(&[Candidate { in_flight: 4, ..candidate(1) }]), Some(NoPlan::Busy));
    assert_eq!(why(&[candidate(1)]), None);
    let tools = Features { needs: Needs { tools: true, ..Needs::default() }, ..features(0) };
    let none = Support { tools: false, ..Support::ALL };
    let snapshot = snapshot(&[Candidate { support: none, ..candidate(1) }]);
    assert_eq!(plan(&tools, &snapshot, &mut buf).empty_because(), Some(NoPlan::Unsupported(tools.needs)));
}

#[test]
fn request_goes_only_to_those_who_can_when_it_needs_more_than_text() {
    let (tools, vision) = (Needs { tools: true, ..Needs::default() }, Needs { vision: true, ..Needs::default() });
    let both = Needs { tools: true, vision: true, json: false };
    let with = |session, lacking| Candidate { support: Support::without(lacking), ..candidate(session) };
    let planned = |candidates: &[Candidate], needs| {
        let mut buf = PlanBuf::default();
        let plan = plan(&Features { needs, ..features(0) }, &snapshot(candidates), &mut buf).clone();
        let mut targets: Vec<Target> = plan.attempts().map(|planned| planned.target).collect();
        targets.sort_unstable();
        (targets, plan.empty_because())
    };
    let all = [with(1, tools), with(2, vision), with(3, Needs::default())];
    assert_eq!(planned(&all, Needs::default()).0, [Target::Miner(1), Target::Miner(2), Target::Miner(3)]);
    assert_eq!(planned(&all, tools).0, [Target::Miner(2), Target::Miner(3)]);
    assert_eq!(planned(&all, both).0, [Target::Miner(3)]);
    // Each alone is found, both at once are not; then one is found nowhere.
    assert_eq!(planned(&all[..2], both), (vec![], Some(NoPlan::Unsupported(both))));
    assert_eq!(planned(&all[..1], both), (vec![], Some(NoPlan::Unsupported(tools))));
    let offline = Candidate { online: false, ..all[2] };
    assert_eq!(planned(&[all[0], offline], both), (vec![], Some(NoPlan::Unsupported(tools))));
}

#[test]
fn equals_share_the_traffic_and_a_conversation_stays_when_planned_again() {
    let equals: Vec<_> = (0..4).map(candidate).collect();
    let mut first = [0u32; 4];
    for affinity in 0..4_000u64 {
        let chosen = order(&equals, affinity)[0];
        assert_eq!(chosen, order(&equals, affinity)[0]);
        if let Target::Miner(session) = chosen {
            first[session as usize] += 1;
        }
    }
    assert!(first.iter().all(|n| (850..=1_150).contains(n)), "{first:?}");
}

#[test]
fn bucket_steps_are_at_most_an_eighth_when_costs_grow() {
    for cost in [0, 1, 15, 16, 17, 1_000, 123_456, u64::MAX] {
        assert!(bucket(cost) <= cost && cost - bucket(cost) <= cost / 8, "{cost}");
    }
}

proptest! {
    #[test]
    fn plan_holds_the_best_in_order_when_there_are_many(
        latencies in proptest::collection::vec((1u32..5_000, any::<bool>(), 0u32..6), 0..40),
        affinity in any::<u64>(),
    ) {
        let candidates: Vec<_> = latencies
            .iter()
            .enumerate()
            .map(|(index, (ms, online, in_flight))| Candidate {
                latency: Latency { ewma_ms: *ms, p50_ms: *ms, p95_ms: *ms, p99_ms: *ms },
                online: *online,
                in_flight: *in_flight,
                ..candidate(index as u64)
            })
            .collect();
        let snapshot = snapshot(&candidates);
        let mut buf = PlanBuf::default();
        let plan = plan(&features(affinity), &snapshot, &mut buf);
        let eligible = candidates.iter().filter(|c| c.online && c.in_flight < c.limit).count();
        prop_assert_eq!(plan.len(), eligible.min(MAX_PLANNED));
        prop_assert_eq!(plan.attempts().count(), plan.len());
        let ranks: Vec<_> = plan.attempts().map(|p| p.rank).collect();
        prop_assert!(ranks.is_sorted());
        // Nobody left out is clearly better than the last one held.
        if let (true, Some(last)) = (eligible > MAX_PLANNED, ranks.last()) {
            let better = candidates
                .iter()
                .filter(|c| c.online && c.in_flight < c.limit)
                .filter(|c| (c.fallback, bucket(cost_us(c, &features(affinity), &Weights::default()))) < (last.0, last.1))
                .count();
            prop_assert!(better < MAX_PLANNED);
        }
    }
}
