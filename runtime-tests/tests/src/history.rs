// SPDX-License-Identifier: Apache-2.0
//! What a real node's chain did with the timelocked weights of one hotkey, read block by block; and calls to it.

use crate::{
    chain::{Keys, extensions},
    node::Node,
};
use clawrank_runtime::{
    AccountId, Hash, Runtime, RuntimeCall, RuntimeEvent, Signature, SignedPayload, UncheckedExtrinsic, VERSION,
};
use codec::{Decode, Encode};
use frame_support::storage::storage_prefix;
use frame_system::{EventRecord, Phase};
use pallet_drand::{LastStoredRound, Pulses};
use pallet_subtensor::{
    MechId, NetUid, NetUidStorageIndex, SubnetEpochIndex, Tempo, TimelockedWeightCommits, Uids, WeightRow, Weights,
};
use serde_json::{Value, json};
use sp_core::{
    H256, Pair,
    storage::{Storage, well_known_keys},
};
use sp_io::TestExternalities;
use sp_runtime::MultiAddress;
use std::collections::BTreeMap;

/// A subnet's mechanism, as the tests have it: serving on subnet 92.
const NETUID: NetUid = NetUid(92);
const MECHANISM: MechId = MechId(0);

/// A timelocked commit that got into a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The block.
    pub block: u32,
    /// The epoch under which the chain keeps it.
    pub epoch: u64,
    /// Blake2-256 of the ciphertext.
    pub hash: H256,
    /// Round that opens it.
    pub round: u64,
    /// Whether that round was public in this block, so that anyone could have opened it.
    pub was_public: bool,
}

/// A commit that the chain opened and put in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reveal {
    /// The block.
    pub block: u32,
    /// The epoch that the block belongs to.
    pub epoch: u64,
    /// The validator's weights after it.
    pub row: Vec<(u16, u16)>,
    /// The newest round stored by then.
    pub newest_round: u64,
}

/// Everything up to the newest final block.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Commits in the order of their blocks.
    pub commits: Vec<Commit>,
    /// Reveals in the order of their blocks.
    pub reveals: Vec<Reveal>,
    /// Time of each block, Unix milliseconds.
    pub times: BTreeMap<u32, u64>,
    /// Blocks in which the tempo was set.
    pub tempo_set: Vec<u32>,
}

impl History {
    /// Reads what became of the weights of `hotkey` in mechanism 0 of subnet 92; the node must keep all states.
    ///
    /// # Panics
    ///
    /// When the node does not answer, has dropped a state, or holds a commit in no epoch.
    pub fn read(node: &Node, hotkey: &AccountId) -> Self {
        let mut history = Self::default();
        let index = NetUidStorageIndex::new(NETUID, MECHANISM);
        let newest = u32::try_from(node.finalized().expect("the node answers")).expect("a block number");
        for block in 1..=newest {
            let at = node.rpc("chain_getBlockHash", json!([block])).expect("a final block has a hash");
            let now = state(node, &pallet_timestamp::Now::<Runtime>::hashed_key(), &at).expect("a block has a time");
            history.times.insert(block, now);
            let epoch: u64 = state(node, &SubnetEpochIndex::<Runtime>::hashed_key_for(NETUID), &at).unwrap_or_default();
            for event in events(node, &at) {
                use pallet_subtensor::Event::{TempoSet, TimelockedWeightsCommitted, TimelockedWeightsRevealed};
                match event {
                    RuntimeEvent::SubtensorModule(TempoSet(..)) => history.tempo_set.push(block),
                    RuntimeEvent::SubtensorModule(TimelockedWeightsCommitted(who, found, hash, round))
                        if found == index && who == *hotkey =>
                    {
                        let is_in = |epoch: &u64| has_commit(node, index, *epoch, hash, &at);
                        let epoch = [epoch, epoch + 1].into_iter().find(is_in).expect("a commit is kept in an epoch");
                        let was_public = newest_round(node, &at) >= round;
                        history.commits.push(Commit { block, epoch, hash, round, was_public });
                    }
                    RuntimeEvent::SubtensorModule(TimelockedWeightsRevealed(found, who))
                        if found == index && who == *hotkey =>
                    {
                        let newest_round = newest_round(node, &at);
                        history.reveals.push(Reveal { block, epoch, row: row(node, hotkey, index, &at), newest_round });
                    }
                    _ => {}
                }
            }
        }
        history
    }

    /// Commits by the epoch under which the chain keeps them.
    pub fn by_epoch(&self) -> BTreeMap<u64, Vec<&Commit>> {
        let mut epochs: BTreeMap<u64, Vec<&Commit>> = BTreeMap::new();
        for commit in &self.commits {
            epochs.entry(commit.epoch).or_default().push(commit);
        }
        epochs
    }

    /// Whether the tempo was set in a range of blocks.
    pub fn tempo_changed(&self, blocks: std::ops::RangeInclusive<u32>) -> bool {
        self.tempo_set.iter().any(|block| blocks.contains(block))
    }

    /// Whether all blocks of a range came on time, `slot_ms` after the one before.
    pub fn is_punctual(&self, blocks: std::ops::RangeInclusive<u32>, slot_ms: u64) -> bool {
        let times: Vec<u64> = self.times.range(blocks).map(|(_, time)| *time).collect();
        times.windows(2).all(|pair| pair.first().zip(pair.last()).is_some_and(|(a, b)| b - a <= slot_ms))
    }
}

fn has_commit(node: &Node, index: NetUidStorageIndex, epoch: u64, hash: H256, at: &Value) -> bool {
    let key = TimelockedWeightCommits::<Runtime>::hashed_key_for(index, epoch);
    let queue: Vec<(AccountId, u64, Vec<u8>, u64)> = state(node, &key, at).unwrap_or_default();
    queue.iter().any(|(_, _, bytes, _)| H256(sp_io::hashing::blake2_256(bytes)) == hash)
}

pub(crate) fn row(node: &Node, hotkey: &AccountId, index: NetUidStorageIndex, at: &Value) -> Vec<(u16, u16)> {
    let uid: u16 = state(node, &Uids::<Runtime>::hashed_key_for(NETUID, hotkey), at).expect("a validator has a uid");
    let row: Option<WeightRow> = state(node, &Weights::<Runtime>::hashed_key_for(index, uid), at);
    row.map(|row| row.into_vec()).unwrap_or_default()
}

/// What happened in a block.
///
/// # Panics
///
/// When the node has dropped that state.
pub fn events(node: &Node, at: &Value) -> Vec<RuntimeEvent> {
    let records: Vec<EventRecord<RuntimeEvent, Hash>> =
        state(node, &storage_prefix(b"System", b"Events"), at).unwrap_or_default();
    records.into_iter().filter(|record| record.phase != Phase::Finalization).map(|record| record.event).collect()
}

/// A value of a node's state at a block's hash, `null` for the best; `None` where there is none.
///
/// # Panics
///
/// When the node has dropped that state, or the value is of another type.
pub fn state<T: Decode>(node: &Node, key: &[u8], at: &Value) -> Option<T> {
    let found =
        node.rpc("state_getStorage", json!([format!("0x{}", hex::encode(key)), at])).expect("the state is kept");
    let bytes = hex::decode(found.as_str()?.trim_start_matches("0x")).expect("hexadecimal text");
    Some(T::decode(&mut bytes.as_slice()).expect("a value of the runtime's own type"))
}

/// All of a node's state at a block's hash but for the runtime's code, to be read with native types.
///
/// # Panics
///
/// When the node has dropped that state.
pub fn whole_state(node: &Node, at: &Value) -> TestExternalities {
    let bytes = |text: &Value| {
        let text = text.as_str().expect("hexadecimal text").trim_start_matches("0x");
        hex::decode(text).expect("hexadecimal text")
    };
    let mut storage = Storage::default();
    let mut last = Value::Null;
    loop {
        let keys = node.rpc("state_getKeysPaged", json!(["0x", 500, last, at])).expect("the state is kept");
        let keys = keys.as_array().expect("a list of keys").clone();
        let Some(newest) = keys.last() else { break };
        last = newest.clone();
        let keys: Vec<Value> = keys.into_iter().filter(|key| bytes(key) != well_known_keys::CODE).collect();
        let found = node.rpc("state_queryStorageAt", json!([keys, at])).expect("the state is kept");
        for change in found[0]["changes"].as_array().expect("a list of values") {
            storage.top.insert(bytes(&change[0]), bytes(&change[1]));
        }
    }
    TestExternalities::new(storage)
}

/// The newest round of the beacon that the chain has stored.
pub fn newest_round(node: &Node, at: &Value) -> u64 {
    state(node, &LastStoredRound::<Runtime>::hashed_key(), at).unwrap_or_default()
}

/// Whether the chain has stored a round.
pub fn has_pulse(node: &Node, round: u64, at: &Value) -> bool {
    state::<pallet_drand::Pulse>(node, &Pulses::<Runtime>::hashed_key_for(round), at).is_some()
}

/// The subnet's tempo in the best block.
pub fn tempo(node: &Node) -> u16 {
    state(node, &Tempo::<Runtime>::hashed_key_for(NETUID), &Value::Null).unwrap_or_default()
}

/// Signs a call by `keys` and hands it to the node's pool.
///
/// # Panics
///
/// When the node refuses it.
pub fn submit(node: &Node, keys: &Keys, call: impl Into<RuntimeCall>) {
    use sp_core::crypto::Ss58Codec;
    let genesis = node.rpc("chain_getBlockHash", json!([0])).expect("the node answers");
    let genesis: H256 = serde_json::from_value(genesis).expect("a hash");
    let nonce = node.rpc("account_nextIndex", json!([keys.public().to_ss58check()])).expect("the node answers");
    let nonce = nonce.as_u64().and_then(|nonce| u32::try_from(nonce).ok()).expect("a nonce");
    let implicit =
        ((), VERSION.spec_version, VERSION.transaction_version, genesis, genesis, (), (), (), (), (), (), None);
    let payload = SignedPayload::from_raw(call.into(), extensions(nonce), implicit);
    let signature = payload.using_encoded(|bytes| keys.sign(bytes));
    let (call, extensions, _) = payload.deconstruct();
    let (who, signature) = (MultiAddress::Id(keys.public().into()), Signature::Sr25519(signature));
    let extrinsic = UncheckedExtrinsic::new_signed(call, who, signature, extensions);
    let bytes = format!("0x{}", hex::encode(extrinsic.encode()));
    node.rpc("author_submitExtrinsic", json!([bytes])).expect("the pool takes the call");
}
