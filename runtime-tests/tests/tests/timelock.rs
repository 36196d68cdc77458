// SPDX-License-Identifier: Apache-2.0
//! Timelocked commits that Bittensor's own libraries made, opened by the Wasm runtime with a pulse of the public beacon.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_chain_spec::{Beacon, Preset};
use clawrank_runtime::{AccountId, Runtime, RuntimeEvent, System, write_pulse};
use clawrank_runtime_tests::chain::{Chain, Options, account, keys};
use codec::Decode;
use frame_support::BoundedVec;
use pallet_drand::Pulse;
use pallet_subtensor::{
    self as subtensor, NetUid, NetUidStorageIndex, TimelockedQueue, TimelockedWeightCommits, Uids, Weights,
};

const NETUID: NetUid = NetUid(92);
const INDEX: NetUidStorageIndex = NetUidStorageIndex(92);

/// A commit with what is in it.
struct Vector {
    made_by: String,
    commit: Vec<u8>,
    pulse: Pulse,
    hotkey: AccountId,
    row: Vec<(u16, u16)>,
}

fn vectors() -> Vec<Vector> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pallets/primitives/timelock/testdata/commits.json");
    let all: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let vector = |value: &serde_json::Value| {
        let bytes = |key: &str| hex::decode(value[key].as_str().unwrap()).unwrap();
        let plaintext = bytes("plaintext");
        // Hotkey, uids, values and version key, in SCALE.
        let (hotkey, uids, values, _) =
            <(Vec<u8>, Vec<u16>, Vec<u16>, u64)>::decode(&mut plaintext.as_slice()).unwrap();
        let signature = bytes("signature").try_into().unwrap();
        Vector {
            made_by: value["made_by"].as_str().unwrap().to_owned(),
            commit: bytes("commit"),
            pulse: Pulse::new(value["round"].as_u64().unwrap(), &signature),
            hotkey: <[u8; 32]>::try_from(hotkey).unwrap().into(),
            row: uids.into_iter().zip(values).collect(),
        }
    };
    all["vectors"].as_array().unwrap().iter().map(vector).collect()
}

/// A chain that follows the public beacon, with 256 neurons, the first validator of which is `hotkey`.
fn chain(hotkey: &AccountId) -> Chain {
    let options = Options {
        validators: Some(1),
        miners: Some(254),
        tempo: Some(20),
        beacon: Beacon::Quicknet,
        ..Options::preset(Preset::Fast)
    };
    let mut topology = options.topology().unwrap();
    topology.subnet.validators[0].hotkey = hotkey.clone();
    let mut chain = Chain::new(&topology);
    chain.run_to(1);
    chain
}

fn stored(chain: &mut Chain, hotkey: &AccountId) -> Vec<(u16, u16)> {
    chain.read(|| {
        let uid = Uids::<Runtime>::get(NETUID, hotkey).expect("the committer is registered");
        Weights::<Runtime>::get(INDEX, uid).into_vec()
    })
}

/// Runs to the epoch after the present one and hands in the pulse, as anybody may.
fn open(chain: &mut Chain, pulse: &Pulse) {
    let next = chain.read(|| subtensor::Pallet::<Runtime>::next_epoch_start_block(NETUID)).unwrap();
    chain.run_to(u32::try_from(next).unwrap() + 1);
    let number = chain.number();
    chain.block_ok(vec![write_pulse(number, vec![pulse.clone()])]);
    chain.block(Vec::new());
}

fn is_revealed(chain: &mut Chain, hotkey: &AccountId) -> bool {
    let expected = RuntimeEvent::SubtensorModule(subtensor::Event::TimelockedWeightsRevealed(INDEX, hotkey.clone()));
    chain.read(|| System::events().into_iter().any(|record| record.event == expected))
}

#[test]
fn weights_of_an_sdks_commit_are_in_force_when_its_author_sends_it_and_the_pulse_comes() {
    let vector = vectors().into_iter().find(|vector| vector.hotkey == account("//Alice")).unwrap();
    let mut chain = chain(&vector.hotkey);
    let call = subtensor::Call::commit_timelocked_weights {
        netuid: NETUID,
        commit: BoundedVec::truncate_from(vector.commit),
        reveal_round: vector.pulse.round,
        commit_reveal_version: 4,
    };
    let commit = chain.sign(&keys("//Alice"), call);
    chain.block_ok(vec![commit]);
    assert!(stored(&mut chain, &vector.hotkey).is_empty(), "nothing is in force before the pulse");
    open(&mut chain, &vector.pulse);
    assert!(is_revealed(&mut chain, &vector.hotkey));
    assert_eq!(stored(&mut chain, &vector.hotkey), vector.row, "{}", vector.made_by);
}

#[test]
fn weights_of_every_sdks_commit_are_in_force_when_the_pulse_comes() {
    let all = vectors();
    assert!(all.len() >= 3 && all.iter().any(|vector| vector.row.len() > 200), "small and large commits");
    for vector in all {
        let mut chain = chain(&vector.hotkey);
        chain.write(|| {
            let epoch = subtensor::SubnetEpochIndex::<Runtime>::get(NETUID);
            let bytes = BoundedVec::truncate_from(vector.commit.clone());
            let commit = (vector.hotkey.clone(), subtensor::Pallet::<Runtime>::block(), bytes, vector.pulse.round);
            TimelockedWeightCommits::<Runtime>::insert(INDEX, epoch, TimelockedQueue::truncated(vec![commit]));
        });
        open(&mut chain, &vector.pulse);
        assert!(is_revealed(&mut chain, &vector.hotkey), "{}", vector.made_by);
        // The largest weight is 65,535 already, so nothing is scaled.
        assert_eq!(stored(&mut chain, &vector.hotkey), vector.row, "{}", vector.made_by);
    }
}
