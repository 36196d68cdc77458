// SPDX-License-Identifier: Apache-2.0
//! `localnet` is Subtensor's, by the answers that a node of it gave to Bittensor's SDK.

use super::*;
use crate::{AccountId, Runtime, RuntimeGenesisConfig, SubtensorModule};
use codec::{Decode, Encode};
use pallet_subtensor::{
    self as subtensor, NetUid,
    rpc_info::{hyperparameters::SubnetHyperparams, neuron_info::NeuronInfoLite, stake_info::StakeInfo},
};
use serde_json::Value;
use sp_runtime::BuildStorage;

const NETUID: NetUid = NetUid(1);

/// The bytes with which Subtensor's localnet answered `api_method`.
fn answer(api_method: &str) -> Vec<u8> {
    let golden: Value = serde_json::from_str(include_str!("../../tests/data/public-localnet.json")).unwrap();
    let calls = golden["runtime_calls"].as_array().unwrap();
    let name = |call: &Value| format!("{}_{}", call["api"].as_str().unwrap(), call["method"].as_str().unwrap());
    let call = calls.iter().find(|call| name(call) == api_method).unwrap();
    sp_core::bytes::from_hex(call["raw_hex"].as_str().unwrap()).unwrap()
}

/// `patch` over `value`, object by object.
fn merge(value: &mut Value, patch: Value) {
    match (value, patch) {
        (Value::Object(value), Value::Object(patch)) => {
            for (name, patch) in patch {
                merge(value.entry(name).or_insert(Value::Null), patch);
            }
        }
        (value, patch) => *value = patch,
    }
}

fn on(preset: &str, test: impl FnOnce()) {
    let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).unwrap();
    merge(&mut config, Topology::preset(preset).unwrap().patch());
    let config: RuntimeGenesisConfig = serde_json::from_value(config).unwrap();
    sp_io::TestExternalities::from(config.build_storage().unwrap()).execute_with(test);
}

/// Fails unless `bytes` are a `T`, whole, and a `T` is written as these bytes.
fn decode<T: Decode + Encode>(bytes: &[u8]) -> T {
    let mut rest = bytes;
    let value = T::decode(&mut rest).unwrap();
    assert!(rest.is_empty(), "{} bytes are left", rest.len());
    assert_eq!(value.encode(), bytes);
    value
}

#[test]
fn subtensors_answers_are_ours_when_decoded_and_encoded_again() {
    decode::<Vec<NeuronInfoLite<AccountId>>>(&answer("NeuronInfoRuntimeApi_get_neurons_lite"));
    decode::<Option<SubnetHyperparams>>(&answer("SubnetInfoRuntimeApi_get_subnet_hyperparams"));
    decode::<Option<StakeInfo<AccountId>>>(&answer("StakeInfoRuntimeApi_get_stake_info_for_hotkey_coldkey_netuid"));
    decode::<crate::Nonce>(&answer("AccountNonceApi_account_nonce"));
}

#[test]
fn subnet_1_has_subtensors_parameters_when_localnet_begins() {
    on(LOCALNET, || {
        let ours = SubtensorModule::get_subnet_hyperparams(NETUID);
        let theirs = decode::<Option<SubnetHyperparams>>(&answer("SubnetInfoRuntimeApi_get_subnet_hyperparams"));
        assert_eq!(ours, theirs);
        assert!(!subtensor::Yuma3On::<Runtime>::get(NETUID), "no registration switched it on");
        assert_eq!(subtensor::AdminFreezeWindow::<Runtime>::get(), 10);
    });
}

#[test]
fn neuron_is_subtensors_but_for_its_keys_and_stake_when_localnet_begins() {
    on(LOCALNET, || {
        let ours = SubtensorModule::get_neurons_lite(NETUID);
        let theirs = decode::<Vec<NeuronInfoLite<AccountId>>>(&answer("NeuronInfoRuntimeApi_get_neurons_lite"));
        let (NeuronInfoLite { hotkey, coldkey, stake, .. }, [theirs]) = (ours[0].clone(), theirs.as_slice()) else {
            panic!("{theirs:?}")
        };
        assert_eq!(ours, [NeuronInfoLite { hotkey, coldkey, stake, ..theirs.clone() }]);
    });
}

#[test]
fn new_subnet_is_of_the_fast_build_when_the_chain_is_a_localnet() {
    let values = |preset| {
        let mut values = (0, 0);
        on(preset, || {
            // What a registration writes.
            let tempo = subtensor::Tempo::<Runtime>::get(NetUid(2));
            values = (tempo, subtensor::MaxEpochsPerBlock::<Runtime>::get());
        });
        values
    };
    assert_eq!(values(LOCALNET), (10, 32));
    for preset in [DEVELOPMENT, LOCAL_TESTNET, FAST] {
        assert_eq!(values(preset), (360, 2), "{preset}");
    }
}
