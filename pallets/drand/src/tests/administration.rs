// SPDX-License-Identifier: Apache-2.0

//! Genesis, and what root may change.

use super::mock::*;
use crate::*;
use clawrank_timelock::{BeaconParams, DEV_BEACON, DevBeacon, QUICKNET};
use frame_support::{BoundedVec, assert_noop, assert_ok};
use sp_runtime::{BuildStorage, traits::BadOrigin};

fn change(config: BeaconConfiguration) -> frame_support::dispatch::DispatchResult {
    let public = PulsesPayload::new(1_u32, Vec::new()).public;
    Drand::set_beacon_config(
        RuntimeOrigin::root(),
        BeaconConfigurationPayload { block_number: 1, config, public },
        None,
    )
}

fn other() -> BeaconConfiguration {
    let public_key = DevBeacon::from_seed(&[9; 32]).public_key();
    BeaconConfiguration::local(&BeaconParams { public_key, ..DEV_BEACON })
}

#[test]
fn beacon_is_quicknet_when_genesis_names_none() {
    sp_io::TestExternalities::from(storage(None)).execute_with(|| {
        let config = BeaconConfig::<Test>::get();
        assert!(config.is_quicknet());
        assert_eq!(config.params(), Some(QUICKNET));
        assert_eq!(config, BeaconConfiguration::default());
    });
}

#[test]
fn beacon_is_the_local_one_when_genesis_names_it() {
    build_and_execute(|| {
        let config = BeaconConfig::<Test>::get();
        assert_eq!(config.params(), Some(DEV_BEACON));
        assert!(!config.is_quicknet());
    });
}

#[test]
fn genesis_reads_hex_when_written_as_json() {
    let key = hex::encode(DEV_BEACON.public_key);
    let json = format!(r#"{{"beacon":{{"publicKey":"0x{key}","period":1,"genesisTime":5}}}}"#);
    let genesis: GenesisConfig<Test> = serde_json::from_str(&json).unwrap();
    let beacon = genesis.beacon.clone().unwrap();
    assert_eq!((beacon.public_key.as_slice(), beacon.period, beacon.genesis_time), (&DEV_BEACON.public_key[..], 1, 5));
    assert_eq!(serde_json::to_string(&genesis).unwrap(), json);
    let empty: GenesisConfig<Test> = serde_json::from_str(r#"{"beacon":null}"#).unwrap();
    assert_eq!(empty.beacon, None);
}

#[test]
fn genesis_is_refused_when_no_pulse_could_be_verified() {
    let short = LocalBeacon { public_key: vec![1; 95], ..local() };
    let no_point = LocalBeacon { public_key: vec![1; 96], ..local() };
    let still = LocalBeacon { period: 0, ..local() };
    for beacon in [short, no_point, still] {
        let genesis = GenesisConfig::<Test> { beacon: Some(beacon.clone()), ..Default::default() };
        assert!(std::panic::catch_unwind(|| genesis.build_storage()).is_err(), "{beacon:?}");
    }
}

#[test]
fn config_changes_when_root_names_another_beacon() {
    build_and_execute(|| {
        store([NOW - 1, NOW]);
        assert_ok!(change(other()));
        assert_eq!(BeaconConfig::<Test>::get(), other());
        assert_eq!((stored(), bounds()), (vec![], (0, 0)), "rounds of the former beacon are gone");
        System::assert_last_event(Event::BeaconConfigChanged.into());
        next_block(NOW);
        assert!(apply(pulses([NOW])).is_err(), "the former beacon signs no more");
    });
}

#[test]
fn pulses_stay_when_only_names_change() {
    build_and_execute(|| {
        store([NOW]);
        let mut config = BeaconConfig::<Test>::get();
        config.metadata.beacon_id = BoundedVec::truncate_from(b"renamed".to_vec());
        assert_ok!(change(config.clone()));
        assert_eq!((BeaconConfig::<Test>::get(), stored()), (config, vec![NOW]));
    });
}

#[test]
fn config_is_refused_when_no_pulse_could_be_verified() {
    build_and_execute(|| {
        let mut short = other();
        short.public_key.pop();
        let mut no_point = other();
        no_point.public_key[95] ^= 1;
        let mut still = other();
        still.period = 0;
        for config in [short, no_point, still] {
            assert_noop!(change(config), Error::<Test>::PulseVerificationError);
        }
    });
}

#[test]
fn config_is_refused_when_too_many_pulses_would_go() {
    let mut ext = new_test_ext();
    ext.execute_with(|| {
        fake(1..=u64::from(MAX_CLEARED_PULSES) + 1);
        LastStoredRound::<Test>::put(u64::from(MAX_CLEARED_PULSES) + 1);
    });
    // The bound is on what earlier blocks stored.
    ext.commit_all().unwrap();
    ext.execute_with(|| {
        assert_noop!(change(other()), Error::<Test>::StorageOverflow);
        assert_eq!(BeaconConfig::<Test>::get().params(), Some(DEV_BEACON));
    });
}

#[test]
fn oldest_round_rises_when_root_says_so() {
    build_and_execute(|| {
        store(NOW - 9..=NOW);
        assert_ok!(Drand::set_oldest_stored_round(RuntimeOrigin::root(), NOW - 2));
        assert_eq!((stored(), bounds()), (vec![NOW - 2, NOW - 1, NOW], (NOW - 2, NOW)));
        System::assert_last_event(Event::SetOldestStoredRound(NOW - 2).into());
        assert_ok!(Drand::set_oldest_stored_round(RuntimeOrigin::root(), NOW));
        assert_eq!(stored(), [NOW]);
    });
}

#[test]
fn oldest_round_is_refused_when_not_stored_or_far() {
    build_and_execute(|| {
        store([NOW - 2_000, NOW]);
        for round in [0, NOW - 2_001, NOW - 999, NOW + 1, u64::MAX] {
            assert_noop!(
                Drand::set_oldest_stored_round(RuntimeOrigin::root(), round),
                Error::<Test>::InvalidRoundNumber
            );
        }
        assert_ok!(Drand::set_oldest_stored_round(RuntimeOrigin::root(), NOW - 1_000));
    });
}

#[test]
fn calls_are_refused_when_the_origin_is_not_root() {
    build_and_execute(|| {
        let public = PulsesPayload::new(1_u32, Vec::new()).public;
        let payload = BeaconConfigurationPayload { block_number: 1, config: other(), public };
        assert_noop!(Drand::set_beacon_config(RuntimeOrigin::signed(1), payload, None), BadOrigin);
        assert_noop!(Drand::set_oldest_stored_round(RuntimeOrigin::signed(1), 0), BadOrigin);
    });
}
