// SPDX-License-Identifier: Apache-2.0
//! Genesis is the same whoever builds it: a preset in the Wasm, a specification, the native half.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_chain_spec::{Preset, Topology, genesis_storage};
use clawrank_primitives::Params;
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
        Options::preset(Preset::Localnet),
        Options::preset(Preset::Sn92),
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

#[test]
fn subnet_has_the_default_parameters_when_a_local_chain_begins() {
    for name in genesis::preset_names() {
        let topology = Topology::preset(&name).unwrap();
        let netuid = NetUid(topology.subnet.netuid);
        let stored = Chain::new(&topology).read(|| pallet_provider_rank::SubnetParams::<Runtime>::get(netuid));
        assert_eq!(stored, Some(Params::clawrank()), "{name}");
    }
}

#[test]
fn localnet_holds_what_subtensors_does_when_it_begins() {
    use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve, Ferdie, One, Two};

    let mut chain = Chain::with_options(&Options::preset(Preset::Localnet));
    chain.read(|| {
        for rich in [Alice, Bob, Charlie] {
            assert_eq!(Balances::balance(&rich.to_account_id()), 1_000_000 * TAO, "{rich:?}");
        }
        for modest in [Dave, Eve, Ferdie, One, Two] {
            assert_eq!(Balances::balance(&modest.to_account_id()), 2_000 * TAO, "{modest:?}");
        }
        let three = clawrank_chain_spec::parse_account("three", "//Three").unwrap();
        assert_eq!(Balances::balance(&three), 2_000 * TAO);
        assert_eq!(pallet_sudo::Key::<Runtime>::get(), Some(Alice.to_account_id()));
        assert_eq!(SubtensorModule::netuids(), [NetUid(1)]);
        assert_eq!(subtensor::SubnetworkN::<Runtime>::get(NetUid(1)), 1, "the owner");
    });
}

#[test]
fn subnet_92_is_as_registered_when_the_rehearsal_begins() {
    let mut chain = Chain::with_options(&Options::preset(Preset::Sn92));
    chain.read(|| {
        assert_eq!(SubtensorModule::netuids(), (1..=NETUID.0).map(NetUid).collect::<Vec<_>>());
        for vacant in (1..NETUID.0).map(NetUid) {
            assert_eq!(subtensor::SubnetworkN::<Runtime>::get(vacant), 0, "{vacant}");
            assert!(!subtensor::SubnetOwner::<Runtime>::contains_key(vacant), "{vacant}");
            assert_eq!(SubtensorModule::next_epoch_start_block(vacant), None, "{vacant}");
        }
        let graph = SubtensorModule::get_metagraph(NETUID).unwrap();
        assert_eq!(
            (graph.num_uids.0, graph.max_uids.0, graph.max_validators.0, graph.min_allowed_weights.0),
            (1, 256, 64, 1)
        );
        assert_eq!((graph.tempo.0, graph.immunity_period.0, graph.weights_rate_limit.0), (360, 5_000, 100));
        assert_eq!((graph.kappa.0, graph.rho.0, graph.bonds_moving_avg.0), (32_767, 10, 900_000));
        assert_eq!((graph.commit_reveal_weights_enabled, graph.commit_reveal_period.0), (true, 1));
        assert_eq!((graph.alpha_low.0, graph.alpha_high.0, graph.activity_cutoff.0), (45_875, 58_982, 5_000));
        assert_eq!(subtensor::BondsPenalty::<Runtime>::get(NETUID), 65_535);
        assert!(subtensor::Yuma3On::<Runtime>::get(NETUID));
    });
}
