// SPDX-License-Identifier: Apache-2.0

//! Opening, committing, drawing.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};

fn commit(uid: u16, epoch: u64) -> frame_support::dispatch::DispatchResult {
    ProviderRank::commit_bundle(signed(uid), NETUID, epoch, root(uid), 10)
}

#[test]
fn epoch_opens_with_its_deadline_when_the_subnet_steps() {
    build_and_execute(|| {
        let state = |start| EpochState {
            start,
            deadline: start + 6,
            decides: start + 7,
            round: None,
            seed: None,
            bundles: 0,
            reports: 0,
            settled: false,
        };
        assert_eq!(ProviderRank::running_epoch(NETUID), Some((0, state(0))));
        run_to(10);
        assert_eq!(ProviderRank::running_epoch(NETUID), Some((1, state(10))));
        assert!(events().contains(&Event::EpochOpened { netuid: NETUID, epoch: 1, deadline: 16 }));
        assert_eq!(ProviderRank::running_epoch(NetUid(1)), None);
    });
}

#[test]
fn deadline_is_rounded_down_when_the_window_is_no_whole_block() {
    build_and_execute(|| {
        assert_ok!(SubtensorModule::do_set_tempo(NETUID, 7));
        run_to(8);
        // 60 % of 7 is 4.2.
        assert_eq!(ProviderRank::running_epoch(NETUID).unwrap().1.deadline, 8 + 4);
    });
}

#[test]
fn bundle_is_stored_when_it_comes_in_time() {
    build_and_execute(|| {
        assert_ok!(commit(MINER, 0));
        let bundle = Bundle { uid: MINER, root: root(MINER), count: 10, block: 1 };
        assert_eq!(ProviderRank::bundle_of(NETUID, 0, hot(MINER)), Some(bundle));
        assert_eq!(
            events().pop(),
            Some(Event::BundleCommitted { netuid: NETUID, epoch: 0, hotkey: hot(MINER), root: root(MINER), count: 10 })
        );
        assert_ok!(commit(MINER + 1, 0));
        assert_eq!(ProviderRank::epoch_state(NETUID, 0).unwrap().bundles, 2);
        assert_eq!(ProviderRank::bundles_of(NETUID, 0).len(), 2);
    });
}

#[test]
fn bundle_replaces_the_last_one_when_the_deadline_has_not_passed() {
    build_and_execute(|| {
        assert_ok!(commit(MINER, 0));
        run_to(6);
        assert_ok!(ProviderRank::commit_bundle(signed(MINER), NETUID, 0, root(99), 5));
        let bundle = Bundle { uid: MINER, root: root(99), count: 5, block: 6 };
        assert_eq!(ProviderRank::bundle_of(NETUID, 0, hot(MINER)), Some(bundle));
        assert_eq!(ProviderRank::epoch_state(NETUID, 0).unwrap().bundles, 1);
    });
}

#[test]
fn bundle_is_refused_when_a_check_fails() {
    build_and_execute(|| {
        let call = |uid, netuid, epoch, root, count| {
            ProviderRank::commit_bundle(signed(uid), NetUid(netuid), epoch, root, count)
        };
        assert_noop!(call(99, 92, 0, root(1), 1), Error::<Test>::NotRegistered);
        assert_noop!(call(MINER, 91, 0, root(1), 1), Error::<Test>::NotRegistered);
        assert_noop!(call(MINER, 92, 1, root(1), 1), Error::<Test>::NotRunningEpoch);
        assert_noop!(call(MINER, 92, 0, root(1), 0), Error::<Test>::EmptyBundle);
        assert_noop!(call(MINER, 92, 0, H256::zero(), 1), Error::<Test>::EmptyBundle);
        assert_noop!(call(MINER, 92, 0, root(1), 1_001), Error::<Test>::TooManyAttempts);
        MaxBundles::set(1);
        assert_ok!(call(MINER, 92, 0, root(1), 1_000));
        assert_noop!(call(MINER + 1, 92, 0, root(1), 1), Error::<Test>::TooManyBundles);
        assert_ok!(call(MINER, 92, 0, root(2), 1));
        run_to(7);
        assert_noop!(call(MINER, 92, 0, root(1), 1), Error::<Test>::DeadlinePassed);
        run_to(10);
        assert_noop!(call(MINER, 92, 0, root(1), 1), Error::<Test>::NotRunningEpoch);
        assert_ok!(call(MINER, 92, 1, root(1), 1));
        RunningEpoch::<Test>::remove(NETUID);
        assert_noop!(call(MINER, 92, 1, root(1), 1), Error::<Test>::SubnetNotTracked);
        RunningEpoch::<Test>::insert(NETUID, 1);
    });
}

#[test]
fn challenge_is_the_hash_of_the_block_after_the_deadline_when_it_is_drawn() {
    build_and_execute(|| {
        run_to(7);
        assert_eq!(ProviderRank::epoch_state(NETUID, 0).unwrap().seed, None);
        run_to(8);
        let seed = hash_of(7);
        assert_eq!(ProviderRank::epoch_state(NETUID, 0).unwrap().seed, Some(seed));
        assert!(events().contains(&Event::ChallengeDrawn { netuid: NETUID, epoch: 0, seed }));
        run_to(18);
        assert_eq!(ProviderRank::epoch_state(NETUID, 0).unwrap().seed, Some(seed));
        assert_eq!(ProviderRank::epoch_state(NETUID, 1).unwrap().seed, Some(hash_of(17)));
    });
}

/// With a tempo of 100: the deadline is block 60, block 61 gives the time, block 63 is the last that may store the round.
fn slow(test: impl FnOnce()) {
    let (mut subnets, config) = genesis();
    subnets.subnets[0].hyperparameters.tempo = Some(100);
    build_with((subnets, config), test);
}

fn seed() -> Option<H256> {
    ProviderRank::epoch_state(NETUID, 0).unwrap().seed
}

#[test]
fn challenge_is_the_beacons_when_its_round_is_stored_in_time() {
    slow(|| {
        run_to(62);
        let round = round_after(61);
        assert_eq!(ProviderRank::epoch_state(NETUID, 0).unwrap().round, Some(round));
        // Another round, known before the deadline or later, changes nothing.
        publish(round - 1);
        publish(round + 1);
        run_to(63);
        let randomness = publish(round);
        assert_eq!(seed(), None);
        run_to(64);
        assert_eq!(seed(), Some(randomness));
        assert!(events().contains(&Event::ChallengeDrawn { netuid: NETUID, epoch: 0, seed: randomness }));
        Rounds::take();
        run_to(70);
        assert_eq!(seed(), Some(randomness));
    });
}

#[test]
fn challenge_is_the_hash_when_the_round_comes_too_late() {
    slow(|| {
        run_to(64);
        publish(round_after(61));
        assert_eq!(seed(), Some(hash_of(61)));
        run_to(65);
        assert_eq!(seed(), Some(hash_of(61)));
    });
}

#[test]
fn challenge_is_the_hash_when_there_is_no_beacon() {
    slow(|| {
        HasBeacon::set(false);
        publish(round_after(61));
        run_to(64);
        assert_eq!(ProviderRank::epoch_state(NETUID, 0).unwrap().round, None);
        assert_eq!(seed(), Some(hash_of(61)));
    });
}

#[test]
fn challenge_is_drawn_all_the_same_when_the_epoch_was_cut_short() {
    build_and_execute(|| {
        run_to(2);
        pallet_subtensor::PendingEpochAt::<Test>::insert(NETUID, 4);
        run_to(4);
        assert_eq!(ProviderRank::running_epoch(NETUID).unwrap().0, 1);
        run_to(8);
        assert_eq!(ProviderRank::epoch_state(NETUID, 0).unwrap().seed, Some(hash_of(7)));
        // Settled after the window of epoch 1, which began in block 4.
        run_to(10);
        assert!(!ProviderRank::epoch_state(NETUID, 0).unwrap().settled);
        run_to(11);
        assert!(ProviderRank::epoch_state(NETUID, 0).unwrap().settled);
    });
}
