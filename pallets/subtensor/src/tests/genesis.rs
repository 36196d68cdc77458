// SPDX-License-Identifier: Apache-2.0

//! Subnets from the first block.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn subnet_is_as_configured_when_the_chain_begins() {
    Ext::default().build_and_execute(|| {
        assert_eq!(SubtensorModule::netuids(), [NETUID]);
        assert_eq!(TotalNetworks::<Test>::get(), 1);
        assert_eq!(SubnetworkN::<Test>::get(NETUID), 7);
        assert_eq!(MechanismCountCurrent::<Test>::get(NETUID), MechId(2));
        assert_eq!(Tempo::<Test>::get(NETUID), 10);
        assert_eq!(WeightsSetRateLimit::<Test>::get(NETUID), 5);
        // What was not given is what a new subnet has.
        assert_eq!(MinAllowedWeights::<Test>::get(NETUID), 1);
        assert_eq!(Kappa::<Test>::get(NETUID), 32_767);
        assert!(SubtokenEnabled::<Test>::get(NETUID));
        assert_eq!(FirstEmissionBlockNumber::<Test>::get(NETUID), Some(1));
        let permits = ValidatorPermit::<Test>::get(NETUID).to_vec();
        assert_eq!(permits, [false, true, true, false, false, false, false]);
        assert_eq!(TotalHotkeyAlpha::<Test>::get(hot(ALICE), NETUID).0, 2_000 * TAO);
        assert_eq!(TotalIssuance::<Test>::get().0, 300 * 10_000 * TAO + 3_000 * TAO + TAO + 500);
    });
}

#[test]
fn netuids_below_are_vacant_when_the_config_says_so() {
    let mut ext = Ext::default();
    ext.config.vacant_below = Some(NETUID);
    ext.build_and_execute(|| {
        let all: Vec<NetUid> = (1..=NETUID.0).map(NetUid).collect();
        assert_eq!(SubtensorModule::netuids(), all);
        assert_eq!(TotalNetworks::<Test>::get(), NETUID.0);
        assert_eq!(SubnetworkN::<Test>::get(NETUID), 7, "the configured one is as it was");

        run_to(30);
        let vacant = NetUid(7);
        assert!(!SubnetOwner::<Test>::contains_key(vacant));
        assert_eq!((SubnetworkN::<Test>::get(vacant), SubnetEpochIndex::<Test>::get(vacant)), (0, 0));
        assert_eq!(SubtensorModule::next_epoch_start_block(vacant), None);
        assert_eq!((SubtensorModule::pending(vacant), SubnetAlphaOut::<Test>::get(vacant).0), (0, 0));
        assert!(SubnetEpochIndex::<Test>::get(NETUID) > 0, "the others do not put its epochs off");
        assert_noop!(
            SubtensorModule::burned_register(RuntimeOrigin::signed(cold(50)), vacant, hot(50)),
            Error::<Test>::SubNetRegistrationDisabled
        );
        assert_noop!(SubtensorModule::start_call(RuntimeOrigin::signed(cold(50)), vacant), DispatchError::BadOrigin);
        assert_ok!(SubtensorModule::register_network(RuntimeOrigin::signed(cold(50)), hot(50)));
        assert_eq!(SubtensorModule::netuids().last(), Some(&NetUid(NETUID.0 + 1)));
    });
}

#[test]
fn config_reads_as_written_when_it_is_json() {
    let config = Ext::default().config;
    let text = serde_json::to_string(&config).unwrap();
    let read: GenesisConfig<Test> = serde_json::from_str(&text).unwrap();
    assert_eq!(read.subnets, config.subnets);
    let short = format!(
        r#"{{"subnets":[{{"netuid":92,"owner":{0},"ownerHotkey":{0},"hyperparameters":{{"tempo":20}},
            "neurons":[{{"hotkey":{0},"coldkey":{0}}}]}}]}}"#,
        serde_json::to_string(&hot(1)).unwrap()
    );
    let read: GenesisSubnet<sp_core::crypto::AccountId32> =
        serde_json::from_value(serde_json::from_str::<serde_json::Value>(&short).unwrap()["subnets"][0].clone())
            .unwrap();
    assert_eq!(read.hyperparameters, Hyperparameters { tempo: Some(20), ..Default::default() });
    assert_eq!((read.mechanisms, read.neurons[0].stake), (1, 0));
}

#[test]
#[should_panic(expected = "netuid 0 is not in 1 ..= 4095")]
fn genesis_stops_when_the_netuid_is_root() {
    let mut ext = Ext::default();
    ext.config.subnets[0].netuid = NetUid::ROOT;
    ext.build_and_execute(|| {});
}

#[test]
#[should_panic(expected = "netuid 92 has the hotkey of uid 2 twice")]
fn genesis_stops_when_a_hotkey_is_there_twice() {
    let mut ext = Ext::default();
    ext.config.subnets[0].neurons[2] = ext.config.subnets[0].neurons[1].clone();
    ext.build_and_execute(|| {});
}

#[test]
#[should_panic(expected = "is there with two coldkeys")]
fn genesis_stops_when_a_hotkey_has_two_owners() {
    let mut ext = Ext::default();
    let mut other = ext.config.subnets[0].clone();
    other.netuid = NetUid(5);
    other.neurons[1].coldkey = cold(77);
    ext.config.subnets.push(other);
    ext.build_and_execute(|| {});
}

#[test]
#[should_panic(expected = "netuid 92 has 7 neurons, more than the 6 allowed")]
fn genesis_stops_when_there_are_too_many_neurons() {
    Ext::with(|parameters| parameters.max_allowed_uids = Some(6)).build_and_execute(|| {});
}

#[test]
fn reads_agree_with_storage_when_other_pallets_ask() {
    Ext::default().build_and_execute(|| {
        type Info = SubtensorModule;
        run_to(12);
        let epoch = EpochInfo { index: 1, start: 10, tempo: 10 };
        assert_eq!(<Info as SubnetInfo<_>>::epoch(NETUID), Some(epoch));
        assert_eq!(<Info as SubnetInfo<_>>::epoch(NetUid(1)), None);
        assert_eq!(<Info as SubnetInfo<_>>::uid(NETUID, &hot(3)), Some(3));
        assert_eq!(<Info as SubnetInfo<_>>::hotkey(NETUID, 3), Some(hot(3)));
        assert_eq!(<Info as SubnetInfo<_>>::hotkey(NETUID, 7), None);
        assert!(<Info as SubnetInfo<_>>::has_permit(NETUID, &hot(ALICE)));
        assert!(!<Info as SubnetInfo<_>>::has_permit(NETUID, &hot(3)));
        assert_eq!(<Info as SubnetInfo<_>>::owner(NETUID), Some(cold(OWNER)));
        assert_eq!(<Info as SubnetInfo<sp_core::crypto::AccountId32>>::owner(NetUid(1)), None);
        let validators = <Info as SubnetInfo<_>>::validators(NETUID);
        let stake = |number| SubtensorModule::stake_weight(NETUID, &hot(number));
        assert!(validators.contains(&(hot(ALICE), stake(ALICE))));
        assert_eq!(validators.len(), 3);
    });
}
