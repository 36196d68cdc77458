// SPDX-License-Identifier: Apache-2.0

//! Who may report, and when.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};

#[test]
fn verdicts_are_stored_when_the_challenge_is_drawn() {
    build_and_execute(|| {
        commit_all([3, 4]);
        run_to(8);
        let verdicts = vec![verdict(3, 5), trip(4)];
        assert_ok!(submit(HALF, 0, verdicts.clone()));
        assert_eq!(ProviderRank::verdicts_of(NETUID, 0, hot(HALF)), verdicts);
        assert_eq!(ProviderRank::epoch_state(NETUID, 0).unwrap().reports, 1);
        assert_eq!(
            events().pop(),
            Some(Event::VerdictsSubmitted { netuid: NETUID, epoch: 0, validator: hot(HALF), count: 2 })
        );
    });
}

#[test]
fn verdicts_replace_the_last_ones_when_the_epoch_is_open() {
    build_and_execute(|| {
        commit_all([3]);
        run_to(8);
        assert_ok!(submit(HALF, 0, vec![verdict(3, 5)]));
        run_to(16);
        assert_ok!(submit(HALF, 0, vec![verdict(3, 7)]));
        assert_eq!(ProviderRank::verdicts_of(NETUID, 0, hot(HALF)), [verdict(3, 7)]);
        assert_eq!(ProviderRank::epoch_state(NETUID, 0).unwrap().reports, 1);
    });
}

#[test]
fn verdicts_are_refused_when_a_check_fails() {
    build_and_execute(|| {
        commit_all([3, 4]);
        assert_noop!(submit(HALF, 0, vec![]), Error::<Test>::ChallengeNotDrawn);
        assert_noop!(submit(HALF, 1, vec![]), Error::<Test>::EpochNotFound);
        run_to(8);
        assert_noop!(submit(MINER, 0, vec![]), Error::<Test>::NoValidatorPermit);
        assert_noop!(submit(99, 0, vec![]), Error::<Test>::NoValidatorPermit);
        assert_noop!(submit(HALF, 0, vec![verdict(4, 1), verdict(3, 1)]), Error::<Test>::VerdictsNotAscending);
        assert_noop!(submit(HALF, 0, vec![verdict(3, 1), verdict(3, 2)]), Error::<Test>::VerdictsNotAscending);
        MaxReporters::set(1);
        assert_ok!(submit(HALF, 0, vec![verdict(3, 1)]));
        assert_noop!(submit(THIRD, 0, vec![]), Error::<Test>::TooManyReports);
        assert_ok!(submit(HALF, 0, vec![verdict(3, 2)]));
        run_to(17);
        assert_noop!(submit(HALF, 0, vec![]), Error::<Test>::EpochClosed);
    });
}

#[test]
fn report_cannot_name_more_miners_than_there_are_uids_when_decoded() {
    let verdicts: Vec<Verdict> = (0..257).map(|uid| verdict(uid, 1)).collect();
    let bytes = codec::Encode::encode(&verdicts);
    assert!(<Verdicts as codec::Decode>::decode(&mut &bytes[..]).is_err());
}
