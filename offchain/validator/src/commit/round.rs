// SPDX-License-Identifier: Apache-2.0
//! Which round of the beacon opens a timelocked commit. Pure.
//!
//! The chain reveals a commit of epoch e in epoch e + `RevealPeriodEpochs`, from its first block on, in any block that
//! finds the round's signature stored. So the round must not be public before that epoch begins, or anyone could copy the
//! weights, and must be public before it ends, or the commit is lost. Blocks become times by the chain's own clock: the
//! timestamp of the head and the time between blocks.

use clawrank_client::types::{Beacon, SubnetSnapshot};
use clawrank_timelock::BeaconParams;

/// Blocks into the reveal epoch that the round is aimed at, as the public SDK aims it.
pub const SECURITY_BLOCKS: u64 = 3;

/// Blocks before the end of the reveal epoch by which the round must be public: it has to be brought onto the chain.
const INGEST_BLOCKS: u64 = 2;

/// Longest commit-reveal period that is planned for, as the chain bounds it.
pub const MAX_REVEAL_PERIOD_EPOCHS: u64 = 100;

/// When a commit is revealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevealPlan {
    /// Epoch that the chain puts the commit in.
    pub commit_epoch: u64,
    /// First block that can reveal it.
    pub first_block: u64,
    /// First block that no longer can.
    pub end_block: u64,
    /// Round that opens it.
    pub round: u64,
    /// When that round is published, Unix milliseconds.
    pub published_ms: u64,
}

/// Why there is no round to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unplannable {
    /// The subnet has no epochs, or a reveal period that no chain has.
    #[error("the chain's schedule names no reveal block (tempo {tempo}, reveal period {period} epochs)")]
    NoSchedule {
        /// Tempo of the subnet.
        tempo: u16,
        /// Its reveal period.
        period: u64,
    },
    /// The beacon's parameters make no sense.
    #[error("beacon has genesis {genesis_time} and period {period} s: no round can be told from a time")]
    BadBeacon {
        /// Time of round 1, Unix seconds.
        genesis_time: u64,
        /// Seconds between rounds.
        period: u32,
    },
    /// The chosen round is public already.
    #[error(
        "round {round} is aimed at, and the chain has stored round {stored} already: the chain's clock is behind its beacon"
    )]
    Passed {
        /// Chosen round.
        round: u64,
        /// Newest round on the chain.
        stored: u64,
    },
    /// The reveal epoch is over before the round is public.
    #[error("an epoch of {tempo} blocks of {block_time_ms} ms is too short for a beacon with a round every {period} s")]
    TooShort {
        /// Tempo of the subnet.
        tempo: u16,
        /// Time between blocks.
        block_time_ms: u64,
        /// Seconds between rounds.
        period: u32,
    },
}

/// What is wrong with the round of a commit that is on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It is public while the weights can still be copied.
    #[error("round {round} is public about {by_ms} ms before epoch {epoch} begins in block {block}")]
    TooEarly {
        /// The round.
        round: u64,
        /// Reveal epoch.
        epoch: u64,
        /// Its first block, as it stands now.
        block: u64,
        /// By how much.
        by_ms: u64,
    },
    /// It is public only when the chain has dropped the commit.
    #[error("round {round} is public about {by_ms} ms after epoch {epoch} has ended in block {block}")]
    TooLate {
        /// The round.
        round: u64,
        /// Reveal epoch.
        epoch: u64,
        /// First block after it, as it stands now.
        block: u64,
        /// By how much.
        by_ms: u64,
    },
}

/// The arithmetic of a beacon.
#[must_use]
pub fn params(beacon: &Beacon) -> BeaconParams {
    BeaconParams { public_key: beacon.public_key, genesis_time: beacon.genesis_time, period: beacon.period }
}

/// When `round` is published, Unix milliseconds.
#[must_use]
pub fn published_ms(beacon: &Beacon, round: u64) -> u64 {
    params(beacon).time_of(round).saturating_mul(1_000)
}

/// When `block` is made, by the head's time and the time between blocks. Past blocks are dated back alike.
#[must_use]
pub fn time_of_block(subnet: &SubnetSnapshot, block: u64) -> u64 {
    let (head, each) = (subnet.head, subnet.block_time_ms);
    let ahead = block.saturating_sub(head.number).saturating_mul(each);
    let behind = head.number.saturating_sub(block).saturating_mul(each);
    head.timestamp_ms.saturating_add(ahead).saturating_sub(behind)
}

/// The round for a commit that gets into a block of `commit_epoch`, the snapshot's or a later one.
///
/// `round = ⌊(time of (first reveal block + 3) - genesis) / period⌋`, at least 1, as the public SDK has it; where blocks
/// are so short that this one would be public before the first reveal block, the first that is not.
///
/// # Errors
///
/// [`Unplannable`].
pub fn plan(subnet: &SubnetSnapshot, beacon: &Beacon, commit_epoch: u64) -> Result<RevealPlan, Unplannable> {
    let (head, period, state) = (subnet.head.number, subnet.reveal_period_epochs, subnet.epoch_state());
    let reveal_epoch = commit_epoch.saturating_add(period);
    let first = state.first_block_of(head, reveal_epoch);
    let blocks = first.zip(state.first_block_of(head, reveal_epoch.saturating_add(1)));
    let (first_block, end_block) = match blocks {
        Some(blocks) if (1..=MAX_REVEAL_PERIOD_EPOCHS).contains(&period) => blocks,
        _ => return Err(Unplannable::NoSchedule { tempo: subnet.tempo, period }),
    };
    let target_ms = time_of_block(subnet, first_block.saturating_add(SECURITY_BLOCKS));
    let genesis_ms = beacon.genesis_time.saturating_mul(1_000);
    let period_ms = u64::from(beacon.period).saturating_mul(1_000);
    let bad = Unplannable::BadBeacon { genesis_time: beacon.genesis_time, period: beacon.period };
    let round = target_ms.saturating_sub(genesis_ms).checked_div(period_ms).ok_or(bad)?.max(1);
    let round = round.max(first_public_from(beacon, time_of_block(subnet, first_block)));
    if round <= beacon.last_stored_round {
        return Err(Unplannable::Passed { round, stored: beacon.last_stored_round });
    }
    let published_ms = published_ms(beacon, round);
    if published_ms > time_of_block(subnet, end_block.saturating_sub(INGEST_BLOCKS)) {
        let (tempo, block_time_ms, period) = (subnet.tempo, subnet.block_time_ms, beacon.period);
        return Err(Unplannable::TooShort { tempo, block_time_ms, period });
    }
    Ok(RevealPlan { commit_epoch, first_block, end_block, round, published_ms })
}

/// The first round that is published at `unix_ms` or later.
fn first_public_from(beacon: &Beacon, unix_ms: u64) -> u64 {
    let newest = params(beacon).round_at(unix_ms);
    if published_ms(beacon, newest) >= unix_ms { newest.max(1) } else { newest.saturating_add(1) }
}

/// What is wrong by now with the round of a commit that the chain has put in `chain_epoch`, if anything: the owner may
/// have changed the tempo, an epoch may have been put off, blocks may have come late. Asked before the reveal epoch.
///
/// A round counts as too early from one block before the reveal epoch on: that much an estimate may be off.
#[must_use]
pub fn misfit(subnet: &SubnetSnapshot, beacon: &Beacon, chain_epoch: u64, round: u64) -> Option<Misfit> {
    let (head, state) = (subnet.head.number, subnet.epoch_state());
    let epoch = chain_epoch.saturating_add(subnet.reveal_period_epochs);
    let first = state.first_block_of(head, epoch)?;
    let end = state.first_block_of(head, epoch.saturating_add(1))?;
    let published = published_ms(beacon, round);
    let begins = time_of_block(subnet, first);
    let by_ms = begins.saturating_sub(published);
    if by_ms > subnet.block_time_ms {
        return Some(Misfit::TooEarly { round, epoch, block: first, by_ms });
    }
    let ends = time_of_block(subnet, end);
    let by_ms = published.saturating_sub(ends);
    (by_ms > 0).then_some(Misfit::TooLate { round, epoch, block: end, by_ms })
}
