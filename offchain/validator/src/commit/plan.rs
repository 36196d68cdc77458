// SPDX-License-Identifier: Apache-2.0
//! What to do next about a commit, from what is on disk and what is on chain. Pure.

use clawrank_client::types::{Beacon, Neuron, SubnetSnapshot};
use clawrank_primitives::{Params, schedule::part_of_tempo};
use clawrank_store::journal::{CommitForm, CommitRow, CommitState};

use super::{
    CommitMode,
    blocked::{Blocked, COMMIT_REVEAL_VERSION, blocked},
    hotkey_of,
    own::OwnCommit,
    round::{RevealPlan, Unplannable, misfit, plan, published_ms},
};
use crate::clock::EpochClock;

/// Blocks that a transaction may come late, at most; see [`Facts::landing_blocks`].
const LANDING_BLOCKS: u64 = 6;

/// Part of a tempo that may be given up for it: a 60th.
const LANDING_PART: u64 = 60;

/// Periods of the beacon after which a round that is not on chain is reported as late.
const LATE_PERIODS: u64 = 10;

/// What the chain says.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The subnet at the newest final block.
    pub subnet: &'a SubnetSnapshot,
    /// Where that block is in its epoch.
    pub clock: &'a EpochClock,
    /// Number of the node's best block, which is ahead of the newest final one.
    pub best: u64,
    /// The validator's neuron, if registered.
    pub me: Option<&'a Neuron>,
    /// The validator's commits of the row's mechanism that are on chain.
    pub own: &'a [OwnCommit],
    /// The validator's stored weights of the row's mechanism; empty where there are none.
    pub stored: &'a [(u16, u16)],
    /// The chain's beacon, if it has one.
    pub beacon: Option<&'a Beacon>,
    /// Whether the chain has stored the signature of the row's round.
    pub has_pulse: bool,
    /// How the operator wants weights committed.
    pub mode: CommitMode,
    /// Whether a transaction of the hotkey is on its way, as it was before the rest of this was read.
    pub is_pending: bool,
    /// Blocks after which a transaction of unknown outcome that is not on chain counts as lost.
    pub resubmit_after_blocks: u64,
}

impl Facts<'_> {
    pub(crate) fn head(&self) -> u64 {
        self.subnet.head.number
    }

    /// The block that a transaction sent now gets into, or the first of those that it may get into.
    pub(crate) fn landing(&self) -> u64 {
        self.best.max(self.head()).saturating_add(1)
    }

    /// Epoch that the chain counts that block to.
    pub(crate) fn next_epoch(&self) -> u64 {
        let (head, state) = (self.head(), self.subnet.epoch_state());
        let mut epoch = state.epoch_at(head.saturating_add(1));
        while state.first_block_of(head, epoch.saturating_add(1)).is_some_and(|first| first <= self.landing()) {
            epoch = epoch.saturating_add(1);
        }
        epoch
    }

    /// First block of the epoch after that.
    pub(crate) fn next_boundary(&self) -> u64 {
        let following = self.next_epoch().saturating_add(1);
        self.subnet.epoch_state().first_block_of(self.head(), following).unwrap_or(u64::MAX)
    }

    /// Whether weights of the epoch before [`Facts::next_epoch`] can be sent without keeping that epoch's own waiting,
    /// which are made at the earliest after the deadline of bundles.
    fn has_room_for_late(&self) -> bool {
        let running = self.subnet.epoch_state().epoch_at(self.head());
        let began = if running >= self.next_epoch() { self.clock.start_block } else { self.clock.next_epoch_block };
        let own = began.saturating_add(part_of_tempo(self.subnet.tempo, Params::BUNDLE_DEADLINE));
        self.landing().saturating_add(self.subnet.weights_rate_limit) <= own
    }

    /// How weights are set now.
    ///
    /// # Errors
    ///
    /// [`Blocked::UnknownCommitVersion`] or [`Blocked::NoBeacon`].
    pub fn form(&self) -> Result<CommitForm, Blocked> {
        let version = self.subnet.commit_reveal_version;
        // A chain that has never seen a round has the pallet and nobody who feeds it.
        let is_fed = self.beacon.is_some_and(|beacon| beacon.last_stored_round > 0);
        match (self.subnet.commit_reveal, self.mode, self.beacon) {
            (true, CommitMode::Auto, Some(_)) if !is_fed => Ok(CommitForm::Salted),
            (false, ..) => Ok(CommitForm::Plain),
            (true, CommitMode::Salted, _) | (true, CommitMode::Auto, None) => Ok(CommitForm::Salted),
            (true, CommitMode::Timelock, None) => Err(Blocked::NoBeacon),
            (true, _, Some(_)) if version != COMMIT_REVEAL_VERSION => {
                Err(Blocked::UnknownCommitVersion { found: version })
            }
            (true, _, Some(_)) => Ok(CommitForm::Timelocked),
        }
    }

    /// The round for a commit that is sent now.
    ///
    /// # Errors
    ///
    /// [`Unplannable`].
    pub fn reveal_plan(&self) -> Result<RevealPlan, Unplannable> {
        match self.beacon {
            Some(beacon) => plan(self.subnet, beacon, self.next_epoch()),
            None => Err(Unplannable::BadBeacon { genesis_time: 0, period: 0 }),
        }
    }

    /// Blocks that a transaction may come later than [`Facts::landing`]: a 60th of the tempo, 1 to 6. Where an epoch ends
    /// within them, no timelocked commit is sent.
    pub(crate) fn landing_blocks(&self) -> u64 {
        (u64::from(self.subnet.tempo) / LANDING_PART).clamp(1, LANDING_BLOCKS)
    }

    /// Whether the chain's stored weights are the row's. Uids that passed to another hotkey since are left out of the
    /// comparison: the chain may have cleared them.
    pub(crate) fn has_stored(&self, row: &CommitRow) -> bool {
        let kept = |uid: u16| {
            let mut owners = row.uids.iter().zip(&row.hotkeys).filter(|(known, _)| **known == uid);
            owners.all(|(_, hotkey)| hotkey_of(self.subnet, uid) == Some(*hotkey))
        };
        let ours = row.uids.iter().copied().zip(row.values.iter().copied()).filter(|(uid, _)| kept(*uid));
        let theirs = self.stored.iter().copied().filter(|(uid, _)| kept(*uid));
        !self.stored.is_empty() && !row.uids.is_empty() && ours.eq(theirs)
    }
}

/// What to do about a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write [`CommitState::Submitted`], then send the first call.
    Send,
    /// It will get into no block as it is: seal it anew, then send it.
    Reseal(String),
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
    /// It stands, and another should be made in its place if the chain allows one.
    Replace(String),
    /// It is gone from the chain and its weights are not there: superseded by a later one, or missed.
    Gone(String),
    /// It was committed and will never be revealed: an alarm.
    Missed(String),
    /// It will never be committed: an alarm.
    Expired(String),
    /// Nothing now.
    Wait(String),
}

/// Decides what to do next about `row`.
#[must_use]
pub fn next(row: &CommitRow, facts: &Facts<'_>) -> Step {
    let on_chain = facts.own.iter().find(|commit| commit.hash == row.hash);
    match row.state {
        CommitState::Prepared | CommitState::Submitted => match on_chain {
            Some(commit) => Step::Committed { chain_epoch: commit.epoch, block: commit.block },
            None => send(row, facts),
        },
        CommitState::Committed if row.form == CommitForm::Timelocked => timelocked(row, on_chain, facts),
        CommitState::Committed => salted(row, on_chain, facts),
        CommitState::Revealed => Step::Revealed,
        CommitState::Expired | CommitState::Superseded => Step::Expired(row.detail.clone()),
    }
}

/// A row that is not seen on chain.
fn send(row: &CommitRow, facts: &Facts<'_>) -> Step {
    let head = facts.head();
    let submitted = row.state == CommitState::Submitted;
    // Plain weights are there at once; timelocked ones may have been committed and revealed while nobody looked.
    if row.form != CommitForm::Salted && submitted && facts.has_stored(row) {
        return Step::Revealed;
    }
    let lost_from = row.block.saturating_add(facts.resubmit_after_blocks);
    if submitted && head < lost_from {
        return Step::Wait(format!("sent, not yet seen on chain; looked for until block {lost_from}"));
    }
    if submitted && facts.is_pending {
        return Step::Wait("sent, and a transaction of this hotkey is on its way into a final block".to_owned());
    }
    let epoch = facts.next_epoch();
    let follows = !submitted && epoch == row.commit_epoch.saturating_add(1) && facts.has_room_for_late();
    if epoch != row.commit_epoch && !follows {
        let what = if submitted { "never reached a block" } else { "was not sent" };
        return Step::Expired(format!("{what} before epoch {} ended; {}", row.commit_epoch, reason(row)));
    }
    match blocked(facts, row.mecid, row.version_key, row.uids.len()) {
        Some(blocked) => Step::Wait(blocked.to_string()),
        None if submitted && !is_sealed(row, facts) => {
            Step::Reseal("what was sent no longer fits the chain".to_owned())
        }
        None => Step::Send,
    }
}

/// Whether a row can go out as it is.
pub(crate) fn is_sealed(row: &CommitRow, facts: &Facts<'_>) -> bool {
    facts.form().is_ok_and(|form| form == row.form)
        && row.single_mechanism == (facts.subnet.mechanism_count <= 1)
        && match row.form {
            CommitForm::Plain => true,
            CommitForm::Salted => !row.salt.is_empty(),
            CommitForm::Timelocked => {
                !row.ciphertext.is_empty() && facts.reveal_plan().is_ok_and(|plan| plan.round == row.round)
            }
        }
}

/// The first uid of the row that passed to another hotkey.
fn replaced(row: &CommitRow, facts: &Facts<'_>) -> Option<u16> {
    let mut entries = row.uids.iter().zip(&row.hotkeys);
    entries.find(|(uid, hotkey)| hotkey_of(facts.subnet, **uid) != Some(**hotkey)).map(|(uid, _)| *uid)
}

/// A timelocked row that was seen on chain: the chain reveals it, or does not.
fn timelocked(row: &CommitRow, on_chain: Option<&OwnCommit>, facts: &Facts<'_>) -> Step {
    let committed_in = on_chain.map(|commit| commit.epoch).or(row.chain_epoch).unwrap_or(row.commit_epoch);
    let opens = committed_in.saturating_add(facts.subnet.reveal_period_epochs);
    let epoch = facts.subnet.epoch_state().epoch_at(facts.head());
    if on_chain.is_none() {
        if facts.has_stored(row) {
            return Step::Revealed;
        }
        return Step::Gone(format!(
            "the commit is gone in epoch {epoch} and its weights are not on chain: the chain could not use it, or its \
             reveal epoch {opens} ended before round {} was there",
            row.round
        ));
    }
    let Some(beacon) = facts.beacon else {
        return Step::Wait("the chain no longer has a beacon to reveal it".to_owned());
    };
    if epoch > opens {
        return Step::Missed(format!("its reveal was due in epoch {opens} and it is epoch {epoch}"));
    }
    if epoch < opens {
        return match (misfit(facts.subnet, beacon, committed_in, row.round), replaced(row, facts)) {
            (Some(misfit), _) => Step::Replace(misfit.to_string()),
            (None, Some(uid)) => Step::Replace(format!("uid {uid} passed to another hotkey after the commit")),
            (None, None) => Step::Wait(format!("round {} reveals it in epoch {opens}", row.round)),
        };
    }
    if facts.has_pulse {
        return Step::Wait(format!("round {} is on chain; the next block reveals it", row.round));
    }
    if beacon.last_stored_round > row.round {
        return Step::Missed(format!(
            "round {} was left out: the chain has stored round {} and never goes back",
            row.round, beacon.last_stored_round
        ));
    }
    let late_ms = facts.subnet.head.timestamp_ms.saturating_sub(published_ms(beacon, row.round));
    let late = late_ms > u64::from(beacon.period).saturating_mul(LATE_PERIODS).saturating_mul(1_000);
    let what = if late { "is late on the chain" } else { "is awaited" };
    Step::Wait(format!("round {} {what}; it reveals the commit in epoch {opens}", row.round))
}

/// A salted row that was seen on chain.
fn salted(row: &CommitRow, on_chain: Option<&OwnCommit>, facts: &Facts<'_>) -> Step {
    let committed_in = on_chain.map(|commit| commit.epoch).or(row.chain_epoch).unwrap_or(row.commit_epoch);
    let opens = committed_in.saturating_add(facts.subnet.reveal_period_epochs);
    let epoch = facts.clock.epoch;
    if on_chain.is_none() && facts.has_stored(row) {
        return Step::Revealed;
    }
    if epoch > opens {
        return Step::Missed(format!("its reveal was due in epoch {opens} and it is epoch {epoch}; {}", reason(row)));
    }
    if on_chain.is_none() {
        return Step::Wait("commit is gone from the chain and its weights are not there".to_owned());
    }
    if epoch < opens {
        return match replaced(row, facts) {
            Some(uid) => Step::Replace(format!("uid {uid} passed to another hotkey after the commit")),
            None => Step::Wait(format!("reveal is due in epoch {opens}")),
        };
    }
    if !facts.clock.is_open_at(facts.head()) {
        return Step::Wait(format!("epoch {opens} is over but for its last step"));
    }
    Step::Reveal
}

fn reason(row: &CommitRow) -> String {
    if row.detail.is_empty() { "the chain said nothing".to_owned() } else { format!("last answer: {}", row.detail) }
}
