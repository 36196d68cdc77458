// SPDX-License-Identifier: Apache-2.0
//! Why weights cannot be set now, and when they can.

use clawrank_client::types::SubnetSnapshot;
use clawrank_store::journal::CommitForm;
use serde::{Deserialize, Serialize};

use super::{
    plan::Facts,
    round::{Unplannable, time_of_block},
};

/// Unrevealed commits that the chain allows a hotkey.
pub const MAX_UNREVEALED: usize = 10;

/// The one version of commit-reveal that this program speaks.
pub const COMMIT_REVEAL_VERSION: u16 = 4;

/// Why weights cannot be set now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
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
    #[error("{}", too_few(*found, *wanted))]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many it wants.
        wanted: usize,
    },
    /// Too many commits wait for their reveal.
    #[error("{found} commits wait for their reveal and the chain allows no more; they are gone by block {next}")]
    TooManyUnrevealed {
        /// How many.
        found: usize,
        /// First block of the next epoch.
        next: u64,
    },
    /// The chain commits in a way that this program does not know.
    #[error(
        "the chain wants commit-reveal version {found} and this program speaks {COMMIT_REVEAL_VERSION}; upgrade this program"
    )]
    UnknownCommitVersion {
        /// Version of the chain.
        found: u16,
    },
    /// Timelocked commits are configured, and the chain cannot open any.
    #[error("`commit = \"timelock\"` is configured and the chain has no beacon; use `auto` or `salted`")]
    NoBeacon,
    /// No round can be chosen.
    #[error(transparent)]
    NoRound(#[from] Unplannable),
    /// The epoch is too near its end for a commit that must get into a block of it.
    #[error(
        "epoch ends in block {next}: a commit sent now could get into the next one, where its round would be wrong; it \
         follows in that one"
    )]
    TooNearTheEnd {
        /// First block of the next epoch.
        next: u64,
    },
    /// The epoch has no rules to be judged by.
    #[error("no rules: {why}")]
    NoParams {
        /// Why not.
        why: String,
    },
    /// What was measured before the start has not been read again.
    #[error("since the start, {what} not been read to the end yet; weights made now would forget what miners did")]
    Cold {
        /// What is missing, with its verb.
        what: &'static str,
    },
}

impl Blocked {
    /// Its name, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unregistered { .. } => "unregistered",
            Self::NoPermit { .. } => "no_permit",
            Self::TooLittleStake { .. } => "too_little_stake",
            Self::OldVersion { .. } => "old_version",
            Self::TooFast { .. } => "too_fast",
            Self::TooFew { .. } => "too_few",
            Self::TooManyUnrevealed { .. } => "too_many_unrevealed",
            Self::UnknownCommitVersion { .. } => "unknown_commit_version",
            Self::NoBeacon => "no_beacon",
            Self::NoRound(_) => "no_round",
            Self::TooNearTheEnd { .. } => "too_near_the_end",
            Self::NoParams { .. } => "no_params",
            Self::Cold { .. } => "cold",
        }
    }

    /// First block in which it may be over by itself; `None` where somebody has to do something first.
    #[must_use]
    pub fn until_block(&self) -> Option<u64> {
        match self {
            Self::NoPermit { next, .. }
            | Self::TooFast { next, .. }
            | Self::TooManyUnrevealed { next, .. }
            | Self::TooNearTheEnd { next } => Some(*next),
            Self::Unregistered { .. }
            | Self::TooLittleStake { .. }
            | Self::OldVersion { .. }
            | Self::TooFew { .. }
            | Self::UnknownCommitVersion { .. }
            | Self::NoBeacon
            | Self::NoRound(_)
            | Self::NoParams { .. }
            | Self::Cold { .. } => None,
        }
    }

    /// Whether nothing will ever be set until somebody changes the chain, the configuration or this program.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        matches!(
            self,
            Self::Unregistered { .. }
                | Self::TooLittleStake { .. }
                | Self::OldVersion { .. }
                | Self::UnknownCommitVersion { .. }
                | Self::NoBeacon
                | Self::NoRound(_)
        )
    }

    /// What reports say of it.
    #[must_use]
    pub fn report(&self, mecid: u8, subnet: &SubnetSnapshot) -> BlockedReport {
        BlockedReport {
            mecid,
            reason: self.code().to_owned(),
            message: self.to_string(),
            until_block: self.until_block(),
            until_ms: self.until_block().map(|block| time_of_block(subnet, block)),
        }
    }
}

fn too_few(found: usize, wanted: usize) -> String {
    if found == 0 {
        return "no miner has a score yet, so there are no weights to set".to_owned();
    }
    format!("{found} weights where the subnet wants at least {wanted}; more miners must earn a score")
}

/// Why the weights of one mechanism cannot be set now, and when they can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedReport {
    /// Which mechanism.
    pub mecid: u8,
    /// [`Blocked::code`].
    pub reason: String,
    /// The reason in words, and what to do.
    pub message: String,
    /// First block in which it may be over by itself; absent where somebody has to do something first.
    pub until_block: Option<u64>,
    /// About when that block is made, Unix milliseconds.
    pub until_ms: Option<u64>,
}

/// Why the chain would refuse weights of `found` entries at the next block; `None` where it would take them.
#[must_use]
pub fn blocked(facts: &Facts<'_>, mecid: u8, version_key: u64, found: usize) -> Option<Blocked> {
    let subnet = facts.subnet;
    let Some(me) = facts.me else { return Some(Blocked::Unregistered { netuid: subnet.netuid }) };
    let form = match facts.form() {
        Ok(form) => form,
        Err(blocked) => return Some(blocked),
    };
    let is_owner = subnet.owner_uid == Some(me.uid);
    if !is_owner && me.stake_rao < subnet.stake_threshold_rao {
        return Some(Blocked::TooLittleStake { stake_rao: me.stake_rao, threshold_rao: subnet.stake_threshold_rao });
    }
    if subnet.weights_version_key > 0 && version_key < subnet.weights_version_key {
        return Some(Blocked::OldVersion { ours: version_key, wanted: subnet.weights_version_key });
    }
    let next_epoch = facts.clock.next_epoch_block;
    if !is_owner && !me.validator_permit {
        return Some(Blocked::NoPermit { uid: me.uid, next: next_epoch });
    }
    let wanted = usize::from(subnet.min_allowed_weights).min(subnet.neurons.len());
    if found < wanted {
        return Some(Blocked::TooFew { found, wanted });
    }
    let unrevealed = match form {
        CommitForm::Plain => 0,
        CommitForm::Salted => facts.own.iter().filter(|commit| commit.form == form).count(),
        // Those are bounded per epoch.
        CommitForm::Timelocked => {
            facts.own.iter().filter(|commit| commit.form == form && commit.epoch == facts.next_epoch()).count()
        }
    };
    if unrevealed >= MAX_UNREVEALED {
        return Some(Blocked::TooManyUnrevealed { found: unrevealed, next: next_epoch });
    }
    // 0 stands for never.
    let last = me.last_update.get(usize::from(mecid)).copied().unwrap_or(0);
    let next = last.saturating_add(subnet.weights_rate_limit);
    if last > 0 && facts.head().saturating_add(1) < next {
        return Some(Blocked::TooFast { last, next });
    }
    if form == CommitForm::Timelocked {
        let next = facts.next_boundary();
        if facts.landing().saturating_add(facts.landing_blocks()) >= next {
            return Some(Blocked::TooNearTheEnd { next });
        }
        if let Err(unplannable) = facts.reveal_plan() {
            return Some(Blocked::NoRound(unplannable));
        }
    }
    None
}
