// SPDX-License-Identifier: Apache-2.0
//! Genesis is the same whoever builds it: a preset in the Wasm, a specification, the native half.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_chain_spec::{Preset, Topology, genesis_storage};
use clawrank_runtime::{Balances, Runtime, SubtensorModule, TAO, genesis};
use clawrank_runtime_tests::chain::{Chain, Options, wasm};
use frame_support::traits::fungible::Inspect;
use pallet_subtensor::{self as subtensor, NetUid};
use sc_chain_spec::GenesisConfigBuilderRuntimeCaller;

const NETUID: NetUid = NetUid(92);

#[test]
fn presets_in_the_wasm_are_the_topologies_when_asked_by_name() {
    let caller = GenesisConfigBuilderRuntimeCaller::<()>::new(wasm());
    assert_eq!(caller.preset_names().unwrap(), genesis::preset_names());
    for name in genesis::preset_names() {
        let preset = caller.get_named_preset(Some(&name)).unwrap();
        assert_eq!(preset, Topology::preset(&name).unwrap().patch(), "{name}");
    }
}

#[test]
fn native_genesis_equals_the_wasms_when_built_from_one_topology() {
    let caller = GenesisConfigBuilderRuntimeCaller::<()>::new(wasm());
    for options in [
        Options::preset(Preset::Development),
        Options::preset(Preset::LocalTestnet),
        Options { miners: Some(190), validators: Some(64), ..Options::default() },
    ] {
        let topology = options.topology().unwrap();
        let built = caller.get_storage_for_patch(topology.patch()).unwrap();
        let native = genesis_storage(&topology).unwrap();
        let without_code = |storage: sp_core::storage::Storage| {
            let mut top = storage.top;
            top.remove(sp_core::storage::well_known_keys::CODE);
            top
        };
        assert_eq!(without_code(native), without_code(built));
    }
}

#[test]
fn neurons_are_registered_staked_and_funded_when_the_chain_begins() {
    let options = Options { miners: Some(5), validators: Some(3), tempo: Some(12), ..Options::default() };
    let topology = options.topology().unwrap();
    let mut chain = Chain::with_options(&options);
    chain.read(|| {
        assert_eq!(subtensor::SubnetworkN::<Runtime>::get(NETUID), 9);
        for (uid, neuron) in (0..).zip(topology.subnet.neurons()) {
            assert_eq!(subtensor::Keys::<Runtime>::get(NETUID, uid), neuron.hotkey);
            assert_eq!(subtensor::Owner::<Runtime>::get(&neuron.hotkey), neuron.coldkey);
            assert_eq!(SubtensorModule::stake_weight(NETUID, &neuron.hotkey), neuron.stake, "uid {uid}");
            assert!(Balances::balance(&neuron.hotkey) >= 100 * TAO);
            assert!(Balances::balance(&neuron.coldkey) >= 10_000 * TAO);
        }
        let permits = subtensor::ValidatorPermit::<Runtime>::get(NETUID);
        assert!(permits[1..=3].iter().all(|permit| *permit), "validators may set weights at once: {permits:?}");
        assert_eq!(subtensor::Tempo::<Runtime>::get(NETUID), 12);
        assert_eq!(subtensor::MechanismCountCurrent::<Runtime>::get(NETUID).0, 2);
        assert_eq!(subtensor::SubnetOwner::<Runtime>::get(NETUID), topology.subnet.owner.coldkey);
    });
}
