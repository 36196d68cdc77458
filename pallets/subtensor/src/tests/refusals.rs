// SPDX-License-Identifier: Apache-2.0

//! Every call with every refusal that it shares with others: each is asked of the call itself.

use super::mock::*;
use crate::*;
use sp_core::{H256, crypto::AccountId32};
use sp_runtime::{DispatchError, StateVersion, traits::Dispatchable};

/// A subnet that does not exist.
const NOWHERE: NetUid = NetUid(91);
/// A hotkey that nobody owns.
const NOBODY: u16 = 7_777;

/// What is dispatched by whom, and what it is refused with.
type Refusal = (&'static str, RuntimeOrigin, Call<Test>, DispatchError);

/// Makes a call of a kind for a hotkey on a subnet.
type OnSubnet = fn(AccountId32, NetUid) -> Call<Test>;
/// Makes a call of a kind for a hotkey.
type OfHotkey = fn(AccountId32) -> Call<Test>;
/// Makes an announcement of an address, a port and a type of address.
type Announce<'a> = &'a dyn Fn(u128, u16, u8) -> Call<Test>;

fn check(refusals: Vec<Refusal>) {
    for (name, origin, call, error) in refusals {
        let before = sp_io::storage::root(StateVersion::V1);
        let result = RuntimeCall::SubtensorModule(call.clone()).dispatch(origin);
        assert_eq!(result.map(|_| ()).map_err(|failed| failed.error), Err(error), "{name}: {call:?}");
        assert_eq!(sp_io::storage::root(StateVersion::V1), before, "{name} leaves something behind");
    }
}

fn coldkey(number: u16) -> RuntimeOrigin {
    RuntimeOrigin::signed(cold(number))
}

fn add(hotkey: AccountId32, netuid: NetUid) -> Call<Test> {
    Call::add_stake { hotkey, netuid, amount_staked: TaoBalance(TAO) }
}

fn add_limit(hotkey: AccountId32, netuid: NetUid) -> Call<Test> {
    let (amount_staked, limit_price) = (TaoBalance(TAO), TaoBalance(TAO));
    Call::add_stake_limit { hotkey, netuid, amount_staked, limit_price, allow_partial: false }
}

fn remove(hotkey: AccountId32, netuid: NetUid) -> Call<Test> {
    Call::remove_stake { hotkey, netuid, amount_unstaked: AlphaBalance(TAO) }
}

fn remove_limit(hotkey: AccountId32, netuid: NetUid) -> Call<Test> {
    let (amount_unstaked, limit_price) = (AlphaBalance(TAO), TaoBalance(TAO));
    Call::remove_stake_limit { hotkey, netuid, amount_unstaked, limit_price, allow_partial: false }
}

#[test]
fn stake_does_not_move_when_a_check_of_every_stake_call_fails() {
    Ext::default().build_and_execute(|| {
        let calls: [(&str, OnSubnet); 4] = [
            ("add_stake", add),
            ("add_stake_limit", add_limit),
            ("remove_stake", remove),
            ("remove_stake_limit", remove_limit),
        ];
        for (name, call) in calls {
            check(vec![
                (name, RuntimeOrigin::none(), call(hot(3), NETUID), DispatchError::BadOrigin),
                (name, coldkey(3), call(hot(3), NOWHERE), Error::<Test>::SubnetNotExists.into()),
                (name, coldkey(3), call(hot(NOBODY), NETUID), Error::<Test>::HotKeyAccountNotExists.into()),
            ]);
        }
        let short = Error::<Test>::NotEnoughStakeToWithdraw;
        check(vec![
            ("remove_stake", coldkey(50), remove(hot(ALICE), NETUID), short.into()),
            (
                "remove_stake_limit",
                coldkey(50),
                remove_limit(hot(ALICE), NETUID),
                Error::<Test>::NotEnoughStakeToWithdraw.into(),
            ),
        ]);
        SubtokenEnabled::<Test>::insert(NETUID, false);
        for (name, call) in calls {
            check(vec![(name, coldkey(3), call(hot(3), NETUID), Error::<Test>::SubtokenDisabled.into())]);
        }
    });
}

#[test]
fn nobody_is_registered_when_a_check_of_every_registration_fails() {
    Ext::default().build_and_execute(|| {
        let burned = |hotkey, netuid| Call::<Test>::burned_register { netuid, hotkey };
        let by_work = |hotkey, netuid| {
            let (block_number, nonce, work, coldkey) = (0, 0, vec![], cold(9));
            Call::<Test>::register { netuid, block_number, nonce, work, hotkey, coldkey }
        };
        let limited = |hotkey, netuid| Call::<Test>::register_limit { netuid, hotkey, limit_price: u64::MAX };
        let calls: [(&str, OnSubnet); 3] =
            [("burned_register", burned), ("register", by_work), ("register_limit", limited)];
        let own = SubtensorModule::account();
        let poor = || RuntimeOrigin::signed(hot(9_999));
        let cases = |name, call: OnSubnet| -> Vec<Refusal> {
            vec![
                (name, RuntimeOrigin::none(), call(hot(50), NETUID), DispatchError::BadOrigin),
                (
                    name,
                    coldkey(50),
                    call(hot(50), NetUid::ROOT),
                    Error::<Test>::RegistrationNotPermittedOnRootSubnet.into(),
                ),
                (name, coldkey(50), call(hot(50), NOWHERE), Error::<Test>::SubnetNotExists.into()),
                (name, coldkey(3), call(hot(3), NETUID), Error::<Test>::HotKeyAlreadyRegisteredInSubNet.into()),
                (name, coldkey(50), call(own.clone(), NETUID), Error::<Test>::CannotUseSystemAccount.into()),
                (name, coldkey(50), call(hot(60), NETUID), Error::<Test>::NonAssociatedColdKey.into()),
                (name, poor(), call(hot(50), NETUID), Error::<Test>::NotEnoughBalanceToStake.into()),
            ]
        };
        Owner::<Test>::insert(hot(60), cold(60));
        for (name, call) in calls {
            check(cases(name, call));
        }
        RegistrationsThisBlock::<Test>::insert(NETUID, 1);
        for (name, call) in calls {
            check(vec![(
                name,
                coldkey(50),
                call(hot(50), NETUID),
                Error::<Test>::TooManyRegistrationsThisBlock.into(),
            )]);
        }
        NetworkRegistrationAllowed::<Test>::insert(NETUID, false);
        for (name, call) in calls {
            check(vec![(name, coldkey(50), call(hot(50), NETUID), Error::<Test>::SubNetRegistrationDisabled.into())]);
        }
    });
}

#[test]
fn no_subnet_is_registered_or_started_when_a_check_fails() {
    Ext::default().build_and_execute(|| {
        let plain = |hotkey| Call::<Test>::register_network { hotkey };
        let named = |hotkey| Call::<Test>::register_network_with_identity { hotkey, identity: None };
        let calls: [(&str, OfHotkey); 2] = [("register_network", plain), ("register_network_with_identity", named)];
        for (name, call) in calls {
            LastRateLimitedBlock::<Test>::remove(RateLimitKey::<AccountId32>::NetworkLastRegistered);
            let poor = RuntimeOrigin::signed(hot(9_999));
            check(vec![
                (name, RuntimeOrigin::none(), call(hot(50)), DispatchError::BadOrigin),
                (name, coldkey(50), call(hot(ALICE)), Error::<Test>::NonAssociatedColdKey.into()),
                (name, coldkey(50), call(SubtensorModule::account()), Error::<Test>::CannotUseSystemAccount.into()),
                (name, poor, call(hot(50)), Error::<Test>::CannotAffordLockCost.into()),
            ]);
            LastRateLimitedBlock::<Test>::insert(RateLimitKey::<AccountId32>::NetworkLastRegistered, 1);
            check(vec![(name, coldkey(50), call(hot(50)), Error::<Test>::NetworkTxRateLimitExceeded.into())]);
        }
        let start = |netuid| Call::<Test>::start_call { netuid };
        check(vec![
            ("start_call", RuntimeOrigin::none(), start(NETUID), DispatchError::BadOrigin),
            ("start_call", coldkey(ALICE), start(NETUID), DispatchError::BadOrigin),
            ("start_call", coldkey(OWNER), start(NOWHERE), Error::<Test>::SubnetNotExists.into()),
            ("start_call", coldkey(OWNER), start(NETUID), Error::<Test>::FirstEmissionBlockNumberAlreadySet.into()),
        ]);
    });
}

#[test]
fn nothing_is_announced_when_a_check_of_every_announcement_fails() {
    Ext::default().build_and_execute(|| {
        let (version, protocol, placeholder1, placeholder2) = (1, 4, 0, 0);
        let plain = |ip, port, ip_type| Call::<Test>::serve_axon {
            netuid: NETUID,
            version,
            ip,
            port,
            ip_type,
            protocol,
            placeholder1,
            placeholder2,
        };
        let tls = |ip, port, ip_type| Call::<Test>::serve_axon_tls {
            netuid: NETUID,
            version,
            ip,
            port,
            ip_type,
            protocol,
            placeholder1,
            placeholder2,
            certificate: vec![1],
        };
        let metrics = |ip, port, ip_type| Call::<Test>::serve_prometheus { netuid: NETUID, version, ip, port, ip_type };
        let calls: [(&str, Announce<'_>); 3] =
            [("serve_axon", &plain), ("serve_axon_tls", &tls), ("serve_prometheus", &metrics)];
        for (name, call) in calls {
            check(vec![
                (name, RuntimeOrigin::none(), call(1 << 24, 80, 4), DispatchError::BadOrigin),
                (name, signed(200), call(1 << 24, 80, 4), Error::<Test>::HotKeyNotRegisteredInNetwork.into()),
                (name, signed(3), call(1 << 24, 80, 5), Error::<Test>::InvalidIpType.into()),
                (name, signed(3), call(0x7f00_0001, 80, 4), Error::<Test>::InvalidIpAddress.into()),
                (name, signed(3), call(1 << 24, 0, 4), Error::<Test>::InvalidPort.into()),
            ]);
            Axons::<Test>::insert(NETUID, hot(3), AxonInfo { block: 1, port: 80, ..Default::default() });
            Prometheus::<Test>::insert(NETUID, hot(3), PrometheusInfo { block: 1, port: 80, ..Default::default() });
            check(vec![(name, signed(3), call(1 << 24, 80, 4), Error::<Test>::ServingRateLimitExceeded.into())]);
            Axons::<Test>::remove(NETUID, hot(3));
            Prometheus::<Test>::remove(NETUID, hot(3));
        }
    });
}

#[test]
fn no_weights_are_taken_when_a_check_of_every_weight_call_fails() {
    Ext::default().build_and_execute(|| {
        let main = NetUidStorageIndex(92);
        let (dests, values) = (vec![3], vec![1]);
        let set = |netuid, _| Call::<Test>::set_weights {
            netuid,
            dests: dests.clone(),
            weights: values.clone(),
            version_key: 0,
        };
        let set_of = |netuid, mecid| Call::<Test>::set_mechanism_weights {
            netuid,
            mecid,
            dests: dests.clone(),
            weights: values.clone(),
            version_key: 0,
        };
        let commit = |netuid, _| Call::<Test>::commit_weights { netuid, commit_hash: H256::zero() };
        let commit_of =
            |netuid, mecid| Call::<Test>::commit_mechanism_weights { netuid, mecid, commit_hash: H256::zero() };
        let reveal = |netuid, _| Call::<Test>::reveal_weights {
            netuid,
            uids: dests.clone(),
            values: values.clone(),
            salt: vec![],
            version_key: 0,
        };
        let reveal_of = |netuid, mecid| Call::<Test>::reveal_mechanism_weights {
            netuid,
            mecid,
            uids: dests.clone(),
            values: values.clone(),
            salt: vec![],
            version_key: 0,
        };
        let (lock, reveal_round, commit_reveal_version) = (|| vec![1].try_into().unwrap(), 9, 4);
        let timelocked = |netuid, _| Call::<Test>::commit_timelocked_weights {
            netuid,
            commit: lock(),
            reveal_round,
            commit_reveal_version,
        };
        let timelocked_of = |netuid, mecid| Call::<Test>::commit_timelocked_mechanism_weights {
            netuid,
            mecid,
            commit: lock(),
            reveal_round,
            commit_reveal_version,
        };
        let older =
            |netuid, mecid| Call::<Test>::commit_crv3_mechanism_weights { netuid, mecid, commit: lock(), reveal_round };

        type Make<'a> = &'a dyn Fn(NetUid, MechId) -> Call<Test>;
        let plain: [(&str, Make<'_>); 2] = [("set_weights", &set), ("set_mechanism_weights", &set_of)];
        let commits: [(&str, Make<'_>); 5] = [
            ("commit_weights", &commit),
            ("commit_mechanism_weights", &commit_of),
            ("commit_timelocked_weights", &timelocked),
            ("commit_timelocked_mechanism_weights", &timelocked_of),
            ("commit_crv3_mechanism_weights", &older),
        ];
        let reveals: [(&str, Make<'_>); 2] = [("reveal_weights", &reveal), ("reveal_mechanism_weights", &reveal_of)];
        let one = MechId(1);
        let missing = || Error::<Test>::MechanismDoesNotExist.into();

        // The subnet wants commits.
        StakeThreshold::<Test>::put(TAO);
        for (name, call) in plain {
            check(vec![(name, signed(ALICE), call(NETUID, one), Error::<Test>::CommitRevealEnabled.into())]);
        }
        for (name, call) in commits {
            check(vec![
                (name, RuntimeOrigin::none(), call(NETUID, one), DispatchError::BadOrigin),
                (
                    name,
                    signed(ALICE),
                    call(NetUid::ROOT, MechId::MAIN),
                    Error::<Test>::CanNotSetRootNetworkWeights.into(),
                ),
                (name, signed(ALICE), call(NOWHERE, one), missing()),
                (name, signed(200), call(NETUID, one), Error::<Test>::HotKeyNotRegisteredInSubNet.into()),
                (name, signed(3), call(NETUID, one), Error::<Test>::NotEnoughStakeToSetWeights.into()),
            ]);
        }
        for (name, call) in reveals {
            check(vec![
                (name, RuntimeOrigin::none(), call(NETUID, one), DispatchError::BadOrigin),
                (name, signed(ALICE), call(NOWHERE, one), Error::<Test>::SubnetNotExists.into()),
                (name, signed(ALICE), call(NETUID, one), Error::<Test>::NoWeightsCommitFound.into()),
            ]);
        }
        for call in [&set_of as Make<'_>, &commit_of, &timelocked_of, &older, &reveal_of] {
            // With plain weights first, then without: the mechanism is looked for before either.
            CommitRevealWeightsEnabled::<Test>::insert(NETUID, false);
            check(vec![("a mechanism", signed(ALICE), call(NETUID, MechId(2)), missing())]);
            CommitRevealWeightsEnabled::<Test>::insert(NETUID, true);
        }
        for (name, call) in commits {
            LastUpdate::<Test>::mutate(main, |blocks| blocks[usize::from(ALICE)] = 1);
            LastUpdate::<Test>::mutate(NetUidStorageIndex::new(NETUID, one), |blocks| blocks[usize::from(ALICE)] = 1);
            check(vec![(name, signed(ALICE), call(NETUID, one), Error::<Test>::CommittingWeightsTooFast.into())]);
        }
        // A commit that came to light with weights that a check refuses: nothing is registered any more.
        for (index, call) in [(main, &reveal as Make<'_>), (NetUidStorageIndex::new(NETUID, one), &reveal_of)] {
            let hash = SubtensorModule::commit_hash(&hot(3), index, &dests, &values, &[], 0);
            let queue = List::truncated(vec![(hash, 0, 1, 0)]);
            WeightCommits::<Test>::insert(index, hot(3), queue);
            SubnetEpochIndex::<Test>::insert(NETUID, 1);
            check(vec![("a reveal", signed(3), call(NETUID, one), Error::<Test>::NotEnoughStakeToSetWeights.into())]);
            WeightCommits::<Test>::remove(index, hot(3));
            SubnetEpochIndex::<Test>::insert(NETUID, 0);
        }

        // The subnet wants plain weights.
        CommitRevealWeightsEnabled::<Test>::insert(NETUID, false);
        CommitRevealWeightsEnabled::<Test>::insert(NOWHERE, false);
        for (name, call) in commits.into_iter().chain(reveals) {
            check(vec![(name, signed(ALICE), call(NETUID, one), Error::<Test>::CommitRevealDisabled.into())]);
        }
        for (name, call) in plain {
            check(vec![
                (name, RuntimeOrigin::none(), call(NETUID, one), DispatchError::BadOrigin),
                (name, signed(ALICE), call(NOWHERE, one), missing()),
                (name, signed(200), call(NETUID, one), Error::<Test>::HotKeyNotRegisteredInSubNet.into()),
                (name, signed(3), call(NETUID, one), Error::<Test>::NotEnoughStakeToSetWeights.into()),
                (name, signed(ALICE), call(NETUID, one), Error::<Test>::SettingWeightsTooFast.into()),
            ]);
        }
        CommitRevealWeightsEnabled::<Test>::insert(NetUid::ROOT, false);
        for (name, call) in plain {
            let error = Error::<Test>::CanNotSetRootNetworkWeights;
            check(vec![(name, signed(ALICE), call(NetUid::ROOT, MechId::MAIN), error.into())]);
        }
    });
}
