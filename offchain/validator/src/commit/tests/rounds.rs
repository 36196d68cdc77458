// SPDX-License-Identifier: Apache-2.0
//! Which round, and whether it still is the right one.

use clawrank_client::types::Beacon;
use proptest::prelude::*;

use super::{
    round::{self, Misfit, RevealPlan, Unplannable, misfit, published_ms, time_of_block},
    *,
};

/// The plan for a commit that gets into the next block.
fn plan(subnet: &SubnetSnapshot, beacon: &Beacon) -> Result<RevealPlan, Unplannable> {
    round::plan(subnet, beacon, subnet.epoch_state().epoch_at(subnet.head.number + 1))
}

/// The public beacon, as the public chain would have it at `now_ms`.
fn quicknet(now_ms: u64) -> Beacon {
    let params = clawrank_timelock::QUICKNET;
    let last_stored_round = params.round_at(now_ms);
    Beacon {
        public_key: params.public_key,
        genesis_time: params.genesis_time,
        period: params.period,
        last_stored_round,
    }
}

const NOW_MS: u64 = 1_790_000_000_000;

fn subnet(head: u64, last: u64, pending: u64, tempo: u16) -> SubnetSnapshot {
    let mut subnet = snapshot(head, 1);
    (subnet.tempo, subnet.last_epoch_block, subnet.pending_epoch_at) = (tempo, last, pending);
    (subnet.block_time_ms, subnet.head.timestamp_ms) = (12_000, NOW_MS);
    subnet
}

#[test]
fn plan_is_that_of_the_public_schedule_vectors_when_committed_now() {
    let beacon = quicknet(NOW_MS);
    let first = |subnet: &SubnetSnapshot| plan(subnet, &beacon).map(|plan| plan.first_block);
    assert_eq!(first(&subnet(10, 10, 0, 0)), Err(Unplannable::NoSchedule { tempo: 0, period: 1 }));
    assert_eq!(first(&subnet(10, 10, 0, 50)), Ok(60));
    assert_eq!(first(&subnet(91, 80, 95, 20)), Ok(95));
}

#[test]
fn plan_aims_three_blocks_into_the_reveal_epoch_when_blocks_are_long() {
    let beacon = quicknet(NOW_MS);
    let found = plan(&subnet(1_300, 1_000, 0, 360), &beacon).unwrap();
    // 63 blocks of 12 s from now, in whole periods of 3 s since genesis, rounded down.
    let round = (NOW_MS / 1_000 + 63 * 12 - 1_692_803_367) / 3;
    let expected = RevealPlan {
        commit_epoch: 5,
        first_block: 1_360,
        end_block: 1_720,
        round,
        published_ms: published_ms(&beacon, round),
    };
    assert_eq!(found, expected);
    assert!(found.published_ms > time_of_block(&subnet(1_300, 1_000, 0, 360), 1_360));
}

#[test]
fn plan_never_lets_weights_out_early_when_blocks_are_short() {
    // The local chain's 250 ms: three blocks are less than a period, so the formula alone would be too early.
    let beacon = Beacon { public_key: [0; 96], genesis_time: 1_789_999_000, period: 3, last_stored_round: 334 };
    let mut fast = subnet(1_020, 1_000, 0, 100);
    fast.block_time_ms = 250;
    let found = plan(&fast, &beacon).unwrap();
    assert!(found.published_ms >= time_of_block(&fast, found.first_block));
    assert!(found.published_ms <= time_of_block(&fast, found.end_block));
    fast.tempo = 4;
    fast.last_epoch_block = 1_018;
    assert!(matches!(plan(&fast, &beacon), Err(Unplannable::TooShort { tempo: 4, .. })));
}

#[test]
fn plan_is_refused_when_the_chain_lags_behind_its_beacon() {
    let late = quicknet(NOW_MS + 3_600_000);
    assert!(matches!(plan(&subnet(1_300, 1_000, 0, 360), &late), Err(Unplannable::Passed { .. })));
    let broken = Beacon { period: 0, ..quicknet(NOW_MS) };
    assert!(matches!(plan(&subnet(1_300, 1_000, 0, 360), &broken), Err(Unplannable::BadBeacon { period: 0, .. })));
}

#[test]
fn misfit_is_found_when_the_epoch_moves() {
    let beacon = quicknet(NOW_MS);
    let before = subnet(1_300, 1_000, 0, 360);
    let round = plan(&before, &beacon).unwrap().round;
    assert_eq!(misfit(&before, &beacon, 5, round), None);
    // The owner doubles the tempo, which also begins the epoch anew: the round is public long before its end.
    let longer = subnet(1_300, 1_300, 0, 720);
    let found = misfit(&longer, &beacon, 5, round).unwrap();
    assert!(matches!(found, Misfit::TooEarly { epoch: 6, block: 2_020, .. }), "{found}");
    // The epoch is brought forward and the tempo cut to the least: the next one ends before the round.
    let mut shorter = subnet(1_300, 1_000, 1_302, 360);
    shorter.tempo = 20;
    shorter.last_epoch_block = 1_300;
    let found = misfit(&shorter, &beacon, 5, round).unwrap();
    assert!(matches!(found, Misfit::TooLate { epoch: 6, .. }), "{found}");
    // Put off by one block: within what an estimate may be off.
    assert_eq!(misfit(&subnet(1_300, 1_000, 0, 361), &beacon, 5, round), None);
}

proptest! {
    /// Whatever the schedule: the round is public in the reveal epoch, and nothing is wrong with it right away.
    #[test]
    fn plan_fits_its_epoch_when_the_schedule_is_any(
        ahead in 0u64..360,
        tempo in 20u16..2_000,
        pending in prop_oneof![Just(0u64), 1_000u64..1_500],
        period in 1u64..5,
        block_time_ms in prop_oneof![Just(12_000u64), 3_000u64..20_000],
    ) {
        let mut subnet = subnet(1_000 + ahead, 1_000, pending, tempo);
        (subnet.reveal_period_epochs, subnet.block_time_ms) = (period, block_time_ms);
        let beacon = quicknet(NOW_MS);
        let plan = plan(&subnet, &beacon).unwrap();
        prop_assert!(plan.published_ms >= time_of_block(&subnet, plan.first_block));
        prop_assert!(plan.published_ms < time_of_block(&subnet, plan.end_block));
        prop_assert_eq!(misfit(&subnet, &beacon, plan.commit_epoch, plan.round), None);
    }
}

/// Rounds that the public SDK chose, by schedule and time: see `source` in the file.
#[derive(serde::Deserialize)]
struct Recorded {
    states: Vec<RecordedState>,
}

#[derive(serde::Deserialize)]
struct RecordedState {
    case: String,
    tempo: u16,
    last_epoch_block: u64,
    pending_epoch_at: u64,
    subnet_epoch_index: u64,
    blocks_since_last_step: u64,
    current_block: u64,
    subnet_reveal_period_epochs: u64,
    block_time_ms: u64,
    before: Chosen,
    after: Chosen,
}

#[derive(serde::Deserialize)]
struct Chosen {
    now_ms: u64,
    round: u64,
}

#[test]
fn plan_is_the_public_sdks_when_schedule_and_time_are_recorded_ones() {
    let recorded: Recorded = serde_json::from_str(include_str!("rounds.json")).unwrap();
    let (mut equal, mut later) = (0, 0);
    for state in &recorded.states {
        for chosen in [&state.before, &state.after] {
            let mut subnet = subnet(state.current_block, state.last_epoch_block, state.pending_epoch_at, state.tempo);
            (subnet.epoch_index, subnet.blocks_since_last_step) =
                (state.subnet_epoch_index, state.blocks_since_last_step);
            (subnet.reveal_period_epochs, subnet.block_time_ms) =
                (state.subnet_reveal_period_epochs, state.block_time_ms);
            subnet.head.timestamp_ms = chosen.now_ms;
            let beacon = quicknet(chosen.now_ms);
            let name = format!("{}, blocks of {} ms, at {} ms", state.case, state.block_time_ms, chosen.now_ms);
            let plan = plan(&subnet, &beacon).unwrap_or_else(|error| panic!("{name}: {error}"));
            if plan.round == chosen.round {
                equal += 1;
                continue;
            }
            // Only where the SDK's round is public before the weights can be revealed: the first that is not.
            let opens = time_of_block(&subnet, plan.first_block);
            assert!(published_ms(&beacon, chosen.round) < opens, "{name}: {} {}", plan.round, chosen.round);
            assert!(published_ms(&beacon, plan.round - 1) < opens, "{name}");
            assert!(published_ms(&beacon, plan.round) >= opens, "{name}");
            assert!(state.block_time_ms <= 1_000, "{name}");
            later += 1;
        }
    }
    assert_eq!((equal, later), (40, 20));
}
