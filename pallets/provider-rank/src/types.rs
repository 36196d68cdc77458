// SPDX-License-Identifier: Apache-2.0

//! What is stored per epoch.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, traits::ConstU32};
use pallet_subtensor::MAX_UIDS;
use scale_info::TypeInfo;
use sp_core::H256;

/// One validator's verdicts of one epoch, by ascending uid.
pub type Verdicts = BoundedVec<Verdict, ConstU32<MAX_UIDS>>;
/// The payouts of one epoch, by ascending uid.
pub type PayoutList<AccountId> = BoundedVec<Payout<AccountId>, ConstU32<MAX_UIDS>>;

/// Where an epoch stands. Blocks are numbers of this chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct EpochState {
    /// First block.
    pub start: u64,
    /// Last block in which a bundle can be committed.
    pub deadline: u64,
    /// Last block in which the challenge's round of the beacon may be stored: `deadline + 1` where there is no time to
    /// wait for one.
    pub decides: u64,
    /// The beacon's first round after the time of block `deadline + 1`, where it is waited for.
    pub round: Option<u64>,
    /// What is challenged follows from it: randomness later than the deadline.
    pub seed: Option<H256>,
    /// Number of bundles.
    pub bundles: u32,
    /// Number of validators that reported.
    pub reports: u32,
    /// Whether it was paid, or nothing was to be paid.
    pub settled: bool,
}

/// What a miner committed to in one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Bundle {
    /// Uid that the miner had.
    pub uid: u16,
    /// Merkle root of its attempts.
    pub root: H256,
    /// Number of its attempts.
    pub count: u32,
    /// Block of the commitment.
    pub block: u64,
}

/// What one validator found about one miner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Verdict {
    /// Uid of the miner.
    pub uid: u16,
    /// Whether the gate tripped; the score then counts as 0.
    pub tripped: bool,
    /// Why, as a code of the gate; 0 when it did not trip. Kept for readers, not interpreted here.
    pub reason: u8,
    /// Intel score, in the unit of the rules.
    pub score: u128,
}

/// What one miner got.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Payout<AccountId> {
    /// Uid of the miner.
    pub uid: u16,
    /// Its hotkey, which was paid.
    pub hotkey: AccountId,
    /// Whether validators with more than half of the reporting stake tripped its gate.
    pub tripped: bool,
    /// Stake-weighted median of its scores; 0 when its gate tripped.
    pub score: u128,
    /// Amount, in rao.
    pub amount: u64,
}

/// How an epoch was paid: `Σ payouts + dust == emission`, always.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Settlement<AccountId> {
    /// Block of the payment.
    pub block: u64,
    /// What the pot offered, in rao.
    pub emission: u64,
    /// What stayed in the pot: rounding, amounts that an account could not take, or all of it.
    pub dust: u64,
    /// Stake weight of the validators that reported, in rao.
    pub reporting_stake: u64,
    /// Stake weight of all validators, in rao.
    pub total_stake: u64,
    /// Every miner with a bundle, paid or not.
    pub payouts: PayoutList<AccountId>,
}
