// SPDX-License-Identifier: Apache-2.0
//! What a real node's chain did with the salted weights of one hotkey in both mechanisms, and whether that is what the
//! validator reports.

use crate::{
    history::{events, row, state},
    market::Market,
    node::Node,
};
use clawrank_runtime::{AccountId, Runtime, RuntimeEvent};
use pallet_subtensor::{Event, MechId, NetUid, NetUidStorageIndex, SubnetEpochIndex, WeightCommitQueue, WeightCommits};
use serde_json::{Value, json};
use sp_core::H256;
use std::collections::BTreeMap;

const NETUID: NetUid = NetUid(92);
/// Mechanisms of the tests' subnet.
pub const MECHANISMS: [u8; 2] = [0, 1];

/// A commit or its reveal, in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The block.
    pub block: u32,
    /// Epoch in which the chain keeps the commit, or in which it was revealed.
    pub epoch: u64,
    /// Which mechanism.
    pub mecid: u8,
    /// Hash of the commit.
    pub hash: H256,
    /// Weights that the chain has after a reveal; none after a commit.
    pub row: Vec<(u16, u16)>,
}

/// Everything up to the newest final block.
#[derive(Clone, Debug, Default)]
pub struct Salted {
    /// Commits in the order of their blocks.
    pub commits: Vec<Seen>,
    /// Reveals in the order of their blocks.
    pub reveals: Vec<Seen>,
    /// Epoch of the newest final block.
    pub epoch: u64,
}

impl Salted {
    /// Reads what became of the weights of `hotkey`; the node must keep all states.
    ///
    /// # Panics
    ///
    /// When the node does not answer, has dropped a state, or has a commit in no epoch.
    pub fn read(node: &Node, hotkey: &AccountId) -> Self {
        let mut found = Self::default();
        let newest = u32::try_from(node.finalized().expect("the node answers")).expect("a block number");
        for block in 1..=newest {
            let at = node.rpc("chain_getBlockHash", json!([block])).expect("a final block has a hash");
            found.epoch = state(node, &SubnetEpochIndex::<Runtime>::hashed_key_for(NETUID), &at).unwrap_or_default();
            for event in events(node, &at) {
                let RuntimeEvent::SubtensorModule(event) = event else { continue };
                match event {
                    Event::WeightsCommitted(who, index, hash) if who == *hotkey => {
                        let key = WeightCommits::<Runtime>::hashed_key_for(index, hotkey);
                        let queue: WeightCommitQueue = state(node, &key, &at).expect("a commit is kept");
                        let kept = queue.iter().rev().find(|(kept, ..)| *kept == hash).expect("a commit is kept");
                        let (epoch, mecid) = (kept.1, mechanism(index));
                        found.commits.push(Seen { block, epoch, mecid, hash, row: Vec::new() });
                    }
                    Event::WeightsRevealed(who, index, hash) if who == *hotkey => {
                        let (epoch, mecid) = (found.epoch, mechanism(index));
                        let row = row(node, hotkey, index, &at);
                        found.reveals.push(Seen { block, epoch, mecid, hash, row });
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// Compares what the chain did with a validator's reports, which must know of all of it.
    ///
    /// # Panics
    ///
    /// - When the chain has a commit that no report shows, or an epoch's weights of one mechanism more than once.
    /// - When what was revealed is not what was committed and reported, not in the epoch after it, or not once.
    /// - When a commit could have been revealed and was not, unless `may_miss` has its epoch on chain.
    pub fn audit(&self, reports: &[Value], may_miss: impl Fn(u64) -> bool) {
        let known = reported(reports);
        let mut made: BTreeMap<(u64, u8), Vec<&Seen>> = BTreeMap::new();
        for commit in &self.commits {
            let of = known.iter().find(|row| row.hash == commit.hash).expect("a report shows every commit");
            assert_eq!(of.mecid, commit.mecid, "{of:?} {commit:?}");
            made.entry((of.epoch, of.mecid)).or_default().push(commit);
            let opened: Vec<&Seen> =
                self.reveals.iter().filter(|seen| (seen.hash, seen.mecid) == (commit.hash, commit.mecid)).collect();
            println!(
                "weights of epoch {}, mechanism {}: committed in block {}, revealed in {:?}",
                of.epoch,
                of.mecid,
                commit.block,
                opened.iter().map(|seen| seen.block).collect::<Vec<_>>()
            );
            match opened.as_slice() {
                [] => assert!(commit.epoch + 1 >= self.epoch || may_miss(commit.epoch), "{commit:?} was not revealed"),
                [once] => assert_eq!((&once.row, once.epoch), (&of.row, commit.epoch + 1), "{once:?} of {commit:?}"),
                more => panic!("{commit:?} was revealed more than once: {more:?}"),
            }
        }
        for (of, commits) in &made {
            assert!(
                commits.len() == 1,
                "epoch {} of mechanism {} was committed more than once: {commits:?}",
                of.0,
                of.1
            );
        }
        let is_committed = |seen: &&Seen| !self.commits.iter().any(|commit| commit.hash == seen.hash);
        let strange: Vec<_> = self.reveals.iter().filter(is_committed).collect();
        assert!(strange.is_empty(), "nobody committed {strange:?}");
    }
}

/// A row that a report shows.
#[derive(Clone, Debug)]
pub struct Reported {
    /// Epoch whose weights it carries.
    pub epoch: u64,
    /// Which mechanism.
    pub mecid: u8,
    /// How far it is.
    pub state: String,
    /// Hash of the commit; zeros before it is sealed.
    pub hash: H256,
    /// The weights.
    pub row: Vec<(u16, u16)>,
}

/// All salted rows of a validator's reports.
///
/// # Panics
///
/// When a row is of another form.
pub fn reported(reports: &[Value]) -> Vec<Reported> {
    let mut found = Vec::new();
    for report in reports {
        let numbers = |list: &Value| serde_json::from_value::<Vec<u16>>(list.clone()).expect("numbers of 16 bits");
        for commit in report["commits"].as_array().expect("a list") {
            assert!(commit["form"] == "salted" || commit["form"].is_null(), "{commit}");
            let mechanisms = report["mechanisms"].as_array().expect("a list");
            let weights = mechanisms.iter().find(|weights| weights["mecid"] == commit["mecid"]).expect("its weights");
            let hash = commit["hash"].as_str().expect("a hash").trim_start_matches("0x");
            let mut bytes = [0; 32];
            hex::decode_to_slice(hash, &mut bytes).expect("hexadecimal text");
            found.push(Reported {
                epoch: report["epoch"].as_u64().expect("a number"),
                mecid: commit["mecid"].as_u64().and_then(|mecid| u8::try_from(mecid).ok()).expect("a small number"),
                state: commit["state"].as_str().expect("a state").to_owned(),
                hash: H256(bytes),
                row: numbers(&weights["uids"]).into_iter().zip(numbers(&weights["weights"])).collect(),
            });
        }
    }
    found
}

/// The newest epoch whose weights of both mechanisms are in one of `states`, if it is after `after`.
pub fn both_in(market: &Market, data: &str, states: &[&str], after: Option<u64>) -> Option<u64> {
    let rows = reported(&market.reports(data));
    let has = |epoch: u64, mecid: u8| {
        rows.iter().any(|row| (row.epoch, row.mecid) == (epoch, mecid) && states.contains(&row.state.as_str()))
    };
    let is_both = |epoch: &u64| MECHANISMS.iter().all(|mecid| has(*epoch, *mecid));
    rows.iter().map(|row| row.epoch).filter(|epoch| after.is_none_or(|after| *epoch > after)).filter(is_both).max()
}

fn mechanism(index: NetUidStorageIndex) -> u8 {
    let found = MECHANISMS.into_iter().find(|mecid| NetUidStorageIndex::new(NETUID, MechId(*mecid)) == index);
    found.expect("a mechanism of subnet 92")
}
