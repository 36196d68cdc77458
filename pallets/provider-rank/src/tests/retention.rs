// SPDX-License-Identifier: Apache-2.0

//! What goes, and what stays.

use super::mock::*;
use crate::*;
use frame_support::assert_ok;

#[test]
fn epoch_goes_when_enough_newer_ones_have_opened() {
    build_and_execute(|| {
        commit_all(3..15);
        run_to(8);
        assert_ok!(submit(HALF, 0, (3..15).map(|uid| verdict(uid, 1)).collect()));
        assert_ok!(submit(THIRD, 0, vec![]));
        run_to(39);
        assert!(ProviderRank::epoch_state(NETUID, 0).unwrap().settled);
        assert_eq!(ProviderRank::bundles_of(NETUID, 0).len(), 12);
        run_to(40);
        assert_eq!(ProviderRank::epoch_state(NETUID, 0), None);
        assert_eq!(ProviderRank::settlement_of(NETUID, 0), None);
        assert_eq!(ProviderRank::bundles_of(NETUID, 0), []);
        assert_eq!(Reports::<Test>::iter().count(), 0);
        assert!(ProviderRank::epoch_state(NETUID, 1).is_some());
    });
}

#[test]
fn storage_stays_bounded_when_many_epochs_pass() {
    build_and_execute(|| {
        for epoch in 0..30 {
            run_to((10 * epoch).max(1));
            commit_all(3..15);
            run_to(10 * epoch + 8);
            assert_ok!(submit(HALF, epoch, (3..15).map(|uid| verdict(uid, 1)).collect()));
            assert_ok!(submit(FIFTH, epoch, (3..15).map(|uid| verdict(uid, 1)).collect()));
            ProviderRank::do_try_state().unwrap();
            assert!(Epochs::<Test>::iter().count() <= 4);
            assert!(Bundles::<Test>::iter().count() <= 4 * 12);
        }
        let settlements = ProviderRank::last_settlements(NETUID);
        let epochs: Vec<u64> = settlements.iter().map(|(epoch, _)| *epoch).collect();
        assert_eq!(epochs, [28, 27, 26]);
        // 12 equal shares of a twelfth of what is offered, epochs 0 to 28.
        assert_eq!(balance(3), 29 * (EMISSION / 12));
        assert_eq!(ProviderRank::pot_balance(), POT - 29 * 12 * (EMISSION / 12));
    });
}

#[test]
fn waiting_epochs_are_settled_when_they_follow_in_quick_succession() {
    build_and_execute(|| {
        run_to(2);
        assert_ok!(SubtensorModule::do_set_tempo(NETUID, 2));
        run_to(60);
        let (running, _) = ProviderRank::running_epoch(NETUID).unwrap();
        assert!(running > 25);
        assert!(NextToSettle::<Test>::get(NETUID) + 3 >= running);
    });
}
