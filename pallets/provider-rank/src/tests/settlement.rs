// SPDX-License-Identifier: Apache-2.0

//! What is paid (rules §4.5).

use super::mock::*;
use crate::*;
use clawrank_emission::{Shortfall, payouts};
use clawrank_units::Rao;
use frame_support::{assert_ok, traits::fungible::Mutate};
use proptest::prelude::*;

/// The same report of all validators.
fn by_all(verdicts: Vec<Verdict>) -> Vec<(u16, Vec<Verdict>)> {
    [HALF, THIRD, FIFTH].map(|validator| (validator, verdicts.clone())).to_vec()
}

/// Amounts of miners 3 .. by uid.
fn amounts(settlement: &Settlement<sp_core::crypto::AccountId32>) -> Vec<(u16, u64)> {
    settlement.payouts.iter().map(|payout| (payout.uid, payout.amount)).collect()
}

#[test]
fn payouts_are_those_of_the_primitive_when_all_agree() {
    build_and_execute(|| {
        let scores: [u128; 12] = [100, 50, 40, 30, 20, 10, 9, 8, 7, 6, 5, 0];
        let report = (3..).zip(scores).map(|(uid, score)| verdict(uid, score)).collect();
        let settlement = epoch_zero(3..15, by_all(report));
        let expected = payouts(&scores, &CapParams::default(), None, Rao(EMISSION)).unwrap();
        for (uid, amount) in (3..).zip(&expected.amounts) {
            assert_eq!(balance(uid), amount.get(), "miner {uid}");
        }
        assert_eq!((settlement.emission, settlement.dust), (EMISSION, expected.dust.get()));
        // 15 % of 1,000,003 rounded down.
        assert_eq!(balance(3), 150_000);
        assert_eq!(ProviderRank::pot_balance(), POT - EMISSION + expected.dust.get());
        assert!(expected.dust.get() > 0);
        assert_eq!((settlement.block, settlement.reporting_stake, settlement.total_stake), (17, 1_000_000, 1_000_000));
        assert!(events().contains(&Event::EpochSettled {
            netuid: NETUID,
            epoch: 0,
            paid: EMISSION - expected.dust.get(),
            dust: expected.dust.get()
        }));
        assert!(events().contains(&Event::Paid { netuid: NETUID, epoch: 0, hotkey: hot(3), amount: 150_000 }));
    });
}

#[test]
fn score_is_the_median_by_stake_when_validators_differ() {
    build_and_execute(|| {
        let report = |score| (3..13).map(|uid| verdict(uid, score + u128::from(uid))).collect::<Vec<_>>();
        // A minority of 20 % claims a fortune; the median is what 50 % and 30 % frame.
        let settlement =
            epoch_zero(3..13, vec![(HALF, report(100)), (THIRD, report(200)), (FIFTH, report(u128::MAX >> 8))]);
        let scores: Vec<u128> = settlement.payouts.iter().map(|payout| payout.score).collect();
        assert_eq!(scores, (3..13).map(|uid| 100 + uid).collect::<Vec<u128>>());
    });
}

#[test]
fn gate_trips_when_more_than_half_of_the_reporting_stake_says_so() {
    build_and_execute(|| {
        let scores = |tripped: &[u16]| -> Vec<Verdict> {
            (3..15).map(|uid| if tripped.contains(&uid) { trip(uid) } else { verdict(uid, 10) }).collect()
        };
        // 3 by half of the stake, which is not more than half; 4 by 80 %; 5 by 30 %.
        let settlement =
            epoch_zero(3..15, vec![(HALF, scores(&[3, 4])), (THIRD, scores(&[4, 5])), (FIFTH, scores(&[]))]);
        let of = |uid: u16| settlement.payouts.iter().find(|payout| payout.uid == uid).unwrap();
        assert!(!of(3).tripped);
        // Those who tripped it scored 0, with exactly half of the stake: the lower median.
        assert_eq!(of(3).score, 0);
        assert!(of(4).tripped);
        assert_eq!((of(4).score, of(4).amount), (0, 0));
        assert!(!of(5).tripped);
        assert_eq!(of(5).score, 10);
        assert!(of(5).amount > 0);
        let tripped = |uid| Event::GateTripped { netuid: NETUID, epoch: 0, uid, hotkey: hot(uid) };
        assert!(events().contains(&tripped(4)));
        assert!(!events().contains(&tripped(3)) && !events().contains(&tripped(5)));
    });
}

#[test]
fn miner_earns_nothing_when_most_of_the_stake_is_silent_about_it() {
    build_and_execute(|| {
        let common: Vec<Verdict> = (4..15).map(|uid| verdict(uid, 10)).collect();
        let mut with_friend = vec![verdict(3, 1_000_000)];
        with_friend.extend(common.clone());
        let settlement = epoch_zero(3..15, vec![(HALF, common.clone()), (THIRD, with_friend), (FIFTH, common)]);
        assert_eq!(settlement.payouts[0].uid, 3);
        assert_eq!((settlement.payouts[0].score, settlement.payouts[0].amount), (0, 0));
        assert!(!settlement.payouts[0].tripped);
    });
}

#[test]
fn nothing_is_paid_when_half_of_the_stake_or_less_reports() {
    build_and_execute(|| {
        let report: Vec<Verdict> = (3..15).map(|uid| verdict(uid, 10)).collect();
        let settlement = epoch_zero(3..15, vec![(THIRD, report.clone()), (FIFTH, report)]);
        assert_eq!((settlement.emission, settlement.dust), (0, 0));
        assert_eq!((settlement.reporting_stake, settlement.total_stake), (500_000, 1_000_000));
        assert_eq!(ProviderRank::pot_balance(), POT);
        assert!(events().contains(&Event::QuorumMissed {
            netuid: NETUID,
            epoch: 0,
            reporting_stake: 500_000,
            total_stake: 1_000_000
        }));
    });
}

#[test]
fn everything_stays_in_the_pot_when_nobody_has_a_score() {
    build_and_execute(|| {
        let settlement = epoch_zero(3..15, by_all((3..15).map(|uid| verdict(uid, 0)).collect()));
        assert_eq!((settlement.emission, settlement.dust), (EMISSION, EMISSION));
        assert_eq!(ProviderRank::pot_balance(), POT);
        run_to(27);
        // An epoch without any bundle is settled too.
        let settlement = ProviderRank::settlement_of(NETUID, 1).unwrap();
        assert!(settlement.payouts.is_empty());
    });
}

#[test]
fn rule_for_few_miners_decides_when_the_cap_cannot_hold() {
    for (shortfall, each) in [(Shortfall::Uniform, EMISSION / 2), (Shortfall::Skip, 0)] {
        build_and_execute(|| {
            Cap::set(CapParams { shortfall, ..Default::default() });
            let settlement = epoch_zero(3..5, by_all(vec![verdict(3, 1), verdict(4, 9)]));
            assert_eq!(amounts(&settlement), [(3, each), (4, each)]);
            assert_eq!(settlement.dust, EMISSION - 2 * each);
        });
        Cap::set(CapParams::default());
    }
}

#[test]
fn miner_without_a_bundle_earns_nothing_when_it_is_scored() {
    build_and_execute(|| {
        let settlement = epoch_zero(4..15, by_all((3..15).map(|uid| verdict(uid, 10)).collect()));
        assert_eq!(balance(3), 0);
        assert!(settlement.payouts.iter().all(|payout| payout.uid != 3));
    });
}

#[test]
fn newcomer_earns_nothing_when_it_took_the_uid_after_the_commit() {
    build_and_execute(|| {
        commit_all(3..15);
        // The subnet is full: the newcomer gets the uid of a miner that goes.
        assert_ok!(SubtensorModule::burned_register(RuntimeOrigin::signed(cold(50)), NETUID, hot(50)));
        let taken = pallet_subtensor::Uids::<Test>::get(NETUID, hot(50)).unwrap();
        let gone = hot(taken);
        run_to(8);
        for validator in [HALF, THIRD, FIFTH].into_iter().filter(|uid| *uid != taken) {
            assert_ok!(submit(validator, 0, (3..15).map(|uid| verdict(uid, 10)).collect()));
        }
        run_to(17);
        assert_eq!((balance(50), Balances::free_balance(&gone)), (0, 0));
        let settlement = ProviderRank::settlement_of(NETUID, 0).unwrap();
        assert!(settlement.payouts.iter().all(|payout| payout.hotkey != gone && payout.hotkey != hot(50)));
    });
}

#[test]
fn amount_stays_in_the_pot_when_an_account_cannot_take_it() {
    build_and_execute(|| {
        EpochEmission::<Test>::insert(NETUID, 10_000);
        // Uid 14 has a thousandth of the scores: 8 rao, below the existential deposit of a new account.
        let mut report: Vec<Verdict> = (3..14).map(|uid| verdict(uid, 100)).collect();
        report.push(verdict(14, 1));
        let settlement = epoch_zero(3..15, by_all(report));
        assert_eq!(settlement.payouts[11].amount, 0);
        assert_eq!(balance(14), 0);
        assert!(settlement.dust >= 9, "dust {}", settlement.dust);
        let paid: u64 = settlement.payouts.iter().map(|payout| payout.amount).sum();
        assert_eq!(paid + settlement.dust, 10_000);
    });
}

#[test]
fn pot_pays_what_it_has_when_it_has_less_than_the_emission() {
    build_and_execute(|| {
        let keep = ED + 70_000;
        let spare = Balances::free_balance(ProviderRank::pot()) - keep;
        assert_ok!(<Balances as Mutate<_>>::transfer(
            &ProviderRank::pot(),
            &cold(1),
            spare,
            frame_support::traits::tokens::Preservation::Preserve
        ));
        let settlement = epoch_zero(3..15, by_all((3..15).map(|uid| verdict(uid, 10)).collect()));
        assert_eq!(settlement.emission, 70_000);
        assert!(Balances::free_balance(ProviderRank::pot()) >= ED);
    });
}

#[test]
fn stake_counts_as_it_is_at_the_settlement_when_it_moved() {
    build_and_execute(|| {
        commit_all(3..15);
        run_to(8);
        let report: Vec<Verdict> = (3..15).map(|uid| verdict(uid, 10)).collect();
        assert_ok!(submit(THIRD, 0, report.clone()));
        assert_ok!(submit(FIFTH, 0, report));
        // The silent half leaves; those who reported are now all of the stake.
        assert_ok!(SubtensorModule::remove_stake(
            RuntimeOrigin::signed(cold(HALF)),
            hot(HALF),
            NETUID,
            pallet_subtensor::AlphaBalance(500_000)
        ));
        run_to(17);
        let settlement = ProviderRank::settlement_of(NETUID, 0).unwrap();
        assert_eq!((settlement.reporting_stake, settlement.total_stake), (500_000, 500_000));
        assert_eq!(settlement.emission, EMISSION);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn payouts_and_dust_are_the_emission_when_reports_are_any(
        reports in prop::collection::vec(
            prop::collection::vec((any::<bool>(), 0_u128..1 << 100), 12),
            3,
        ),
        emission in 0_u64..2 * POT,
    ) {
        build_and_execute(|| {
            EpochEmission::<Test>::insert(NETUID, emission);
            let before: u64 = (3..15).map(balance).sum::<u64>() + Balances::free_balance(ProviderRank::pot());
            let reports = (0..).zip(&reports).map(|(validator, scores)| {
                let verdicts = (3..)
                    .zip(scores)
                    .map(|(uid, (tripped, score))| Verdict { uid, tripped: *tripped, reason: 1, score: *score })
                    .collect();
                (validator, verdicts)
            });
            let settlement = epoch_zero(3..15, reports.collect());
            let paid: u64 = settlement.payouts.iter().map(|payout| payout.amount).sum();
            assert_eq!(settlement.emission, emission.min(POT));
            assert_eq!(paid + settlement.dust, settlement.emission);
            let after: u64 = (3..15).map(balance).sum::<u64>() + Balances::free_balance(ProviderRank::pot());
            assert_eq!(after, before);
            let positive = settlement.payouts.iter().filter(|payout| payout.score > 0).count();
            if positive >= 7 {
                let most = CapParams::default().cap.mul_floor(settlement.emission.into());
                assert!(settlement.payouts.iter().all(|payout| u128::from(payout.amount) <= most));
            }
        });
    }
}
