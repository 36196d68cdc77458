// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use proptest::prelude::*;

use super::*;

fn state(last: u64, pending: u64, tempo: u16) -> EpochState {
    EpochState { tempo, last_epoch_block: last, pending_epoch_at: pending, ..EpochState::default() }
}

/// The first reveal block, block by block as the public SDK's simulation goes.
fn slow(mut state: EpochState, head: u64, epoch: u64) -> u64 {
    let mut block = head + 1;
    while state.epoch_at(block) < epoch {
        state.step(block, true);
        block += 1;
    }
    block
}

#[test]
fn next_epoch_block_is_that_of_the_public_vectors_when_state_is_set() {
    assert_eq!(state(10, 0, 0).next_epoch_block(), None);
    assert_eq!(state(10, 0, 50).next_epoch_block(), Some(60));
    assert_eq!(state(80, 95, 20).next_epoch_block(), Some(95));
}

#[test]
fn first_reveal_block_is_that_of_the_public_vectors_when_committed_now() {
    assert_eq!(state(10, 0, 0).first_reveal_block(10, 1), None);
    assert_eq!(state(10, 0, 50).first_reveal_block(10, 1), Some(60));
    assert_eq!(state(80, 95, 20).first_reveal_block(91, 1), Some(95));
    // Two commits of one epoch of the public chain, 251 blocks apart, are revealed in the same block.
    let live = EpochState { blocks_since_last_step: 48, epoch_index: 25_016, ..state(9_029_149, 0, 360) };
    assert_eq!(live.first_reveal_block(9_029_197, 1), Some(9_029_509));
    assert_eq!(live.first_reveal_block(9_029_448, 1), Some(9_029_509));
}

#[test]
fn first_reveal_block_is_in_the_epoch_after_next_when_the_commit_lands_late() {
    // Head 59: the commit gets into block 60, which already counts to the next epoch.
    assert_eq!(state(10, 0, 50).first_reveal_block(58, 1), Some(60));
    assert_eq!(state(10, 0, 50).first_reveal_block(59, 1), Some(110));
    assert_eq!(state(10, 0, 50).first_reveal_block(20, 3), Some(160));
}

#[test]
fn epoch_is_due_when_any_of_three_conditions_holds() {
    assert!(!state(10, 0, 50).is_due(59));
    assert!(state(10, 0, 50).is_due(60));
    assert!(state(10, 30, 50).is_due(30));
    assert!(!state(10, 30, 50).is_due(29));
    assert!(!state(10, 30, 0).is_due(u64::MAX));
    let counted = |blocks_since_last_step| EpochState { blocks_since_last_step, ..state(100, 0, 50) };
    assert!(!counted(MAX_BLOCKS_SINCE_STEP).is_due(101));
    assert!(counted(MAX_BLOCKS_SINCE_STEP + 1).is_due(101));
}

#[test]
fn step_puts_an_epoch_off_when_it_may_not_run() {
    let mut schedule = state(10, 0, 50);
    assert_eq!(schedule.step(59, true), Step::Idle);
    assert_eq!(schedule.step(60, false), Step::Deferred);
    assert_eq!((schedule.pending_epoch_at, schedule.epoch_index, schedule.epoch_at(60)), (61, 0, 1));
    assert_eq!(schedule.step(61, true), Step::Ran);
    assert_eq!(schedule, EpochState { epoch_index: 1, ..state(61, 0, 50) });
    assert_eq!((schedule.epoch_at(61), schedule.epoch_at(111)), (1, 2));
}

#[test]
fn first_block_of_an_epoch_is_unknown_when_it_is_out_of_reach() {
    assert_eq!(state(10, 0, 50).first_block_of(20, MAX_EPOCHS_AHEAD + 1), None);
    assert_eq!(state(10, 0, 50).first_block_of(20, MAX_EPOCHS_AHEAD), Some(10 + 50 * MAX_EPOCHS_AHEAD));
    assert_eq!(state(10, 0, 50).first_block_of(20, 0), Some(21));
    assert_eq!(state(u64::MAX - 5, 0, 50).first_block_of(u64::MAX - 2, 3), None);
}

#[test]
fn part_of_tempo_rounds_down_when_it_does_not_divide() {
    assert_eq!(part_of_tempo(360, Ppb::from_percent(60)), 216);
    assert_eq!(part_of_tempo(11, Ppb::from_percent(60)), 6);
    assert_eq!(part_of_tempo(u16::MAX, Ppb::ONE), u64::from(u16::MAX));
    assert_eq!(part_of_tempo(0, Ppb::ONE), 0);
}

#[test]
fn challenge_waits_for_the_beacon_when_the_tempo_leaves_time() {
    assert_eq!([0, 10, 49, 50, 100, 360, 500, u16::MAX].map(beacon_wait), [0, 0, 0, 1, 2, 7, 10, 10]);
}

proptest! {
    #[test]
    fn first_block_equals_the_slow_search_when_state_is_any(
        last in 0u64..500,
        ahead in 0u64..300,
        pending in prop_oneof![Just(0u64), 1u64..900],
        since in prop_oneof![0u64..400, 50_300u64..50_500],
        tempo in prop_oneof![1u16..120, Just(u16::MAX)],
        index in 0u64..5,
        more in 0u64..4,
    ) {
        let state = EpochState {
            tempo,
            last_epoch_block: last,
            pending_epoch_at: pending,
            epoch_index: index,
            blocks_since_last_step: since,
        };
        let head = last + ahead;
        prop_assert_eq!(state.first_block_of(head, index + more), Some(slow(state, head, index + more)));
    }
}
