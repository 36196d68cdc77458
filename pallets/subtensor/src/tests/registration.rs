// SPDX-License-Identifier: Apache-2.0

//! Registration of neurons and subnets.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use sp_runtime::DispatchError;

fn register(number: u16) -> DispatchResult {
    SubtensorModule::burned_register(RuntimeOrigin::signed(cold(number)), NETUID, hot(number))
}

/// The default subnet, full with its seven neurons.
fn full() -> Ext {
    Ext::with(|parameters| parameters.max_allowed_uids = Some(7))
}

#[test]
fn neuron_gets_the_next_uid_when_there_is_room() {
    Ext::default().build_and_execute(|| {
        let price = Burn::<Test>::get(NETUID).0;
        let issued = Balances::total_issuance();
        assert_ok!(register(50));
        assert_eq!(last_event(), Event::NeuronRegistered(NETUID, 7, hot(50)));
        assert_eq!(Uids::<Test>::get(NETUID, hot(50)), Some(7));
        assert_eq!(Keys::<Test>::get(NETUID, 7), hot(50));
        assert_eq!(Owner::<Test>::get(hot(50)), cold(50));
        assert_eq!(SubnetworkN::<Test>::get(NETUID), 8);
        assert_eq!(BlockAtRegistration::<Test>::get(NETUID, 7), 1);
        assert_eq!(LastUpdate::<Test>::get(NetUidStorageIndex(4096 + 92)).to_vec(), [0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(Balances::free_balance(cold(50)), 10_000 * TAO - price);
        assert_eq!(Balances::total_issuance(), issued - price);
        assert_eq!(TotalIssuance::<Test>::get().0, issued - price);
        assert_eq!(RAORecycledForRegistration::<Test>::get(NETUID).0, price);
    });
}

#[test]
fn registration_is_refused_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        let call = |coldkey, netuid, hotkey| {
            SubtensorModule::burned_register(RuntimeOrigin::signed(coldkey), NetUid(netuid), hotkey)
        };
        assert_noop!(call(cold(50), 0, hot(50)), Error::<Test>::RegistrationNotPermittedOnRootSubnet);
        assert_noop!(call(cold(50), 91, hot(50)), Error::<Test>::SubnetNotExists);
        assert_noop!(call(cold(ALICE), 92, hot(ALICE)), Error::<Test>::HotKeyAlreadyRegisteredInSubNet);
        assert_noop!(call(cold(50), 92, SubtensorModule::account()), Error::<Test>::CannotUseSystemAccount);
        assert_noop!(call(hot(9_999), 92, hot(50)), Error::<Test>::NotEnoughBalanceToStake);
        Owner::<Test>::insert(hot(60), cold(60));
        assert_noop!(call(cold(50), 92, hot(60)), Error::<Test>::NonAssociatedColdKey);
        NetworkRegistrationAllowed::<Test>::insert(NETUID, false);
        assert_noop!(call(cold(50), 92, hot(50)), Error::<Test>::SubNetRegistrationDisabled);
    });
}

#[test]
fn second_registration_waits_a_block_when_one_is_allowed() {
    Ext::default().build_and_execute(|| {
        assert_ok!(register(50));
        assert_noop!(register(51), Error::<Test>::TooManyRegistrationsThisBlock);
        run_to(2);
        assert_ok!(register(51));
    });
}

#[test]
fn nothing_of_the_old_neuron_is_left_when_its_uid_is_taken() {
    full().build_and_execute(|| {
        let axon = AxonInfo { block: 1, ip: 1 << 24, port: 80, ip_type: 4, ..Default::default() };
        Axons::<Test>::insert(NETUID, hot(3), axon);
        Prometheus::<Test>::insert(NETUID, hot(3), PrometheusInfo::default());
        NeuronCertificates::<Test>::insert(NETUID, hot(3), NeuronCertificate::default());
        for index in SubtensorModule::mechanisms(NETUID) {
            Weights::<Test>::insert(index, 3, List::truncated(vec![(4, 1)]));
            Bonds::<Test>::insert(index, 3, List::truncated(vec![(4, 1)]));
            WeightCommits::<Test>::insert(index, hot(3), List::truncated(vec![Default::default()]));
        }
        ValidatorPermit::<Test>::mutate(NETUID, |permits| permits[3] = true);
        run_to(20);
        let emission = [9, 9, 9, 0, 9, 9, 9].map(AlphaBalance).to_vec();
        Emission::<Test>::insert(NETUID, List::truncated(emission));
        assert_ok!(register(50));
        assert_eq!(Uids::<Test>::get(NETUID, hot(50)), Some(3));
        assert_eq!(Uids::<Test>::get(NETUID, hot(3)), None);
        assert!(!IsNetworkMember::<Test>::get(hot(3), NETUID));
        assert!(!Axons::<Test>::contains_key(NETUID, hot(3)));
        assert!(!Prometheus::<Test>::contains_key(NETUID, hot(3)));
        assert!(!NeuronCertificates::<Test>::contains_key(NETUID, hot(3)));
        for index in SubtensorModule::mechanisms(NETUID) {
            assert!(!Weights::<Test>::contains_key(index, 3));
            assert!(!Bonds::<Test>::contains_key(index, 3));
            assert!(!WeightCommits::<Test>::contains_key(index, hot(3)));
            assert_eq!(LastUpdate::<Test>::get(index)[3], 20);
        }
        assert!(!SubtensorModule::has_validator_permit(NETUID, 3));
        assert_eq!(SubnetworkN::<Test>::get(NETUID), 7);
        assert_eq!(Removed::take(), [(NETUID, hot(3))]);
    });
}

#[test]
fn subnet_gets_the_lowest_free_number_when_it_is_registered() {
    let mut ext = Ext::default();
    ext.config.network_min_lock_cost = Some(TaoBalance(100 * TAO));
    ext.build_and_execute(|| {
        let call = |number: u16| SubtensorModule::register_network(RuntimeOrigin::signed(cold(number)), hot(number));
        assert_ok!(call(50));
        let seen = events();
        assert!(seen.contains(&Event::NetworkAdded(NetUid(1), 0)));
        assert!(seen.contains(&Event::NeuronRegistered(NetUid(1), 0, hot(50))));
        assert_eq!(SubnetOwner::<Test>::get(NetUid(1)), cold(50));
        assert_eq!(SubnetOwnerHotkey::<Test>::get(NetUid(1)), hot(50));
        assert_eq!(SubnetLocked::<Test>::get(NetUid(1)).0, 100 * TAO);
        assert_eq!(Balances::free_balance(cold(50)), 9_900 * TAO);
        assert_eq!(TotalNetworks::<Test>::get(), 2);
        assert!(Yuma3On::<Test>::get(NetUid(1)));
        assert_eq!(MaxAllowedValidators::<Test>::get(NetUid(1)), 64);
        assert_noop!(call(51), Error::<Test>::NetworkTxRateLimitExceeded);
        assert_noop!(
            SubtensorModule::register_network(RuntimeOrigin::signed(cold(51)), hot(ALICE)),
            Error::<Test>::NonAssociatedColdKey
        );
    });
}

#[test]
fn price_of_a_subnet_doubles_and_falls_when_one_is_registered() {
    let mut ext = Ext::default();
    ext.config.network_min_lock_cost = Some(TaoBalance(100 * TAO));
    ext.config.network_rate_limit = Some(0);
    ext.build_and_execute(|| {
        NetworkLockReductionInterval::<Test>::put(100);
        assert_eq!(SubtensorModule::network_lock_cost().0, 100 * TAO);
        assert_ok!(SubtensorModule::register_network(RuntimeOrigin::signed(cold(50)), hot(50)));
        assert_eq!(SubtensorModule::network_lock_cost().0, 200 * TAO);
        System::set_block_number(51);
        assert_eq!(SubtensorModule::network_lock_cost().0, 150 * TAO);
        System::set_block_number(501);
        assert_eq!(SubtensorModule::network_lock_cost().0, 100 * TAO);
        SubnetLimit::<Test>::put(2);
        assert_noop!(
            SubtensorModule::register_network(RuntimeOrigin::signed(cold(51)), hot(51)),
            Error::<Test>::SubnetLimitReached
        );
        SubnetLimit::<Test>::put(3);
        assert_noop!(
            SubtensorModule::register_network(RuntimeOrigin::signed(hot(9_999)), hot(51)),
            Error::<Test>::CannotAffordLockCost
        );
    });
}

#[test]
fn subnet_emits_from_the_next_block_when_its_owner_starts_it() {
    let mut ext = Ext::default();
    ext.config.network_min_lock_cost = Some(TaoBalance(100 * TAO));
    ext.build_and_execute(|| {
        assert_ok!(SubtensorModule::register_network(RuntimeOrigin::signed(cold(50)), hot(50)));
        let netuid = NetUid(1);
        StartCallDelay::<Test>::put(3);
        let call = |number| SubtensorModule::start_call(RuntimeOrigin::signed(cold(number)), netuid);
        assert_noop!(call(51), DispatchError::BadOrigin);
        assert_noop!(call(50), Error::<Test>::StartCallNotReady);
        run_to(4);
        assert_eq!(SubtensorModule::pending(netuid), 0);
        assert_ok!(call(50));
        assert_eq!(last_event(), Event::FirstEmissionBlockNumberSet(netuid, 5));
        assert_noop!(call(50), Error::<Test>::FirstEmissionBlockNumberAlreadySet);
        run_to(5);
        assert_eq!(SubtensorModule::pending(netuid), TAO / 2);
    });
}

#[test]
fn work_is_ignored_when_a_neuron_is_registered_with_it() {
    Ext::default().build_and_execute(|| {
        let price = Burn::<Test>::get(NETUID).0;
        let call = |number, netuid| {
            let origin = RuntimeOrigin::signed(cold(number));
            SubtensorModule::register(origin, NetUid(netuid), 9, 9, vec![9], hot(number), cold(7))
        };
        assert_noop!(call(50, 0), Error::<Test>::RegistrationNotPermittedOnRootSubnet);
        assert_noop!(call(50, 91), Error::<Test>::SubnetNotExists);
        assert_ok!(call(50, 92));
        assert_eq!(last_event(), Event::NeuronRegistered(NETUID, 7, hot(50)));
        // The signer pays and owns, whatever the argument says.
        assert_eq!(Owner::<Test>::get(hot(50)), cold(50));
        assert_eq!(Balances::free_balance(cold(50)), 10_000 * TAO - price);
    });
}

#[test]
fn registration_is_refused_when_the_price_is_above_the_limit() {
    Ext::default().build_and_execute(|| {
        let price = Burn::<Test>::get(NETUID).0;
        let call = |netuid, limit| {
            SubtensorModule::register_limit(RuntimeOrigin::signed(cold(50)), NetUid(netuid), hot(50), limit)
        };
        assert_noop!(call(0, 0), Error::<Test>::RegistrationNotPermittedOnRootSubnet);
        assert_noop!(call(91, 0), Error::<Test>::SubnetNotExists);
        assert_noop!(call(92, price - 1), Error::<Test>::RegistrationPriceLimitExceeded);
        assert_ok!(call(92, price));
        assert_eq!(Uids::<Test>::get(NETUID, hot(50)), Some(7));
    });
}

#[test]
fn subnet_says_what_it_is_when_registered_with_an_identity() {
    let mut ext = Ext::default();
    ext.config.network_min_lock_cost = Some(TaoBalance(100 * TAO));
    ext.config.network_rate_limit = Some(0);
    ext.build_and_execute(|| {
        let call = |number, identity| {
            let origin = RuntimeOrigin::signed(cold(number));
            SubtensorModule::register_network_with_identity(origin, hot(number), identity)
        };
        let identity = SubnetIdentityV3 { subnet_name: vec![b'n'; 256], ..Default::default() };
        let long = SubnetIdentityV3 { subnet_name: vec![b'n'; 257], ..Default::default() };
        assert_noop!(call(50, Some(long)), Error::<Test>::InvalidIdentity);
        assert_ok!(call(50, Some(identity.clone())));
        assert!(events().contains(&Event::SubnetIdentitySet(NetUid(1))));
        assert_eq!(SubnetIdentitiesV3::<Test>::get(NetUid(1)), Some(identity));
        assert_ok!(call(51, None));
        assert_eq!(SubnetIdentitiesV3::<Test>::get(NetUid(2)), None);
    });
}
