// SPDX-License-Identifier: Apache-2.0

//! Commitments that are shown later.

use super::mock::*;
use crate::{timelock::*, *};
use frame_support::{BoundedVec, assert_noop, assert_ok, dispatch::DispatchResult};
use pallet_subtensor::{Bonds, BondsResetOn, NetUidStorageIndex, WeightRow};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// Bytes that the pulse of a round opens.
fn lock(round: u64, plain: &[u8]) -> Data {
    let mut rng = ChaCha8Rng::seed_from_u64(round);
    let bytes = clawrank_timelock::encrypt(&beacon().public_key(), round, plain, &mut rng).unwrap();
    Data::TimelockEncrypted { encrypted: BoundedVec::try_from(bytes).unwrap(), reveal_round: round }
}

/// Bytes that nothing opens.
fn broken(round: u64) -> Data {
    Data::TimelockEncrypted { encrypted: BoundedVec::truncate_from(vec![7; 300]), reveal_round: round }
}

fn commit(uid: u8, fields: &[Data]) -> DispatchResult {
    let fields = BoundedVec::truncate_from(fields.to_vec());
    Commitments::set_commitment(RuntimeOrigin::signed(hot(uid)), NETUID, Box::new(CommitmentInfo { fields }))
}

fn events() -> Vec<Event<Test>> {
    System::read_events_for_pallet::<Event<Test>>()
}

/// What a neuron has shown: bytes and block.
fn shown(uid: u8) -> Vec<(Vec<u8>, u64)> {
    let list = RevealedCommitments::<Test>::get(NETUID, hot(uid)).unwrap_or_default();
    list.iter().map(|(bytes, block)| (bytes.to_vec(), *block)).collect()
}

fn fields(uid: u8) -> Option<Vec<Data>> {
    CommitmentOf::<Test>::get(NETUID, hot(uid)).map(|registration| registration.info.fields.into_inner())
}

fn waits(uid: u8) -> bool {
    TimelockedIndex::<Test>::get().contains(&(NETUID, hot(uid)))
}

#[test]
fn field_is_shown_when_its_round_is_published() {
    build_and_execute(|| {
        assert_ok!(commit(1, &[lock(100, b"later")]));
        assert_eq!(events(), [Event::TimelockCommitment { netuid: NETUID, who: hot(1), reveal_round: 100 }]);
        assert!(waits(1));
        publish(99);
        run_to(3);
        assert_eq!((shown(1), waits(1)), (vec![], true));
        publish(100);
        run_to(4);
        assert_eq!(shown(1), [(b"later".to_vec(), 4)]);
        assert_eq!(events(), [Event::CommitmentRevealed { netuid: NETUID, who: hot(1) }]);
        assert_eq!((fields(1), waits(1)), (None, false));
    });
}

#[test]
fn other_fields_stay_when_one_is_shown() {
    build_and_execute(|| {
        let plain = Data::Raw(BoundedVec::truncate_from(b"now".to_vec()));
        assert_ok!(commit(1, &[plain.clone(), lock(100, b"soon"), lock(200, b"late")]));
        publish(100);
        run_to(2);
        assert_eq!(shown(1), [(b"soon".to_vec(), 2)]);
        assert_eq!(fields(1).unwrap(), [plain.clone(), lock(200, b"late")]);
        assert!(waits(1));
        publish(200);
        run_to(3);
        assert_eq!(shown(1), [(b"soon".to_vec(), 2), (b"late".to_vec(), 3)]);
        assert_eq!((fields(1).unwrap(), waits(1)), (vec![plain], false));
    });
}

#[test]
fn failure_hinders_nobody_else_when_a_field_cannot_be_opened() {
    build_and_execute(|| {
        assert_ok!(commit(0, &[broken(100), lock(100, b"first")]));
        assert_ok!(commit(1, &[lock(100, b"second")]));
        // A ciphertext for another round, and one that hides nothing.
        let Data::TimelockEncrypted { encrypted, .. } = lock(99, b"third") else { panic!("not timelocked") };
        let mistaken = Data::TimelockEncrypted { encrypted: encrypted.clone(), reveal_round: 100 };
        assert_ok!(commit(2, &[mistaken]));
        publish(100);
        run_to(2);
        run_to(3);
        let failed = |field: &Data| matches!(field, Data::TimelockRevealFailed { reveal_round: 100, .. });
        assert_eq!(shown(0), [(b"first".to_vec(), 2)]);
        assert_eq!(shown(1), [(b"second".to_vec(), 2)]);
        assert!(matches!(&fields(0).unwrap()[..], [field] if failed(field)));
        assert_eq!(fields(2).unwrap(), [Data::TimelockRevealFailed { encrypted, reveal_round: 100 }]);
        assert_eq!([waits(0), waits(1), waits(2)], [false; 3]);
    });
}

#[test]
fn reason_is_told_when_a_field_cannot_be_opened() {
    let check = |field: Data, publish_rounds: &[u64], error: RevealFailure| {
        build_and_execute(|| {
            assert_ok!(commit(1, &[field]));
            publish_rounds.iter().copied().for_each(publish);
            run_to(2);
            let event = Event::CommitmentRevealFailed { netuid: NETUID, who: hot(1), reveal_round: 100, error };
            assert_eq!(events(), [event]);
            assert!(shown(1).is_empty());
        });
    };
    let Data::TimelockEncrypted { encrypted, .. } = lock(99, b"bytes") else { panic!("not timelocked") };
    check(Data::TimelockEncrypted { encrypted, reveal_round: 100 }, &[100], RevealFailure::RoundMismatch);
    let Data::TimelockEncrypted { mut encrypted, .. } = lock(100, b"bytes") else { panic!("not timelocked") };
    // The nonce's last byte; the cipher's name and its length follow.
    let nonce = encrypted.len() - 17;
    encrypted.as_mut()[nonce] ^= 1;
    check(Data::TimelockEncrypted { encrypted, reveal_round: 100 }, &[100], RevealFailure::Decrypt);
    check(broken(100), &[100], RevealFailure::CiphertextDeserialize);
    check(lock(100, b""), &[100], RevealFailure::EmptyPlaintext);
    check(lock(100, b"bytes"), &[101], RevealFailure::PulseExpired);
}

#[test]
fn only_the_last_ten_are_kept_when_more_are_shown() {
    build_and_execute(|| {
        MaxSpace::<Test>::put(1_000_000);
        for round in 1..=12_u64 {
            assert_ok!(commit(1, &[lock(round, &[round as u8])]));
            publish(round);
            run_to(System::block_number() + 1);
        }
        let bytes: Vec<u8> = shown(1).iter().map(|(bytes, _)| bytes[0]).collect();
        assert_eq!(bytes, (3..=12).collect::<Vec<u8>>());
    });
}

#[test]
fn no_more_than_allowed_are_opened_when_many_are_due() {
    build_and_execute(|| {
        for uid in 0..3 {
            assert_ok!(commit(uid, &[lock(1, b"a"), lock(2, b"b"), lock(3, b"c")]));
        }
        (1..=3).for_each(publish);
        let total = || (0..3).map(|uid| shown(uid).len()).sum::<usize>();
        for (block, opened) in [(2, 4), (3, 8), (4, 9)] {
            run_to(block);
            assert_eq!(total(), opened);
        }
        assert!(TimelockedIndex::<Test>::get().is_empty());
    });
}

#[test]
fn commitment_waits_no_longer_when_a_plain_one_replaces_it() {
    build_and_execute(|| {
        assert_ok!(commit(1, &[lock(100, b"never")]));
        assert_ok!(commit(1, &[Data::Sha256([1; 32])]));
        assert!(!waits(1));
        publish(100);
        run_to(2);
        assert!(shown(1).is_empty());
    });
}

#[test]
fn mark_of_failure_is_refused_when_a_neuron_sets_it() {
    build_and_execute(|| {
        let Data::TimelockEncrypted { encrypted, reveal_round } = lock(100, b"bytes") else { panic!("not timelocked") };
        let field = Data::TimelockRevealFailed { encrypted, reveal_round };
        assert_noop!(commit(1, &[field]), Error::<Test>::TimelockRevealFailedNotAllowed);
    });
}

#[test]
fn commitment_is_refused_when_as_many_wait_as_may() {
    build_and_execute(|| {
        let others = (0..MAX_TIMELOCKED_NEURONS).map(|number| {
            let mut bytes = [9; 32];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            (NetUid(1), bytes.into())
        });
        let others: std::collections::BTreeSet<_> = others.collect();
        TimelockedIndex::<Test>::put(frame_support::BoundedBTreeSet::try_from(others).unwrap());
        assert_noop!(commit(1, &[lock(100, b"bytes")]), Error::<Test>::SpaceLimitExceeded);
        TimelockedIndex::<Test>::kill();
    });
}

#[test]
fn nothing_waits_when_the_neuron_has_to_go() {
    build_and_execute(|| {
        for uid in 0..3 {
            assert_ok!(commit(uid, &[lock(100, b"bytes")]));
        }
        pallet_subtensor::MinNonImmuneUids::<Test>::insert(NETUID, 0);
        assert_ok!(SubtensorModule::burned_register(RuntimeOrigin::signed(cold(7)), NETUID, hot(7)));
        assert_eq!(TimelockedIndex::<Test>::get().len(), 2);
    });
}

#[test]
fn bonds_begin_anew_when_a_commitment_asks_and_the_subnet_allows() {
    build_and_execute(|| {
        let index = NetUidStorageIndex::from(NETUID);
        let bond = || Bonds::<Test>::insert(index, 0, WeightRow::truncated(vec![(1, 5), (2, 6)]));
        let bonds = || Bonds::<Test>::get(index, 0).into_vec();
        bond();
        assert_ok!(commit(1, &[Data::ResetBondsFlag]));
        assert_eq!(bonds(), [(1, 5), (2, 6)]);
        assert_eq!(LastBondsReset::<Test>::get(NETUID, hot(1)), None);
        BondsResetOn::<Test>::insert(NETUID, true);
        // Only as the first field.
        assert_ok!(commit(1, &[Data::None, Data::ResetBondsFlag]));
        assert_eq!(bonds(), [(1, 5), (2, 6)]);
        assert_ok!(commit(1, &[Data::ResetBondsFlag]));
        assert_eq!(bonds(), [(2, 6)]);
        assert_eq!(LastBondsReset::<Test>::get(NETUID, hot(1)), Some(1));
        // Once per tempo.
        bond();
        assert_ok!(commit(1, &[Data::ResetBondsFlag]));
        assert_eq!(bonds(), [(1, 5), (2, 6)]);
        run_to(11);
        bond();
        assert_ok!(commit(1, &[Data::ResetBondsFlag]));
        assert_eq!(bonds(), [(2, 6)]);
    });
}
