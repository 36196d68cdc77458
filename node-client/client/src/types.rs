// SPDX-License-Identifier: Apache-2.0
//! What the chain tells a worker, and what a worker asks of it, in our own words.
//!
//! Nothing here names a chain library: a worker that holds these types can be tested with a fake of
//! [`ChainPort`](crate::ChainPort).

use clawrank_schedule::EpochState;
use serde::{Deserialize, Serialize};

/// 32 bytes: a block hash, a Merkle root, a commit hash.
pub type Hash = [u8; 32];

/// A public key, as the chain stores it: an sr25519 `AccountId32`.
pub type AccountId = [u8; 32];

/// One block, finalised unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Block number.
    pub number: u64,
    /// Block hash.
    pub hash: Hash,
    /// The block's own timestamp, unix milliseconds.
    pub timestamp_ms: u64,
}

/// The address a neuron serves at, as put on chain by `serve_axon`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axon {
    /// Block of the last change.
    pub block: u64,
    /// Version that the neuron declared.
    pub version: u32,
    /// Address as an integer; IPv4 in the low 32 bits.
    pub ip: u128,
    /// TCP port.
    pub port: u16,
    /// 4 or 6.
    pub ip_type: u8,
    /// Protocol byte, free for the subnet.
    pub protocol: u8,
}

/// One uid of a subnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neuron {
    /// Position in the subnet, 0 based.
    pub uid: u16,
    /// Key that signs for the neuron.
    pub hotkey: AccountId,
    /// Key that owns the hotkey.
    pub coldkey: AccountId,
    /// Stake as it counts on this subnet, in rao: the hotkey's alpha plus its root stake at the chain's `TaoWeight`.
    /// What parents or children lend is not in it.
    pub stake_rao: u64,
    /// Whether its weights count.
    pub validator_permit: bool,
    /// Whether it set weights within the activity cutoff.
    pub active: bool,
    /// Block of registration.
    pub registered_at: u64,
    /// Where it serves, if it said so.
    pub axon: Option<Axon>,
    /// Block of the last weights or commit, per mechanism.
    pub last_update: Vec<u64>,
    /// Incentive per mechanism, 65,535 = the whole.
    pub incentive: Vec<u16>,
    /// Dividends over all mechanisms, 65,535 = the whole.
    pub dividends: u16,
    /// Emission of the last epoch, in rao.
    pub emission_rao: u64,
}

/// A subnet at one block: everything a worker decides from, read at the same state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubnetSnapshot {
    /// The block all of this was read at.
    pub head: Head,
    /// Which subnet.
    pub netuid: u16,
    /// Blocks per epoch.
    pub tempo: u16,
    /// Number of epochs that have run (`SubnetEpochIndex`).
    pub epoch_index: u64,
    /// Block of the last epoch.
    pub last_epoch_block: u64,
    /// Block an epoch was deferred to, 0 for none.
    pub pending_epoch_at: u64,
    /// Blocks since the last epoch step.
    pub blocks_since_last_step: u64,
    /// Coldkey of the owner, if the subnet has one.
    pub owner_coldkey: Option<AccountId>,
    /// Uid of the owner's hotkey, if registered.
    pub owner_uid: Option<u16>,
    /// Whether weights must be committed before they are revealed.
    pub commit_reveal: bool,
    /// `CommitRevealWeightsVersion`: what a timelocked commit must carry; 0 where the chain has no such item.
    pub commit_reveal_version: u16,
    /// Epochs between commit and reveal.
    pub reveal_period_epochs: u64,
    /// Smallest number of blocks between two settings.
    pub weights_rate_limit: u64,
    /// Smallest version key accepted.
    pub weights_version_key: u64,
    /// Smallest number of weights accepted.
    pub min_allowed_weights: u16,
    /// Largest number of uids.
    pub max_allowed_uids: u16,
    /// Blocks during which a new neuron cannot be replaced.
    pub immunity_period: u16,
    /// How many incentive mechanisms the subnet runs.
    pub mechanism_count: u8,
    /// How many incentive mechanisms a subnet may run (`MaxMechanismCount`); at least 1.
    pub max_mechanisms: u8,
    /// Smallest stake that may set weights, in rao.
    pub stake_threshold_rao: u64,
    /// Time between blocks, in milliseconds.
    pub block_time_ms: u64,
    /// All neurons, `neurons[i].uid == i`.
    pub neurons: Vec<Neuron>,
}

impl SubnetSnapshot {
    /// The neuron with this hotkey.
    pub fn by_hotkey(&self, hotkey: &AccountId) -> Option<&Neuron> {
        self.neurons.iter().find(|n| &n.hotkey == hotkey)
    }

    /// The schedule after the snapshot's block.
    pub fn epoch_state(&self) -> EpochState {
        EpochState {
            tempo: self.tempo,
            last_epoch_block: self.last_epoch_block,
            pending_epoch_at: self.pending_epoch_at,
            epoch_index: self.epoch_index,
            blocks_since_last_step: self.blocks_since_last_step,
        }
    }

    /// First block at which the next epoch runs: `min(last + tempo, pending)`; `None` with tempo 0.
    pub fn next_epoch_block(&self) -> Option<u64> {
        self.epoch_state().next_epoch_block()
    }
}

/// One commit of weights that has not been revealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightCommit {
    /// `BlakeTwo256(SCALE(hotkey, netuid_index, uids, values, salt, version_key))`.
    pub hash: Hash,
    /// Epoch of the commit.
    pub epoch: u64,
    /// Block of the commit.
    pub block: u64,
}

/// One timelocked commit of weights: the chain itself reveals it once the round of randomness is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelockedCommit {
    /// Whose weights.
    pub hotkey: AccountId,
    /// Block of the commit.
    pub block: u64,
    /// The ciphertext.
    pub commit: Vec<u8>,
    /// Round of the beacon whose signature opens it.
    pub reveal_round: u64,
}

/// The beacon of randomness that the chain's `Drand` pallet follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beacon {
    /// Compressed BLS12-381 key in G2 that signs the rounds.
    pub public_key: [u8; 96],
    /// Time of round 1, in unix seconds.
    pub genesis_time: u64,
    /// Seconds between rounds.
    pub period: u32,
    /// The newest round the chain has stored, 0 for none.
    pub last_stored_round: u64,
}

/// What a hotkey last put into `Commitments.CommitmentOf`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// Whose.
    pub hotkey: AccountId,
    /// Block it was put in.
    pub block: u64,
    /// The first raw field.
    pub data: Vec<u8>,
}

/// A bundle root as `ProviderRank.commit_bundle` stored it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleCommit {
    /// Whose.
    pub hotkey: AccountId,
    /// Block it was committed in.
    pub block: u64,
    /// The committed root.
    pub root: Hash,
    /// Number of attempts.
    pub count: u32,
}

/// One validator's verdict on one miner's bundle, for `ProviderRank.submit_verdicts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinerVerdict {
    /// Which miner.
    pub uid: u16,
    /// Whether the gate is 0.
    pub tripped: bool,
    /// Reason code of rules §3, 0 where the gate is open.
    pub reason: u8,
    /// Intel score, in the primitives' unit.
    pub score: u128,
}

/// What the provider-rank pallet paid to one miner in one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochPayout {
    /// Which epoch.
    pub epoch: u64,
    /// Whom.
    pub uid: u16,
    /// How much, in rao.
    pub amount_rao: u64,
}

/// A transaction that a worker may ask for. Arguments are named as the chain names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
#[allow(missing_docs, reason = "fields are the chain's own argument names")]
pub enum Call {
    /// `SubtensorModule.set_weights`: mechanism 0, commit-reveal off.
    SetWeights { netuid: u16, dests: Vec<u16>, weights: Vec<u16>, version_key: u64 },
    /// `SubtensorModule.commit_weights`.
    CommitWeights { netuid: u16, commit_hash: Hash },
    /// `SubtensorModule.reveal_weights`.
    RevealWeights { netuid: u16, uids: Vec<u16>, values: Vec<u16>, salt: Vec<u16>, version_key: u64 },
    /// `SubtensorModule.set_mechanism_weights`.
    SetMechanismWeights { netuid: u16, mecid: u8, dests: Vec<u16>, weights: Vec<u16>, version_key: u64 },
    /// `SubtensorModule.commit_mechanism_weights`.
    CommitMechanismWeights { netuid: u16, mecid: u8, commit_hash: Hash },
    /// `SubtensorModule.reveal_mechanism_weights`.
    RevealMechanismWeights {
        netuid: u16,
        mecid: u8,
        uids: Vec<u16>,
        values: Vec<u16>,
        salt: Vec<u16>,
        version_key: u64,
    },
    /// `SubtensorModule.commit_timelocked_mechanism_weights`, for mechanism 0 as well. `commit` is the ciphertext, at
    /// most 5,000 bytes; `version` is the chain's `CommitRevealWeightsVersion`.
    CommitTimelockedWeights { netuid: u16, mecid: u8, commit: Vec<u8>, reveal_round: u64, version: u16 },
    /// `SubtensorModule.burned_register`, signed by the coldkey.
    BurnedRegister { netuid: u16, hotkey: AccountId },
    /// `SubtensorModule.add_stake`, signed by the coldkey.
    AddStake { netuid: u16, hotkey: AccountId, amount_staked: u64 },
    /// `SubtensorModule.register_network`, signed by the coldkey.
    RegisterNetwork { hotkey: AccountId },
    /// `SubtensorModule.serve_axon`.
    ServeAxon { netuid: u16, version: u32, ip: u128, port: u16, ip_type: u8, protocol: u8 },
    /// `Commitments.set_commitment` with one raw field of at most 128 bytes.
    SetCommitment { netuid: u16, data: Vec<u8> },
    /// `ProviderRank.commit_bundle`, on our own chain.
    CommitBundle { netuid: u16, epoch: u64, root: Hash, count: u32 },
    /// `ProviderRank.submit_verdicts`, on our own chain.
    SubmitVerdicts { netuid: u16, epoch: u64, verdicts: Vec<MinerVerdict> },
}

/// One event of a transaction, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEvent {
    /// `SubtensorModule`, ...
    pub pallet: String,
    /// `WeightsCommitted`, ...
    pub name: String,
}

/// A transaction that is in a block that became final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Hash of the extrinsic.
    pub extrinsic: Hash,
    /// The block it is in.
    pub block: Hash,
    /// Its number.
    pub block_number: u64,
    /// What it emitted.
    pub events: Vec<ChainEvent>,
}
