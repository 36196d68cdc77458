// SPDX-License-Identifier: Apache-2.0

//! Opening timelocked weights.

use super::mock::*;
use crate::*;
use clawrank_timelock::WeightsPayload;
use frame_support::assert_ok;
use proptest::prelude::*;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

const INDEX: NetUidStorageIndex = NetUidStorageIndex(92);

fn payload(number: u16, weights: &[(u16, u16)]) -> WeightsPayload {
    let (uids, values) = weights.iter().copied().unzip();
    WeightsPayload { hotkey: hot(number).into(), uids, values, version_key: 0 }
}

fn lock(round: u64, plain: &[u8]) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(round);
    clawrank_timelock::encrypt(&beacon().public_key(), round, plain, &mut rng).unwrap()
}

fn submit(number: u16, mecid: u8, commit: Vec<u8>, round: u64) {
    assert_ok!(SubtensorModule::commit_timelocked_mechanism_weights(
        signed(number),
        NETUID,
        MechId(mecid),
        commit.try_into().unwrap(),
        round,
        4
    ));
}

/// Commits `weights` to `round`.
fn commit(number: u16, round: u64, weights: &[(u16, u16)]) {
    submit(number, 0, lock(round, &payload(number, weights).encode()), round);
}

fn waiting(epoch: u64) -> usize {
    TimelockedWeightCommits::<Test>::get(INDEX, epoch).len()
}

fn revealed() -> Vec<Event<Test>> {
    events().into_iter().filter(|event| matches!(event, Event::TimelockedWeightsRevealed(..))).collect()
}

/// The default subnet without a rate limit.
fn open() -> Ext {
    Ext::with(|parameters| parameters.weights_set_rate_limit = Some(0))
}

#[test]
fn weights_come_into_force_before_the_epoch_when_the_pulse_is_there() {
    Ext::default().build_and_execute(|| {
        run_to(4);
        commit(ALICE, 7, &[(3, 1), (4, 2)]);
        publish(7);
        run_to(9);
        assert_eq!((weights_of(0, ALICE), waiting(0)), (vec![], 1));
        run_to(10);
        assert_eq!(weights_of(0, ALICE), [(3, 32_768), (4, 65_535)]);
        assert_eq!(waiting(0), 0);
        assert!(!TimelockedWeightCommits::<Test>::contains_key(INDEX, 0));
        let seen = events();
        let place = |wanted: &Event<Test>| seen.iter().position(|event| event == wanted).unwrap();
        let set = place(&Event::WeightsSet(INDEX, ALICE));
        assert_eq!(place(&Event::TimelockedWeightsRevealed(INDEX, hot(ALICE))), set + 1);
        let paid = seen.iter().position(|event| matches!(event, Event::IncentiveAlphaEmittedToMiners { .. }));
        assert!(paid.unwrap() > set);
        // The epoch of the same block paid by them.
        assert!(TotalHotkeyAlpha::<Test>::get(hot(4), NETUID).0 > 0);
        // The update was the commit's.
        assert_eq!(LastUpdate::<Test>::get(INDEX)[usize::from(ALICE)], 4);
    });
}

#[test]
fn commit_is_tried_in_every_block_of_its_epoch_when_the_pulse_is_missing() {
    Ext::default().build_and_execute(|| {
        commit(ALICE, 7, &[(3, 1)]);
        commit(BOB, 8, &[(4, 1)]);
        publish(6);
        run_to(13);
        assert_eq!(waiting(0), 2);
        publish(8);
        run_to(14);
        assert_eq!((weights_of(0, BOB), waiting(0)), (vec![(4, 65_535)], 1));
        publish(7);
        run_to(15);
        assert_eq!((weights_of(0, ALICE), waiting(0)), (vec![(3, 65_535)], 0));
    });
}

#[test]
fn commit_is_deleted_when_its_epoch_is_over() {
    Ext::default().build_and_execute(|| {
        commit(ALICE, 7, &[(3, 1)]);
        run_to(19);
        assert_eq!(waiting(0), 1);
        publish(7);
        // Due, and too late: the block of the next epoch belongs to it.
        run_to(20);
        assert!(!TimelockedWeightCommits::<Test>::contains_key(INDEX, 0));
        assert_eq!(weights_of(0, ALICE), []);
    });
}

#[test]
fn commit_waits_longer_when_the_reveal_period_does() {
    Ext::with(|parameters| parameters.reveal_period_epochs = Some(3)).build_and_execute(|| {
        publish(1);
        commit(ALICE, 7, &[(3, 1)]);
        publish(7);
        run_to(29);
        assert_eq!((weights_of(0, ALICE), waiting(0)), (vec![], 1));
        run_to(30);
        assert_eq!(weights_of(0, ALICE), [(3, 65_535)]);
    });
}

#[test]
fn commit_is_dropped_alone_when_it_cannot_be_opened() {
    open().build_and_execute(|| {
        let good = payload(ALICE, &[(3, 1)]).encode();
        let mut cut = lock(7, &good);
        cut.truncate(cut.len() - 1);
        let mut flipped = lock(7, &good);
        flipped[150] ^= 1;
        let trailing = [&good[..], &[0]].concat();
        for bytes in
            [vec![], vec![0; 5_000], vec![0xff; 300], cut, flipped, lock(8, &good), lock(7, b"x"), lock(7, &trailing)]
        {
            submit(ALICE, 0, bytes, 7);
        }
        // Another's payload, and weights that the checks refuse.
        submit(ALICE, 0, lock(7, &payload(BOB, &[(3, 1)]).encode()), 7);
        commit(ALICE, 7, &[(3, 1), (3, 1)]);
        commit(BOB, 7, &[(4, 1)]);
        commit(4, 7, &[(3, 1)]);
        publish(7);
        run_to(10);
        assert_eq!(revealed(), [Event::TimelockedWeightsRevealed(INDEX, hot(BOB))]);
        assert_eq!((weights_of(0, ALICE), weights_of(0, 4)), (vec![], vec![]));
        assert_eq!(weights_of(0, BOB), [(4, 65_535)]);
        assert_eq!(waiting(0), 0);
    });
}

#[test]
fn commit_is_dropped_alone_when_its_key_is_no_point_of_the_group() {
    open().build_and_execute(|| {
        let good = lock(7, &payload(ALICE, &[(3, 1)]).encode());
        // Small x: half of them are of no point, the others of one outside the subgroup. Then infinity.
        let mut keys: Vec<[u8; 96]> = (1..10)
            .map(|x| {
                let mut key = [0; 96];
                (key[0], key[95]) = (0x80, x);
                key
            })
            .collect();
        let mut infinity = [0; 96];
        infinity[0] = 0xc0;
        keys.push(infinity);
        for key in keys {
            let signature = beacon().sign(7);
            let bytes = [&key[..], &good[96..]].concat();
            let error = clawrank_timelock::decrypt(&bytes, &signature).unwrap_err();
            assert_eq!(error, clawrank_timelock::TimelockError::BadPoint);
            submit(ALICE, 0, bytes, 7);
        }
        commit(BOB, 7, &[(4, 1)]);
        publish(7);
        run_to(10);
        assert_eq!(revealed(), [Event::TimelockedWeightsRevealed(INDEX, hot(BOB))]);
        assert_eq!((weights_of(0, ALICE), weights_of(0, BOB)), (vec![], vec![(4, 65_535)]));
        assert_eq!(waiting(0), 0);
    });
}

#[test]
fn older_payload_without_a_hotkey_counts_when_it_is_revealed() {
    Ext::default().build_and_execute(|| {
        let plain = codec::Encode::encode(&(vec![3_u16], vec![1_u16], 0_u64));
        submit(ALICE, 0, lock(7, &plain), 7);
        publish(7);
        run_to(10);
        assert_eq!(weights_of(0, ALICE), [(3, 65_535)]);
    });
}

#[test]
fn every_check_of_plain_weights_holds_when_timelocked_ones_are_opened() {
    open().build_and_execute(|| {
        WeightsVersionKey::<Test>::insert(NETUID, 5);
        let mut old = payload(BOB, &[(4, 1)]);
        old.version_key = 4;
        submit(BOB, 0, lock(7, &old.encode()), 7);
        let mut new = payload(ALICE, &[(3, 1)]);
        new.version_key = 5;
        submit(ALICE, 0, lock(7, &new.encode()), 7);
        let mut unequal = payload(OWNER, &[(3, 1)]);
        (unequal.values, unequal.version_key) = (vec![1, 2], 5);
        submit(OWNER, 0, lock(7, &unequal.encode()), 7);
        publish(7);
        run_to(10);
        assert_eq!(revealed(), [Event::TimelockedWeightsRevealed(INDEX, hot(ALICE))]);
    });
}

#[test]
fn mechanisms_are_opened_apart_when_both_have_commits() {
    open().build_and_execute(|| {
        commit(ALICE, 7, &[(3, 1)]);
        submit(ALICE, 1, lock(7, &payload(ALICE, &[(4, 1)]).encode()), 7);
        publish(7);
        run_to(10);
        assert_eq!((weights_of(0, ALICE), weights_of(1, ALICE)), (vec![(3, 65_535)], vec![(4, 65_535)]));
    });
}

/// Fills the queue of epoch 0 with `each` commits of every one of `hotkeys`, in that order.
fn fill(hotkeys: &[u16], each: usize) {
    let junk = lock(7, b"junk");
    let entry = |number: u16| (hot(number), 1, junk.clone().try_into().unwrap(), 7);
    let all = hotkeys.iter().flat_map(|number| vec![entry(*number); each]).collect();
    TimelockedWeightCommits::<Test>::insert(INDEX, 0, TimelockedQueue::new(all).unwrap());
}

#[test]
fn few_commits_are_opened_when_blocks_come_fast() {
    let slots = [0, 100, 250, 500, 800, 12_000, u64::MAX];
    assert_eq!(slots.map(crate::reveals_per_block), [1, 2, 5, 10, 16, 16, 16]);
}

#[test]
fn block_opens_no_more_than_it_may_when_many_commits_wait() {
    let most = MAX_REVEALS_PER_BLOCK as usize;
    open().build_and_execute(|| {
        fill(&[3, 4, 5, 6], 10);
        commit(ALICE, 7, &[(3, 1)]);
        publish(7);
        for (block, left) in [(9, 41), (10, 41 - most), (11, 41 - 2 * most), (12, 0)] {
            run_to(block);
            assert_eq!(waiting(0), left, "in block {block}");
        }
        assert_eq!(weights_of(0, ALICE), [(3, 65_535)]);
    });
}

#[test]
fn one_commit_is_opened_among_the_first_when_others_sent_ten() {
    open().build_and_execute(|| {
        // Sixty hostile hotkeys came first; after each has had one turn, it is the honest one's.
        fill(&(100..160).collect::<Vec<_>>(), 10);
        commit(ALICE, 7, &[(3, 1)]);
        publish(7);
        let turns = 61_u64.div_ceil(MAX_REVEALS_PER_BLOCK.into());
        run_to(9 + turns - 1);
        assert_eq!(weights_of(0, ALICE), []);
        run_to(9 + turns);
        assert_eq!(weights_of(0, ALICE), [(3, 65_535)]);
    });
}

#[test]
fn commits_of_a_hotkey_are_opened_in_their_order_when_there_are_several() {
    open().build_and_execute(|| {
        for value in 1..=3 {
            commit(ALICE, 7, &[(3, 4), (4, value)]);
        }
        fill_in_front(20);
        publish(7);
        run_to(13);
        // The last one is in force.
        assert_eq!(weights_of(0, ALICE), [(3, 65_535), (4, 49_151)]);
        assert_eq!(waiting(0), 0);
    });
}

/// Puts commits of `hotkeys` others in front of those that wait in epoch 0.
fn fill_in_front(hotkeys: u16) {
    let own = TimelockedWeightCommits::<Test>::get(INDEX, 0).into_vec();
    fill(&(100..100 + hotkeys).collect::<Vec<_>>(), 1);
    let mut all = TimelockedWeightCommits::<Test>::get(INDEX, 0).into_vec();
    all.extend(own);
    TimelockedWeightCommits::<Test>::insert(INDEX, 0, TimelockedQueue::new(all).unwrap());
}

#[test]
fn other_mechanism_has_its_share_when_one_is_flooded() {
    open().build_and_execute(|| {
        fill(&(100..160).collect::<Vec<_>>(), 10);
        submit(ALICE, 1, lock(7, &payload(ALICE, &[(4, 1)]).encode()), 7);
        publish(7);
        run_to(10);
        assert_eq!(weights_of(1, ALICE), [(4, 65_535)]);
        assert_eq!(waiting(0), 600 + 1 - MAX_REVEALS_PER_BLOCK as usize);
    });
}

#[test]
fn weights_on_a_newer_neuron_are_dropped_when_the_commit_that_waits_is_older() {
    let earned = |timelocked: bool| {
        open().externalities().execute_with(|| {
            Rounds::take();
            run_to(1);
            commit(ALICE, 7, &[(3, 1)]);
            publish(7);
            run_to(10);
            // A commit of block 11 is to be opened when the neuron of block 12 has taken the uid.
            run_to(11);
            if timelocked {
                commit(ALICE, 99, &[(3, 1)]);
            }
            LastUpdate::<Test>::mutate(INDEX, |blocks| blocks[usize::from(ALICE)] = 15);
            BlockAtRegistration::<Test>::insert(NETUID, 3, 12);
            run_to(20);
            Incentive::<Test>::get(INDEX)[3].deconstruct()
        })
    };
    assert_eq!((earned(false), earned(true)), (u16::MAX, 0));
}

#[test]
fn block_weighs_more_when_it_opens_commits() {
    use frame_support::traits::Hooks;
    open().build_and_execute(|| {
        commit(ALICE, 7, &[(3, 1)]);
        publish(7);
        run_to(9);
        System::set_block_number(10);
        let with = SubtensorModule::on_initialize(10);
        let base = <() as WeightInfo>::block_step(1);
        let opened = <() as WeightInfo>::timelocked_reveal(MAX_UIDS);
        assert!(with.all_gte(base.saturating_add(opened)), "{with:?}");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn chain_goes_on_when_any_bytes_are_opened(bytes in prop::collection::vec(any::<u8>(), 0..600), at in 0_usize..400) {
        open().build_and_execute(|| {
            submit(ALICE, 0, bytes.clone(), 7);
            // A real commit with one byte changed.
            let mut real = lock(7, &payload(ALICE, &[(3, 1)]).encode());
            if let Some(byte) = real.get_mut(at) {
                *byte = byte.wrapping_add(1);
            }
            submit(ALICE, 0, real, 7);
            publish(7);
            run_to(10);
            assert_eq!(waiting(0), 0);
        });
    }
}
