// SPDX-License-Identifier: Apache-2.0

//! Each call changes its item and nothing else, and says so.

use super::{cases::*, mock::*};
use crate::{Call, Event};
use codec::Encode;
use frame_support::{BoundedVec, assert_ok};
use pallet_subtensor::{ConsensusMode, Event as Changed, FixedU128, MechId, NetUid, TaoBalance};
use sp_core::{crypto::UncheckedFrom, sr25519};
use std::collections::BTreeMap;

/// Everything that `SubtensorModule` stores.
fn stored() -> BTreeMap<Vec<u8>, Vec<u8>> {
    let prefix = sp_io::hashing::twox_128(b"SubtensorModule").to_vec();
    let mut key = prefix.clone();
    let mut all = BTreeMap::new();
    while let Some(next) = sp_io::storage::next_key(&key) {
        if !next.starts_with(&prefix) {
            break;
        }
        all.insert(next.clone(), sp_io::storage::get(&next).unwrap().to_vec());
        key = next;
    }
    all
}

/// The keys whose values differ.
fn changed(before: &BTreeMap<Vec<u8>, Vec<u8>>, after: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<Vec<u8>> {
    before.keys().chain(after.keys()).filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

#[test]
fn call_changes_its_item_and_nothing_else_when_root_makes_it() {
    for case in cases() {
        build_and_execute(|| {
            let before = stored();
            assert_ok!(case.dispatch(root()));
            let after = stored();
            let mut keys = changed(&before, &after);
            keys.dedup();
            // Yuma is what the subnet has already: the value is written, as the default was read before.
            assert_eq!(keys, std::slice::from_ref(&case.key), "{}", case.name());
            assert_eq!(after[&case.key], case.value, "{}", case.name());
        });
    }
}

#[test]
fn call_changes_its_item_and_its_record_when_the_owner_makes_it() {
    let mut count = 0;
    for case in cases().into_iter().filter(|case| case.owner) {
        build_and_execute(|| {
            run_to(20);
            let before = stored();
            assert_ok!(case.dispatch(owner()));
            let after = stored();
            let mut keys = changed(&before, &after);
            keys.sort_unstable();
            keys.dedup();
            assert!(keys.contains(&case.key), "{}", case.name());
            assert_eq!(keys.len(), 2, "{}", case.name());
            let record = keys.iter().find(|key| **key != case.key).unwrap();
            assert_eq!(after[record], 20_u64.encode(), "{}", case.name());
        });
        count += 1;
    }
    assert_eq!(count, 33);
}

#[test]
fn alpha_values_change_when_liquid_alpha_is_on() {
    build_and_execute(|| {
        let call = alpha_values(1_638, 65_535);
        let before = stored();
        assert_ok!(dispatch(call, root()));
        assert_eq!(changed(&before, &stored()).len(), 1);
        assert_eq!(pallet_subtensor::AlphaValues::<Test>::get(NETUID), (1_638, 65_535));
    });
}

#[test]
fn owners_cut_changes_without_any_record_when_the_owner_switches_it() {
    build_and_execute(|| {
        for enabled in [false, true, false] {
            let before = stored();
            assert_ok!(dispatch(Call::sudo_set_owner_cut_enabled { netuid: NETUID, enabled }, owner()));
            assert!(changed(&before, &stored()).len() <= 2);
            assert_eq!(pallet_subtensor::OwnerCutEnabled::<Test>::get(NETUID), enabled);
        }
    });
}

#[test]
fn owners_lock_changes_without_any_record_when_the_owner_switches_it() {
    build_and_execute(|| {
        let before = stored();
        assert_ok!(dispatch(Call::sudo_set_owner_cut_auto_lock_enabled { netuid: NETUID, enabled: true }, owner()));
        assert_eq!(changed(&before, &stored()).len(), 1);
        assert!(pallet_subtensor::OwnerCutAutoLockEnabled::<Test>::get(NETUID));
    });
}

#[test]
fn every_parameter_of_an_owner_is_shown_when_it_was_set() {
    build_and_execute(|| {
        let netuid = NETUID;
        let shown = || SubtensorModule::get_subnet_hyperparams_v3(netuid).unwrap();
        let value = |name: &str| {
            let entry = shown().into_iter().find(|entry| entry.name == name.as_bytes());
            entry.unwrap_or_else(|| panic!("{name} is not shown")).value
        };
        for (name, call) in [
            ("max_difficulty", Call::sudo_set_max_difficulty { netuid, max_difficulty: 7 }),
            ("adjustment_alpha", Call::sudo_set_adjustment_alpha { netuid, adjustment_alpha: 7 }),
            ("transfers_enabled", Call::sudo_set_toggle_transfer { netuid, toggle: false }),
            (
                "min_childkey_take",
                Call::sudo_set_min_childkey_take_per_subnet { netuid, take: sp_runtime::PerU16::from_parts(7) },
            ),
            ("owner_cut_auto_lock_enabled", Call::sudo_set_owner_cut_auto_lock_enabled { netuid, enabled: true }),
            ("collateral_lock_share", Call::sudo_set_collateral_lock_share { netuid, lock_share: 7 }),
            (
                "collateral_drain_ratio",
                Call::sudo_set_collateral_drain_ratio { netuid, drain_ratio: FixedU128 { bits: 7 } },
            ),
        ] {
            let before = value(name);
            assert_ok!(dispatch(call, owner()));
            assert_ne!(value(name), before, "{name}");
        }
    });
}

#[test]
fn epoch_begins_anew_when_the_tempo_changes() {
    build_and_execute(|| {
        run_to(30);
        assert_ok!(dispatch(Call::sudo_set_tempo { netuid: NETUID, tempo: 20 }, owner()));
        assert_eq!(subnet_events(), [Changed::TempoSet(NETUID, 20)]);
        assert_eq!(SubtensorModule::next_epoch_start_block(NETUID), Some(50));
        // Root is not bound by the least and the longest tempo.
        assert_ok!(dispatch(Call::sudo_set_tempo { netuid: NETUID, tempo: 1 }, root()));
        assert_eq!(SubtensorModule::next_epoch_start_block(NETUID), Some(31));
        assert_ok!(dispatch(Call::sudo_set_admin_freeze_window { window: 0 }, root()));
        assert_ok!(dispatch(Call::sudo_set_tempo { netuid: NETUID, tempo: 0 }, root()));
        assert_eq!(SubtensorModule::next_epoch_start_block(NETUID), None);
    });
}

#[test]
fn authorities_change_when_root_swaps_them() {
    build_and_execute(|| {
        let key = |byte: u8| sr25519::Public::unchecked_from([byte; 32]).into();
        let new = BoundedVec::truncate_from(vec![key(1), key(2)]);
        assert_ok!(dispatch(Call::swap_authorities { new_authorities: new }, root()));
        assert_eq!(Authorities::get(), [key(1), key(2)]);
    });
}

#[test]
fn split_is_forgotten_when_none_is_given() {
    build_and_execute(|| {
        let set =
            |maybe_split| dispatch(Call::sudo_set_mechanism_emission_split { netuid: NETUID, maybe_split }, root());
        assert_ok!(set(Some(vec![1, 65_534])));
        assert_ok!(set(None));
        assert!(!pallet_subtensor::MechanismEmissionSplit::<Test>::contains_key(NETUID));
    });
}

#[test]
fn hotkey_of_the_owner_becomes_its_own_when_nobody_had_it() {
    build_and_execute(|| {
        assert_ok!(dispatch(Call::sudo_set_sn_owner_hotkey { netuid: NETUID, hotkey: hot(50) }, owner()));
        assert_eq!(pallet_subtensor::Owner::<Test>::get(hot(50)), cold(0));
        assert_eq!(subnet_events(), [Changed::SubnetOwnerHotkeySet(NETUID, hot(50))]);
    });
}

#[test]
fn change_is_said_in_the_public_chains_event_when_it_has_one() {
    build_and_execute(|| {
        let check = |call: Call<Test>, event: Changed<Test>| {
            System::reset_events();
            assert_ok!(dispatch(call, root()));
            assert_eq!(subnet_events(), [event]);
        };
        let netuid: NetUid = NETUID;
        check(Call::sudo_set_kappa { netuid, kappa: 7 }, Changed::KappaSet(netuid, 7));
        check(Call::sudo_set_min_burn { netuid, min_burn: TaoBalance(7) }, Changed::MinBurnSet(netuid, TaoBalance(7)));
        check(
            Call::sudo_set_commit_reveal_weights_enabled { netuid, enabled: true },
            Changed::CommitRevealEnabled(netuid, true),
        );
        check(
            Call::sudo_set_commit_reveal_weights_interval { netuid, interval: 3 },
            Changed::CommitRevealPeriodsSet(netuid, 3),
        );
        check(
            Call::sudo_set_activity_cutoff_factor { netuid, factor_milli: 2_000 },
            Changed::ActivityCutoffFactorMilliSet { netuid, factor_milli: 2_000 },
        );
        check(
            Call::sudo_set_liquid_alpha_consensus_mode { netuid, mode: ConsensusMode::Current },
            Changed::LiquidAlphaConsensusModeSet(netuid, ConsensusMode::Current),
        );
        let take = sp_runtime::PerU16::from_parts(7);
        for (call, event) in [
            (Call::sudo_set_min_difficulty { netuid, min_difficulty: 7 }, Changed::MinDifficultySet(netuid, 7)),
            (Call::sudo_set_max_difficulty { netuid, max_difficulty: 7 }, Changed::MaxDifficultySet(netuid, 7)),
            (Call::sudo_set_difficulty { netuid, difficulty: 7 }, Changed::DifficultySet(netuid, 7)),
            (
                Call::sudo_set_adjustment_interval { netuid, adjustment_interval: 7 },
                Changed::AdjustmentIntervalSet(netuid, 7),
            ),
            (Call::sudo_set_adjustment_alpha { netuid, adjustment_alpha: 7 }, Changed::AdjustmentAlphaSet(netuid, 7)),
            (
                Call::sudo_set_target_registrations_per_interval { netuid, target_registrations_per_interval: 7 },
                Changed::RegistrationPerIntervalSet(netuid, 7),
            ),
            (Call::sudo_set_toggle_transfer { netuid, toggle: false }, Changed::TransferToggle(netuid, false)),
            (
                Call::sudo_set_min_childkey_take_per_subnet { netuid, take },
                Changed::MinChildKeyTakePerSubnetSet(netuid, take),
            ),
        ] {
            check(call, event);
        }
        check(Call::sudo_set_admin_freeze_window { window: 3 }, Changed::AdminFreezeWindowSet(3));
        check(Call::sudo_set_max_epochs_per_block { max_epochs_per_block: 3 }, Changed::MaxEpochsPerBlockSet(3));
    });
}

#[test]
fn change_is_said_in_the_pallets_own_event_when_the_public_chain_does() {
    build_and_execute(|| {
        let check = |call: Call<Test>, event: Event<Test>| {
            System::reset_events();
            assert_ok!(dispatch(call, root()));
            assert_eq!(System::read_events_for_pallet::<Event<Test>>(), [event]);
        };
        let (netuid, enabled) = (NETUID, true);
        let burn_increase_mult = FixedU128 { bits: 2 << 64 };
        check(Call::sudo_set_yuma3_enabled { netuid, enabled }, Event::Yuma3EnableToggled { netuid, enabled });
        check(Call::sudo_set_bonds_reset_enabled { netuid, enabled }, Event::BondsResetToggled { netuid, enabled });
        check(
            Call::sudo_set_burn_half_life { netuid, burn_half_life: 9 },
            Event::BurnHalfLifeSet { netuid, burn_half_life: 9 },
        );
        check(
            Call::sudo_set_burn_increase_mult { netuid, burn_increase_mult },
            Event::BurnIncreaseMultSet { netuid, burn_increase_mult },
        );
        check(
            Call::sudo_set_subnet_emission_enabled { netuid, enabled },
            Event::SubnetEmissionEnabledSet { netuid, enabled },
        );
        let (lock_share, drain_ratio) = (7, FixedU128 { bits: 7 });
        check(
            Call::sudo_set_collateral_lock_share { netuid, lock_share },
            Event::CollateralLockShareSet { netuid, lock_share },
        );
        check(
            Call::sudo_set_collateral_drain_ratio { netuid, drain_ratio },
            Event::CollateralDrainRatioSet { netuid, drain_ratio },
        );
    });
}

#[test]
fn number_of_mechanisms_changes_when_the_owner_sets_it() {
    build_and_execute(|| {
        assert_ok!(dispatch(Call::sudo_set_mechanism_count { netuid: NETUID, mechanism_count: MechId(1) }, owner()));
        assert_eq!(pallet_subtensor::MechanismCountCurrent::<Test>::get(NETUID), MechId(1));
        assert_ok!(dispatch(Call::sudo_trim_to_max_allowed_uids { netuid: NETUID, max_n: 64 }, owner()));
        assert_eq!(pallet_subtensor::MaxAllowedUids::<Test>::get(NETUID), 64);
    });
}
