// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::testing::snapshot;

fn clock(change: impl FnOnce(&mut SubnetSnapshot)) -> Option<EpochClock> {
    let mut snapshot = snapshot(1_000, 0);
    snapshot.tempo = 360;
    snapshot.last_epoch_block = 1_000;
    snapshot.epoch_index = 7;
    change(&mut snapshot);
    EpochClock::at(&snapshot, &Schedule::from(&Config::default()))
}

#[test]
fn clock_splits_the_tempo_when_nothing_is_pending() {
    let expected = EpochClock {
        epoch: 7,
        start_block: 1_000,
        deadline_block: 1_216,
        seed_block: 1_217,
        decides_block: 1_224,
        replay_until_block: 1_288,
        commit_by_block: 1_324,
        next_epoch_block: 1_360,
    };
    assert_eq!(clock(|_| {}), Some(expected));
}

#[test]
fn clock_has_no_epoch_when_the_tempo_is_zero() {
    assert_eq!(clock(|s| s.tempo = 0), None);
}

#[test]
fn clock_ends_early_when_an_epoch_is_triggered() {
    let clock = clock(|s| s.pending_epoch_at = 1_300).unwrap();
    assert_eq!((clock.deadline_block, clock.next_epoch_block), (1_216, 1_300));
    assert_eq!((clock.replay_until_block, clock.commit_by_block), (1_288, 1_298));
    assert!(clock.is_open_at(1_298));
    assert!(!clock.is_open_at(1_299));
}

#[test]
fn clock_moves_when_the_tempo_changes() {
    // The chain restarts the epoch at the block of the change and keeps its index.
    let clock = clock(|s| {
        s.tempo = 720;
        s.last_epoch_block = 1_100;
    })
    .unwrap();
    assert_eq!((clock.epoch, clock.deadline_block, clock.next_epoch_block), (7, 1_532, 1_820));
}

#[test]
fn clock_is_closed_when_the_epoch_is_deferred() {
    // Due at 1,360, deferred to 1,361: the chain already counts to the next epoch.
    let clock = clock(|s| s.pending_epoch_at = 1_361).unwrap();
    assert_eq!(clock.next_epoch_block, 1_360);
    assert!(!clock.is_open_at(1_360));
    assert!(clock.is_open_at(1_358));
}

#[test]
fn clock_keeps_its_order_when_the_tempo_is_short() {
    let clock = clock(|s| s.tempo = 10).unwrap();
    assert_eq!((clock.deadline_block, clock.replay_until_block), (1_006, 1_007));
    assert_eq!((clock.commit_by_block, clock.next_epoch_block), (1_008, 1_010));
}
