// SPDX-License-Identifier: Apache-2.0
//! What to do next about a commit, from what is on disk and what is on chain. Pure.

use clawrank_client::types::{Neuron, SubnetSnapshot, WeightCommit};
use clawrank_store::journal::{CommitRow, CommitState};

use crate::clock::EpochClock;

/// Unrevealed commits that the chain allows a hotkey.
pub const MAX_UNREVEALED: usize = 10;

/// What the chain says.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The subnet at the newest final block.
    pub subnet: &'a SubnetSnapshot,
    /// Where that block is in its epoch.
    pub clock: &'a EpochClock,
    /// The validator's neuron, if registered.
    pub me: Option<&'a Neuron>,
    /// The validator's unrevealed commits of the row's mechanism.
    pub commits: &'a [WeightCommit],
    /// The validator's stored weights of the row's mechanism; empty where there are none.
    pub stored: &'a [(u16, u16)],
    /// Blocks after which a transaction of unknown outcome that is not on chain counts as lost.
    pub resubmit_after_blocks: u64,
}

impl Facts<'_> {
    fn head(&self) -> u64 {
        self.subnet.head.number
    }

    fn has_stored(&self, row: &CommitRow) -> bool {
        !row.uids.is_empty() && row.uids.iter().copied().zip(row.values.iter().copied()).eq(self.stored.iter().copied())
    }
}

/// Why weights cannot be set now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// The hotkey has no uid.
    #[error("hotkey is not registered on subnet {netuid}; register it")]
    Unregistered {
        /// Which subnet.
        netuid: u16,
    },
    /// The hotkey has no validator permit.
    #[error(
        "uid {uid} has no validator permit; permits are given at each epoch to those with the most stake, next at block {next}"
    )]
    NoPermit {
        /// The validator's uid.
        uid: u16,
        /// First block of the next epoch.
        next: u64,
    },
    /// Too little stake.
    #[error("stake {stake_rao} rao is below the threshold {threshold_rao} rao; add stake")]
    TooLittleStake {
        /// Stake of the hotkey.
        stake_rao: u64,
        /// Smallest stake.
        threshold_rao: u64,
    },
    /// The chain wants a newer version key.
    #[error("version key {ours} is below the subnet's {wanted}; upgrade this program, then raise `version_key`")]
    OldVersion {
        /// Key of the configuration.
        ours: u64,
        /// Key of the subnet.
        wanted: u64,
    },
    /// Weights were set too recently.
    #[error("rate limit: the last setting was in block {last}, the next may be in block {next}")]
    TooFast {
        /// Block of the last setting.
        last: u64,
        /// First block at which the next is allowed.
        next: u64,
    },
    /// Fewer weights than the subnet accepts.
    #[error("{found} weights where the subnet wants at least {wanted}; more miners must earn a score")]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many it wants.
        wanted: usize,
    },
    /// Too many commits wait for their reveal.
    #[error("{found} commits wait for their reveal and the chain allows no more; they are dropped once they expire")]
    TooManyUnrevealed {
        /// How many.
        found: usize,
    },
}

/// Why the chain would refuse weights of `found` entries at the next block; `None` where it would take them.
#[must_use]
pub fn blocked(facts: &Facts<'_>, mecid: u8, version_key: u64, found: usize) -> Option<Blocked> {
    let subnet = facts.subnet;
    let Some(me) = facts.me else { return Some(Blocked::Unregistered { netuid: subnet.netuid }) };
    let is_owner = subnet.owner_uid == Some(me.uid);
    if !is_owner && me.stake_rao < subnet.stake_threshold_rao {
        return Some(Blocked::TooLittleStake { stake_rao: me.stake_rao, threshold_rao: subnet.stake_threshold_rao });
    }
    if subnet.weights_version_key > 0 && version_key < subnet.weights_version_key {
        return Some(Blocked::OldVersion { ours: version_key, wanted: subnet.weights_version_key });
    }
    if !is_owner && !me.validator_permit {
        return Some(Blocked::NoPermit { uid: me.uid, next: facts.clock.next_epoch_block });
    }
    let wanted = usize::from(subnet.min_allowed_weights).min(subnet.neurons.len());
    if found < wanted {
        return Some(Blocked::TooFew { found, wanted });
    }
    if subnet.commit_reveal && facts.commits.len() >= MAX_UNREVEALED {
        return Some(Blocked::TooManyUnrevealed { found: facts.commits.len() });
    }
    // 0 stands for never.
    let last = me.last_update.get(usize::from(mecid)).copied().unwrap_or(0);
    let next = last.saturating_add(subnet.weights_rate_limit);
    if last > 0 && facts.head().saturating_add(1) < next {
        return Some(Blocked::TooFast { last, next });
    }
    None
}

/// What to do about a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write [`CommitState::Submitted`], then send the first call.
    Send,
    /// It is on chain, in this epoch of the chain's.
    Committed {
        /// Epoch the chain put it in.
        chain_epoch: u64,
        /// Block of the commit.
        block: u64,
    },
    /// Send the reveal.
    Reveal,
    /// Its weights are on chain.
    Revealed,
    /// It will never be: an alarm.
    Expired(String),
    /// Nothing now.
    Wait(String),
}

/// Decides what to do next about `row`.
#[must_use]
pub fn next(row: &CommitRow, facts: &Facts<'_>) -> Step {
    let on_chain = facts.commits.iter().find(|commit| commit.hash == row.hash);
    match row.state {
        CommitState::Prepared | CommitState::Submitted => match on_chain {
            Some(commit) => Step::Committed { chain_epoch: commit.epoch, block: commit.block },
            None => send(row, facts),
        },
        CommitState::Committed => reveal(row, on_chain, facts),
        CommitState::Revealed => Step::Revealed,
        CommitState::Expired => Step::Expired(row.detail.clone()),
    }
}

/// A row that is not seen on chain.
fn send(row: &CommitRow, facts: &Facts<'_>) -> Step {
    let (head, epoch) = (facts.head(), facts.clock.epoch);
    let submitted = row.state == CommitState::Submitted;
    if !row.commit_reveal && submitted && facts.has_stored(row) {
        return Step::Revealed;
    }
    let lost_from = row.block.saturating_add(facts.resubmit_after_blocks);
    if submitted && head < lost_from {
        return Step::Wait(format!("sent, not yet seen on chain; looked for until block {lost_from}"));
    }
    if epoch != row.epoch || !facts.clock.is_open_at(head) {
        let what = if submitted { "never reached a block" } else { "was not sent" };
        return Step::Expired(format!("{what} before epoch {} ended; {}", row.epoch, reason(row)));
    }
    match blocked(facts, row.mecid, row.version_key, row.uids.len()) {
        Some(blocked) => Step::Wait(blocked.to_string()),
        None => Step::Send,
    }
}

/// A row that was seen on chain.
fn reveal(row: &CommitRow, on_chain: Option<&WeightCommit>, facts: &Facts<'_>) -> Step {
    let committed_in = on_chain.map(|commit| commit.epoch).or(row.chain_epoch).unwrap_or(row.epoch);
    let opens = committed_in.saturating_add(facts.subnet.reveal_period_epochs);
    let epoch = facts.clock.epoch;
    if on_chain.is_none() && facts.has_stored(row) {
        return Step::Revealed;
    }
    if epoch > opens {
        return Step::Expired(format!("its reveal was due in epoch {opens} and it is epoch {epoch}; {}", reason(row)));
    }
    if on_chain.is_none() {
        return Step::Wait("commit is gone from the chain and its weights are not there".to_owned());
    }
    if epoch < opens {
        return Step::Wait(format!("reveal is due in epoch {opens}"));
    }
    if !facts.clock.is_open_at(facts.head()) {
        return Step::Wait(format!("epoch {opens} is over but for its last step"));
    }
    Step::Reveal
}

fn reason(row: &CommitRow) -> String {
    if row.detail.is_empty() { "the chain said nothing".to_owned() } else { format!("last answer: {}", row.detail) }
}
